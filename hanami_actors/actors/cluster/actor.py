"""One cluster: its queue of tasks, its place in the history, and the job that computes for it."""

from typing import Any

from msgspec.structs import replace

from hanami_actors.actors.cluster.connections import (
    ChannelClosed,
    DirectDesk,
    OpenChannel,
    SamplesReady,
    SessionOver,
    TakeWriter,
)
from hanami_actors.actors.cluster.core import ClusterCore, JobEnded, JobProgressed
from hanami_actors.actors.cluster.messages import (
    AbortTask,
    CheckpointTicket,
    DescribeMoment,
    GetClusterStats,
    PauseTask,
    ResumeTask,
    SetMode,
    SwitchHost,
)
from hanami_actors.actors.cluster.stop_requests import Stops
from hanami_actors.actors.cluster.stream import restarting
from hanami_actors.actors.cluster.task_start import Moves
from hanami_actors.actors.cluster.tasks import TaskDesk
from hanami_actors.actors.cluster.views import figures_of, stats_of, task_view
from hanami_actors.actors.gateway import (
    Command,
    DeleteTask,
    GetClusterFigures,
    GetTask,
    ListTasks,
    Target,
    TargetKind,
)
from hanami_actors.actors.system import System
from hanami_actors.domain.base import Stamp
from hanami_actors.domain.cluster import messages as domain
from hanami_actors.domain.cluster.decide import decide
from hanami_actors.domain.cluster.events import ClusterEvent
from hanami_actors.domain.cluster.messages import (
    CreateRequestTask,
    CreateTrainTask,
    LoadCheckpoint,
    RenameCluster,
    SaveCheckpoint,
)
from hanami_actors.domain.cluster.source import Source
from hanami_actors.domain.cluster.state import active_task, next_queued_task
from hanami_actors.domain.cluster.views import queued_view
from hanami_actors.engine.direct.channel import CloseCode
from hanami_actors.engine.host_table import HostTable
from hanami_actors.errors import BusyError, ConflictError, FaultError, NotFoundError
from hanami_actors.runtime.actor import Actor, tell
from hanami_actors.runtime.future import CallbackFuture
from hanami_actors.runtime.inbox import IdleTick, Internal, Revive

__all__ = ["ClusterActor", "JobEnded", "JobProgressed", "RetireCluster", "SuspendCluster"]

PASSIVATE_AFTER_S = 60.0
"""A cluster without work needs no thread; the next message starts it again by replay."""


class RetireCluster(Internal, frozen=True, kw_only=True):
    """The directory is about to delete the cluster: stop at once, whatever is going on.

    Answer: None.
    """


class SuspendCluster(Internal, frozen=True, kw_only=True):
    """The server stops: record where the active task is and stop. Answer: None."""


