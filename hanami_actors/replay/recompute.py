"""Running all training again and comparing what comes out with what was recorded."""

from collections.abc import Callable, Iterator
from typing import NamedTuple

from hanami_actors.compute import KERNEL_VERSION, read_image_header
from hanami_actors.domain.cluster.events import ClusterRestored, TaskStarted
from hanami_actors.domain.cluster.lineage import Stretch
from hanami_actors.errors import HanamiError, SnapshotDamagedError
from hanami_actors.eventlog.blobs import BlobStore
from hanami_actors.eventlog.port import EventLog
from hanami_actors.eventlog.snapshots import SnapshotStore
from hanami_actors.eventlog.verify import Finding
from hanami_actors.replay.point import Moment, moment_name, parse_moment
from hanami_actors.replay.replayer import Walker
from hanami_actors.replay.timeline import Way, way_to_version
from hanami_actors.types import StreamId

__all__ = ["Recomputed", "branches_of", "recompute"]


class Recomputed(NamedTuple):
    """What was compared on one way.

    Attributes
    ----------
    cycle_count : int
        Cycles that were run.
    digest_count : int
        Recorded digests and snapshots that were compared.
    findings : tuple of Finding
        What did not come out again.
    """

    cycle_count: int
    digest_count: int
    findings: tuple[Finding, ...]


class _Check(NamedTuple):
    """A digest that must come out at a cycle of a stretch."""

    cycle: int
    digest: str
    what: str


def branches_of(log: EventLog, stream: str) -> Iterator[Way]:
    """Yield the ways of a cluster: the newest, and those that a restore left.

    Parameters
    ----------
    log : EventLog
    stream : str
        A cluster.
    """
    seen: set[tuple[Moment, ...]] = set()
    versions: list[int] = [log.stream_version(StreamId(stream))]
    versions += [
        record.version - 1
        for record in log.read_stream(StreamId(stream))
        if isinstance(record.event, ClusterRestored)
    ]
    for version in versions:
        way = way_to_version(log, stream, version)
        key = tuple(Moment(stretch.task.uuid, stretch.stop) for stretch in way.stretches)
        if key and not any(known[: len(key)] == key for known in seen):
            seen.add(key)
            yield way


def recompute(
    way: Way,
    log: EventLog,
    blobs: BlobStore,
    snapshots: SnapshotStore,
    progress: Callable[[int], None] = lambda _: None,
) -> Recomputed:
    """Train a network from its beginning and compare it at every recorded digest and snapshot.

    Parameters
    ----------
    way : Way
    log, blobs, snapshots
        Of the data directory.
    progress : callable
        Told the cycles done.
    """
    compared = 0
    try:
        walker = Walker(way, blobs, log)
        for number, stretch in enumerate(way.stretches):
            other = _other_kernels(log, stretch)
            if other:
                return Recomputed(walker.done, compared, (other,))
            for check in _checks(stretch, snapshots):
                walker.walk_to(way.begin_of(number) + check.cycle, progress)
                compared += 1
                found = walker.network.digest()
                if found != check.digest:
                    return Recomputed(
                        walker.done, compared, (_difference(log, stretch, check, found),)
                    )
    except HanamiError as error:
        text = ": ".join([error.message, *getattr(error, "__notes__", ())])
        where = way.stretches[-1].stream if way.stretches else ""
        return Recomputed(0, compared, (Finding("digest", where, text),))
    return Recomputed(walker.done, compared, ())


def _checks(stretch: Stretch, snapshots: SnapshotStore) -> list[_Check]:
    """Return what must come out on the way through a stretch, in order; its end at least."""
    found = [
        _Check(moment.cycle, digest, f"snapshot at cycle {moment.cycle}")
        for moment, digest in _snapshots(stretch, snapshots)
    ]
    end = f"{stretch.task.kind} {stretch.task.uuid} after cycle {stretch.stop}"
    if stretch.digest:
        found.append(_Check(stretch.stop, stretch.digest, end))
    return sorted(found, key=lambda check: check.cycle)


def _snapshots(stretch: Stretch, snapshots: SnapshotStore) -> Iterator[tuple[Moment, str]]:
    stream = StreamId(stretch.stream)
    for name in snapshots.names(stream):
        moment = parse_moment(name)
        if moment is None or moment.task_uuid != stretch.task.uuid or moment.cycle > stretch.stop:
            continue
        try:
            header = read_image_header(snapshots.load(stream, moment_name(moment)))
        except SnapshotDamagedError:
            continue  # said by the check of the files
        if header["kernel_version"] == KERNEL_VERSION:
            yield moment, str(header["digest"])


def _other_kernels(log: EventLog, stretch: Stretch) -> Finding | None:
    """Return why a stretch cannot be compared; None when it can."""
    for record in log.read_stream(StreamId(stretch.stream)):
        event = record.event
        if not isinstance(event, TaskStarted) or event.task_uuid != stretch.task.uuid:
            continue
        if event.kernel_version != KERNEL_VERSION:
            return Finding(
                "digest",
                f"record {record.position}",
                f"task {stretch.task.uuid} was computed by kernel version {event.kernel_version},"
                f" this program has version {KERNEL_VERSION}: use the program that computed it",
            )
    return None


def _difference(log: EventLog, stretch: Stretch, check: _Check, found: str) -> Finding:
    where = f"{stretch.stream} {check.what}"
    for record in log.read_stream(StreamId(stretch.stream)):
        if getattr(record.event, "digest", "") == check.digest:
            where = f"record {record.position}"
            break
    return Finding(
        "digest",
        where,
        f"{check.what} of {stretch.stream} has the digest {check.digest} ({where}), computed again"
        f" it is {found}",
    )
