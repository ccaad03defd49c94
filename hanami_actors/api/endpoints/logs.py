"""Who called what, and what the server failed at."""

from typing import Annotated, Any

import msgspec
from msgspec import UNSET, Meta, UnsetType

from hanami_actors.actors.gateway import Target, TargetKind
from hanami_actors.api.context import Context
from hanami_actors.api.replies import ListReply
from hanami_actors.api.table.endpoint import ADMINS, EVERYBODY, Endpoint
from hanami_actors.api.table.fields import UserId
from hanami_actors.domain.audit.events import CallFailed, CallMade
from hanami_actors.domain.audit.messages import (
    ERRORS,
    NotedCall,
    ReadCalls,
    audit_of,
    errors_of,
)
from hanami_actors.domain.base import format_timestamp
from hanami_actors.errors import UnauthorizedError

__all__ = ["ROWS"]

AUDIT = Target(kind=TargetKind.AUDIT)

NOBODY = "None"
"""What the original's Python SDK sends when its caller gives no user."""


class OnePage(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Page from 0, of 100 entries, and whose entries; for admins also those of others."""

    page: Annotated[int, Meta(ge=0, le=1_000_000_000)]
    user_id: UserId | UnsetType = UNSET


async def get_audit_log(context: Context, request: OnePage) -> ListReply:
    """List the own calls that may have changed something, oldest first."""
    user_id = _named_user(context, request)
    if user_id is not None and user_id != context.who.user_id:
        context.require_admin("looking at the calls of others: field 'user_id'")
    stream = audit_of(user_id or context.who.user_id)
    return ListReply(
        header=["created_at", "user_id", "endpoint", "request_type"],
        body=[
            [
                format_timestamp(call.time_us),
                call.user_id,
                call.event.endpoint,
                call.event.request_type,
            ]
            for call in await _page(context, stream, request.page)
            if isinstance(call.event, CallMade)
        ],
    )


async def get_error_log(context: Context, request: OnePage) -> ListReply:
    """List the calls at which the server failed, oldest first."""
    user_id = _named_user(context, request)
    stream = ERRORS if user_id is None else errors_of(user_id)
    return ListReply(
        header=["created_at", "user_id", "component", "context", "input_values", "message"],
        body=[
            _failure(call, call.event)
            for call in await _page(context, stream, request.page)
            if isinstance(call.event, CallFailed)
        ],
    )


def _failure(call: NotedCall, event: CallFailed) -> list[Any]:
    input_values = msgspec.Raw(event.input_values.encode())
    return [
        format_timestamp(call.time_us),
        call.user_id,
        "",
        "",
        input_values,
        event.message,
    ]


def _named_user(context: Context, request: OnePage) -> str | None:
    if not isinstance(request.user_id, str):
        return None
    if request.user_id == NOBODY and NOBODY not in context.tables.users:
        return None
    return request.user_id


async def _page(context: Context, stream: str, page: int) -> tuple[NotedCall, ...]:
    # What was called before this call is in the answer.
    context.services.call_log.flush()
    noted: tuple[NotedCall, ...] = await context.ask(AUDIT, ReadCalls(stream=stream, page=page))
    return noted


ROWS = (
    Endpoint(
        name="get_audit_log",
        method="GET",
        path="audit_log",
        summary="List the own calls that may have changed something; for admins those of anybody.",
        access=EVERYBODY,
        request=OnePage,
        reply=ListReply,
        errors=(UnauthorizedError,),
        handler=get_audit_log,
    ),
    Endpoint(
        name="get_error_log",
        method="GET",
        path="error_log",
        summary="List the calls at which the server failed.",
        access=ADMINS,
        request=OnePage,
        reply=ListReply,
        errors=(),
        handler=get_error_log,
        requires_admin=True,
    ),
)
