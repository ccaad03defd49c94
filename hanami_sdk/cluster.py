"""Clusters: the growing networks."""

from typing import TYPE_CHECKING

from hanami_sdk.calls import clusters
from hanami_sdk.hanami_request import send_call

if TYPE_CHECKING:
    from websockets.asyncio.client import ClientConnection

__all__ = [
    "copy_cluster",
    "create_cluster",
    "delete_cluster",
    "get_cluster",
    "get_cluster_history",
    "get_cluster_stats",
    "list_clusters",
    "rename_cluster",
    "restore_cluster",
    "save_cluster",
    "set_mode",
    "switch_host",
    "switch_to_direct_mode",
    "switch_to_task_mode",
]


def create_cluster(
    token: str,
    address: str,
    name: str,
    template: str | None = None,
    verify_connection: bool = True,
    *,
    checkpoint_uuid: str | None = None,
    source_cluster_uuid: str | None = None,
    source_task_uuid: str | None = None,
    source_cycle: int | None = None,
) -> bytes:
    """Create a cluster; return it as JSON.

    Parameters
    ----------
    token, address : str
        As everywhere.
    name : str
        A name that no other visible cluster has.
    template : str, optional
        The text of a cluster template; without it the server takes its default.
    verify_connection : bool
        False accepts any certificate of a https server.
    checkpoint_uuid : str, optional
        Begin with this saved state, instead of a template.
    source_cluster_uuid : str, optional
        Begin with what another cluster has learned, instead of a template.
    source_task_uuid : str, optional
        Only with what it had learned at the end of this task or direct session.
    source_cycle : int, optional
        Or after so many cycles of it.
    """
    call = clusters.create_cluster(
        name,
        template,
        checkpoint_uuid=checkpoint_uuid,
        source_cluster_uuid=source_cluster_uuid,
        source_task_uuid=source_task_uuid,
        source_cycle=source_cycle,
    )
    return send_call(token, address, call, verify_connection)


def copy_cluster(
    token: str, address: str, cluster_uuid: str, name: str, verify_connection: bool = True
) -> bytes:
    """Create a cluster that has learned what another one has; return it as JSON."""
    return send_call(token, address, clusters.copy_cluster(cluster_uuid, name), verify_connection)


def rename_cluster(
    token: str, address: str, cluster_uuid: str, name: str, verify_connection: bool = True
) -> bytes:
    """Give a cluster another name; return it as JSON."""
    return send_call(token, address, clusters.rename_cluster(cluster_uuid, name), verify_connection)


def get_cluster_stats(
    token: str, address: str, cluster_uuid: str, verify_connection: bool = True
) -> bytes:
    """Return everything that is known of a cluster now, as JSON."""
    return send_call(token, address, clusters.get_stats(cluster_uuid), verify_connection)


def get_cluster_history(
    token: str,
    address: str,
    cluster_uuid: str,
    verify_connection: bool = True,
    *,
    task_uuid: str | None = None,
    number_of_rows: int = 1000,
) -> bytes:
    """Return recorded figures of what a cluster learned as JSON with ``header`` and ``body``."""
    call = clusters.get_history(cluster_uuid, number_of_rows, task_uuid)
    return send_call(token, address, call, verify_connection)


def save_cluster(
    token: str, address: str, name: str, cluster_uuid: str, verify_connection: bool = True
) -> bytes:
    """Save the state of a cluster as a checkpoint; return its name and uuid as JSON."""
    return send_call(token, address, clusters.save_cluster(cluster_uuid, name), verify_connection)


def restore_cluster(
    token: str,
    address: str,
    checkpoint_uuid: str,
    cluster_uuid: str,
    verify_connection: bool = True,
) -> bytes:
    """Bring a cluster to the state of a checkpoint; return the uuid of the task as JSON."""
    call = clusters.restore_cluster(cluster_uuid, checkpoint_uuid)
    return send_call(token, address, call, verify_connection)


def get_cluster(
    token: str, address: str, cluster_uuid: str, verify_connection: bool = True
) -> bytes:
    """Return one cluster as JSON."""
    return send_call(token, address, clusters.get_cluster(cluster_uuid), verify_connection)


def list_clusters(token: str, address: str, verify_connection: bool = True) -> bytes:
    """Return all visible clusters as JSON with ``header`` and ``body``."""
    return send_call(token, address, clusters.list_clusters(), verify_connection)


def delete_cluster(
    token: str, address: str, cluster_uuid: str, verify_connection: bool = True
) -> bytes:
    """Delete a cluster with its tasks."""
    return send_call(token, address, clusters.delete_cluster(cluster_uuid), verify_connection)


def set_mode(
    token: str,
    address: str,
    cluster_uuid: str,
    new_state: str,
    verify_connection: bool = True,
) -> bytes:
    """Switch to ``TASK`` or ``DIRECT`` mode; return the cluster as JSON."""
    return send_call(token, address, clusters.set_mode(cluster_uuid, new_state), verify_connection)


def switch_to_task_mode(
    token: str, address: str, cluster_uuid: str, verify_connection: bool = True
) -> bytes:
    """Let the cluster work on its task queue again; return it as JSON."""
    return set_mode(token, address, cluster_uuid, "TASK", verify_connection)


async def switch_to_direct_mode(
    token: str, address: str, cluster_uuid: str, verify_connection: bool = True
) -> "ClientConnection | None":
    """Stop the task queue and return a websocket for `direct_io`, None if it is refused."""
    import asyncio

    from hanami_sdk._websocket import HandshakeRefusedError, open_websocket

    await asyncio.to_thread(set_mode, token, address, cluster_uuid, "DIRECT", verify_connection)
    try:
        return await open_websocket(
            address, token, target="cluster", uuid=cluster_uuid, verify=verify_connection
        )
    except HandshakeRefusedError:
        return None


def switch_host(
    token: str,
    address: str,
    cluster_uuid: str,
    host_uuid: str,
    verify_connection: bool = True,
    *,
    hexagon_id: int | None = None,
) -> bytes:
    """Move a cluster, or one of its hexagons, to another host; return it as JSON."""
    call = clusters.switch_host(cluster_uuid, host_uuid, hexagon_id)
    return send_call(token, address, call, verify_connection)
