"""What clients see of a cluster while it computes: the recorded state and the live progress."""

from hanami_actors.actors.jobs import NetworkJob
from hanami_actors.actors.networks import Placement
from hanami_actors.domain.base import format_timestamp
from hanami_actors.domain.cluster.state import ClusterState, TaskPhase, TaskState
from hanami_actors.domain.cluster.views import ClusterFigures, TaskView

__all__ = ["created_view", "figures_of", "task_view"]

NOT_YET = "-"


def task_view(entry: TaskState, job: NetworkJob | None, obstacle: str = "") -> TaskView:
    """Return a task with the progress of the job that runs it, if one does.

    Parameters
    ----------
    entry : TaskState
    job : NetworkJob or None
    obstacle : str
        Why no task can run now; shown as the reason of those that wait for it.
    """
    cycle = entry.cycle
    is_active = entry.phase is TaskPhase.ACTIVE
    if is_active and job is not None and job.task.uuid == entry.task.uuid:
        cycle = max(cycle, job.cycle)
    is_waiting = is_active or entry.phase is TaskPhase.QUEUED
    return TaskView(
        uuid=entry.task.uuid,
        name=entry.task.name,
        kind=entry.task.kind,
        state=entry.phase.value,
        current_cycle=cycle,
        total_number_of_cycles=entry.task.shown_cycle_count,
        percentage_finished=cycle / entry.task.cycle_count,
        queue_timestamp=_shown(entry.queued_us),
        start_timestamp=_shown(entry.started_us),
        end_timestamp=_shown(entry.ended_us),
        digest=entry.digest,
        reason=obstacle if is_waiting else entry.reason,
    )


def created_view(entry: TaskState) -> TaskView:
    """Return a task as the answer to its creation shows it: queued, even if it runs already."""
    return TaskView(
        uuid=entry.task.uuid,
        name=entry.task.name,
        kind=entry.task.kind,
        state=TaskPhase.QUEUED.value,
        current_cycle=0,
        total_number_of_cycles=entry.task.shown_cycle_count,
        percentage_finished=0.0,
        queue_timestamp=_shown(entry.queued_us),
        start_timestamp=NOT_YET,
        end_timestamp=NOT_YET,
    )


def figures_of(state: ClusterState, placement: Placement | None) -> ClusterFigures:
    """Return the figures of the loaded network, or the newest recorded ones while it sleeps."""
    metrics = dict(state.figures) if placement is None else placement.network.metrics()
    return ClusterFigures(
        number_of_blocks=int(metrics.get("blocks", 0)),
        number_of_sections=int(metrics.get("sections", 0)),
        number_of_synapses=int(metrics.get("synapses", 0)),
        size_bytes=int(metrics.get("bytes", 0)),
        replay_memory_bytes=int(metrics.get("replay_memory_bytes", 0)),
        trained_cycles=int(metrics.get("trained_cycles", 0)),
        running_error=float(metrics.get("running_error", 1.0)),
        seed=state.seed,
        task_count=len(state.tasks),
    )


def _shown(time_us: int) -> str:
    return format_timestamp(time_us) if time_us else NOT_YET
