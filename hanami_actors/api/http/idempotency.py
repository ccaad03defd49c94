"""``Idempotency-Key``: a repeated POST gets the first answer and does nothing twice."""

import hashlib
import logging
import re
from collections.abc import Awaitable, Callable, Mapping
from http import HTTPStatus
from typing import Any

from hanami_actors.actors.gateway import Target, TargetKind
from hanami_actors.api.answers import CONTENT_TYPE_JSON, RawReply, encode_json
from hanami_actors.api.context import Context
from hanami_actors.api.table.effects import IDEMPOTENCY_HEADER, Effects
from hanami_actors.api.table.endpoint import Endpoint
from hanami_actors.domain.base import Message
from hanami_actors.domain.idempotency.keys import (
    BeginKey,
    DropKey,
    Effect,
    FindEffects,
    FinishKey,
    KeyState,
    KeyVerdict,
    RepeatKey,
)
from hanami_actors.errors import (
    BadRequestError,
    BusyError,
    ConflictError,
    FaultError,
    HanamiError,
    RejectedError,
    StorageFullError,
)
from hanami_actors.ports import Clock

__all__ = ["REPLAYED_HEADER", "IdempotencyService", "StoredRejectionError"]

logger = logging.getLogger(__name__)

REPLAYED_HEADER = "Idempotency-Replayed"
KEY = re.compile(r"[\x21-\x7e]{1,255}")
UNSURE_S = 65.0
"""Longer than any actor waits for another: a call without an answer is over by then."""

_TARGET = Target(kind=TargetKind.IDEMPOTENCY)
_Slot = tuple[str, str, str]
Work = Callable[[], Awaitable[Any]]


class StoredRejectionError(RejectedError):
    """The refusal that the first call got."""

    def __init__(self, state: KeyState) -> None:
        super().__init__(state.answer.decode())
        # Those of the error it was then.
        self.status = state.status  # type: ignore[misc] # elsewhere they belong to the class
        self.code = state.code  # type: ignore[misc]


