"""Work on a cluster's network in slices: training, and jobs that need its state."""

import threading
from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import NamedTuple

from msgspec.structs import replace

from hanami_actors.compute import Network
from hanami_actors.domain.cluster.events import Figures, Task
from hanami_actors.domain.cluster.lineage import Lineage
from hanami_actors.domain.cluster.state import TaskState
from hanami_actors.engine.catch_up import Approach
from hanami_actors.engine.host import Host
from hanami_actors.engine.network_cache import Placement
from hanami_actors.errors import RejectedError
from hanami_actors.replay.segments import Span

__all__ = ["NetworkJob", "TaskJob", "TaskWatch", "TrainJob", "figures_of_network"]

FIRST_PROGRESS_SHARE = 1 / 16
"""Of the interval between two records, when the first one is due; doubled after each."""


class TaskWatch(NamedTuple):
    """Who hears of a task's job; called in compute threads, so both must be quick.

    Attributes
    ----------
    on_end : callable
        Gets the job and an error or None.
    on_progress : callable
        Gets the job, now and then.
    """

    on_end: Callable[["TaskJob", BaseException | None], None]
    on_progress: Callable[["TrainJob"], None]


class NetworkJob(ABC):
    """A job on one cluster's network, which is first brought to the moment it needs.

    Parameters
    ----------
    host : Host
        Where the network lives.
    cluster_uuid : str
    approach : Approach

    Attributes
    ----------
    cancel : threading.Event
        When set, the job ends at the next slice boundary.
    """

    def __init__(self, host: Host, cluster_uuid: str, approach: Approach) -> None:
        self.lane = cluster_uuid
        self.cancel = threading.Event()
        self._host = host
        self._approach = approach
        self._is_loaded = False

    def run_slice(self, budget_s: float) -> bool:
        """Work for about ``budget_s``; return whether the job is over."""
        if not self._is_loaded:
            if self.cancel.is_set():
                return True
            self._approach.load()
            self._is_loaded = True
            return False
        placement = self._approach.placement
        if self._approach.spans and self.cancel.is_set():
            self._stopped(placement)
            return True
        if self._approach.spans:
            self._approach.run(budget_s)
            self._progressed(placement)
            return False
        return self._work(placement, budget_s)

    def ended(self, error: BaseException | None) -> None:
        """Release what is not needed any more."""
        if error is not None and not isinstance(error, RejectedError):
            # The network may be between two cycles: the next job loads it again.
            self._host.networks.drop(self.lane)
        self._host.networks.trim(self._host.scheduler.busy_lanes())

    @abstractmethod
    def _work(self, placement: Placement, budget_s: float) -> bool:
        """Do the job's own work once the network is there; return whether it is over."""

    def _progressed(self, placement: Placement) -> None:
        """Hear that a slice of training was run."""
        del placement

    def _stopped(self, placement: Placement) -> None:
        """Hear that the job ends early; the next one goes on from where the network is."""
        del placement


class TaskJob(NetworkJob):
    """Does what a task asks for.

    Parameters
    ----------
    host : Host
    cluster_uuid : str
    approach : Approach
    task : Task
    watch : TaskWatch

    Attributes
    ----------
    task : Task
    cycle : int
        Cycles of the task done so far; may be read from any thread.
    digest : str
        State of the network at the end; empty before.
    is_there : bool
        Whether `cycle` is where the network is; before that it is being loaded or computed again.
    """

    def __init__(
        self,
        host: Host,
        cluster_uuid: str,
        approach: Approach,
        task: Task,
        watch: TaskWatch,
    ) -> None:
        super().__init__(host, cluster_uuid, approach)
        self.task = task
        self.cycle = 0
        self.digest = ""
        self.is_there = False
        self._watch = watch
        self._begun_s = 0.0
        self._begun_cycle = 0

    def ended(self, error: BaseException | None) -> None:
        """Pass the end on."""
        super().ended(error)
        self._watch.on_end(self, error)

    def seconds_left(self) -> float | None:
        """Return how long the rest of the task will take, None while nobody can know."""
        elapsed_s = self._host.clock.monotonic_s() - self._begun_s
        done_count = self.cycle - self._begun_cycle
        if not self.is_there or done_count <= 0 or elapsed_s <= 0:
            return None
        return (self.task.cycle_count - self.cycle) * elapsed_s / done_count

    def _begin_at(self, cycle: int) -> None:
        """Note from where on the speed of the task is measured."""
        self.is_there = True
        self.cycle = self._begun_cycle = cycle
        self._begun_s = self._host.clock.monotonic_s()


class TrainJob(TaskJob):
    """Trains a task to its end, from wherever it stopped.

    Parameters
    ----------
    host : Host
    cluster_uuid : str
    lineage : Lineage
        All that was learned before the task.
    entry : TaskState
        The task, and how far it is recorded to have come before.
    watch : TaskWatch

    Attributes
    ----------
    figures : tuple of (name, value)
        Metrics of the network when they were last looked at.
    """

    def __init__(
        self,
        host: Host,
        cluster_uuid: str,
        lineage: Lineage,
        entry: TaskState,
        watch: TaskWatch,
    ) -> None:
        task = entry.task
        span = Span(cluster_uuid, task, 0, task.cycle_count)
        # What the log knows of this very task is not before it.
        before = [each for each in lineage.stretches if each.task.uuid != task.uuid]
        approach = Approach(
            host,
            cluster_uuid,
            replace(lineage, stretches=tuple(before)),
            further=span,
            shown_from=entry.cycle,
        )
        super().__init__(host, cluster_uuid, approach, task, watch)
        self.figures: Figures = ()
        self._saved_s = self._told_s = host.clock.monotonic_s()
        self._tell_after_s = host.progress_interval_s * FIRST_PROGRESS_SHARE

    def _progressed(self, placement: Placement) -> None:
        if placement.moment.task_uuid != self.task.uuid:
            return
        if not self.is_there:
            self._begin_at(placement.moment.cycle)
        self.cycle = placement.moment.cycle
        now_s = self._host.clock.monotonic_s()
        is_saving = now_s - self._saved_s >= self._host.snapshot_interval_s
        is_telling = now_s - self._told_s >= self._tell_after_s
        if not self._approach.spans or not (is_saving or is_telling):
            return
        self._told_s = now_s
        self._tell_after_s = min(2 * self._tell_after_s, self._host.progress_interval_s)
        self.figures = figures_of_network(placement.network)
        if is_saving:
            self._saved_s = now_s
            self._save(placement)
        self._watch.on_progress(self)

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
        self.figures = figures_of_network(placement.network)
        self._save(placement)
        self._host.snapshotter.thin(self.lane, self.task.uuid, placement.moment.cycle)

    def _save(self, placement: Placement) -> None:
        self._host.snapshotter.save(self.lane, placement.moment, placement.network.image())


def figures_of_network(network: Network) -> Figures:
    """Return the metrics of a network as they are recorded."""
    return tuple(sorted((name, float(value)) for name, value in network.metrics().items()))
