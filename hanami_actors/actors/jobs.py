"""Work on a cluster's network in slices: how it gets to the moment it needs, and training."""

import threading
from abc import ABC, abstractmethod
from collections.abc import Callable

from hanami_actors.actors.host import Host
from hanami_actors.actors.networks import BEGINNING, Placement, network_spec
from hanami_actors.actors.snapshotter import Moment
from hanami_actors.actors.spans import Span, SpanArrays, learned, moments, remaining
from hanami_actors.compute import Network
from hanami_actors.domain.cluster.events import Figures, Task
from hanami_actors.domain.cluster.state import ClusterState
from hanami_actors.errors import RejectedError

__all__ = ["FIRST_SLICE_CYCLES", "NetworkJob", "TrainJob"]

FIRST_SLICE_CYCLES = 16
"""Cycles of the first slice, before the speed is known."""

SLICE_GROWTH_MAX = 4.0
"""A slice grows at most this much over the one before."""


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
    task : Task
        What is to be done.
    on_end : callable
        Called with the job and an error or None, in a compute thread.

    Attributes
    ----------
    task : Task
    cycle : int
        Cycles of the task done so far; may be read from any thread.
    digest : str
        State of the network at the end; empty before.
    is_there : bool
        Whether `cycle` is where the network is; before that it is being loaded or computed again.
    cancel : threading.Event
        When set, the job ends at the next slice boundary.
    """

    def __init__(
        self,
        host: Host,
        state: ClusterState,
        task: Task,
        on_end: Callable[["NetworkJob", BaseException | None], None],
    ) -> None:
        self.lane = state.uuid
        self.task = task
        self.cycle = 0
        self.digest = ""
        self.is_there = False
        self.cancel = threading.Event()
        self._host = host
        self._state = state
        self._on_end = on_end
        self._placement: Placement | None = None
        self._spans: list[Span] = []
        self._arrays: SpanArrays | None = None
        self._slice_cycles = FIRST_SLICE_CYCLES

    def run_slice(self, budget_s: float) -> bool:
        """Work for about ``budget_s``; return whether the job is over."""
        if self._placement is None:
            if self.cancel.is_set():
                return True
            self._placement, self._spans = self._prepare()
            return False
        if self._spans and self.cancel.is_set():
            self._stopped(self._placement)
            return True
        if self._spans:
            self._train_slice(self._placement, budget_s)
            return False
        return self._work(self._placement, budget_s)

    def ended(self, error: BaseException | None) -> None:
        """Pass the end on."""
        if error is not None and not isinstance(error, RejectedError):
            # The network may be between two cycles: the next job loads it again.
            self._host.networks.drop(self.lane)
        self._host.networks.trim(self._host.scheduler.busy_lanes())
        self._on_end(self, error)

    @abstractmethod
    def _goal(self) -> list[Span]:
        """Return the spans that lead to the state this job needs, the whole history."""

    @abstractmethod
    def _work(self, placement: Placement, budget_s: float) -> bool:
        """Do the job's own work once the network is there; return whether it is over."""

    @abstractmethod
    def _progressed(self, placement: Placement) -> None:
        """Hear that a slice of training was run."""

    @abstractmethod
    def _stopped(self, placement: Placement) -> None:
        """Hear that the job ends early because it was cancelled."""

    def _prepare(self) -> tuple[Placement, list[Span]]:
        goal = self._goal()
        placement = self._host.networks.get(self.lane)
        spans = None if placement is None else remaining(goal, placement.moment)
        if placement is None or spans is None:
            placement = self._load(goal)
            spans = remaining(goal, placement.moment)
            assert spans is not None, "a loaded moment is one of the goal's"
            self._host.networks.put(self.lane, placement, self._host.scheduler.busy_lanes())
        return placement, spans

    def _load(self, goal: list[Span]) -> Placement:
        found = self._host.snapshotter.newest(self.lane, moments(goal))
        if found is not None:
            moment, image = found
            return Placement(self._host.network_class.from_image(image), moment)
        spec = network_spec(self._state.template, self._state.seed)
        return Placement(self._host.network_class.create(spec), BEGINNING)

    def _train_slice(self, placement: Placement, budget_s: float) -> None:
        span = self._spans[0]
        if self._arrays is None:
            self._arrays = SpanArrays(self._host.blobs, span.task)
        if span.start == 0:
            self._arrays.size(placement.network)
            placement.network.reset_transients("train")
        begin_s = self._host.clock.monotonic_s()
        stop = min(span.stop, span.start + self._slice_cycles)
        done = self._arrays.train(placement.network, span.start, stop)
        self._adapt(done - span.start, begin_s, budget_s)
        placement.moment = Moment(span.task.uuid, done)
        self._spans[0] = Span(span.task, done, span.stop)
        if done >= span.stop:
            self._spans.pop(0)
            self._arrays = None
        self._progressed(placement)

    def _adapt(self, cycle_count: int, begin_s: float, budget_s: float) -> None:
        """Choose the length of the next slice from the speed of this one."""
        elapsed_s = self._host.clock.monotonic_s() - begin_s
        if elapsed_s <= 0 or cycle_count <= 0:
            return
        fitting = cycle_count * budget_s / elapsed_s
        self._slice_cycles = max(1, int(min(fitting, self._slice_cycles * SLICE_GROWTH_MAX)))


class TrainJob(NetworkJob):
    """Trains a task to its end, from wherever it stopped.

    Attributes
    ----------
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
        super().__init__(host, state, task, on_end)
        self.figures: Figures = ()
        self._on_progress = on_progress
        self._saved_s = host.clock.monotonic_s()

    def _goal(self) -> list[Span]:
        return [*learned(self._state), Span(self.task, 0, self.task.cycle_count)]

    def _progressed(self, placement: Placement) -> None:
        if placement.moment.task_uuid != self.task.uuid:
            return
        self.cycle = placement.moment.cycle
        self.is_there = True
        now_s = self._host.clock.monotonic_s()
        if now_s - self._saved_s >= self._host.snapshot_interval_s and self._spans:
            self._saved_s = now_s
            self.figures = _figures(placement.network)
            self._save(placement)
            self._on_progress(self)

    def _stopped(self, placement: Placement) -> None:
        if placement.moment.task_uuid == self.task.uuid:
            self._finish(placement)

    def _work(self, placement: Placement, budget_s: float) -> bool:
        del budget_s
        self._finish(placement)
        return True

    def _finish(self, placement: Placement) -> None:
        self.cycle = placement.moment.cycle
        self.is_there = True
        self.digest = placement.network.digest()
        self.figures = _figures(placement.network)
        self._save(placement)
        self._host.snapshotter.thin(self.lane, self.task.uuid, placement.moment.cycle)

    def _save(self, placement: Placement) -> None:
        self._host.snapshotter.save(self.lane, placement.moment, placement.network.image())


def _figures(network: Network) -> Figures:
    return tuple(sorted((name, float(value)) for name, value in network.metrics().items()))
