"""How a cluster learned: the figures that its stream recorded."""

from collections import deque
from typing import Final, NamedTuple

from hanami_actors.domain.base import Event
from hanami_actors.domain.cluster.events import (
    CyclesTrained,
    Figures,
    SamplesTrained,
    SessionClosed,
    TaskAborted,
    TaskFinished,
    TaskPaused,
)
from hanami_actors.eventlog.port import EventLog
from hanami_actors.types import StreamId, TimestampUs

__all__ = ["HISTORY_HEADER", "HistoryPoint", "read_learning"]

HISTORY_HEADER: Final = (
    "time",
    "task_uuid",
    "cycle",
    "trained_cycles",
    "running_error",
    "blocks",
    "sections",
    "synapses",
    "bytes",
)


class HistoryPoint(NamedTuple):
    """Recorded figures of a network.

    Attributes
    ----------
    task_uuid : str
        The task or direct session that trained.
    cycle : int
        Its cycle.
    trained_cycles : int
        Of the network in all.
    """

    time_us: TimestampUs
    task_uuid: str
    cycle: int
    trained_cycles: int
    running_error: float
    blocks: int
    sections: int
    synapses: int
    size_bytes: int


def read_learning(
    log: EventLog, cluster_uuid: str, task_uuid: str | None, len_max: int
) -> list[HistoryPoint]:
    """Return the newest recorded figures of a cluster, oldest first; blocks on the disk.

    Parameters
    ----------
    log : EventLog
    cluster_uuid : str
    task_uuid : str or None
        Only this task or direct session.
    len_max : int
    """
    points: deque[HistoryPoint] = deque(maxlen=len_max)
    for record in log.read_stream(StreamId(f"cluster/{cluster_uuid}")):
        told = _told(record.event)
        if told is None or (task_uuid is not None and told[0] != task_uuid):
            continue
        uuid, cycle, figures = told
        known = dict(figures)
        points.append(
            HistoryPoint(
                time_us=record.time_us,
                task_uuid=uuid,
                cycle=cycle,
                trained_cycles=int(known.get("trained_cycles", 0)),
                running_error=float(known.get("running_error", 1.0)),
                blocks=int(known.get("blocks", 0)),
                sections=int(known.get("sections", 0)),
                synapses=int(known.get("synapses", 0)),
                size_bytes=int(known.get("bytes", 0)),
            )
        )
    return list(points)


def _told(event: Event) -> tuple[str, int, Figures] | None:
    """Return task or session, cycle and figures, if the event has them."""
    match event:
        case (
            CyclesTrained(task_uuid=uuid, cycle=cycle, figures=figures)
            | TaskFinished(task_uuid=uuid, cycle=cycle, figures=figures)
            | TaskAborted(task_uuid=uuid, cycle=cycle, figures=figures)
            | TaskPaused(task_uuid=uuid, cycle=cycle, figures=figures)
        ) if figures:
            return uuid, cycle, figures
        case SamplesTrained(session_uuid=uuid, figures=figures) if figures:
            return uuid, event.start + event.count, figures
        case SessionClosed(session_uuid=uuid, step=step, figures=figures) if figures:
            return uuid, step, figures
        case _:
            return None
