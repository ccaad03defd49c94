"""Which datasets are being imported, and how far that is."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from hanami_actors.domain.base import Value

__all__ = ["ImportBoard", "ImportProgress"]


class ImportProgress(Value, frozen=True, kw_only=True):
    """An import that runs, or waits for its turn.

    Attributes
    ----------
    read_bytes, size_bytes : int
        Of the uploaded files.
    """

    read_bytes: int
    size_bytes: int


class ImportBoard:
    """Running imports by the uuid of their dataset. Thread-safe; nothing here waits."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._running: dict[str, tuple[int, Callable[[], int]]] = {}

    @contextmanager
    def running(
        self, uuid: str, size_bytes: int, read_bytes: Callable[[], int] = lambda: 0
    ) -> Iterator[None]:
        """Show an import as long as the block runs.

        Parameters
        ----------
        uuid : str
            Of the dataset.
        size_bytes : int
            Of its files.
        read_bytes : callable
            How much of them has been read; called from any thread, must not wait.
        """
        with self._lock:
            self._running[uuid] = (size_bytes, read_bytes)
        try:
            yield
        finally:
            with self._lock:
                self._running.pop(uuid, None)

    def progress(self, uuid: str) -> ImportProgress | None:
        """Return how far the import of a dataset is; None when it is not being imported."""
        entry = self._running.get(uuid)
        if entry is None:
            return None
        size_bytes, read_bytes = entry
        return ImportProgress(read_bytes=min(read_bytes(), size_bytes), size_bytes=size_bytes)
