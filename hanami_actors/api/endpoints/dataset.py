"""Datasets: look at, list, read, compare, delete."""

from typing import Annotated

import msgspec
from msgspec import UNSET, Meta, UnsetType

from hanami_actors.actors.gateway import Target, TargetKind
from hanami_actors.api.context import Context
from hanami_actors.api.replies import ListReply, OwnedReply
from hanami_actors.api.table.endpoint import EVERYBODY, Empty, Endpoint, Nothing
from hanami_actors.api.table.fields import ColumnName, UuidText
from hanami_actors.domain.base import format_timestamp
from hanami_actors.domain.dataset.aggregate import DatasetState
from hanami_actors.domain.dataset.events import Column, DatasetContent
from hanami_actors.domain.dataset.messages import DeleteDataset
from hanami_actors.domain.tables import find_visible
from hanami_actors.errors import BadRequestError, ConflictError, NotFoundError

__all__ = ["ROWS", "OneDataset", "require_dataset", "require_filled"]

VALUES_PER_SLICE = 65_536
CONTENT_VALUES_MAX = 10_000_000
"""The answer is in memory as a whole: some ten bytes for each value."""

ROWS_SHOWN = 100
"""How many rows are shown when nobody says how many."""

NO_CONTENT = DatasetContent(row_count=0, column_count=0, files=(), columns=())


