"""Uploads: what was acknowledged is there, whatever the disk and the log do."""

import contextlib
import errno
import os

import pytest

from hanami_actors.actors.data import upload_session
from hanami_actors.actors.data.upload_files import UploadFile
from hanami_actors.actors.data.upload_session import RetireUpload
from hanami_actors.actors.gateway import GetUploadProgress
from hanami_actors.domain.dataset.messages import DeleteDataset
from hanami_actors.domain.upload.messages import AppendChunk
from hanami_actors.domain.upload.state import UploadPhase
from hanami_actors.errors import (
    BadRequestError,
    BusyError,
    ConflictError,
    FaultError,
    LogError,
    NotFoundError,
    StorageFullError,
)
from hanami_actors.runtime.actor import tell
from hanami_actors.runtime.inbox import IdleTick
from tests.unit.actors.harness import ask_later, upload_target, wait_until

SIZE = 10


def announced(backend, size_bytes=SIZE):
    """Announce a file; return its uuid."""
    return backend.announce(size_bytes).upload_uuids[0]


def progress(backend, uuid):
    return backend.ask(upload_target(uuid), GetUploadProgress())


def session(backend, uuid):
    return backend.system.actors.get(upload_target(uuid))


def content(backend, uuid):
    return (backend.uploads_dir / uuid).read_bytes()


def recorded(backend, uuid):
    return backend.gateway.tables.uploads[uuid].state


def fall_asleep(backend, uuid):
    actor = session(backend, uuid)
    tell(actor, IdleTick())
    tell(actor, IdleTick())
    wait_until(lambda: not actor.is_alive())


def test_chunks_come_in_any_order_and_more_than_once(backend):
    uuid = announced(backend)
    for position, data in ((5, b"fghij"), (0, b"abc"), (5, b"fghij"), (2, b"cde")):
        backend.upload(uuid, data, position)
    assert content(backend, uuid) == b"abcdefghij"
    assert progress(backend, uuid).complete
    assert recorded(backend, uuid).phase is UploadPhase.COMPLETE


def test_what_is_missing_is_shown_before_it_is_recorded(backend):
    uuid = announced(backend)
    backend.upload(uuid, b"bc", 1)
    shown = progress(backend, uuid)
    assert shown.missing == ((0, 1), (3, 10))
    assert shown.received_bytes == 2
    assert not shown.complete


def test_an_empty_chunk_is_accepted_and_changes_nothing(backend):
    uuid = announced(backend)
    backend.upload(uuid, b"", 3)
    assert progress(backend, uuid).received_bytes == 0


def test_bytes_outside_of_the_announced_size_are_refused_and_not_written(backend):
    uuid = announced(backend)
    with pytest.raises(BadRequestError, match="outside"):
        backend.upload(uuid, b"xyz", 8)
    assert content(backend, uuid) == bytes(SIZE)


def test_a_quiet_moment_records_what_was_written(backend):
    uuid = announced(backend)
    backend.upload(uuid, b"abc")
    tell(session(backend, uuid), IdleTick())
    wait_until(lambda: recorded(backend, uuid).ranges == ((0, 3),))


def test_a_slow_stream_is_recorded_although_there_is_no_quiet_moment(backend, monkeypatch):
    monkeypatch.setattr(upload_session, "FLUSH_AFTER_S", 0.0)
    uuid = announced(backend)
    backend.upload(uuid, b"a")
    assert recorded(backend, uuid).ranges == ((0, 1),)


def test_many_bytes_are_recorded_although_there_is_no_quiet_moment(backend, monkeypatch):
    monkeypatch.setattr(upload_session, "FLUSH_BYTES", 4)
    uuid = announced(backend)
    backend.upload(uuid, b"abc")
    assert recorded(backend, uuid).ranges == ()
    backend.upload(uuid, b"d", 3)
    assert recorded(backend, uuid).ranges == ((0, 4),)


def test_a_sleeping_upload_goes_on_where_it_was(backend):
    uuid = announced(backend)
    backend.upload(uuid, b"abcde")
    fall_asleep(backend, uuid)
    backend.upload(uuid, b"fghij", 5)
    assert content(backend, uuid) == b"abcdefghij"
    assert progress(backend, uuid).complete


def test_stopping_the_server_records_what_was_written(make_backend):
    backend = make_backend()
    uuid = announced(backend)
    backend.upload(uuid, b"abcde")
    backend.again()
    assert recorded(backend, uuid).ranges == ((0, 5),)
    backend.upload(uuid, b"fghij", 5)
    assert progress(backend, uuid).complete


def test_acknowledged_bytes_outlive_a_log_without_room(backend):
    uuid = announced(backend)
    backend.upload(uuid, b"abc")
    faults = backend.log.faults["upload.range_stored"] = [StorageFullError("full")] * 3
    actor = session(backend, uuid)
    for left in (2, 1, 0):
        tell(actor, IdleTick())
        wait_until(lambda left=left: len(faults) == left)  # type: ignore[misc]
    tell(actor, IdleTick())
    wait_until(lambda: recorded(backend, uuid).ranges == ((0, 3),))
    assert session(backend, uuid) is actor


def test_a_last_chunk_that_finds_no_room_in_the_log_can_be_sent_again(backend):
    uuid = announced(backend)
    backend.log.faults["upload.completed"] = [StorageFullError("full")]
    with pytest.raises(StorageFullError):
        backend.upload(uuid, b"abcdefghij")
    assert recorded(backend, uuid).phase is UploadPhase.OPEN
    backend.upload(uuid, b"j", 9)
    assert recorded(backend, uuid).phase is UploadPhase.COMPLETE


