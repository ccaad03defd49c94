"""Compute hosts."""

from hanami_actors.api.context import Context
from hanami_actors.api.replies import ListReply
from hanami_actors.api.table.endpoint import EVERYBODY, Empty, Endpoint
from hanami_actors.domain.tables import listing

__all__ = ["ROWS"]


async def list_hosts(context: Context, _request: Empty) -> ListReply:
    """List all hosts, CPUs first; hosts belong to everybody."""
    hosts = sorted(listing(context.tables.hosts), key=lambda host: host.kind != "cpu")
    return ListReply(header=["uuid", "type"], body=[[host.uuid, host.kind] for host in hosts])


ROWS = (
    Endpoint(
        name="list_hosts",
        method="GET",
        path="host/all",
        summary="List the compute hosts.",
        access=EVERYBODY,
        request=Empty,
        reply=ListReply,
        errors=(),
        handler=list_hosts,
    ),
)
