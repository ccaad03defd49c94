"""A lock that many share and one can have alone."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

__all__ = ["Gate"]


class Gate:
    """Readers share it; whoever replaces the map has it alone.

    ``set_mapsize`` invalidates the transactions of the whole process, so none may be open. Not
    reentrant: a thread that holds it either way must not ask again.
    """

    def __init__(self) -> None:
        self._condition = threading.Condition()
        self._reader_count = 0
        self._exclusive = False

    @contextmanager
    def shared(self) -> Iterator[None]:
        """Hold it together with others; waits while somebody has it alone."""
        with self._condition:
            while self._exclusive:
                self._condition.wait()
            self._reader_count += 1
        try:
            yield
        finally:
            with self._condition:
                self._reader_count -= 1
                self._condition.notify_all()

    @contextmanager
    def exclusive(self) -> Iterator[None]:
        """Hold it alone; keeps newcomers out and waits for those inside."""
        with self._condition:
            while self._exclusive:
                self._condition.wait()
            self._exclusive = True
            while self._reader_count:
                self._condition.wait()
        try:
            yield
        finally:
            with self._condition:
                self._exclusive = False
                self._condition.notify_all()
