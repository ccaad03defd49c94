"""Connections that talk to a cluster: who asks, who trains, and how that ends."""

import logging
from contextlib import ExitStack
from typing import Any, NamedTuple

from hanami_actors.actors.cluster.core import ClusterCore
from hanami_actors.actors.cluster.task_start import Moves
from hanami_actors.actors.gateway import Command
from hanami_actors.domain.base import Message, Stamp
from hanami_actors.domain.cluster import messages as domain
from hanami_actors.domain.cluster.decide import decide
from hanami_actors.domain.cluster.events import ClusterEvent, Figures
from hanami_actors.engine.direct.channel import CloseCode, DirectChannel, ports_of
from hanami_actors.engine.direct.direct_queue import Aim, DirectLane
from hanami_actors.engine.direct.sample_log import SampleBatchReady, SampleLog, SampleWatch
from hanami_actors.errors import (
    BusyError,
    ConflictError,
    FaultError,
    HanamiError,
    LimitError,
)
from hanami_actors.runtime.actor import ActorRef, ask, tell
from hanami_actors.runtime.future import CallbackFuture
from hanami_actors.runtime.inbox import Internal

__all__ = [
    "ChannelClosed",
    "DirectDesk",
    "OpenChannel",
    "SamplesReady",
    "SessionOver",
    "TakeWriter",
]

logger = logging.getLogger(__name__)

CHANNELS_MAX = 1024
"""Connections that one cluster may have at the same time."""


class OpenChannel(Message, frozen=True, kw_only=True):
    """Connect to a cluster. Answer: ``DirectChannel``; LimitError.

    Attributes
    ----------
    is_durable : bool
        Whether training steps are answered only once they are on the disk.
    """

    connection_uuid: str
    is_durable: bool = False


class TakeWriter(Message, frozen=True, kw_only=True):
    """Let a connection train. Answer: None; ConflictError.

    Attributes
    ----------
    channel : DirectChannel
    """

    channel: Any


class ChannelClosed(Internal, frozen=True, kw_only=True):
    """A connection has gone."""

    channel: Any


class SamplesReady(Internal, frozen=True, kw_only=True):
    """Samples of a session are stored and can be recorded. Answer: None, once they are."""

    session_uuid: str
    batch: Any


class SessionOver(Internal, frozen=True, kw_only=True):
    """Everything a session trained is recorded, or cannot be."""

    session_uuid: str
    digest: str = ""
    figures: Figures = ()
    error: Any = None


class _Open:
    """The session that trains: what its end will be is filled in by compute threads."""

    def __init__(self, uuid: str, channel: DirectChannel) -> None:
        self.uuid = uuid
        self.channel = channel
        self.log: SampleLog | None = None
        self.digest = ""
        self.figures: Figures = ()
        self.is_ending = False


class _Candidate(NamedTuple):
    """A connection that wants to train once the one before has ended."""

    channel: DirectChannel
    command: Command
    answer: CallbackFuture


