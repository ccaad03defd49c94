"""What clients see of a cluster and its tasks."""

from hanami_actors.domain.base import Value, format_timestamp
from hanami_actors.domain.cluster.state import TaskPhase, TaskState

__all__ = ["NOT_YET", "ClusterFigures", "TaskView", "queued_view"]

NOT_YET = "-"
"""A time that has not come."""


class TaskView(Value, frozen=True, kw_only=True):
    """A task as the contract shows it (sections 4.8 and 8.2).

    Attributes
    ----------
    kind : str
        ``train``, ``request``, ``save`` or ``load``.
    state : str
        ``queued``, ``active``, ``paused``, ``finished``, ``aborted`` or ``failed``.
    queue_timestamp, start_timestamp, end_timestamp : str
        UTC, or ``-`` while it has not happened.
    percentage_finished : float
        0 .. 1, ``current_cycle`` of ``total_number_of_cycles``; with a time length above 1 a
        finished task stays below 1, as in the original.
    digest : str
        State of the network at the end of the task, empty before.
    reason : str
        Why it failed, else empty.
    seconds_left : float or None
        How long an active task will still take, None while nobody can know.
    """

    uuid: str
    name: str
    kind: str
    state: str
    current_cycle: int
    total_number_of_cycles: int
    percentage_finished: float
    queue_timestamp: str
    start_timestamp: str
    end_timestamp: str
    digest: str = ""
    reason: str = ""
    seconds_left: float | None = None


class ClusterFigures(Value, frozen=True, kw_only=True):
    """Live figures of a cluster's network."""

    number_of_blocks: int = 0
    number_of_sections: int = 0
    number_of_synapses: int = 0
    size_bytes: int = 0
    replay_memory_bytes: int = 0
    trained_cycles: int = 0
    running_error: float = 1.0
    seed: int = 0
    task_count: int = 0


def queued_view(entry: TaskState) -> TaskView:
    """Return a task as the answer to its creation shows it: queued, even if it runs already."""
    return TaskView(
        uuid=entry.task.uuid,
        name=entry.task.name,
        kind=entry.task.kind,
        state=TaskPhase.QUEUED.value,
        current_cycle=0,
        total_number_of_cycles=entry.task.shown_cycle_count,
        percentage_finished=0.0,
        queue_timestamp=format_timestamp(entry.queued_us),
        start_timestamp=NOT_YET,
        end_timestamp=NOT_YET,
    )
