"""Removes now and then what nobody needs any more: blobs without a name, old snapshots.

A file goes when two looks agree on it, with a time between them that a set clock cannot shorten:
an event that names it may be on its way while the first one reads the log.
"""

import logging
import subprocess
import sys
import threading

import msgspec

from hanami_actors.errors import HanamiError
from hanami_actors.eventlog.blobs import BlobStore
from hanami_actors.eventlog.collect import Plan
from hanami_actors.eventlog.directory import DataDirectory
from hanami_actors.eventlog.snapshots import SnapshotStore
from hanami_actors.ports import Clock
from hanami_actors.runtime.error_boundary import Boundary
from hanami_actors.types import Digest, StreamId

__all__ = ["Janitor"]

logger = logging.getLogger(__name__)


class Janitor:
    """Has a child process look for what may go, and removes it, in a thread of its own.

    Parameters
    ----------
    directory : DataDirectory
    blobs, snapshots : BlobStore, SnapshotStore
    clock : Clock
    interval_s : float
        Time between two looks; the first one comes after it.
    grace_s : float
        How old something must be to be removed, and for how long it must have been unneeded.
    """

    def __init__(
        self,
        directory: DataDirectory,
        blobs: BlobStore,
        snapshots: SnapshotStore,
        clock: Clock,
        *,
        interval_s: float,
        grace_s: float,
    ) -> None:
        self._directory = directory
        self._blobs = blobs
        self._snapshots = snapshots
        self._clock = clock
        self._interval_s = interval_s
        self._grace_s = grace_s
        self._ending = threading.Event()
        self._lock = threading.Lock()
        self._child: subprocess.Popen[bytes] | None = None
        self._unneeded_since_s: dict[tuple[str, int | str], float] = {}
        self._thread = threading.Thread(target=self._run, name="janitor", daemon=True)

    def start(self) -> None:
        """Begin to wait for the first look."""
        self._thread.start()

    def stop(self) -> None:
        """End soon, also in the middle of a look."""
        self._ending.set()
        with self._lock:
            if self._child is not None and self._child.poll() is None:
                self._child.terminate()
        if self._thread.is_alive():
            self._thread.join()

    def clean(self) -> int:
        """Look, and remove what has been unneeded for long; return the bytes of blobs that were freed."""
        plan = self._look()
        if plan is None:
            return 0
        due = self._due(plan)
        freed_bytes = removed_count = snapshot_count = 0
        try:
            for digest, stored_ns in plan.blobs:
                if (digest, stored_ns) in due:
                    size_bytes = self._blobs.collect(Digest(digest), stored_ns=stored_ns)
                    freed_bytes += size_bytes
                    removed_count += size_bytes > 0
            for stream, name in plan.snapshots:
                if (stream, name) in due:
                    self._snapshots.delete(StreamId(stream), name)
                    snapshot_count += 1
        except HanamiError as error:
            logger.warning("cleaning up was cut short: %s", error)
        if removed_count or snapshot_count:
            logger.info(
                "removed %d blobs (%d bytes) that nothing names, and %d old snapshots",
                removed_count,
                freed_bytes,
                snapshot_count,
            )
        return freed_bytes

    def _due(self, plan: Plan) -> set[tuple[str, int | str]]:
        """Return what earlier looks, too, found unneeded; remember what this one found first."""
        now_s = self._clock.monotonic_s()
        before = self._unneeded_since_s
        found: tuple[tuple[str, int | str], ...] = (*plan.blobs, *plan.snapshots)
        self._unneeded_since_s = {each: before.get(each, now_s) for each in found}
        return {each for each in found if now_s - before.get(each, now_s) >= self._grace_s}

    def _run(self) -> None:
        while not self._ending.wait(self._interval_s):
            with Boundary("cleaning up"):
                self.clean()

    def _look(self) -> Plan | None:
        module = "hanami_actors.eventlog.collect"
        command = [sys.executable, "-m", module, str(self._directory.path), str(self._grace_s)]
        try:
            with self._lock:
                if self._ending.is_set():
                    return None
                self._child = subprocess.Popen(  # noqa: S603 - our own module
                    command, stdout=subprocess.PIPE, stderr=subprocess.PIPE
                )
        except OSError as error:
            logger.warning("nothing is cleaned up: %s", error)
            return None
        shown, problem = self._child.communicate()
        if self._child.returncode != 0:
            if not self._ending.is_set():
                logger.warning("nothing is cleaned up: %s", problem.decode(errors="replace"))
            return None
        return msgspec.json.decode(shown, type=Plan)
