"""Reading the databases of the log in pages, each within one short transaction."""

import struct
from itertools import islice
from typing import TYPE_CHECKING

from hanami_actors.errors import LogCorruptError
from hanami_actors.eventlog.append_plan import stream_key_prefix
from hanami_actors.eventlog.port import Head
from hanami_actors.types import StreamId, StreamVersion

if TYPE_CHECKING:
    import lmdb

    from hanami_actors.eventlog.lmdb_env import Databases

__all__ = ["NUMBER", "index_page", "missing_record", "record_page", "stream_page", "version_at"]

NUMBER = struct.Struct(">Q")
"""Positions and versions inside keys and values: big-endian, so that keys sort by number."""

_PAGE_RECORD_COUNT = 512
_PAGE_SIZE_BYTES = 2**20
_PAGE_STEP_COUNT = 64


def record_page(
    txn: "lmdb.Transaction[bytes]", databases: "Databases", position: int, head: Head
) -> list[bytes]:
    """Return the records after a position, as many as make a page; empty at the end.

    Parameters
    ----------
    txn : lmdb.Transaction
    databases : Databases
    position : int
    head : Head
        As it is stored in the same transaction.

    Raises
    ------
    LogCorruptError
        A record is missing, or there is one behind the newest.
    """
    values: list[bytes] = []
    cursor = txn.cursor(databases.records)
    if not cursor.set_range(NUMBER.pack(position + 1)):
        if position < head.position:
            raise missing_record(position + 1)
        return values
    steps = cursor.iternext(keys=False, values=True)
    size_bytes = 0
    while len(values) < _PAGE_RECORD_COUNT and size_bytes < _PAGE_SIZE_BYTES:
        step = list(islice(steps, _PAGE_STEP_COUNT))
        values += step
        size_bytes += sum(map(len, step))
        if len(step) < _PAGE_STEP_COUNT:
            break
    # The keys are distinct numbers in rising order: the last one tells whether any is missing.
    at_end = position + len(values)
    if not cursor.key():
        cursor.last()
    if cursor.key() != NUMBER.pack(at_end):
        raise missing_record(_first_missing(txn.cursor(databases.records), position))
    if at_end > head.position:
        raise LogCorruptError(
            f"record {head.position + 1} exists, but the log names {head.position} as its "
            "newest; run a verification"
        )
    return values


def stream_page(
    txn: "lmdb.Transaction[bytes]", databases: "Databases", stream: StreamId, after_version: int
) -> list[tuple[int, bytes]]:
    """Return (position, record) of a stream's versions after one; empty at the end.

    Parameters
    ----------
    txn : lmdb.Transaction
    databases : Databases
    stream : StreamId
    after_version : int

    Raises
    ------
    LogCorruptError
        A version or a record is missing.
    """
    prefix = stream_key_prefix(stream)
    page: list[tuple[int, bytes]] = []
    cursor = txn.cursor(databases.streams)
    if not cursor.set_range(prefix + NUMBER.pack(after_version + 1)):
        return page
    size_bytes = 0
    for key, position_key in cursor.iternext():
        if not key.startswith(prefix):
            break
        position = _number(position_key)
        if key != prefix + NUMBER.pack(after_version + len(page) + 1):
            raise LogCorruptError(
                f"stream {stream!r} has no version {after_version + len(page) + 1}"
            )
        value = txn.get(position_key, db=databases.records)
        if value is None:
            raise missing_record(position)
        page.append((position, value))
        size_bytes += len(value)
        if len(page) >= _PAGE_RECORD_COUNT or size_bytes >= _PAGE_SIZE_BYTES:
            break
    return page


def index_page(
    txn: "lmdb.Transaction[bytes]", databases: "Databases", after: StreamId | None, prefix: str
) -> list[tuple[StreamId, StreamVersion]]:
    """Return (stream, version) of the streams after one in the order of their names.

    Parameters
    ----------
    txn : lmdb.Transaction
    databases : Databases
    after : StreamId or None
        None to begin.
    prefix : str
        Only streams whose names begin so.
    """
    page: list[tuple[StreamId, StreamVersion]] = []
    begin = prefix.encode()
    cursor = txn.cursor(databases.streams)
    found = cursor.set_range(_behind(after) if after is not None else begin)
    while found and len(page) < _PAGE_RECORD_COUNT and cursor.key().startswith(begin):
        stream = _stream_of(cursor.key())
        page.append((stream, version_at(txn.cursor(databases.streams), stream)))
        found = cursor.set_range(_behind(stream))
    return page


def version_at(cursor: "lmdb.Cursor[bytes]", stream: StreamId) -> StreamVersion:
    """Return the version in the last index key of a stream.

    Parameters
    ----------
    cursor : lmdb.Cursor
        Over the index of streams.
    stream : StreamId
    """
    prefix = stream_key_prefix(stream)
    found = cursor.prev() if cursor.set_range(_behind(stream)) else cursor.last()
    if not found or not cursor.key().startswith(prefix):
        return StreamVersion(0)
    return StreamVersion(_number(cursor.key()[len(prefix) :]))


def missing_record(position: int) -> LogCorruptError:
    """Return the error for a record that should be there.

    Parameters
    ----------
    position : int
    """
    return LogCorruptError(
        f"record {position} is missing; restore the log from a backup or run a verification"
    )


def _number(data: bytes) -> int:
    if len(data) != NUMBER.size:
        raise LogCorruptError("the index of streams is damaged; restore the log from a backup")
    return int(NUMBER.unpack(data)[0])


def _stream_of(key: bytes) -> StreamId:
    try:
        return StreamId(key[: -NUMBER.size - 1].decode())
    except UnicodeDecodeError as error:
        raise LogCorruptError(
            f"the index of streams names {key!r}, which is no stream; restore the log from a backup"
        ) from error


def _behind(stream: StreamId) -> bytes:
    r"""Return the key after all of a stream's: the name is followed by \1 instead of \0."""
    return stream_key_prefix(stream)[:-1] + b"\1"


def _first_missing(cursor: "lmdb.Cursor[bytes]", position: int) -> int:
    cursor.set_range(NUMBER.pack(position + 1))
    for key in cursor.iternext(keys=True, values=False):
        position += 1
        if key != NUMBER.pack(position):
            return position
    return position + 1
