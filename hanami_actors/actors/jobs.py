"""Training and requests as jobs in slices, and how a network gets to the moment they need."""

import threading
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from hanami_actors.actors.host import Host
from hanami_actors.actors.networks import BEGINNING, Placement, network_spec
from hanami_actors.actors.snapshotter import Moment
from hanami_actors.compute import Network
from hanami_actors.datasets.columns import contiguous_column, open_matrix
from hanami_actors.datasets.result import ResultWriter
from hanami_actors.domain.cluster.events import Binding, Figures, Task
from hanami_actors.domain.cluster.state import ClusterState
from hanami_actors.types import Digest

if TYPE_CHECKING:
    from hanami_actors.domain.dataset.events import DatasetContent

__all__ = ["NetworkJob", "RequestJob", "Span", "TrainJob"]

FIRST_SLICE_CYCLES = 16
"""Cycles of the first slice, before the speed is known."""

SLICE_GROWTH_MAX = 4.0
"""A slice grows at most this much over the one before."""


class Span(NamedTuple):
    """Cycles ``start .. stop`` of a training task, to be run on the network."""

    task: Task
    start: int
    stop: int


class NetworkJob(ABC):
    """A job on one cluster's network.

    First the network is brought to the moment the job needs: it is loaded already, or it comes
    from the newest good snapshot and the cycles after it are computed again.

    Parameters
    ----------
    host : Host
        Where the network lives.
    state : ClusterState
        The cluster as it is while the job runs.
    on_end : callable
        Called with the job and an error or None, in a compute thread.

    Attributes
    ----------
    cycle : int
        Cycles of the task done so far; may be read from any thread.
    cancel : threading.Event
        When set, the job ends at the next slice boundary.
    """

    def __init__(
        self,
        host: Host,
        state: ClusterState,
        on_end: Callable[["NetworkJob", BaseException | None], None],
    ) -> None:
        self.lane = state.uuid
        self.cycle = 0
        self.cancel = threading.Event()
        self._host = host
        self._state = state
        self._on_end = on_end
        self._placement: Placement | None = None
        self._spans: list[Span] = []
        self._arrays: _SpanArrays | None = None
        self._slice_cycles = FIRST_SLICE_CYCLES

    def run_slice(self, budget_s: float) -> bool:
        """Work for about ``budget_s``; return whether the job is over."""
        if self._placement is None:
            self._placement, self._spans = self._prepare()
            return False
        if self._spans:
            self._train_slice(self._placement, budget_s)
            if not (self.cancel.is_set() and self._may_end(self._placement)):
                return False
            self._stopped(self._placement)
            return True
        return self._work(self._placement, budget_s)

    def ended(self, error: BaseException | None) -> None:
        """Pass the end on."""
        if error is not None:
            # The network may be between two cycles: the next job loads it again.
            self._host.networks.drop(self.lane)
        self._on_end(self, error)

    @abstractmethod
    def _goal(self) -> list[Span]:
        """Return the spans that lead to the state this job needs, the whole history."""

    @abstractmethod
    def _work(self, placement: Placement, budget_s: float) -> bool:
        """Do the job's own work once the network is there; return whether it is over."""

    @abstractmethod
    def _may_end(self, placement: Placement) -> bool:
        """Return whether a cancelled job may end at this moment."""

    @abstractmethod
    def _progressed(self, placement: Placement) -> None:
        """Hear that a slice of training was run."""

    @abstractmethod
    def _stopped(self, placement: Placement) -> None:
        """Hear that the job ends early because it was cancelled."""

    def _prepare(self) -> tuple[Placement, list[Span]]:
        goal = self._goal()
        placement = self._host.networks.get(self.lane)
        remaining = None if placement is None else _after(goal, placement.moment)
        if placement is None or remaining is None:
            placement = self._load(goal)
            remaining = _after(goal, placement.moment)
            assert remaining is not None, "a loaded moment is one of the goal's"
            self._host.networks.put(self.lane, placement, self._host.scheduler.busy_lanes())
        return placement, remaining

    def _load(self, goal: list[Span]) -> Placement:
        found = self._host.snapshotter.newest(self.lane, _moments(goal))
        if found is not None:
            moment, image = found
            return Placement(Network.from_image(image), moment)
        spec = network_spec(self._state.template, self._state.seed)
        return Placement(Network.create(spec), BEGINNING)

    def _train_slice(self, placement: Placement, budget_s: float) -> None:
        span = self._spans[0]
        if self._arrays is None:
            self._arrays = _SpanArrays(self._host, span.task)
        if span.start == 0:
            self._arrays.size(placement.network)
            placement.network.reset_transients("train")
        if span.start < span.stop:
            stop = min(span.stop, span.start + self._slice_cycles)
            done = self._arrays.train(placement.network, span.start, stop, self._timed(budget_s))
            placement.moment = Moment(span.task.uuid, done)
            self._spans[0] = span = Span(span.task, done, span.stop)
        if span.start >= span.stop:
            placement.moment = Moment(span.task.uuid, span.stop)
            self._spans.pop(0)
            self._arrays = None
        self._progressed(placement)

    def _timed(self, budget_s: float) -> "_SliceTimer":
        return _SliceTimer(self, budget_s)

    def adapt(self, cycle_count: int, elapsed_s: float, budget_s: float) -> None:
        """Choose the length of the next slice from the speed of this one."""
        if elapsed_s <= 0 or cycle_count <= 0:
            return
        fitting = cycle_count * budget_s / elapsed_s
        self._slice_cycles = max(1, int(min(fitting, self._slice_cycles * SLICE_GROWTH_MAX)))


