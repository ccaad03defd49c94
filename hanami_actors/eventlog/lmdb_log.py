"""The log on disk: one LMDB environment, one writer, readers in any thread and process."""

import struct
from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

from hanami_actors.errors import (
    HanamiError,
    LogCorruptError,
    LogError,
    WrongVersionError,
)
from hanami_actors.eventlog.codec import EMPTY_HEAD, Catalogue, Codec, SealedRecord, chain_hash_of
from hanami_actors.eventlog.directory import DirectoryLock, make_private_directory
from hanami_actors.eventlog.lmdb_env import LmdbEnvironment, pack_head, unpack_head
from hanami_actors.eventlog.planning import Plan, plan_appends, stream_key_prefix
from hanami_actors.eventlog.port import Batch, Commit, Head, Record
from hanami_actors.types import StreamId, StreamVersion

if TYPE_CHECKING:
    import lmdb

__all__ = ["MAP_SIZE_DEFAULT_BYTES", "MAP_SIZE_MAX_BYTES", "LmdbEventLog"]

MAP_SIZE_DEFAULT_BYTES = 2**34
"""Address space, not disk: the file has the size of what was written."""

MAP_SIZE_MAX_BYTES = 2**44

_NUMBER = struct.Struct(">Q")
_PAGE_RECORD_COUNT = 512
_PAGE_SIZE_BYTES = 2**20
_PAGE_STEP_COUNT = 64
_KNOWN_VERSION_COUNT_MAX = 10_000
# What a transaction may copy on write besides its records: root-to-leaf paths and free lists.
_ROOM_RESERVE_BYTES = 2**20
_ROOM_PER_RECORD_BYTES = 1024
# A record that needs pages of its own is rounded up, and must find them in one piece.
_ROOM_FACTOR = 3


