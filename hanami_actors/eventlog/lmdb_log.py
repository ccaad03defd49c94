"""The log on disk: one LMDB environment, one writer, readers in any thread and process."""

from collections.abc import Iterator, Sequence
from operator import itemgetter
from pathlib import Path

from hanami_actors.errors import (
    HanamiError,
    LogCorruptError,
    LogError,
    WrongVersionError,
)
from hanami_actors.eventlog.append_plan import Plan, plan_appends, stream_key_prefix
from hanami_actors.eventlog.codec import EMPTY_HEAD, Catalogue, Codec, chain_hash_of
from hanami_actors.eventlog.directory import LOCK_NAME, DirectoryLock, make_private_directory
from hanami_actors.eventlog.lmdb_env import Databases, LmdbEnvironment, pack_head, unpack_head
from hanami_actors.eventlog.lmdb_pages import (
    NUMBER,
    index_page,
    missing_record,
    record_page,
    stream_page,
    version_at,
)
from hanami_actors.eventlog.port import Batch, Commit, Head, PreparedBatch, Record
from hanami_actors.types import StreamId, StreamVersion

__all__ = ["MAP_SIZE_DEFAULT_BYTES", "MAP_SIZE_MAX_BYTES", "LmdbEventLog"]

MAP_SIZE_DEFAULT_BYTES = 2**34
"""Address space, not disk: the file has the size of what was written."""

