"""The published tables: loaded at the start, replaced by the writer, kept on disk in the background."""

import logging
import threading
from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from types import MappingProxyType

from msgspec.structs import replace

from hanami_actors.domain.base import Event
from hanami_actors.domain.cluster.events import (
    ClusterDeleted,
    TaskAborted,
    TaskFailed,
    TaskFinished,
    TaskPaused,
    TaskQueued,
    TaskRemoved,
    TaskResumed,
)
from hanami_actors.domain.tables import EMPTY, FOLDED, Tables, fold, key_of
from hanami_actors.eventlog.port import EventLog, Record
from hanami_actors.eventlog.table_snapshots import TableImage, TableSnapshots

__all__ = ["Published", "TableKeeper", "load_published"]

logger = logging.getLogger(__name__)

SAVE_AFTER_RECORDS = 20_000
"""Records after which the tables are stored again; a start folds at most about as many."""

SAVE_AT_END_RECORDS = 500
"""An orderly stop stores the tables when a start would have to fold more than this."""


class Published:
    """The newest tables; replaced as a whole, so any thread may read them at any time.

    Attributes
    ----------
    tables : Tables
    stored_position : int
        Of the image that this began with.
    """

    def __init__(self, image: TableImage | None = None) -> None:
        self.stored_position = 0 if image is None else image.tables.position
        self.tables: Tables = EMPTY if image is None else image.tables
        # By the writer's thread alone, and before any actor starts.
        self._open_tasks: dict[str, str] = {} if image is None else dict(image.open_tasks)

    @property
    def unfinished(self) -> frozenset[str]:
        """Clusters with tasks that wait or compute; asked before any actor starts, to wake them."""
        return frozenset(uuid for uuid in self._open_tasks.values() if uuid in self.tables.clusters)

    def take(self, records: list[Record]) -> None:
        """Fold records that follow; all or none of them become visible."""
        if not records:
            return
        tables = self.tables
        for record in records:
            # Most records change no table: asking first makes a start twice as fast.
            if type(record.event) in FOLDED:
                tables = fold(
                    tables,
                    record.stream,
                    record.version,
                    record.position,
                    record.time_us,
                    record.event,
                )
        tables = replace(tables, position=records[-1].position)
        for record in records:
            follow = _FOLLOWED.get(type(record.event))
            if follow is not None:
                follow(self._open_tasks, record)
        self.tables = tables

    def image(self) -> TableImage:
        """Return a copy for the disk; by the writer's thread."""
        return TableImage(tables=self.tables, open_tasks=dict(self._open_tasks))


class TableKeeper:
    """Stores the tables now and then in a thread of its own; a failure costs only a slower start.

    Parameters
    ----------
    snapshots : TableSnapshots
    stored_position : int
        Of the image that the server started with.
    """

    def __init__(self, snapshots: TableSnapshots, stored_position: int = 0) -> None:
        self._snapshots = snapshots
        self._stored_position = stored_position
        self._pool = ThreadPoolExecutor(1, thread_name_prefix="tables")
        self._running: Future[None] | None = None
        self._lock = threading.Lock()

    def offer(self, position: int, image: Callable[[], TableImage]) -> None:
        """Store the tables if enough has happened since the last time; never waits."""
        if position - self._stored_position < SAVE_AFTER_RECORDS:
            return
        with self._lock:
            if self._running is not None and not self._running.done():
                return
            self._stored_position = position
            self._running = self._pool.submit(self._snapshots.save, image())
            self._running.add_done_callback(_report)

    def close(self, image: TableImage | None = None) -> None:
        """Store the last tables if they are worth it, and end."""
        position = 0 if image is None else image.tables.position
        if image is not None and position - self._stored_position >= SAVE_AT_END_RECORDS:
            self._pool.submit(self._snapshots.save, image).add_done_callback(_report)
        self._pool.shutdown(wait=True)


def load_published(log: EventLog, snapshots: TableSnapshots | None = None) -> Published:
    """Return the tables of a log, before any actor starts.

    Parameters
    ----------
    log : EventLog
    snapshots : TableSnapshots or None
        Where to begin; None folds the whole log.

    Raises
    ------
    LogError
        A record does not hold; the server does not start on it.
    """
    published = Published(snapshots.newest() if snapshots is not None else None)
    records: list[Record] = []
    for record in log.read_all(after_position=published.tables.position):
        records.append(record)
        if len(records) == SAVE_AFTER_RECORDS:
            published.take(records)
            records = []
    published.take(records)
    return published


def _opened(open_tasks: dict[str, str], record: Record) -> None:
    event = record.event
    uuid = event.task.uuid if isinstance(event, TaskQueued) else getattr(event, "task_uuid", "")
    open_tasks[uuid] = key_of(record.stream)


def _ended(open_tasks: dict[str, str], record: Record) -> None:
    open_tasks.pop(getattr(record.event, "task_uuid", ""), None)


def _deleted(open_tasks: dict[str, str], record: Record) -> None:
    cluster_uuid = key_of(record.stream)
    for uuid in [task for task, owner in open_tasks.items() if owner == cluster_uuid]:
        del open_tasks[uuid]


_Follow = Callable[[dict[str, str], Record], None]

_FOLLOWED: Mapping[type[Event], _Follow] = MappingProxyType(
    {
        TaskQueued: _opened,
        TaskResumed: _opened,
        TaskFinished: _ended,
        TaskAborted: _ended,
        TaskFailed: _ended,
        TaskPaused: _ended,
        TaskRemoved: _ended,
        ClusterDeleted: _deleted,
    }
)
"""How events change which tasks are open; a paused task waits for its user, not for a start."""


def _report(future: Future[None]) -> None:
    error = future.exception()
    if error is not None:
        logger.warning("the tables could not be stored, a start takes longer: %s", error)
