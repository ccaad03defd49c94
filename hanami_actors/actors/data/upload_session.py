"""One file on its way in: writes chunks where they belong and records what has reached the disk."""

import logging

from hanami_actors.actors.data.upload_files import UploadFile, upload_path
from hanami_actors.actors.gateway import (
    Command,
    GetUploadProgress,
    Target,
    TargetKind,
    UploadProgress,
)
from hanami_actors.actors.system import System
from hanami_actors.actors.writer import append_to, persist
from hanami_actors.domain.base import Stamp
from hanami_actors.domain.upload.apply import apply
from hanami_actors.domain.upload.decide import check_range, decide
from hanami_actors.domain.upload.events import UploadEvent
from hanami_actors.domain.upload.messages import AppendChunk, CompleteUpload, RecordRanges
from hanami_actors.domain.upload.ranges import Ranges, add, merge, missing
from hanami_actors.domain.upload.state import UploadPhase, UploadState
from hanami_actors.errors import (
    BusyError,
    ConflictError,
    FaultError,
    NotFoundError,
    StorageFullError,
    WrongVersionError,
)
from hanami_actors.eventlog.replay import replayed
from hanami_actors.runtime.actor import Actor
from hanami_actors.runtime.inbox import IdleTick, Internal
from hanami_actors.types import StreamId

__all__ = ["DropUpload", "RetireUpload", "UploadSessionActor", "progress_of"]

logger = logging.getLogger(__name__)

FLUSH_BYTES = 16 * 1024 * 1024
"""Bytes that may be written but not yet recorded."""

FLUSH_AFTER_S = 1.0
"""Longest time that written bytes stay unrecorded."""

PASSIVATE_AFTER_S = 30.0
"""An upload nobody writes to needs no thread; its next chunk starts it again."""


class RetireUpload(Internal, frozen=True, kw_only=True):
    """Record what is there, close the file and stop. Answer: None."""


class DropUpload(Internal, frozen=True, kw_only=True):
    """Close the file and stop; what is there will be thrown away. Answer: None."""


def progress_of(state: UploadState, pending: Ranges = ()) -> UploadProgress:
    """Return which bytes are there, with those that are written but not recorded yet."""
    gaps = missing(merge(state.ranges, pending), state.size_bytes)
    lacking = sum(end - start for start, end in gaps)
    return UploadProgress(
        size_bytes=state.size_bytes,
        received_bytes=state.size_bytes - lacking,
        complete=state.phase is UploadPhase.COMPLETE,
        missing=gaps,
    )