class OneDataset(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Names a dataset."""

    uuid: UuidText


class ContentSlice(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Rows of a column; without a number at most 100, and not more than there are."""

    uuid: UuidText
    column_name: ColumnName
    row_offset: Annotated[int, Meta(ge=0, le=1_000_000_000)] = 0
    number_of_rows: Annotated[int, Meta(ge=1, le=10_000)] | UnsetType = UNSET


class Comparison(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A result and what it should be."""

    uuid: UuidText
    reference_uuid: UuidText


class DatasetReply(OwnedReply, frozen=True, kw_only=True):
    """A dataset; zeros and no columns until it is filled."""

    description: dict[str, dict[str, int]]
    number_of_columns: int
    number_of_rows: int
    version: str = "v1.0alpha"


class ContentReply(msgspec.Struct, frozen=True, kw_only=True):
    """One list of numbers per row, already as JSON."""

    data: msgspec.Raw


class AccuracyReply(msgspec.Struct, frozen=True, kw_only=True):
    """Percent of the rows whose arg-max is right."""

    accuracy: float


def require_dataset(context: Context, uuid: str, title: str = "Data-set") -> DatasetState:
    """Return the dataset if the caller sees it.

    Raises
    ------
    NotFoundError
    """
    state = find_visible(context.tables.datasets, context.who, uuid)
    if state is None:
        raise NotFoundError(f"{title} with uuid '{uuid}' not found")
    return state


def require_filled(state: DatasetState) -> DatasetContent:
    """Return what is in a dataset.

    Raises
    ------
    ConflictError
        It has no content; the text says why.
    """
    if state.content is not None:
        return state.content
    reason = f"failed: {state.failure}" if state.failure else "has no content yet"
    raise ConflictError(f"Dataset with uuid '{state.uuid}' {reason}")


async def get_dataset(context: Context, request: OneDataset) -> DatasetReply:
    """Look at a dataset."""
    state = require_dataset(context, request.uuid)
    content = state.content or NO_CONTENT
    return DatasetReply(
        created_at=format_timestamp(state.created_us),
        name=state.name,
        owner_id=state.owner_id,
        project_id=state.project_id,
        uuid=state.uuid,
        description={
            column.name: {"column_start": column.start, "column_end": column.end}
            for column in content.columns
        },
        number_of_columns=content.column_count,
        number_of_rows=content.row_count,
    )


async def list_datasets(context: Context, _request: Empty) -> msgspec.Raw:
    """List the datasets that the caller sees, oldest first."""
    table = context.tables.datasets
    return context.services.list_cache.owned_list("datasets", table, context.who)


async def delete_dataset(context: Context, request: OneDataset) -> Nothing:
    """Delete a dataset."""
    state = require_dataset(context, request.uuid)
    await context.ask(Target(kind=TargetKind.DIRECTORY), DeleteDataset(uuid=state.uuid))
    return Nothing()


async def get_content(context: Context, request: ContentSlice) -> ContentReply:
    """Read rows of a column."""
    state = require_dataset(context, request.uuid, "Dataset")
    content = require_filled(state)
    column = _column(state, content, request.column_name)
    start, end = request.row_offset, _end_of(request, content.row_count)
    if max(start, end) > content.row_count:
        raise BadRequestError(
            f"fields 'row_offset' and 'number_of_rows': rows {start} to {end} are "
            f"beyond the {content.row_count} rows of dataset with uuid '{state.uuid}'"
        )
    rows_max = CONTENT_VALUES_MAX // max(column.end - column.start, 1)
    if end - start > rows_max:
        raise BadRequestError(
            f"field 'number_of_rows': {end - start} rows of column '{column.name}' have "
            f"more than the {CONTENT_VALUES_MAX} values that an answer may hold; ask for at most "
            f"{rows_max} rows, or use dataset/download"
        )
    rows = range(start, end)
    return ContentReply(data=await context.in_pool(lambda: _read(context, state, column, rows)))


def _end_of(request: ContentSlice, row_count: int) -> int:
    if isinstance(request.number_of_rows, int):
        return request.row_offset + request.number_of_rows
    return max(request.row_offset, min(request.row_offset + ROWS_SHOWN, row_count))


async def check_dataset(context: Context, request: Comparison) -> AccuracyReply:
    """Compare a result with a reference."""
    reference = require_dataset(context, request.reference_uuid, "Dataset")
    result = require_dataset(context, request.uuid, "Dataset")
    require_filled(reference)
    require_filled(result)
    gateway = context.services.gateway
    accuracy = await context.in_pool(lambda: gateway.check_accuracy(result, reference))
    return AccuracyReply(accuracy=accuracy)


def _column(state: DatasetState, content: DatasetContent, name: str) -> Column:
    for column in content.columns:
        if column.name == name:
            return column
    known = ", ".join(f"'{column.name}'" for column in content.columns)
    raise NotFoundError(
        f"Column with name '{name}' was not found in dataset with UUID '{state.uuid}'; it has "
        f"{known}"
    )


def _read(context: Context, state: DatasetState, column: Column, wanted: range) -> msgspec.Raw:
    """Read and encode in slices: a large answer must not hold the interpreter for long."""
    step = max(VALUES_PER_SLICE // max(column.end - column.start, 1), 1)
    pieces = []
    for start in range(wanted.start, wanted.stop, step):
        rows = context.services.gateway.read_content(
            state, column.name, start, min(step, wanted.stop - start)
        )
        pieces.append(msgspec.json.encode(rows)[1:-1])
    return msgspec.Raw(b"[" + b",".join(pieces) + b"]")


ROWS = (
    Endpoint(
        name="get_dataset",
        method="GET",
        path="dataset",
        summary="Look at a dataset.",
        access=EVERYBODY,
        request=OneDataset,
        reply=DatasetReply,
        errors=(NotFoundError,),
        handler=get_dataset,
    ),
    Endpoint(
        name="list_datasets",
        method="GET",
        path="dataset/all",
        summary="List the visible datasets.",
        access=EVERYBODY,
        request=Empty,
        reply=ListReply,
        errors=(),
        handler=list_datasets,
    ),
    Endpoint(
        name="delete_dataset",
        method="DELETE",
        path="dataset",
        summary="Delete a dataset.",
        access=EVERYBODY,
        request=OneDataset,
        reply=Nothing,
        errors=(NotFoundError,),
        handler=delete_dataset,
    ),
    Endpoint(
        name="get_dataset_content",
        method="GET",
        path="dataset/content",
        summary="Read rows of a column.",
        access=EVERYBODY,
        request=ContentSlice,
        reply=ContentReply,
        errors=(NotFoundError, ConflictError),
        handler=get_content,
        timeout_s=60.0,
    ),
    Endpoint(
        name="check_dataset",
        method="GET",
        path="dataset/check",
        summary="Compare the result of a request with a reference.",
        access=EVERYBODY,
        request=Comparison,
        reply=AccuracyReply,
        errors=(NotFoundError, ConflictError, BadRequestError),
        handler=check_dataset,
        timeout_s=60.0,
    ),
)
