"""CSV parsing in a child process: it holds the GIL, and the server must not."""

import ctypes
import itertools
import multiprocessing
from pathlib import Path
from typing import Any

from hanami_actors.datasets.csv_reader import import_csv
from hanami_actors.domain.dataset.events import DatasetContent
from hanami_actors.eventlog.blobs import BlobStore
from hanami_actors.runtime.child_process import ChildProcess

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
        # Which run the child is at, and how many bytes of its file it has read.
        self._progress: Any = multiprocessing.get_context("spawn").RawArray(ctypes.c_int64, 2)
        self._child = ChildProcess(
            "the process that reads CSV files", _share_progress, (self._progress,)
        )
        self._numbers = itertools.count(1)
        self._runs: dict[Path, int] = {}

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
        number = self._runs[path] = next(self._numbers)
        try:
            return self._child.run(_import_in_child, path, self._blobs_dir, number)
        finally:
            del self._runs[path]

    def read_bytes(self, path: Path) -> int:
        """Return how much of a file has been read; 0 while it waits for its turn."""
        number, read_bytes = self._progress
        return int(read_bytes) if number == self._runs.get(path) else 0

    def close(self, timeout_s: float) -> None:
        """Stop the child: after the file it reads, or by force when the time is over."""
        self._child.close(timeout_s)


_shared: list[Any] = []
"""In the child: what it shares with the server."""


def _share_progress(progress: Any) -> None:
    _shared.append(progress)


def _import_in_child(path: Path, blobs_dir: Path, number: int) -> DatasetContent:
    (progress,) = _shared
    progress[1] = 0
    progress[0] = number

    def note(read_bytes: int) -> None:
        progress[1] = read_bytes

    return import_csv(path, BlobStore(blobs_dir), on_progress=note)
