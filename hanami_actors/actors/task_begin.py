"""From a request to a task with the bytes it needs, and its result dataset."""

from hanami_actors.actors.gateway import Command
from hanami_actors.actors.writer import append_to
from hanami_actors.domain.access import visible
from hanami_actors.domain.base import Stamp
from hanami_actors.domain.cluster.events import Task
from hanami_actors.domain.cluster.messages import CreateRequestTask, CreateTrainTask
from hanami_actors.domain.cluster.resolve import resolve_request, resolve_train
from hanami_actors.domain.cluster.state import ClusterState, output_has_size
from hanami_actors.domain.dataset import aggregate as dataset_aggregate
from hanami_actors.domain.dataset.aggregate import DatasetState
from hanami_actors.domain.dataset.messages import CreateResultDataset
from hanami_actors.domain.tables import Tables
from hanami_actors.errors import FaultError
from hanami_actors.eventlog.port import Append

__all__ = ["new_task", "result_created"]


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

    def has_size(name: str) -> bool:
        return output_has_size(state, name)

    match command.message:
        case CreateTrainTask() as request:
            return resolve_train(request, state.template, lookup, stamp)
        case CreateRequestTask() as request:
            return resolve_request(request, state.template, lookup, has_size, stamp)
        case _:
            raise FaultError(f"{type(command.message).__name__} creates no task")


def result_created(task: Task, stamp: Stamp) -> tuple[Append, ...]:
    """Return the creation of a request's result dataset; nothing for a training."""
    if task.kind != "request":
        return ()
    message = CreateResultDataset(uuid=task.uuid, name=task.name)
    events = dataset_aggregate.decide(dataset_aggregate.initial(), message, stamp)
    return (append_to(f"dataset/{task.uuid}", 0, events),)