class LmdbEventLog:
    """A durable log in a directory.

    `append` is for one thread at a time; everything else may be called from any thread, also
    while an append runs. Readers work in pages with short transactions, so a slow reader neither
    keeps old pages alive nor the map from growing; it may see what was appended after it began.

    Parameters
    ----------
    path : Path
        Directory of the log; made if it is missing, mode 0700.
    map_size_bytes : int
        Address space to start with; the writer grows it before it is full.
    map_size_max_bytes : int
        Where growing ends and appends are refused with StorageFullError.
    sync : bool
        ``True``: what `append` has returned survives a loss of power. ``False``: it survives the
        end of the process, but a loss of power can take the last appends or damage the whole log;
        for tests and imports only.
    readonly : bool
        Open without the right to append; works while a server runs, and on copies.
    catalogue : Catalogue, optional
        Which events exist; the domain's by default.

    Raises
    ------
    LogLockedError
        Another writer has the directory.
    NewerSchemaError
        The log was written by a newer program.
    LogCorruptError
        The file is cut off or its newest record does not hold.
    LogError
        Not a log, or it cannot be read.
    """

    def __init__(
        self,
        path: Path,
        *,
        map_size_bytes: int = MAP_SIZE_DEFAULT_BYTES,
        map_size_max_bytes: int = MAP_SIZE_MAX_BYTES,
        sync: bool = True,
        readonly: bool = False,
        catalogue: Catalogue | None = None,
    ) -> None:
        self._path = Path(path)
        self._codec = Codec(catalogue)
        self._readonly = readonly
        self._closed = False
        # Versions of streams appended to lately; right because no one else may append.
        self._versions: dict[StreamId, StreamVersion] = {}
        self._lock: DirectoryLock | None = None
        if not readonly:
            make_private_directory(self._path)
            self._lock = DirectoryLock(self._path / "writer.lock")
        try:
            self._environment = LmdbEnvironment(
                self._path,
                map_size_bytes=map_size_bytes,
                map_size_max_bytes=map_size_max_bytes,
                sync=sync,
                readonly=readonly,
                catalogue_version=self._codec.catalogue_version,
            )
            self._records, self._streams, self._meta = self._environment.databases
            self._check_newest_record()
        except HanamiError:
            self.close()
            raise

    def append(self, batches: Sequence[Batch]) -> list[Commit | WrongVersionError]:
        """Write many batches in one durable transaction; see `EventLog.append`.

        Parameters
        ----------
        batches : sequence of Batch
        """
        self._check_open()
        if self._readonly:
            raise LogError(f"the log in {self._path} was opened for reading only")
        versions, self._versions = self._versions, {}
        with self._environment.reading() as txn:
            cursor = txn.cursor(self._streams)

            def stream_version(stream: StreamId) -> StreamVersion:
                version = versions.get(stream)
                return _version_at(cursor, stream) if version is None else version

            head = unpack_head(txn.get(b"head", db=self._meta))
            plan = plan_appends(batches, head, stream_version, self._codec)
        if plan.sealed:
            self._environment.ensure_room(_room_for(plan.sealed))
            self._write(plan)
        # Only after a success: after an error nobody knows, and the index is asked again.
        if len(versions) < _KNOWN_VERSION_COUNT_MAX:
            versions.update(plan.versions)
            self._versions = versions
        return plan.answers

    def head(self) -> Head:
        """Return the newest position and hash."""
        self._check_open()
        with self._environment.reading() as txn:
            return unpack_head(txn.get(b"head", db=self._meta))

    def stream_version(self, stream: StreamId) -> StreamVersion:
        """Return the number of events in a stream, 0 if there is none.

        Parameters
        ----------
        stream : StreamId
        """
        self._check_open()
        with self._environment.reading() as txn:
            return _version_at(txn.cursor(self._streams), stream)

    def read_stream(self, stream: StreamId, *, after_version: int = 0) -> Iterator[Record]:
        """Yield a stream's records in order, checked and decoded.

        Parameters
        ----------
        stream : StreamId
        after_version : int
        """
        version = after_version
        while True:
            page = self._stream_page(stream, version)
            if not page:
                return
            positions, values = zip(*page, strict=True)
            for record in self._codec.decode_scattered(positions, values):
                version += 1
                if record.stream != stream or record.version != version:
                    raise LogCorruptError(
                        f"record {record.position} is {record.stream!r} version "
                        f"{record.version}, the index of streams says {stream!r} version {version}"
                    )
                yield record

    def read_all(self, *, after_position: int = 0) -> Iterator[Record]:
        """Yield all records in order, checked and decoded.

        Parameters
        ----------
        after_position : int
        """
        previous_hash: bytes | None = EMPTY_HEAD.chain_hash if after_position == 0 else None
        for first_position, values in self._pages(after_position):
            try:
                records = self._codec.decode_page(first_position, values, previous_hash)
            except LogError:
                # The same error comes again, behind the records that hold.
                yield from self._codec.iterate_page(first_position, values, previous_hash)
                raise
            yield from records
            previous_hash = chain_hash_of(values[-1])

    def check_chain(self) -> Head:
        """Compute every hash of the chain again; decodes no event.

        Returns the head that came out, which is the stored one.

        Raises
        ------
        LogCorruptError
            Names the first record that does not hold.
        """
        head = EMPTY_HEAD
        for _, values in self._pages(0):
            for value in values:
                head = self._codec.check_chain(head, value)
        stored = self.head()
        if stored.position <= head.position and stored != head:
            raise LogCorruptError(
                f"record {head.position} is not the newest record that the log names"
            )
        return head

    def map_size_bytes(self) -> int:
        """Return the address space reserved now."""
        self._check_open()
        return self._environment.map_size_bytes()

    def close(self) -> None:
        """Release everything; idempotent."""
        if self._closed:
            return
        self._closed = True
        if hasattr(self, "_environment"):
            self._environment.close()
        if self._lock is not None:
            self._lock.release()

    def _write(self, plan: Plan) -> None:
        records: list[tuple[bytes, bytes]] = []
        streams: list[tuple[bytes, bytes]] = []
        for record, value in plan.sealed:
            key = _NUMBER.pack(record.position)
            records.append((key, value))
            index_key = stream_key_prefix(record.stream) + _NUMBER.pack(record.version)
            streams.append((index_key, key))
        with self._environment.writing() as txn:
            _, added = txn.cursor(self._records).putmulti(records, append=True)
            _, indexed = txn.cursor(self._streams).putmulti(streams, overwrite=False)
            if added != len(records) or indexed != len(streams):
                first = plan.sealed[0].record.position
                raise LogCorruptError(
                    f"records after {first - 1} exist already, but the log names {first - 1} as "
                    "its newest; run a verification"
                )
            self._environment.put_catalogue_version(txn)
            txn.put(b"head", pack_head(plan.head), db=self._meta)

    def _pages(self, after_position: int) -> Iterator[tuple[int, list[bytes]]]:
        """Yield (first position, values) of consecutive records, complete up to the head."""
        position = after_position
        while True:
            self._check_open()
            with self._environment.reading() as txn:
                head = unpack_head(txn.get(b"head", db=self._meta))
                values = self._page(txn, position, head)
            if not values:
                return
            yield position + 1, values
            position += len(values)

    def _page(self, txn: "lmdb.Transaction[bytes]", position: int, head: Head) -> list[bytes]:
        values: list[bytes] = []
        cursor = txn.cursor(self._records)
        if not cursor.set_range(_NUMBER.pack(position + 1)):
            if position < head.position:
                raise _missing(position + 1)
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
        if cursor.key() != _NUMBER.pack(at_end):
            raise _missing(_first_missing(txn.cursor(self._records), position))
        if at_end > head.position:
            raise LogCorruptError(
                f"record {head.position + 1} exists, but the log names {head.position} as its "
                "newest; run a verification"
            )
        return values

    def _stream_page(self, stream: StreamId, after_version: int) -> list[tuple[int, bytes]]:
        self._check_open()
        prefix = stream_key_prefix(stream)
        page: list[tuple[int, bytes]] = []
        with self._environment.reading() as txn:
            cursor = txn.cursor(self._streams)
            if not cursor.set_range(prefix + _NUMBER.pack(after_version + 1)):
                return page
            size_bytes = 0
            for key, position_key in cursor.iternext():
                if not key.startswith(prefix):
                    break
                position = _NUMBER.unpack(position_key)[0]
                if key != prefix + _NUMBER.pack(after_version + len(page) + 1):
                    raise LogCorruptError(
                        f"stream {stream!r} has no version {after_version + len(page) + 1}"
                    )
                value = txn.get(position_key, db=self._records)
                if value is None:
                    raise _missing(position)
                page.append((position, value))
                size_bytes += len(value)
                if len(page) >= _PAGE_RECORD_COUNT or size_bytes >= _PAGE_SIZE_BYTES:
                    break
        return page

    def _check_newest_record(self) -> None:
        with self._environment.reading() as txn:
            head = unpack_head(txn.get(b"head", db=self._meta))
            cursor = txn.cursor(self._records)
            key, value = cursor.item() if cursor.last() else (_NUMBER.pack(0), b"")
        position = _NUMBER.unpack(key)[0]
        if position != head.position:
            raise LogCorruptError(
                f"the newest record of {self._path} is {position}, but {head.position} was "
                "written; restore the log from a backup"
            )
        if position and chain_hash_of(value) != head.chain_hash:
            raise LogCorruptError(f"record {position} is not the record that was written there")

    def _check_open(self) -> None:
        if self._closed:
            raise LogError("the log is closed")


