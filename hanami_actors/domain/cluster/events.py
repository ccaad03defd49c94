"""What happens to a cluster. Stream ``cluster/<uuid>``. A training cycle is not an event."""

from typing import ClassVar

from hanami_actors.domain.base import Event
from hanami_actors.domain.cluster.source import Figures, Sizes, Source
from hanami_actors.domain.cluster.task import Binding, ResultBinding, Task
from hanami_actors.domain.cluster.template import Template
from hanami_actors.domain.dataset.events import DatasetContent

__all__ = [
    "Binding",
    "CheckpointTaken",
    "ClusterCreated",
    "ClusterDeleted",
    "ClusterEvent",
    "ClusterRenamed",
    "ClusterRestored",
    "CyclesTrained",
    "Figures",
    "HostSwitched",
    "ModeChanged",
    "ResultBinding",
    "SamplesTrained",
    "SessionClosed",
    "SessionOpened",
    "Task",
    "TaskAborted",
    "TaskFailed",
    "TaskFinished",
    "TaskPaused",
    "TaskQueued",
    "TaskRemoved",
    "TaskResumed",
    "TaskStarted",
    "TaskSuspended",
]


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


class TaskPaused(Event, frozen=True, kw_only=True):
    """The task stopped at a recorded cycle and goes on when its user wishes it."""

    TAG: ClassVar[str] = "cluster.task_paused"

    task_uuid: str
    cycle: int
    digest: str
    figures: Figures = ()


class TaskResumed(Event, frozen=True, kw_only=True):
    """The paused task computes again, as if there had been no pause."""

    TAG: ClassVar[str] = "cluster.task_resumed"

    task_uuid: str


class CheckpointTaken(Event, frozen=True, kw_only=True):
    """A checkpoint names this moment; it keeps what leads here readable while it lives.

    Attributes
    ----------
    version : int
        Events of this stream that tell the history.
    span_uuid, cycle, digest
        As in `Source`.
    """

    TAG: ClassVar[str] = "cluster.checkpoint_taken"

    checkpoint_uuid: str
    name: str
    version: int
    span_uuid: str = ""
    cycle: int = 0
    digest: str = ""


class ClusterRestored(Event, frozen=True, kw_only=True):
    """The network is what it was at another moment, of this or another cluster."""

    TAG: ClassVar[str] = "cluster.restored"

    source: Source


class ModeChanged(Event, frozen=True, kw_only=True):
    """Tasks run, or (``is_direct``) samples come one by one."""

    TAG: ClassVar[str] = "cluster.mode_changed"

    is_direct: bool


class HostSwitched(Event, frozen=True, kw_only=True):
    """The network was moved to another host.

    Attributes
    ----------
    task_uuid : str
        The task that was being computed, empty when none was.
    cycle : int
        Its cycle at the move.
    """

    TAG: ClassVar[str] = "cluster.host_switched"

    host_uuid: str
    task_uuid: str = ""
    cycle: int = 0


class ClusterRenamed(Event, frozen=True, kw_only=True):
    """The cluster has another name; the old one is free."""

    TAG: ClassVar[str] = "cluster.renamed"

    name: str


class SessionOpened(Event, frozen=True, kw_only=True):
    """A connection may train this cluster sample by sample.

    Attributes
    ----------
    session_uuid : str
        Names this stretch of training.
    connection_uuid : str
        As the handshake told the client.
    """

    TAG: ClassVar[str] = "cluster.session_opened"

    session_uuid: str
    connection_uuid: str


class SamplesTrained(Event, frozen=True, kw_only=True):
    """Samples that a session trained, as the network got them, so that they can be trained again.

    Attributes
    ----------
    start, count : int
        Steps of the session before these, and how many these are.
    blob : str
        Digest of their bytes; empty when they are so few that ``data`` holds them.
    data : bytes
    inputs, outputs : tuple of (name, number of values)
        The largest of these samples.
    figures : tuple of (name, value)
        Metrics of the network, now and then.
    """

    TAG: ClassVar[str] = "cluster.samples_trained"

    session_uuid: str
    start: int
    count: int
    blob: str = ""
    data: bytes = b""
    inputs: Sizes = ()
    outputs: Sizes = ()
    figures: Figures = ()


class SessionClosed(Event, frozen=True, kw_only=True):
    """The connection trains no more.

    Attributes
    ----------
    step : int
        Steps of the session.
    digest : str
        State of the network, empty if unknown.
    """

    TAG: ClassVar[str] = "cluster.session_closed"

    session_uuid: str
    step: int
    digest: str = ""
    figures: Figures = ()


ClusterEvent = (
    ClusterCreated
    | ClusterDeleted
    | ClusterRenamed
    | ClusterRestored
    | CheckpointTaken
    | ModeChanged
    | HostSwitched
    | SessionOpened
    | SamplesTrained
    | SessionClosed
    | TaskQueued
    | TaskStarted
    | CyclesTrained
    | TaskSuspended
    | TaskPaused
    | TaskResumed
    | TaskFinished
    | TaskAborted
    | TaskFailed
    | TaskRemoved
)
