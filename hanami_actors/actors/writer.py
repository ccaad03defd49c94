"""The only writer of the log: group commit, and tables published before anyone is answered."""

import logging
from collections import deque
from collections.abc import Sequence
from typing import Any

from hanami_actors.actors.read_model import Published, TableKeeper, load_published
from hanami_actors.domain.base import Event, Stamp
from hanami_actors.errors import FaultError, HanamiError, WrongVersionError
from hanami_actors.eventlog.append_plan import prepare_batch
from hanami_actors.eventlog.codec import Codec
from hanami_actors.eventlog.port import Append, Batch, Commit, EventLog, PreparedBatch
from hanami_actors.runtime.actor import Actor, ActorRef, ask
from hanami_actors.runtime.future import CallbackFuture
from hanami_actors.runtime.inbox import Internal
from hanami_actors.types import StreamId, StreamVersion

__all__ = ["AppendBatch", "EventWriterActor", "Published", "append_to", "load_published", "persist"]

logger = logging.getLogger(__name__)

_codec = Codec()

GROUP_LEN_MAX = 512
"""Batches in one transaction; more wait for the next."""


class AppendBatch(Internal, frozen=True, kw_only=True):
    """Make these events durable. Answer: ``Commit``; WrongVersionError when a stream has moved.

    Never refused: every actor waits for its append, so there are no more of them than actors.
    """

    batch: Batch | PreparedBatch


class EventWriterActor(Actor):
    """Owns the write side of the log.

    Takes whatever waits, writes it in one transaction, folds it into the published tables and only
    then answers. After a fault it reads the log again, because a failed append may have been
    written.
    """

    def __init__(
        self, log: EventLog, published: Published, keeper: TableKeeper | None = None
    ) -> None:
        super().__init__()
        self._log = log
        self._published = published
        self._keeper = keeper

    def on_start(self) -> None:
        """Fold what the log holds beyond the published tables."""
        self._catch_up()

    def on_receive(self, message: AppendBatch) -> Commit:
        """Commit this batch together with those that wait behind it."""
        others = self.inbox.drain(AppendBatch, GROUP_LEN_MAX - 1)
        waiters = deque(envelope.reply_to for envelope in others)
        try:
            outcomes = self._append([message.batch, *(each.message.batch for each in others)])
            for outcome in outcomes[1:]:
                _settle(waiters.popleft(), outcome)
        except HanamiError as error:
            _fail_all(waiters, error)
            raise
        finally:
            # Only after an error that is none of ours: also then everybody gets an answer.
            _fail_all(waiters, FaultError("the log could not be written; see the server's log"))
        first = outcomes[0]
        if isinstance(first, WrongVersionError):
            raise first
        return first

    def _append(self, batches: Sequence[Batch | PreparedBatch]) -> list[Commit | WrongVersionError]:
        try:
            outcomes = self._log.append(batches)
        except HanamiError as error:
            logger.error("an append failed: %s", error)  # noqa: TRY400 - the text says all
            self._catch_up()
            raise
        self._publish(outcomes)
        return outcomes

    def _publish(self, outcomes: list[Commit | WrongVersionError]) -> None:
        records = [
            record
            for outcome in outcomes
            if isinstance(outcome, Commit)
            for record in outcome.records
        ]
        if records and records[0].position != self._published.tables.position + 1:
            # Something was written that could not be folded then: never leave a hole.
            self._catch_up()
            return
        self._published.take(records)
        if self._keeper is not None:
            self._keeper.offer(self._published.tables.position, self._published.image)

    def _catch_up(self) -> None:
        position = self._published.tables.position
        self._published.take(list(self._log.read_all(after_position=position)))


def _settle(waiter: object, outcome: Commit | HanamiError) -> None:
    if not isinstance(waiter, CallbackFuture):
        return
    if isinstance(outcome, HanamiError):
        waiter.fail(outcome)
    else:
        waiter.set(outcome)


def _fail_all(waiters: deque[Any], error: HanamiError) -> None:
    while waiters:
        _settle(waiters.popleft(), error)


def append_to(stream: str, version: int, events: tuple[Event, ...]) -> Append:
    """Return an append for a stream that is at this version."""
    return Append(stream=StreamId(stream), expected_version=StreamVersion(version), events=events)


def persist(writer: ActorRef, stamp: Stamp, *appends: Append) -> Commit:
    """Make events durable; returns when they are.

    Raises
    ------
    WrongVersionError
        A stream has moved; nothing was written.
    StorageFullError
        Nothing was written.
    FaultError, BusyError
        Nobody knows whether it was written: the caller dies and is started again by replay.
    """
    filled = tuple(append for append in appends if append.events)
    # Encoded here, in the thread of the caller: the writer may be waiting for the disk meanwhile.
    batch = prepare_batch(Batch(appends=filled, stamp=stamp), _codec)
    commit: Commit = ask(writer, AppendBatch(batch=batch))
    return commit
