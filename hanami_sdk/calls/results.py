"""What the clients return.

All are frozen structs. Fields that an older server does not send have a default, fields of a newer
server that this version does not know are ignored. Times are texts in UTC, as the server writes
them; ``-`` means not yet.
"""

from typing import Any

import msgspec

__all__ = [
    "ENDED_STATES",
    "Accuracy",
    "AuditEntry",
    "Checkpoint",
    "ClassFigures",
    "Cluster",
    "ClusterStats",
    "ColumnRange",
    "Content",
    "Dataset",
    "DirectSteps",
    "ErrorEntry",
    "FileProgress",
    "Host",
    "ImportProgress",
    "LearningPoint",
    "Listing",
    "Login",
    "Project",
    "ProjectRole",
    "ProjectRoles",
    "Report",
    "Saved",
    "Task",
    "TaskRow",
    "UploadProgress",
    "UploadStarted",
    "UploadedFile",
    "User",
    "Uuid",
]

ENDED_STATES = frozenset({"finished", "failed", "aborted"})


class Listing(msgspec.Struct, frozen=True, kw_only=True):
    """A list as the server sends it."""

    header: list[str]
    body: list[list[Any]]


class Uuid(msgspec.Struct, frozen=True, kw_only=True):
    """An answer that only names something."""

    uuid: str


class Login(msgspec.Struct, frozen=True, kw_only=True):
    """A token and whose it is."""

    token: str
    id: str = ""
    name: str = ""
    is_admin: bool = False

    def __repr__(self) -> str:
        # Tokens do not belong into logs and tracebacks.
        return f"Login(id={self.id!r}, name={self.name!r}, is_admin={self.is_admin})"


class ProjectRole(msgspec.Struct, frozen=True, kw_only=True):
    """A project that a user may work in."""

    project_id: str
    role: str
    is_project_admin: bool


class ProjectRoles(msgspec.Struct, frozen=True, kw_only=True):
    """All projects that a user may work in."""

    projects: list[ProjectRole]


class User(msgspec.Struct, frozen=True, kw_only=True):
    """A user."""

    id: str
    name: str
    is_admin: bool
    projects: list[ProjectRole] = []
    creator_id: str = ""
    created_at: str = ""


class Project(msgspec.Struct, frozen=True, kw_only=True):
    """A project."""

    id: str
    name: str
    creator_id: str = ""
    created_at: str = ""


class _Owned(msgspec.Struct, frozen=True, kw_only=True):
    uuid: str
    name: str = ""
    owner_id: str = ""
    project_id: str = ""
    visibility: str = ""
    created_at: str = ""


class ColumnRange(msgspec.Struct, frozen=True, kw_only=True):
    """Which values of a row belong to a named column."""

    column_start: int
    column_end: int

    @property
    def width(self) -> int:
        """How many values the column has in each row."""
        return self.column_end - self.column_start


class Dataset(_Owned, frozen=True, kw_only=True):
    """A dataset. In lists, ``description`` is empty and the numbers are 0."""

    description: dict[str, ColumnRange] = {}
    number_of_columns: int = 0
    number_of_rows: int = 0
    version: str = ""


class Cluster(_Owned, frozen=True, kw_only=True):
    """A cluster and its live figures; in lists and new ones the figures are 0."""

    seed: int = 0
    number_of_blocks: int = 0
    number_of_sections: int = 0
    number_of_synapses: int = 0
    size_bytes: int = 0
    replay_memory_bytes: int = 0
    trained_cycles: int = 0
    running_error: float = 0.0
    number_of_tasks: int = 0


class DirectSteps(msgspec.Struct, frozen=True, kw_only=True):
    """What a direct session has trained; ``steps`` survive a crash."""

    uuid: str
    connection_uuid: str = ""
    is_open: bool = False
    steps: int = 0


class ClusterStats(msgspec.Struct, frozen=True, kw_only=True):
    """A cluster as it is now.

    ``task_uuid`` and ``task_state`` are of the task that computes or is paused. ``digest`` names the
    state of the network after ``last_cycle`` cycles of ``last_task_uuid``, a task or direct session.
    ``running_error_history`` has pairs of trained cycles and running error, the newest last.
    """

    uuid: str
    mode: str = ""
    host_uuid: str = ""
    is_loaded: bool = False
    seed: int = 0
    digest: str = ""
    last_task_uuid: str = ""
    last_cycle: int = 0
    task_uuid: str = ""
    task_state: str = ""
    number_of_tasks: int = 0
    number_of_queued_tasks: int = 0
    number_of_connections: int = 0
    number_of_blocks: int = 0
    number_of_sections: int = 0
    number_of_synapses: int = 0
    size_bytes: int = 0
    replay_memory_bytes: int = 0
    trained_cycles: int = 0
    running_error: float = 0.0
    running_error_history: list[tuple[int, float]] = []
    sessions: list[DirectSteps] = []


