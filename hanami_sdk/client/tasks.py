"""Flows for tasks: queue them, look at them, wait for their end."""

from collections.abc import Callable, Sequence

from hanami_sdk._progress import Report
from hanami_sdk.client.flow import Call, Flow, Pause, nothing, object_of, rows_of
from hanami_sdk.client.references import (
    Links,
    Reference,
    Results,
    result_links,
    source_links,
    uuid_of,
)
from hanami_sdk.client.results import Task, TaskRow
from hanami_sdk.client.session import Session
from hanami_sdk.hanami_exceptions import TaskFailedException

__all__ = [
    "Change",
    "abort_task",
    "chosen_column",
    "column_names",
    "create_request_task",
    "create_train_task",
    "delete_task",
    "get_task",
    "list_tasks",
    "pause_task",
    "resume_task",
    "wait_for_task",
]

Change = Callable[[Session, Reference, Reference], Flow[Task]]
"""Changes a task of a cluster."""

# Short tasks end soon, long ones are asked about less often.
POLL_FIRST_S = 0.02
POLL_MAX_S = 0.5
POLL_GROWTH = 1.3

_task = object_of(Task)
_rows = rows_of(TaskRow)


def create_train_task(
    session: Session,
    cluster: Reference,
    *,
    inputs: Links,
    outputs: Links,
    epochs: int | None = None,
    name: str = "train",
    time_length: int | None = None,
) -> Flow[Task]:
    """Queue the training of a cluster.

    Parameters
    ----------
    session : Session
        The client has it.
    cluster : Cluster or str
        What to train.
    inputs, outputs : mapping or list
        ``{"hexagon": (dataset, "column")}``: which column goes to which input, and which one is
        expected from which output.
    epochs : int, optional
        How often all rows are trained, 1 without it.
    name : str
        Of the task.
    time_length : int, optional
        How many rows one input consists of, 1 without it.
    """
    body = {
        "name": name,
        "cluster_uuid": uuid_of(cluster),
        "inputs": source_links(inputs),
        "outputs": source_links(outputs),
        "number_of_epochs": epochs,
        "time_length": time_length,
    }
    return (yield from session.do(Call(method="POST", path="task/train", decode=_task, body=body)))


def create_request_task(
    session: Session,
    cluster: Reference,
    *,
    inputs: Links,
    results: Results,
    name: str = "request",
    time_length: int | None = None,
) -> Flow[Task]:
    """Queue questions; the answers become a dataset with the uuid and the name of the task.

    Parameters
    ----------
    session : Session
        The client has it.
    cluster : Cluster or str
        What to ask.
    inputs : mapping or list
        As for a training.
    results : str, mapping or list
        Names of outputs, or ``{"hexagon": "column"}`` to give their columns other names.
    name : str
        Of the task and its result.
    time_length : int, optional
        How many rows one input consists of, 1 without it.
    """
    body = {
        "name": name,
        "cluster_uuid": uuid_of(cluster),
        "inputs": source_links(inputs),
        "results": result_links(results),
        "time_length": time_length,
    }
    call = Call(method="POST", path="task/request", decode=_task, body=body)
    return (yield from session.do(call))


def column_names(results: Results) -> list[str]:
    """Return the columns that a request task makes."""
    return [link["dataset_column"] for link in result_links(results)]


def chosen_column(columns: Sequence[str], column: str | None) -> str:
    """Return the column that is meant.

    Raises
    ------
    ValueError
        When none is named and there are several.
    """
    if column is not None:
        return column
    if len(columns) != 1:
        raise ValueError(f"the task has several results, name one: {', '.join(columns)}")
    return columns[0]


def _names(cluster: Reference, task: Reference) -> dict[str, object]:
    return {"uuid": uuid_of(task), "cluster_uuid": uuid_of(cluster)}


def get_task(session: Session, cluster: Reference, task: Reference) -> Flow[Task]:
    """Return one task of a cluster."""
    call = Call(method="GET", path="task", decode=_task, query=_names(cluster, task))
    return (yield from session.do(call))


def list_tasks(session: Session, cluster: Reference) -> Flow[list[TaskRow]]:
    """Return the tasks of a cluster, sorted by uuid."""
    query = {"cluster_uuid": uuid_of(cluster)}
    call = Call(method="GET", path="task/all", decode=_rows, query=query)
    return (yield from session.do(call))


def _changed(session: Session, change: str, cluster: Reference, task: Reference) -> Flow[Task]:
    body = _names(cluster, task)
    call = Call(method="PUT", path=f"task/{change}", decode=_task, body=body)
    return (yield from session.do(call))


def pause_task(session: Session, cluster: Reference, task: Reference) -> Flow[Task]:
    """Stop a training at a recorded cycle; the queue waits until it goes on or is aborted."""
    return (yield from _changed(session, "pause", cluster, task))


def resume_task(session: Session, cluster: Reference, task: Reference) -> Flow[Task]:
    """Let a paused training go on."""
    return (yield from _changed(session, "resume", cluster, task))


def abort_task(session: Session, cluster: Reference, task: Reference) -> Flow[Task]:
    """End a task at a recorded cycle; what it has learned stays."""
    return (yield from _changed(session, "abort", cluster, task))


def delete_task(session: Session, cluster: Reference, task: Reference) -> Flow[None]:
    """Remove a task; a running one is aborted and stays in the list."""
    call = Call(method="DELETE", path="task", decode=nothing, query=_names(cluster, task))
    yield from session.do(call)


def wait_for_task(
    session: Session,
    cluster: Reference,
    task: Reference,
    *,
    report: Report | None = None,
    timeout_s: float | None = None,
) -> Flow[Task]:
    """Ask for a task until it has finished.

    Raises
    ------
    TaskFailedException
        When it has failed or was aborted.
    TimeoutError
        When it takes longer than ``timeout_s``; it goes on.
    """
    end_s = None if timeout_s is None else session.clock_s() + timeout_s
    pause_s = POLL_FIRST_S
    while True:
        now = yield from get_task(session, cluster, task)
        if report is not None:
            report(now.current_cycle, now.total_number_of_cycles)
        if now.is_ended:
            break
        if end_s is not None and session.clock_s() >= end_s:
            raise TimeoutError(
                f"task {now.uuid} is {now.state} after {timeout_s:g} s, at cycle"
                f" {now.current_cycle} of {now.total_number_of_cycles}"
            )
        yield Pause(pause_s)
        pause_s = min(pause_s * POLL_GROWTH, POLL_MAX_S)
    if now.state != "finished":
        raise TaskFailedException(now.uuid, now.state, now.reason)
    return now
