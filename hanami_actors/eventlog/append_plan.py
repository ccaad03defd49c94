"""What an append will write, worked out before anything is written; the same for every log."""

from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import NamedTuple

from hanami_actors.errors import LogError, WrongVersionError
from hanami_actors.eventlog.codec import Codec
from hanami_actors.eventlog.port import Batch, Commit, Head, PreparedBatch, Record
from hanami_actors.types import StreamId, StreamVersion

__all__ = [
    "STREAM_ID_SIZE_MAX_BYTES",
    "Plan",
    "plan_appends",
    "prepare_batch",
    "stream_key_prefix",
]

STREAM_ID_SIZE_MAX_BYTES = 480
"""LMDB keys have at most 511 bytes; a separator and a version follow the name."""


class Plan(NamedTuple):
    """What to write and what to answer.

    Attributes
    ----------
    answers : list of Commit or WrongVersionError
        One per batch, in their order.
    sealed : list of (Record, bytes)
        Consecutive records to write, in both forms; empty if every batch was refused.
    head : Head
        The head once they are written.
    versions : dict
        Versions of the touched streams once they are written.
    """

    answers: list[Commit | WrongVersionError]
    sealed: list[tuple[Record, bytes]]
    head: Head
    versions: dict[StreamId, StreamVersion]


def prepare_batch(batch: Batch, codec: Codec) -> PreparedBatch:
    """Encode the events of a batch, in any thread: the writer then only has to write.

    Raises
    ------
    LogError
        An event cannot be stored.
    """
    prepare, stamp = codec.prepare, batch.stamp
    records = [
        prepare(append.stream, StreamVersion(version), stamp, event)
        for append in batch.appends
        for version, event in enumerate(append.events, append.expected_version + 1)
    ]
    return PreparedBatch(batch, tuple(records))


def plan_appends(
    batches: Sequence[Batch | PreparedBatch],
    head: Head,
    stream_version: Callable[[StreamId], StreamVersion],
    codec: Codec,
) -> Plan:
    """Check versions and encode records; a batch counts for the batches after it.

    Parameters
    ----------
    batches : sequence of Batch or PreparedBatch
    head : Head
        The newest record now.
    stream_version : callable
        Version of a stream as it is stored.
    codec : Codec

    Raises
    ------
    LogError
        An event cannot be stored or the name of a stream is not allowed.
    """
    answers: list[Commit | WrongVersionError] = []
    sealed: list[tuple[Record, bytes]] = []
    versions: dict[StreamId, StreamVersion] = {}
    for given in batches:
        batch = given.batch if isinstance(given, PreparedBatch) else given
        refusal = _take_versions(batch, versions, stream_version)
        if refusal is not None:
            answers.append(refusal)
            continue
        prepared = given if isinstance(given, PreparedBatch) else prepare_batch(batch, codec)
        begin = len(sealed)
        head = codec.seal_all(head, prepared.records, sealed)
        answers.append(Commit(records=tuple([record for record, _ in sealed[begin:]])))
    return Plan(answers, sealed, head, versions)


@lru_cache(maxsize=4_096)
def stream_key_prefix(stream: StreamId) -> bytes:
    r"""Return the name of a stream as the start of an index key.

    Ends with ``\0``, which no name contains, so that a name that is the beginning of another one
    never finds the other's events.

    Parameters
    ----------
    stream : StreamId

    Raises
    ------
    LogError
        The name is empty, too long, or contains a zero character.
    """
    try:
        name = stream.encode()
    except UnicodeEncodeError as error:
        raise LogError(f"stream name {stream!r} is not valid text") from error
    if not name or len(name) > STREAM_ID_SIZE_MAX_BYTES or b"\0" in name:
        raise LogError(
            f"stream name {stream!r} must have 1 to {STREAM_ID_SIZE_MAX_BYTES} bytes and no "
            "zero character"
        )
    return name + b"\0"


def _take_versions(
    batch: Batch,
    versions: dict[StreamId, StreamVersion],
    stream_version: Callable[[StreamId], StreamVersion],
) -> WrongVersionError | None:
    """Add the versions of the batch's streams once it is written, or say why it cannot be."""
    # Almost every batch has one append: it needs no versions of its own to take back.
    after = versions if len(batch.appends) == 1 else {}
    for append in batch.appends:
        stream = append.stream
        actual = after.get(stream, versions.get(stream))
        if actual is None:
            actual = stream_version(stream)
        if actual != append.expected_version:
            return WrongVersionError(stream, append.expected_version, actual)
        after[stream] = StreamVersion(actual + len(append.events))
    if after is not versions:
        versions.update(after)
    return None
