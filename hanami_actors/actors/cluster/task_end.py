"""What the end of a job means for its task and for the result dataset of a request."""

from hanami_actors.actors.writer import append_to
from hanami_actors.domain.base import Stamp
from hanami_actors.domain.cluster.events import Figures, Task
from hanami_actors.domain.cluster.messages import (
    AbortTask,
    FailTask,
    FinishTask,
    PauseTask,
    SuspendTask,
)
from hanami_actors.domain.cluster.state import ClusterState, active_task
from hanami_actors.domain.dataset import aggregate as dataset_aggregate
from hanami_actors.domain.dataset.aggregate import DatasetPhase
from hanami_actors.domain.dataset.messages import FailDataset, FillDataset
from hanami_actors.domain.tables import Tables
from hanami_actors.engine.jobs.request_job import RequestJob
from hanami_actors.engine.jobs.train_job import TaskJob, TrainJob
from hanami_actors.errors import HanamiError
from hanami_actors.eventlog.port import Append

__all__ = [
    "end_message",
    "fail_message",
    "is_complete",
    "pause_message",
    "recorded_cycle",
    "result_ended",
    "result_lost",
    "suspend_message",
]

ABORTED = "its task was aborted before all rows were answered"
REMOVED = "its task was deleted before it began"


def is_complete(job: TaskJob) -> bool:
    """Return whether the job has done all that its task asks for."""
    return job.is_there and job.cycle >= job.task.cycle_count


def end_message(
    state: ClusterState, job: TaskJob, error: BaseException | None
) -> FinishTask | AbortTask | FailTask:
    """Return how a task ends whose job is over."""
    uuid = job.task.uuid
    if error is not None:
        return fail_message(state, job, error)
    if not is_complete(job):
        cycle, digest, figures = _standing(state, job)
        return AbortTask(task_uuid=uuid, cycle=cycle, digest=digest, figures=figures)
    if isinstance(job, TrainJob):
        return FinishTask(task_uuid=uuid, cycle=job.cycle, digest=job.digest, figures=job.figures)
    content = job.content if isinstance(job, RequestJob) else None
    return FinishTask(task_uuid=uuid, cycle=job.cycle, digest=job.digest, result=content)


def fail_message(state: ClusterState, job: TaskJob, error: BaseException) -> FailTask:
    """Return the failure of a task, with a reason for the person who asked for it.

    A job that failed lost its network; what counts is what the log knows.
    """
    if isinstance(error, HanamiError):
        reason = error.message
    else:
        reason = (
            f"internal error ({type(error).__name__}: {error}); the log of the server says more"
        )
    return FailTask(task_uuid=job.task.uuid, cycle=_recorded(state), reason=reason)


def pause_message(state: ClusterState, job: TaskJob) -> PauseTask:
    """Return where a training stands when its user pauses it."""
    cycle, digest, figures = _standing(state, job)
    return PauseTask(task_uuid=job.task.uuid, cycle=cycle, digest=digest, figures=figures)


def recorded_cycle(state: ClusterState, job: TaskJob) -> int:
    """Return the cycle of the task that can be recorded now."""
    return _standing(state, job)[0]


def suspend_message(state: ClusterState, job: TaskJob) -> SuspendTask:
    """Return where a training stands when the server stops."""
    return SuspendTask(task_uuid=job.task.uuid, cycle=recorded_cycle(state, job))


def result_ended(
    tables: Tables, job: TaskJob, end: FinishTask | AbortTask | FailTask, stamp: Stamp
) -> tuple[Append, ...]:
    """Return what becomes of the result dataset: its content, or why there is none.

    Raises
    ------
    BadRequestError
        The content does not hold.
    """
    match end:
        case FinishTask(result=content) if content is not None:
            return _result(tables, job.task, FillDataset(content=content), stamp)
        case FailTask(reason=reason):
            return _result(tables, job.task, FailDataset(reason=reason), stamp)
        case _:
            return _result(tables, job.task, FailDataset(reason=ABORTED), stamp)


def result_lost(
    tables: Tables, task: Task, stamp: Stamp, reason: str = REMOVED
) -> tuple[Append, ...]:
    """Return the end of a result dataset whose task will never begin."""
    return _result(tables, task, FailDataset(reason=reason), stamp)


def _result(
    tables: Tables, task: Task, message: FillDataset | FailDataset, stamp: Stamp
) -> tuple[Append, ...]:
    row = tables.datasets.get(task.uuid)
    # Its user may have deleted it in the meantime.
    if task.kind != "request" or row is None or row.state.phase is not DatasetPhase.WAITING:
        return ()
    events = dataset_aggregate.decide(row.state, message, stamp)
    return (append_to(f"dataset/{task.uuid}", row.version, events),)


def _standing(state: ClusterState, job: TaskJob) -> tuple[int, str, Figures]:
    """Return the cycle that counts as done, with digest and figures if they are known.

    After a restart cycles are computed again. What was recorded of them counts also when the job
    ends before it is there: the log leads to that cycle, whoever needs it next goes on to it.
    """
    recorded = _recorded(state)
    if not job.is_there or job.cycle < recorded:
        return recorded, "", ()
    return job.cycle, job.digest, job.figures if isinstance(job, TrainJob) else ()


def _recorded(state: ClusterState) -> int:
    active = active_task(state)
    return active.cycle if active is not None else 0
