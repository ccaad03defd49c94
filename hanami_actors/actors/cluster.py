"""One cluster: its queue of tasks, its place in the history, and the job that computes for it."""

import logging
from typing import Any

from hanami_actors.actors.cluster_views import created_view, figures_of, task_view
from hanami_actors.actors.future import CallbackFuture
from hanami_actors.actors.gateway import (
    Command,
    DeleteTask,
    GetClusterFigures,
    GetTask,
    ListTasks,
    Target,
    TargetKind,
)
from hanami_actors.actors.host import CancelJob, Host, RunJob
from hanami_actors.actors.inbox import IdleTick, Internal, Revive
from hanami_actors.actors.jobs import NetworkJob, TrainJob
from hanami_actors.actors.request_job import RequestJob
from hanami_actors.actors.runtime import Actor, tell
from hanami_actors.actors.system import SYSTEM_USER, System
from hanami_actors.actors.task_begin import new_task, result_created
from hanami_actors.actors.task_end import (
    end_message,
    fail_message,
    is_complete,
    result_ended,
    result_lost,
    suspend_message,
)
from hanami_actors.actors.writer import append_to, persist
from hanami_actors.compute import KERNEL_VERSION
from hanami_actors.domain.base import Stamp, Who
from hanami_actors.domain.cluster.apply import apply
from hanami_actors.domain.cluster.decide import decide, task_not_found
from hanami_actors.domain.cluster.events import ClusterEvent, Figures, Task
from hanami_actors.domain.cluster.messages import (
    CreateRequestTask,
    CreateTrainTask,
    QueueTask,
    RecordCycles,
    RemoveTask,
    StartTask,
)
from hanami_actors.domain.cluster.state import (
    ClusterState,
    TaskPhase,
    active_task,
    find_task,
    next_queued_task,
)
from hanami_actors.domain.cluster.views import TaskView
from hanami_actors.errors import (
    BusyError,
    FaultError,
    HanamiError,
    RejectedError,
    StorageFullError,
    WrongVersionError,
)
from hanami_actors.eventlog.port import Append
from hanami_actors.eventlog.replay import fold
from hanami_actors.types import StreamId

__all__ = ["ClusterActor", "JobEnded", "JobProgressed", "RetireCluster", "SuspendCluster"]

logger = logging.getLogger(__name__)

PASSIVATE_AFTER_S = 60.0
"""A cluster without work needs no thread; the next message starts it again by replay."""


class JobEnded(Internal, frozen=True, kw_only=True):
    """A job of this cluster is over. Told by a compute thread."""

    job: Any
    error: Any = None


class JobProgressed(Internal, frozen=True, kw_only=True):
    """A training has come this far and a snapshot is on its way."""

    task_uuid: str
    cycle: int
    figures: Figures = ()


class RetireCluster(Internal, frozen=True, kw_only=True):
    """The directory deletes the cluster: stop at once, whatever is going on. Answer: None."""


class SuspendCluster(Internal, frozen=True, kw_only=True):
    """The server stops: record where the active task is and stop. Answer: None."""


