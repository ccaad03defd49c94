"""Snapshots in the background: hashed, compressed and written by another thread."""

import logging
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

from hanami_actors.compute import NetworkImage, decode_image, encode_image
from hanami_actors.errors import SnapshotDamagedError
from hanami_actors.eventlog.snapshots import SnapshotStore
from hanami_actors.replay.point import Moment, moment_name, parse_moment
from hanami_actors.replay.segments import Place
from hanami_actors.types import StreamId

__all__ = ["Snapshotter"]

logger = logging.getLogger(__name__)


class _Shot:
    """Compared by identity: comparing images would compare arrays."""

    def __init__(self, moment: Moment, image: NetworkImage) -> None:
        self.moment = moment
        self.image = image


class Snapshotter:
    """Stores images of networks; a snapshot that cannot be stored is only a lost shortcut.

    Parameters
    ----------
    store : SnapshotStore
    pinned : callable
        Returns the cycles of a task or session that checkpoints name; they are never thinned.
    """

    def __init__(
        self,
        store: SnapshotStore,
        pinned: Callable[[str], frozenset[int]] = lambda _: frozenset(),
    ) -> None:
        self._store = store
        self._pinned = pinned
        self._pool = ThreadPoolExecutor(1, thread_name_prefix="snapshots")
        self._lock = threading.Lock()
        self._waiting: dict[str, tuple[_Shot, ...]] = {}
        self._storing: dict[str, _Shot] = {}
        self._closed = False

    def save(self, cluster_uuid: str, moment: Moment, image: NetworkImage) -> None:
        """Store an image soon; a cluster's older image that still waits is dropped for it.

        At most one image per cluster waits and one is being stored, so memory stays bounded; those
        that checkpoints name wait besides.
        """
        with self._lock:
            before = self._waiting.get(cluster_uuid, ())
        kept = tuple(s for s in before if s.moment.cycle in self._pinned(s.moment.task_uuid))
        with self._lock:
            # The storing thread may have taken the first of them in the meantime.
            kept = tuple(shot for shot in kept if shot in self._waiting.get(cluster_uuid, ()))
            known = len(self._waiting.get(cluster_uuid, ()))
            self._waiting[cluster_uuid] = (*kept, _Shot(moment, image))
            missing = len(kept) + 1 - known
        for _ in range(missing):
            self._submit(self._store_waiting, cluster_uuid)

    def newest(self, wanted: Iterator[Place]) -> tuple[Moment, NetworkImage] | None:
        """Return the first good snapshot among the wanted ones, best first.

        A place stands for any snapshot of its task at or before its cycle. Damaged ones are
        reported, removed and skipped. What is not on the disk yet counts too.
        """
        known: dict[str, dict[Moment, NetworkImage | None]] = {}
        for cluster_uuid, (task_uuid, limit) in wanted:
            if cluster_uuid not in known:
                known[cluster_uuid] = self._known(cluster_uuid)
            images = known[cluster_uuid]
            fitting = [m for m in images if m.task_uuid == task_uuid and m.cycle <= limit]
            for moment in sorted(fitting, reverse=True):
                image = images[moment] or self._load(cluster_uuid, moment)
                if image is not None:
                    return moment, image
        return None

    def has(self, cluster_uuid: str, moment: Moment) -> bool:
        """Return whether a snapshot of exactly this moment is there or on its way."""
        return moment in self._known(cluster_uuid)

    def forget(self, cluster_uuid: str) -> None:
        """Remove all snapshots of a cluster."""
        with self._lock:
            self._waiting.pop(cluster_uuid, None)
        self._submit(self._store.delete_stream, _stream(cluster_uuid))

    def thin(self, cluster_uuid: str, task_uuid: str, keep_cycle: int) -> None:
        """Remove a task's snapshots but ``keep_cycle`` and pinned ones, once that one is stored."""
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
            shots = self._waiting.pop(cluster_uuid, ())
            if not shots:
                return
            shot = shots[0]
            if shots[1:]:
                self._waiting[cluster_uuid] = shots[1:]
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

    def _known(self, cluster_uuid: str) -> dict[Moment, NetworkImage | None]:
        """Return the moments there are, with their image while it is in memory."""
        # In this order: an image that is stored in between is then seen on the disk.
        with self._lock:
            storing = self._storing.get(cluster_uuid)
            shots = (storing, *self._waiting.get(cluster_uuid, ()))
        in_memory = {shot.moment: shot.image for shot in shots if shot is not None}
        return {**dict.fromkeys(self._moments(cluster_uuid)), **in_memory}

    def _moments(self, cluster_uuid: str) -> list[Moment]:
        names = self._store.names(_stream(cluster_uuid))
        return [moment for name in names if (moment := parse_moment(name))]

    def _thin(self, cluster_uuid: str, task_uuid: str, keep_cycle: int) -> None:
        moments = self._moments(cluster_uuid)
        if Moment(task_uuid, keep_cycle) not in moments:
            return
        kept = {keep_cycle, *self._pinned(task_uuid)}
        for moment in moments:
            if moment.task_uuid == task_uuid and moment.cycle not in kept:
                self._store.delete(_stream(cluster_uuid), moment_name(moment))


def _report(future: Future[None]) -> None:
    error = future.exception()
    if error is not None:
        logger.warning("a snapshot could not be stored or removed: %s", error)


def _stream(cluster_uuid: str) -> StreamId:
    return StreamId(f"cluster/{cluster_uuid}")