class TrainJob(NetworkJob):
    """Trains a task to its end, from wherever it stopped.

    Attributes
    ----------
    task : Task
    digest : str
        State of the network at the end; empty before.
    figures : tuple of (name, value)
        Metrics of the network when they were last looked at.
    """

    def __init__(
        self,
        host: Host,
        state: ClusterState,
        task: Task,
        on_end: Callable[[NetworkJob, BaseException | None], None],
        on_progress: Callable[["TrainJob"], None],
    ) -> None:
        super().__init__(host, state, on_end)
        self.task = task
        self.digest = ""
        self.figures: Figures = ()
        self._on_progress = on_progress
        self._saved_s = host.clock.monotonic_s()

    def _goal(self) -> list[Span]:
        return [*_learned(self._state), Span(self.task, 0, self.task.cycle_count)]

    def _progressed(self, placement: Placement) -> None:
        if placement.moment.task_uuid != self.task.uuid:
            return
        self.cycle = placement.moment.cycle
        now_s = self._host.clock.monotonic_s()
        if now_s - self._saved_s >= self._host.snapshot_interval_s and self._spans:
            self._saved_s = now_s
            self.figures = _figures(placement.network)
            self._save(placement)
            self._on_progress(self)

    def _stopped(self, placement: Placement) -> None:
        self._finish(placement)

    def _may_end(self, placement: Placement) -> bool:
        # While older spans are computed again the state is none that a user has seen.
        return placement.moment.task_uuid == self.task.uuid

    def _work(self, placement: Placement, budget_s: float) -> bool:
        del budget_s
        self.cycle = self.task.cycle_count
        self._finish(placement)
        return True

    def _finish(self, placement: Placement) -> None:
        self.digest = placement.network.digest()
        self.figures = _figures(placement.network)
        self._save(placement)
        self._host.snapshotter.thin(self.lane, self.task.uuid, placement.moment.cycle)

    def _save(self, placement: Placement) -> None:
        self._host.snapshotter.save(self.lane, placement.moment, placement.network.image())


