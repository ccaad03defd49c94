"""Turns between jobs: a fixed number of low-priority threads, one slice of one job at a time."""

import logging
import os
import threading
from collections import deque
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from typing import Protocol

from hanami_actors.actors.boundary import Boundary

__all__ = ["Job", "Scheduler"]

logger = logging.getLogger(__name__)

COMPUTE_NICENESS = 10
"""Compute yields to the threads that answer people."""


class Job(Protocol):
    """Work that is done in slices.

    Attributes
    ----------
    lane : str
        Jobs of one lane run one after the other; lanes take turns.
    """

    lane: str

    def run_slice(self, budget_s: float) -> bool:
        """Work for about ``budget_s`` seconds with the GIL released; return whether it is done."""
        ...

    def ended(self, error: BaseException | None) -> None:
        """Hear that the job is over, in a compute thread; must be quick and must not raise."""
        ...


class Scheduler:
    """Runs jobs in slices, so that a long one starves nobody and an abort is quick.

    Parameters
    ----------
    thread_count : int
        Compute threads.
    slice_s : float
        Length of a turn.
    """

    def __init__(self, thread_count: int, slice_s: float) -> None:
        self._slice_s = slice_s
        self._lock = threading.Lock()
        self._lanes: dict[str, deque[Job]] = {}
        self._open = False
        self._closed = False
        self._failure = ""
        self._pool = ThreadPoolExecutor(
            thread_count, thread_name_prefix="compute", initializer=_lower_priority
        )

    def open(self) -> None:
        """Begin to run; before the kernels are compiled jobs only wait."""
        with self._lock:
            if self._open:
                return
            self._open = True
            waiting = list(self._lanes)
        for lane in waiting:
            self._schedule(lane)

    def submit(self, job: Job) -> None:
        """Put a job at the end of its lane."""
        with self._lock:
            lane = self._lanes.setdefault(job.lane, deque())
            lane.append(job)
            start = self._open and len(lane) == 1
        if start:
            self._schedule(job.lane)

    def withdraw(self, job: Job) -> bool:
        """Take back a job that has not begun; return whether it had not. Its ``ended`` is not called.

        A job whose turn it is, or that has had one, ends by its own cancel flag instead.
        """
        with self._lock:
            lane = self._lanes.get(job.lane, deque())
            if job not in lane or (self._open and lane[0] is job):
                return False
            lane.remove(job)
            if not lane:
                del self._lanes[job.lane]
            return True

    def give_up(self, reason: str) -> None:
        """Note that jobs cannot run; they wait until a start of the server can run them."""
        self._failure = reason

    @property
    def failure(self) -> str:
        """Why jobs cannot run, empty while they can or may soon."""
        return self._failure

    def busy_lanes(self) -> frozenset[str]:
        """Return the lanes with unfinished jobs."""
        with self._lock:
            return frozenset(self._lanes)

    def close(self) -> None:
        """Let running slices end and take no more."""
        with self._lock:
            self._closed = True
        self._pool.shutdown(wait=True, cancel_futures=True)

    def _schedule(self, lane: str) -> None:
        # Under the lock, which every slice takes first: so the callback is there before the slice
        # ends, always runs in a compute thread, and never nests.
        with self._lock:
            if self._closed:
                return
            future = self._pool.submit(self._run_slice, lane)
            future.add_done_callback(partial(self._after_slice, lane))

    def _run_slice(self, lane: str) -> bool:
        with self._lock:
            job = self._lanes[lane][0]
        return job.run_slice(self._slice_s)

    def _after_slice(self, lane: str, future: Future[bool]) -> None:
        if future.cancelled():
            return
        error = future.exception()
        if error is None and not future.result():
            self._schedule(lane)
            return
        if error is not None:
            logger.error("a job of %s failed", lane, exc_info=error)
        with self._lock:
            job = self._lanes[lane][0]
        # Before it leaves the lane: what follows in the lane begins after the end of this one.
        with Boundary(f"the end of a job of {lane}"):
            job.ended(error)
        with self._lock:
            jobs = self._lanes[lane]
            jobs.popleft()
            if not jobs:
                del self._lanes[lane]
        if jobs:
            self._schedule(lane)


def _lower_priority() -> None:
    os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), COMPUTE_NICENESS)
