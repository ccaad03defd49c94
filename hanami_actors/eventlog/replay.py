"""States from records: the only way a state comes back."""

from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from typing import Any, TypeVar

from hanami_actors.errors import HanamiError, NotFoundError
from hanami_actors.eventlog.port import EventLog, Record
from hanami_actors.types import StreamId, StreamVersion, TimestampUs

__all__ = ["Apply", "fold", "replayed", "state_at"]

S = TypeVar("S")

Apply = Callable[[S, Any, TimestampUs], S]
"""How an aggregate takes an event in; each knows only its own events, hence ``Any``."""


def fold(records: Iterable[Record], initial: S, apply: Apply[S]) -> S:
    """Return the state after some records.

    An error of ``apply`` goes on with a note that says at which record.

    Parameters
    ----------
    records : iterable of Record
    initial : S
    apply : callable
        ``(state, event, time_us) -> state``, pure; the ``apply`` of an aggregate.
    """
    state = initial
    for record in records:
        try:
            state = apply(state, record.event, record.time_us)
        except HanamiError as error:
            error.add_note(
                f"while applying {record.tag} at position {record.position}, "
                f"{record.stream} version {record.version}"
            )
            raise
    return state


def replayed(
    log: EventLog, stream: StreamId, initial: S, apply: Apply[S]
) -> tuple[S, StreamVersion]:
    """Return the state of a stream and the version that belongs to it.

    An append of a former owner may still be on its way, so the version is that of the last record
    that was read, whatever the log says a moment later.

    Parameters
    ----------
    log : EventLog
    stream : StreamId
    initial : S
    apply : callable
        ``(state, event, time_us) -> state``, pure.
    """
    version = 0

    def counted() -> Iterator[Record]:
        nonlocal version
        for record in log.read_stream(stream):
            version = record.version
            yield record

    state = fold(counted(), initial, apply)
    return state, StreamVersion(version)


def state_at(
    log: EventLog,
    stream: StreamId,
    version: int,
    initial: S,
    apply: Apply[S],
    *,
    start: int = 0,
) -> S:
    """Return the state of a stream as it was at a version.

    Parameters
    ----------
    log : EventLog
    stream : StreamId
    version : int
        Not below ``start``, which gives ``initial``.
    initial : S
        The state at ``start``.
    apply : callable
        ``(state, event, time_us) -> state``, pure.
    start : int
        Records up to here are not read.

    Raises
    ------
    NotFoundError
        The stream has no such version.
    """
    newest = log.stream_version(stream)
    if not 0 <= version <= newest:
        raise NotFoundError(
            f"stream {stream!r} has versions 0 to {newest}, there is no version {version}"
        )
    records = log.read_stream(stream, after_version=start)
    return fold(islice(records, version - start), initial, apply)