class ClusterActor(Actor):
    """Owns the stream of one cluster.

    Training and requests run on the host; the actor hears of their end and never waits for it, so
    it answers at any time. After an append of which nobody knows whether it was written the actor
    dies, and the supervisor has it started again by replay.
    """

    def __init__(self, system: System, uuid: str, hosts: HostTable) -> None:
        super().__init__()
        self.inbox.len_max = system.settings.inbox_len_max
        self._system = system
        self._uuid = uuid
        self._has_left = False
        self._core = ClusterCore(system, uuid, hosts, self.actor_ref, self.die)
        self._tasks = TaskDesk(self._core)
        self._direct = DirectDesk(self._core, self.actor_ref)

    def on_start(self) -> None:
        """Replay the stream; go on with an interrupted task, or start the next."""
        self._core.load()
        self.inbox.idle_s = PASSIVATE_AFTER_S
        if not self._core.state.alive:
            return
        if active_task(self._core.state) is not None:
            self._core.run_active()
            return
        stamp = self._system.stamp()
        closed = self._session_closed(stamp)
        self._core.commit(stamp, Moves(closed), self._core.next_moves(closed, stamp))

    def on_stop(self) -> None:
        """Stop computing; what was not recorded is computed again after a restart."""
        target = Target(kind=TargetKind.CLUSTER, key=self._uuid)
        self._system.actors.discard(target, self.actor_ref)
        core = self._core
        core.cancel_job()
        stops, core.stops = core.stops, Stops()
        stops.fail(restarting())
        self._direct.abandon(CloseCode.RESTART, "the cluster is being started again")
        unfinished = active_task(core.state) or next_queued_task(core.state)
        if not self._has_left and (unfinished or not core.book.is_certain):
            tell(self._system.actors.find("supervisor"), Revive(target=target))

    def on_receive(self, message: object) -> Any:
        """Handle a message."""
        match message:
            case Command():
                return self._on_command(message)
            case JobEnded():
                self._tasks.on_job_ended(message)
                self._leave_if_asked()
            case JobProgressed():
                self._tasks.on_progress(message)
            case IdleTick():
                if self._core.job is None and not self._direct.channel_count:
                    # What waits for its user needs no thread.
                    self._has_left = True
                    self.die()
            case ChannelClosed() | SamplesReady() | SessionOver():
                self._direct.on_message(message)
                self._leave_if_asked()
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
                failure = self._core.host.scheduler.failure
                if failure:
                    raise BusyError(f"no task can be created: {failure}")
                return queued_view(self._tasks.create(command))
            case SaveCheckpoint(name=name):
                return CheckpointTicket(uuid=self._tasks.create(command).task.uuid, name=name)
            case LoadCheckpoint():
                return self._tasks.create(command).task.uuid
            case DeleteTask() | PauseTask() | ResumeTask() | AbortTask():
                return self._tasks.on_command(command)
            case OpenChannel() | TakeWriter():
                return self._direct.on_command(command)
            case SetMode() | RenameCluster() | SwitchHost():
                return self._change(command)
            case _:
                return self._look(command)

    def _look(self, command: Command) -> Any:
        """Answer what changes nothing."""
        core = self._core
        obstacle = core.host.scheduler.failure
        match command.message:
            case GetTask(task_uuid=task_uuid):
                return task_view(self._tasks.require(task_uuid), core.job, obstacle)
            case ListTasks():
                return tuple(task_view(each, core.job, obstacle) for each in core.state.tasks)
            case GetClusterFigures():
                placement = core.host.networks.get(self._uuid)
                return figures_of(core.state, core.book.source(), placement)
            case GetClusterStats():
                placement = core.host.networks.get(self._uuid)
                stats = stats_of(core.state, core.book.source(), core.host_uuid, placement)
                return replace(stats, connection_count=self._direct.channel_count)
            case DescribeMoment(span_uuid=span_uuid, cycle=cycle):
                return self._describe(span_uuid, cycle)
            case _:
                name = type(command.message).__name__
                raise FaultError(f"a cluster was asked for a {name}")

    def _change(self, command: Command) -> Any:
        core = self._core
        stamp = self._system.stamp(command)
        match command.message:
            case SetMode(mode=mode):
                return self._direct.change_mode(mode, stamp)
            case RenameCluster() as message:
                core.commit(stamp, Moves(decide(core.state, message, stamp)))
            case SwitchHost() as message:
                return self._switch_host(message, stamp)
            case _:
                raise FaultError(f"a {type(command.message).__name__} changes no cluster")
        return None

    def _describe(self, span_uuid: str | None, cycle: int) -> Source:
        book = self._core.book
        return book.source() if span_uuid is None else book.moment(span_uuid, cycle)

    def _switch_host(self, message: SwitchHost, stamp: Stamp) -> CallbackFuture | None:
        core = self._core
        if core.hosts.get(message.host_uuid) is None:
            raise NotFoundError(f"Host with uuid '{message.host_uuid}' not found")
        if message.hexagon_id >= max(1, len(core.state.template.hexagons)):
            raise NotFoundError(
                f"Cluster with UUID '{self._uuid}' does not contain a hexagon with ID "
                f"'{message.hexagon_id}'"
            )
        if message.host_uuid == core.host_uuid:
            return None
        if self._direct.is_training:
            raise ConflictError(
                f"Cluster with UUID '{self._uuid}' is being trained by a connection; close it before "
                "the cluster moves."
            )
        if core.job is None:
            move = domain.MoveCluster(host_uuid=message.host_uuid)
            core.commit(stamp, Moves(decide(core.state, move, stamp)))
            return None
        core.stops.host_uuid = message.host_uuid
        waiter = core.stops.wait(core.stops.moves)
        core.cancel_job()
        return waiter

    def _session_closed(self, stamp: Stamp) -> tuple[ClusterEvent, ...]:
        """Return the end of a session whose connection went with an earlier life of this actor."""
        session = self._core.state.session
        if session is None:
            return ()
        return decide(self._core.state, domain.CloseSession(session_uuid=session.uuid), stamp)

    def _retire(self) -> None:
        # Not left for good: should the deletion find no room, unfinished work goes on.
        self._direct.abandon(CloseCode.GONE, "the cluster was deleted")
        self.die()

    def _suspend(self) -> CallbackFuture | None:
        if self._core.job is None and not self._direct.is_training:
            self._has_left = True
            self.die()
            return None
        waiter = self._core.stops.wait(self._core.stops.leavers)
        self._core.cancel_job()
        self._direct.end_session()
        return waiter

    def _leave_if_asked(self) -> None:
        """Stop once everything that the server's stop waits for is recorded."""
        core = self._core
        if not core.stops.leavers or core.job is not None or self._direct.is_training:
            return
        self._has_left = True
        leavers, core.stops.leavers = core.stops.leavers, []
        self.die()
        for waiter in leavers:
            waiter.set(None)
