"""Imports: from complete files to a dataset, all or nothing."""

import os
import threading

import pytest

from hanami_actors.actors.data.upload_files import remove_leftovers
from hanami_actors.datasets.idx import import_mnist
from hanami_actors.domain.dataset.aggregate import DatasetPhase
from hanami_actors.domain.dataset.messages import CreateUploadedDataset, DeleteDataset
from hanami_actors.domain.upload.messages import AppendChunk
from hanami_actors.errors import (
    ConflictError,
    DatasetFormatError,
    LogError,
    NotFoundError,
    StorageFullError,
)
from tests.unit.actors.fakes import Gate
from tests.unit.actors.harness import (
    answer_of,
    dataset_target,
    finalize_message,
    idx_files,
    upload_target,
    wait_until,
)


def uploaded(backend, images=None, labels=None):
    """Announce and upload a pair of files; return the dataset."""
    files = idx_files(20)
    images, labels = images or files[0], labels or files[1]
    state = backend.announce(len(images), len(labels))
    for uuid, file in zip(state.upload_uuids, (images, labels), strict=True):
        backend.upload(uuid, file)
    return state


@pytest.fixture
def held_import(monkeypatch):
    """Imports wait at this gate after reading, before the dataset is filled."""
    gate = Gate()

    def held(*args):
        content = import_mnist(*args)
        gate.pass_through()
        return content

    monkeypatch.setattr("hanami_actors.actors.data.dataset_import.import_mnist", held)
    return gate


def leftovers(backend):
    return sorted(path.name for path in backend.uploads_dir.iterdir())


def blob_bytes(backend, state):
    digest = backend.dataset(state.uuid).content.files[0].digest
    return backend.blobs.path(digest).read_bytes()


def test_an_import_fills_the_dataset_and_leaves_no_upload_behind(backend):
    state = uploaded(backend)
    filled = backend.finalize(state)
    assert filled.phase is DatasetPhase.FILLED
    assert filled.content.row_count == 20
    assert leftovers(backend) == []
    assert not set(state.upload_uuids) & set(backend.gateway.tables.uploads)


def test_finalizing_again_gives_the_same_answer(backend):
    state = uploaded(backend)
    assert backend.finalize(state) == backend.finalize(state)


def test_finalizing_too_early_names_the_missing_bytes_and_keeps_everything(backend):
    images, labels = idx_files(20)
    state = backend.announce(len(images), len(labels))
    backend.upload(state.upload_uuids[0], images)
    backend.upload(state.upload_uuids[1], labels[:10])
    with pytest.raises(ConflictError, match=f"missing are bytes 10..{len(labels) - 1}"):
        backend.finalize(state)
    backend.upload(state.upload_uuids[1], labels[10:], 10)
    assert backend.finalize(state).phase is DatasetPhase.FILLED


def test_finalizing_before_the_first_byte_names_the_whole_file(backend):
    state = backend.announce(100, 50)
    with pytest.raises(ConflictError, match="0 of 100 bytes"):
        backend.finalize(state)


def test_files_that_are_not_what_they_should_be_fail_for_good(backend):
    images, _ = idx_files(20)
    state = uploaded(backend, images=b"\0\0\0\0" + images[4:])
    with pytest.raises(DatasetFormatError, match="magic"):
        backend.finalize(state)
    assert backend.dataset(state.uuid).phase is DatasetPhase.FAILED
    with pytest.raises(ConflictError, match="has failed"):
        backend.finalize(state)
    assert leftovers(backend) == []


@pytest.mark.parametrize("place", ["faults", "after"])
@pytest.mark.parametrize("error", [StorageFullError("full"), LogError("unknown")])
def test_an_import_whose_event_was_not_acknowledged_can_be_finalized_again(backend, place, error):
    state = uploaded(backend)
    getattr(backend.log, place)["dataset.filled"] = [error]
    with pytest.raises(type(error)):
        backend.finalize(state)
    assert backend.finalize(state).content.row_count == 20
    assert backend.log.tags(f"dataset/{state.uuid}").count("dataset.filled") == 1
    remove_leftovers(backend.uploads_dir, backend.gateway.tables)
    assert leftovers(backend) == []


def test_a_chunk_during_the_import_never_changes_the_adopted_bytes(backend, held_import):
    images, _ = idx_files(20)
    state = uploaded(backend)
    finalized = backend.send(dataset_target(state.uuid), finalize_message(state))
    held_import.wait_until_reached()
    # The picture file is a blob already, under the same inode as the upload.
    uuid = state.upload_uuids[0]
    backend.upload(uuid, images[16:20], 16)
    with pytest.raises(ConflictError):
        backend.upload(uuid, b"\xff\xff\xff\xff", 16)
    held_import.open()
    answer_of(finalized)
    with pytest.raises(NotFoundError):
        backend.upload(uuid, b"\xff\xff\xff\xff", 16)
    assert blob_bytes(backend, state) == images
    assert leftovers(backend) == []


