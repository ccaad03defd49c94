"""One file on its way in: writes chunks where they belong and records what has reached the disk."""

import os
from pathlib import Path

from hanami_actors.actors.gateway import (
    Command,
    GetUploadProgress,
    Target,
    TargetKind,
    UploadProgress,
)
from hanami_actors.actors.inbox import IdleTick, Internal
from hanami_actors.actors.runtime import Actor
from hanami_actors.actors.system import System
from hanami_actors.actors.writer import append_to, persist
from hanami_actors.domain.base import Stamp
from hanami_actors.domain.upload.apply import apply
from hanami_actors.domain.upload.decide import check_range, decide
from hanami_actors.domain.upload.events import UploadEvent
from hanami_actors.domain.upload.messages import AppendChunk, CompleteUpload, RecordRanges
from hanami_actors.domain.upload.ranges import Ranges, merge, missing
from hanami_actors.domain.upload.state import UploadPhase, UploadState
from hanami_actors.errors import FaultError, NotFoundError, StorageFullError, WrongVersionError
from hanami_actors.eventlog.replay import fold
from hanami_actors.types import StreamId

__all__ = ["FlushUpload", "RetireUpload", "UploadSessionActor", "upload_path"]

FLUSH_BYTES = 16 * 1024 * 1024
"""Bytes that may be written but not yet recorded."""

FLUSH_AFTER_S = 1.0
"""Longest time that written bytes stay unrecorded."""

PASSIVATE_AFTER_S = 30.0
"""An upload nobody writes to needs no thread; its next chunk starts it again."""


class RetireUpload(Internal, frozen=True, kw_only=True):
    """Record what is there, close the file and stop. Answer: None."""


class FlushUpload(Internal, frozen=True, kw_only=True):
    """Record what is there. Answer: None."""


def upload_path(uploads_dir: Path, uuid: str) -> Path:
    """Return where the bytes of an upload are kept until they are imported."""
    return uploads_dir / uuid


class UploadSessionActor(Actor):
    """Owns the received ranges of one upload.

    A chunk is acknowledged once written; its range is durable after fdatasync and event, every
    16 MiB or 1 s. The last chunk is acknowledged after both.
    """

    def __init__(self, system: System, uuid: str) -> None:
        super().__init__()
        self.inbox.len_max = system.settings.inbox_len_max
        self._system = system
        self._uuid = uuid
        self._stream = StreamId(f"upload/{uuid}")
        self._state = UploadState()
        self._version = 0
        self._descriptor = -1
        self._pending: Ranges = ()
        self._pending_bytes = 0

    def on_start(self) -> None:
        """Replay the stream and open the file."""
        log = self._system.log
        self._state = fold(log.read_stream(self._stream), UploadState(), apply)
        self._version = log.stream_version(self._stream)
        self.inbox.idle_s = PASSIVATE_AFTER_S
        if not self._state.alive:
            return
        path = upload_path(self._system.uploads_dir, self._uuid)
        self._descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        if os.fstat(self._descriptor).st_size != self._state.size_bytes:
            os.ftruncate(self._descriptor, self._state.size_bytes)

    def on_stop(self) -> None:
        """Close the file."""
        self._system.actors.discard(Target(kind=TargetKind.UPLOAD, key=self._uuid), self.actor_ref)
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1

    def on_receive(self, message: object) -> UploadProgress | None:
        """Handle a message."""
        match message:
            case Command(message=AppendChunk() as chunk):
                self._write(chunk, self._system.stamp(message))
            case Command(message=GetUploadProgress()):
                return self._progress()
            case IdleTick():
                self._on_idle()
            case FlushUpload():
                self._flush(self._system.stamp())
            case RetireUpload():
                self._flush(self._system.stamp())
                self.die()
            case _:
                raise FaultError(f"an upload session got a {type(message).__name__}")
        return None

    def _write(self, chunk: AppendChunk, stamp: Stamp) -> None:
        if not self._state.alive or self._descriptor < 0:
            raise NotFoundError(f"Upload with uuid '{self._uuid}' not found, or it is closed.")
        if not chunk.data:
            return
        start, end = chunk.position, chunk.position + len(chunk.data)
        check_range(self._state, start, end)
        self._write_bytes(chunk.data, start)
        if self._state.phase is UploadPhase.COMPLETE:
            os.fdatasync(self._descriptor)
            return
        self._pending = merge(self._pending, ((start, end),))
        self._pending_bytes += end - start
        known = merge(self._state.ranges, self._pending)
        if not missing(known, self._state.size_bytes):
            self._complete(stamp)
        elif self._pending_bytes >= FLUSH_BYTES:
            self._flush(stamp)
        else:
            self.inbox.idle_s = FLUSH_AFTER_S

    def _write_bytes(self, data: bytes, position: int) -> None:
        view = memoryview(data)
        try:
            while view:
                written = os.pwrite(self._descriptor, view, position)
                position += written
                view = view[written:]
        except OSError as error:
            raise StorageFullError(
                f"the chunk could not be written: {error.strerror}; nothing of it counts as sent"
            ) from error

    def _flush(self, stamp: Stamp) -> None:
        if self._pending and self._state.phase is UploadPhase.OPEN:
            self._sync()
            self._persist(decide(self._state, RecordRanges(ranges=self._pending), stamp), stamp)
            self._pending, self._pending_bytes = (), 0
        self.inbox.idle_s = PASSIVATE_AFTER_S

    def _complete(self, stamp: Stamp) -> None:
        self._sync()
        recorded = decide(self._state, RecordRanges(ranges=self._pending), stamp)
        known = self._state
        for event in recorded:
            known = apply(known, event, stamp.now_us)
        self._persist((*recorded, *decide(known, CompleteUpload(), stamp)), stamp)
        self._pending, self._pending_bytes = (), 0
        self.inbox.idle_s = PASSIVATE_AFTER_S

    def _sync(self) -> None:
        try:
            os.fdatasync(self._descriptor)
        except OSError as error:
            # After a failed sync the kernel may have dropped the pages: what is pending is unknown.
            self.die()
            raise FaultError(
                f"the disk did not take the upload: {error.strerror}; send what is missing again"
            ) from error

    def _persist(self, events: tuple[UploadEvent, ...], stamp: Stamp) -> None:
        following = self._state
        for event in events:
            following = apply(following, event, stamp.now_us)
        if not events:
            return
        try:
            commit = persist(
                self._system.writer, stamp, append_to(self._stream, self._version, events)
            )
        except WrongVersionError as error:
            self.die()
            raise NotFoundError(f"Upload with uuid '{self._uuid}' has been closed.") from error
        except FaultError:
            self.die()
            raise
        self._state, self._version = following, commit.records[-1].version

    def _on_idle(self) -> None:
        if self._pending:
            self._flush(self._system.stamp())
        else:
            self.die()

    def _progress(self) -> UploadProgress:
        gaps = missing(merge(self._state.ranges, self._pending), self._state.size_bytes)
        lacking = sum(end - start for start, end in gaps)
        return UploadProgress(
            size_bytes=self._state.size_bytes,
            received_bytes=self._state.size_bytes - lacking,
            complete=self._state.phase is UploadPhase.COMPLETE,
            missing=gaps,
        )
