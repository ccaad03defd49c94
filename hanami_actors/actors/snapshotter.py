"""Snapshots in the background: hashed, compressed and written by another thread."""

import logging
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, NamedTuple

from hanami_actors.compute import NetworkImage, decode_image, encode_image
from hanami_actors.errors import SnapshotDamagedError
from hanami_actors.eventlog.snapshots import SnapshotStore
from hanami_actors.replay.moment import Moment, moment_name, parse_moment
from hanami_actors.types import StreamId

__all__ = ["Moment", "Snapshotter", "moment_name", "parse_moment"]

logger = logging.getLogger(__name__)


class _Shot(NamedTuple):
    moment: Moment
    image: NetworkImage


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
        self._waiting: dict[str, _Shot] = {}
        self._storing: dict[str, _Shot] = {}
        self._closed = False

    def save(self, cluster_uuid: str, moment: Moment, image: NetworkImage) -> None:
        """Store an image soon; a cluster's older image that still waits is dropped for it.

        At most one image per cluster waits and one is being stored, so memory stays bounded.
        """
        with self._lock:
            is_waiting = cluster_uuid in self._waiting
            self._waiting[cluster_uuid] = _Shot(moment, image)
        if not is_waiting:
            self._submit(self._store_waiting, cluster_uuid)

    def newest(
        self, cluster_uuid: str, wanted: Iterator[Moment]
    ) -> tuple[Moment, NetworkImage] | None:
        """Return the first good snapshot among the wanted moments, best first.

        ``wanted`` yields ``Moment(task, limit)``: any snapshot of that task at or before ``limit``.
        Damaged ones are reported, removed and skipped. What is not on the disk yet counts too.
        """
        # In this order: an image that is stored in between is then seen on the disk.
        with self._lock:
            shots = (self._storing.get(cluster_uuid), self._waiting.get(cluster_uuid))
        in_memory = {shot.moment: shot.image for shot in shots if shot is not None}
        known = {*in_memory, *self._moments(cluster_uuid)}
        for task_uuid, limit in wanted:
            fitting = [m for m in known if m.task_uuid == task_uuid and m.cycle <= limit]
            for moment in sorted(fitting, reverse=True):
                image = in_memory.get(moment) or self._load(cluster_uuid, moment)
                if image is not None:
                    return moment, image
        return None

    def forget(self, cluster_uuid: str) -> None:
        """Remove all snapshots of a cluster."""
        with self._lock:
            self._waiting.pop(cluster_uuid, None)
        self._submit(self._store.delete_stream, _stream(cluster_uuid))

    def thin(self, cluster_uuid: str, task_uuid: str, keep_cycle: int) -> None:
        """Remove a task's snapshots but the one at ``keep_cycle``, once that one is stored."""
        self._submit(self._thin, cluster_uuid, task_uuid, keep_cycle)

    def close(self) -> None:
        """Finish what waits; what comes later is dropped, it is only a cache."""
        with self._lock:
            self._closed = True
        self._pool.shutdown(wait=True)

    def _submit(self, work: Callable[..., None], *args: Any) -> None:
        with self._lock:
            if self._closed:
                return
            future = self._pool.submit(work, *args)
        future.add_done_callback(_report)

    def _store_waiting(self, cluster_uuid: str) -> None:
        with self._lock:
            shot = self._waiting.pop(cluster_uuid, None)
            if shot is None:
                return
            self._storing[cluster_uuid] = shot
        try:
            data = encode_image(shot.image)
            self._store.put(_stream(cluster_uuid), moment_name(shot.moment), data)
        finally:
            with self._lock:
                del self._storing[cluster_uuid]

    def _load(self, cluster_uuid: str, moment: Moment) -> NetworkImage | None:
        stream, name = _stream(cluster_uuid), moment_name(moment)
        try:
            return decode_image(self._store.load(stream, name))
        except SnapshotDamagedError as error:
            logger.warning("snapshot %s of cluster %s skipped: %s", moment, cluster_uuid, error)
        self._submit(self._store.delete, stream, name)
        return None

    def _moments(self, cluster_uuid: str) -> list[Moment]:
        names = self._store.names(_stream(cluster_uuid))
        return [moment for name in names if (moment := parse_moment(name))]

    def _thin(self, cluster_uuid: str, task_uuid: str, keep_cycle: int) -> None:
        moments = self._moments(cluster_uuid)
        if Moment(task_uuid, keep_cycle) not in moments:
            return
        for moment in moments:
            if moment.task_uuid == task_uuid and moment.cycle != keep_cycle:
                self._store.delete(_stream(cluster_uuid), moment_name(moment))


def _report(future: Future[None]) -> None:
    error = future.exception()
    if error is not None:
        logger.warning("a snapshot could not be stored or removed: %s", error)


def _stream(cluster_uuid: str) -> StreamId:
    return StreamId(f"cluster/{cluster_uuid}")
