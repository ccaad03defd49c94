"""What the demo shows: one line per step, and a moving bar where a person is looking."""

import time
from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn

__all__ = ["Step", "View", "megabytes"]

LABEL_WIDTH = 16


def megabytes(size_bytes: float) -> str:
    """Return a size for people."""
    return f"{size_bytes / 1e6:,.2f} MB" if size_bytes < 1e7 else f"{size_bytes / 1e6:,.0f} MB"


class Step:
    """A running step; `result` is shown when it ends, `rate_count` as a number per second."""

    def __init__(self, progress: Progress | None, label: str) -> None:
        self._progress = progress
        self._task_id = progress.add_task(label, total=None) if progress else None
        self.result = ""
        self.rate_count = 0.0
        self.rate_unit = ""
        self.seconds = 0.0

    def update(self, done: int, total: int) -> None:
        """Move the bar."""
        if self._progress and self._task_id is not None:
            self._progress.update(self._task_id, completed=done, total=total)


class View:
    """Prints to standard output; plain lines in pipes and files."""

    def __init__(self) -> None:
        self._console = Console(highlight=False, soft_wrap=True)

    def line(self, label: str, text: str) -> None:
        """Print one labelled line."""
        self._console.print(f"  [bold]{label:<{LABEL_WIDTH}}[/bold] ", text, sep="", markup=True)

    def text(self, text: str = "") -> None:
        """Print text as it is."""
        self._console.print(text, markup=False)

    def verdict(self, text: str, *, good: bool) -> None:
        """Print the last word."""
        self._console.print(text, style="bold green" if good else "bold red", markup=False)

    @contextmanager
    def step(self, label: str) -> Iterator[Step]:
        """Time a step; its line is printed when it is done."""
        progress = None
        if self._console.is_terminal:
            bar = BarColumn(bar_width=40)
            columns = (SpinnerColumn(), TextColumn("{task.description}"), bar)
            progress = Progress(*columns, console=self._console, transient=True)
        step = Step(progress, f"{label:<{LABEL_WIDTH}}")
        started_s = time.perf_counter()
        if progress:
            with progress:
                yield step
        else:
            yield step
        step.seconds = time.perf_counter() - started_s
        text = f"{step.seconds:8.2f} s   {step.result}"
        if step.rate_count and step.seconds > 0:
            text += f", {step.rate_count / step.seconds:,.0f} {step.rate_unit}/s"
        self.line(label, text)
