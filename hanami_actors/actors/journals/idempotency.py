"""Remembers by their keys which calls were carried out, and what they were answered."""

import logging
from collections import OrderedDict
from typing import Any, NamedTuple

from hanami_actors.actors.gateway import Command
from hanami_actors.actors.system import System
from hanami_actors.domain.base import Stamp
from hanami_actors.domain.idempotency.events import (
    IdempotencyEvent,
    KeyAnswered,
    KeyBegun,
    KeyDropped,
)
from hanami_actors.domain.idempotency.keys import (
    KEPT_US,
    BeginKey,
    DropKey,
    Effect,
    FindEffects,
    FinishKey,
    KeyState,
    KeyVerdict,
    apply,
    decide,
    is_expired,
)
from hanami_actors.domain.tables import key_of
from hanami_actors.errors import FaultError, HanamiError
from hanami_actors.eventlog.journal import Journal
from hanami_actors.eventlog.port import Append, Batch
from hanami_actors.runtime.actor import Actor
from hanami_actors.runtime.future import CallbackFuture
from hanami_actors.runtime.inbox import IdleTick
from hanami_actors.types import StreamId, StreamVersion, TimestampUs

__all__ = ["IdempotencyActor"]

logger = logging.getLogger(__name__)

DIRECTORY_NAME = "idempotency"
KEYS_OF_USER_MAX = 10_000
"""Beyond it the oldest keys of a user are forgotten."""

JOURNAL_SIZE_MAX_BYTES = 256 * 2**20
GROUP_LEN_MAX = 256
EXPIRE_INTERVAL_S = 600.0

_Keys = OrderedDict[tuple[str, str], KeyState]


class _Decided(NamedTuple):
    """What one message comes to."""

    user_id: str
    stamp: Stamp
    events: tuple[IdempotencyEvent, ...]
    answer: KeyVerdict | None
    waiter: Any


class IdempotencyActor(Actor):
    """Owns the journal of keys; what waits is written together.

    A key is durable before its call is carried out, and its answer before it is sent. Keys are
    kept for a day, in a bounded number for each user.
    """

    def __init__(self, system: System) -> None:
        super().__init__()
        self.inbox.len_max = system.settings.inbox_len_max
        self._system = system
        self._journal: Journal | None = None
        self._users: dict[str, _Keys] = {}

    def on_start(self) -> None:
        """Read the journal."""
        self._journal = Journal(
            self._system.settings.data_dir / DIRECTORY_NAME,
            retention_us=KEPT_US,
            size_max_bytes=JOURNAL_SIZE_MAX_BYTES,
        )
        for record in self._journal.records():
            if isinstance(record.event, KeyBegun | KeyAnswered | KeyDropped):
                self._fold(key_of(record.stream), record.event, record.time_us)
        self._expire()
        self.inbox.idle_s = EXPIRE_INTERVAL_S

    def on_stop(self) -> None:
        """Close the journal."""
        if self._journal is not None:
            self._journal.close()

    def on_receive(self, message: object) -> KeyVerdict | tuple[Effect, ...] | None:
        """Handle a message together with those that wait behind it."""
        match message:
            case Command(message=FindEffects() as question):
                return self._find(question)
            case Command():
                return self._on_commands(message)
            case IdleTick():
                self._expire()
                if self._journal is not None:
                    self._journal.expire(self._system.clock.now_us())
                return None
            case _:
                raise FaultError(f"the keeper of idempotency keys got a {type(message).__name__}")

    def _on_commands(self, first: Command) -> KeyVerdict | None:
        decided = [self._decide(first, None)]
        for envelope in self.inbox.drain(Command, GROUP_LEN_MAX - 1):
            try:
                if isinstance(envelope.message.message, FindEffects):
                    _answer(envelope.reply_to, self._find(envelope.message.message))
                    continue
                decided.append(self._decide(envelope.message, envelope.reply_to))
            except HanamiError as error:
                _answer(envelope.reply_to, error)
        try:
            self._write(decided)
        except HanamiError as error:
            for each in decided:
                _answer(each.waiter, error)
            # What is in memory was not written, or nobody knows: the journal is read again.
            self.die()
            raise
        for each in decided:
            _answer(each.waiter, each.answer)
        return decided[0].answer

    def _find(self, question: FindEffects) -> tuple[Effect, ...]:
        """Look for what a call did, in all that was written since."""
        return tuple(
            Effect(stream=record.stream, time_us=record.time_us, event=record.event)
            for record in self._system.log.read_all(after_position=question.log_position)
            if record.correlation_id == question.request_id
        )

    def _decide(self, command: Command, waiter: Any) -> _Decided:
        message: Any = command.message
        if not isinstance(message, BeginKey | FinishKey | DropKey):
            raise FaultError(f"the keeper of keys was asked for a {type(message).__name__}")
        stamp = self._system.stamp(command)
        user_id = command.who.user_id
        known = self._users.get(user_id, _Keys()).get((message.endpoint, message.key))
        if known is not None and is_expired(known, stamp.now_us):
            known = None
        position = self._system.published.tables.position
        events = decide(known, message, stamp, position)
        state = known
        for event in events:
            state = apply(state, event, stamp.now_us)
        answer = None
        if isinstance(message, BeginKey):
            assert state is not None, "a key that was begun is there"
            answer = KeyVerdict(is_new=bool(events), state=state)
        # At once, so that the next message of the group sees it; a failed write reads all again.
        for event in events:
            self._fold(user_id, event, stamp.now_us)
        return _Decided(user_id, stamp, events, answer, waiter)

    def _write(self, decided: list[_Decided]) -> None:
        assert self._journal is not None, "it is opened before the first message"
        self._journal.append(
            [
                Batch(
                    appends=(
                        Append(
                            stream=StreamId(f"idempotency/{each.user_id}"),
                            expected_version=StreamVersion(0),
                            events=each.events,
                        ),
                    ),
                    stamp=each.stamp,
                )
                for each in decided
                if each.events
            ]
        )

    def _fold(self, user_id: str, event: IdempotencyEvent, time_us: int) -> None:
        keys = self._users.setdefault(user_id, _Keys())
        name = (event.endpoint, event.key)
        state = keys.get(name)
        if state is None and isinstance(event, KeyAnswered):
            return  # its beginning is beyond the retention
        following = apply(state, event, TimestampUs(time_us))
        if following is None:
            keys.pop(name, None)
        else:
            keys[name] = following
        while len(keys) > KEYS_OF_USER_MAX:
            keys.popitem(last=False)

    def _expire(self) -> None:
        now_us = self._system.clock.now_us()
        for user_id, keys in list(self._users.items()):
            for name in [name for name, state in keys.items() if is_expired(state, now_us)]:
                del keys[name]
            if not keys:
                del self._users[user_id]


def _answer(waiter: Any, outcome: KeyVerdict | tuple[Effect, ...] | HanamiError | None) -> None:
    if not isinstance(waiter, CallbackFuture):
        return
    if isinstance(outcome, HanamiError):
        waiter.fail(outcome)
    else:
        waiter.set(outcome)
