"""Answering the rows of a dataset: a job that fills a result dataset."""

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np

from hanami_actors.actors.host import Host
from hanami_actors.actors.jobs import FIRST_SLICE_CYCLES, NetworkJob
from hanami_actors.actors.networks import Placement
from hanami_actors.actors.spans import Span, learned, open_bindings
from hanami_actors.compute import Network
from hanami_actors.datasets.result import ResultWriter
from hanami_actors.domain.cluster.events import Task
from hanami_actors.domain.cluster.state import ClusterState
from hanami_actors.errors import ConflictError

if TYPE_CHECKING:
    from hanami_actors.domain.dataset.events import DatasetContent

__all__ = ["RequestJob"]


class RequestJob(NetworkJob):
    """Computes the outputs of a dataset; never changes the trained state.

    Attributes
    ----------
    content : DatasetContent or None
        The filled result at the end.
    """

    def __init__(
        self,
        host: Host,
        state: ClusterState,
        task: Task,
        on_end: Callable[[NetworkJob, BaseException | None], None],
    ) -> None:
        super().__init__(host, state, task, on_end)
        self.content: DatasetContent | None = None
        self._inputs: list[tuple[str, np.ndarray]] | None = None
        self._writer: ResultWriter | None = None

    def ended(self, error: BaseException | None) -> None:
        """Leave no half-written result behind."""
        if self._writer is not None:
            self._writer.abandon()
            self._writer = None
        super().ended(error)

    def _goal(self) -> list[Span]:
        return learned(self._state)

    def _progressed(self, placement: Placement) -> None:
        """Nobody waits for cycles that were learned before."""

    def _stopped(self, placement: Placement) -> None:
        """Leave the network where it is: the next job goes on from there."""

    def _work(self, placement: Placement, budget_s: float) -> bool:
        if self.cancel.is_set():
            return True
        network = placement.network
        if self._inputs is None or self._writer is None:
            self._inputs, self._writer = self._open(network)
        begin_s = self._host.clock.monotonic_s()
        start, stop = self.cycle, min(self.cycle + self._slice_cycles, self.task.cycle_count)
        self._writer.write(self._request(network, self._inputs, stop))
        self.cycle = stop
        self._adapt(stop - start, begin_s, budget_s)
        if stop < self.task.cycle_count:
            return False
        self.content = self._writer.finish()
        self._writer = None
        self.digest = network.digest()
        return True

    def _open(self, network: Network) -> tuple[list[tuple[str, np.ndarray]], ResultWriter]:
        self._require_sizes(network)
        inputs = open_bindings(self._host.blobs, self.task.inputs)
        columns = [
            (result.dataset_column, network.output_width(result.hexagon_name))
            for result in self.task.results
        ]
        network.reset_transients("request")
        self._slice_cycles = FIRST_SLICE_CYCLES
        self.is_there = True
        return inputs, ResultWriter(self._host.blobs, columns)

    def _require_sizes(self, network: Network) -> None:
        # Sizes come with training; what was queued before may have been stopped or have failed.
        for result in self.task.results:
            if network.output_width(result.hexagon_name) == 0:
                raise ConflictError(
                    f"Output '{result.hexagon_name}' has no size, because the training before this"
                    " request did not run a cycle; train the cluster and ask again."
                )
        for binding in self.task.inputs:
            width = (binding.end - binding.start) * self.task.time_length
            known = network.input_width(binding.hexagon_name)
            if width > known:
                raise ConflictError(
                    f"Input '{binding.hexagon_name}' gets {width} values (column width times"
                    f" time_length), but the cluster has learned {known}; ask with data as wide as"
                    " it was trained with, or train it with wider data first."
                )

    def _request(
        self, network: Network, inputs: list[tuple[str, np.ndarray]], stop: int
    ) -> np.ndarray:
        names = [result.hexagon_name for result in self.task.results]
        blocks = [
            np.empty((stop - self.cycle, network.output_width(name)), dtype=np.float32)
            for name in names
        ]
        network.request(
            inputs, names, self.cycle, stop, time_length=self.task.time_length, results=blocks
        )
        return blocks[0] if len(blocks) == 1 else np.concatenate(blocks, axis=1)
