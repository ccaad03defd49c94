"""The way to a moment of a cluster: stretches of training, and the data they need."""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from hanami_actors.actors.networks import BEGINNING
from hanami_actors.actors.snapshotter import Moment
from hanami_actors.compute import Network
from hanami_actors.datasets.columns import contiguous_column, open_matrix
from hanami_actors.domain.cluster.events import Binding, Task
from hanami_actors.domain.cluster.state import ClusterState
from hanami_actors.eventlog.blobs import BlobStore
from hanami_actors.types import Digest

__all__ = ["Span", "SpanArrays", "learned", "moments", "open_bindings", "remaining"]


class Span(NamedTuple):
    """Cycles ``start .. stop`` of a training task, to be run on the network."""

    task: Task
    start: int
    stop: int


class SpanArrays:
    """The data of a training task, mapped into memory.

    Parameters
    ----------
    blobs : BlobStore
    task : Task

    Raises
    ------
    BlobMissingError
        A file is gone.
    """

    def __init__(self, blobs: BlobStore, task: Task) -> None:
        self._task = task
        self._inputs = open_bindings(blobs, task.inputs)
        self._outputs = open_bindings(blobs, task.outputs)

    def size(self, network: Network) -> None:
        """Give inputs and outputs the widths of the data; they only grow."""
        length = self._task.time_length
        network.size(
            {name: array.shape[1] * length for name, array in self._inputs},
            {name: array.shape[1] for name, array in self._outputs},
        )

    def train(self, network: Network, start: int, stop: int) -> int:
        """Run cycles of the task, at most to the end of an epoch; return the next cycle."""
        epoch_cycles = self._task.cycles_per_epoch
        row = start % epoch_cycles
        stop = min(stop, start + epoch_cycles - row)
        network.train(
            self._inputs,
            self._outputs,
            row,
            row + stop - start,
            time_length=self._task.time_length,
        )
        return stop


def open_bindings(blobs: BlobStore, bindings: tuple[Binding, ...]) -> list[tuple[str, np.ndarray]]:
    """Map the columns that a task names; raises BlobMissingError."""
    arrays = []
    for binding in bindings:
        matrix = open_matrix(blobs.path(Digest(binding.file.digest)), binding.file)
        arrays.append((binding.hexagon_name, contiguous_column(matrix, binding.start, binding.end)))
    return arrays


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
