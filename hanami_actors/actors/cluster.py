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
from hanami_actors.actors.host import Host, RunJob
from hanami_actors.actors.inbox import IdleTick, Internal, Revive
from hanami_actors.actors.jobs import NetworkJob, RequestJob, TrainJob
from hanami_actors.actors.runtime import Actor, tell
from hanami_actors.actors.system import SYSTEM_USER, System
from hanami_actors.actors.writer import append_to, persist
from hanami_actors.compute import KERNEL_VERSION
from hanami_actors.domain.access import visible
from hanami_actors.domain.base import Stamp, Who
from hanami_actors.domain.cluster.apply import apply
from hanami_actors.domain.cluster.decide import decide, task_not_found
from hanami_actors.domain.cluster.events import ClusterEvent, Figures, Task
from hanami_actors.domain.cluster.messages import (
    AbortTask,
    ClusterMessage,
    CreateRequestTask,
    CreateTrainTask,
    FailTask,
    FinishTask,
    QueueTask,
    RecordCycles,
    RemoveTask,
    StartTask,
    SuspendTask,
)
from hanami_actors.domain.cluster.resolve import resolve_request, resolve_train
from hanami_actors.domain.cluster.state import (
    ClusterState,
    TaskPhase,
    active_task,
    find_task,
    next_queued_task,
    output_has_size,
)
from hanami_actors.domain.cluster.views import TaskView
from hanami_actors.domain.dataset import aggregate as dataset_aggregate
from hanami_actors.domain.dataset.aggregate import DatasetState
from hanami_actors.domain.dataset.messages import CreateResultDataset, FillDataset
from hanami_actors.errors import BusyError, FaultError, HanamiError, WrongVersionError
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
    """The directory is about to delete the cluster: stop all work. Answer: its version."""


class SuspendCluster(Internal, frozen=True, kw_only=True):
    """The server stops: record where the active task is and stop. Answer: None."""


