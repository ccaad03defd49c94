"""Every cycle that led to a network, in one row, whatever tasks and clusters it comes from."""

from typing import NamedTuple

from msgspec.structs import replace

from hanami_actors.domain.aggregates import aggregate_of
from hanami_actors.domain.cluster.lineage import Lineage, Stretch, lineage_of
from hanami_actors.domain.cluster.state import ClusterState, TaskPhase, find_task
from hanami_actors.errors import NotFoundError
from hanami_actors.eventlog.port import EventLog
from hanami_actors.eventlog.replay import state_at
from hanami_actors.replay.point import BEGINNING, Moment
from hanami_actors.types import StreamId

__all__ = ["Step", "Way", "read_cluster", "way_to_task", "way_to_version"]


class Step(NamedTuple):
    """A moment on a way.

    Attributes
    ----------
    stretch : int
        Which stretch it lies in.
    cycle : int
        Cycles of that stretch that were run.
    """

    stretch: int
    cycle: int


class Way:
    """A lineage with its cycles numbered from 0 to `cycle_count`.

    Parameters
    ----------
    lineage : Lineage

    Attributes
    ----------
    lineage : Lineage
    cycle_count : int
        Cycles of all stretches together.
    """

    def __init__(self, lineage: Lineage) -> None:
        self.lineage = lineage
        self._begins = [0]
        for stretch in lineage.stretches:
            self._begins.append(self._begins[-1] + stretch.stop)
        self.cycle_count = self._begins[-1]

    @property
    def stretches(self) -> tuple[Stretch, ...]:
        """The stretches in order."""
        return self.lineage.stretches

    def step(self, done: int) -> Step:
        """Return where so many cycles lead; at a border the end of the earlier stretch."""
        for number, stretch in enumerate(self.stretches):
            if done <= self._begins[number] + stretch.stop:
                return Step(number, done - self._begins[number])
        raise NotFoundError(f"the way has {self.cycle_count} cycles, there is no cycle {done}")

    def begin_of(self, number: int) -> int:
        """Return how many cycles lie before a stretch."""
        return self._begins[number]

    def moment(self, done: int) -> Moment:
        """Return the moment after so many cycles."""
        if done == 0:
            return BEGINNING
        step = self.step(done)
        return Moment(self.stretches[step.stretch].task.uuid, step.cycle)

    def done_at(self, moment: Moment) -> int | None:
        """Return how many cycles lead to a moment; None when it is not on the way."""
        if moment == BEGINNING:
            return 0
        for index in range(len(self.stretches) - 1, -1, -1):
            stretch = self.stretches[index]
            if stretch.task.uuid == moment.task_uuid and moment.cycle <= stretch.stop:
                return self._begins[index] + moment.cycle
        return None


def read_cluster(log: EventLog, stream: str, version: int | None = None) -> ClusterState:
    """Return a cluster as it was at a version; now if there is none."""
    name = StreamId(stream)
    aggregate = aggregate_of(stream)
    wanted = log.stream_version(name) if version is None else version
    state = state_at(log, name, wanted, aggregate.initial(), aggregate.apply)
    assert isinstance(state, ClusterState), "the stream of a cluster"
    return state


def way_to_version(log: EventLog, stream: str, version: int | None = None) -> Way:
    """Return the way to a cluster as it was recorded at a version of its stream.

    Raises
    ------
    NotFoundError
        There is no such version.
    """
    state = read_cluster(log, stream, version)
    return Way(lineage_of(state, stream, lambda other, at: read_cluster(log, other, at)))


def way_to_task(log: EventLog, stream: str, task_uuid: str, cycle: int | None) -> Way:
    """Return the way to a cycle of a task or direct session of a cluster.

    The task may have been overwritten by a restore since: what counts is the newest version of
    the stream that knows it.

    Parameters
    ----------
    log : EventLog
    stream : str
        The cluster.
    task_uuid : str
        Its task or session; the beginning of it is enough when only one begins so.
    cycle : int or None
        None for all cycles that were run.

    Raises
    ------
    NotFoundError
        The cluster never ran that task, or not so far.
    """
    version, uuid = _last_version_of(log, stream, task_uuid)
    way = way_to_version(log, stream, version)
    index = _last_index(way, uuid)
    # A task that computes may be run ahead of what is recorded: all it needs is known.
    entry = find_task(read_cluster(log, stream, version), uuid)
    stretches = way.stretches[: index + 1] if index is not None else way.stretches
    limit = way.stretches[index].stop if index is not None else 0
    is_running = entry is not None and entry.phase in {TaskPhase.ACTIVE, TaskPhase.PAUSED}
    if entry is not None and is_running and entry.task.kind == "train":
        limit = entry.task.cycle_count if entry.phase is TaskPhase.ACTIVE else limit
        if index is None:
            running = Stretch(stream=stream, task=entry.task, stop=limit)
            stretches, index = (*stretches, running), len(stretches)
    stop = limit if cycle is None else cycle
    if index is None or not 0 <= stop <= limit:
        raise NotFoundError(
            f"task {uuid} of {stream} has run {limit} cycles of training; there is no cycle {stop}"
        )
    last = stretches[index]
    digest = last.digest if stop == last.stop else ""
    cut = replace(last, stop=stop, digest=digest)
    before = stretches[:index]
    return Way(replace(way.lineage, stretches=(*before, cut) if stop else before))


def _last_version_of(log: EventLog, stream: str, task_uuid: str) -> tuple[int, str]:
    """Return the newest version whose event is about the task, and the task's whole uuid."""
    found: dict[str, int] = {}
    for record in log.read_stream(StreamId(stream)):
        for field in ("task_uuid", "session_uuid"):
            uuid = str(getattr(record.event, field, ""))
            if uuid and uuid.startswith(task_uuid) and record.tag != "cluster.task_removed":
                found[uuid] = record.version
    if len(found) == 1:
        uuid, version = found.popitem()
        return version, uuid
    if found:
        raise NotFoundError(f"'{task_uuid}' begins {len(found)} tasks: {', '.join(sorted(found))}")
    raise NotFoundError(f"{stream} has started no task or session '{task_uuid}'")


def _last_index(way: Way, uuid: str) -> int | None:
    for index in range(len(way.stretches) - 1, -1, -1):
        if way.stretches[index].task.uuid == uuid:
            return index
    return None
