"""Figures for a monitoring system."""

from prometheus_client import CONTENT_TYPE_LATEST

from hanami_actors.api.answers import Document, RawReply
from hanami_actors.api.context import Context
from hanami_actors.api.table.endpoint import ADMINS, Empty, Endpoint

__all__ = ["ROWS"]


async def get_metrics(context: Context, _request: Empty) -> RawReply:
    """Return the figures of now."""
    return RawReply(context.services.metrics.render(), (("Content-Type", CONTENT_TYPE_LATEST),))


ROWS = (
    Endpoint(
        name="get_metrics",
        method="GET",
        path="metrics",
        aliases=("/metrics",),
        summary="Requests, tables and the process as figures in the text format of Prometheus.",
        access=ADMINS,
        request=Empty,
        reply=Document,
        content_types=("text/plain",),
        errors=(),
        handler=get_metrics,
        in_contract=False,
    ),
)
