"""Flows for clusters, checkpoints and hosts."""

from hanami_sdk._arguments import base64_text
from hanami_sdk.client.flow import Call, Flow, nothing, object_of, rows_of
from hanami_sdk.client.references import Reference, uuid_of
from hanami_sdk.client.results import Checkpoint, Cluster, Host, Saved, Uuid
from hanami_sdk.client.session import Session

__all__ = [
    "create_cluster",
    "delete_checkpoint",
    "delete_cluster",
    "get_checkpoint",
    "get_cluster",
    "list_checkpoints",
    "list_clusters",
    "list_hosts",
    "restore_cluster",
    "save_cluster",
    "set_mode",
    "switch_host",
]

_cluster = object_of(Cluster)
_clusters = rows_of(Cluster)
_checkpoint = object_of(Checkpoint)
_checkpoints = rows_of(Checkpoint)
_hosts = rows_of(Host)
_saved = object_of(Saved)
_uuid = object_of(Uuid)


def create_cluster(session: Session, name: str, template: str | None = None) -> Flow[Cluster]:
    """Create a cluster; without a template with one input, one hidden and one output hexagon."""
    body = {"name": name, "template": None if template is None else base64_text(template)}
    call = Call(method="POST", path="cluster", decode=_cluster, body=body)
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


def delete_checkpoint(session: Session, checkpoint: Reference) -> Flow[None]:
    """Delete a checkpoint."""
    query = {"uuid": uuid_of(checkpoint)}
    yield from session.do(Call(method="DELETE", path="checkpoint", decode=nothing, query=query))
