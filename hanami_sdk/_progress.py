"""Progress bars on stderr; loaded only when one is shown."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

__all__ = ["Report", "bytes_bar", "cycles_bar", "shown_progress"]

Report = Callable[[int, int], None]
"""Called with what is done and what there is in total."""


@contextmanager
def bytes_bar(text: str) -> Iterator[Report]:
    """Show bytes, speed and remaining time."""
    from rich.progress import (
        BarColumn,
        DownloadColumn,
        TextColumn,
        TimeRemainingColumn,
        TransferSpeedColumn,
    )

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        DownloadColumn(binary_units=True),
        TransferSpeedColumn(),
        TimeRemainingColumn(),
    )
    with _bar(columns, text) as report:
        yield report


@contextmanager
def cycles_bar(text: str) -> Iterator[Report]:
    """Show cycles, share, elapsed and remaining time."""
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        TextColumn,
        TimeElapsedColumn,
        TimeRemainingColumn,
    )

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.percentage:>3.0f}%"),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
    )
    with _bar(columns, text) as report:
        yield report


@contextmanager
def _bar(columns: tuple[object, ...], text: str) -> Iterator[Report]:
    from rich.console import Console
    from rich.progress import Progress, ProgressColumn

    shown = [column for column in columns if isinstance(column, ProgressColumn)]
    with Progress(*shown, console=Console(stderr=True)) as progress:
        bar = progress.add_task(text, total=None)

        def report(done: int, total: int) -> None:
            progress.update(bar, completed=done, total=total)

        yield report


@contextmanager
def shown_progress(
    progress: bool | Report, text: str, *, of_bytes: bool = False
) -> Iterator[Report | None]:
    """Return what to report to: a function as it is, a bar for True if stderr is a terminal."""
    if callable(progress):
        yield progress
    elif progress and sys.stderr.isatty():
        with bytes_bar(text) if of_bytes else cycles_bar(text) as report:
            yield report
    else:
        yield None
