"""The tasks of a cluster: how they are queued, stopped and ended."""

import logging
from typing import Any

from hanami_actors.actors.cluster.core import ClusterCore, JobEnded, JobProgressed
from hanami_actors.actors.cluster.messages import AbortTask, PauseTask, ResumeTask
from hanami_actors.actors.cluster.stop_requests import Stops
from hanami_actors.actors.cluster.stream import folded, restarting
from hanami_actors.actors.cluster.task_end import (
    end_message,
    fail_message,
    is_complete,
    pause_message,
    recorded_cycle,
    result_ended,
    result_lost,
    suspend_message,
)
from hanami_actors.actors.cluster.task_start import Moves, begin_task, new_task, result_created
from hanami_actors.actors.cluster.views import task_view
from hanami_actors.actors.gateway import Command, DeleteTask
from hanami_actors.domain.base import Stamp
from hanami_actors.domain.cluster import messages as domain
from hanami_actors.domain.cluster.decide import decide, task_not_found
from hanami_actors.domain.cluster.events import ClusterEvent, Task
from hanami_actors.domain.cluster.state import (
    TaskPhase,
    TaskState,
    active_task,
    find_task,
    next_queued_task,
    paused_task,
    queued_count,
)
from hanami_actors.domain.cluster.views import TaskView
from hanami_actors.domain.quota import check_checkpoints
from hanami_actors.engine.jobs.train_job import TaskJob, TrainJob
from hanami_actors.errors import (
    ConflictError,
    FaultError,
    HanamiError,
    RejectedError,
    StorageFullError,
)
from hanami_actors.runtime.future import CallbackFuture

__all__ = ["TaskDesk"]

logger = logging.getLogger(__name__)


