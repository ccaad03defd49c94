"""CSV parsing in a child process: it holds the GIL, and the server must not."""

import multiprocessing
import os
import signal
import threading
from concurrent.futures import CancelledError, Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path
from typing import TYPE_CHECKING

from hanami_actors.datasets.csv_reader import import_csv
from hanami_actors.domain.dataset.events import DatasetContent
from hanami_actors.errors import BusyError
from hanami_actors.eventlog.blobs import BlobStore

if TYPE_CHECKING:
    from multiprocessing.process import BaseProcess

__all__ = ["CsvImporter"]


class CsvImporter:
    """Imports CSV files one after the other in one child, started when first needed.

    Parameters
    ----------
    blobs_dir : Path
        Directory of the blob store; the child writes into it.
    """

    def __init__(self, blobs_dir: Path) -> None:
        self._blobs_dir = blobs_dir
        self._lock = threading.Lock()
        self._pool: ProcessPoolExecutor | None = None
        self._children: set[BaseProcess] = set()
        self._is_closed = False

    def run(self, path: Path) -> DatasetContent:
        """Import a file; blocks the calling thread, not the GIL.

        Raises
        ------
        DatasetFormatError
            With row and column.
        BusyError
            The child was killed or the server stops; the upload is whole and can be finalized
            again.
        """
        try:
            pool, future = self._submit(path)
        except BrokenProcessPool as error:
            raise _stopped() from error
        try:
            return future.result()
        except BrokenProcessPool as error:
            self._forget(pool)
            raise _stopped() from error
        except CancelledError as error:
            raise _stopped() from error

    def close(self, timeout_s: float) -> None:
        """Stop the child: after the file it reads, or by force when the time is over."""
        with self._lock:
            self._is_closed = True
            pool, self._pool = self._pool, None
        if pool is None:
            return
        # It begins no other file; the imports that wait are told so at once.
        pool.shutdown(wait=False, cancel_futures=True)
        for child in self._children:
            child.join(timeout_s)
            child.terminate()
        pool.shutdown(wait=True)

    def _submit(self, path: Path) -> tuple[ProcessPoolExecutor, Future[DatasetContent]]:
        with self._lock:
            if self._is_closed:
                raise _stopped()
            if self._pool is None:
                # spawn: a fork of a process with threads and an open LMDB environment is not safe.
                context = multiprocessing.get_context("spawn")
                self._pool = ProcessPoolExecutor(1, mp_context=context, initializer=_begin_child)
            others = set(multiprocessing.active_children()) - self._children
            try:
                future = self._pool.submit(_import_in_child, path, self._blobs_dir)
            except BrokenProcessPool:
                # The child died while it had nothing to do; the next import starts another one.
                self._pool = None
                raise
            self._children = set(multiprocessing.active_children()) - others
            return self._pool, future

    def _forget(self, pool: ProcessPoolExecutor) -> None:
        with self._lock:
            if self._pool is pool:
                self._pool = None
        pool.shutdown(wait=False)


def _stopped() -> BusyError:
    return BusyError("the process that reads CSV files was stopped; finalize the data-set again")


def _begin_child() -> None:
    # Ctrl-C in a terminal reaches the whole group; the server alone answers it.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    """End when the server does, also when it was killed: nobody else would stop this process."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


def _import_in_child(path: Path, blobs_dir: Path) -> DatasetContent:
    return import_csv(path, BlobStore(blobs_dir))
