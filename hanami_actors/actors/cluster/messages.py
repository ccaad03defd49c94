"""What the transport may ask of a cluster besides its tasks."""

from hanami_actors.domain.base import Message, Value
from hanami_actors.domain.cluster.source import Figures

__all__ = [
    "AbortTask",
    "CheckpointTicket",
    "ClusterStats",
    "DescribeMoment",
    "GetClusterStats",
    "PauseTask",
    "ResumeTask",
    "SessionView",
    "SetMode",
    "SwitchHost",
]


class PauseTask(Message, frozen=True, kw_only=True):
    """Stop an active training at a recorded cycle. Answer, once it has stopped: ``TaskView``."""

    task_uuid: str


class ResumeTask(Message, frozen=True, kw_only=True):
    """Let a paused training go on. Answer: ``TaskView``."""

    task_uuid: str


class AbortTask(Message, frozen=True, kw_only=True):
    """End an active or paused task at a recorded cycle. Answer, once it has: ``TaskView``."""

    task_uuid: str


class SetMode(Message, frozen=True, kw_only=True):
    """Switch between ``TASK`` and ``DIRECT``. Answer: None."""

    mode: str


class SwitchHost(Message, frozen=True, kw_only=True):
    """Move the network, also in the middle of a task. Answer, once it has moved: None.

    Attributes
    ----------
    hexagon_id : int
        Must be one of the template's; the whole network moves.
    """

    host_uuid: str
    hexagon_id: int = 0


class DescribeMoment(Message, frozen=True, kw_only=True):
    """Ask for a moment of the cluster's history. Answer: ``Source``; NotFoundError.

    Also for one that a restore has led away from.

    Attributes
    ----------
    span_uuid : str or None
        A task or direct session; None for the newest moment.
    cycle : int
        Cycles of it; -1 for all that were run.
    """

    span_uuid: str | None = None
    cycle: int = -1


class GetClusterStats(Message, frozen=True, kw_only=True):
    """Ask for everything that is known of a cluster now. Answer: ``ClusterStats``."""


class CheckpointTicket(Value, frozen=True, kw_only=True):
    """The answer to ``SaveCheckpoint``: task and checkpoint have the same uuid."""

    uuid: str
    name: str


class SessionView(Value, frozen=True, kw_only=True):
    """What a connection trained.

    Attributes
    ----------
    steps : int
        Recorded steps, that is what is left of it after a crash.
    """

    uuid: str
    connection_uuid: str
    steps: int
    is_open: bool


class ClusterStats(Value, frozen=True, kw_only=True):
    """A cluster as it is now.

    Attributes
    ----------
    figures : tuple of (name, value)
        Of the loaded network, or the newest recorded ones.
    span_uuid, cycle, digest
        The newest moment that is recorded.
    is_loaded : bool
        Whether the network is in memory.
    task_uuid : str
        Which task computes or is paused; empty when none is.
    sessions : tuple of SessionView
        The newest direct sessions.
    """

    host_uuid: str
    mode: str
    seed: int
    figures: Figures
    span_uuid: str
    cycle: int
    digest: str
    is_loaded: bool
    task_count: int
    queued_count: int
    task_uuid: str
    task_state: str
    connection_count: int
    sessions: tuple[SessionView, ...]
