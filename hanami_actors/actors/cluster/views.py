"""What clients see of a cluster while it computes: the recorded state and the live progress."""

from hanami_actors.actors.cluster.messages import ClusterStats, SessionView
from hanami_actors.domain.base import format_timestamp
from hanami_actors.domain.cluster.source import Source
from hanami_actors.domain.cluster.state import (
    ClusterState,
    TaskPhase,
    TaskState,
    TrainedSpan,
    active_task,
    paused_task,
    queued_count,
)
from hanami_actors.domain.cluster.views import NOT_YET, ClusterFigures, TaskView
from hanami_actors.engine.jobs.train_job import TaskJob, figures_of_network
from hanami_actors.engine.network_cache import Placement
from hanami_actors.replay.point import Moment

__all__ = ["figures_of", "stats_of", "task_view"]

SESSIONS_SHOWN_MAX = 100


def task_view(entry: TaskState, job: TaskJob | None, obstacle: str = "") -> TaskView:
    """Return a task with the progress of the job that runs it, if one does.

    Parameters
    ----------
    entry : TaskState
    job : TaskJob or None
    obstacle : str
        Why no task can run now; shown as the reason of those that wait for it.
    """
    cycle = entry.cycle
    is_active = entry.phase is TaskPhase.ACTIVE
    if is_active and job is not None and job.task.uuid == entry.task.uuid:
        cycle = max(cycle, job.cycle)
    # Rows that only fill up the last inputs count as cycles that are never run.
    shown_count = entry.task.shown_cycle_count
    is_waiting = is_active or entry.phase is TaskPhase.QUEUED
    return TaskView(
        uuid=entry.task.uuid,
        name=entry.task.name,
        kind=entry.task.kind,
        state=entry.phase.value,
        current_cycle=cycle,
        total_number_of_cycles=shown_count,
        percentage_finished=cycle / shown_count if shown_count else 0.0,
        queue_timestamp=_shown(entry.queued_us),
        start_timestamp=_shown(entry.started_us),
        end_timestamp=_shown(entry.ended_us),
        digest=entry.digest,
        reason=obstacle if is_waiting else entry.reason,
        seconds_left=job.seconds_left() if is_active and job is not None else None,
    )


def figures_of(state: ClusterState, newest: Source, placement: Placement | None) -> ClusterFigures:
    """Return the figures of the loaded network, or the newest recorded ones while it sleeps."""
    metrics = dict(state.figures)
    if placement is not None and _is_current(placement, state, newest):
        metrics = placement.network.metrics()
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


def stats_of(
    state: ClusterState, newest: Source, host_uuid: str, placement: Placement | None
) -> ClusterStats:
    """Return everything that is known of a cluster now.

    Parameters
    ----------
    state : ClusterState
    newest : Source
        Its newest recorded moment.
    host_uuid : str
        Where it is computed.
    placement : Placement or None
        The network if it is in memory.
    """
    figures = state.figures
    if placement is not None and _is_current(placement, state, newest):
        figures = figures_of_network(placement.network)
    current = active_task(state) or paused_task(state)
    sessions = [span for span in state.history if span.task.kind == "direct"]
    return ClusterStats(
        host_uuid=host_uuid,
        mode=state.mode.value,
        seed=state.seed,
        figures=figures,
        span_uuid=newest.span_uuid,
        cycle=newest.cycle,
        digest=newest.digest,
        is_loaded=placement is not None,
        task_count=len(state.tasks),
        queued_count=queued_count(state),
        task_uuid=current.task.uuid if current else "",
        task_state=current.phase.value if current else "",
        connection_count=0,
        sessions=tuple(_session_view(state, span) for span in sessions[-SESSIONS_SHOWN_MAX:]),
    )


def _is_current(placement: Placement, state: ClusterState, newest: Source) -> bool:
    """Say whether a loaded network is where the cluster is: after a restore it comes there late."""
    if not placement.is_settled:
        return False
    current = active_task(state)
    learns = {current.task.uuid} if current else set()
    if state.session is not None:
        learns.add(state.session.uuid)
    return placement.moment.task_uuid in learns or placement.moment == Moment(
        newest.span_uuid, newest.cycle
    )


def _session_view(state: ClusterState, span: TrainedSpan) -> SessionView:
    return SessionView(
        uuid=span.task.uuid,
        connection_uuid=span.task.name,
        steps=span.cycle,
        is_open=state.session is not None and state.session.uuid == span.task.uuid,
    )


def _shown(time_us: int) -> str:
    return format_timestamp(time_us) if time_us else NOT_YET
