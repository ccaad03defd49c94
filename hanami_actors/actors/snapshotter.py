"""Snapshots in the background: hashed, compressed and written by another thread."""

import logging
import threading
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import NamedTuple

from hanami_actors.compute import NetworkImage, decode_image, encode_image
from hanami_actors.errors import SnapshotDamagedError
from hanami_actors.eventlog.snapshots import SnapshotStore, cycle_snapshot_name
from hanami_actors.types import StreamId, Uuid

__all__ = ["Moment", "Snapshotter", "moment_name", "parse_moment"]

logger = logging.getLogger(__name__)


class Moment(NamedTuple):
    """A point in a cluster's history.

    Attributes
    ----------
    task_uuid : str
        Empty before the first training.
    cycle : int
        Cycles of that task that were run.
    """

    task_uuid: str
    cycle: int


def moment_name(moment: Moment) -> str:
    """Return the name of the snapshot of a moment."""
    return cycle_snapshot_name(Uuid(moment.task_uuid), moment.cycle)


def parse_moment(name: str) -> Moment | None:
    """Return the moment of a snapshot's name, None for a foreign name."""
    stem, _, cycle = name.rpartition("-")
    kind, _, task_uuid = stem.partition("-")
    if kind != "task" or not cycle.isdecimal():
        return None
    return Moment(task_uuid, int(cycle))


class Snapshotter:
    """Stores images of networks; a snapshot that cannot be stored is only a lost shortcut.

    Parameters
    ----------
    store : SnapshotStore
    """

    def __init__(self, store: SnapshotStore) -> None:
        self._store = store
        self._pool = ThreadPoolExecutor(1, thread_name_prefix="snapshots")
        self._lock = threading.Lock()
        self._waiting: dict[str, Future[None]] = {}

    def save(self, cluster_uuid: str, moment: Moment, image: NetworkImage) -> None:
        """Store an image soon; a cluster's older image that still waits is dropped for it.

        At most one image per cluster waits, so memory stays bounded.
        """
        with self._lock:
            previous = self._waiting.get(cluster_uuid)
            if previous is not None:
                previous.cancel()
            future = self._pool.submit(self._store_image, cluster_uuid, moment, image)
            self._waiting[cluster_uuid] = future
        future.add_done_callback(self._done)

    def newest(
        self, cluster_uuid: str, wanted: Iterator[Moment]
    ) -> tuple[Moment, NetworkImage] | None:
        """Return the first good snapshot among the wanted moments, best first.

        ``wanted`` yields ``Moment(task, limit)``: any snapshot of that task at or before ``limit``.
        Damaged ones are reported, removed and skipped.
        """
        stream = _stream(cluster_uuid)
        stored = [moment for name in self._store.names(stream) if (moment := parse_moment(name))]
        for task_uuid, limit in wanted:
            fitting = [m for m in stored if m.task_uuid == task_uuid and m.cycle <= limit]
            for moment in sorted(fitting, reverse=True):
                try:
                    data = self._store.load(stream, moment_name(moment))
                    return moment, decode_image(data)
                except SnapshotDamagedError as error:
                    logger.warning(
                        "snapshot %s of cluster %s skipped: %s", moment, cluster_uuid, error
                    )
                    self._store.delete(stream, moment_name(moment))
        return None

    def forget(self, cluster_uuid: str) -> None:
        """Remove all snapshots of a cluster."""
        self._pool.submit(self._store.delete_stream, _stream(cluster_uuid))

    def thin(self, cluster_uuid: str, task_uuid: str, keep_cycle: int) -> None:
        """Remove a task's snapshots but the one at ``keep_cycle``, once that one is stored."""
        self._pool.submit(self._thin, cluster_uuid, task_uuid, keep_cycle)

    def close(self) -> None:
        """Finish what waits."""
        self._pool.shutdown(wait=True)

    def _store_image(self, cluster_uuid: str, moment: Moment, image: NetworkImage) -> None:
        self._store.put(_stream(cluster_uuid), moment_name(moment), encode_image(image))

    def _thin(self, cluster_uuid: str, task_uuid: str, keep_cycle: int) -> None:
        stream = _stream(cluster_uuid)
        moments = [moment for name in self._store.names(stream) if (moment := parse_moment(name))]
        if Moment(task_uuid, keep_cycle) not in moments:
            return
        for moment in moments:
            if moment.task_uuid == task_uuid and moment.cycle != keep_cycle:
                self._store.delete(stream, moment_name(moment))

    def _done(self, future: Future[None]) -> None:
        with self._lock:
            for cluster_uuid, waiting in list(self._waiting.items()):
                if waiting is future:
                    del self._waiting[cluster_uuid]
        if not future.cancelled() and future.exception() is not None:
            logger.warning("a snapshot could not be stored: %s", future.exception())


def _stream(cluster_uuid: str) -> StreamId:
    return StreamId(f"cluster/{cluster_uuid}")