def test_chunks_in_flight_around_the_finalize_never_change_the_blob(backend):
    images, _ = idx_files(20)
    state = uploaded(backend)
    stop = threading.Event()
    refused = []

    def send_on():
        while not stop.is_set():
            chunk = AppendChunk(position=16, data=b"\xff" * 8)
            future = backend.send(upload_target(state.upload_uuids[0]), chunk)
            future.wait(10)
            refused.append(future.error())

    sender = threading.Thread(target=send_on)
    sender.start()
    backend.finalize(state)
    wait_until(lambda: any(isinstance(error, NotFoundError) for error in refused))
    stop.set()
    sender.join()
    assert all(isinstance(error, ConflictError | NotFoundError) for error in refused)
    assert blob_bytes(backend, state) == images
    assert leftovers(backend) == []


def test_a_dataset_is_not_deleted_in_the_middle_of_its_import(backend, held_import):
    state = uploaded(backend)
    finalized = backend.send(dataset_target(state.uuid), finalize_message(state))
    held_import.wait_until_reached()
    with pytest.raises(ConflictError, match="being finalized"):
        backend.ask_directory(DeleteDataset(uuid=state.uuid))
    held_import.open()
    answer_of(finalized)
    backend.ask_directory(DeleteDataset(uuid=state.uuid))
    assert state.uuid not in backend.gateway.tables.datasets


def test_two_finalizes_at_once_both_end_with_the_same_dataset(backend, held_import):
    state = uploaded(backend)
    target, message = dataset_target(state.uuid), finalize_message(state)
    futures = [backend.send(target, message) for _ in range(3)]
    held_import.wait_until_reached()
    held_import.open()
    first, *others = [answer_of(future) for future in futures]
    assert others == [first, first]


def test_stopping_the_server_lets_a_running_import_end(make_backend, held_import):
    backend = make_backend()
    state = uploaded(backend)
    finalized = backend.send(dataset_target(state.uuid), finalize_message(state))
    held_import.wait_until_reached()
    stopper = threading.Thread(target=backend.stop)
    stopper.start()
    wait_until(lambda: not backend.system.actors.find("directory").is_alive())
    held_import.open()
    stopper.join()
    assert answer_of(finalized).phase is DatasetPhase.FILLED
    backend.again()
    assert backend.dataset(state.uuid).phase is DatasetPhase.FILLED


def test_what_a_crash_left_in_the_uploads_is_removed_and_living_uploads_stay(backend):
    state = uploaded(backend)
    keep = state.upload_uuids[0]
    (backend.uploads_dir / "00000000-0000-4000-8000-000000000009").write_bytes(b"old")
    os.link(backend.uploads_dir / keep, backend.uploads_dir / f"{keep}.import")
    remove_leftovers(backend.uploads_dir, backend.gateway.tables)
    assert leftovers(backend) == sorted(state.upload_uuids)
    assert backend.finalize(state).phase is DatasetPhase.FILLED


def test_a_file_larger_than_the_limit_is_refused_when_it_is_announced(make_backend):
    backend = make_backend(upload_size_max_bytes=1000)
    head = backend.log.head()
    with pytest.raises(ConflictError, match=r"'label_data_size' is 1001.*1000 bytes"):
        backend.announce(1000, 1001)
    message = CreateUploadedDataset(name="table", kind="csv", input_size_bytes=1001)
    with pytest.raises(ConflictError, match=r"'input_data_size' is 1001.*1000 bytes"):
        backend.ask_directory(message)
    assert backend.log.head() == head


def test_a_file_the_disk_has_no_room_for_is_refused_with_both_numbers(make_backend):
    needed = 2**60
    backend = make_backend(upload_size_max_bytes=needed)
    head = backend.log.head()
    message = CreateUploadedDataset(name="big", kind="csv", input_size_bytes=needed)
    with pytest.raises(StorageFullError, match=rf"needs {needed} bytes, but only \d+ are free"):
        backend.ask_directory(message)
    assert backend.log.head() == head


def test_an_upload_whose_file_is_gone_fails_with_its_name_and_the_dataset_stays(backend):
    state = uploaded(backend)
    (backend.uploads_dir / state.upload_uuids[0]).unlink()
    with pytest.raises(LogError, match=state.upload_uuids[0]):
        backend.finalize(state)
    assert backend.dataset(state.uuid).phase is DatasetPhase.WAITING
    backend.ask_directory(DeleteDataset(uuid=state.uuid))
