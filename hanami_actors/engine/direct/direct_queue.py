"""Steps of connections on a cluster's network: between the slices of its jobs, one at a time."""

import threading
from collections import deque
from collections.abc import Callable, Mapping
from enum import Enum
from typing import TYPE_CHECKING, Any, NamedTuple

from hanami_actors.datasets.samples import Sample
from hanami_actors.domain.cluster.lineage import Lineage
from hanami_actors.domain.cluster.source import Figures
from hanami_actors.engine.catch_up import Approach
from hanami_actors.engine.direct.channel import CloseCode, DirectChannel, Ports, Step
from hanami_actors.engine.direct.sample_log import SampleLog
from hanami_actors.engine.host import Host
from hanami_actors.engine.jobs.train_job import figures_of_network
from hanami_actors.engine.network_cache import Placement
from hanami_actors.engine.scheduler import Turn
from hanami_actors.errors import FaultError, HanamiError
from hanami_actors.replay.point import Moment
from hanami_actors.replay.segments import head_of
from hanami_actors.runtime.error_boundary import Boundary
from hanami_actors.wire.cluster_io import TRAINED, encode_values

if TYPE_CHECKING:
    from hanami_actors.engine.scheduler import Scheduler

__all__ = ["Aim", "DirectLane"]

AT_ONCE_MAX_S = 150e-6
"""Steps that take less processor time than this on average are computed by whoever brings them."""

COST_RATE = 0.1
"""How fast the known cost of a step follows that of the newest."""

AIM_WAIT_S = 0.002
"""How long a turn waits for the actor to say what follows a job that has just ended."""


class Aim(NamedTuple):
    """Which network connections talk to.

    Attributes
    ----------
    host : Host
    lineage : Lineage
        The way to its newest recorded moment.
    is_busy : bool
        Whether a task computes: then the moment that it has come to counts.
    ports : Ports
    """

    host: Host
    lineage: Lineage
    is_busy: bool
    ports: Ports


class _Session(NamedTuple):
    """The stretch of training of the one connection that may train."""

    uuid: str
    channel: DirectChannel
    log: SampleLog
    on_end: Callable[[str, Figures], None]


class _Mark(Enum):
    """What the actor wants to happen between steps."""

    END = "end"
    FORGET = "forget"
    RELEASE = "release"


