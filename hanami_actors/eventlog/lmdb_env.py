r"""The LMDB environment under the log: opening, what is refused, room, errors in our words.

Databases: ``records`` (position, big-endian u64 → record), ``streams`` (stream, ``\0``, version,
big-endian u64 → position) and ``meta``, which says which format and catalogue wrote the log and
holds the newest position and chain hash in a second place, so that a cut tail is found.
"""

import os
import struct
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import lmdb

from hanami_actors.errors import (
    HanamiError,
    LogCorruptError,
    LogError,
    LogLockedError,
    NewerSchemaError,
)
from hanami_actors.eventlog.codec import EMPTY_HEAD, FORMAT_VERSION, HASH_SIZE_BYTES
from hanami_actors.eventlog.directory import (
    DIRECTORY_MODE,
    FILE_MODE,
    fsync_directory,
    storage_errors,
)
from hanami_actors.eventlog.lmdb_errors import DATA_NAME, LIB_VERSION, can_lock, lmdb_errors
from hanami_actors.eventlog.port import Head
from hanami_actors.eventlog.read_write_lock import Gate
from hanami_actors.types import Position

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["Databases", "LmdbEnvironment", "pack_head", "unpack_head"]

_DATABASE_COUNT_MAX = 16
_READER_COUNT_MAX = 510
_HEAD = struct.Struct(f">Q{HASH_SIZE_BYTES}s")
_VERSION = struct.Struct(">I")
_GROW_STEP_BYTES = 2**20
_MARKER_NAME = "FORMAT"
_MARKER_TEXT = f"hanami_actors event log, format {FORMAT_VERSION}\n"


class Databases(NamedTuple):
    """Handles of the databases."""

    records: lmdb._Database
    streams: lmdb._Database
    meta: lmdb._Database


def pack_head(head: Head) -> bytes:
    """Return a head as stored.

    Parameters
    ----------
    head : Head
    """
    return _HEAD.pack(head.position, head.chain_hash)


def unpack_head(value: bytes | None) -> Head:
    """Return a stored head; raises LogCorruptError if it is none.

    Parameters
    ----------
    value : bytes or None
    """
    if value is None or len(value) != _HEAD.size:
        raise LogCorruptError(
            "the log has no entry for its newest record; restore the directory from a backup"
        )
    position, chain_hash = _HEAD.unpack(value)
    return Head(position=Position(position), chain_hash=chain_hash)


