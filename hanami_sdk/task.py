"""Tasks: train a cluster with datasets, or ask it. They wait in the queue of their cluster."""

from hanami_sdk.calls import tasks
from hanami_sdk.hanami_request import send_call

__all__ = [
    "abort_task",
    "create_request_task",
    "create_train_task",
    "delete_task",
    "get_task",
    "list_tasks",
    "pause_task",
    "resume_task",
]


def create_train_task(
    token: str,
    address: str,
    name: str,
    cluster_uuid: str,
    inputs: tasks.Links,
    outputs: tasks.Links,
    timeLength: int = 1,
    verify_connection: bool = True,
    *,
    time_length: int | None = None,
    number_of_epochs: int | None = None,
) -> bytes:
    """Queue the training of a cluster; return the task as JSON.

    Parameters
    ----------
    token, address : str
        As everywhere.
    name : str
        A name for the task.
    cluster_uuid : str
        What to train.
    inputs, outputs : list of dict
        Each with ``dataset_uuid``, ``dataset_column`` and ``hexagon_name``: which column goes to
        which input, and which column is expected from which output.
    timeLength, time_length : int
        How many rows one input consists of; two names of one number.
    verify_connection : bool
        False accepts any certificate of a https server.
    number_of_epochs : int or None
        How often all rows are trained; the server takes 1 when it is not given.
    """
    call = tasks.create_train_task(
        name,
        cluster_uuid,
        inputs=inputs,
        outputs=outputs,
        time_length=timeLength if time_length is None else time_length,
        number_of_epochs=number_of_epochs,
    )
    return send_call(token, address, call, verify_connection)


def create_request_task(
    token: str,
    address: str,
    name: str,
    cluster_uuid: str,
    inputs: tasks.Links,
    results: tasks.Links,
    timeLength: int = 1,
    verify_connection: bool = True,
    *,
    time_length: int | None = None,
) -> bytes:
    """Queue questions to a cluster; return the task as JSON.

    The answers become a dataset with the uuid and the name of the task.

    Parameters
    ----------
    token, address : str
        As everywhere.
    name : str
        A name for the task and its result.
    cluster_uuid : str
        What to ask.
    inputs : list of dict
        Each with ``dataset_uuid``, ``dataset_column`` and ``hexagon_name``.
    results : list of dict
        Each with ``hexagon_name``, the output to read, and ``dataset_column``, the name of the
        column to write.
    timeLength, time_length : int
        How many rows one input consists of; two names of one number.
    verify_connection : bool
        False accepts any certificate of a https server.
    """
    call = tasks.create_request_task(
        name,
        cluster_uuid,
        inputs=inputs,
        results=results,
        time_length=timeLength if time_length is None else time_length,
    )
    return send_call(token, address, call, verify_connection)


def get_task(
    token: str, address: str, task_uuid: str, cluster_uuid: str, verify_connection: bool = True
) -> bytes:
    """Return one task with its progress as JSON."""
    return send_call(token, address, tasks.get_task(task_uuid, cluster_uuid), verify_connection)


def list_tasks(
    token: str, address: str, cluster_uuid: str, verify_connection: bool = True
) -> bytes:
    """Return all tasks of a cluster as JSON with ``header`` and ``body``."""
    return send_call(token, address, tasks.list_tasks(cluster_uuid), verify_connection)


def pause_task(
    token: str, address: str, task_uuid: str, cluster_uuid: str, verify_connection: bool = True
) -> bytes:
    """Stop a training at a recorded cycle, until `resume_task`; return the task as JSON."""
    return send_call(token, address, tasks.pause_task(task_uuid, cluster_uuid), verify_connection)


def resume_task(
    token: str, address: str, task_uuid: str, cluster_uuid: str, verify_connection: bool = True
) -> bytes:
    """Let a paused training go on; return the task as JSON."""
    return send_call(token, address, tasks.resume_task(task_uuid, cluster_uuid), verify_connection)


def abort_task(
    token: str, address: str, task_uuid: str, cluster_uuid: str, verify_connection: bool = True
) -> bytes:
    """End a task at a recorded cycle, what it learned stays; return the task as JSON."""
    return send_call(token, address, tasks.abort_task(task_uuid, cluster_uuid), verify_connection)


def delete_task(
    token: str, address: str, task_uuid: str, cluster_uuid: str, verify_connection: bool = True
) -> bytes:
    """Remove a task; a running one is aborted. Its result dataset stays."""
    return send_call(token, address, tasks.delete_task(task_uuid, cluster_uuid), verify_connection)
