"""What nobody needs any more: blobs that nothing living names, snapshots that save little work.

Reading a whole log takes a while and holds the interpreter's lock, so the server runs this module
in a child process, ``python -m hanami_actors.eventlog.collect DATA_DIR GRACE_S``, which changes
nothing and prints its plan. The server carries out what two plans in a row agree on, and looks
again at every file: what was stored again meanwhile stays.
"""

import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from hanami_actors.domain.base import Value
from hanami_actors.domain.checkpoint.events import CheckpointCreated, CheckpointDeleted
from hanami_actors.domain.cluster.events import ClusterRestored, SessionOpened, TaskStarted
from hanami_actors.domain.references import ENDINGS, Holdings
from hanami_actors.errors import HanamiError
from hanami_actors.eventlog.blobs import BlobStore
from hanami_actors.eventlog.directory import DataDirectory
from hanami_actors.eventlog.lmdb_log import LmdbEventLog
from hanami_actors.eventlog.port import EventLog, Record
from hanami_actors.eventlog.snapshots import SnapshotStore, parse_cycle_name
from hanami_actors.ports import SystemClock

if TYPE_CHECKING:
    from hanami_actors.domain.cluster.source import Source

__all__ = ["Plan", "Retention", "main", "make_plan"]

NEWEST_KEPT = 8
"""Tasks and sessions of a cluster whose snapshots are all kept; of older ones some."""

_NICENESS = 19


class Plan(Value, frozen=True, kw_only=True):
    """What may be removed.

    Attributes
    ----------
    position : int
        Newest record that was looked at.
    blobs : tuple of (digest, time)
        The time is the one at which its file was stored, in ns.
    snapshots : tuple of (stream, name)
    """

    position: int = 0
    blobs: tuple[tuple[str, int], ...] = ()
    snapshots: tuple[tuple[str, str], ...] = ()


class Retention:
    """In which order clusters trained, which moments have a name, and what all that keeps.

    Parameters
    ----------
    older_than_s : float
        Time of day in seconds. What was deleted since is taken for living: a task or a restore
        that was asked for before may still be on its way. Files changed since are left alone,
        because the event that names them may still be on its way.
    """

    def __init__(self, older_than_s: float) -> None:
        self._older_than_s = older_than_s
        self._position = 0
        self.holdings = Holdings()
        self._spans: dict[str, list[str]] = {}
        self._named: dict[str, Source] = {}
        self._restored: list[Source] = []
        self._kernel_version = 0
        self._computed_by: dict[str, int] = {}

    def add(self, record: Record) -> None:
        """Take a record in."""
        self._position = record.position
        stream, event = record.stream, record.event
        if isinstance(event, ENDINGS) and record.time_us / 1e6 >= self._older_than_s:
            return
        self.holdings.add(stream, event)
        match event:
            case TaskStarted(task_uuid=uuid, kernel_version=kernel_version):
                self._kernel_version = kernel_version
                self._add_span(stream, uuid)
            case SessionOpened(session_uuid=uuid):
                self._add_span(stream, uuid)
            case CheckpointCreated(source=source):
                self._named[stream] = source
            case CheckpointDeleted():
                self._named.pop(stream, None)
            case ClusterRestored(source=source):
                self._restored.append(source)
            case _:
                pass

    def plan(self, directory: DataDirectory) -> Plan:
        """Return what may be removed of a directory after all its records were taken in."""
        return Plan(
            position=self._position,
            blobs=tuple(self._blobs(BlobStore(directory.blobs, readonly=True))),
            snapshots=tuple(self._snapshots(SnapshotStore(directory.snapshots, readonly=True))),
        )

    def _add_span(self, stream: str, uuid: str) -> None:
        self._spans.setdefault(stream, []).append(uuid)
        self._computed_by[uuid] = self._kernel_version

    def _blobs(self, blobs: BlobStore) -> Iterator[tuple[str, int]]:
        held = self.holdings.holders()
        for digest in blobs.iterate():
            stored_ns = blobs.stored_ns(digest)
            if digest not in held and 0 < stored_ns < self._older_than_s * 1e9:
                yield digest, stored_ns

    def _snapshots(self, store: SnapshotStore) -> Iterator[tuple[str, str]]:
        reached, pinned = self.holdings.reached(), self._pinned()
        for stream in store.streams():
            if not stream.startswith("cluster/"):
                continue
            moments = {name: parse_cycle_name(name) or ("", 0) for name in store.names(stream)}
            kept = self._kept(stream, moments, pinned) if stream in reached else set()
            for name in moments:
                if name not in kept and store.is_older(stream, name, self._older_than_s):
                    yield stream, name

    def _kept(
        self, stream: str, moments: dict[str, tuple[str, int]], pinned: set[tuple[str, int]]
    ) -> set[str]:
        """Return the snapshots of a stream that stay."""
        spans = self._kept_spans(stream, {uuid for uuid, _ in moments.values()})
        kept = {name for name, (uuid, _) in moments.items() if uuid in spans}
        for uuid, cycle in pinned:
            near = [(at, name) for name, (of, at) in moments.items() if of == uuid and at <= cycle]
            if near:
                kept.add(max(near)[1])
        return kept

    def _kept_spans(self, stream: str, stored: set[str]) -> set[str]:
        """Return the tasks and sessions near the end, and fewer and fewer the older they are.

        Only those count that have snapshots: requests would push out the newest training. What
        other kernels computed stays, because it cannot be computed again.
        """
        spans = [uuid for uuid in self._spans.get(stream, []) if uuid in stored]
        ages = {uuid: age for age, uuid in enumerate(reversed(spans))}
        return {
            uuid
            for uuid, age in ages.items()
            if age < NEWEST_KEPT
            or age & (age - 1) == 0
            or self._computed_by[uuid] != self._kernel_version
        }

    def _pinned(self) -> set[tuple[str, int]]:
        """Return the moments that checkpoints name and that clusters were restored from."""
        sources = [*self._named.values(), *self._restored]
        return {(source.span_uuid, source.cycle) for source in sources}


def make_plan(directory: DataDirectory, log: EventLog, *, older_than_s: float) -> Plan:
    """Return what may be removed.

    Parameters
    ----------
    directory : DataDirectory
    log : EventLog
        Of this directory.
    older_than_s : float
        See `Retention`.
    """
    retention = Retention(older_than_s)
    for record in log.read_all():
        retention.add(record)
    return retention.plan(directory)


def main() -> int:
    """Print the plan for a data directory as JSON; return the exit code.

    Returns
    -------
    int
        1 when the log cannot be read.
    """
    os.nice(_NICENESS)
    directory = DataDirectory(Path(sys.argv[1]))
    older_than_s = SystemClock().now_us() / 1e6 - float(sys.argv[2])
    try:
        log = LmdbEventLog(directory.log, readonly=True)
        try:
            plan = make_plan(directory, log, older_than_s=older_than_s)
        finally:
            log.close()
    except HanamiError as error:
        sys.stderr.write(f"{error.message}\n")
        return 1
    sys.stdout.buffer.write(msgspec.json.encode(plan))
    return 0


if __name__ == "__main__":
    sys.exit(main())
