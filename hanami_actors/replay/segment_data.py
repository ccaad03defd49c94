"""What training needs: the network a cluster was created with, and the data of its tasks."""

import numpy as np

from hanami_actors.compute import Network, NetworkSpec
from hanami_actors.datasets.columns import contiguous_column, open_matrix
from hanami_actors.domain.cluster.events import Binding, Task
from hanami_actors.domain.cluster.template import Template
from hanami_actors.eventlog.blobs import BlobStore
from hanami_actors.types import Digest

__all__ = ["SpanArrays", "network_spec", "open_bindings"]


def network_spec(template: Template, seed: int) -> NetworkSpec:
    """Return the template as the plain tuples that compute understands."""
    return NetworkSpec(
        hexagons=template.hexagons,
        axons=tuple((axon.source, axon.target) for axon in template.axons),
        inputs=tuple((port.name, port.hexagon, port.kind) for port in template.inputs),
        outputs=tuple((port.name, port.hexagon, port.kind) for port in template.outputs),
        settings=template.settings,
        seed=seed,
    )


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
