"""Flows for clusters, checkpoints and hosts."""

from base64 import b64encode
from pathlib import Path

from hanami_sdk._arguments import base64_text
from hanami_sdk._progress import Report
from hanami_sdk._upload import FilePath
from hanami_sdk.client.flow import Call, Flow, nothing, object_of, rows_of
from hanami_sdk.client.references import Reference, uuid_of
from hanami_sdk.client.results import (
    Checkpoint,
    Cluster,
    ClusterStats,
    Host,
    LearningPoint,
    Saved,
    Uuid,
)
from hanami_sdk.client.session import Session

__all__ = [
    "cluster_history",
    "cluster_stats",
    "copy_cluster",
    "create_cluster",
    "delete_checkpoint",
    "delete_cluster",
    "download_checkpoint",
    "get_checkpoint",
    "get_cluster",
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

_cluster = object_of(Cluster)
_clusters = rows_of(Cluster)
_checkpoint = object_of(Checkpoint)
_checkpoints = rows_of(Checkpoint)
_hosts = rows_of(Host)
_saved = object_of(Saved)
_uuid = object_of(Uuid)
_stats = object_of(ClusterStats)
_history = rows_of(LearningPoint)


def create_cluster(
    session: Session,
    name: str,
    template: str | None = None,
    *,
    checkpoint: Reference | None = None,
    source: Reference | None = None,
    source_task: Reference | None = None,
    source_cycle: int | None = None,
) -> Flow[Cluster]:
    """Create a cluster; without anything else one input, one hidden and one output hexagon.

    Parameters
    ----------
    session : Session
        The client has it.
    name : str
        A name that no other visible cluster has.
    template : str, optional
        The text of a cluster template.
    checkpoint : Checkpoint or str, optional
        Begin with this saved state instead.
    source : Cluster or str, optional
        Begin with what another cluster has learned instead.
    source_task : Task or str, optional
        Only with what it had learned at the end of this task or direct session.
    source_cycle : int, optional
        Or after so many cycles of it.
    """
    body = {
        "name": name,
        "template": None if template is None else base64_text(template),
        "checkpoint_uuid": None if checkpoint is None else uuid_of(checkpoint),
        "source_cluster_uuid": None if source is None else uuid_of(source),
        "source_task_uuid": None if source_task is None else uuid_of(source_task),
        "source_cycle": source_cycle,
    }
    call = Call(method="POST", path="cluster", decode=_cluster, body=body)
    return (yield from session.do(call))


def copy_cluster(session: Session, cluster: Reference, name: str) -> Flow[Cluster]:
    """Create a cluster that has learned what another one has."""
    body = {"cluster_uuid": uuid_of(cluster), "name": name}
    call = Call(method="POST", path="cluster/copy", decode=_cluster, body=body)
    return (yield from session.do(call))


def rename_cluster(session: Session, cluster: Reference, name: str) -> Flow[Cluster]:
    """Give a cluster another name."""
    body = {"uuid": uuid_of(cluster), "name": name}
    call = Call(method="PUT", path="cluster/rename", decode=_cluster, body=body)
    return (yield from session.do(call))


def cluster_stats(session: Session, cluster: Reference) -> Flow[ClusterStats]:
    """Return everything that is known of a cluster now."""
    query = {"uuid": uuid_of(cluster)}
    call = Call(method="GET", path="cluster/stats", decode=_stats, query=query)
    return (yield from session.do(call))


def cluster_history(
    session: Session,
    cluster: Reference,
    *,
    task: Reference | None = None,
    rows: int | None = None,
) -> Flow[list[LearningPoint]]:
    """Return recorded figures of what a cluster learned, or only those of one task."""
    query = {
        "uuid": uuid_of(cluster),
        "task_uuid": None if task is None else uuid_of(task),
        "number_of_rows": rows,
    }
    call = Call(method="GET", path="cluster/history", decode=_history, query=query)
    return (yield from session.do(call))


def get_cluster(session: Session, cluster: Reference) -> Flow[Cluster]:
    """Return one cluster with its live figures."""
    query = {"uuid": uuid_of(cluster)}
    call = Call(method="GET", path="cluster", decode=_cluster, query=query)
    return (yield from session.do(call))


def list_clusters(session: Session) -> Flow[list[Cluster]]:
    """Return all visible clusters, without their figures."""
    return (yield from session.do(Call(method="GET", path="cluster/all", decode=_clusters)))


def delete_cluster(session: Session, cluster: Reference) -> Flow[None]:
    """Delete a cluster with its tasks."""
    query = {"uuid": uuid_of(cluster)}
    yield from session.do(Call(method="DELETE", path="cluster", decode=nothing, query=query))


def save_cluster(session: Session, cluster: Reference, name: str) -> Flow[Saved]:
    """Save the state of a cluster as a checkpoint."""
    body = {"cluster_uuid": uuid_of(cluster), "name": name}
    call = Call(method="POST", path="cluster/save", decode=_saved, body=body)
    return (yield from session.do(call))


def restore_cluster(session: Session, cluster: Reference, checkpoint: Reference) -> Flow[str]:
    """Bring a cluster to the state of a checkpoint; return the uuid of the task that does it."""
    body = {"cluster_uuid": uuid_of(cluster), "checkpoint_uuid": uuid_of(checkpoint)}
    call = Call(method="POST", path="cluster/load", decode=_uuid, body=body)
    return (yield from session.do(call)).uuid


def set_mode(session: Session, cluster: Reference, mode: str) -> Flow[None]:
    """Let a cluster work on its queue (``TASK``) or learn directly (``DIRECT``)."""
    body = {"uuid": uuid_of(cluster), "new_state": mode}
    yield from session.do(Call(method="PUT", path="cluster/set_mode", decode=nothing, body=body))


def switch_host(session: Session, cluster: Reference, host: Reference) -> Flow[Cluster]:
    """Move a cluster to another host; a running task goes on there."""
    body = {"cluster_uuid": uuid_of(cluster), "host_uuid": uuid_of(host)}
    call = Call(method="PUT", path="cluster/switch_host", decode=_cluster, body=body)
    return (yield from session.do(call))


def list_hosts(session: Session) -> Flow[list[Host]]:
    """Return all hosts."""
    return (yield from session.do(Call(method="GET", path="host/all", decode=_hosts)))


def get_checkpoint(session: Session, checkpoint: Reference) -> Flow[Checkpoint]:
    """Return one checkpoint."""
    query = {"uuid": uuid_of(checkpoint)}
    call = Call(method="GET", path="checkpoint", decode=_checkpoint, query=query)
    return (yield from session.do(call))


def list_checkpoints(session: Session) -> Flow[list[Checkpoint]]:
    """Return all visible checkpoints."""
    call = Call(method="GET", path="checkpoint/all", decode=_checkpoints)
    return (yield from session.do(call))


def download_checkpoint(
    session: Session, checkpoint: Reference, path: FilePath, *, progress: Report | None = None
) -> Flow[Path]:
    """Write a checkpoint to a file that another server can restore; return its path.

    Parameters
    ----------
    session : Session
        The client has it.
    checkpoint : Checkpoint or str
        What to download.
    path : path
        The file; it appears when all of it is there.
    progress : callable, optional
        Called with the bytes done and the bytes in total.
    """
    target = Path(path)
    query = {"uuid": uuid_of(checkpoint)}
    call = Call(method="GET", path="checkpoint/download", decode=nothing, query=query)
    yield from session.download(call, target, progress)
    return target


def upload_checkpoint(session: Session, path: FilePath, name: str) -> Flow[Checkpoint]:
    """Create a checkpoint from a file of `download`, also of another server; admins only."""
    body = {"name": name, "data": b64encode(Path(path).read_bytes()).decode("ascii")}
    call = Call(method="POST", path="checkpoint/upload", decode=_checkpoint, body=body)
    return (yield from session.do(call))


def delete_checkpoint(session: Session, checkpoint: Reference) -> Flow[None]:
    """Delete a checkpoint."""
    query = {"uuid": uuid_of(checkpoint)}
    yield from session.do(Call(method="DELETE", path="checkpoint", decode=nothing, query=query))
