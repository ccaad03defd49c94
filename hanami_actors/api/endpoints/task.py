"""Tasks of a cluster: train, request, look at, list, abort or remove."""

from typing import Annotated

import msgspec
from msgspec import Meta

from hanami_actors.actors.cluster.messages import AbortTask, PauseTask, ResumeTask
from hanami_actors.actors.gateway import DeleteTask, GetTask, ListTasks, Target, TargetKind
from hanami_actors.api.context import Context
from hanami_actors.api.endpoints.cluster import require_cluster
from hanami_actors.api.replies import ListReply
from hanami_actors.api.table.effects import Effects
from hanami_actors.api.table.endpoint import EVERYBODY, Endpoint, Nothing
from hanami_actors.api.table.fields import ResourceName, UuidText
from hanami_actors.domain.base import Message, format_timestamp
from hanami_actors.domain.cluster.events import TaskQueued
from hanami_actors.domain.cluster.messages import (
    CreateRequestTask,
    CreateTrainTask,
    InputBinding,
    OutputBinding,
)
from hanami_actors.domain.cluster.resolve import (
    COLUMN_NAME_LEN_MAX,
    EPOCH_COUNT_MAX,
    TIME_LENGTH_MAX,
)
from hanami_actors.domain.cluster.state import TaskState
from hanami_actors.domain.cluster.views import NOT_YET, TaskView, queued_view
from hanami_actors.errors import BadRequestError, ConflictError, LimitError, NotFoundError
from hanami_actors.types import TimestampUs

__all__ = ["ROWS", "TaskReply"]

HEADER = ["uuid", "state", "percentage", "queued", "start", "end"]
BINDINGS_MAX = 1000

ShortText = Annotated[str, Meta(max_length=COLUMN_NAME_LEN_MAX)]
TimeLength = Annotated[int, Meta(ge=1, le=TIME_LENGTH_MAX)]
EpochCount = Annotated[int, Meta(ge=1, le=EPOCH_COUNT_MAX)]


