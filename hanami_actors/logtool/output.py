"""What commands print: tables for people, plain lines in pipes, JSON for programs."""

import json
import sys
from collections.abc import Callable, Iterable, Sequence
from typing import Any, TypeVar

import click
from rich.console import Console
from rich.table import Table
from rich.text import Text

from hanami_actors.eventlog.port import Record
from hanami_actors.logtool.plain_values import Plain, compact, plain_record
from hanami_actors.logtool.times import show_time

__all__ = ["Output", "json_option", "show_bytes"]

Command = TypeVar("Command", bound=Callable[..., Any])

DATA_LEN_MAX = 100
PIPE_WIDTH = 10_000

_KIND_STYLES = {
    "cluster": "cyan",
    "dataset": "green",
    "upload": "blue",
    "user": "magenta",
    "project": "magenta",
    "checkpoint": "yellow",
}


def json_option(command: Command) -> Command:
    """Give a command the option ``--json``."""
    option = click.option("--json", "as_json", is_flag=True, help="For programs.")
    return option(command)


def show_bytes(size_bytes: int) -> str:
    """Return a size for people."""
    size = float(size_bytes)
    for unit in ("B", "KiB", "MiB", "GiB"):
        if size < 1024 or unit == "GiB":
            break
        size /= 1024
    return f"{size_bytes} B" if unit == "B" else f"{size:.1f} {unit}"


class Output:
    """Standard output in one of three forms.

    Parameters
    ----------
    as_json : bool
        One JSON document per result, one line per record.
    """

    def __init__(self, *, as_json: bool) -> None:
        self.as_json = as_json
        self.is_terminal = sys.stdout.isatty()
        width = None if self.is_terminal else PIPE_WIDTH
        self._console = Console(file=sys.stdout, width=width, highlight=False, soft_wrap=True)

    def document(self, value: Plain) -> None:
        """Print one JSON document: indented for a screen, one line for a pipe."""
        indent = 4 if self.is_terminal or not self.as_json else None
        click.echo(json.dumps(value, indent=indent, sort_keys=True, ensure_ascii=False))

    def line(self, text: str, style: str = "") -> None:
        """Print a sentence; nothing for programs."""
        if not self.as_json:
            self._console.print(Text(text, style=style))

    def record(self, record: Record) -> None:
        """Print a record on one line."""
        plain = plain_record(record)
        if self.as_json:
            click.echo(json.dumps(plain, sort_keys=True, ensure_ascii=False))
            return
        data = compact(plain["event"])
        if self.is_terminal and len(data) > DATA_LEN_MAX:
            data = data[: DATA_LEN_MAX - 1] + "…"
        kind = record.tag.partition(".")[0]
        self._console.print(
            Text.assemble(
                (f"{record.position:>8}", "bold"),
                "  ",
                (show_time(record.time_us), "dim"),
                "  ",
                (f"{record.tag:<24}", _KIND_STYLES.get(kind, "")),
                f" {record.stream} v{record.version}  {record.user_id or '-'}  ",
                (data, "dim"),
            )
        )

    def table(
        self, title: str, columns: Sequence[str], rows: Iterable[Sequence[str]], *, numbers: int = 0
    ) -> None:
        """Print a table: framed on a terminal, columns by tabs in a pipe, nothing for programs.

        Parameters
        ----------
        title : str
        columns : sequence of str
        rows : iterable of sequences of str
        numbers : int
            So many of the last columns are right-aligned.
        """
        if self.as_json:
            return
        if not self.is_terminal:
            for row in rows:
                click.echo("\t".join(row))
            return
        table = Table(title=title, title_justify="left", title_style="bold")
        for index, name in enumerate(columns):
            is_number = index >= len(columns) - numbers
            table.add_column(name, justify="right" if is_number else "left", overflow="fold")
        for row in rows:
            table.add_row(*(Text(cell) for cell in row))
        self._console.print(table, soft_wrap=False)
