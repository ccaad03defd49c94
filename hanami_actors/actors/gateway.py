"""What the transport may do: read the published tables and ask actors, by address."""

from enum import StrEnum
from typing import Any, Protocol

from hanami_actors.actors.export import Export
from hanami_actors.actors.import_progress import ImportProgress
from hanami_actors.datasets.export import RowRange
from hanami_actors.datasets.report import Report
from hanami_actors.domain.audit.messages import CallNote
from hanami_actors.domain.base import Message, Value, Who
from hanami_actors.domain.cluster.source import Source
from hanami_actors.domain.dataset.aggregate import DatasetState
from hanami_actors.domain.tables import Tables
from hanami_actors.ports import Clock, Entropy
from hanami_actors.replay.learning_curve import HistoryPoint
from hanami_actors.runtime.future import CallbackFuture

__all__ = [
    "Command",
    "DeleteTask",
    "Gateway",
    "GetClusterFigures",
    "GetTask",
    "GetUploadProgress",
    "ListTasks",
    "Target",
    "TargetKind",
    "UploadProgress",
]


class TargetKind(StrEnum):
    """Kinds of actors that the transport may address."""

    DIRECTORY = "directory"
    DATASET = "dataset"
    UPLOAD = "upload"
    CLUSTER = "cluster"
    AUDIT = "audit"
    IDEMPOTENCY = "idempotency"


class Target(Value, frozen=True, kw_only=True):
    """Address of an actor; ``key`` is the resource's uuid, empty for those there is one of."""

    kind: TargetKind
    key: str = ""


class Command(Value, frozen=True, kw_only=True):
    """A message with the caller and the request's id; what travels into an inbox."""

    message: Message
    who: Who
    correlation_id: str = ""


class GetTask(Message, frozen=True, kw_only=True):
    """Ask a cluster for one task. Answer: ``TaskView``; NotFoundError."""

    task_uuid: str


class ListTasks(Message, frozen=True, kw_only=True):
    """Ask a cluster for its tasks. Answer: tuple of ``TaskView`` in queue order."""


class DeleteTask(Message, frozen=True, kw_only=True):
    """Ask a cluster to abort an active task, or to take any other off its list. Answer: None."""

    task_uuid: str


class GetClusterFigures(Message, frozen=True, kw_only=True):
    """Ask a cluster for its live figures. Answer: ``ClusterFigures``."""


class GetUploadProgress(Message, frozen=True, kw_only=True):
    """Ask an upload session what is there. Answer: ``UploadProgress``."""


class UploadProgress(Value, frozen=True, kw_only=True):
    """Which bytes of an upload are there.

    Attributes
    ----------
    missing : tuple of (start, end)
        Byte ranges still to be sent.
    """

    size_bytes: int
    received_bytes: int
    complete: bool
    missing: tuple[tuple[int, int], ...]


class Gateway(Protocol):
    """Everything behind the transport. All methods are thread-safe; ``ask`` never blocks.

    Answers of the messages:

    =========================================== ============================================
    directory: CreateUploadedDataset            DatasetState (with its upload uuids)
    directory: DeleteDataset, DeleteCluster     None
    directory: CreateCluster                    ClusterRow
    directory: all of ``UserMessage``           UserState
    directory: all of ``ProjectMessage``        ProjectState
    audit: ReadCalls                            tuple[NotedCall, ...]
    idempotency: BeginKey, RepeatKey            KeyVerdict
    idempotency: FinishKey, DropKey             None
    dataset: FinalizeDataset                    DatasetState
    upload: AppendChunk                         None, once written
    upload: GetUploadProgress                   UploadProgress
    cluster: CreateTrainTask, CreateRequestTask TaskView
    cluster: GetTask / ListTasks / DeleteTask   TaskView / tuple[TaskView, ...] / None
    cluster: GetClusterFigures                  ClusterFigures
    cluster: those of ``cluster_messages``      as they say
    cluster: SaveCheckpoint / LoadCheckpoint    CheckpointTicket / the task's uuid
    directory: RenameCluster                    ClusterRow
    directory: CreateCheckpoint                 CheckpointState
    directory: DeleteCheckpoint                 None
    =========================================== ============================================
    """

    @property
    def tables(self) -> Tables:
        """The newest published tables: read your writes."""
        ...

    @property
    def clock(self) -> Clock:
        """The server's clock."""
        ...

    @property
    def entropy(self) -> Entropy:
        """The server's source of ids."""
        ...

    def ask(self, target: Target, command: Command) -> CallbackFuture:
        """Send a message to an actor, starting it if it sleeps.

        The future fails with a ``RejectedError`` of the aggregate, with ``BusyError`` when the
        inbox is full or the actor is restarting, or with a ``FaultError``.
        """
        ...

    def note_calls(self, notes: tuple[CallNote, ...]) -> bool:
        """Have calls and failures noted in the journal; return whether there was room for them.

        Never waits. What was noted before is in the answers to ``ReadCalls`` that follow.
        """
        ...

    def read_content(
        self, dataset: DatasetState, column: str, offset: int, count: int
    ) -> list[list[float]]:
        """Read rows of a column. Blocks on the disk: call it in a worker thread."""
        ...

    def check_accuracy(self, result: DatasetState, reference: DatasetState) -> float:
        """Compare a result with a reference. Blocks on the disk: call it in a worker thread."""
        ...

    def compare(
        self,
        result: DatasetState,
        reference: DatasetState,
        column: str | None,
        reference_column: str | None,
    ) -> Report:
        """Compare in every figure there is. Blocks on the disk: call it in a worker thread."""
        ...

    def open_export(
        self, dataset: DatasetState, format_name: str, columns: tuple[str, ...], rows: RowRange
    ) -> Export:
        """Prepare a download; reads nothing. Its blocks block: take them in a worker thread."""
        ...

    def read_learning(
        self, cluster_uuid: str, task_uuid: str | None, len_max: int
    ) -> list[HistoryPoint]:
        """Read recorded figures of a cluster. Blocks on the disk: call it in a worker thread."""
        ...

    def fetch_image(self, source: Source) -> CallbackFuture:
        """Have a moment computed. The future's value is for ``export_checkpoint``."""
        ...

    def export_checkpoint(self, name: str, source: Source, image: Any) -> bytes:
        """Return a checkpoint as a file. Takes a while: call it in a worker thread."""
        ...

    def import_checkpoint(self, data: bytes) -> Source:
        """Check and store the state in a file; return what a checkpoint names of it.

        Blocks on the disk: call it in a worker thread.
        """
        ...

    def import_progress(self, dataset_uuid: str) -> ImportProgress | None:
        """Return how far an import is; None when there is none. Does not block."""
        ...