class UploadSessionActor(Actor):
    """Owns the received ranges of one upload.

    A chunk is acknowledged once written; its range is durable after fdatasync and event, every
    16 MiB or 1 s. The last chunk is acknowledged after both. From then on the file never changes.
    """

    def __init__(self, system: System, uuid: str) -> None:
        super().__init__()
        self.inbox.len_max = system.settings.inbox_len_max
        self._system = system
        self._uuid = uuid
        self._stream = StreamId(f"upload/{uuid}")
        self._state = UploadState()
        self._version = 0
        self._file: UploadFile | None = None
        self._fault: FaultError | None = None
        self._pending: Ranges = ()
        # What is recorded and what is pending: a file in many pieces is not put together for each.
        self._present: Ranges = ()
        self._pending_bytes = 0
        self._pending_since_s = 0.0

    def on_start(self) -> None:
        """Replay the stream and open the file."""
        self._state, self._version = replayed(self._system.log, self._stream, UploadState(), apply)
        self._present = self._state.ranges
        self.inbox.idle_s = PASSIVATE_AFTER_S
        if not self._state.alive:
            return
        try:
            self._file = UploadFile(
                upload_path(self._system.uploads_dir, self._uuid),
                self._state.size_bytes,
                is_begun=bool(self._state.ranges),
                is_complete=self._state.phase is UploadPhase.COMPLETE,
            )
        except FaultError as error:
            # Told to everybody who asks: to start again would not help.
            logger.error("%s", error)  # noqa: TRY400 - the text says all
            self._fault = error

    def on_stop(self) -> None:
        """Close the file."""
        self._system.actors.discard(Target(kind=TargetKind.UPLOAD, key=self._uuid), self.actor_ref)
        if self._file is not None:
            self._file.close()

    def on_receive(self, message: object) -> UploadProgress | None:
        """Handle a message."""
        match message:
            case Command(message=AppendChunk() as chunk):
                self._write(chunk, self._system.stamp(message))
            case Command(message=GetUploadProgress()):
                self._opened()
                return progress_of(self._state, self._pending)
            case IdleTick():
                self._on_idle()
            case RetireUpload():
                self._flush(self._system.stamp())
                self.die()
            case DropUpload():
                self.die()
            case _:
                raise FaultError(f"an upload session got a {type(message).__name__}")
        return None

    def _opened(self) -> UploadFile:
        if self._fault is not None:
            raise self._fault
        if self._file is None:
            raise NotFoundError(f"Upload with uuid '{self._uuid}' not found, or it is closed.")
        return self._file

    def _write(self, chunk: AppendChunk, stamp: Stamp) -> None:
        file = self._opened()
        if not chunk.data:
            return
        start, end = chunk.position, chunk.position + len(chunk.data)
        check_range(self._state, start, end)
        if self._state.phase is UploadPhase.COMPLETE:
            self._require_repeated(file, chunk)
            return
        file.write(chunk.data, start)
        if not self._pending:
            self._pending_since_s = self._system.clock.monotonic_s()
        self._pending = add(self._pending, start, end)
        self._present = add(self._present, start, end)
        self._pending_bytes += end - start
        self.inbox.idle_s = FLUSH_AFTER_S
        if self._must_flush():
            self._flush(stamp)

    def _require_repeated(self, file: UploadFile, chunk: AppendChunk) -> None:
        if not file.holds(chunk.data, chunk.position):
            raise ConflictError(
                f"Upload with uuid '{self._uuid}' is complete; the bytes at position"
                f" {chunk.position} cannot be changed any more. Delete the data-set and upload the"
                " corrected file as a new one."
            )

    def _must_flush(self) -> bool:
        age_s = self._system.clock.monotonic_s() - self._pending_since_s
        return (
            self._pending_bytes >= FLUSH_BYTES
            or age_s >= FLUSH_AFTER_S
            or self._present == ((0, self._state.size_bytes),)
        )

    def _flush(self, stamp: Stamp) -> None:
        """Make durable and record what was written; with the last byte the upload is complete."""
        if self._file is None or not self._pending:
            return
        try:
            self._file.sync()
        except FaultError:
            # Nobody knows what of it is on the disk: start again from what is recorded.
            self.die()
            raise
        events: tuple[UploadEvent, ...] = decide(
            self._state, RecordRanges(ranges=self._pending), stamp
        )
        following = self._folded(self._state, events, stamp)
        if not missing(following.ranges, following.size_bytes):
            completed = decide(following, CompleteUpload(), stamp)
            events, following = (*events, *completed), self._folded(following, completed, stamp)
        if events:
            self._version = self._persist(events, stamp)
        self._state = following
        self._pending, self._pending_bytes = (), 0
        self.inbox.idle_s = PASSIVATE_AFTER_S

    def _folded(
        self, state: UploadState, events: tuple[UploadEvent, ...], stamp: Stamp
    ) -> UploadState:
        for event in events:
            state = apply(state, event, stamp.now_us)
        return state

    def _persist(self, events: tuple[UploadEvent, ...], stamp: Stamp) -> int:
        own = append_to(self._stream, self._version, events)
        try:
            return persist(self._system.writer, stamp, own).records[-1].version
        except WrongVersionError as error:
            self.die()
            raise NotFoundError(f"Upload with uuid '{self._uuid}' has been closed.") from error
        except (FaultError, BusyError):
            self.die()
            raise

    def _on_idle(self) -> None:
        if not self._pending:
            self.die()
            return
        try:
            self._flush(self._system.stamp())
        except StorageFullError as error:
            # What was acknowledged is not given up: the next tick tries again.
            logger.warning("upload %s is not recorded yet: %s", self._uuid, error)
