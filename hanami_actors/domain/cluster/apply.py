"""What an event makes of a cluster. Never runs a kernel: arrays are computed from the history."""

from typing import assert_never

from msgspec.structs import replace

from hanami_actors.domain.cluster.events import (
    CheckpointTaken,
    ClusterCreated,
    ClusterDeleted,
    ClusterEvent,
    ClusterRenamed,
    ClusterRestored,
    CyclesTrained,
    HostSwitched,
    ModeChanged,
    SamplesTrained,
    SessionClosed,
    SessionOpened,
    Task,
    TaskAborted,
    TaskFailed,
    TaskFinished,
    TaskPaused,
    TaskQueued,
    TaskRemoved,
    TaskResumed,
    TaskStarted,
    TaskSuspended,
)
from hanami_actors.domain.cluster.state import (
    TASK_TRANSITIONS,
    TRANSITIONS,
    ClusterMode,
    ClusterPhase,
    ClusterState,
    Session,
    TaskPhase,
    TaskState,
    TrainedSpan,
    widest,
)
from hanami_actors.domain.transitions import next_phase
from hanami_actors.errors import ImpossibleEventError
from hanami_actors.types import TimestampUs

__all__ = ["apply"]

_TaskEvent = (
    TaskStarted
    | CyclesTrained
    | TaskSuspended
    | TaskPaused
    | TaskResumed
    | TaskFinished
    | TaskAborted
    | TaskFailed
    | TaskRemoved
)
_ClusterEvent = (
    ClusterRenamed
    | ClusterRestored
    | CheckpointTaken
    | ModeChanged
    | HostSwitched
    | SessionOpened
    | SamplesTrained
    | SessionClosed
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
        case (
            TaskStarted()
            | CyclesTrained()
            | TaskSuspended()
            | TaskPaused()
            | TaskResumed()
            | TaskFinished()
            | TaskAborted()
            | TaskFailed()
            | TaskRemoved()
        ):
            return _apply_to_task(state, event, time_us)
        case _:
            return _apply_to_cluster(state, event)


def _apply_to_cluster(state: ClusterState, event: _ClusterEvent) -> ClusterState:
    match event:
        case ClusterRenamed():
            return replace(state, name=event.name)
        case ClusterRestored():
            return _restored(state, event)
        case CheckpointTaken():
            return state
        case ModeChanged():
            return _mode_changed(state, event)
        case HostSwitched():
            return replace(state, host_uuid=event.host_uuid)
        case SessionOpened():
            session = Session(uuid=event.session_uuid, connection_uuid=event.connection_uuid)
            return replace(state, session=session)
        case SamplesTrained():
            return _samples_trained(state, event)
        case SessionClosed():
            return _session_closed(state, event)
        case _:
            assert_never(event)


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


def _restored(state: ClusterState, event: ClusterRestored) -> ClusterState:
    source = event.source
    return replace(
        state,
        template_text=source.template_text,
        template=source.template,
        seed=source.seed,
        base=source,
        history=(),
        figures=source.figures,
    )


def _mode_changed(state: ClusterState, event: ModeChanged) -> ClusterState:
    if event.is_direct:
        return replace(state, mode=ClusterMode.DIRECT)
    return replace(state, mode=ClusterMode.TASK, session=None)


def _samples_trained(state: ClusterState, event: SamplesTrained) -> ClusterState:
    known, history = None, state.history
    if history and history[-1].task.uuid == event.session_uuid:
        known, history = history[-1], history[:-1]
    step = event.start + event.count
    task = Task(
        uuid=event.session_uuid,
        kind="direct",
        name=state.session.connection_uuid if state.session else known.task.name if known else "",
        row_count=step,
        user_id=state.owner_id,
        project_id=state.project_id,
    )
    span = TrainedSpan(
        task=task,
        cycle=step,
        inputs=widest(known.inputs if known else (), event.inputs),
        outputs=widest(known.outputs if known else (), event.outputs),
    )
    return replace(state, history=(*history, span), figures=event.figures or state.figures)


def _session_closed(state: ClusterState, event: SessionClosed) -> ClusterState:
    history = state.history
    if event.digest and history and history[-1].task.uuid == event.session_uuid:
        history = (*history[:-1], replace(history[-1], digest=event.digest))
    return replace(state, session=None, history=history, figures=event.figures or state.figures)


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
        case TaskResumed():
            entry = replace(entry, phase=phase, digest="")
        case CyclesTrained() | TaskSuspended():
            entry = replace(entry, phase=phase, cycle=event.cycle)
        case TaskPaused():
            entry = replace(entry, phase=phase, cycle=event.cycle, digest=event.digest)
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
    if not isinstance(event, TaskStarted | TaskResumed | TaskSuspended | TaskFailed):
        figures = event.figures or figures
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
