"""What may be asked of a cluster."""

from hanami_actors.domain.base import Message
from hanami_actors.domain.cluster.events import Figures, Task
from hanami_actors.domain.cluster.source import Sizes, Source
from hanami_actors.domain.cluster.template import Template
from hanami_actors.domain.dataset.events import DatasetContent

__all__ = [
    "AbortTask",
    "ChangeMode",
    "CloseSession",
    "ClusterMessage",
    "CreateCluster",
    "CreateRequestTask",
    "CreateTrainTask",
    "DeleteCluster",
    "FailTask",
    "FinishTask",
    "InputBinding",
    "LoadCheckpoint",
    "MoveCluster",
    "OpenSession",
    "OutputBinding",
    "PauseTask",
    "QueueTask",
    "RecordCycles",
    "RecordSamples",
    "RegisterCluster",
    "RemoveTask",
    "RenameCluster",
    "RestoreCluster",
    "ResumeTask",
    "RetireCluster",
    "SaveCheckpoint",
    "StartTask",
    "SuspendTask",
    "TakeCheckpoint",
]


class CreateCluster(Message, frozen=True, kw_only=True):
    """Create a cluster; asked of the directory.

    Attributes
    ----------
    template_text : str or None
        None: a straight input, hidden, output default. Empty: no hexagons.
    source : Source or None
        Begin at this moment instead; its template counts.
    """

    name: str
    template_text: str | None = None
    source: Source | None = None


class RenameCluster(Message, frozen=True, kw_only=True):
    """Give a cluster another name; asked of the directory, which passes it on."""

    uuid: str
    name: str


class SaveCheckpoint(Message, frozen=True, kw_only=True):
    """Save a cluster, as the client asks for it."""

    name: str


class LoadCheckpoint(Message, frozen=True, kw_only=True):
    """Go to a moment, as the client asks for it."""

    name: str
    source: Source


class DeleteCluster(Message, frozen=True, kw_only=True):
    """Delete a cluster; asked of the directory."""

    uuid: str


class InputBinding(Message, frozen=True, kw_only=True):
    """A dataset's column bound to a named input, or to an output whose expected values it holds."""

    dataset_uuid: str
    dataset_column: str
    hexagon_name: str


class OutputBinding(Message, frozen=True, kw_only=True):
    """A named output bound to a column of the result to be created."""

    dataset_column: str
    hexagon_name: str


class CreateTrainTask(Message, frozen=True, kw_only=True):
    """Train with datasets, as the client asks for it."""

    name: str
    inputs: tuple[InputBinding, ...]
    outputs: tuple[InputBinding, ...]
    time_length: int = 1
    epoch_count: int = 1


class CreateRequestTask(Message, frozen=True, kw_only=True):
    """Compute outputs for a dataset, as the client asks for it."""

    name: str
    inputs: tuple[InputBinding, ...]
    results: tuple[OutputBinding, ...]
    time_length: int = 1


class RegisterCluster(Message, frozen=True, kw_only=True):
    """Create the aggregate from a parsed template."""

    uuid: str
    name: str
    template_text: str
    template: Template
    seed: int
    host_uuid: str


class QueueTask(Message, frozen=True, kw_only=True):
    """Queue a task whose names are resolved to bytes, unless so many wait already."""

    task: Task
    queue_len_max: int = 1000


class StartTask(Message, frozen=True, kw_only=True):
    """Mark the task as computing."""

    task_uuid: str
    kernel_version: int


class RecordCycles(Message, frozen=True, kw_only=True):
    """Record progress."""

    task_uuid: str
    cycle: int
    figures: Figures = ()


class PauseTask(Message, frozen=True, kw_only=True):
    """Record that the task stopped at this cycle and will go on."""

    task_uuid: str
    cycle: int
    digest: str
    figures: Figures = ()


class ResumeTask(Message, frozen=True, kw_only=True):
    """Let a paused task go on."""

    task_uuid: str


class TakeCheckpoint(Message, frozen=True, kw_only=True):
    """Record that a checkpoint names the moment the cluster is at."""

    checkpoint_uuid: str
    name: str
    source: Source


class RestoreCluster(Message, frozen=True, kw_only=True):
    """Record that the cluster is at another moment."""

    source: Source


class ChangeMode(Message, frozen=True, kw_only=True):
    """Switch between tasks and samples that come one by one."""

    mode: str


class MoveCluster(Message, frozen=True, kw_only=True):
    """Record that the network is on another host, and where its task was then."""

    host_uuid: str
    cycle: int = 0


class OpenSession(Message, frozen=True, kw_only=True):
    """Let a connection train."""

    session_uuid: str
    connection_uuid: str


class RecordSamples(Message, frozen=True, kw_only=True):
    """Record samples that a session trained."""

    session_uuid: str
    start: int
    count: int
    blob: str = ""
    data: bytes = b""
    inputs: Sizes = ()
    outputs: Sizes = ()
    figures: Figures = ()


class CloseSession(Message, frozen=True, kw_only=True):
    """Record that a connection trains no more."""

    session_uuid: str
    digest: str = ""
    figures: Figures = ()


class SuspendTask(Message, frozen=True, kw_only=True):
    """Record an orderly stop of the server."""

    task_uuid: str
    cycle: int


class FinishTask(Message, frozen=True, kw_only=True):
    """Record the end of a task."""

    task_uuid: str
    cycle: int
    digest: str
    result: DatasetContent | None = None
    figures: Figures = ()


class AbortTask(Message, frozen=True, kw_only=True):
    """Record that the task stopped at this cycle because its user wished it."""

    task_uuid: str
    cycle: int
    digest: str
    figures: Figures = ()


class FailTask(Message, frozen=True, kw_only=True):
    """Record that the task cannot go on."""

    task_uuid: str
    cycle: int
    reason: str


class RemoveTask(Message, frozen=True, kw_only=True):
    """Take a queued or ended task off the list."""

    task_uuid: str


class RetireCluster(Message, frozen=True, kw_only=True):
    """Record the deletion."""


ClusterMessage = (
    RegisterCluster
    | QueueTask
    | StartTask
    | RecordCycles
    | SuspendTask
    | PauseTask
    | ResumeTask
    | FinishTask
    | AbortTask
    | FailTask
    | RemoveTask
    | TakeCheckpoint
    | RestoreCluster
    | ChangeMode
    | MoveCluster
    | OpenSession
    | RecordSamples
    | CloseSession
    | RenameCluster
    | RetireCluster
)
