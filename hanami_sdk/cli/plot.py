"""``hanamictl cluster plot``."""

from pathlib import Path

import click

from hanami_sdk import calls
from hanami_sdk.cli.command_line import Command, Flag
from hanami_sdk.cli.failures import CommandFailedError
from hanami_sdk.cli.session import open_failure, open_session
from hanami_sdk.cli.show import show_object

__all__ = ["COMMAND"]

ROWS_MAX = 10_000
PANELS = {
    "running_error": "Running error, by trained cycles",
    "blocks": "Blocks of 128 neurons, by trained cycles",
    "sections": "Sections of 128 weights, by trained cycles",
}
"""Columns of the history, and the titles of their diagrams."""


def _plot(ctx: click.Context, uuid: str, file: str | None, task: str | None) -> None:
    from hanami_sdk.cli.drawing import Series, write_picture

    session = open_session(ctx)
    listing = session.ask(calls.clusters.get_history(uuid, ROWS_MAX, task))
    header, rows = listing["header"], listing["body"]
    if not rows:
        raise CommandFailedError(
            f"Error: there is nothing to draw, {task or uuid} has learned nothing yet"
        )
    cycles = [float(row[header.index("trained_cycles")]) for row in rows]
    panels = {
        title: [
            Series(
                column.replace("_", " "), cycles, [float(row[header.index(column)]) for row in rows]
            )
        ]
        for column, title in PANELS.items()
    }
    path = Path(file or f"{uuid}.svg")
    try:
        write_picture(path, panels)
    except ValueError as error:
        raise CommandFailedError(f"Error: {error}") from error
    except OSError as error:
        raise open_failure(error) from error
    shown = {
        "uuid": uuid,
        "path": str(path),
        "points": len(rows),
        "trained_cycles": int(cycles[-1]),
    }
    show_object(session, shown, tuple(shown))


COMMAND = Command(
    "plot",
    _plot,
    summary="Draw how a cluster learned and grew: running error, blocks, sections",
    argument="CLUSTER_UUID",
    flags=[
        Flag(
            "file",
            "-f",
            "--file",
            kind="path",
            summary="path of the picture, .svg, or .png where CairoSVG is installed;"
            " without it CLUSTER_UUID.svg",
        ),
        Flag("-t", "--task", summary="UUID of a task or direct session; without it all"),
    ],
)
