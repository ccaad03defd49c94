"""Answering the rows of a dataset: a job that fills a result dataset."""

from typing import TYPE_CHECKING

import numpy as np

from hanami_actors.compute import Network
from hanami_actors.datasets.result import ResultWriter
from hanami_actors.domain.cluster.events import Task
from hanami_actors.domain.cluster.lineage import Lineage
from hanami_actors.engine.catch_up import Approach, Pace
from hanami_actors.engine.host import Host
from hanami_actors.engine.jobs.train_job import TaskJob, TaskWatch
from hanami_actors.engine.network_cache import Placement
from hanami_actors.errors import ConflictError
from hanami_actors.replay.segment_data import open_bindings

if TYPE_CHECKING:
    from hanami_actors.domain.dataset.events import DatasetContent

__all__ = ["RequestJob"]


class RequestJob(TaskJob):
    """Computes the outputs of a dataset; never changes the trained state.

    Parameters
    ----------
    host : Host
    cluster_uuid : str
    lineage : Lineage
        All that was learned before the task.
    task : Task
    watch : TaskWatch

    Attributes
    ----------
    content : DatasetContent or None
        The filled result at the end.
    """

    def __init__(
        self, host: Host, cluster_uuid: str, lineage: Lineage, task: Task, watch: TaskWatch
    ) -> None:
        super().__init__(host, cluster_uuid, Approach(host, cluster_uuid, lineage), task, watch)
        self.content: DatasetContent | None = None
        self._inputs: list[tuple[str, np.ndarray]] | None = None
        self._writer: ResultWriter | None = None
        self._pace = Pace(host.clock.monotonic_s)

    def ended(self, error: BaseException | None) -> None:
        """Leave no half-written result behind."""
        if self._writer is not None:
            self._writer.abandon()
            self._writer = None
        super().ended(error)

    def _work(self, placement: Placement, budget_s: float) -> bool:
        if self.cancel.is_set():
            return True
        network = placement.network
        # Connections may have asked in between.
        placement.let_ask(self)
        if self._inputs is None or self._writer is None:
            self._inputs, self._writer = self._open(network)
        self._pace.begin()
        start, stop = self.cycle, min(self.cycle + self._pace.cycle_count, self.task.cycle_count)
        self._writer.write(self._request(network, self._inputs, stop))
        self.cycle = stop
        self._pace.adapt(stop - start, budget_s)
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
        self._begin_at(0)
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