class ClusterActor(Actor):
    """Owns the stream of one cluster.

    Training and requests run on the host; the actor hears of their end and never waits for it, so
    it answers at any time.
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
        self._job: TrainJob | RequestJob | None = None
        self._aborting: list[CallbackFuture] = []
        self._leaving: CallbackFuture | None = None
        self._suspending = False

    def on_start(self) -> None:
        """Replay the stream; go on with an interrupted task, or start the next."""
        log = self._system.log
        self._state = fold(log.read_stream(self._stream), ClusterState(), apply)
        self._version = log.stream_version(self._stream)
        self.inbox.idle_s = PASSIVATE_AFTER_S
        if not self._state.alive:
            return
        active = active_task(self._state)
        if active is not None:
            self._run(active.task)
        elif next_queued_task(self._state) is not None:
            stamp = self._system.stamp()
            self._commit(stamp, self._start_next(self._state, stamp))

    def on_stop(self) -> None:
        """Stop computing; what was not recorded is computed again after a restart."""
        target = Target(kind=TargetKind.CLUSTER, key=self._uuid)
        self._system.actors.discard(target, self.actor_ref)
        if self._job is not None:
            self._job.cancel.set()
        if active_task(self._state) is not None and self._leaving is None:
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
                if self._job is None and not self._aborting:
                    self.die()
            case RetireCluster():
                return self._leave(suspend=False)
            case SuspendCluster():
                return self._leave(suspend=True)
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
                return task_view(entry, self._job)
            case ListTasks():
                return tuple(task_view(entry, self._job) for entry in self._state.tasks)
            case DeleteTask(task_uuid=task_uuid):
                return self._delete_task(task_uuid, command)
            case GetClusterFigures():
                return figures_of(self._state, self._host.networks.get(self._uuid))
            case _:
                name = type(command.message).__name__
                raise FaultError(f"a cluster was asked for a {name}")

    def _create_task(self, command: Command) -> TaskView:
        stamp = self._system.stamp(command)
        task = self._resolve(command, stamp)
        queued = decide(self._state, QueueTask(task=task), stamp)
        state = self._folded(self._state, queued, stamp)
        started = self._start_next(state, stamp)
        others = (_result_created(task, stamp),) if task.kind == "request" else ()
        self._commit(stamp, (*queued, *started), *others)
        entry = find_task(self._state, task.uuid)
        assert entry is not None, "a queued task is listed"
        return created_view(entry)

    def _resolve(self, command: Command, stamp: Stamp) -> Task:
        tables = self._system.published.tables

        def lookup(uuid: str) -> DatasetState | None:
            row = tables.datasets.get(uuid)
            if row is None or not _may_see(command.who, row.state):
                return None
            return row.state

        match command.message:
            case CreateTrainTask() as request:
                return resolve_train(request, self._state.template, lookup, stamp)
            case CreateRequestTask() as request:
                return resolve_request(
                    request,
                    self._state.template,
                    lookup,
                    lambda name: output_has_size(self._state, name),
                    stamp,
                )
            case _:
                raise FaultError(f"{type(command.message).__name__} creates no task")

    def _delete_task(self, task_uuid: str, command: Command) -> CallbackFuture | None:
        entry = find_task(self._state, task_uuid)
        if entry is not None and entry.phase is TaskPhase.ACTIVE and self._job is not None:
            waiter = CallbackFuture()
            self._aborting.append(waiter)
            self._job.cancel.set()
            return waiter
        stamp = self._system.stamp(command)
        self._commit(stamp, decide(self._state, RemoveTask(task_uuid=task_uuid), stamp))
        return None

    def _on_progress(self, message: JobProgressed) -> None:
        active = active_task(self._state)
        if active is None or active.task.uuid != message.task_uuid:
            return
        stamp = self._task_stamp(active.task)
        record = RecordCycles(
            task_uuid=message.task_uuid, cycle=message.cycle, figures=message.figures
        )
        self._commit(stamp, decide(self._state, record, stamp))

    def _on_job_ended(self, message: JobEnded) -> None:
        job: TrainJob | RequestJob = message.job
        if self._job is None or job is not self._job:
            return
        stamp = self._task_stamp(job.task)
        self._job = None
        if self._leaving is not None:
            self._say_goodbye(job, stamp)
            return
        ended = decide(self._state, self._end_message(job, message.error), stamp)
        following = self._start_next(self._folded(self._state, ended, stamp), stamp)
        self._commit_end(job, (*ended, *following), stamp)
        for waiter in self._aborting:
            waiter.set(None)
        self._aborting.clear()

    def _end_message(self, job: TrainJob | RequestJob, error: object) -> ClusterMessage:
        uuid, cycle = job.task.uuid, job.cycle
        if error is not None:
            reason = str(error) if isinstance(error, HanamiError) else "an internal error"
            # A job that failed lost its network; what counts is what the log knows.
            active = active_task(self._state)
            recorded = active.cycle if active is not None else 0
            return FailTask(task_uuid=uuid, cycle=recorded, reason=reason)
        if cycle < job.task.cycle_count:
            figures = job.figures if isinstance(job, TrainJob) else ()
            return AbortTask(task_uuid=uuid, cycle=cycle, digest=job.digest, figures=figures)
        if isinstance(job, RequestJob):
            return FinishTask(task_uuid=uuid, cycle=cycle, digest=job.digest, result=job.content)
        return FinishTask(task_uuid=uuid, cycle=cycle, digest=job.digest, figures=job.figures)

    def _commit_end(
        self, job: TrainJob | RequestJob, events: tuple[ClusterEvent, ...], stamp: Stamp
    ) -> None:
        filled = self._result_filled(job, stamp)
        try:
            self._commit(stamp, events, *filled)
        except WrongVersionError:
            if not filled:
                raise
            # The result dataset was deleted in the meantime: the task ends without it.
            self._commit(stamp, events)

    def _result_filled(self, job: TrainJob | RequestJob, stamp: Stamp) -> tuple[Append, ...]:
        if not isinstance(job, RequestJob) or job.content is None:
            return ()
        row = self._system.published.tables.datasets.get(job.task.uuid)
        if row is None:
            return ()
        events = dataset_aggregate.decide(row.state, FillDataset(content=job.content), stamp)
        return (append_to(f"dataset/{job.task.uuid}", row.version, events),)

    def _start_next(self, state: ClusterState, stamp: Stamp) -> tuple[ClusterEvent, ...]:
        waiting = next_queued_task(state)
        if waiting is None or active_task(state) is not None or self._leaving is not None:
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
            if error.stream == self._stream:
                self.die()
            raise
        except FaultError:
            self.die()
            raise
        mine = [record for record in commit.records if record.stream == self._stream]
        self._state, self._version = following, mine[-1].version
        active = active_task(self._state)
        if active is not None and self._job is None and self._leaving is None:
            self._run(active.task)

    def _folded(
        self, state: ClusterState, events: tuple[ClusterEvent, ...], stamp: Stamp
    ) -> ClusterState:
        for event in events:
            state = apply(state, event, stamp.now_us)
        return state

    def _run(self, task: Task) -> None:
        if task.kind == "train":
            self._job = TrainJob(self._host, self._state, task, self._tell_end, self._tell_progress)
        else:
            self._job = RequestJob(self._host, self._state, task, self._tell_end)
        host = self._system.actors.find(f"host/{self._state.host_uuid}")
        if not tell(host, RunJob(job=self._job)):
            self.die()
            raise BusyError(f"host '{self._state.host_uuid}' is not running; try again in a moment")

    def _tell_end(self, job: NetworkJob, error: BaseException | None) -> None:
        tell(self.actor_ref, JobEnded(job=job, error=error))

    def _tell_progress(self, job: TrainJob) -> None:
        tell(
            self.actor_ref,
            JobProgressed(task_uuid=job.task.uuid, cycle=job.cycle, figures=job.figures),
        )

    def _leave(self, *, suspend: bool) -> Any:
        self._leaving = CallbackFuture()
        self._suspending = suspend
        if self._job is None:
            self.die()
            return self._version
        self._job.cancel.set()
        return self._leaving

    def _say_goodbye(self, job: TrainJob | RequestJob, stamp: Stamp) -> None:
        try:
            if self._suspending and isinstance(job, TrainJob):
                suspend = SuspendTask(task_uuid=job.task.uuid, cycle=job.cycle)
                self._commit(stamp, decide(self._state, suspend, stamp))
        except HanamiError as error:
            logger.warning("cluster %s stops without a mark: %s", self._uuid, error)
        for waiter in self._aborting:
            waiter.set(None)
        if self._leaving is not None:
            self._leaving.set(self._version)
        self.die()

    def _task_stamp(self, task: Task) -> Stamp:
        stamp = self._system.stamp()
        who = Who(user_id=task.user_id, project_id=task.project_id, role=SYSTEM_USER.role)
        return Stamp(now_us=stamp.now_us, who=who, ids=stamp.ids, seed=stamp.seed)


def _may_see(who: Who, dataset: DatasetState) -> bool:
    return dataset.alive and visible(who, dataset.owner_id, dataset.project_id)


def _result_created(task: Task, stamp: Stamp) -> Append:
    message = CreateResultDataset(uuid=task.uuid, name=task.name)
    events = dataset_aggregate.decide(dataset_aggregate.initial(), message, stamp)
    return append_to(f"dataset/{task.uuid}", 0, events)
