"""Turns between jobs: a fixed number of low-priority threads, one slice of one job at a time."""

import dataclasses
import logging
import os
import threading
from collections import deque
from concurrent.futures import ThreadPoolExecutor
from enum import Enum
from queue import SimpleQueue
from typing import Protocol

from hanami_actors.runtime.error_boundary import Boundary

__all__ = ["Job", "Scheduler", "Turn", "UrgentWork"]

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


class Turn(Enum):
    """What urgent work says after a slice."""

    DONE = "done"
    AGAIN = "again"
    LATER = "later"
    """There is work, but it needs the slices of the lane's jobs first."""


class UrgentWork(Protocol):
    """Work that somebody waits for at this very moment; it runs between the slices of a lane.

    Attributes
    ----------
    lane : str
    """

    lane: str

    def run_slice(self, budget_s: float) -> Turn:
        """Work for at most about ``budget_s`` seconds."""
        ...

    def failed(self, error: BaseException) -> None:
        """Hear that a slice raised; the work is taken out."""
        ...


@dataclasses.dataclass
class _Lane:
    """One cluster's work; only one thread at a time works for it."""

    name: str
    jobs: deque[Job] = dataclasses.field(default_factory=deque)
    urgent: deque[UrgentWork] = dataclasses.field(default_factory=deque)
    later: list[UrgentWork] = dataclasses.field(default_factory=list)
    is_running: bool = False
    was_urgent: bool = False

    @property
    def is_idle(self) -> bool:
        return not (self.jobs or self.urgent or self.later or self.is_running)


