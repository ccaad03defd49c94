"""What follows from messages that are about the whole cluster: moments, modes, places, sessions."""

from typing import assert_never

from hanami_actors.domain.cluster.events import (
    CheckpointTaken,
    ClusterEvent,
    ClusterRenamed,
    ClusterRestored,
    HostSwitched,
    ModeChanged,
    SamplesTrained,
    SessionClosed,
    SessionOpened,
)
from hanami_actors.domain.cluster.messages import (
    ChangeMode,
    CloseSession,
    MoveCluster,
    OpenSession,
    RecordSamples,
    RenameCluster,
    RestoreCluster,
    TakeCheckpoint,
)
from hanami_actors.domain.cluster.state import (
    ClusterMode,
    ClusterState,
    active_task,
    paused_task,
    queued_count,
)
from hanami_actors.errors import ConflictError

__all__ = ["decide_direct"]

_Message = (
    TakeCheckpoint
    | RestoreCluster
    | ChangeMode
    | MoveCluster
    | OpenSession
    | RecordSamples
    | CloseSession
    | RenameCluster
)


def decide_direct(state: ClusterState, message: _Message) -> tuple[ClusterEvent, ...]:
    """Return the events that follow from the message; the cluster exists.

    Raises
    ------
    ConflictError
        A task, the mode or another connection is in the way.
    """
    match message:
        case TakeCheckpoint(source=source):
            _require_no_training(state, "saved")
            return (
                CheckpointTaken(
                    checkpoint_uuid=message.checkpoint_uuid,
                    name=message.name,
                    version=source.version,
                    span_uuid=source.span_uuid,
                    cycle=source.cycle,
                    digest=source.digest,
                ),
            )
        case RestoreCluster(source=source):
            _require_no_training(state, "restored")
            if paused_task(state) is not None or state.session is not None:
                raise ConflictError(
                    f"Cluster with uuid '{state.uuid}' cannot be restored while a task is paused or a "
                    "connection trains it."
                )
            return (ClusterRestored(source=source),)
        case ChangeMode(mode=mode):
            return _change_mode(state, mode)
        case MoveCluster():
            return _move(state, message)
        case RenameCluster(name=name):
            return () if name == state.name else (ClusterRenamed(name=name),)
        case OpenSession() | RecordSamples() | CloseSession():
            return _decide_session(state, message)
        case _:
            assert_never(message)


def _require_no_training(state: ClusterState, what: str) -> None:
    active = active_task(state)
    if active is not None and active.task.kind in {"train", "request"}:
        raise ConflictError(
            f"Cluster with uuid '{state.uuid}' cannot be {what} while task '{active.task.uuid}' is "
            "active."
        )


def _change_mode(state: ClusterState, mode: str) -> tuple[ClusterEvent, ...]:
    if mode not in ClusterMode.__members__:
        raise ConflictError(f"Cluster mode '{mode}' is not known; there are TASK and DIRECT.")
    cannot = f"Can not switch cluster to '{mode}':"
    if state.mode.value == mode:
        raise ConflictError(f"{cannot} the cluster is in this mode already.")
    if mode == ClusterMode.TASK.value:
        return (ModeChanged(is_direct=False),)
    busy = active_task(state) or paused_task(state)
    if busy is not None:
        raise ConflictError(
            f"{cannot} task '{busy.task.uuid}' is {busy.phase.value}; wait for its end or abort it."
        )
    if queued_count(state):
        raise ConflictError(f"{cannot} {queued_count(state)} tasks wait in the queue.")
    return (ModeChanged(is_direct=True),)


def _move(state: ClusterState, message: MoveCluster) -> tuple[ClusterEvent, ...]:
    if message.host_uuid == state.host_uuid:
        return ()
    active = active_task(state) or paused_task(state)
    if active is None:
        return (HostSwitched(host_uuid=message.host_uuid),)
    cycle = max(0, min(message.cycle, active.task.cycle_count))
    return (HostSwitched(host_uuid=message.host_uuid, task_uuid=active.task.uuid, cycle=cycle),)


def _decide_session(
    state: ClusterState, message: OpenSession | RecordSamples | CloseSession
) -> tuple[ClusterEvent, ...]:
    uuid = message.session_uuid
    if isinstance(message, OpenSession):
        if state.mode is not ClusterMode.DIRECT:
            raise ConflictError(
                f"Cluster with UUID '{state.uuid}' is in task mode; switch it to DIRECT to train it "
                "over a connection."
            )
        if state.session is not None:
            raise ConflictError(
                f"Cluster with UUID '{state.uuid}' is trained by connection "
                f"'{state.session.connection_uuid}'; one connection at a time may train."
            )
        return (SessionOpened(session_uuid=uuid, connection_uuid=message.connection_uuid),)
    if state.session is None or state.session.uuid != uuid:
        raise ConflictError(f"Session '{uuid}' does not train cluster '{state.uuid}'.")
    step = _step(state)
    if isinstance(message, CloseSession):
        return (
            SessionClosed(
                session_uuid=uuid, step=step, digest=message.digest, figures=message.figures
            ),
        )
    if message.start != step or message.count < 1:
        raise ConflictError(
            f"Session '{uuid}' has {step} steps; {message.count} steps after {message.start} do not "
            "follow."
        )
    return (
        SamplesTrained(
            session_uuid=uuid,
            start=message.start,
            count=message.count,
            blob=message.blob,
            data=message.data,
            inputs=message.inputs,
            outputs=message.outputs,
            figures=message.figures,
        ),
    )


def _step(state: ClusterState) -> int:
    """Return how many steps of the open session are recorded."""
    assert state.session is not None, "only asked while one is open"
    if state.history and state.history[-1].task.uuid == state.session.uuid:
        return state.history[-1].cycle
    return 0
