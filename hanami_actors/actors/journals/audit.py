"""Keeps the journal of calls and failures: written in batches, after the answers."""

import logging
from typing import TYPE_CHECKING, cast

from hanami_actors.actors.gateway import Command
from hanami_actors.actors.system import System
from hanami_actors.domain.audit.messages import PAGE_LEN, CallNote, NotedCall, ReadCalls
from hanami_actors.domain.base import Message
from hanami_actors.errors import FaultError, HanamiError
from hanami_actors.eventlog.journal import Journal
from hanami_actors.eventlog.port import Append, Batch
from hanami_actors.runtime.actor import Actor
from hanami_actors.runtime.inbox import IdleTick
from hanami_actors.types import StreamId, StreamVersion

if TYPE_CHECKING:
    from hanami_actors.domain.audit.events import AuditEvent

__all__ = ["AuditActor", "NoteCalls"]

logger = logging.getLogger(__name__)

INBOX_LEN_MAX = 64
EXPIRE_INTERVAL_S = 3600.0
SECONDS_PER_DAY = 86_400


class NoteCalls(Message, frozen=True, kw_only=True):
    """Note these, in this order. Told, not asked: nobody waits for it."""

    notes: tuple[CallNote, ...]


class AuditActor(Actor):
    """Owns the journal. What cannot be written is counted and logged, never waited for."""

    def __init__(self, system: System) -> None:
        super().__init__()
        self.inbox.len_max = INBOX_LEN_MAX
        self.inbox.idle_s = EXPIRE_INTERVAL_S
        self._system = system
        self._journal: Journal | None = None

    def on_start(self) -> None:
        """Open the journal."""
        settings = self._system.settings
        self._journal = Journal(
            settings.data_dir / "audit",
            retention_us=settings.audit_retention_days * SECONDS_PER_DAY * 1_000_000,
            size_max_bytes=settings.audit_size_max_bytes,
        )

    def on_stop(self) -> None:
        """Close the journal."""
        if self._journal is not None:
            self._journal.close()

    @property
    def _open_journal(self) -> Journal:
        assert self._journal is not None, "it is opened before the first message"
        return self._journal

    def on_receive(self, message: object) -> tuple[NotedCall, ...] | None:
        """Handle a message."""
        match message:
            case NoteCalls():
                self._note(message)
                return None
            case Command(message=ReadCalls() as question):
                return self._read(question)
            case IdleTick():
                self._open_journal.expire(self._system.clock.now_us())
                return None
            case _:
                raise FaultError(f"the audit got a {type(message).__name__}")

    def _note(self, message: NoteCalls) -> None:
        waiting = [envelope.message for envelope in self.inbox.drain(NoteCalls, INBOX_LEN_MAX)]
        notes = [note for one in (message, *waiting) for note in one.notes]
        try:
            self._open_journal.append([_batch(note) for note in notes])
        except HanamiError as error:
            logger.error("%d calls could not be noted: %s", len(notes), error)  # noqa: TRY400

    def _read(self, question: ReadCalls) -> tuple[NotedCall, ...]:
        records = self._open_journal.read(question.stream, question.page * PAGE_LEN, PAGE_LEN)
        return tuple(
            NotedCall(
                time_us=record.time_us,
                user_id=record.user_id,
                correlation_id=record.correlation_id,
                event=cast("AuditEvent", record.event),
            )
            for record in records
        )


def _batch(note: CallNote) -> Batch:
    appends = tuple(
        Append(stream=StreamId(stream), expected_version=StreamVersion(0), events=(note.event,))
        for stream in note.streams
    )
    return Batch(appends=appends, stamp=note.stamp)