class RequestJob(NetworkJob):
    """Computes the outputs of a dataset; never changes the trained state.

    Attributes
    ----------
    task : Task
    content : DatasetContent or None
        The filled result at the end.
    digest : str
        State of the network it was computed from.
    """

    def __init__(
        self,
        host: Host,
        state: ClusterState,
        task: Task,
        on_end: Callable[[NetworkJob, BaseException | None], None],
    ) -> None:
        super().__init__(host, state, on_end)
        self.task = task
        self.content: DatasetContent | None = None
        self.digest = ""
        self._inputs: list[tuple[str, np.ndarray]] | None = None
        self._writer: ResultWriter | None = None

    def ended(self, error: BaseException | None) -> None:
        """Leave no half-written result behind."""
        if self._writer is not None:
            self._writer.abandon()
            self._writer = None
        super().ended(error)

    def _goal(self) -> list[Span]:
        return _learned(self._state)

    def _may_end(self, placement: Placement) -> bool:
        del placement
        return True

    def _progressed(self, placement: Placement) -> None:
        """Nobody waits for cycles that were learned before."""

    def _stopped(self, placement: Placement) -> None:
        """Leave the network where it is: the next job goes on from there."""

    def _work(self, placement: Placement, budget_s: float) -> bool:
        if self.cancel.is_set():
            return True
        network = placement.network
        if self._inputs is None or self._writer is None:
            network.reset_transients("request")
            self._inputs = _open_bindings(self._host, self.task.inputs)
            self._writer = ResultWriter(
                self._host.blobs,
                [
                    (r.dataset_column, network.output_width(r.hexagon_name))
                    for r in self.task.results
                ],
            )
            self._slice_cycles = FIRST_SLICE_CYCLES
        stop = min(self.cycle + self._slice_cycles, self.task.cycle_count)
        with self._timed(budget_s) as timer:
            self._writer.write(self._request(network, self._inputs, stop))
            timer.cycle_count = stop - self.cycle
        self.cycle = stop
        if stop < self.task.cycle_count:
            return False
        self.content = self._writer.finish()
        self._writer = None
        self.digest = network.digest()
        return True

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


class _SpanArrays:
    """The data of a training task, mapped into memory."""

    def __init__(self, host: Host, task: Task) -> None:
        self._task = task
        self._inputs = _open_bindings(host, task.inputs)
        self._outputs = _open_bindings(host, task.outputs)

    def size(self, network: Network) -> None:
        """Give inputs and outputs the widths of the data; they only grow."""
        length = self._task.time_length
        network.size(
            {name: array.shape[1] * length for name, array in self._inputs},
            {name: array.shape[1] for name, array in self._outputs},
        )

    def train(self, network: Network, start: int, stop: int, timer: "_SliceTimer") -> int:
        """Run cycles of the task, at most to the end of an epoch; return the next cycle."""
        epoch_cycles = self._task.cycles_per_epoch
        row = start % epoch_cycles
        stop = min(stop, start + epoch_cycles - row)
        with timer:
            timer.cycle_count = stop - start
            network.train(
                self._inputs,
                self._outputs,
                row,
                row + stop - start,
                time_length=self._task.time_length,
            )
        return stop


class _SliceTimer:
    """Measures a slice and tells the job, which adapts the next one."""

    def __init__(self, job: NetworkJob, budget_s: float) -> None:
        self._job = job
        self._budget_s = budget_s
        self._begin_s = 0.0
        self.cycle_count = 0

    def __enter__(self) -> "_SliceTimer":
        self._begin_s = self._job._host.clock.monotonic_s()  # noqa: SLF001 - same module
        return self

    def __exit__(self, *error: object) -> None:
        elapsed_s = self._job._host.clock.monotonic_s() - self._begin_s  # noqa: SLF001
        self._job.adapt(self.cycle_count, elapsed_s, self._budget_s)


def _figures(network: Network) -> Figures:
    return tuple(sorted((name, float(value)) for name, value in network.metrics().items()))


def _open_bindings(host: Host, bindings: tuple[Binding, ...]) -> list[tuple[str, np.ndarray]]:
    arrays = []
    for binding in bindings:
        matrix = open_matrix(host.blobs.path(Digest(binding.file.digest)), binding.file)
        arrays.append((binding.hexagon_name, contiguous_column(matrix, binding.start, binding.end)))
    return arrays


def _learned(state: ClusterState) -> list[Span]:
    """Return what the network has learned; a task that failed before its first cycle left nothing."""
    return [Span(span.task, 0, span.cycle) for span in state.history if span.cycle]


def _moments(goal: list[Span]) -> Iterator[Moment]:
    """Yield where a snapshot would help, best first."""
    for span in reversed(goal):
        yield Moment(span.task.uuid, span.stop)


def _after(goal: list[Span], moment: Moment) -> list[Span] | None:
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