class LearningPoint(msgspec.Struct, frozen=True, kw_only=True):
    """Recorded figures of a network while it learned."""

    time: str
    task_uuid: str = ""
    cycle: int = 0
    trained_cycles: int = 0
    running_error: float = 0.0
    blocks: int = 0
    sections: int = 0
    synapses: int = 0
    bytes: int = 0


class Checkpoint(_Owned, frozen=True, kw_only=True):
    """A saved state of a cluster, and the moment it names; in lists only the name."""

    cluster_uuid: str = ""
    cluster_name: str = ""
    task_uuid: str = ""
    cycle: int = 0
    seed: int = 0
    digest: str = ""
    trained_cycles: int = 0


class Saved(msgspec.Struct, frozen=True, kw_only=True):
    """A checkpoint that has just been asked for."""

    uuid: str
    name: str


class Task(msgspec.Struct, frozen=True, kw_only=True):
    """A task. ``reason`` says why it failed, ``digest`` names the network it left behind."""

    uuid: str
    state: str
    name: str = ""
    current_cycle: int = 0
    total_number_of_cycles: int = 0
    percentage_finished: float = 0.0
    queue_timestamp: str = "-"
    start_timestamp: str = "-"
    end_timestamp: str = "-"
    estimated_end_timestamp: str = "-"
    reason: str = ""
    digest: str = ""

    @property
    def is_ended(self) -> bool:
        """Whether it will not change any more."""
        return self.state in ENDED_STATES


class TaskRow(msgspec.Struct, frozen=True, kw_only=True):
    """A task in a list."""

    uuid: str
    state: str
    percentage: float = 0.0
    queued: str = "-"
    start: str = "-"
    end: str = "-"


class Host(msgspec.Struct, frozen=True, kw_only=True):
    """A place where clusters compute."""

    uuid: str
    type: str


class AuditEntry(msgspec.Struct, frozen=True, kw_only=True):
    """Who called what."""

    created_at: str
    user_id: str
    endpoint: str
    request_type: str


class ErrorEntry(msgspec.Struct, frozen=True, kw_only=True):
    """An internal error of the server."""

    created_at: str
    user_id: str
    message: str
    component: str = ""
    context: str = ""
    input_values: Any = None


class Content(msgspec.Struct, frozen=True, kw_only=True):
    """Rows of one column."""

    data: list[list[float]]


class Accuracy(msgspec.Struct, frozen=True, kw_only=True):
    """How much of a result is right, in percent."""

    accuracy: float


class UploadStarted(msgspec.Struct, frozen=True, kw_only=True):
    """A dataset that waits for its files."""

    uuid: str
    uuid_input_file: str
    uuid_label_file: str = ""


class FileProgress(msgspec.Struct, frozen=True, kw_only=True):
    """A file on its way in; ``role`` is ``input`` or ``label``."""

    uuid: str
    role: str
    size_bytes: int
    received_bytes: int
    complete: bool


class ImportProgress(msgspec.Struct, frozen=True, kw_only=True):
    """How much of the uploaded bytes has been imported."""

    read_bytes: int
    size_bytes: int


class UploadProgress(msgspec.Struct, frozen=True, kw_only=True):
    """How far the upload of a dataset is.

    ``state`` is ``uploading``, ``uploaded``, ``importing`` or ``finished``.
    """

    complete: bool
    uuid: str = ""
    state: str = ""
    files: list[FileProgress] = []
    importing: ImportProgress | None = None


class UploadedFile(msgspec.Struct, frozen=True, kw_only=True):
    """Which bytes of a file have to be sent: ranges of the first one and the one behind the last.

    At most 1000 ranges are listed; ``number_of_missing_ranges`` counts all.
    """

    uuid: str
    complete: bool
    size_bytes: int
    received_bytes: int
    missing: list[tuple[int, int]]
    number_of_missing_ranges: int = 0
    dataset_uuid: str = ""
    role: str = ""
    checksum: str = ""


class ClassFigures(msgspec.Struct, frozen=True, kw_only=True):
    """How well one class is recognized; None where there is nothing to divide by."""

    precision: float | None
    recall: float | None
    f1: float | None
    support: int


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """How well a result fits a reference; figures that do not apply are None or empty."""

    number_of_rows: int
    accuracy: float | None = None
    classes: list[ClassFigures] = []
    confusion_matrix: list[list[int]] = []
    mean_absolute_error: float | None = None
    root_mean_square_error: float | None = None
    number_of_rows_without_class: int = 0
