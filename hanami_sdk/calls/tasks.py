"""Calls about tasks."""

from collections.abc import Mapping, Sequence

from hanami_sdk.calls.call import Call, as_nothing, given, object_of, rows_of
from hanami_sdk.calls.results import Task, TaskRow

__all__ = [
    "Links",
    "abort_task",
    "create_request_task",
    "create_train_task",
    "delete_task",
    "get_task",
    "list_tasks",
    "pause_task",
    "resume_task",
]

Links = Sequence[Mapping[str, str]]
"""What goes where, one mapping for each hexagon."""


def _links(links: Links) -> object:
    """Return the links as sent: ``hexagon`` is accepted for ``hexagon_name``."""
    if not isinstance(links, list | tuple):
        return links
    return [
        {("hexagon_name" if key == "hexagon" else key): value for key, value in link.items()}
        for link in links
    ]


def create_train_task(
    name: str,
    cluster_uuid: str,
    *,
    inputs: Links,
    outputs: Links,
    time_length: int | None,
    number_of_epochs: int | None,
) -> Call[Task]:
    """Queue the training of a cluster."""
    body = {
        "name": name,
        "cluster_uuid": cluster_uuid,
        "inputs": _links(inputs),
        "outputs": _links(outputs),
    } | given(time_length=time_length, number_of_epochs=number_of_epochs)
    return Call("POST", "task/train", object_of(Task), body=body)


def create_request_task(
    name: str, cluster_uuid: str, *, inputs: Links, results: Links, time_length: int | None
) -> Call[Task]:
    """Queue questions to a cluster."""
    body = {
        "name": name,
        "cluster_uuid": cluster_uuid,
        "inputs": _links(inputs),
        "results": _links(results),
    } | given(time_length=time_length)
    return Call("POST", "task/request", object_of(Task), body=body)


def _names(task_uuid: str, cluster_uuid: str) -> dict[str, object]:
    return {"uuid": task_uuid, "cluster_uuid": cluster_uuid}


def get_task(task_uuid: str, cluster_uuid: str) -> Call[Task]:
    """Look at a task."""
    return Call("GET", "task", object_of(Task), query=_names(task_uuid, cluster_uuid))


def list_tasks(cluster_uuid: str) -> Call[list[TaskRow]]:
    """Look at all tasks of a cluster."""
    return Call("GET", "task/all", rows_of(TaskRow), query={"cluster_uuid": cluster_uuid})


def pause_task(task_uuid: str, cluster_uuid: str) -> Call[Task]:
    """Stop a training until it is resumed."""
    return Call("PUT", "task/pause", object_of(Task), body=_names(task_uuid, cluster_uuid))


def resume_task(task_uuid: str, cluster_uuid: str) -> Call[Task]:
    """Let a paused training go on."""
    return Call("PUT", "task/resume", object_of(Task), body=_names(task_uuid, cluster_uuid))


def abort_task(task_uuid: str, cluster_uuid: str) -> Call[Task]:
    """End a task; what it has learned stays."""
    return Call("PUT", "task/abort", object_of(Task), body=_names(task_uuid, cluster_uuid))


def delete_task(task_uuid: str, cluster_uuid: str) -> Call[None]:
    """Remove a task."""
    return Call("DELETE", "task", as_nothing, query=_names(task_uuid, cluster_uuid))
