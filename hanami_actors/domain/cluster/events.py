"""What happens to a cluster. Stream ``cluster/<uuid>``. A training cycle is not an event."""

from typing import ClassVar

from hanami_actors.domain.base import Event, Value
from hanami_actors.domain.cluster.template import Template
from hanami_actors.domain.dataset.events import ColumnFile, DatasetContent

__all__ = [
    "Binding",
    "ClusterCreated",
    "ClusterDeleted",
    "ClusterEvent",
    "CyclesTrained",
    "Figures",
    "ResultBinding",
    "Task",
    "TaskAborted",
    "TaskFailed",
    "TaskFinished",
    "TaskQueued",
    "TaskRemoved",
    "TaskStarted",
    "TaskSuspended",
]


Figures = tuple[tuple[str, float], ...]
"""Metrics of a network by name: blocks, sections, running error …; sorted."""


class Binding(Value, frozen=True, kw_only=True):
    """Which bytes feed a named input or are expected at a named output.

    Holds all that is needed to compute again, also after the dataset is deleted.

    Attributes
    ----------
    hexagon_name : str
        Name of the input or output in the template.
    dataset_uuid, dataset_column : str
        As the client named them.
    file : ColumnFile
    start, end : int
        Column range within the file.
    """

    hexagon_name: str
    dataset_uuid: str
    dataset_column: str
    file: ColumnFile
    start: int
    end: int


class ResultBinding(Value, frozen=True, kw_only=True):
    """Which output of the network becomes which column of the result dataset."""

    hexagon_name: str
    dataset_column: str


class Task(Value, frozen=True, kw_only=True):
    """An entry of the queue.

    Attributes
    ----------
    kind : str
        ``train`` or ``request``.
    inputs : tuple of Binding
    outputs : tuple of Binding
        Expected values; empty for a request.
    results : tuple of ResultBinding
        Empty for a training. The result dataset has the uuid and the name of the task.
    row_count : int
        Rows of the smallest dataset.
    time_length : int
        Rows that make one input.
    epoch_count : int
        Passes over the rows; 1 for a request.
    user_id, project_id : str
        Who asked, the owner of the result.
    """

    uuid: str
    kind: str
    name: str
    inputs: tuple[Binding, ...]
    outputs: tuple[Binding, ...] = ()
    results: tuple[ResultBinding, ...] = ()
    row_count: int
    time_length: int = 1
    epoch_count: int = 1
    user_id: str
    project_id: str

    @property
    def cycles_per_epoch(self) -> int:
        """Cycles that one pass runs."""
        return self.row_count - self.time_length + 1

    @property
    def cycle_count(self) -> int:
        """Cycles that the whole task runs."""
        return self.cycles_per_epoch * self.epoch_count

    @property
    def shown_cycle_count(self) -> int:
        """What clients see as ``total_number_of_cycles``: rows times epochs."""
        return self.row_count * self.epoch_count


class ClusterCreated(Event, frozen=True, kw_only=True):
    """A cluster exists; its network is empty.

    Attributes
    ----------
    template_text : str
        As the user wrote it.
    template : Template
        As it was understood, with complete settings.
    seed : int
        Drawn once; training of the same samples gives the same bytes.
    host_uuid : str
    """

    TAG: ClassVar[str] = "cluster.created"

    uuid: str
    name: str
    owner_id: str
    project_id: str
    template_text: str
    template: Template
    seed: int
    host_uuid: str


class ClusterDeleted(Event, frozen=True, kw_only=True):
    """The cluster is gone; its name is free."""

    TAG: ClassVar[str] = "cluster.deleted"


class TaskQueued(Event, frozen=True, kw_only=True):
    """A task waits for its turn."""

    TAG: ClassVar[str] = "cluster.task_queued"

    task: Task


class TaskStarted(Event, frozen=True, kw_only=True):
    """The task computes."""

    TAG: ClassVar[str] = "cluster.task_started"

    task_uuid: str
    kernel_version: int


class CyclesTrained(Event, frozen=True, kw_only=True):
    """Progress, nothing else: the state at any cycle can be computed again.

    Attributes
    ----------
    figures : tuple of (name, value)
        Metrics of the network at that cycle.
    """

    TAG: ClassVar[str] = "cluster.cycles_trained"

    task_uuid: str
    cycle: int
    figures: Figures = ()


class TaskSuspended(Event, frozen=True, kw_only=True):
    """The server stopped in an orderly way; the task goes on at the next start."""

    TAG: ClassVar[str] = "cluster.task_suspended"

    task_uuid: str
    cycle: int


class TaskFinished(Event, frozen=True, kw_only=True):
    """The task has run all its cycles.

    Attributes
    ----------
    cycle : int
        Cycles of this task that were run.
    digest : str
        State of the network afterwards.
    result : DatasetContent or None
        Filled columns of the result dataset of a request.
    figures : tuple of (name, value)
        Metrics of the network afterwards.
    """

    TAG: ClassVar[str] = "cluster.task_finished"

    task_uuid: str
    cycle: int
    digest: str
    result: DatasetContent | None = None
    figures: Figures = ()


class TaskAborted(Event, frozen=True, kw_only=True):
    """The task was stopped by its user at a recorded cycle, so it replays too."""

    TAG: ClassVar[str] = "cluster.task_aborted"

    task_uuid: str
    cycle: int
    digest: str
    figures: Figures = ()


class TaskFailed(Event, frozen=True, kw_only=True):
    """The task cannot go on."""

    TAG: ClassVar[str] = "cluster.task_failed"

    task_uuid: str
    cycle: int
    reason: str


class TaskRemoved(Event, frozen=True, kw_only=True):
    """An ended or queued task was taken off the list; what it trained stays."""

    TAG: ClassVar[str] = "cluster.task_removed"

    task_uuid: str


ClusterEvent = (
    ClusterCreated
    | ClusterDeleted
    | TaskQueued
    | TaskStarted
    | CyclesTrained
    | TaskSuspended
    | TaskFinished
    | TaskAborted
    | TaskFailed
    | TaskRemoved
)