class DirectLane:
    """All connections of one cluster; implements ``UrgentWork``.

    Parameters
    ----------
    cluster_uuid : str
    aim : Aim

    Attributes
    ----------
    lane : str
    writer : DirectChannel or None
        Who may train; set by the actor.
    """

    def __init__(self, cluster_uuid: str, aim: Aim) -> None:
        self.lane = cluster_uuid
        self.writer: DirectChannel | None = None
        self._aim = aim
        self._aimed = threading.Event()
        self._lock = threading.Lock()
        self._items: deque[Step | _Session | _Mark] = deque()
        self._armed_at: Scheduler | None = None
        # All that follows is touched only by whoever has the lane's turn.
        self._approach: Approach | None = None
        self._session: _Session | None = None
        self._step = 0
        self._saved_s = self._told_s = 0.0
        self._head: Moment | None = None
        self._cost_s = 0.0

    @property
    def ports(self) -> Ports:
        """The names of the cluster."""
        return self._aim.ports

    # For the actor's thread.

    def take_aim(self, aim: Aim) -> None:
        """Hear what the log says now; only while no session is open."""
        self._aim = aim
        self._aimed.set()

    def begin_session(
        self,
        uuid: str,
        channel: DirectChannel,
        log: SampleLog,
        on_end: Callable[[str, Figures], None],
    ) -> None:
        """Let a connection train from here on.

        Parameters
        ----------
        uuid : str
            Of this stretch of training.
        channel : DirectChannel
        log : SampleLog
        on_end : callable
            Gets the digest and figures after the last step, in a compute thread.
        """
        self.writer = channel
        channel.begin_session()
        self._push(_Session(uuid, channel, log, on_end))

    def end_session(self) -> None:
        """Let nobody train any more, once what was sent before has been trained."""
        self.writer = None
        self._push(_Mark.END)

    def forget_session(self) -> None:
        """Throw away what was trained but cannot be recorded."""
        self.writer = None
        self._push(_Mark.FORGET)

    def release_session(self) -> None:
        """Go by the log again: everything that was trained is recorded."""
        self._push(_Mark.RELEASE)

    # For any thread.

    def submit(self, step: Step) -> None:
        """Have a step computed: at once if that takes microseconds and nobody else is at work."""
        if self._cost_s > AT_ONCE_MAX_S or self._items or self._armed_at is not None:
            self._push(step)
            return
        scheduler = self._aim.host.scheduler
        if not scheduler.try_enter(self.lane):
            self._push(step)
            return
        is_done = False
        try:
            with Boundary(f"a step of {self.lane}") as boundary:
                is_done = self._at_once(step)
            if boundary.error is not None:
                step.channel.fail(CloseCode.FAULT, "internal error")
                self.failed(boundary.error)
        finally:
            scheduler.leave(self.lane)
        if not is_done and boundary.error is None:
            self._push(step)

    def _push(self, item: Step | _Session | _Mark) -> None:
        self._items.append(item)
        with self._lock:
            if self._armed_at is not None:
                return
            scheduler = self._armed_at = self._aim.host.scheduler
        scheduler.submit_urgent(self)

    # For the threads of the host.

    def run_slice(self, budget_s: float) -> Turn:
        """Compute what has come, for at most about ``budget_s``."""
        if self._has_moved():
            return Turn.DONE
        now_s = self._aim.host.clock.monotonic_s
        end_s = now_s() + budget_s
        placement = self._placement(budget_s)
        if isinstance(placement, Turn):
            return placement
        while True:
            try:
                item = self._items.popleft()
            except IndexError:
                with self._lock:
                    if self._items:
                        continue
                    self._armed_at = None
                    return Turn.DONE
            if not isinstance(item, Step):
                self._mark(item, placement)
                return Turn.AGAIN
            self._timed(self._train if item.is_training else self._request, item, placement)
            if now_s() > end_s:
                return Turn.AGAIN

    def _at_once(self, step: Step) -> bool:
        """Compute a step if everything is there; return whether it was."""
        aim, session = self._aim, self._session
        placement = aim.host.networks.get(self.lane)
        if placement is None or aim.is_busy or self._items:
            return False
        if placement.moment != (self._head or head_of(aim.lineage)):
            return False
        if not step.is_training:
            self._timed(self._request, step, placement)
            return True
        # Telling the log takes longer, and a full one would let the caller wait.
        now_s = aim.host.clock.monotonic_s()
        is_due = now_s - self._told_s >= aim.host.progress_interval_s
        if session is not None and (is_due or session.log.is_full):
            return False
        self._timed(self._train, step, placement)
        return True

    def _timed(
        self, work: Callable[[Step, Placement], None], step: Step, placement: Placement
    ) -> None:
        # Of the processor, not of the clock: with the waits for others among them, steps that went
        # to another thread once would look expensive for ever, and always go there.
        spent_s = self._aim.host.clock.thread_s
        begin_s = spent_s()
        work(step, placement)
        self._cost_s += COST_RATE * (spent_s() - begin_s - self._cost_s)

    def failed(self, error: BaseException) -> None:
        """Close whoever waited: the network or what it is computed from is not usable."""
        reason = error.message if isinstance(error, HanamiError) else "internal error"
        self._approach = None
        self._aim.host.networks.drop(self.lane)
        with self._lock:
            self._armed_at = None
        waiting = []
        while self._items:
            waiting.append(self._items.popleft())
        for channel in {item.channel for item in waiting if isinstance(item, Step)}:
            channel.fail(CloseCode.FAULT, reason)
        sessions = [item for item in waiting if isinstance(item, _Session)]
        if self._session is not None:
            sessions.insert(0, self._session)
        self._leave_session()
        for session in sessions:
            session.channel.fail(CloseCode.FAULT, reason)
            # What was trained before is on its way into the log and stays.
            session.on_end("", ())

    def _has_moved(self) -> bool:
        """Go over to the threads of the host that the cluster was moved to."""
        with self._lock:
            scheduler = self._aim.host.scheduler
            if scheduler is self._armed_at:
                return False
            self._armed_at = scheduler
        scheduler.submit_urgent(self)
        return True

    def _placement(self, budget_s: float) -> Placement | Turn:
        """Return the network at the moment that counts, or what to do until it is there."""
        self._aimed.clear()
        aim = self._aim
        placement = aim.host.networks.get(self.lane)
        if aim.is_busy:
            if placement is not None and placement.is_settled:
                return placement
            self._aimed.wait(AIM_WAIT_S)
            return Turn.LATER
        newest, is_training = head_of(aim.lineage), self._session is not None
        # What a connection trained is newer than the log, until tasks have gone on from there.
        heads = (self._head or newest,) if is_training else (self._head, newest)
        if placement is not None and placement.moment in heads:
            self._approach = None
            return placement
        if is_training and self._head is not None:
            raise FaultError("the network that a connection trained has been lost; train it again")
        if self._approach is None:
            self._approach = Approach(aim.host, self.lane, aim.lineage)
            self._approach.load()
        elif self._approach.spans:
            self._approach.run(budget_s)
        else:
            self._approach = None
        return Turn.AGAIN

    def _request(self, step: Step, placement: Placement) -> None:
        network = placement.network
        placement.let_ask(step.channel)
        try:
            answers = network.request_one(step.inputs)
        except KeyError as error:
            step.channel.fail(CloseCode.BAD_MESSAGE, str(error.args[0]))
            return
        except ValueError:
            # Wider than what was learned: the network has nothing to say about the rest.
            answers = network.request_one(
                {name: vector[: network.input_width(name)] for name, vector in step.inputs.items()}
            )
        if len(answers) == 1:
            ((name, values),) = answers.items()
            step.channel.answer(encode_values(name.encode(), values.tobytes()))
            return
        joined = b"".join(answers[name].tobytes() for name in sorted(answers))
        step.channel.answer(encode_values(self._aim.ports.first_output, joined))

    def _train(self, step: Step, placement: Placement) -> None:
        session, channel = self._session, step.channel
        if session is None or channel is not session.channel:
            channel.fail(CloseCode.CONFLICT, "the cluster is not in direct mode any more")
            return
        network = placement.network
        try:
            network.train_one(step.inputs, step.expected)
        except KeyError as error:
            channel.fail(CloseCode.BAD_MESSAGE, str(error.args[0]))
            return
        except ValueError:
            network.size(_widths(step.inputs), _widths(step.expected))
            network.train_one(step.inputs, step.expected)
        self._step += 1
        self._head = placement.moment = Moment(session.uuid, self._step)
        vectors = (*step.inputs.values(), *step.expected.values())
        size_bytes = sum(vector.nbytes for vector in vectors)
        session.log.add(Sample(step.inputs, step.expected), size_bytes)
        if channel.is_durable:
            channel.answer_when_durable(TRAINED, self._step)
        else:
            channel.answer(TRAINED)
        now_s = self._aim.host.clock.monotonic_s()
        if now_s - self._told_s >= self._aim.host.progress_interval_s:
            self._tell(session, placement, now_s)

    def _tell(self, session: _Session, placement: Placement, now_s: float) -> None:
        """Have figures recorded, and a snapshot stored now and then."""
        self._told_s = now_s
        session.log.note(figures_of_network(placement.network))
        if now_s - self._saved_s >= self._aim.host.snapshot_interval_s:
            self._saved_s = now_s
            self._save(placement)

    def _save(self, placement: Placement) -> None:
        self._aim.host.snapshotter.save(self.lane, placement.moment, placement.network.image())

    def _mark(self, item: _Session | _Mark, placement: Placement) -> None:
        if isinstance(item, _Session):
            self._begin(item, placement)
        elif item is _Mark.END:
            self._end(placement)
        elif item is _Mark.FORGET:
            self._leave_session()
            self._aim.host.networks.drop(self.lane)
        else:
            self._leave_session()

    def _begin(self, session: _Session, placement: Placement) -> None:
        self._aim.host.networks.pin(self.lane)
        self._session, self._step = session, 0
        self._saved_s = self._told_s = self._aim.host.clock.monotonic_s()
        placement.network.reset_transients("train")

    def _end(self, placement: Placement) -> None:
        session, self._session = self._session, None
        if session is None:
            return
        digest = ""
        figures: Figures = ()
        if self._step:
            digest = placement.network.digest()
            figures = figures_of_network(placement.network)
            self._save(placement)
            self._aim.host.snapshotter.thin(self.lane, session.uuid, self._step)
        session.on_end(digest, figures)

    def _leave_session(self) -> None:
        self._session, self._head = None, None
        self._aim.host.networks.unpin(self.lane)


def _widths(vectors: Mapping[str, Any]) -> dict[str, int]:
    return {name: vector.shape[0] for name, vector in vectors.items()}
