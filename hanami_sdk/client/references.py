"""Arguments that may be a uuid or the object that has it."""

from collections.abc import Mapping, Sequence
from typing import Protocol

__all__ = [
    "Column",
    "HasUuid",
    "Links",
    "Reference",
    "Results",
    "column_names",
    "result_links",
    "source_links",
    "uuid_of",
    "uuid_or_none",
]


class HasUuid(Protocol):
    """Anything that a server knows by a uuid."""

    @property
    def uuid(self) -> str:
        """The uuid."""
        ...


Reference = str | HasUuid
"""A uuid, or an object that has one."""

Column = tuple[Reference, str]
"""A dataset and the name of one of its columns."""

Links = Mapping[str, Column | str] | Sequence[Mapping[str, str]]
"""What goes where: ``{"hexagon": (dataset, "column")}``, or a list of dicts as the server has it."""

Results = str | Sequence[str] | Mapping[str, str] | Sequence[Mapping[str, str]]
"""Which outputs to read: names, ``{"hexagon": "column"}``, or a list of dicts."""


def uuid_of(reference: Reference) -> str:
    """Return the uuid that is meant."""
    return reference if isinstance(reference, str) else reference.uuid


def uuid_or_none(reference: Reference | None) -> str | None:
    """Return the uuid that is meant, None for nothing."""
    return None if reference is None else uuid_of(reference)


def source_links(links: Links) -> list[dict[str, str]]:
    """Return columns for hexagons as the server wants them.

    Raises
    ------
    TypeError
        When the value of a mapping is no pair and no text ``"dataset uuid:column"``.
    """
    if isinstance(links, Mapping):
        return [
            {"hexagon_name": hexagon, **_column(hexagon, column)}
            for hexagon, column in links.items()
        ]
    return [dict(link) for link in links]


def _column(hexagon: str, column: Column | str) -> dict[str, str]:
    if isinstance(column, str):
        uuid, colon, name = column.partition(":")
        if colon:
            return {"dataset_uuid": uuid, "dataset_column": name}
    else:
        try:
            dataset, name = column
            return {"dataset_uuid": uuid_of(dataset), "dataset_column": name}
        except (TypeError, ValueError, AttributeError):
            pass
    raise TypeError(
        f'{hexagon!r} needs (dataset, "column") or "dataset uuid:column", not {column!r}'
    )


def result_links(results: Results) -> list[dict[str, str]]:
    """Return outputs and the columns they become; without a name the column is called like them."""
    if isinstance(results, str):
        results = [results]
    if isinstance(results, Mapping):
        return [
            {"hexagon_name": hexagon, "dataset_column": column}
            for hexagon, column in results.items()
        ]
    return [
        {"hexagon_name": result, "dataset_column": result}
        if isinstance(result, str)
        else dict(result)
        for result in results
    ]


def column_names(results: Results) -> list[str]:
    """Return the columns that a request task makes."""
    return [link["dataset_column"] for link in result_links(results)]
