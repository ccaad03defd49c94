"""Notes calls and failures for the audit and the error log, in batches behind the answers."""

import asyncio
import logging
from typing import Any

import msgspec

from hanami_actors.actors.gateway import Gateway
from hanami_actors.api.answers import box_table, encode_json
from hanami_actors.api.table.fields import SECRET_FIELDS
from hanami_actors.domain.audit.events import AuditEvent, CallFailed, CallMade
from hanami_actors.domain.audit.messages import ERRORS, CallNote, audit_of, errors_of
from hanami_actors.domain.base import Stamp, Who

__all__ = ["Call", "CallLog", "shown_input"]

FLUSH_AFTER_S = 0.25
BATCH_LEN_MAX = 256
SHOWN_TEXT_LENGTH_MAX = 200
SHOWN_ITEMS_MAX = 20
CAUSES_MAX = 5

_logger = logging.getLogger(__name__)


class Call(msgspec.Struct, frozen=True, kw_only=True):
    """A call of somebody with a valid token."""

    who: Who
    request_id: str
    endpoint: str
    method: str


class CallLog:
    """Collects notes and hands them over a few times a second. Runs in the event loop's thread.

    Parameters
    ----------
    gateway : Gateway
    """

    def __init__(self, gateway: Gateway) -> None:
        self._gateway = gateway
        self._waiting: list[CallNote] = []
        self._timer: asyncio.TimerHandle | None = None

    def note_call(self, call: Call) -> None:
        """Note that somebody calls something that may change something."""
        event = CallMade(endpoint=call.endpoint, request_type=call.method)
        self._note(call, (audit_of(call.who.user_id),), event)

    def note_failure(self, call: Call, request: msgspec.Struct, error: BaseException) -> None:
        """Note that the server failed at a call.

        Parameters
        ----------
        call : Call
        request : Struct
            What was asked; secrets are left out.
        error : BaseException
        """
        causes = [f"request {call.request_id}: {call.method} {call.endpoint}"]
        cause: BaseException | None = error
        while cause is not None and len(causes) <= CAUSES_MAX:
            causes.append(f"{type(cause).__name__}: {cause}"[: 5 * SHOWN_TEXT_LENGTH_MAX])
            cause = cause.__cause__ or cause.__context__
        event = CallFailed(
            endpoint=call.endpoint,
            request_type=call.method,
            input_values=encode_json(shown_input(msgspec.to_builtins(request))).decode(),
            message=box_table(causes),
        )
        self._note(call, (ERRORS, errors_of(call.who.user_id)), event)

    def flush(self) -> None:
        """Hand over what was collected."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        waiting, self._waiting = self._waiting, []
        if waiting and not self._gateway.note_calls(tuple(waiting)):
            _logger.error("%d calls were not noted: the audit does not keep up", len(waiting))

    def _note(self, call: Call, streams: tuple[str, ...], event: AuditEvent) -> None:
        stamp = Stamp(
            now_us=self._gateway.clock.now_us(), who=call.who, correlation_id=call.request_id
        )
        self._waiting.append(CallNote(stamp=stamp, streams=streams, event=event))
        if len(self._waiting) >= BATCH_LEN_MAX:
            self.flush()
        elif self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(FLUSH_AFTER_S, self.flush)


def shown_input(value: Any) -> Any:
    """Return request values as they may be kept: without secrets, long texts and lists cut."""
    if isinstance(value, dict):
        return {
            str(name): shown_input(entry)
            for name, entry in list(value.items())[:SHOWN_ITEMS_MAX]
            if name not in SECRET_FIELDS
        }
    if isinstance(value, list | tuple):
        shown = [shown_input(entry) for entry in value[:SHOWN_ITEMS_MAX]]
        return [*shown, "…"] if len(value) > SHOWN_ITEMS_MAX else shown
    if isinstance(value, str) and len(value) > SHOWN_TEXT_LENGTH_MAX:
        return f"{value[:SHOWN_TEXT_LENGTH_MAX]}…"
    return value
