"""A point in the history of a network, and the name of its snapshot."""

from typing import NamedTuple

from hanami_actors.eventlog.snapshots import cycle_snapshot_name, parse_cycle_name
from hanami_actors.types import Uuid

__all__ = ["BEGINNING", "Moment", "moment_name", "parse_moment"]


class Moment(NamedTuple):
    """A point in a cluster's history.

    Attributes
    ----------
    task_uuid : str
        Empty before the first training.
    cycle : int
        Cycles of that task that were run.
    """

    task_uuid: str
    cycle: int


BEGINNING = Moment("", 0)
"""The moment of a network that has learned nothing."""


def moment_name(moment: Moment) -> str:
    """Return the name of the snapshot of a moment."""
    return cycle_snapshot_name(Uuid(moment.task_uuid), moment.cycle)


def parse_moment(name: str) -> Moment | None:
    """Return the moment of a snapshot's name, None for a foreign name."""
    parsed = parse_cycle_name(name)
    return None if parsed is None else Moment(*parsed)
