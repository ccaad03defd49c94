"""What follows from a message to a cluster."""

from typing import Final, assert_never

from hanami_actors.domain.base import Event, Stamp
from hanami_actors.domain.cluster.decide_direct import decide_direct
from hanami_actors.domain.cluster.events import (
    ClusterCreated,
    ClusterDeleted,
    ClusterEvent,
    CyclesTrained,
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
from hanami_actors.domain.cluster.messages import (
    AbortTask,
    ClusterMessage,
    FailTask,
    FinishTask,
    PauseTask,
    QueueTask,
    RecordCycles,
    RegisterCluster,
    RemoveTask,
    ResumeTask,
    RetireCluster,
    StartTask,
    SuspendTask,
)
from hanami_actors.domain.cluster.state import (
    QUEUE_LEN_MAX,
    TASK_TRANSITIONS,
    TRANSITIONS,
    ClusterMode,
    ClusterState,
    TaskPhase,
    TaskState,
    active_task,
    find_task,
    next_queued_task,
    paused_task,
    queued_count,
)
from hanami_actors.domain.transitions import allows
from hanami_actors.errors import BadRequestError, ConflictError, LimitError, NotFoundError

__all__ = ["decide", "startable_task", "task_not_found"]

_RETRY_AFTER_S: Final = 10
_SEED_MAX: Final = 2**63 - 1
_KINDS: Final = ("train", "request", "save", "load")
_RunningMessage = RecordCycles | SuspendTask | PauseTask | FinishTask | AbortTask | FailTask


def decide(state: ClusterState, message: ClusterMessage, stamp: Stamp) -> tuple[ClusterEvent, ...]:
    """Return the events that follow from the message.

    Progress that is not new gives no event: after a crash a task computes cycles again that were
    recorded before. An abort, a pause, a suspension or a failure in that stretch names the recorded
    cycle, to which the log leads.

    Raises
    ------
    BadRequestError
        A field has a value that is never allowed.
    ConflictError
        The cluster or the task is not in a phase that allows this, or the queue is full.
    NotFoundError
        The cluster or the task does not exist.
    """
    match message:
        case RegisterCluster():
            return (_register(state, message, stamp),)
        case RetireCluster():
            _require_cluster(state)
            return (ClusterDeleted(),)
        case QueueTask():
            _require_cluster(state)
            return (_queue(state, message),)
        case StartTask():
            return (_start(state, message),)
        case ResumeTask():
            _require_task(state, message.task_uuid, TaskResumed, "resumed; only a paused task can")
            return (TaskResumed(task_uuid=message.task_uuid),)
        case RemoveTask():
            return (_remove(state, message.task_uuid),)
        case RecordCycles() | SuspendTask() | PauseTask() | FinishTask() | AbortTask() | FailTask():
            return _decide_running(state, message)
        case _:
            _require_cluster(state)
            return decide_direct(state, message)


def startable_task(state: ClusterState) -> TaskState | None:
    """Return the task whose turn it is now, if the mode and the others let it.

    A paused task holds the queue. Only a save that was asked for during the pause may start then;
    whoever takes that request starts it.
    """
    if state.mode is ClusterMode.DIRECT or active_task(state) or paused_task(state):
        return None
    return next_queued_task(state)


def task_not_found(state: ClusterState, task_uuid: str) -> NotFoundError:
    """Return the error for a task that is not in the list of the cluster."""
    return NotFoundError(
        f"Task with UUID '{task_uuid}' not found in cluster with UUID '{state.uuid}'"
    )


def _require_cluster(state: ClusterState) -> None:
    if not allows(TRANSITIONS, state.phase, ClusterDeleted):
        raise NotFoundError(f"Cluster with uuid '{state.uuid}' not found")


def _register(state: ClusterState, message: RegisterCluster, stamp: Stamp) -> ClusterCreated:
    if not allows(TRANSITIONS, state.phase, ClusterCreated):
        raise ConflictError(f"Cluster with uuid '{message.uuid}' already exists.")
    if not 0 <= message.seed <= _SEED_MAX:
        raise BadRequestError(f"Setting 'seed' is {message.seed}; it must be in 0..{_SEED_MAX}.")
    return ClusterCreated(
        uuid=message.uuid,
        name=message.name,
        owner_id=stamp.who.user_id,
        project_id=stamp.who.project_id,
        template_text=message.template_text,
        template=message.template,
        seed=message.seed,
        host_uuid=message.host_uuid,
    )


def _queue(state: ClusterState, message: QueueTask) -> TaskQueued:
    task = message.task
    if find_task(state, task.uuid) is not None:
        raise ConflictError(
            f"Task with UUID '{task.uuid}' is already in the queue of cluster '{state.uuid}'."
        )
    if task.kind not in _KINDS:
        raise BadRequestError(
            f"Task has kind '{task.kind}'; it must be one of {', '.join(_KINDS)}."
        )
    if (task.kind == "load") != (task.source is not None):
        raise BadRequestError(f"Task '{task.name}' has a source exactly when it loads.")
    if task.cycle_count < 1 and task.kind in {"train", "request"}:
        raise BadRequestError(
            f"Task '{task.name}' has no cycle to run: {task.row_count} rows, time_length "
            f"{task.time_length}, {task.epoch_count} epochs."
        )
    len_max = min(message.queue_len_max, QUEUE_LEN_MAX)
    if queued_count(state) >= len_max:
        raise LimitError(
            f"Cluster with uuid '{state.uuid}' has {len_max} waiting tasks, which is the limit "
            "(setting queued_tasks_max); wait until some of them are finished or delete some.",
            retry_after_s=_RETRY_AFTER_S,
        )
    return TaskQueued(task=task)


def _start(state: ClusterState, message: StartTask) -> TaskStarted:
    entry = _require_task(state, message.task_uuid, TaskStarted, "started")
    if state.mode is ClusterMode.DIRECT:
        raise ConflictError(
            f"Task with UUID '{message.task_uuid}' cannot start while the cluster is in direct mode."
        )
    running = active_task(state) or (None if entry.task.kind == "save" else paused_task(state))
    if running is not None:
        raise ConflictError(
            f"Task with UUID '{message.task_uuid}' cannot start while task "
            f"'{running.task.uuid}' is {running.phase.value}."
        )
    if next_queued_task(state) is not entry:
        raise ConflictError(
            f"Task with UUID '{message.task_uuid}' is not the first in the queue of cluster "
            f"'{state.uuid}'."
        )
    return TaskStarted(task_uuid=message.task_uuid, kernel_version=message.kernel_version)


def _remove(state: ClusterState, task_uuid: str) -> TaskRemoved:
    _require_task(state, task_uuid, TaskRemoved, "removed; abort it first")
    return TaskRemoved(task_uuid=task_uuid)


def _decide_running(state: ClusterState, message: _RunningMessage) -> tuple[ClusterEvent, ...]:
    uuid = message.task_uuid
    match message:
        case RecordCycles(cycle=cycle, figures=figures):
            entry = _require_cycle(state, uuid, CyclesTrained, cycle)
            if cycle <= entry.cycle:
                return ()
            return (CyclesTrained(task_uuid=uuid, cycle=cycle, figures=figures),)
        case SuspendTask(cycle=cycle):
            _require_cycle(state, uuid, TaskSuspended, cycle)
            return (TaskSuspended(task_uuid=uuid, cycle=cycle),)
        case PauseTask(cycle=cycle, digest=digest, figures=figures):
            entry = _require_cycle(state, uuid, TaskPaused, cycle)
            if entry.task.kind != "train":
                raise ConflictError(
                    f"Task with UUID '{uuid}' is of kind '{entry.task.kind}'; only a training can be "
                    "paused."
                )
            return (TaskPaused(task_uuid=uuid, cycle=cycle, digest=digest, figures=figures),)
        case FinishTask():
            return (_finish(state, message),)
        case AbortTask(cycle=cycle, digest=digest, figures=figures):
            entry = _require_cycle(state, uuid, TaskAborted, cycle)
            if entry.phase is TaskPhase.PAUSED and cycle != entry.cycle:
                raise ConflictError(
                    f"Task with UUID '{uuid}' is paused at cycle {entry.cycle}, not at {cycle}."
                )
            return (TaskAborted(task_uuid=uuid, cycle=cycle, digest=digest, figures=figures),)
        case FailTask():
            return (_fail(state, message),)
        case _:
            assert_never(message)


def _finish(state: ClusterState, message: FinishTask) -> TaskFinished:
    entry = _require_cycle(state, message.task_uuid, TaskFinished, message.cycle)
    if message.cycle != entry.task.cycle_count:
        raise ConflictError(
            f"Task with UUID '{message.task_uuid}' has run {message.cycle} of "
            f"{entry.task.cycle_count} cycles and is not finished."
        )
    return TaskFinished(
        task_uuid=message.task_uuid,
        cycle=message.cycle,
        digest=message.digest,
        result=message.result,
        figures=message.figures,
    )


def _fail(state: ClusterState, message: FailTask) -> TaskFailed:
    entry = _require_cycle(state, message.task_uuid, TaskFailed, message.cycle)
    if entry.phase is TaskPhase.QUEUED and message.cycle != 0:
        raise ConflictError(
            f"Task with UUID '{message.task_uuid}' is queued and has run no cycle yet."
        )
    reason = message.reason or "no reason was given"
    return TaskFailed(task_uuid=message.task_uuid, cycle=message.cycle, reason=reason)


def _require_task(
    state: ClusterState, task_uuid: str, event_class: type[Event], what: str
) -> TaskState:
    _require_cluster(state)
    entry = find_task(state, task_uuid)
    if entry is None:
        raise task_not_found(state, task_uuid)
    if not allows(TASK_TRANSITIONS, entry.phase, event_class):
        raise ConflictError(
            f"Task with UUID '{task_uuid}' is {entry.phase.value} and cannot be {what}."
        )
    return entry


def _require_cycle(
    state: ClusterState, task_uuid: str, event_class: type[Event], cycle: int
) -> TaskState:
    what = event_class.TAG.removeprefix("cluster.").replace("_", " ")
    entry = _require_task(state, task_uuid, event_class, f"changed by '{what}'")
    if not 0 <= cycle <= entry.task.cycle_count:
        raise ConflictError(
            f"Task with UUID '{task_uuid}' has {entry.task.cycle_count} cycles; cycle {cycle} is not "
            "one of them."
        )
    return entry
