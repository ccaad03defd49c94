"""Progress of long work on standard error: a bar on a terminal, nothing in a pipe."""

import sys
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    SpinnerColumn,
    TextColumn,
    TimeRemainingColumn,
)

__all__ = ["Bar"]


class Bar:
    """A bar for one piece of work; use as a context manager.

    Parameters
    ----------
    what : str
        What is being done.
    total : int
        Units of work in all.
    """

    def __init__(self, what: str, total: int) -> None:
        self._progress = Progress(
            SpinnerColumn(),
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeRemainingColumn(),
            console=Console(file=sys.stderr),
            disable=not sys.stderr.isatty(),
            transient=True,
        )
        self._task = self._progress.add_task(what, total=total)

    def __enter__(self) -> Self:
        self._progress.start()
        return self

    def __exit__(
        self,
        error_type: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._progress.stop()

    def reached(self, done: int) -> None:
        """Show how many units are done."""
        self._progress.update(self._task, completed=done)

    def advance(self, units: int = 1) -> None:
        """Show that so many more are done."""
        self._progress.advance(self._task, units)

    def describe(self, what: str) -> None:
        """Show another text."""
        self._progress.update(self._task, description=what)
