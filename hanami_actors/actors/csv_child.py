"""CSV parsing in a child process: it holds the GIL, and the server must not."""

import multiprocessing
import threading
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path

from hanami_actors.datasets.csv_reader import import_csv
from hanami_actors.domain.dataset.events import DatasetContent
from hanami_actors.errors import BusyError
from hanami_actors.eventlog.blobs import BlobStore

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

    def run(self, path: Path) -> DatasetContent:
        """Import a file; blocks the calling thread, not the GIL.

        Raises
        ------
        DatasetFormatError
            With row and column.
        BusyError
            The child was killed; the upload is whole and can be finalized again.
        """
        future = self._running_pool().submit(_import_in_child, path, self._blobs_dir)
        try:
            return future.result()
        except BrokenProcessPool as error:
            self.close()
            raise BusyError(
                "the process that reads CSV files was stopped; finalize the data-set again"
            ) from error

    def close(self) -> None:
        """Stop the child."""
        with self._lock:
            pool, self._pool = self._pool, None
        if pool is not None:
            pool.shutdown(wait=True, cancel_futures=True)

    def _running_pool(self) -> ProcessPoolExecutor:
        with self._lock:
            if self._pool is None:
                # spawn: a fork of a process with threads and an open LMDB environment is not safe.
                context = multiprocessing.get_context("spawn")
                self._pool = ProcessPoolExecutor(1, mp_context=context)
            return self._pool


def _import_in_child(path: Path, blobs_dir: Path) -> DatasetContent:
    return import_csv(path, BlobStore(blobs_dir))
