"""The state of a cluster: who owns it, its queue of tasks and what its network has learned."""

from collections.abc import Mapping
from enum import StrEnum
from itertools import chain
from types import MappingProxyType
from typing import Final

from hanami_actors.domain.base import Event, Value
from hanami_actors.domain.cluster.events import (
    CheckpointTaken,
    ClusterCreated,
    ClusterDeleted,
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
from hanami_actors.domain.cluster.source import Figures, Sizes, Source
from hanami_actors.domain.cluster.template import Template
from hanami_actors.types import TimestampUs

__all__ = [
    "QUEUE_LEN_MAX",
    "TASK_TRANSITIONS",
    "TRANSITIONS",
    "ClusterMode",
    "ClusterPhase",
    "ClusterState",
    "Session",
    "TaskPhase",
    "TaskState",
    "TrainedSpan",
    "active_task",
    "find_task",
    "initial",
    "invariants",
    "learned_sizes",
    "next_queued_task",
    "paused_task",
    "queued_count",
    "sizes_of_task",
    "sizes_to_come",
    "template_at_end",
    "widest",
]

QUEUE_LEN_MAX: Final = 1000
"""Tasks of one cluster that may wait at the same time."""


class ClusterPhase(StrEnum):
    """Where a cluster is in its life."""

    ABSENT = "absent"
    ALIVE = "alive"
    DELETED = "deleted"


class ClusterMode(StrEnum):
    """What trains a cluster: the values are those of the contract."""

    TASK = "TASK"
    DIRECT = "DIRECT"


class TaskPhase(StrEnum):
    """Where a task is in its life; the values are what clients see as ``state``."""

    ABSENT = "absent"
    QUEUED = "queued"
    ACTIVE = "active"
    PAUSED = "paused"
    FINISHED = "finished"
    ABORTED = "aborted"
    FAILED = "failed"


_ALIVE = ClusterPhase.ALIVE
_OPEN = frozenset({TaskPhase.QUEUED, TaskPhase.ACTIVE, TaskPhase.PAUSED})

TRANSITIONS: Final[Mapping[tuple[ClusterPhase, type[Event]], ClusterPhase]] = MappingProxyType(
    {
        (ClusterPhase.ABSENT, ClusterCreated): _ALIVE,
        (_ALIVE, ClusterRenamed): _ALIVE,
        (_ALIVE, ClusterRestored): _ALIVE,
        (_ALIVE, CheckpointTaken): _ALIVE,
        (_ALIVE, ModeChanged): _ALIVE,
        (_ALIVE, HostSwitched): _ALIVE,
        (_ALIVE, SessionOpened): _ALIVE,
        (_ALIVE, SamplesTrained): _ALIVE,
        (_ALIVE, SessionClosed): _ALIVE,
        (_ALIVE, TaskQueued): _ALIVE,
        (_ALIVE, TaskStarted): _ALIVE,
        (_ALIVE, CyclesTrained): _ALIVE,
        (_ALIVE, TaskSuspended): _ALIVE,
        (_ALIVE, TaskPaused): _ALIVE,
        (_ALIVE, TaskResumed): _ALIVE,
        (_ALIVE, TaskFinished): _ALIVE,
        (_ALIVE, TaskAborted): _ALIVE,
        (_ALIVE, TaskFailed): _ALIVE,
        (_ALIVE, TaskRemoved): _ALIVE,
        (_ALIVE, ClusterDeleted): ClusterPhase.DELETED,
    }
)

TASK_TRANSITIONS: Final[Mapping[tuple[TaskPhase, type[Event]], TaskPhase]] = MappingProxyType(
    {
        (TaskPhase.ABSENT, TaskQueued): TaskPhase.QUEUED,
        (TaskPhase.QUEUED, TaskStarted): TaskPhase.ACTIVE,
        (TaskPhase.QUEUED, TaskFailed): TaskPhase.FAILED,
        (TaskPhase.QUEUED, TaskRemoved): TaskPhase.ABSENT,
        (TaskPhase.ACTIVE, CyclesTrained): TaskPhase.ACTIVE,
        (TaskPhase.ACTIVE, TaskSuspended): TaskPhase.ACTIVE,
        (TaskPhase.ACTIVE, TaskPaused): TaskPhase.PAUSED,
        (TaskPhase.PAUSED, TaskResumed): TaskPhase.ACTIVE,
        (TaskPhase.PAUSED, TaskAborted): TaskPhase.ABORTED,
        (TaskPhase.ACTIVE, TaskFinished): TaskPhase.FINISHED,
        (TaskPhase.ACTIVE, TaskAborted): TaskPhase.ABORTED,
        (TaskPhase.ACTIVE, TaskFailed): TaskPhase.FAILED,
        (TaskPhase.FINISHED, TaskRemoved): TaskPhase.ABSENT,
        (TaskPhase.ABORTED, TaskRemoved): TaskPhase.ABSENT,
        (TaskPhase.FAILED, TaskRemoved): TaskPhase.ABSENT,
    }
)


class TaskState(Value, frozen=True, kw_only=True):
    """A task in the list of a cluster.

    Attributes
    ----------
    queued_us, started_us, ended_us : TimestampUs
        0 when it has not come to that.
    cycle : int
        Last recorded cycle, for progress; at the end the number of cycles that were run.
    digest : str
        State of the network at the end or at the pause, empty if unknown.
    reason : str
        Why it failed.
    kernel_version : int
        Of the kernels that started it, 0 before.
    """

    task: Task
    phase: TaskPhase = TaskPhase.QUEUED
    queued_us: TimestampUs = TimestampUs(0)
    started_us: TimestampUs = TimestampUs(0)
    ended_us: TimestampUs = TimestampUs(0)
    cycle: int = 0
    digest: str = ""
    reason: str = ""
    kernel_version: int = 0


class TrainedSpan(Value, frozen=True, kw_only=True):
    """A stretch of what the network has learned.

    Attributes
    ----------
    task : Task
        A training, or what stands for a direct session (kind ``direct``).
    cycle : int
        Cycles of the task that were run.
    digest : str
        State of the network afterwards, empty if unknown.
    inputs, outputs : tuple of (name, number of values)
        Sizes that a direct session brought; those of a training follow from its bindings.
    """

    task: Task
    cycle: int
    digest: str = ""
    inputs: Sizes = ()
    outputs: Sizes = ()


class Session(Value, frozen=True, kw_only=True):
    """The connection that may train.

    Attributes
    ----------
    uuid, connection_uuid : str
    """

    uuid: str
    connection_uuid: str


class ClusterState(Value, frozen=True, kw_only=True):
    """A cluster.

    Attributes
    ----------
    mode : ClusterMode
    tasks : tuple of TaskState
        In the order of the queue, without those that were removed.
    base : Source or None
        Where the history begins, if the cluster was restored.
    history : tuple of TrainedSpan
        All the network has learned since, in order; removing a task does not shorten it.
    session : Session or None
        Who trains in direct mode.
    figures : tuple of (name, value)
        Newest recorded metrics of the network.
    """

    phase: ClusterPhase = ClusterPhase.ABSENT
    uuid: str = ""
    name: str = ""
    owner_id: str = ""
    project_id: str = ""
    template_text: str = ""
    template: Template = Template(hexagons=())
    seed: int = 0
    host_uuid: str = ""
    created_us: TimestampUs = TimestampUs(0)
    mode: ClusterMode = ClusterMode.TASK
    tasks: tuple[TaskState, ...] = ()
    base: Source | None = None
    history: tuple[TrainedSpan, ...] = ()
    session: Session | None = None
    figures: Figures = ()

    @property
    def alive(self) -> bool:
        """Whether it can be used."""
        return self.phase is ClusterPhase.ALIVE


def initial() -> ClusterState:
    """Return the state before the first event."""
    return ClusterState()


def find_task(state: ClusterState, task_uuid: str) -> TaskState | None:
    """Return the task with this uuid; the newest are looked at first."""
    for entry in reversed(state.tasks):
        if entry.task.uuid == task_uuid:
            return entry
    return None


def active_task(state: ClusterState) -> TaskState | None:
    """Return the task that computes, or that goes on after a restart."""
    for entry in reversed(state.tasks):
        if entry.phase is TaskPhase.ACTIVE:
            return entry
    return None


def paused_task(state: ClusterState) -> TaskState | None:
    """Return the task that waits for its user, and with it the whole queue."""
    for entry in reversed(state.tasks):
        if entry.phase is TaskPhase.PAUSED:
            return entry
    return None


def next_queued_task(state: ClusterState) -> TaskState | None:
    """Return the task whose turn it is when none is active."""
    for entry in state.tasks:
        if entry.phase is TaskPhase.QUEUED:
            return entry
    return None


def queued_count(state: ClusterState) -> int:
    """Return how many tasks wait."""
    return sum(entry.phase is TaskPhase.QUEUED for entry in state.tasks)


def template_at_end(state: ClusterState) -> Template:
    """Return the template that a task queued now will meet: what is loaded before it counts."""
    for entry in reversed(state.tasks):
        if entry.phase in _OPEN and entry.task.source is not None:
            return entry.task.source.template
    return state.template


def learned_sizes(state: ClusterState) -> tuple[dict[str, int], dict[str, int]]:
    """Return the sizes of the named inputs and outputs after all recorded training.

    Returns
    -------
    inputs, outputs : dict of str to int
        Values of one sample; names that were never trained are missing.
    """
    parts = [sizes_of_task(span.task) for span in state.history]
    parts += [(span.inputs, span.outputs) for span in state.history]
    parts += [
        sizes_of_task(entry.task)
        for entry in state.tasks
        if entry.phase in {TaskPhase.ACTIVE, TaskPhase.PAUSED} and entry.cycle
    ]
    if state.base is not None:
        parts.append((state.base.inputs, state.base.outputs))
    return (
        dict(widest(*(inputs for inputs, _ in parts))),
        dict(widest(*(outputs for _, outputs in parts))),
    )


def sizes_of_task(task: Task) -> tuple[Sizes, Sizes]:
    """Return the sizes that a task gives inputs and outputs."""
    inputs = ((b.hexagon_name, (b.end - b.start) * task.time_length) for b in task.inputs)
    outputs = ((b.hexagon_name, b.end - b.start) for b in task.outputs)
    return tuple(inputs), tuple(outputs)


def widest(*sizes: Sizes) -> Sizes:
    """Return the largest size of each name, sorted."""
    merged: dict[str, int] = {}
    for name, count in chain.from_iterable(sizes):
        merged[name] = max(count, merged.get(name, 0))
    return tuple(sorted(merged.items()))


def sizes_to_come(state: ClusterState) -> tuple[dict[str, int], dict[str, int]]:
    """Return the sizes of inputs and outputs that a task queued now will meet at its turn.

    What is queued before counts: a training and a request can be created right after each other.
    """
    parts = []
    for entry in reversed(state.tasks):
        # What is loaded decides, whatever was learned until then.
        if entry.phase in _OPEN and entry.task.source is not None:
            parts.append((entry.task.source.inputs, entry.task.source.outputs))
            break
        if entry.phase in _OPEN and entry.task.kind == "train":
            parts.append(sizes_of_task(entry.task))
    else:
        inputs, outputs = learned_sizes(state)
        parts.append((tuple(inputs.items()), tuple(outputs.items())))
    return (
        dict(widest(*(inputs for inputs, _ in parts))),
        dict(widest(*(outputs for _, outputs in parts))),
    )


def invariants(state: ClusterState) -> None:
    """Assert what always holds.

    Raises
    ------
    AssertionError
    """
    if state.phase is ClusterPhase.ABSENT:
        assert not state.tasks, "no task before the cluster"
        assert not state.history, "no history before the cluster"
    uuids = [entry.task.uuid for entry in state.tasks]
    assert len(set(uuids)) == len(uuids), "a task is listed once"
    phases = [entry.phase for entry in state.tasks]
    # A save may happen during a pause.
    working = [entry.phase for entry in state.tasks if entry.task.kind != "save"]
    busy = working.count(TaskPhase.ACTIVE) + working.count(TaskPhase.PAUSED)
    assert busy <= 1, "one task at a time"
    assert phases.count(TaskPhase.ACTIVE) <= 1, "one task at a time"
    assert state.mode is ClusterMode.TASK or busy == 0, "no task is computed in direct mode"
    assert state.session is None or state.mode is ClusterMode.DIRECT, "sessions need direct mode"
    if TaskPhase.QUEUED in phases:
        waiting = phases[phases.index(TaskPhase.QUEUED) :]
        assert set(waiting) <= {TaskPhase.QUEUED, TaskPhase.FAILED}, "first in, first out"
    assert phases.count(TaskPhase.QUEUED) <= QUEUE_LEN_MAX, "the queue is bounded"
    for entry in state.tasks:
        _task_invariants(entry)
    for span in state.history:
        assert span.task.kind in {"train", "direct"}, "only training is learned"
        assert 1 <= span.cycle <= span.task.cycle_count, "a span has cycles of its task"


def _task_invariants(entry: TaskState) -> None:
    assert entry.phase is not TaskPhase.ABSENT, "a removed task is not listed"
    assert 0 <= entry.cycle <= entry.task.cycle_count, "progress lies within the task"
    ended = entry.phase in {TaskPhase.FINISHED, TaskPhase.ABORTED, TaskPhase.FAILED}
    assert ended == (entry.ended_us > 0), "a time of ending belongs to an ended task"
    if entry.phase is TaskPhase.PAUSED:
        assert entry.task.kind == "train", "only a training can be paused"
    if entry.phase is TaskPhase.QUEUED:
        assert entry.started_us == 0, "a waiting task has not started"
        assert entry.cycle == 0, "a waiting task has run nothing"
    if entry.phase is TaskPhase.FINISHED:
        assert entry.cycle == entry.task.cycle_count, "a finished task has run all its cycles"
    assert entry.phase is not TaskPhase.FAILED or entry.reason, "a failure has a reason"
