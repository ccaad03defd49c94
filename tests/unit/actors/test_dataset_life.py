"""What happens to uploads beside their bytes: checksums, quotas, expiry."""

import dataclasses
import hashlib
import os
from types import SimpleNamespace

import pytest

from hanami_actors.actors.directory.datasets import Datasets
from hanami_actors.actors.gateway import GetUploadProgress
from hanami_actors.domain.base import Who
from hanami_actors.domain.dataset.aggregate import DatasetPhase
from hanami_actors.domain.dataset.messages import CreateUploadedDataset
from hanami_actors.domain.quota import project_bytes
from hanami_actors.domain.upload.events import UploadClosed, UploadDiscarded
from hanami_actors.errors import ConflictError, NotFoundError, StorageFullError
from hanami_actors.ports import ManualClock
from tests.unit.actors.harness import (
    DIRECTORY,
    dataset_target,
    idx_files,
    upload_target,
    wait_until,
)

HOUR_S = 3600.0
CSV = b"a,b\n1,2\n3,4\n"


def announce(backend, data=CSV, **fields):
    message = CreateUploadedDataset(name="table", kind="csv", input_size_bytes=len(data), **fields)
    return backend.ask_directory(message)


def progress(backend, uuid):
    return backend.ask(upload_target(uuid), GetUploadProgress())


class TestChecksums:
    def test_a_file_with_other_bytes_is_sent_again_and_then_imported(self, backend):
        images, labels = idx_files(20)
        checksum = "sha256:" + hashlib.sha256(images).hexdigest()
        message = CreateUploadedDataset(
            name="digits",
            kind="mnist",
            input_size_bytes=len(images),
            label_size_bytes=len(labels),
            input_checksum=checksum,
        )
        state = backend.ask_directory(message)
        first, second = state.upload_uuids
        spoilt = images[:-1] + bytes([images[-1] ^ 1])
        backend.upload(first, spoilt)
        backend.upload(second, labels)
        found = "sha256:" + hashlib.sha256(spoilt).hexdigest()
        with pytest.raises(ConflictError) as refused:
            backend.finalize(state)
        assert found in refused.value.message
        assert checksum in refused.value.message
        assert progress(backend, first).missing == ((0, len(images)),)
        assert progress(backend, second).complete
        assert backend.dataset(state.uuid).phase is DatasetPhase.WAITING
        backend.upload(first, images)
        assert backend.finalize(state).content.row_count == 20
        events = [record.event for record in backend.log.read_stream(f"upload/{first}")]
        assert UploadDiscarded(checksum=found) in events
        assert events[-1] == UploadClosed(reason="imported", checksum=checksum)

    def test_a_file_whose_checksum_changed_may_be_sent_after_a_restart_too(self, backend):
        state = announce(backend, input_checksum="sha256:" + "0" * 64)
        backend.upload(state.upload_uuids[0], CSV)
        with pytest.raises(ConflictError):
            backend.finalize(state)
        backend.again()
        assert progress(backend, state.upload_uuids[0]).received_bytes == 0
        backend.upload(state.upload_uuids[0], CSV)
        assert progress(backend, state.upload_uuids[0]).complete

    def test_blake2b_is_known_too(self, backend):
        checksum = "blake2b:" + hashlib.blake2b(CSV, digest_size=32).hexdigest()
        state = announce(backend, input_checksum=checksum)
        backend.upload(state.upload_uuids[0], CSV)
        assert backend.finalize(state).content.row_count == 2


class TestRoom:
    def test_the_disk_must_hold_what_has_been_announced_by_all(self, make_backend, monkeypatch):
        backend = make_backend(disk_free_min_bytes=1000)
        disk = SimpleNamespace(f_bavail=3000, f_frsize=1)
        monkeypatch.setattr(os, "statvfs", lambda path: disk)
        first = announce(backend, b"x" * 1200)
        with pytest.raises(StorageFullError, match=r"900 bytes, but only 800 .*1200 are promised"):
            announce(backend, b"x" * 900)
        # What has been received is on the disk already and counted there.
        backend.upload(first.upload_uuids[0], b"x" * 1200)
        announce(backend, b"x" * 900)

    def test_a_project_has_a_quota_over_datasets_and_uploads(self, make_backend):
        backend = make_backend(project_size_max_bytes=100)
        state = announce(backend, CSV)
        backend.upload(state.upload_uuids[0], CSV)
        backend.finalize(state)
        assert project_bytes(backend.gateway.tables, "lab") == 16
        announce(backend, b"x" * 84)
        with pytest.raises(StorageFullError, match=r"'lab' already takes 100 of the 100"):
            announce(backend, b"x")
        other = CreateUploadedDataset(name="table", kind="csv", input_size_bytes=100)
        backend.ask(DIRECTORY, other, Who(user_id="bob", project_id="shop"))

    def test_a_refused_dataset_leaves_nothing(self, make_backend):
        backend = make_backend(project_size_max_bytes=10)
        before = list(backend.log.appended)
        with pytest.raises(StorageFullError):
            announce(backend, b"x" * 11)
        assert backend.log.appended == before
        assert dict(backend.gateway.tables.datasets) == {}


