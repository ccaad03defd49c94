"""What the parts of a cluster's actor share: its book, its host, its job, and how things follow."""

import logging
from collections.abc import Callable
from typing import Any

from hanami_actors.actors.cluster.stop_requests import Stops
from hanami_actors.actors.cluster.stream import ClusterBook, folded
from hanami_actors.actors.cluster.task_start import Moves, next_moves
from hanami_actors.actors.host import CancelJob, RunJob
from hanami_actors.actors.system import SYSTEM_USER, System
from hanami_actors.domain.base import Stamp, Who
from hanami_actors.domain.cluster.events import (
    CheckpointTaken,
    ClusterEvent,
    ClusterRestored,
    Figures,
    HostSwitched,
    Task,
)
from hanami_actors.domain.cluster.state import ClusterState, active_task
from hanami_actors.domain.tables import Tables
from hanami_actors.engine.host_table import HostTable
from hanami_actors.engine.jobs.request_job import RequestJob
from hanami_actors.engine.jobs.state_jobs import LoadJob, SnapshotJob
from hanami_actors.engine.jobs.train_job import NetworkJob, TaskJob, TaskWatch, TrainJob
from hanami_actors.errors import BusyError, WrongVersionError
from hanami_actors.runtime.actor import ActorRef, tell
from hanami_actors.runtime.inbox import Internal

__all__ = ["ClusterCore", "JobEnded", "JobProgressed"]

logger = logging.getLogger(__name__)

NOTHING = Moves()


class JobEnded(Internal, frozen=True, kw_only=True):
    """A job of this cluster is over. Told by a compute thread."""

    job: Any
    error: Any = None


class JobProgressed(Internal, frozen=True, kw_only=True):
    """A training has come this far."""

    task_uuid: str
    cycle: int
    figures: Figures = ()


class ClusterCore:
    """Used in the thread of the cluster's actor only.

    Parameters
    ----------
    system : System
    uuid : str
        Of the cluster.
    hosts : HostTable
    ref : ActorRef
        Of the actor, for what compute threads tell.
    die : callable
        Stops the actor.

    Attributes
    ----------
    book : ClusterBook
    host_uuid, host
        Where the network is computed.
    job : TaskJob or None
        What computes for the active task.
    stops : Stops
        Who wants it to stop.
    followers : list of callable
        Called whenever the state or the job has changed.
    """

    def __init__(
        self,
        system: System,
        uuid: str,
        hosts: HostTable,
        ref: ActorRef,
        die: Callable[[], None],
    ) -> None:
        self.system = system
        self.uuid = uuid
        self.hosts = hosts
        self.host_uuid, self.host = hosts.home_of("")
        self.book = ClusterBook(system, self.host.histories, uuid, die)
        self.job: TaskJob | None = None
        self.stops = Stops()
        self.followers: list[Callable[[], None]] = []
        self._ref = ref
        self._die = die

    @property
    def state(self) -> ClusterState:
        """The cluster as the log knows it."""
        return self.book.state

    @property
    def tables(self) -> Tables:
        """The newest published tables."""
        return self.system.published.tables

    def load(self) -> None:
        """Replay the stream and find the host."""
        self.book.load()
        self.host_uuid, self.host = self.hosts.home_of(self.state.host_uuid)

    def next_moves(self, events: tuple[ClusterEvent, ...], stamp: Stamp) -> Moves:
        """Return what follows in the queue once these events have happened."""
        if self.stops.leavers:
            return Moves()
        state = folded(self.state, events, stamp)
        return next_moves(
            state, self.book.stream, self.book.version + len(events), self.tables, stamp
        )

    def commit(self, stamp: Stamp, first: Moves, then: Moves = NOTHING) -> None:
        """Append, take the state, then do what follows from it."""
        events = (*first.events, *then.events)
        if not events:
            return
        self.book.commit(stamp, events, *first.others, *then.others)
        for event in events:
            match event:
                case HostSwitched(host_uuid=host_uuid):
                    self._move_to(host_uuid)
                case CheckpointTaken():
                    self.submit(SnapshotJob(self.host, self.uuid, self.book.lineage()))
                case ClusterRestored():
                    self.submit(LoadJob(self.host, self.uuid, self.book.lineage()))
                case _:
                    pass
        self.run_active()
        self.follow()

    def follow(self) -> None:
        """Let others see what has changed."""
        for follower in self.followers:
            follower()

    def commit_with_result(self, stamp: Stamp, first: Moves, then: Moves = NOTHING) -> None:
        """Append what goes into a result dataset as well, if that is still there."""
        try:
            self.commit(stamp, first, then)
        except WrongVersionError as error:
            # The result dataset was deleted in the meantime: the task ends without it.
            logger.info("cluster %s decides without the result: %s", self.uuid, error)
            self.commit(stamp, Moves(first.events), then)

    def run_active(self) -> None:
        """Have the active task computed, unless it is already."""
        active = active_task(self.state)
        if active is None or self.job is not None or self.stops.leavers:
            return
        watch = TaskWatch(self._tell_end, self._tell_progress)
        lineage = self.book.lineage()
        if active.task.kind == "train":
            self.job = TrainJob(self.host, self.uuid, lineage, active, watch)
        else:
            self.job = RequestJob(self.host, self.uuid, lineage, active.task, watch)
        if not self.submit(self.job):
            self._die()
            raise BusyError(f"host '{self.host_uuid}' is not running; try again in a moment")

    def submit(self, job: NetworkJob) -> bool:
        """Have a job run on the host; return whether that is there."""
        return self._tell_host(RunJob(job=job))

    def cancel_job(self) -> None:
        """Let the job end at the next slice boundary."""
        if self.job is not None:
            self.job.cancel.set()
            self._tell_host(CancelJob(job=self.job))

    def task_stamp(self, task: Task) -> Stamp:
        """Return a stamp in the name of who asked for the task."""
        stamp = self.system.stamp()
        who = Who(user_id=task.user_id, project_id=task.project_id, role=SYSTEM_USER.role)
        return Stamp(now_us=stamp.now_us, who=who, ids=stamp.ids, seed=stamp.seed)

    def _move_to(self, host_uuid: str) -> None:
        """Compute there from now on; the state comes from the snapshot of the stop."""
        self.host.networks.drop(self.uuid)
        self.host_uuid, self.host = self.hosts.home_of(host_uuid)

    def _tell_host(self, message: Internal) -> bool:
        return tell(self.system.actors.find(f"host/{self.host_uuid}"), message)

    def _tell_end(self, job: TaskJob, error: BaseException | None) -> None:
        tell(self._ref, JobEnded(job=job, error=error))

    def _tell_progress(self, job: TrainJob) -> None:
        tell(
            self._ref,
            JobProgressed(task_uuid=job.task.uuid, cycle=job.cycle, figures=job.figures),
        )
