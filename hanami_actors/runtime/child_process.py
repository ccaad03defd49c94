"""Work in a child process: for what holds the interpreter's lock longer than the server can wait."""

import multiprocessing
import os
import signal
import threading
from collections.abc import Callable
from concurrent.futures import CancelledError, Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from typing import TYPE_CHECKING, Any, TypeVar

from hanami_actors.errors import BusyError

if TYPE_CHECKING:
    from multiprocessing.process import BaseProcess

__all__ = ["ChildProcess"]

T = TypeVar("T")


class ChildProcess:
    """One child that does one thing after the other; started when first needed.

    Thread-safe. It ends with the server, also when that is killed, and leaves Ctrl-C to it.

    Parameters
    ----------
    what : str
        What the child does, for errors: "the process that reads CSV files".
    prepare : callable or None
        Called in the child before any work, with ``prepare_arguments``.
    prepare_arguments : tuple
        May hold what is shared with the child from its start, as ``multiprocessing`` values.
    """

    def __init__(
        self,
        what: str,
        prepare: Callable[..., None] | None = None,
        prepare_arguments: tuple[Any, ...] = (),
    ) -> None:
        self._what = what
        self._prepare = (prepare, prepare_arguments)
        self._lock = threading.Lock()
        self._pool: ProcessPoolExecutor | None = None
        self._children: set[BaseProcess] = set()
        self._is_closed = False

    def run(self, work: Callable[..., T], *arguments: Any) -> T:
        """Do something in the child; blocks the calling thread, not the interpreter.

        Parameters
        ----------
        work : callable
            A function of a module, to be found there by the child.
        *arguments
            Small things that can be pickled.

        Raises
        ------
        BusyError
            The child was killed or the server stops.
        """
        try:
            pool, future = self._submit(work, arguments)
        except BrokenProcessPool as error:
            raise self._stopped() from error
        try:
            return future.result()
        except BrokenProcessPool as error:
            self._forget(pool)
            raise self._stopped() from error
        except CancelledError as error:
            raise self._stopped() from error

    def close(self, timeout_s: float) -> None:
        """Stop the child: after what it does now, or by force when the time is over."""
        with self._lock:
            self._is_closed = True
            pool, self._pool = self._pool, None
        if pool is None:
            return
        # It begins nothing else; whoever waits is told so at once.
        pool.shutdown(wait=False, cancel_futures=True)
        for child in self._children:
            child.join(timeout_s)
            # Nothing is left behind: what it was writing is removed with the lock on it.
            child.kill()
            child.join()

    def _submit(
        self, work: Callable[..., T], arguments: tuple[Any, ...]
    ) -> tuple[ProcessPoolExecutor, Future[T]]:
        with self._lock:
            if self._is_closed:
                raise self._stopped()
            if self._pool is None:
                # spawn: a fork of a process with threads and an open LMDB environment is not safe.
                context = multiprocessing.get_context("spawn")
                self._pool = ProcessPoolExecutor(
                    1, mp_context=context, initializer=_begin, initargs=self._prepare
                )
            others = set(multiprocessing.active_children()) - self._children
            try:
                future = self._pool.submit(work, *arguments)
            except BrokenProcessPool:
                # The child died while it had nothing to do; the next call starts another one.
                self._pool = None
                raise
            self._children = set(multiprocessing.active_children()) - others
            return self._pool, future

    def _forget(self, pool: ProcessPoolExecutor) -> None:
        with self._lock:
            if self._pool is pool:
                self._pool = None
        pool.shutdown(wait=False)

    def _stopped(self) -> BusyError:
        return BusyError(f"{self._what} was stopped; try again")


def _begin(prepare: Callable[..., None] | None, arguments: tuple[Any, ...]) -> None:
    # Ctrl-C in a terminal reaches the whole group; the server alone answers it.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, daemon=True).start()
    if prepare is not None:
        prepare(*arguments)


def _end_with_parent() -> None:
    """End when the server does, also when it was killed: nobody else would stop this process."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)