class Source(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A column of a dataset for a named input or output."""

    hexagon_name: ShortText
    dataset_uuid: UuidText
    dataset_column: ShortText


class Sink(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A named output for a column of the result."""

    hexagon_name: ShortText
    dataset_column: ShortText


Sources = Annotated[tuple[Source, ...], Meta(min_length=1, max_length=BINDINGS_MAX)]
Sinks = Annotated[tuple[Sink, ...], Meta(min_length=1, max_length=BINDINGS_MAX)]


class NewTrainTask(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """``number_of_epochs`` is ours: passes over the rows."""

    name: ResourceName
    cluster_uuid: UuidText
    inputs: Sources
    outputs: Sources
    time_length: TimeLength = 1
    number_of_epochs: EpochCount = 1


class NewRequestTask(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The result is a dataset with the uuid and the name of the task."""

    name: ResourceName
    cluster_uuid: UuidText
    inputs: Sources
    results: Sinks
    time_length: TimeLength = 1


class OneTask(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Names a task of a cluster."""

    uuid: UuidText
    cluster_uuid: UuidText


class TasksOfCluster(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Names a cluster."""

    cluster_uuid: UuidText


class TaskReply(msgspec.Struct, frozen=True, kw_only=True):
    """A task; ``reason`` says why it failed, ``digest`` names the state of the network after it.

    ``estimated_end_timestamp`` is ``-`` unless the task computes and its speed is known.
    """

    current_cycle: int
    digest: str
    end_timestamp: str
    estimated_end_timestamp: str
    name: str
    percentage_finished: float
    queue_timestamp: str
    reason: str
    start_timestamp: str
    state: str
    total_number_of_cycles: int
    uuid: str


def task_reply(view: TaskView, now_us: TimestampUs) -> TaskReply:
    """Return a task as it is shown at a time, from which its end is estimated."""
    estimated = NOT_YET
    if view.seconds_left is not None:
        estimated = format_timestamp(now_us + int(view.seconds_left * 1e6))
    return TaskReply(
        current_cycle=view.current_cycle,
        digest=view.digest,
        end_timestamp=view.end_timestamp,
        estimated_end_timestamp=estimated,
        name=view.name,
        percentage_finished=view.percentage_finished,
        queue_timestamp=view.queue_timestamp,
        reason=view.reason,
        start_timestamp=view.start_timestamp,
        state=view.state,
        total_number_of_cycles=view.total_number_of_cycles,
        uuid=view.uuid,
    )


def first_task(effects: Effects) -> TaskReply:
    """Return a task as it was queued."""
    event, time_us = effects.first(TaskQueued)
    return task_reply(queued_view(TaskState(task=event.task, queued_us=time_us)), time_us)


async def create_train_task(context: Context, request: NewTrainTask) -> TaskReply:
    """Queue a training."""
    message = CreateTrainTask(
        name=request.name,
        inputs=_input_bindings(request.inputs),
        outputs=_input_bindings(request.outputs),
        time_length=request.time_length,
        epoch_count=request.number_of_epochs,
    )
    return await _ask(context, request.cluster_uuid, message)


async def create_request_task(context: Context, request: NewRequestTask) -> TaskReply:
    """Queue a request."""
    message = CreateRequestTask(
        name=request.name,
        inputs=_input_bindings(request.inputs),
        results=tuple(
            OutputBinding(dataset_column=sink.dataset_column, hexagon_name=sink.hexagon_name)
            for sink in request.results
        ),
        time_length=request.time_length,
    )
    return await _ask(context, request.cluster_uuid, message)


async def get_task(context: Context, request: OneTask) -> TaskReply:
    """Look at a task."""
    return await _ask(context, request.cluster_uuid, GetTask(task_uuid=request.uuid))


async def list_tasks(context: Context, request: TasksOfCluster) -> ListReply:
    """List the tasks of a cluster, sorted by uuid; all cells are texts."""
    target = _cluster(context, request.cluster_uuid)
    views: tuple[TaskView, ...] = await context.ask(target, ListTasks())
    rows = [
        [
            view.uuid,
            view.state,
            f"{view.percentage_finished:f}",
            view.queue_timestamp,
            view.start_timestamp,
            view.end_timestamp,
        ]
        for view in views
    ]
    rows.sort()
    return ListReply(header=HEADER, body=rows)


async def pause_task(context: Context, request: OneTask) -> TaskReply:
    """Stop an active training at a recorded cycle; the queue waits until it goes on or is aborted."""
    return await _ask(context, request.cluster_uuid, PauseTask(task_uuid=request.uuid))


async def resume_task(context: Context, request: OneTask) -> TaskReply:
    """Let a paused training go on."""
    return await _ask(context, request.cluster_uuid, ResumeTask(task_uuid=request.uuid))


async def abort_task(context: Context, request: OneTask) -> TaskReply:
    """End an active or paused task at a recorded cycle; what it learned stays."""
    return await _ask(context, request.cluster_uuid, AbortTask(task_uuid=request.uuid))


async def delete_task(context: Context, request: OneTask) -> Nothing:
    """Abort an active task, take any other off the list."""
    target = _cluster(context, request.cluster_uuid)
    await context.ask(target, DeleteTask(task_uuid=request.uuid))
    return Nothing()


def _cluster(context: Context, uuid: str) -> Target:
    return Target(kind=TargetKind.CLUSTER, key=require_cluster(context, uuid).uuid)


async def _ask(context: Context, cluster_uuid: str, message: Message) -> TaskReply:
    """Ask a cluster for something that it answers with a task."""
    view = await context.ask(_cluster(context, cluster_uuid), message)
    return task_reply(view, context.services.gateway.clock.now_us())


def _input_bindings(sources: tuple[Source, ...]) -> tuple[InputBinding, ...]:
    return tuple(
        InputBinding(
            dataset_uuid=source.dataset_uuid,
            dataset_column=source.dataset_column,
            hexagon_name=source.hexagon_name,
        )
        for source in sources
    )


ROWS = (
    Endpoint(
        name="create_train_task",
        method="POST",
        path="task/train",
        summary="Queue a training of a cluster with columns of datasets.",
        access=EVERYBODY,
        request=NewTrainTask,
        reply=TaskReply,
        errors=(NotFoundError, BadRequestError, ConflictError, LimitError),
        handler=create_train_task,
        first_answer=first_task,
    ),
    Endpoint(
        name="create_request_task",
        method="POST",
        path="task/request",
        summary="Queue a request; the outputs become a dataset.",
        access=EVERYBODY,
        request=NewRequestTask,
        reply=TaskReply,
        errors=(NotFoundError, BadRequestError, ConflictError, LimitError),
        handler=create_request_task,
        first_answer=first_task,
    ),
    Endpoint(
        name="get_task",
        method="GET",
        path="task",
        summary="Look at a task.",
        access=EVERYBODY,
        request=OneTask,
        reply=TaskReply,
        errors=(NotFoundError,),
        handler=get_task,
    ),
    Endpoint(
        name="list_tasks",
        method="GET",
        path="task/all",
        summary="List the tasks of a cluster.",
        access=EVERYBODY,
        request=TasksOfCluster,
        reply=ListReply,
        errors=(NotFoundError,),
        handler=list_tasks,
    ),
    Endpoint(
        name="delete_task",
        method="DELETE",
        path="task",
        summary="Abort an active task, or take any other off the list.",
        access=EVERYBODY,
        request=OneTask,
        reply=Nothing,
        errors=(NotFoundError,),
        handler=delete_task,
    ),
    Endpoint(
        name="pause_task",
        method="PUT",
        path="task/pause",
        summary="Stop an active training so that it can go on.",
        access=EVERYBODY,
        request=OneTask,
        reply=TaskReply,
        errors=(NotFoundError, ConflictError),
        handler=pause_task,
        in_contract=False,
    ),
    Endpoint(
        name="resume_task",
        method="PUT",
        path="task/resume",
        summary="Let a paused training go on.",
        access=EVERYBODY,
        request=OneTask,
        reply=TaskReply,
        errors=(NotFoundError, ConflictError),
        handler=resume_task,
        in_contract=False,
    ),
    Endpoint(
        name="abort_task",
        method="PUT",
        path="task/abort",
        summary="End an active or paused task where it is.",
        access=EVERYBODY,
        request=OneTask,
        reply=TaskReply,
        errors=(NotFoundError, ConflictError),
        handler=abort_task,
        in_contract=False,
    ),
)
