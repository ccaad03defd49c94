"""From a request to a task with the bytes it needs, and what begins when its turn comes."""

from typing import NamedTuple

from msgspec.structs import replace

from hanami_actors.actors.cluster.stream import folded
from hanami_actors.actors.cluster.task_end import result_lost
from hanami_actors.actors.gateway import Command
from hanami_actors.actors.writer import append_to
from hanami_actors.compute import KERNEL_VERSION
from hanami_actors.domain.access import visible
from hanami_actors.domain.base import Stamp, Who
from hanami_actors.domain.checkpoint import aggregate as checkpoint_aggregate
from hanami_actors.domain.checkpoint.messages import CreateCheckpoint
from hanami_actors.domain.cluster.decide import decide, startable_task
from hanami_actors.domain.cluster.events import ClusterEvent, Task
from hanami_actors.domain.cluster.lineage import source_of
from hanami_actors.domain.cluster.messages import (
    CreateRequestTask,
    CreateTrainTask,
    FailTask,
    FinishTask,
    LoadCheckpoint,
    RestoreCluster,
    SaveCheckpoint,
    StartTask,
    TakeCheckpoint,
)
from hanami_actors.domain.cluster.resolve import resolve_request, resolve_train
from hanami_actors.domain.cluster.state import (
    ClusterState,
    TaskState,
    sizes_to_come,
    template_at_end,
)
from hanami_actors.domain.cluster.template import Template
from hanami_actors.domain.dataset import aggregate as dataset_aggregate
from hanami_actors.domain.dataset.aggregate import DatasetState
from hanami_actors.domain.dataset.messages import CreateResultDataset
from hanami_actors.domain.tables import Tables
from hanami_actors.errors import FaultError
from hanami_actors.eventlog.port import Append

__all__ = ["Moves", "begin_task", "new_task", "next_moves", "result_created"]


class Moves(NamedTuple):
    """Events of a cluster and what goes into other streams with them."""

    events: tuple[ClusterEvent, ...] = ()
    others: tuple[Append, ...] = ()


def new_task(command: Command, state: ClusterState, tables: Tables, stamp: Stamp) -> Task:
    """Return the task that the command asks for.

    Raises
    ------
    RejectedError
        Something of what it names is not there or does not fit.
    """

    def lookup(uuid: str) -> DatasetState | None:
        row = tables.datasets.get(uuid)
        if row is None or not row.state.alive:
            return None
        seen = visible(command.who, row.state.owner_id, row.state.project_id)
        return row.state if seen else None

    match command.message:
        case CreateTrainTask() as request:
            return resolve_train(request, template_at_end(state), lookup, stamp)
        case CreateRequestTask() as request:
            sizes = sizes_to_come(state)
            return resolve_request(request, template_at_end(state), lookup, sizes, stamp)
        case SaveCheckpoint(name=name):
            return _moment_task("save", name, stamp)
        case LoadCheckpoint(name=name, source=source):
            return replace(_moment_task("load", name, stamp), source=source)
        case _:
            raise FaultError(f"{type(command.message).__name__} creates no task")


def result_created(task: Task, stamp: Stamp) -> tuple[Append, ...]:
    """Return the creation of a request's result dataset; nothing for other tasks."""
    if task.kind != "request":
        return ()
    message = CreateResultDataset(uuid=task.uuid, name=task.name)
    events = dataset_aggregate.decide(dataset_aggregate.initial(), message, stamp)
    return (append_to(f"dataset/{task.uuid}", 0, events),)


def next_moves(
    state: ClusterState, stream: str, version: int, tables: Tables, stamp: Stamp
) -> Moves:
    """Return what happens next in the queue: tasks that need no computing, then one that does.

    Parameters
    ----------
    state : ClusterState
    stream : str
    version : int
        Of the stream in this state; events that are still to be appended count.
    tables : Tables
    stamp : Stamp
    """
    events: tuple[ClusterEvent, ...] = ()
    others: tuple[Append, ...] = ()
    while (entry := startable_task(state)) is not None:
        more = begin_task(entry, state, stream, version + len(events), tables, stamp)
        state = folded(state, more.events, stamp)
        events, others = events + more.events, others + more.others
    return Moves(events, others)


def begin_task(
    entry: TaskState, state: ClusterState, stream: str, version: int, tables: Tables, stamp: Stamp
) -> Moves:
    """Return the beginning of a task whose turn it is; saving and loading end with it."""
    task = entry.task
    unknown = _unknown_name(task, state.template)
    if unknown:
        fail = FailTask(task_uuid=task.uuid, cycle=0, reason=unknown)
        return Moves(decide(state, fail, stamp), result_lost(tables, task, stamp, unknown))
    start = StartTask(task_uuid=task.uuid, kernel_version=KERNEL_VERSION)
    started = decide(state, start, stamp)
    if task.kind in {"train", "request"}:
        return Moves(started)
    running = folded(state, started, stamp)
    no_others: tuple[Append, ...] = ()
    if task.source is not None:
        done = decide(running, RestoreCluster(source=task.source), stamp)
        digest, others = task.source.digest, no_others
    else:
        source = source_of(state, stream, version, KERNEL_VERSION)
        take = TakeCheckpoint(checkpoint_uuid=task.uuid, name=task.name, source=source)
        done = decide(running, take, stamp)
        digest = source.digest
        create = CreateCheckpoint(
            uuid=task.uuid,
            name=task.name,
            cluster_uuid=state.uuid,
            cluster_name=state.name,
            source=source,
        )
        owner = replace(stamp, who=Who(user_id=task.user_id, project_id=task.project_id))
        created = checkpoint_aggregate.decide(checkpoint_aggregate.initial(), create, owner)
        others = (append_to(f"checkpoint/{task.uuid}", 0, created),)
    finish = FinishTask(task_uuid=task.uuid, cycle=0, digest=digest)
    finished = decide(folded(running, done, stamp), finish, stamp)
    return Moves((*started, *done, *finished), others)


def _moment_task(kind: str, name: str, stamp: Stamp) -> Task:
    return Task(
        uuid=stamp.ids[0],
        kind=kind,
        name=name,
        row_count=1,
        user_id=stamp.who.user_id,
        project_id=stamp.who.project_id,
    )


def _unknown_name(task: Task, template: Template) -> str:
    """Return what a task names that the cluster does not have since it was restored."""
    inputs = {port.name for port in template.inputs}
    outputs = {port.name for port in template.outputs}
    named = [("input", binding.hexagon_name, inputs) for binding in task.inputs]
    named += [("output", binding.hexagon_name, outputs) for binding in task.outputs]
    named += [("output", result.hexagon_name, outputs) for result in task.results]
    for what, name, known in named:
        if name not in known:
            return (
                f"The cluster has no {what} '{name}' any more, because another checkpoint was loaded"
                " while the task waited."
            )
    return ""
