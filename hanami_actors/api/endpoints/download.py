"""Whole datasets as files, and how well a result fits a reference."""

import csv
import io
from typing import Annotated, Literal

import msgspec
from msgspec import UNSET, Meta, UnsetType

from hanami_actors.api.answers import FileContent, FileReply
from hanami_actors.api.context import Context
from hanami_actors.api.endpoints.dataset import require_dataset, require_filled
from hanami_actors.api.table.endpoint import EVERYBODY, Endpoint
from hanami_actors.api.table.fields import UuidText
from hanami_actors.datasets.export import FORMATS, RowRange
from hanami_actors.errors import BadRequestError, ConflictError, NotFoundError

__all__ = ["ROWS"]

ColumnText = Annotated[str, Meta(min_length=1, max_length=4096)]


class Download(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What of a dataset, and how.

    ``column`` is one name or several separated by commas; a name with a comma or a double quote is
    written as in CSV. ``number_of_rows`` 0 means all that follow.
    """

    uuid: UuidText
    format: Literal["csv", "npy"] = "csv"
    column: ColumnText | UnsetType = UNSET
    row_offset: Annotated[int, Meta(ge=0, le=2**53)] = 0
    number_of_rows: Annotated[int, Meta(ge=0, le=2**53)] = 0


class FullComparison(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A column of a result, and the column of a reference it should be."""

    uuid: UuidText
    reference_uuid: UuidText
    column: ColumnText | UnsetType = UNSET
    reference_column: ColumnText | UnsetType = UNSET


class ClassReport(msgspec.Struct, frozen=True, kw_only=True):
    """One class; null where there is nothing to divide by."""

    f1: float | None
    precision: float | None
    recall: float | None
    support: int


class ReportReply(msgspec.Struct, frozen=True, kw_only=True):
    """Figures of classes, or of plain numbers; those that do not apply are null or empty.

    ``confusion_matrix`` has one list per class of the reference, with one number per class of the
    result. ``accuracy`` is in percent of the rows that have a class.
    """

    accuracy: float | None
    classes: tuple[ClassReport, ...]
    confusion_matrix: tuple[tuple[int, ...], ...]
    mean_absolute_error: float | None
    number_of_rows: int
    number_of_rows_without_class: int
    root_mean_square_error: float | None


async def download_dataset(context: Context, request: Download) -> FileReply:
    """Send a dataset as a file."""
    state = require_dataset(context, request.uuid, "Dataset")
    require_filled(state)
    last = request.row_offset + request.number_of_rows if request.number_of_rows else None
    export = context.services.gateway.open_export(
        state,
        request.format,
        () if request.column is UNSET else _column_names(request.column),
        RowRange(first=request.row_offset, last=last),
    )
    return FileReply(
        content_type=export.content_type,
        file_name=f"{state.name}.{export.extension}",
        size_bytes=export.size_bytes,
        blocks=export.blocks(),
    )


async def report_dataset(context: Context, request: FullComparison) -> ReportReply:
    """Compare a result with a reference in every figure there is."""
    reference = require_dataset(context, request.reference_uuid, "Dataset")
    result = require_dataset(context, request.uuid, "Dataset")
    require_filled(reference)
    require_filled(result)
    gateway = context.services.gateway
    column, reference_column = (
        None if name is UNSET else name for name in (request.column, request.reference_column)
    )
    report = await context.in_pool(
        lambda: gateway.compare(result, reference, column, reference_column)
    )
    return ReportReply(
        accuracy=report.accuracy,
        classes=tuple(
            ClassReport(
                f1=figures.f1,
                precision=figures.precision,
                recall=figures.recall,
                support=figures.support,
            )
            for figures in report.classes
        ),
        confusion_matrix=report.confusion,
        mean_absolute_error=report.mean_absolute_error,
        number_of_rows=report.row_count,
        number_of_rows_without_class=report.unclassified_count,
        root_mean_square_error=report.root_mean_square_error,
    )


def _column_names(text: str) -> tuple[str, ...]:
    try:
        lines = list(csv.reader(io.StringIO(text), strict=True))
    except csv.Error as error:
        raise BadRequestError(
            f"field 'column': {text!r} is no list of names ({error}); a name that holds a comma or"
            " a double quote is written in double quotes"
        ) from None
    if len(lines) != 1 or not all(lines[0]):
        raise BadRequestError(
            f"field 'column': {text!r} is no list of names; separate them by single commas"
        )
    return tuple(lines[0])


ERRORS = (NotFoundError, ConflictError, BadRequestError)

ROWS = (
    Endpoint(
        name="download_dataset",
        method="GET",
        path="dataset/download",
        summary="Download a dataset, or some of its columns and rows, as CSV or NPY.",
        access=EVERYBODY,
        request=Download,
        reply=FileContent,
        content_types=tuple(FORMATS.values()),
        errors=ERRORS,
        handler=download_dataset,
        timeout_s=60.0,
        in_contract=False,
    ),
    Endpoint(
        name="report_dataset",
        method="GET",
        path="dataset/report",
        summary="Compare a result with a reference: accuracy, classes, errors.",
        access=EVERYBODY,
        request=FullComparison,
        reply=ReportReply,
        errors=ERRORS,
        handler=report_dataset,
        timeout_s=60.0,
        in_contract=False,
    ),
)
