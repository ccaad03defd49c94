"""The state of an upload: one file on its way in."""

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import Final

from hanami_actors.domain.base import Event, Value
from hanami_actors.domain.upload.events import (
    UploadClosed,
    UploadCompleted,
    UploadDiscarded,
    UploadOpened,
    UploadRangeStored,
)
from hanami_actors.domain.upload.ranges import Ranges, merge, missing
from hanami_actors.types import TimestampUs

__all__ = ["TRANSITIONS", "UploadPhase", "UploadState", "initial", "invariants"]


class UploadPhase(StrEnum):
    """Where an upload is in its life."""

    ABSENT = "absent"
    OPEN = "open"
    COMPLETE = "complete"
    CLOSED = "closed"


TRANSITIONS: Final[Mapping[tuple[UploadPhase, type[Event]], UploadPhase]] = MappingProxyType(
    {
        (UploadPhase.ABSENT, UploadOpened): UploadPhase.OPEN,
        (UploadPhase.OPEN, UploadRangeStored): UploadPhase.OPEN,
        (UploadPhase.OPEN, UploadCompleted): UploadPhase.COMPLETE,
        (UploadPhase.OPEN, UploadClosed): UploadPhase.CLOSED,
        (UploadPhase.COMPLETE, UploadDiscarded): UploadPhase.OPEN,
        (UploadPhase.COMPLETE, UploadClosed): UploadPhase.CLOSED,
    }
)


class UploadState(Value, frozen=True, kw_only=True):
    """An upload.

    Attributes
    ----------
    role : str
        ``input`` or ``label``.
    ranges : tuple of (start, end)
        Bytes known to be on the disk, merged.
    checksum : str
        The announced one; empty if there is none.
    active_us : int
        When something last happened to it.
    """

    phase: UploadPhase = UploadPhase.ABSENT
    uuid: str = ""
    dataset_uuid: str = ""
    role: str = ""
    size_bytes: int = 0
    owner_id: str = ""
    project_id: str = ""
    ranges: Ranges = ()
    created_us: TimestampUs = TimestampUs(0)
    checksum: str = ""
    active_us: TimestampUs = TimestampUs(0)

    @property
    def alive(self) -> bool:
        """Whether its file is there."""
        return self.phase in {UploadPhase.OPEN, UploadPhase.COMPLETE}


def initial() -> UploadState:
    """Return the state before the first event."""
    return UploadState()


def invariants(state: UploadState) -> None:
    """Assert what always holds.

    Raises
    ------
    AssertionError
    """
    assert state.ranges == merge((), state.ranges), "ranges are merged"
    for start, end in state.ranges:
        assert 0 <= start < end <= state.size_bytes, "ranges lie inside the file"
    if state.phase is UploadPhase.COMPLETE:
        assert not missing(state.ranges, state.size_bytes), "a complete upload lacks nothing"
    assert state.phase is UploadPhase.ABSENT or state.size_bytes >= 1, "a file is not empty"