MAP_SIZE_MAX_BYTES = 2**44

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
        self._head: Head | None = None
        self._lock: DirectoryLock | None = None
        if not readonly:
            make_private_directory(self._path)
            self._lock = DirectoryLock(self._path / LOCK_NAME)
        try:
            self._environment = LmdbEnvironment(
                self._path,
                map_size_bytes=map_size_bytes,
                map_size_max_bytes=map_size_max_bytes,
                sync=sync,
                readonly=readonly,
                catalogue_version=self._codec.catalogue_version,
            )
            self._check_newest_record()
        except HanamiError:
            self.close()
            raise

    def append(self, batches: Sequence[Batch | PreparedBatch]) -> list[Commit | WrongVersionError]:
        """Write many batches in one durable transaction; see `EventLog.append`.

        Parameters
        ----------
        batches : sequence of Batch or PreparedBatch
        """
        self._check_open()
        if self._readonly:
            raise LogError(f"the log in {self._path} was opened for reading only")
        versions, self._versions = self._versions, {}
        head, self._head = self._head, None
        plan = self._plan(batches, head, versions)
        if plan.sealed:
            self._environment.ensure_room(_room_for(plan.sealed))
            self._write(plan)
        # Only after a success: after an error nobody knows, and the index is asked again.
        if len(versions) < _KNOWN_VERSION_COUNT_MAX:
            versions.update(plan.versions)
            self._versions = versions
        self._head = plan.head
        return plan.answers

    def _plan(
        self,
        batches: Sequence[Batch | PreparedBatch],
        head: Head | None,
        versions: dict[StreamId, StreamVersion],
    ) -> Plan:
        """Work out what to write, without asking LMDB for what the append before has said."""
        if head is not None:
            try:
                return plan_appends(batches, head, versions.__getitem__, self._codec)
            except KeyError:
                pass  # a stream that was not appended to lately
        with self._environment.reading() as txn:
            cursor = txn.cursor(self._databases.streams)

            def stream_version(stream: StreamId) -> StreamVersion:
                version = versions.get(stream)
                return version_at(cursor, stream) if version is None else version

            stored = unpack_head(txn.get(b"head", db=self._databases.meta))
            return plan_appends(batches, stored, stream_version, self._codec)

    def head(self) -> Head:
        """Return the newest position and hash."""
        self._check_open()
        with self._environment.reading() as txn:
            return unpack_head(txn.get(b"head", db=self._databases.meta))

    def hash_at(self, position: int) -> bytes:
        """Return the chain hash of a record; that before the first for position 0.

        Parameters
        ----------
        position : int

        Raises
        ------
        LogCorruptError
            There is no such record.
        """
        self._check_open()
        if position == 0:
            return EMPTY_HEAD.chain_hash
        with self._environment.reading() as txn:
            value = txn.get(NUMBER.pack(position), db=self._databases.records)
        if value is None:
            raise missing_record(position)
        return chain_hash_of(value)

    def stream_version(self, stream: StreamId) -> StreamVersion:
        """Return the number of events in a stream, 0 if there is none.

        Parameters
        ----------
        stream : StreamId
        """
        self._check_open()
        with self._environment.reading() as txn:
            return version_at(txn.cursor(self._databases.streams), stream)

    def read_stream(self, stream: StreamId, *, after_version: int = 0) -> Iterator[Record]:
        """Yield a stream's records in order, checked and decoded.

        Parameters
        ----------
        stream : StreamId
        after_version : int
        """
        version = after_version
        while True:
            self._check_open()
            with self._environment.reading() as txn:
                page = stream_page(txn, self._databases, stream, version)
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

    def streams(self, prefix: str = "") -> Iterator[tuple[StreamId, StreamVersion]]:
        """Yield the names and versions of all streams, sorted by name.

        Parameters
        ----------
        prefix : str
            Only streams whose names begin so.
        """
        after: StreamId | None = None
        while True:
            self._check_open()
            with self._environment.reading() as txn:
                page = index_page(txn, self._databases, after, prefix)
            if not page:
                return
            yield from page
            after = page[-1][0]

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

    def read_sized(self, *, after_position: int = 0) -> Iterator[tuple[Record, int]]:
        """Yield all records with the bytes they take, without their place in the index.

        Parameters
        ----------
        after_position : int
        """
        for first_position, values in self._pages(after_position):
            records = self._codec.decode_page(first_position, values)
            yield from zip(records, map(len, values), strict=True)

    def copy_to(self, path: Path) -> None:
        """Write a consistent copy of the log, as it is now, into an empty directory.

        Parameters
        ----------
        path : Path
        """
        self._check_open()
        self._environment.copy_to(path)

    def used_bytes(self) -> int:
        """Return the bytes of the file that are in use."""
        self._check_open()
        return self._environment.used_bytes()

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

    @property
    def _databases(self) -> Databases:
        """Handles that are good within the transaction that is open now."""
        return self._environment.databases

    def _write(self, plan: Plan) -> None:
        first = plan.sealed[0][0].position
        # Loops in C as far as they go: this runs once per group, for all its records.
        keys = list(map(NUMBER.pack, range(first, first + len(plan.sealed))))
        records = list(zip(keys, map(itemgetter(1), plan.sealed), strict=True))
        pack = NUMBER.pack
        names = [
            stream_key_prefix(record.stream) + pack(record.version) for record, _ in plan.sealed
        ]
        # In the order of the index: neighbours are put into a page that is found already.
        streams = sorted(zip(names, keys, strict=True))
        with self._environment.writing() as txn:
            _, added = txn.cursor(self._databases.records).putmulti(records, append=True)
            _, indexed = txn.cursor(self._databases.streams).putmulti(streams, overwrite=False)
            if added != len(records) or indexed != len(streams):
                raise LogCorruptError(
                    f"records after {first - 1} exist already, but the log names {first - 1} as "
                    "its newest; run a verification"
                )
            self._environment.put_catalogue_version(txn)
            txn.put(b"head", pack_head(plan.head), db=self._databases.meta)

    def _pages(self, after_position: int) -> Iterator[tuple[int, list[bytes]]]:
        """Yield (first position, values) of consecutive records, complete up to the head."""
        position = after_position
        while True:
            self._check_open()
            with self._environment.reading() as txn:
                head = unpack_head(txn.get(b"head", db=self._databases.meta))
                values = record_page(txn, self._databases, position, head)
            if not values:
                return
            yield position + 1, values
            position += len(values)

    def _check_newest_record(self) -> None:
        with self._environment.reading() as txn:
            head = unpack_head(txn.get(b"head", db=self._databases.meta))
            cursor = txn.cursor(self._databases.records)
            key, value = cursor.item() if cursor.last() else (NUMBER.pack(0), b"")
        position = NUMBER.unpack(key)[0]
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


def _room_for(sealed: Sequence[tuple[Record, bytes]]) -> int:
    size_bytes = sum(len(value) for _, value in sealed)
    return _ROOM_FACTOR * size_bytes + len(sealed) * _ROOM_PER_RECORD_BYTES + _ROOM_RESERVE_BYTES