class TaskDesk:
    """Used in the thread of the cluster's actor only.

    Parameters
    ----------
    core : ClusterCore
    """

    def __init__(self, core: ClusterCore) -> None:
        self._core = core

    def require(self, task_uuid: str) -> TaskState:
        """Return a task; raises NotFoundError."""
        entry = find_task(self._core.state, task_uuid)
        if entry is None:
            raise task_not_found(self._core.state, task_uuid)
        return entry

    def create(self, command: Command) -> TaskState:
        """Queue a task, and begin it if its turn has come."""
        core = self._core
        stamp = core.system.stamp(command)
        settings = core.system.settings
        if isinstance(command.message, domain.SaveCheckpoint):
            check_checkpoints(
                core.tables, stamp.who.project_id, settings.checkpoints_per_project_max
            )
        task = new_task(command, core.state, core.tables, stamp)
        message = domain.QueueTask(task=task, queue_len_max=settings.queued_tasks_max)
        queued = decide(core.state, message, stamp)
        created = Moves(queued, result_created(task, stamp))
        core.commit(stamp, created, self._moves_of_new(task, queued, stamp))
        return self.require(task.uuid)

    def on_command(self, command: Command) -> Any:
        """Stop a task, let it go on, or take it off the list."""
        match command.message:
            case DeleteTask(task_uuid=task_uuid):
                return self._delete(task_uuid, command)
            case PauseTask(task_uuid=task_uuid):
                return self._pause(task_uuid)
            case ResumeTask(task_uuid=task_uuid):
                return self._resume(task_uuid, command)
            case AbortTask(task_uuid=task_uuid):
                return self._abort(task_uuid, command)
            case _:
                raise FaultError(f"a {type(command.message).__name__} is nothing for tasks")

    def _delete(self, task_uuid: str, command: Command) -> CallbackFuture | None:
        """Abort an active or paused task, take any other off the list."""
        core = self._core
        entry = find_task(core.state, task_uuid)
        if entry is not None and entry.phase in {TaskPhase.ACTIVE, TaskPhase.PAUSED}:
            return _without_value(self._abort(task_uuid, command))
        stamp = core.system.stamp(command)
        removed = decide(core.state, domain.RemoveTask(task_uuid=task_uuid), stamp)
        is_queued = entry is not None and entry.phase is TaskPhase.QUEUED
        lost = result_lost(core.tables, entry.task, stamp) if entry and is_queued else ()
        core.commit_with_result(stamp, Moves(removed, lost))
        return None

    def _abort(self, task_uuid: str, command: Command) -> CallbackFuture | TaskView:
        """End an active or paused task where it is."""
        core = self._core
        entry = self.require(task_uuid)
        if entry.phase is TaskPhase.ACTIVE and core.job is not None:
            waiter = core.stops.wait(core.stops.aborts)
            core.cancel_job()
            return waiter
        if entry.phase is not TaskPhase.PAUSED:
            raise ConflictError(
                f"Task with UUID '{task_uuid}' is {entry.phase.value}; only an active or paused task"
                " can be aborted."
            )
        stamp = core.system.stamp(command)
        message = domain.AbortTask(task_uuid=task_uuid, cycle=entry.cycle, digest=entry.digest)
        events = decide(core.state, message, stamp)
        core.commit(stamp, Moves(events), core.next_moves(events, stamp))
        return task_view(self.require(task_uuid), None)

    def _pause(self, task_uuid: str) -> CallbackFuture:
        """Stop an active training so that it can go on."""
        core = self._core
        entry = self.require(task_uuid)
        if entry.phase is not TaskPhase.ACTIVE or entry.task.kind != "train" or core.job is None:
            raise ConflictError(
                f"Task with UUID '{task_uuid}' is a {entry.task.kind} task and {entry.phase.value};"
                " only an active training can be paused."
            )
        waiter = core.stops.wait(core.stops.pauses)
        core.cancel_job()
        return waiter

    def _resume(self, task_uuid: str, command: Command) -> TaskView:
        """Let a paused training go on."""
        core = self._core
        stamp = core.system.stamp(command)
        message = domain.ResumeTask(task_uuid=task_uuid)
        core.commit(stamp, Moves(decide(core.state, message, stamp)))
        return task_view(self.require(task_uuid), core.job)

    def on_progress(self, message: JobProgressed) -> None:
        """Record how far a training has come."""
        core = self._core
        active = active_task(core.state)
        if active is None or active.task.uuid != message.task_uuid:
            return
        stamp = core.task_stamp(active.task)
        record = domain.RecordCycles(
            task_uuid=message.task_uuid, cycle=message.cycle, figures=message.figures
        )
        try:
            core.commit(stamp, Moves(decide(core.state, record, stamp)))
        except StorageFullError as error:
            # Only a number for people; the training itself needs no room in the log before its end.
            logger.warning("progress of cluster %s is not recorded: %s", core.uuid, error)

    def on_job_ended(self, message: JobEnded) -> None:
        """Record the end of a job, or as much as is known when the server stops."""
        core = self._core
        job: TaskJob = message.job
        if job is not core.job:
            return
        core.job = None
        stamp = core.task_stamp(job.task)
        if core.stops.leavers:
            self._say_goodbye(job, message.error, stamp)
        else:
            self._end(job, message.error, stamp)

    def _moves_of_new(self, task: Task, queued: tuple[ClusterEvent, ...], stamp: Stamp) -> Moves:
        core = self._core
        state = folded(core.state, queued, stamp)
        entry = next_queued_task(state)
        is_alone = entry is not None and entry.task.uuid == task.uuid and queued_count(state) == 1
        if entry is None or task.kind != "save" or not is_alone or paused_task(state) is None:
            return core.next_moves(queued, stamp)
        # The user paused to save this very moment.
        version = core.book.version + len(queued)
        return begin_task(entry, state, core.book.stream, version, core.tables, stamp)

    def _end(self, job: TaskJob, error: BaseException | None, stamp: Stamp) -> None:
        stops = self._core.stops.take()
        try:
            self._commit_end(job, error, stops, stamp)
        except HanamiError:
            # Nobody waits for this very call, so the actor dies of it and is started again.
            stops.fail(restarting())
            raise
        entry = find_task(self._core.state, job.task.uuid)
        if entry is not None and entry.phase is not TaskPhase.PAUSED:
            stops.refuse_pauses(
                f"Task with UUID '{job.task.uuid}' is {entry.phase.value} and cannot be paused."
            )
        stops.answer(task_view(entry, self._core.job) if entry is not None else None)

    def _commit_end(
        self, job: TaskJob, error: BaseException | None, stops: Stops, stamp: Stamp
    ) -> None:
        core = self._core
        ended = self._ending(job, error, stops, stamp)
        if stops.moves:
            state = folded(core.state, ended.events, stamp)
            cycle = recorded_cycle(core.state, job)
            move = domain.MoveCluster(host_uuid=stops.host_uuid, cycle=cycle)
            ended = Moves((*ended.events, *decide(state, move, stamp)), ended.others)
        core.commit_with_result(stamp, ended, core.next_moves(ended.events, stamp))
        # A task that only stopped to be moved goes on, although nothing may have been recorded.
        core.run_active()
        core.follow()

    def _ending(
        self, job: TaskJob, error: BaseException | None, stops: Stops, stamp: Stamp
    ) -> Moves:
        state, tables = self._core.state, self._core.tables
        is_stopped = error is None and not stops.aborts and not is_complete(job)
        if is_stopped and stops.pauses:
            return Moves(decide(state, pause_message(state, job), stamp))
        if is_stopped and stops.moves:
            return Moves()
        end = end_message(state, job, error)
        try:
            others = result_ended(tables, job, end, stamp)
        except RejectedError as rejection:
            end = fail_message(state, job, rejection)
            others = result_ended(tables, job, end, stamp)
        return Moves(decide(state, end, stamp), others)

    def _say_goodbye(self, job: TaskJob, error: BaseException | None, stamp: Stamp) -> None:
        """Record as much as is known before the server stops; the next start computes the rest."""
        core = self._core
        stops = core.stops
        try:
            if error is not None or stops.aborts or stops.pauses or is_complete(job):
                self._end(job, error, stamp)
            elif isinstance(job, TrainJob):
                suspended = decide(core.state, suspend_message(core.state, job), stamp)
                core.commit(stamp, Moves(suspended))
        except HanamiError as problem:
            logger.warning("cluster %s stops without a mark: %s", core.uuid, problem)


def _without_value(answer: CallbackFuture | TaskView) -> CallbackFuture | None:
    """Return when it happens, but not what."""
    if not isinstance(answer, CallbackFuture):
        return None
    plain = CallbackFuture()

    def settle(settled: CallbackFuture) -> None:
        error = settled.error()
        if error is not None:
            plain.fail(error)
        else:
            plain.set(None)

    answer.add_done_callback(settle)
    return plain
