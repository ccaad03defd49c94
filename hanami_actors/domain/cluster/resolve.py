"""From names in a request to a task that says which bytes it needs.

Everything that can be known when a task is created is refused here, so that nothing half-made ever
enters the queue.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Final

from hanami_actors.domain.base import Stamp
from hanami_actors.domain.cluster.events import Binding, ResultBinding, Task
from hanami_actors.domain.cluster.messages import (
    CreateRequestTask,
    CreateTrainTask,
    InputBinding,
    OutputBinding,
)
from hanami_actors.domain.cluster.template import Template, TemplatePort
from hanami_actors.domain.dataset.aggregate import DatasetPhase, DatasetState
from hanami_actors.domain.dataset.events import Column, DatasetContent
from hanami_actors.errors import BadRequestError, ConflictError, NotFoundError

__all__ = [
    "COLUMN_NAME_LEN_MAX",
    "EPOCH_COUNT_MAX",
    "INPUT_WIDTH_MAX",
    "TIME_LENGTH_MAX",
    "DatasetLookup",
    "LearnedSizes",
    "resolve_request",
    "resolve_train",
]

TIME_LENGTH_MAX: Final = 1000
EPOCH_COUNT_MAX: Final = 1_000_000
COLUMN_NAME_LEN_MAX: Final = 254
INPUT_WIDTH_MAX: Final = 1_000_000
"""Values of one input in one cycle: the width of its column times ``time_length``."""

DatasetLookup = Callable[[str], DatasetState | None]
"""Returns a dataset that the caller may use, or None."""

LearnedSizes = tuple[Mapping[str, int], Mapping[str, int]]
"""Values of inputs and outputs by name; what has not learned yet is missing."""


def resolve_train(
    request: CreateTrainTask, template: Template, lookup: DatasetLookup, stamp: Stamp
) -> Task:
    """Return the training task that the request describes; its uuid is ``stamp.ids[0]``.

    Parameters
    ----------
    request : CreateTrainTask
    template : Template
        Of the cluster.
    lookup : callable
        Finds datasets among those the caller sees.
    stamp : Stamp

    Raises
    ------
    BadRequestError
        A list is empty, a name is bound twice, or a number is outside its limits.
    NotFoundError
        An input, output, dataset or column is not known.
    ConflictError
        The template has no hexagons, or a dataset has no content yet.
    """
    _require_hexagons(template)
    _require_limits(request.time_length, request.epoch_count)
    _require_distinct(request.inputs, "inputs")
    _require_distinct(request.outputs, "outputs")
    _require_names(request.inputs, template.inputs, "input")
    _require_names(request.outputs, template.outputs, "output")
    inputs, input_rows = _bind(request.inputs, lookup)
    outputs, output_rows = _bind(request.outputs, lookup)
    return Task(
        uuid=stamp.ids[0],
        kind="train",
        name=request.name,
        inputs=inputs,
        outputs=outputs,
        row_count=_rows(input_rows + output_rows, inputs, request.time_length),
        time_length=request.time_length,
        epoch_count=request.epoch_count,
        user_id=stamp.who.user_id,
        project_id=stamp.who.project_id,
    )


def resolve_request(
    request: CreateRequestTask,
    template: Template,
    lookup: DatasetLookup,
    sizes: LearnedSizes,
    stamp: Stamp,
) -> Task:
    """Return the request task that the request describes; its uuid is ``stamp.ids[0]``.

    Parameters
    ----------
    request : CreateRequestTask
    template : Template
        Of the cluster.
    lookup : callable
        Finds datasets among those the caller sees.
    sizes : pair of mappings
        Values of the inputs and outputs that have learned; see `state.sizes_to_come`.
    stamp : Stamp

    Raises
    ------
    BadRequestError
        A list is empty, a name is bound twice, or a number is outside its limits.
    NotFoundError
        An input, output, dataset or column is not known.
    ConflictError
        The template has no hexagons, an output has no size yet, an input would be wider than what
        it has learned, or a dataset has no content yet.
    """
    _require_hexagons(template)
    _require_limits(request.time_length, 1)
    _require_distinct(request.inputs, "inputs")
    _require_result_columns(request.results)
    _require_names(request.inputs, template.inputs, "input")
    _require_names(request.results, template.outputs, "output")
    widths, known_outputs = sizes
    for result in request.results:
        if result.hexagon_name not in known_outputs:
            raise ConflictError(
                f"Output '{result.hexagon_name}' has no size yet, because the cluster never learned "
                "it; train the cluster first."
            )
    inputs, rows = _bind(request.inputs, lookup)
    row_count = _rows(rows, inputs, request.time_length)
    _require_widths(inputs, widths, request.time_length)
    return Task(
        uuid=stamp.ids[0],
        kind="request",
        name=request.name,
        inputs=inputs,
        results=tuple(
            ResultBinding(hexagon_name=item.hexagon_name, dataset_column=item.dataset_column)
            for item in request.results
        ),
        row_count=row_count,
        time_length=request.time_length,
        user_id=stamp.who.user_id,
        project_id=stamp.who.project_id,
    )


def _require_widths(
    inputs: tuple[Binding, ...], widths: Mapping[str, int], time_length: int
) -> None:
    for binding in inputs:
        width = (binding.end - binding.start) * time_length
        known = widths.get(binding.hexagon_name, 0)
        if width > known:
            raise ConflictError(
                f"Input '{binding.hexagon_name}' would get {width} values (column width times "
                f"time_length), but the cluster has learned {known}; ask with data as wide as it was "
                "trained with, or train it with wider data first."
            )


def _require_hexagons(template: Template) -> None:
    if not template.hexagons:
        raise ConflictError(
            "The template of this cluster has no hexagons, so there is nothing to train or ask; "
            "create a cluster with another template."
        )


def _require_limits(time_length: int, epoch_count: int) -> None:
    if not 1 <= time_length <= TIME_LENGTH_MAX:
        raise BadRequestError(
            f"Field 'time_length' is {time_length}; it must be in 1..{TIME_LENGTH_MAX}."
        )
    if not 1 <= epoch_count <= EPOCH_COUNT_MAX:
        raise BadRequestError(
            f"Field 'number_of_epochs' is {epoch_count}; it must be in 1..{EPOCH_COUNT_MAX}."
        )


def _require_distinct(bindings: tuple[InputBinding, ...], field: str) -> None:
    if not bindings:
        raise BadRequestError(f"Field '{field}' is empty; bind at least one column of a data-set.")
    twice = _first_repeated(binding.hexagon_name for binding in bindings)
    if twice is not None:
        raise BadRequestError(
            f"Field '{field}' binds '{twice}' twice; each name can be bound once."
        )


def _require_result_columns(results: tuple[OutputBinding, ...]) -> None:
    if not results:
        raise BadRequestError("Field 'results' is empty; name at least one output to read.")
    for result in results:
        if not 1 <= len(result.dataset_column) <= COLUMN_NAME_LEN_MAX:
            raise BadRequestError(
                f"Field 'dataset_column' of result '{result.hexagon_name}' has "
                f"{len(result.dataset_column)} characters; it must have 1..{COLUMN_NAME_LEN_MAX}."
            )
    twice = _first_repeated(result.dataset_column for result in results)
    if twice is not None:
        raise BadRequestError(
            f"Field 'results' creates column '{twice}' twice; each column needs its own name."
        )


def _require_names(
    bindings: Iterable[InputBinding | OutputBinding], ports: tuple[TemplatePort, ...], what: str
) -> None:
    known = {port.name for port in ports}
    for binding in bindings:
        if binding.hexagon_name not in known:
            listed = ", ".join(sorted(known))
            raise NotFoundError(
                f"The cluster has no {what} with name '{binding.hexagon_name}'; its {what}s are: "
                f"{listed}."
            )


def _first_repeated(names: Iterable[str]) -> str | None:
    seen: set[str] = set()
    for name in names:
        if name in seen:
            return name
        seen.add(name)
    return None


def _bind(
    bindings: tuple[InputBinding, ...], lookup: DatasetLookup
) -> tuple[tuple[Binding, ...], list[tuple[str, int]]]:
    """Return the bindings with their bytes, and (dataset uuid, rows) of each."""
    bound: list[Binding] = []
    rows: list[tuple[str, int]] = []
    for binding in bindings:
        content = _content(binding.dataset_uuid, lookup)
        column = _column(content, binding)
        width = column.end - column.start
        bound.append(
            Binding(
                hexagon_name=binding.hexagon_name,
                dataset_uuid=binding.dataset_uuid,
                dataset_column=binding.dataset_column,
                file=content.files[column.file_index],
                start=column.file_start,
                end=column.file_start + width,
            )
        )
        rows.append((binding.dataset_uuid, content.row_count))
    return tuple(bound), rows


def _content(uuid: str, lookup: DatasetLookup) -> DatasetContent:
    dataset = lookup(uuid)
    if dataset is None or not dataset.alive:
        raise NotFoundError(f"Data-set with uuid '{uuid}' not found")
    if dataset.content is not None:
        return dataset.content
    if dataset.phase is DatasetPhase.FAILED:
        raise ConflictError(
            f"Data-set with uuid '{uuid}' cannot be used, because its import failed: {dataset.failure}"
        )
    if dataset.kind == "result":
        raise ConflictError(
            f"Data-set with uuid '{uuid}' has no content yet; wait until its task is finished."
        )
    raise ConflictError(
        f"Data-set with uuid '{uuid}' has no content yet; upload its files and finalize it first."
    )


def _column(content: DatasetContent, binding: InputBinding) -> Column:
    for column in content.columns:
        if column.name == binding.dataset_column:
            return column
    known = [column.name for column in content.columns]
    listed = ", ".join(known[:20]) + (f" and {len(known) - 20} more" if len(known) > 20 else "")
    raise NotFoundError(
        f"Data-set with uuid '{binding.dataset_uuid}' has no column with name "
        f"'{binding.dataset_column}'; its columns are: {listed}."
    )


def _rows(rows: list[tuple[str, int]], inputs: tuple[Binding, ...], time_length: int) -> int:
    uuid, count = min(rows, key=lambda row: row[1])
    if count == 0:
        raise BadRequestError(f"Data-set with uuid '{uuid}' has no rows.")
    if time_length > count:
        raise BadRequestError(
            f"Field 'time_length' is {time_length}, but data-set with uuid '{uuid}' has only {count} "
            "rows; a sample is made of time_length rows."
        )
    for binding in inputs:
        width = (binding.end - binding.start) * time_length
        if width > INPUT_WIDTH_MAX:
            raise BadRequestError(
                f"Input '{binding.hexagon_name}' would have {width} values (column width times "
                f"time_length); at most {INPUT_WIDTH_MAX} are possible."
            )
    return count
