"""How many bytes datasets and uploads take."""

from typing import Any, Final

from immutables import Map

from hanami_actors.domain.dataset.events import DatasetContent
from hanami_actors.domain.tables import Row, Tables
from hanami_actors.domain.upload.ranges import covered_bytes
from hanami_actors.errors import LimitError, StorageFullError

__all__ = [
    "check_checkpoints",
    "check_count",
    "check_project",
    "content_bytes",
    "outstanding_bytes",
    "owned_in",
    "project_bytes",
]

_Rows = Map[str, Row[Any]]

RETRY_AFTER_S: Final = 60
"""Somebody has to delete something first, and people are slow."""

ITEM_BYTES: Final = {"uint8": 1, "float32": 4}


def content_bytes(content: DatasetContent) -> int:
    """Return the size of a dataset's files; what two datasets share counts for both."""
    return sum(
        file.offset_bytes + file.row_count * file.width * ITEM_BYTES[file.dtype]
        for file in content.files
    )


def outstanding_bytes(tables: Tables, user_id: str | None = None) -> int:
    """Return how many announced bytes are still to come, from a user or from everybody."""
    return sum(
        row.state.size_bytes - covered_bytes(row.state.ranges)
        for row in tables.uploads.values()
        if user_id is None or row.state.owner_id == user_id
    )


def owned_in(rows: _Rows, project_id: str) -> int:
    """Return how many of a table's entries belong to a project."""
    return sum(row.state.project_id == project_id for row in rows.values())


def check_count(what: str, count: int, count_max: int, setting: str) -> None:
    """Refuse one more of something.

    Parameters
    ----------
    what : str
        Who has so many of what, for the error.
    count, count_max : int
        How many there are, and how many there may be.
    setting : str
        Name of the setting.

    Raises
    ------
    LimitError
    """
    if count >= count_max:
        raise LimitError(
            f"{what} {count}, and {count_max} are allowed (setting {setting}); delete what is not "
            "needed.",
            retry_after_s=RETRY_AFTER_S,
        )


def check_checkpoints(tables: Tables, project_id: str, count_max: int) -> None:
    """Refuse one more checkpoint of a project.

    Parameters
    ----------
    tables : Tables
    project_id : str
    count_max : int
        How many there may be.

    Raises
    ------
    LimitError
    """
    check_count(
        f"the number of checkpoints of project '{project_id}' is",
        owned_in(tables.checkpoints, project_id),
        count_max,
        "checkpoints_per_project_max",
    )


def project_bytes(tables: Tables, project_id: str) -> int:
    """Return what the datasets and announced uploads of a project take."""
    stored = sum(
        content_bytes(row.state.content)
        for row in tables.datasets.values()
        if row.state.project_id == project_id and row.state.content is not None
    )
    announced = sum(
        row.state.size_bytes
        for row in tables.uploads.values()
        if row.state.project_id == project_id
    )
    return stored + announced


def check_project(tables: Tables, project_id: str, more_bytes: int, limit_bytes: int) -> None:
    """Refuse what would not fit into a project any more.

    Parameters
    ----------
    tables : Tables
    project_id : str
    more_bytes : int
    limit_bytes : int
        0 for none.

    Raises
    ------
    StorageFullError
    """
    if limit_bytes == 0:
        return
    used_bytes = project_bytes(tables, project_id)
    if used_bytes + more_bytes > limit_bytes:
        raise StorageFullError(
            f"The upload needs {more_bytes} bytes, and project '{project_id}' already takes"
            f" {used_bytes} of the {limit_bytes} it may have (setting project_size_max_bytes);"
            " delete data-sets that are not needed."
        )
