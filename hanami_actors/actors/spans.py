"""The way to a moment of a cluster: stretches of training."""

from collections.abc import Iterator
from typing import NamedTuple

from hanami_actors.domain.cluster.events import Task
from hanami_actors.domain.cluster.state import ClusterState
from hanami_actors.replay.moment import BEGINNING, Moment
from hanami_actors.replay.training import SpanArrays, open_bindings

__all__ = ["Span", "SpanArrays", "learned", "moments", "open_bindings", "remaining"]


class Span(NamedTuple):
    """Cycles ``start .. stop`` of a training task, to be run on the network."""

    task: Task
    start: int
    stop: int


def learned(state: ClusterState) -> list[Span]:
    """Return what the network has learned; a task that failed before its first cycle left nothing."""
    return [Span(span.task, 0, span.cycle) for span in state.history if span.cycle]


def moments(goal: list[Span]) -> Iterator[Moment]:
    """Yield where a snapshot would help, best first."""
    for span in reversed(goal):
        yield Moment(span.task.uuid, span.stop)


def remaining(goal: list[Span], moment: Moment) -> list[Span] | None:
    """Return what is left of the goal after a moment; None when the moment is not on its way."""
    if moment == BEGINNING:
        return list(goal)
    for index, span in enumerate(goal):
        if span.task.uuid == moment.task_uuid:
            if moment.cycle > span.stop:
                return None
            rest = [] if moment.cycle == span.stop else [Span(span.task, moment.cycle, span.stop)]
            return [*rest, *goal[index + 1 :]]
    return None