class ClusterActor(Actor):
    """Owns the stream of one cluster.

    Training and requests run on the host; the actor hears of their end and never waits for it, so
    it answers at any time. After an append of which nobody knows whether it was written the actor
    dies, and the supervisor has it started again by replay.
    """

    def __init__(self, system: System, uuid: str, host: Host) -> None:
        super().__init__()
        self.inbox.len_max = system.settings.inbox_len_max
        self._system = system
        self._uuid = uuid
        self._host = host
        self._stream = StreamId(f"cluster/{uuid}")
        self._state = ClusterState()
        self._version = 0
        self._is_certain = False
        self._has_left = False
        self._job: NetworkJob | None = None
        self._aborting: list[CallbackFuture] = []
        self._leavers: list[CallbackFuture] = []

    def on_start(self) -> None:
        """Replay the stream; go on with an interrupted task, or start the next."""
        log = self._system.log
        self._state = fold(log.read_stream(self._stream), ClusterState(), apply)
        self._version = log.stream_version(self._stream)
        self._is_certain = True
        self.inbox.idle_s = PASSIVATE_AFTER_S
        if not self._state.alive:
            return
        active = active_task(self._state)
        if active is not None:
            self._run(active.task)
        else:
            stamp = self._system.stamp()
            self._commit(stamp, self._start_next(self._state, stamp))

    def on_stop(self) -> None:
        """Stop computing; what was not recorded is computed again after a restart."""
        target = Target(kind=TargetKind.CLUSTER, key=self._uuid)
        self._system.actors.discard(target, self.actor_ref)
        self._cancel_job()
        waiting = [*self._aborting, *self._leavers]
        self._aborting, self._leavers = [], []
        for waiter in waiting:
            waiter.fail(_restarting())
        unfinished = active_task(self._state) or next_queued_task(self._state)
        if not self._has_left and (unfinished or not self._is_certain):
            tell(self._system.actors.find("supervisor"), Revive(target=target))

    def on_receive(self, message: object) -> Any:
        """Handle a message."""
        match message:
            case Command():
                return self._on_command(message)
            case JobEnded():
                self._on_job_ended(message)
            case JobProgressed():
                self._on_progress(message)
            case IdleTick():
                if self._job is None:
                    self.die()
            case RetireCluster():
                self._retire()
            case SuspendCluster():
                return self._suspend()
            case _:
                raise FaultError(f"a cluster got a {type(message).__name__}")
        return None

    def _on_command(self, command: Command) -> Any:
        match command.message:
            case CreateTrainTask() | CreateRequestTask():
                return self._create_task(command)
            case GetTask(task_uuid=task_uuid):
                entry = find_task(self._state, task_uuid)
                if entry is None:
                    raise task_not_found(self._state, task_uuid)
                return task_view(entry, self._job, self._host.scheduler.failure)
            case ListTasks():
                obstacle = self._host.scheduler.failure
                return tuple(task_view(each, self._job, obstacle) for each in self._state.tasks)
            case DeleteTask(task_uuid=task_uuid):
                return self._delete_task(task_uuid, command)
            case GetClusterFigures():
                return figures_of(self._state, self._host.networks.get(self._uuid))
            case _:
                name = type(command.message).__name__
                raise FaultError(f"a cluster was asked for a {name}")

    def _create_task(self, command: Command) -> TaskView:
        if self._host.scheduler.failure:
            raise BusyError(f"no task can be created: {self._host.scheduler.failure}")
        stamp = self._system.stamp(command)
        task = new_task(command, self._state, self._system.published.tables, stamp)
        queued = decide(self._state, QueueTask(task=task), stamp)
        state = self._folded(self._state, queued, stamp)
        started = self._start_next(state, stamp)
        self._commit(stamp, (*queued, *started), *result_created(task, stamp))
        entry = find_task(self._state, task.uuid)
        assert entry is not None, "a queued task is listed"
        return created_view(entry)

    def _delete_task(self, task_uuid: str, command: Command) -> CallbackFuture | None:
        entry = find_task(self._state, task_uuid)
        if entry is not None and entry.phase is TaskPhase.ACTIVE and self._job is not None:
            waiter = CallbackFuture()
            self._aborting.append(waiter)
            self._cancel_job()
            return waiter
        stamp = self._system.stamp(command)
        removed = decide(self._state, RemoveTask(task_uuid=task_uuid), stamp)
        lost: tuple[Append, ...] = ()
        if entry is not None and entry.phase is TaskPhase.QUEUED:
            lost = result_lost(self._system.published.tables, entry.task, stamp)
        self._commit_with_result(stamp, removed, lost)
        return None

    def _on_progress(self, message: JobProgressed) -> None:
        active = active_task(self._state)
        if active is None or active.task.uuid != message.task_uuid:
            return
        stamp = self._task_stamp(active.task)
        record = RecordCycles(
            task_uuid=message.task_uuid, cycle=message.cycle, figures=message.figures
        )
        try:
            self._commit(stamp, decide(self._state, record, stamp))
        except StorageFullError as error:
            # Only a number for people; the training itself needs no room in the log before its end.
            logger.warning("progress of cluster %s is not recorded: %s", self._uuid, error)

    def _on_job_ended(self, message: JobEnded) -> None:
        job: NetworkJob = message.job
        if job is not self._job:
            return
        self._job = None
        stamp = self._task_stamp(job.task)
        if self._leavers:
            self._say_goodbye(job, message.error, stamp)
            return
        self._end(job, message.error, stamp)
        self._answer_aborts()

    def _end(self, job: NetworkJob, error: BaseException | None, stamp: Stamp) -> None:
        tables = self._system.published.tables
        end = end_message(self._state, job, error)
        try:
            others = result_ended(tables, job, end, stamp)
        except RejectedError as rejection:
            end = fail_message(self._state, job, rejection)
            others = result_ended(tables, job, end, stamp)
        ended = decide(self._state, end, stamp)
        following = self._start_next(self._folded(self._state, ended, stamp), stamp)
        self._commit_with_result(stamp, (*ended, *following), others)

    def _commit_with_result(
        self, stamp: Stamp, events: tuple[ClusterEvent, ...], others: tuple[Append, ...]
    ) -> None:
        try:
            self._commit(stamp, events, *others)
        except WrongVersionError as error:
            # The result dataset was deleted in the meantime: the task ends without it.
            logger.info("cluster %s decides without the result: %s", self._uuid, error)
            self._commit(stamp, events)

    def _start_next(self, state: ClusterState, stamp: Stamp) -> tuple[ClusterEvent, ...]:
        waiting = next_queued_task(state)
        if waiting is None or active_task(state) is not None or self._leavers:
            return ()
        start = StartTask(task_uuid=waiting.task.uuid, kernel_version=KERNEL_VERSION)
        return decide(state, start, stamp)

    def _commit(self, stamp: Stamp, events: tuple[ClusterEvent, ...], *others: Append) -> None:
        """Fold, append, then take the state and run what has become active."""
        if not events:
            return
        following = self._folded(self._state, events, stamp)
        own = append_to(self._stream, self._version, events)
        try:
            commit = persist(self._system.writer, stamp, own, *others)
        except WrongVersionError as error:
            if error.stream != self._stream:
                raise
            self._restart()
            raise _restarting() from error
        except (FaultError, BusyError):
            self._restart()
            raise
        mine = [record for record in commit.records if record.stream == self._stream]
        self._state, self._version = following, mine[-1].version
        active = active_task(self._state)
        if active is not None and self._job is None and not self._leavers:
            self._run(active.task)

    def _folded(
        self, state: ClusterState, events: tuple[ClusterEvent, ...], stamp: Stamp
    ) -> ClusterState:
        for event in events:
            state = apply(state, event, stamp.now_us)
        return state

    def _restart(self) -> None:
        """Die, because nobody knows what the log holds; the supervisor has it read again."""
        self._is_certain = False
        self.die()

    def _run(self, task: Task) -> None:
        if task.kind == "train":
            self._job = TrainJob(self._host, self._state, task, self._tell_end, self._tell_progress)
        else:
            self._job = RequestJob(self._host, self._state, task, self._tell_end)
        if not self._tell_host(RunJob(job=self._job)):
            self.die()
            raise BusyError(f"host '{self._state.host_uuid}' is not running; try again in a moment")

    def _cancel_job(self) -> None:
        if self._job is not None:
            self._job.cancel.set()
            self._tell_host(CancelJob(job=self._job))

    def _tell_host(self, message: Internal) -> bool:
        return tell(self._system.actors.find(f"host/{self._state.host_uuid}"), message)

    def _tell_end(self, job: NetworkJob, error: BaseException | None) -> None:
        tell(self.actor_ref, JobEnded(job=job, error=error))

    def _tell_progress(self, job: TrainJob) -> None:
        tell(
            self.actor_ref,
            JobProgressed(task_uuid=job.task.uuid, cycle=job.cycle, figures=job.figures),
        )

    def _retire(self) -> None:
        self._has_left = True
        # Who waits for the end of a task gets it: the cluster goes with all its tasks.
        self._answer_aborts()
        self.die()

    def _suspend(self) -> CallbackFuture | None:
        if self._job is None:
            self._has_left = True
            self.die()
            return None
        waiter = CallbackFuture()
        self._leavers.append(waiter)
        self._cancel_job()
        return waiter

    def _say_goodbye(self, job: NetworkJob, error: BaseException | None, stamp: Stamp) -> None:
        """Record as much as is known and stop, also if that fails: the next start computes it."""
        try:
            if error is not None or self._aborting or is_complete(job):
                self._end(job, error, stamp)
            elif isinstance(job, TrainJob):
                self._commit(stamp, decide(self._state, suspend_message(self._state, job), stamp))
            self._answer_aborts()
        except HanamiError as problem:
            logger.warning("cluster %s stops without a mark: %s", self._uuid, problem)
        self._has_left = True
        leavers, self._leavers = self._leavers, []
        self.die()
        for waiter in leavers:
            waiter.set(None)

    def _answer_aborts(self) -> None:
        waiting, self._aborting = self._aborting, []
        for waiter in waiting:
            waiter.set(None)

    def _task_stamp(self, task: Task) -> Stamp:
        stamp = self._system.stamp()
        who = Who(user_id=task.user_id, project_id=task.project_id, role=SYSTEM_USER.role)
        return Stamp(now_us=stamp.now_us, who=who, ids=stamp.ids, seed=stamp.seed)


def _restarting() -> BusyError:
    return BusyError("this cluster is being started again; try again in a moment")