class IdempotencyService:
    """Carries out calls with a key once. Runs in the event loop's thread.

    A call is noted before it is carried out, and its answer before it is sent. When a crash comes
    in between, what the call did is found in the log by its request id, and its answer is made
    again from that.

    Parameters
    ----------
    signing_key : bytes
        Hashes of bodies are keyed with it, because a body may hold a passphrase.
    clock : Clock
    """

    def __init__(self, signing_key: bytes, clock: Clock) -> None:
        self._secret = hashlib.blake2b(signing_key, person=b"idempotency").digest()
        self._clock = clock
        self._running: set[_Slot] = set()
        self._unsure_until_s: dict[_Slot, float] = {}

    def key_of(self, row: Endpoint, headers: Mapping[str, str]) -> str | None:
        """Return the key of a call; None when it has none, or answers of the row are never kept.

        Raises
        ------
        BadRequestError
            The key is not one.
        """
        key = headers.get(IDEMPOTENCY_HEADER)
        if key is None or row.first_answer is None:
            return None
        if not KEY.fullmatch(key):
            raise BadRequestError(
                f"header '{IDEMPOTENCY_HEADER}' has {len(key)} characters; it must be 1 to 255 visible ASCII"
                " characters, a UUID for example"
            )
        return key

    async def carry_out(
        self, context: Context, row: Endpoint, key: str, request: tuple[bytes, str], work: Work
    ) -> Any:
        """Return the reply of ``work``, or the answer it got the first time.

        Parameters
        ----------
        context : Context
        row : Endpoint
        key : str
        request : tuple of bytes and str
            Body and query.
        work : coroutine function
            What the endpoint does.

        Raises
        ------
        ConflictError
            The key was used for another request, or the first call is not over.
        BusyError
            Nobody knows yet what became of the first call.
        RejectedError
            The refusal of the first call.
        """
        slot = (context.who.user_id, row.name, key)
        if slot in self._running:
            raise ConflictError(
                f"the first call with {IDEMPOTENCY_HEADER} '{key}' is still being carried out; try again in a"
                " moment"
            )
        self._running.add(slot)
        try:
            begin = BeginKey(endpoint=row.name, key=key, body_hash=self._hash(context, request))
            verdict: KeyVerdict = await context.ask(_TARGET, begin)
            if not verdict.is_new:
                known = await self._known_answer(context, row, verdict.state, begin)
                if known is not None:
                    return known
            return await self._first_time(context, slot, work)
        finally:
            self._running.discard(slot)

    async def _known_answer(
        self, context: Context, row: Endpoint, state: KeyState, begin: BeginKey
    ) -> RawReply | None:
        """Return the answer of an earlier call; None when this one takes its place."""
        assert row.first_answer is not None, "only calls of such rows have keys"
        slot = (context.who.user_id, row.name, begin.key)
        if state.status:
            return _replayed(state)
        question = FindEffects(request_id=state.request_id, log_position=state.log_position)
        effects: tuple[Effect, ...] = await context.ask(_TARGET, question)
        if effects:
            answer = encode_json(row.first_answer(Effects(effects)))
            await self._finish(context, slot, HTTPStatus.OK, "", answer)
            return _raw(answer)
        left_s = self._unsure_until_s.get(slot, 0.0) - self._clock.monotonic_s()
        if left_s > 0:
            raise BusyError(
                f"it is not known yet whether the first call with {IDEMPOTENCY_HEADER} '{slot[2]}' did anything;"
                f" try again in {left_s:.0f} s"
            )
        repeat = RepeatKey(endpoint=slot[1], key=slot[2], body_hash=begin.body_hash)
        await context.ask(_TARGET, repeat)
        return None

    async def _first_time(self, context: Context, slot: _Slot, work: Work) -> RawReply:
        try:
            answer = encode_json(await work())
        except RejectedError as error:
            await self._finish(context, slot, error.status, error.code, error.message.encode())
            raise
        except HanamiError as error:
            await self._failed(context, slot, error)
            raise
        await self._finish(context, slot, HTTPStatus.OK, "", answer)
        return _raw(answer)

    async def _failed(self, context: Context, slot: _Slot, error: HanamiError) -> None:
        """Note what is known about a call that did not come to an end."""
        is_sure = isinstance(error, StorageFullError) or (
            isinstance(error, BusyError) and not error.may_be_done
        )
        if not is_sure:
            self._note_unsure(slot)
            return
        await self._tell(context, DropKey(endpoint=slot[1], key=slot[2]))

    async def _finish(
        self, context: Context, slot: _Slot, status: int, code: str, answer: bytes
    ) -> None:
        await self._tell(
            context,
            FinishKey(endpoint=slot[1], key=slot[2], status=int(status), code=code, answer=answer),
        )

    async def _tell(self, context: Context, message: Message) -> None:
        try:
            await context.ask(_TARGET, message)
        except (BusyError, StorageFullError, FaultError) as error:
            # What was done is done; a repeated call finds it in the log.
            logger.warning("an idempotency key could not be settled: %s", error)

    def _note_unsure(self, slot: _Slot) -> None:
        now_s = self._clock.monotonic_s()
        for other in [each for each, end_s in self._unsure_until_s.items() if end_s <= now_s]:
            del self._unsure_until_s[other]
        self._unsure_until_s[slot] = now_s + UNSURE_S

    def _hash(self, context: Context, request: tuple[bytes, str]) -> str:
        body, query = request
        hasher = hashlib.blake2b(key=self._secret, digest_size=32)
        for part in (context.who.project_id.encode(), query.encode(), body):
            hasher.update(len(part).to_bytes(8, "big"))
            hasher.update(part)
        return hasher.hexdigest()


def _replayed(state: KeyState) -> RawReply:
    if state.status != HTTPStatus.OK:
        raise StoredRejectionError(state)
    return _raw(state.answer, (REPLAYED_HEADER, "true"))


def _raw(answer: bytes, *headers: tuple[str, str]) -> RawReply:
    return RawReply(answer, (("Content-Type", CONTENT_TYPE_JSON), *headers))