@pytest.mark.parametrize("place", ["faults", "after"])
def test_after_an_append_of_unknown_outcome_the_session_starts_again_by_replay(backend, place):
    uuid = announced(backend)
    getattr(backend.log, place)["upload.completed"] = [LogError("no answer from the disk")]
    with pytest.raises(LogError):
        backend.upload(uuid, b"abcdefghij")
    backend.upload(uuid, b"abcdefghij")
    assert recorded(backend, uuid).phase is UploadPhase.COMPLETE
    assert backend.log.tags(f"upload/{uuid}").count("upload.completed") == 1


def test_a_writer_that_is_being_started_again_loses_no_acknowledged_byte(backend):
    uuid = announced(backend)
    writer = backend.system.actors.find("writer")
    writer.stop()
    # Refused, or already taken by the next writer: what is refused is simply sent again.
    with contextlib.suppress(BusyError):
        backend.upload(uuid, b"abcdefghij")
    wait_until(lambda: backend.system.actors.find("writer") is not writer)
    backend.upload(uuid, b"abcdefghij")
    assert recorded(backend, uuid).phase is UploadPhase.COMPLETE


def test_a_disk_without_room_refuses_the_chunk_and_the_rest_goes_on(backend, monkeypatch):
    uuid = announced(backend)
    backend.upload(uuid, b"abc")

    def no_room(*args):
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(os, "pwrite", no_room)
        with pytest.raises(StorageFullError, match="No space left"):
            backend.upload(uuid, b"defghij", 3)
    assert progress(backend, uuid).missing == ((3, 10),)
    backend.upload(uuid, b"defghij", 3)
    assert content(backend, uuid) == b"abcdefghij"


def test_a_file_that_cannot_be_made_stays_not_open(tmp_path, monkeypatch):
    opened = []

    def refuse(descriptor, size_bytes):
        opened.append(descriptor)
        raise OSError(errno.EFBIG, "File too large")

    monkeypatch.setattr(os, "ftruncate", refuse)
    with pytest.raises(StorageFullError):
        UploadFile(tmp_path / "file", 2**50, is_begun=False, is_complete=False)
    with pytest.raises(OSError, match="Bad file descriptor"):
        os.fstat(opened[0])


def test_bytes_the_disk_did_not_take_are_missing_again(backend, monkeypatch):
    uuid = announced(backend)
    backend.upload(uuid, b"abc")
    fall_asleep(backend, uuid)

    def fail(descriptor):
        raise OSError(5, "Input/output error")

    with monkeypatch.context() as patch:
        patch.setattr(os, "fdatasync", fail)
        with pytest.raises(FaultError, match="send what is missing again"):
            backend.upload(uuid, b"defghij", 3)
    assert progress(backend, uuid).missing == ((3, 10),)


def test_a_complete_file_accepts_repeats_and_refuses_other_bytes(backend):
    uuid = announced(backend)
    backend.upload(uuid, b"abcdefghij")
    backend.upload(uuid, b"cde", 2)
    with pytest.raises(ConflictError, match="complete"):
        backend.upload(uuid, b"???", 2)
    fall_asleep(backend, uuid)
    with pytest.raises(ConflictError, match="complete"):
        backend.upload(uuid, b"???", 2)
    assert content(backend, uuid) == b"abcdefghij"


@pytest.mark.parametrize("sent", [b"abc", b"abcdefghij"])
def test_received_bytes_that_are_gone_from_the_disk_are_an_error_not_zeros(backend, sent):
    uuid = announced(backend)
    backend.upload(uuid, sent)
    fall_asleep(backend, uuid)
    (backend.uploads_dir / uuid).unlink()
    for _ in range(2):
        with pytest.raises(FaultError, match="gone from the disk"):
            backend.upload(uuid, b"fgh", 5)
    assert not (backend.uploads_dir / uuid).exists()


def test_a_file_cut_off_behind_our_back_is_an_error_too(backend):
    uuid = announced(backend)
    backend.upload(uuid, b"abc")
    fall_asleep(backend, uuid)
    (backend.uploads_dir / uuid).write_bytes(b"ab")
    with pytest.raises(FaultError, match="gone from the disk"):
        progress(backend, uuid)


def test_chunks_on_their_way_to_a_deleted_upload_are_not_found(backend):
    state = backend.announce(SIZE)
    uuid = state.upload_uuids[0]
    backend.upload(uuid, b"abc")
    chunk = AppendChunk(position=3, data=b"defg")
    deleted = backend.send(upload_target(uuid), chunk)
    backend.ask_directory(DeleteDataset(uuid=state.uuid))
    assert deleted.wait(10)
    with pytest.raises(NotFoundError):
        backend.upload(uuid, b"def", 3)
    assert list(backend.uploads_dir.iterdir()) == []


def test_a_dataset_can_be_deleted_when_the_disk_is_full(backend):
    state = backend.announce(SIZE)
    uuid = state.upload_uuids[0]
    backend.upload(uuid, b"abc")
    backend.log.faults["upload.range_stored"] = [StorageFullError("full")]
    backend.ask_directory(DeleteDataset(uuid=state.uuid))
    assert backend.log.faults["upload.range_stored"] != []
    assert list(backend.uploads_dir.iterdir()) == []


def test_closing_an_upload_twice_is_no_error(backend):
    uuid = announced(backend)
    backend.upload(uuid, b"abc")
    actor = session(backend, uuid)
    first, second = ask_later(actor, RetireUpload()), ask_later(actor, RetireUpload())
    assert first.wait(10)
    assert second.wait(10)
    assert first.error() is None
    assert recorded(backend, uuid).ranges == ((0, 3),)
