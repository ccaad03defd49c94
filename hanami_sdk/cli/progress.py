"""Progress bars on stderr, only when a person is looking."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from hanami_sdk.cli.command_line import Globals

__all__ = ["Report", "cycles_bar", "person_is_looking", "upload_bar"]

Report = Callable[[int, int], None]
"""Called with what is done and what there is in total."""


def person_is_looking(settings: Globals) -> bool:
    """Tell whether both outputs are terminals and nobody asked for JSON."""
    return sys.stderr.isatty() and sys.stdout.isatty() and not settings.json_output


@contextmanager
def upload_bar(settings: Globals, text: str) -> Iterator[Report | None]:
    """Show bytes, speed and remaining time; without a person there is nothing to report to."""
    if not person_is_looking(settings):
        yield None
        return
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
def cycles_bar(settings: Globals, text: str) -> Iterator[Report | None]:
    """Show cycles and remaining time; without a person there is nothing to report to."""
    if not person_is_looking(settings):
        yield None
        return
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
