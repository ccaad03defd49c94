"""Every event there is, by the tag it has on disk."""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, Final, get_args

import msgspec

from hanami_actors.domain.audit.events import AuditEvent
from hanami_actors.domain.base import Event
from hanami_actors.domain.checkpoint.events import CheckpointEvent
from hanami_actors.domain.cluster.events import ClusterEvent
from hanami_actors.domain.dataset.events import DatasetEvent
from hanami_actors.domain.host.events import HostEvent
from hanami_actors.domain.idempotency.events import IdempotencyEvent
from hanami_actors.domain.project.events import ProjectEvent
from hanami_actors.domain.upload.events import UploadEvent
from hanami_actors.domain.user.events import UserEvent
from hanami_actors.errors import LogCorruptError, NewerSchemaError, UnknownTagError

__all__ = [
    "CATALOGUE",
    "CATALOGUE_VERSION",
    "UPCASTERS",
    "AnyEvent",
    "Upcaster",
    "decode",
    "encode",
]

CATALOGUE_VERSION: Final = 1
"""Raised with every new tag or schema; a log of a newer catalogue is refused on opening."""

AnyEvent = (
    UserEvent
    | ProjectEvent
    | DatasetEvent
    | UploadEvent
    | ClusterEvent
    | CheckpointEvent
    | HostEvent
    | AuditEvent
    | IdempotencyEvent
)

CATALOGUE: Final[Mapping[str, type[Event]]] = MappingProxyType(
    {cls.TAG: cls for cls in get_args(AnyEvent)}
)

Upcaster = Callable[[dict[str, Any]], tuple[str, int, dict[str, Any]]]

UPCASTERS: Final[Mapping[tuple[str, int], Upcaster]] = MappingProxyType({})
"""From an old (tag, schema) to the next tag, schema and data; each has a test."""


def encode(event: Event) -> tuple[str, int, dict[str, Any]]:
    """Return tag, schema version and the data as plain builtins, fit for msgpack.

    Raises
    ------
    UnknownTagError
        The class is not in the catalogue: it could be written but never read.
    """
    if CATALOGUE.get(event.TAG) is not type(event):
        raise UnknownTagError(
            f"event class {type(event).__name__} with tag {event.TAG!r} is not in the catalogue"
        )
    # Bytes stay bytes; as text they would be a third longer.
    data: dict[str, Any] = msgspec.to_builtins(event, builtin_types=(bytes,))
    return event.TAG, event.SCHEMA, data


def decode(
    tag: str,
    schema: int,
    data: dict[str, Any],
    *,
    upcasters: Mapping[tuple[str, int], Upcaster] = UPCASTERS,
) -> Event:
    """Return the event, brought to its newest shape.

    Parameters
    ----------
    tag, schema, data
        As `encode` gave them, possibly in an older version of the software.
    upcasters : mapping, optional
        Another table; for tests.

    Raises
    ------
    UnknownTagError
        No class has this tag; such events are never skipped.
    NewerSchemaError
        The event was written by a newer version.
    LogCorruptError
        The data is not what the class describes.
    """
    while (tag, schema) in upcasters:
        tag, schema, data = upcasters[tag, schema](data)
    cls = CATALOGUE.get(tag)
    if cls is None:
        raise UnknownTagError(
            f"event tag {tag!r} is not known to this version (catalogue {CATALOGUE_VERSION}); use "
            "the version that wrote the log, or a newer one"
        )
    if schema > cls.SCHEMA:
        raise NewerSchemaError(
            f"event {tag!r} has schema {schema}, this version knows up to {cls.SCHEMA}; use the "
            "version that wrote the log, or a newer one"
        )
    if schema != cls.SCHEMA:
        raise LogCorruptError(f"event {tag!r} has schema {schema}, for which there is no upcaster")
    try:
        return msgspec.convert(data, type=cls)
    except msgspec.ValidationError as error:
        raise LogCorruptError(f"event {tag!r}: {error}") from error
