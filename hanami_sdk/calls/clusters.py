"""Calls about clusters, checkpoints and hosts."""

from base64 import b64encode

from hanami_sdk._arguments import base64_text
from hanami_sdk.calls.call import Call, as_bytes, as_nothing, given, object_of, rows_of
from hanami_sdk.calls.results import (
    Checkpoint,
    Cluster,
    ClusterStats,
    Host,
    LearningPoint,
    Saved,
    Uuid,
)

__all__ = [
    "copy_cluster",
    "create_cluster",
    "delete_checkpoint",
    "delete_cluster",
    "download_checkpoint",
    "get_checkpoint",
    "get_cluster",
    "get_history",
    "get_stats",
    "list_checkpoints",
    "list_clusters",
    "list_hosts",
    "rename_cluster",
    "restore_cluster",
    "save_cluster",
    "set_mode",
    "switch_host",
    "upload_checkpoint",
]


def create_cluster(
    name: str,
    template: str | None = None,
    *,
    checkpoint_uuid: str | None = None,
    source_cluster_uuid: str | None = None,
    source_task_uuid: str | None = None,
    source_cycle: int | None = None,
) -> Call[Cluster]:
    """Create a cluster, from a template, a checkpoint, another cluster or nothing of these."""
    origin = given(
        template=None if template is None else base64_text(template),
        checkpoint_uuid=checkpoint_uuid,
        source_cluster_uuid=source_cluster_uuid,
        source_task_uuid=source_task_uuid,
        source_cycle=source_cycle,
    )
    return Call("POST", "cluster", object_of(Cluster), body={"name": name} | origin)


def copy_cluster(cluster_uuid: str, name: str) -> Call[Cluster]:
    """Create a cluster that has learned what another one has."""
    body = {"cluster_uuid": cluster_uuid, "name": name}
    return Call("POST", "cluster/copy", object_of(Cluster), body=body)


def rename_cluster(cluster_uuid: str, name: str) -> Call[Cluster]:
    """Give a cluster another name."""
    body = {"uuid": cluster_uuid, "name": name}
    return Call("PUT", "cluster/rename", object_of(Cluster), body=body)


def get_cluster(cluster_uuid: str) -> Call[Cluster]:
    """Look at a cluster."""
    return Call("GET", "cluster", object_of(Cluster), query={"uuid": cluster_uuid})


def get_stats(cluster_uuid: str) -> Call[ClusterStats]:
    """Look at everything that is known of a cluster now."""
    return Call("GET", "cluster/stats", object_of(ClusterStats), query={"uuid": cluster_uuid})


def get_history(
    cluster_uuid: str, number_of_rows: int | None, task_uuid: str | None
) -> Call[list[LearningPoint]]:
    """Look at recorded figures of what a cluster learned, or only at those of one task."""
    chosen = given(number_of_rows=number_of_rows, task_uuid=task_uuid)
    query = {"uuid": cluster_uuid} | chosen
    return Call("GET", "cluster/history", rows_of(LearningPoint), query=query)


def list_clusters() -> Call[list[Cluster]]:
    """Look at all clusters."""
    return Call("GET", "cluster/all", rows_of(Cluster))


def delete_cluster(cluster_uuid: str) -> Call[None]:
    """Delete a cluster."""
    return Call("DELETE", "cluster", as_nothing, query={"uuid": cluster_uuid})


def save_cluster(cluster_uuid: str, name: str) -> Call[Saved]:
    """Save the state of a cluster as a checkpoint."""
    body = {"name": name, "cluster_uuid": cluster_uuid}
    return Call("POST", "cluster/save", object_of(Saved), body=body)


def restore_cluster(cluster_uuid: str, checkpoint_uuid: str) -> Call[Uuid]:
    """Bring a cluster to the state of a checkpoint; the answer names the task that does it."""
    body = {"checkpoint_uuid": checkpoint_uuid, "cluster_uuid": cluster_uuid}
    return Call("POST", "cluster/load", object_of(Uuid), body=body)


def set_mode(cluster_uuid: str, mode: str) -> Call[None]:
    """Switch between the task queue (``TASK``) and direct learning (``DIRECT``)."""
    body = {"uuid": cluster_uuid, "new_state": mode}
    return Call("PUT", "cluster/set_mode", as_nothing, body=body)


def switch_host(cluster_uuid: str, host_uuid: str, hexagon_id: int | None) -> Call[Cluster]:
    """Move a cluster, or one of its hexagons, to another host."""
    body = {"cluster_uuid": cluster_uuid, "host_uuid": host_uuid} | given(hexagon_id=hexagon_id)
    return Call("PUT", "cluster/switch_host", object_of(Cluster), body=body)


def list_hosts() -> Call[list[Host]]:
    """Look at all hosts."""
    return Call("GET", "host/all", rows_of(Host))


def get_checkpoint(checkpoint_uuid: str) -> Call[Checkpoint]:
    """Look at a checkpoint."""
    return Call("GET", "checkpoint", object_of(Checkpoint), query={"uuid": checkpoint_uuid})


def list_checkpoints() -> Call[list[Checkpoint]]:
    """Look at all checkpoints."""
    return Call("GET", "checkpoint/all", rows_of(Checkpoint))


def delete_checkpoint(checkpoint_uuid: str) -> Call[None]:
    """Delete a checkpoint."""
    return Call("DELETE", "checkpoint", as_nothing, query={"uuid": checkpoint_uuid})


def download_checkpoint(checkpoint_uuid: str) -> Call[bytes]:
    """Get a checkpoint as a file."""
    return Call("GET", "checkpoint/download", as_bytes, query={"uuid": checkpoint_uuid})


def upload_checkpoint(name: str, data: bytes) -> Call[Checkpoint]:
    """Create a checkpoint from such a file."""
    body = {"name": name, "data": b64encode(data).decode("ascii")}
    return Call("POST", "checkpoint/upload", object_of(Checkpoint), body=body)
