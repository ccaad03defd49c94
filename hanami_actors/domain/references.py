"""What keeps what: which blobs events name, and which streams lead to the state of others.

Roots are datasets, clusters and checkpoints that live. From a root everything is kept that its
stream names: blobs, and the streams it was restored from with all that they name. What no root
reaches may be collected.
"""

from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Any, Final, NamedTuple, get_args, get_type_hints

import msgspec

from hanami_actors.domain.checkpoint.events import CheckpointDeleted
from hanami_actors.domain.cluster.events import ClusterDeleted, SamplesTrained, TaskFinished
from hanami_actors.domain.cluster.source import Source
from hanami_actors.domain.dataset.events import ColumnFile, DatasetDeleted

__all__ = ["BLOB_FIELDS", "ENDINGS", "Holdings", "Reference", "blobs_of", "streams_of"]

BLOB_FIELDS: Final[Mapping[type[msgspec.Struct], tuple[str, str]]] = MappingProxyType(
    {
        ColumnFile: ("digest", "column file"),
        SamplesTrained: ("blob", "samples of direct training"),
        Source: ("image", "uploaded state"),
    }
)
"""Which field of which struct names a blob, and what that blob is."""

# What was found out about a type, by type and what was looked for.
_known_fields: dict[tuple[Any, frozenset[type]], tuple[str, ...]] = {}

ENDINGS: Final = (CheckpointDeleted, ClusterDeleted, DatasetDeleted)
"""Events after which a stream keeps nothing any more."""
_ROOT_KINDS: Final = frozenset({"dataset", "cluster", "checkpoint"})


class Reference(NamedTuple):
    """A blob that is named.

    Attributes
    ----------
    digest : str
    kind : str
        What it is.
    """

    digest: str
    kind: str


def blobs_of(value: Any) -> Iterator[Reference]:
    """Yield the blobs that an event, or a value inside one, names."""
    for inner in _walk(value, frozenset(BLOB_FIELDS)):
        field, kind = BLOB_FIELDS[type(inner)]
        digest = getattr(inner, field)
        if digest:
            yield Reference(digest, kind)


def streams_of(value: Any) -> Iterator[str]:
    """Yield the streams whose history an event needs."""
    for source in _walk(value, frozenset({Source})):
        if source.stream:
            yield source.stream


class Holdings:
    """Who names what, over a whole log; filled record by record."""

    def __init__(self) -> None:
        self._alive: set[str] = set()
        self._blobs: dict[str, dict[str, str]] = {}
        self._streams: dict[str, set[str]] = {}

    def add(self, stream: str, event: Any) -> None:
        """Take a record in."""
        if stream.partition("/")[0] in _ROOT_KINDS:
            if isinstance(event, ENDINGS):
                self._alive.discard(stream)
            else:
                self._alive.add(stream)
        # The result of a request is its dataset's; nothing is computed from it again.
        named = () if isinstance(event, TaskFinished) else blobs_of(event)
        for digest, kind in named:
            self._blobs.setdefault(stream, {})[digest] = kind
        for other in streams_of(event):
            self._streams.setdefault(stream, set()).add(other)

    @property
    def alive(self) -> frozenset[str]:
        """The streams that are roots."""
        return frozenset(self._alive)

    def reached(self) -> frozenset[str]:
        """Return the streams that are kept: the roots and what they were restored from."""
        reached: set[str] = set()
        waiting = list(self._alive)
        while waiting:
            stream = waiting.pop()
            if stream not in reached:
                reached.add(stream)
                waiting += self._streams.get(stream, ())
        return frozenset(reached)

    def holders(self) -> dict[str, list[str]]:
        """Return which kept streams name a blob, by digest; others are held by nobody."""
        holders: dict[str, list[str]] = {}
        for stream in sorted(self.reached()):
            for digest in self._blobs.get(stream, ()):
                holders.setdefault(digest, []).append(stream)
        return holders

    def kinds(self) -> dict[str, str]:
        """Return what every blob is that was ever named, by digest."""
        return {digest: kind for blobs in self._blobs.values() for digest, kind in blobs.items()}


def _walk(value: Any, wanted: frozenset[type]) -> Iterator[Any]:
    """Yield the structs of the wanted types inside a value; types that hold none are skipped."""
    if isinstance(value, tuple):
        for each in value:
            yield from _walk(each, wanted)
        return
    if type(value) in wanted:
        yield value
    for field in _fields_with(type(value), wanted):
        yield from _walk(getattr(value, field), wanted)


def _fields_with(cls: Any, wanted: frozenset[type]) -> tuple[str, ...]:
    found = _known_fields.get((cls, wanted))
    if found is None:
        found = _known_fields[cls, wanted] = tuple(_find_fields(cls, wanted))
    return found


def _find_fields(cls: Any, wanted: frozenset[type]) -> Iterator[str]:
    if not (isinstance(cls, type) and issubclass(cls, msgspec.Struct)):
        return
    hints = get_type_hints(cls)
    for field in msgspec.structs.fields(cls):
        parts = _parts(hints[field.name])
        if any(part in wanted or _fields_with(part, wanted) for part in parts):
            yield field.name


def _parts(annotation: Any) -> Iterator[Any]:
    """Yield the plain types an annotation is made of: tuple[X, ...], X | None."""
    inner = get_args(annotation)
    if not inner:
        yield annotation
    for each in inner:
        yield from _parts(each)
