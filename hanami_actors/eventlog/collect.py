"""What nobody needs any more: blobs that nothing living names, snapshots that save little work.

Reading a whole log takes a while and holds the interpreter's lock, so the server runs this module
in a child process, ``python -m hanami_actors.eventlog.collect DATA_DIR GRACE_S``, which changes
nothing and prints its plan. The server carries it out, and looks again at the age of every file: what is
stored again meanwhile is young.
"""

import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from hanami_actors.domain.base import Event, Value
from hanami_actors.domain.checkpoint.events import CheckpointCreated, CheckpointDeleted
from hanami_actors.domain.cluster.events import ClusterRestored, SessionOpened, TaskStarted
from hanami_actors.domain.references import Holdings
from hanami_actors.errors import HanamiError
from hanami_actors.eventlog.blobs import BlobStore
from hanami_actors.eventlog.directory import DataDirectory
from hanami_actors.eventlog.lmdb_log import LmdbEventLog
from hanami_actors.eventlog.port import EventLog
from hanami_actors.eventlog.snapshots import SnapshotStore, parse_cycle_name
from hanami_actors.ports import SystemClock

if TYPE_CHECKING:
    from hanami_actors.domain.cluster.source import Source

__all__ = ["Plan", "main", "make_plan"]

NEWEST_KEPT = 8
"""Tasks and sessions of a cluster whose snapshots are all kept; of older ones some."""

_NICENESS = 19


class Plan(Value, frozen=True, kw_only=True):
    """What may be removed.

    Attributes
    ----------
    position : int
        Newest record that was looked at.
    blobs : tuple of str
        Digests.
    snapshots : tuple of (stream, name)
    """

    position: int
    blobs: tuple[str, ...]
    snapshots: tuple[tuple[str, str], ...]


class _Histories:
    """In which order clusters trained, and which moments have a name."""

    def __init__(self) -> None:
        self.holdings = Holdings()
        self._spans: dict[str, list[str]] = {}
        self._named: dict[str, Source] = {}
        self._restored: list[Source] = []

    def add(self, stream: str, event: Event) -> None:
        self.holdings.add(stream, event)
        match event:
            case TaskStarted(task_uuid=uuid) | SessionOpened(session_uuid=uuid):
                self._spans.setdefault(stream, []).append(uuid)
            case CheckpointCreated(source=source):
                self._named[stream] = source
            case CheckpointDeleted():
                self._named.pop(stream, None)
            case ClusterRestored(source=source):
                self._restored.append(source)
            case _:
                pass

    def kept_spans(self, stream: str) -> set[str]:
        """Return the tasks and sessions near the end, and fewer and fewer the older they are."""
        spans = self._spans.get(stream, [])
        ages = {uuid: age for age, uuid in enumerate(reversed(spans))}
        return {uuid for uuid, age in ages.items() if age < NEWEST_KEPT or age & (age - 1) == 0}

    def pinned(self) -> set[tuple[str, int]]:
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
        Time of day in seconds; files changed since are left alone, because the event that names
        them may still be on its way.
    """
    histories = _Histories()
    position = 0
    for record in log.read_all():
        histories.add(record.stream, record.event)
        position = record.position
    held = histories.holdings.holders()
    blobs = BlobStore(directory.blobs, readonly=True)
    return Plan(
        position=position,
        blobs=tuple(
            digest
            for digest in blobs.iterate()
            if digest not in held and blobs.is_older(digest, older_than_s)
        ),
        snapshots=tuple(
            _snapshots(SnapshotStore(directory.snapshots, readonly=True), histories, older_than_s)
        ),
    )


def _snapshots(
    store: SnapshotStore, histories: _Histories, older_than_s: float
) -> Iterator[tuple[str, str]]:
    reached, pinned = histories.holdings.reached(), histories.pinned()
    for stream in store.streams():
        if not stream.startswith("cluster/"):
            continue
        kept = histories.kept_spans(stream) if stream in reached else set()
        for name in store.names(stream):
            span_uuid, cycle = parse_cycle_name(name) or ("", 0)
            is_kept = span_uuid in kept or (stream in reached and (span_uuid, cycle) in pinned)
            if not is_kept and store.is_older(stream, name, older_than_s):
                yield stream, name


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
