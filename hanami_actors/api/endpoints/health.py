"""Whether the server lives and is ready; for probes, without a token."""

import msgspec

from hanami_actors.api.context import Context
from hanami_actors.api.table.endpoint import OPEN, Empty, Endpoint
from hanami_actors.errors import BusyError

__all__ = ["ROWS"]


class LiveReply(msgspec.Struct, frozen=True, kw_only=True):
    """The process answers."""

    live: bool = True


class ReadyReply(msgspec.Struct, frozen=True, kw_only=True):
    """The log is replayed and the kernels are warm."""

    ready: bool = True


async def get_live(_context: Context, _request: Empty) -> LiveReply:
    """Answer as soon as the port is open."""
    return LiveReply()


async def get_ready(context: Context, _request: Empty) -> ReadyReply:
    """Answer 503 until tasks can run."""
    if not context.services.is_ready():
        raise BusyError("the server is starting: kernels are not warm yet; try again in a second")
    return ReadyReply()


ROWS = (
    Endpoint(
        name="get_health_live",
        method="GET",
        path="health/live",
        aliases=("/health/live",),
        summary="Tell that the process answers.",
        access=OPEN,
        request=Empty,
        reply=LiveReply,
        errors=(),
        handler=get_live,
        in_contract=False,
    ),
    Endpoint(
        name="get_health_ready",
        method="GET",
        path="health/ready",
        aliases=("/health/ready",),
        summary="Tell whether tasks can run.",
        access=OPEN,
        request=Empty,
        reply=ReadyReply,
        errors=(BusyError,),
        handler=get_ready,
        in_contract=False,
    ),
)