class DirectDesk:
    """Used in the thread of the cluster's actor only.

    Parameters
    ----------
    core : ClusterCore
    ref : ActorRef
        Of the actor, for what other threads tell.
    """

    def __init__(self, core: ClusterCore, ref: ActorRef) -> None:
        self._core = core
        self._ref = ref
        self._lane: DirectLane | None = None
        self._channels: list[DirectChannel] = []
        self._session: _Open | None = None
        self._mode_waiters: list[CallbackFuture] = []
        self._candidates: list[_Candidate] = []
        core.followers.append(self._aim)

    @property
    def channel_count(self) -> int:
        """How many connections there are."""
        return len(self._channels)

    @property
    def is_training(self) -> bool:
        """Whether a connection trains, or what it trained is still being recorded."""
        return self._session is not None

    def on_command(self, command: Command) -> Any:
        """Handle what a connection asks."""
        match command.message:
            case OpenChannel() as message:
                return self._open(message)
            case TakeWriter() as message:
                return self._take_writer(message, command)
            case _:
                raise FaultError(f"a {type(command.message).__name__} is nothing for connections")

    def on_message(self, message: ChannelClosed | SamplesReady | SessionOver) -> None:
        """Handle what the threads behind connections tell."""
        match message:
            case ChannelClosed():
                self._on_closed(message)
            case SamplesReady():
                self._on_samples(message)
            case SessionOver():
                self._on_session_over(message)

    def _open(self, message: OpenChannel) -> DirectChannel:
        """Connect."""
        if len(self._channels) >= CHANNELS_MAX:
            raise LimitError(
                f"Cluster with UUID '{self._core.uuid}' has {CHANNELS_MAX} connections, the limit; "
                "close one or try again later"
            )
        if self._lane is None:
            self._lane = DirectLane(self._core.uuid, self._newest_aim())
        channel = DirectChannel(
            self._lane,
            message.connection_uuid,
            is_durable=message.is_durable,
            on_close=lambda closed: tell(self._ref, ChannelClosed(channel=closed)),
        )
        self._channels.append(channel)
        return channel

    def _take_writer(self, message: TakeWriter, command: Command) -> CallbackFuture | None:
        """Let a connection train; waits for the end of a session that is ending."""
        if message.channel not in self._channels:
            # Of an earlier life of this actor, or closed meanwhile.
            raise ConflictError("this connection to the cluster has been closed; connect again")
        if self._session is not None and self._session.is_ending:
            answer = CallbackFuture()
            self._candidates.append(_Candidate(message.channel, command, answer))
            return answer
        self._begin(message.channel, command)
        return None

    def _on_closed(self, message: ChannelClosed) -> None:
        """Forget a connection; if it trained, record the rest."""
        if message.channel in self._channels:
            self._channels.remove(message.channel)
        self._candidates = [c for c in self._candidates if c.channel is not message.channel]
        if self._session is not None and self._session.channel is message.channel:
            self.end_session()

    def _on_samples(self, message: SamplesReady) -> None:
        """Record samples."""
        batch: SampleBatchReady = message.batch
        stamp = self._core.system.stamp()
        record = domain.RecordSamples(
            session_uuid=message.session_uuid,
            start=batch.start,
            count=batch.step_count,
            blob=batch.blob,
            data=batch.data,
            inputs=batch.inputs,
            outputs=batch.outputs,
            figures=batch.figures,
        )
        self._core.commit(stamp, Moves(decide(self._core.state, record, stamp)))

    def _on_session_over(self, message: SessionOver) -> None:
        """Close the session in the log, then do what waited for it."""
        session, lane = self._session, self._lane
        if session is None or lane is None or session.uuid != message.session_uuid:
            return
        self._session = None
        if message.error is not None:
            session.channel.fail(CloseCode.FAULT, f"not recorded: {message.error}")
            lane.forget_session()
        stamp = self._core.system.stamp()
        events = self._closing_events(message, stamp)
        self._core.commit(stamp, Moves(events), self._core.next_moves(events, stamp))
        if message.error is None:
            lane.release_session()
        waiters, self._mode_waiters = self._mode_waiters, []
        for waiter in waiters:
            waiter.set(None)
        self._serve_candidates()

    def change_mode(self, mode: str, stamp: Stamp) -> CallbackFuture | None:
        """Switch the mode; out of direct mode only once what was trained is recorded."""
        core = self._core
        events = decide(core.state, domain.ChangeMode(mode=mode), stamp)
        if self._session is None:
            core.commit(stamp, Moves(events), core.next_moves(events, stamp))
            return None
        waiter = CallbackFuture()
        self._mode_waiters.append(waiter)
        self.end_session()
        return waiter

    def end_session(self) -> None:
        """Let nobody train any more; ``SessionOver`` follows when all of it is recorded."""
        if self._session is None or self._session.is_ending or self._lane is None:
            return
        self._session.is_ending = True
        self._lane.end_session()

    def abandon(self, code: int, reason: str) -> None:
        """Close everything at once; what was not recorded is lost. For the end of the actor."""
        for channel in self._channels:
            channel.fail(code, reason)
        self._channels = []
        session, self._session = self._session, None
        if session is not None and session.log is not None and self._lane is not None:
            session.log.drop()
            self._lane.forget_session()
        error = BusyError(reason)
        for waiter in (*self._mode_waiters, *(c.answer for c in self._candidates)):
            waiter.fail(error)
        self._mode_waiters, self._candidates = [], []

    def _begin(self, channel: DirectChannel, command: Command) -> None:
        core, lane = self._core, self._lane
        assert lane is not None, "a channel has a lane"
        stamp = core.system.stamp(command)
        message = domain.OpenSession(
            session_uuid=stamp.ids[0], connection_uuid=channel.connection_uuid
        )
        events = decide(core.state, message, stamp)
        session = _Open(message.session_uuid, channel)
        watch = SampleWatch(
            record=lambda batch: ask(
                self._ref, SamplesReady(session_uuid=session.uuid, batch=batch)
            ),
            on_durable=channel.durable,
            on_end=lambda error: self._tell_over(session, error),
        )
        # First the thread: there may be none left, and the log must not know a session without.
        try:
            log = SampleLog(core.host.blobs, core.host.clock, watch, is_eager=channel.is_durable)
        except RuntimeError as error:
            raise BusyError(
                f"no thread can be started for the connection ({error}); try again later"
            ) from error
        with ExitStack() as unless_opened:
            unless_opened.callback(log.drop)
            core.commit(stamp, Moves(events))
            unless_opened.pop_all()
        session.log, self._session = log, session
        lane.begin_session(
            session.uuid,
            channel,
            log,
            lambda digest, figures: _finish(session, digest, figures),
        )

    def _tell_over(self, session: _Open, error: HanamiError | None) -> None:
        over = SessionOver(
            session_uuid=session.uuid,
            digest=session.digest,
            figures=session.figures,
            error=error,
        )
        tell(self._ref, over)

    def _closing_events(self, message: SessionOver, stamp: Stamp) -> tuple[ClusterEvent, ...]:
        state = self._core.state
        close = domain.CloseSession(
            session_uuid=message.session_uuid,
            digest="" if message.error is not None else message.digest,
            figures=message.figures,
        )
        events = decide(state, close, stamp)
        if self._mode_waiters:
            events += decide(state, domain.ChangeMode(mode="TASK"), stamp)
        return events

    def _serve_candidates(self) -> None:
        candidates, self._candidates = self._candidates, []
        for candidate in candidates:
            try:
                self._begin(candidate.channel, candidate.command)
            except HanamiError as error:
                candidate.answer.fail(error)
            else:
                candidate.answer.set(None)

    def _aim(self) -> None:
        """Tell the connections which network they talk to now."""
        if self._lane is not None and self._session is None:
            self._lane.take_aim(self._newest_aim())

    def _newest_aim(self) -> Aim:
        core = self._core
        return Aim(
            host=core.host,
            lineage=core.book.lineage(),
            is_busy=core.job is not None,
            ports=ports_of(core.state.template),
        )


def _finish(session: _Open, digest: str, figures: Figures) -> None:
    """Have the rest recorded; called by whoever trained the last step."""
    session.digest, session.figures = digest, figures
    assert session.log is not None, "it was there before the first step"
    session.log.finish()