class Scheduler:
    """Runs jobs in slices, so that a long one starves nobody and an abort is quick.

    Urgent work has threads of its own, of ordinary priority, and comes between two slices of the
    jobs of its lane; while both have work they take turns.

    Parameters
    ----------
    thread_count : int
        Compute threads, and as many for urgent work.
    slice_s : float
        Length of a turn.
    cores : frozenset of int or None
        Where the compute threads run; None leaves it to the operating system.
    """

    def __init__(
        self, thread_count: int, slice_s: float, cores: frozenset[int] | None = None
    ) -> None:
        self._slice_s = slice_s
        self._cores = cores
        self._lock = threading.Lock()
        self._lanes: dict[str, _Lane] = {}
        self._open = False
        self._closed = False
        self._failure = ""
        self._pool = ThreadPoolExecutor(
            thread_count, thread_name_prefix="compute", initializer=self._prepare_thread
        )
        self._urgent_queue: SimpleQueue[_Lane | None] = SimpleQueue()
        self._urgent_threads: list[threading.Thread] = []
        self._urgent_thread_count = thread_count

    def open(self) -> None:
        """Begin to run; before the kernels are compiled jobs only wait."""
        with self._lock:
            self._open = True
            for lane in list(self._lanes.values()):
                self._dispatch(lane)

    def submit(self, job: Job) -> None:
        """Put a job at the end of its lane."""
        with self._lock:
            lane = self._lane(job.lane)
            lane.jobs.append(job)
            self._dispatch(lane)

    def submit_urgent(self, work: UrgentWork) -> None:
        """Have work done before the next slice of its lane."""
        with self._lock:
            lane = self._lane(work.lane)
            lane.urgent.append(work)
            self._dispatch(lane)

    def try_enter(self, name: str) -> bool:
        """Take the turn of a lane in the caller's own thread, if nobody works or waits in it.

        For work of microseconds that is not worth a change of threads; `leave` must follow at once.
        """
        with self._lock:
            if name in self._lanes or not self._open or self._closed:
                return False
            self._lane(name).is_running = True
            return True

    def leave(self, name: str) -> None:
        """Give back the turn that `try_enter` took."""
        with self._lock:
            self._turn_over(self._lanes[name])

    def withdraw(self, job: Job) -> bool:
        """Take back a job that has not begun; return whether it had not. Its ``ended`` is not called.

        A job whose turn it is, or that has had one, ends by its own cancel flag instead.
        """
        with self._lock:
            lane = self._lanes.get(job.lane)
            if lane is None or job not in lane.jobs or (self._open and lane.jobs[0] is job):
                return False
            lane.jobs.remove(job)
            self._drop_if_idle(lane)
            return True

    def give_up(self, reason: str) -> None:
        """Note that jobs cannot run; they wait until a start of the server can run them."""
        self._failure = reason

    @property
    def failure(self) -> str:
        """Why jobs cannot run, empty while they can or may soon."""
        return self._failure

    def busy_lanes(self) -> frozenset[str]:
        """Return the lanes with unfinished work."""
        with self._lock:
            return frozenset(self._lanes)

    def close(self) -> None:
        """Let running slices end and take no more."""
        with self._lock:
            self._closed = True
        self._pool.shutdown(wait=True, cancel_futures=True)
        for _ in self._urgent_threads:
            self._urgent_queue.put(None)
        for thread in self._urgent_threads:
            thread.join()

    def _lane(self, name: str) -> _Lane:
        lane = self._lanes.get(name)
        if lane is None:
            lane = self._lanes[name] = _Lane(name)
        return lane

    def _drop_if_idle(self, lane: _Lane) -> None:
        if lane.is_idle:
            self._lanes.pop(lane.name, None)

    def _dispatch(self, lane: _Lane) -> None:
        """Give the lane its next turn; the lock is held."""
        if lane.is_running or not self._open or self._closed:
            return
        if lane.urgent and not (lane.was_urgent and lane.jobs):
            lane.is_running = lane.was_urgent = True
            self._urgent_queue.put(lane)
            if not self._urgent_threads:
                self._start_urgent_threads()
        elif lane.jobs:
            lane.is_running, lane.was_urgent = True, False
            # Not the bound future: what becomes of a turn is settled in the turn itself.
            self._pool.submit(self._run_job, lane)

    def _start_urgent_threads(self) -> None:
        for number in range(self._urgent_thread_count):
            thread = threading.Thread(
                target=self._serve_urgent, name=f"direct_{number}", daemon=True
            )
            self._urgent_threads.append(thread)
            thread.start()

    def _serve_urgent(self) -> None:
        while (lane := self._urgent_queue.get()) is not None:
            self._run_urgent(lane)

    def _run_urgent(self, lane: _Lane) -> None:
        work = lane.urgent[0]
        turn = Turn.DONE
        with Boundary(f"urgent work of {lane.name}") as boundary:
            turn = work.run_slice(self._slice_s)
        if boundary.error is not None:
            with Boundary(f"the end of urgent work of {lane.name}"):
                work.failed(boundary.error)
        with self._lock:
            if turn is not Turn.AGAIN:
                lane.urgent.popleft()
            if turn is Turn.LATER and lane.jobs:
                lane.later.append(work)
            elif turn is Turn.LATER:
                # The job it waited for has just ended.
                lane.urgent.append(work)
            self._turn_over(lane)

    def _run_job(self, lane: _Lane) -> None:
        with self._lock:
            job = lane.jobs[0]
        is_done = True
        with Boundary(f"a job of {lane.name}") as boundary:
            is_done = job.run_slice(self._slice_s)
        if is_done:
            # Before it leaves the lane: what follows in the lane begins after the end of this one.
            with Boundary(f"the end of a job of {lane.name}"):
                job.ended(boundary.error)
        with self._lock:
            if is_done:
                lane.jobs.popleft()
            lane.urgent.extend(lane.later)
            lane.later.clear()
            self._turn_over(lane)

    def _turn_over(self, lane: _Lane) -> None:
        lane.is_running = False
        if lane.is_idle:
            self._lanes.pop(lane.name, None)
        else:
            self._dispatch(lane)

    def _prepare_thread(self) -> None:
        thread = threading.get_native_id()
        os.setpriority(os.PRIO_PROCESS, thread, COMPUTE_NICENESS)
        if self._cores:
            os.sched_setaffinity(thread, self._cores)
