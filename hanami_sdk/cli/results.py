"""``hanamictl dataset download`` and ``report``: whole datasets, and how good a result is."""

from typing import Any

import click

from hanami_sdk import calls
from hanami_sdk.cli.command_line import Command, Flag
from hanami_sdk.cli.failures import CommandFailedError
from hanami_sdk.cli.output import figures_table, object_table
from hanami_sdk.cli.progress import upload_bar
from hanami_sdk.cli.session import open_failure, open_session
from hanami_sdk.cli.show import show_object

__all__ = ["DOWNLOAD", "REPORT"]

FORMATS = ("csv", "npy")
REPORT_FIELDS = (
    "accuracy",
    "number_of_rows",
    "number_of_rows_without_class",
    "mean_absolute_error",
    "root_mean_square_error",
)
CLASS_FIELDS = ("precision", "recall", "f1", "support")


def _download(
    ctx: click.Context,
    uuid: str,
    *,
    path: str,
    file_format: str | None,
    columns: tuple[str, ...],
    rows: int | None,
    offset: int,
) -> None:
    session = open_session(ctx)
    if file_format not in {None, *FORMATS}:
        raise CommandFailedError(f"Error: format is {file_format!r}; it must be csv or npy")
    try:
        with upload_bar(session.settings, "download") as report:
            written = session.use(
                lambda client: client.datasets.download(
                    uuid,
                    path,
                    file_format=file_format,
                    columns=columns,
                    offset=offset,
                    rows=rows,
                    progress=report,
                )
            )
    except OSError as error:
        raise open_failure(error) from error
    size_bytes = written.stat().st_size
    shown = {"uuid": uuid, "path": str(written), "size_bytes": size_bytes}
    show_object(session, shown, tuple(shown))


def _report(
    ctx: click.Context,
    uuid: str,
    reference: str,
    column: str | None,
    reference_column: str | None,
) -> None:
    session = open_session(ctx)
    call = calls.datasets.report_dataset(uuid, reference, column, reference_column)
    report = session.ask(call)
    if session.settings.json_output:
        show_object(session, report, ())
        return
    figures = [field for field in REPORT_FIELDS if report.get(field) is not None]
    click.echo(object_table(report, figures))
    _show_classes(report)


def _show_classes(report: dict[str, Any]) -> None:
    classes = report.get("classes") or []
    if not classes:
        return
    header = ["class", *CLASS_FIELDS]
    rows = [[index, *(figures[f] for f in CLASS_FIELDS)] for index, figures in enumerate(classes)]
    click.echo(figures_table([name.upper() for name in header], rows))
    matrix = report["confusion_matrix"]
    width = max((len(row) for row in matrix), default=0)
    click.echo("rows: what it is, columns: what the result says")
    click.echo(
        figures_table(
            ["", *(str(index) for index in range(width))],
            [[index, *row] for index, row in enumerate(matrix)],
        )
    )


DOWNLOAD = Command(
    "download",
    _download,
    summary="Write a dataset, or some of its columns and rows, to a file",
    argument="DATASET_UUID",
    flags=[
        Flag(
            "path",
            "-f",
            "--file",
            kind="path",
            summary="path of the file to write",
            mandatory=True,
        ),
        Flag(
            "file_format",
            "--format",
            summary="csv or npy; without it the ending of the path decides",
        ),
        Flag(
            "columns",
            "-c",
            "--column",
            kind="strings",
            summary="name of a column, repeatable; without it all",
        ),
        Flag("-n", "--rows", kind="int", summary="number of rows; without it all"),
        Flag("-o", "--offset", kind="int", default=0, summary="first row, counted from 0"),
    ],
)

REPORT = Command(
    "report",
    _report,
    summary="Compare a result with a reference: accuracy, classes, errors",
    argument="DATASET_UUID",
    flags=[
        Flag("-r", "--reference", summary="UUID of the reference dataset", mandatory=True),
        Flag("-c", "--column", summary="column of the result, if it has several"),
        Flag("--reference_column", summary="column of the reference; without it its labels"),
    ],
)
