"""What an event makes of a cluster. Never runs a kernel: arrays are computed from the history."""

from typing import assert_never

from msgspec.structs import replace

from hanami_actors.domain.cluster.events import (
    ClusterCreated,
    ClusterDeleted,
    ClusterEvent,
    CyclesTrained,
    TaskAborted,
    TaskFailed,
    TaskFinished,
    TaskQueued,
    TaskRemoved,
    TaskStarted,
    TaskSuspended,
)
from hanami_actors.domain.cluster.state import (
    TASK_TRANSITIONS,
    TRANSITIONS,
    ClusterPhase,
    ClusterState,
    TaskPhase,
    TaskState,
    TrainedSpan,
)
from hanami_actors.domain.transitions import next_phase
from hanami_actors.errors import ImpossibleEventError
from hanami_actors.types import TimestampUs

__all__ = ["apply"]

_TaskEvent = (
    TaskStarted
    | CyclesTrained
    | TaskSuspended
    | TaskFinished
    | TaskAborted
    | TaskFailed
    | TaskRemoved
)


def apply(state: ClusterState, event: ClusterEvent, time_us: TimestampUs) -> ClusterState:
    """Return the state after the event, which happened at ``time_us``."""
    phase = next_phase(TRANSITIONS, state.phase, event)
    match event:
        case ClusterCreated():
            return _created(event, phase, time_us)
        case ClusterDeleted():
            return replace(state, phase=phase)
        case TaskQueued():
            task_phase = next_phase(TASK_TRANSITIONS, TaskPhase.ABSENT, event)
            entry = TaskState(task=event.task, phase=task_phase, queued_us=time_us)
            return replace(state, tasks=(*state.tasks, entry))
        case _:
            return _apply_to_task(state, event, time_us)


def _created(event: ClusterCreated, phase: ClusterPhase, time_us: TimestampUs) -> ClusterState:
    return ClusterState(
        phase=phase,
        uuid=event.uuid,
        name=event.name,
        owner_id=event.owner_id,
        project_id=event.project_id,
        template_text=event.template_text,
        template=event.template,
        seed=event.seed,
        host_uuid=event.host_uuid,
        created_us=time_us,
    )


def _apply_to_task(state: ClusterState, event: _TaskEvent, time_us: TimestampUs) -> ClusterState:
    index = _index_of(state, event)
    entry = state.tasks[index]
    phase = next_phase(TASK_TRANSITIONS, entry.phase, event)
    match event:
        case TaskRemoved():
            return replace(state, tasks=(*state.tasks[:index], *state.tasks[index + 1 :]))
        case TaskStarted():
            entry = replace(
                entry, phase=phase, started_us=time_us, kernel_version=event.kernel_version
            )
        case CyclesTrained() | TaskSuspended():
            entry = replace(entry, phase=phase, cycle=event.cycle)
        case TaskFinished() | TaskAborted():
            entry = replace(
                entry, phase=phase, ended_us=time_us, cycle=event.cycle, digest=event.digest
            )
        case TaskFailed():
            entry = replace(
                entry, phase=phase, ended_us=time_us, cycle=event.cycle, reason=event.reason
            )
        case _:
            assert_never(event)
    tasks = (*state.tasks[:index], entry, *state.tasks[index + 1 :])
    figures = state.figures
    if isinstance(event, CyclesTrained | TaskFinished | TaskAborted) and event.figures:
        figures = event.figures
    return replace(state, tasks=tasks, history=state.history + _learned(entry), figures=figures)


def _learned(entry: TaskState) -> tuple[TrainedSpan, ...]:
    """Return the span that an ended training adds to the history."""
    ended = entry.phase in {TaskPhase.FINISHED, TaskPhase.ABORTED, TaskPhase.FAILED}
    if not ended or entry.task.kind != "train" or entry.cycle == 0:
        return ()
    return (TrainedSpan(task=entry.task, cycle=entry.cycle, digest=entry.digest),)


def _index_of(state: ClusterState, event: _TaskEvent) -> int:
    for index in range(len(state.tasks) - 1, -1, -1):
        if state.tasks[index].task.uuid == event.task_uuid:
            return index
    raise ImpossibleEventError(
        f"event {event.TAG!r} names task '{event.task_uuid}', which cluster '{state.uuid}' does not "
        "list"
    )