class LmdbEnvironment:
    """An opened and checked environment, and the gate that keeps readers out while it grows.

    Parameters
    ----------
    path : Path
        The directory of the log.
    map_size_bytes : int
        Address space to reserve; grows when needed.
    map_size_max_bytes : int
        Where growing ends.
    sync : bool
        False leaves flushing to the operating system.
    readonly : bool
        Never changes a byte; a live log is read under LMDB's own reader lock, a copy without.
    catalogue_version : int
        Newest catalogue this program can read.
    """

    def __init__(
        self,
        path: Path,
        *,
        map_size_bytes: int,
        map_size_max_bytes: int,
        sync: bool,
        readonly: bool,
        catalogue_version: int,
    ) -> None:
        self.path = path
        self._map_size_max_bytes = map_size_max_bytes
        self._sync = sync
        self._readonly = readonly
        self._catalogue_version = catalogue_version
        self._gate = Gate()
        self._data_path = path / DATA_NAME
        self._check_files()
        self._start(0 if readonly else map_size_bytes)

    def _start(self, map_size_bytes: int) -> None:
        with lmdb_errors(self.path):
            self._env = self._open(map_size_bytes)
        try:
            with lmdb_errors(self.path):
                self._check_length()
                self.databases = self._open_databases()
                self._check_versions()
                if not self._readonly:
                    self._env.reader_check()
        except (HanamiError, lmdb.Error):
            self._env.close()
            raise

    @contextmanager
    def reading(self) -> "Iterator[lmdb.Transaction[bytes]]":
        """Run a short read transaction; for any thread, never nested, never across a yield."""
        with self._transaction(write=False) as txn, txn:
            yield txn

    @contextmanager
    def writing(self) -> "Iterator[lmdb.Transaction[bytes]]":
        """Run a write transaction that is durable on leaving; for the writer's thread alone."""
        with self._transaction(write=True) as txn:
            try:
                yield txn
                txn.commit()
            finally:
                txn.abort()  # does nothing after a commit

    @contextmanager
    def _transaction(self, *, write: bool) -> "Iterator[lmdb.Transaction[bytes]]":
        """Begin a transaction; the environment stays as it is until it has ended."""
        with lmdb_errors(self.path):
            while True:
                env = self._env
                with self._gate.shared():
                    try:
                        txn = env.begin(write=write)
                    except (lmdb.MapResizedError, lmdb.PanicError) as error:
                        obstacle = error
                    else:
                        yield txn
                        return
                with self._gate.exclusive():
                    self._overcome(obstacle, env)

    def _overcome(self, obstacle: lmdb.Error, env: lmdb.Environment) -> None:
        """Make it possible to begin again, while nobody else uses the environment."""
        if isinstance(obstacle, lmdb.MapResizedError):
            # Another process has grown the map.
            env.set_mapsize(0)
        elif env is self._env:
            # A meta page could not be written: LMDB wants to be opened again, and then finds the
            # newest state that is whole.
            map_size_bytes = self.map_size_bytes()
            env.close()
            self._start(map_size_bytes)

    def ensure_room(self, size_bytes: int) -> None:
        """Grow the map until the bytes surely fit, as far as the limit lets it.

        Called by the writer between transactions; waits for readers to leave. Pages that LMDB
        could use again are not counted, so a full map shows only in the write itself.

        Parameters
        ----------
        size_bytes : int
        """
        # A reader of another process that was killed keeps its place: until it is taken away, no
        # page that an append frees can be used again.
        with lmdb_errors(self.path):
            self._env.reader_check()
        info = self._env.info()
        used_bytes = (info["last_pgno"] + 1) * self._page_size_bytes
        needed_bytes = used_bytes + size_bytes
        current_bytes = info["map_size"]
        if needed_bytes <= current_bytes or current_bytes >= self._map_size_max_bytes:
            return
        wanted_bytes = -(-max(2 * current_bytes, needed_bytes) // _GROW_STEP_BYTES)
        wanted_bytes = min(wanted_bytes * _GROW_STEP_BYTES, self._map_size_max_bytes)
        with lmdb_errors(self.path), self._gate.exclusive():
            self._env.set_mapsize(wanted_bytes)

    def copy_to(self, path: Path) -> None:
        """Write a consistent, compacted copy of the newest state into an empty directory.

        Parameters
        ----------
        path : Path
        """
        with lmdb_errors(self.path), self._gate.shared():
            self._env.copy(str(path), compact=True)

    def used_bytes(self) -> int:
        """Return how many bytes of the file are in use; the rest is free for what comes."""
        info, used = self._env.info(), 0
        with self.reading() as txn:
            for database in self.databases:
                stat = txn.stat(database)
                used += stat["leaf_pages"] + stat["branch_pages"] + stat["overflow_pages"]
        return min(used, int(info["last_pgno"]) + 1) * self._page_size_bytes

    def map_size_bytes(self) -> int:
        """Return the size of the map now."""
        return int(self._env.info()["map_size"])

    def close(self) -> None:
        """Wait for readers to leave, then release everything."""
        with self._gate.exclusive():
            self._env.close()

    def _check_files(self) -> None:
        """Refuse what LMDB would take for a new environment, or would crash on."""
        with storage_errors(f"the log directory {self.path}"):
            size_bytes = self._data_path.stat().st_size if self._data_path.exists() else 0
            was_log = (self.path / _MARKER_NAME).exists()
        if size_bytes:
            return
        if was_log:
            raise LogCorruptError(
                f"{self._data_path} is missing or empty, but {self.path} has held a log; restore "
                "the file from a backup"
            )
        if self._readonly:
            raise LogError(f"there is no event log in {self.path}; check the path")

    def _open(self, map_size_bytes: int) -> lmdb.Environment:
        # Where there is no lock to take none may be made.
        lock = not self._readonly or can_lock(self.path)
        try:
            return lmdb.open(
                str(self.path),
                map_size=map_size_bytes,
                readonly=self._readonly,
                sync=self._sync,
                metasync=self._sync,
                mode=DIRECTORY_MODE,
                create=False,
                max_readers=_READER_COUNT_MAX,
                max_dbs=_DATABASE_COUNT_MAX,
                max_spare_txns=1,
                lock=lock,
                lib_version=LIB_VERSION,
            )
        except (lmdb.InvalidError, lmdb.VersionMismatchError) as error:
            raise LogError(
                f"{self._data_path} is not an event log of this version: {error}"
            ) from error
        except lmdb.Error as error:
            if "already open in this process" in str(error):
                raise LogLockedError(
                    f"the log in {self.path} is already open in this process; use that one"
                ) from error
            raise

    def _check_length(self) -> None:
        """Touching a mapped page behind the end of the file would kill the process."""
        info = self._env.info()
        self._page_size_bytes = int(self._env.stat()["psize"])
        needed_bytes = (info["last_pgno"] + 1) * self._page_size_bytes
        size_bytes = self._data_path.stat().st_size
        # A new environment has its two meta pages only once something is written.
        if info["last_txnid"] and size_bytes < needed_bytes:
            raise LogCorruptError(
                f"{self._data_path} is cut off: it has {size_bytes} bytes, its newest state needs "
                f"{needed_bytes}; restore it from a backup"
            )

    def _open_databases(self) -> Databases:
        if not self._env.info()["last_txnid"]:
            if self._readonly:
                raise LogError(f"there is no event log in {self.path}; check the path")
            self._create_databases()
        try:
            databases = Databases(
                *(self._env.open_db(name.encode(), create=False) for name in Databases._fields)
            )
        except lmdb.NotFoundError as error:
            raise LogError(
                f"{self._data_path} is an LMDB file, but not an event log; choose another directory"
            ) from error
        if not self._readonly:
            self._write_marker()
        return databases

    def _create_databases(self) -> None:
        with self._env.begin(write=True) as txn:
            handles = [self._env.open_db(name.encode(), txn=txn) for name in Databases._fields]
            meta = handles[-1]
            txn.put(b"format_version", _VERSION.pack(FORMAT_VERSION), db=meta)
            txn.put(b"catalogue_version", _VERSION.pack(self._catalogue_version), db=meta)
            txn.put(b"head", pack_head(EMPTY_HEAD), db=meta)
        with storage_errors(f"the log directory {self.path}"):
            fsync_directory(self.path)

    def _write_marker(self) -> None:
        """Leave a sign that a log was here, should its file vanish or lose everything."""
        marker = self.path / _MARKER_NAME
        if marker.exists():
            return
        with storage_errors(f"the file {marker}"):
            fd = os.open(marker, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, FILE_MODE)
            try:
                os.write(fd, _MARKER_TEXT.encode())
                os.fsync(fd)
            finally:
                os.close(fd)
            fsync_directory(self.path)

    def _check_versions(self) -> None:
        with self._env.begin(db=self.databases.meta) as txn:
            stored_format = _unpack_version(txn.get(b"format_version"), "format")
            stored_catalogue = _unpack_version(txn.get(b"catalogue_version"), "catalogue")
        for kind, stored, known in (
            ("format", stored_format, FORMAT_VERSION),
            ("catalogue", stored_catalogue, self._catalogue_version),
        ):
            if stored > known:
                raise NewerSchemaError(
                    f"the log in {self.path} was written with {kind} version {stored}, this "
                    f"program knows {kind} versions up to {known}; use a newer program (nothing "
                    "was changed)"
                )
        self.stored_catalogue_version = stored_catalogue

    def put_catalogue_version(self, txn: "lmdb.Transaction[bytes]") -> None:
        """Note, with the first events of a newer program, that older ones cannot read on.

        Parameters
        ----------
        txn : "lmdb.Transaction[bytes]"
        """
        if self.stored_catalogue_version < self._catalogue_version:
            version = _VERSION.pack(self._catalogue_version)
            txn.put(b"catalogue_version", version, db=self.databases.meta)


def _unpack_version(value: bytes | None, kind: str) -> int:
    if value is None or len(value) != _VERSION.size:
        raise LogCorruptError(f"the log does not say its {kind} version; restore it from a backup")
    return int(_VERSION.unpack(value)[0])