class TestExpiry:
    @pytest.fixture
    def backend(self, make_backend):
        return make_backend(upload_expiry_s=24 * HOUR_S)

    def sweeper(self, backend):
        """The part of the directory that expires, under a clock that the test moves."""
        clock = ManualClock(backend.system.clock.now_us())
        return clock, Datasets(dataclasses.replace(backend.system, clock=clock))

    def test_an_abandoned_upload_is_closed_and_its_dataset_failed(self, backend):
        state = announce(backend)
        uuid = state.upload_uuids[0]
        backend.upload(uuid, CSV[:5])
        clock, datasets = self.sweeper(backend)
        clock.advance(23.9 * HOUR_S)
        datasets.expire()
        assert uuid in backend.gateway.tables.uploads
        clock.advance(0.2 * HOUR_S)
        datasets.expire()
        failed = backend.dataset(state.uuid)
        assert failed.phase is DatasetPhase.FAILED
        assert "24 hours" in failed.failure
        assert not (backend.uploads_dir / uuid).exists()
        events = [record.event for record in backend.log.read_stream(f"upload/{uuid}")]
        assert events[-1] == UploadClosed(reason="expired")
        with pytest.raises(NotFoundError):
            backend.upload(uuid, CSV[5:], position=5)

    def test_a_file_that_is_complete_but_never_finalized_expires_too(self, backend):
        state = announce(backend)
        backend.upload(state.upload_uuids[0], CSV)
        clock, datasets = self.sweeper(backend)
        clock.advance(25 * HOUR_S)
        datasets.expire()
        assert backend.dataset(state.uuid).phase is DatasetPhase.FAILED

    def test_bytes_to_one_file_keep_the_other_alive(self, backend):
        images, labels = idx_files(20)
        state = backend.announce(len(images), len(labels))
        _, datasets = self.sweeper(backend)
        opened_us = datasets._last_activities()[state.uuid]
        backend.upload(state.upload_uuids[1], labels)
        received_us = backend.gateway.tables.uploads[state.upload_uuids[1]].state.active_us
        assert datasets._last_activities() == {state.uuid: received_us}
        assert received_us > opened_us

    def test_what_was_received_just_now_counts_though_it_is_not_recorded_yet(self, backend):
        state = announce(backend, b"x" * 100)
        _, datasets = self.sweeper(backend)
        stale = datasets._last_activities()[state.uuid]
        backend.upload(state.upload_uuids[0], b"x")
        datasets._expire(state.uuid, stale)
        assert backend.dataset(state.uuid).phase is DatasetPhase.WAITING
        assert backend.gateway.tables.uploads[state.upload_uuids[0]].state.ranges == ((0, 1),)

    def test_times_are_those_of_the_log_and_survive_a_restart(self, backend):
        state = announce(backend)
        opened_us = backend.gateway.tables.uploads[state.upload_uuids[0]].state.active_us
        backend.again()
        clock, datasets = self.sweeper(backend)
        assert datasets._last_activities() == {state.uuid: opened_us}
        clock.advance(25 * HOUR_S)
        datasets.expire()
        assert backend.dataset(state.uuid).phase is DatasetPhase.FAILED

    def test_nothing_is_looked_at_before_something_can_be_due(self, backend, monkeypatch):
        announce(backend)
        clock, datasets = self.sweeper(backend)
        datasets.expire()
        looks = []
        look = datasets._last_activities

        def noted():
            looks.append(clock.now_us())
            return look()

        monkeypatch.setattr(datasets, "_last_activities", noted)
        for _ in range(100):
            clock.advance(60)
            datasets.expire()
        assert looks == []
        clock.advance(24 * HOUR_S)
        datasets.expire()
        assert looks

    def test_a_dataset_that_is_being_imported_does_not_expire(self, backend):
        state = announce(backend)
        backend.upload(state.upload_uuids[0], CSV)
        clock, datasets = self.sweeper(backend)
        clock.advance(25 * HOUR_S)
        target = dataset_target(state.uuid)
        backend.system.actors.put(target, backend.supervisor)
        datasets.expire()
        assert backend.dataset(state.uuid).phase is DatasetPhase.WAITING
        backend.system.actors.discard(target, backend.supervisor)
        clock.advance(61)
        datasets.expire()
        assert backend.dataset(state.uuid).phase is DatasetPhase.FAILED

    def test_the_server_does_it_by_itself(self, make_backend):
        backend = make_backend(upload_expiry_s=0.05)
        state = announce(backend)
        wait_until(lambda: backend.dataset(state.uuid).phase is DatasetPhase.FAILED)
        assert dict(backend.gateway.tables.uploads) == {}

    def test_without_an_expiry_uploads_wait_for_ever(self, make_backend):
        backend = make_backend(upload_expiry_s=0.0)
        state = announce(backend)
        clock, datasets = self.sweeper(backend)
        clock.advance(10_000 * HOUR_S)
        datasets.expire()
        assert backend.dataset(state.uuid).phase is DatasetPhase.WAITING