def _version_at(cursor: "lmdb.Cursor[bytes]", stream: StreamId) -> StreamVersion:
    """Return the version in the last index key of a stream."""
    prefix = stream_key_prefix(stream)
    # The key after all of this stream's: the name is followed by \1 instead of \0.
    found = cursor.prev() if cursor.set_range(prefix[:-1] + b"\1") else cursor.last()
    if not found or not cursor.key().startswith(prefix):
        return StreamVersion(0)
    return StreamVersion(_NUMBER.unpack(cursor.key()[len(prefix) :])[0])


def _room_for(sealed: Sequence[SealedRecord]) -> int:
    size_bytes = sum(len(value) for _, value in sealed)
    return _ROOM_FACTOR * size_bytes + len(sealed) * _ROOM_PER_RECORD_BYTES + _ROOM_RESERVE_BYTES


def _first_missing(cursor: "lmdb.Cursor[bytes]", position: int) -> int:
    cursor.set_range(_NUMBER.pack(position + 1))
    for key in cursor.iternext(keys=True, values=False):
        position += 1
        if key != _NUMBER.pack(position):
            return position
    return position + 1


def _missing(position: int) -> LogCorruptError:
    return LogCorruptError(
        f"record {position} is missing; restore the log from a backup or run a verification"
    )
