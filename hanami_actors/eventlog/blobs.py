"""Bytes of datasets, samples and networks: files named by the digest of what is in them.

A blob is written to a temporary file, flushed, and only then renamed to its name, so a name
always means complete and right bytes. It is durable before the event that names it.

Several processes write into one store (files are imported in children). Each temporary file is
locked by its writer, and the kernel drops the lock when the writer dies: whoever opens the store
removes the files that nobody holds.
"""

import fcntl
import hashlib
import io
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Self

from hanami_actors.errors import BlobMissingError, FaultError
from hanami_actors.eventlog.directory import (
    DIRECTORY_MODE,
    FILE_MODE,
    fsync_directory,
    make_private_directory,
    storage_errors,
)
from hanami_actors.types import ByteCount, Digest

__all__ = ["DIGEST_SIZE_BYTES", "BlobStore", "BlobWriter"]

DIGEST_SIZE_BYTES = 32

_DIGEST_LEN = 2 * DIGEST_SIZE_BYTES
_DIGEST_CHARACTERS = frozenset("0123456789abcdef")
_TEMPORARY_NAME = "tmp"
# Large enough that hashing runs almost all of the time without the interpreter's lock.
_CHUNK_SIZE_BYTES = 2**20


class BlobWriter:
    """Bytes on their way to becoming a blob; leaves nothing unless `finish` is reached.

    Use as a context manager, from one thread at a time. Made by `BlobStore.create`.

    Parameters
    ----------
    store : BlobStore
    temporary_directory : Path
    """

    def __init__(self, store: "BlobStore", temporary_directory: Path) -> None:
        self._store = store
        with storage_errors(f"the blob directory {temporary_directory}"):
            self._file, self._path = _open_locked(temporary_directory)
        self._hasher = hashlib.blake2b(digest_size=DIGEST_SIZE_BYTES)
        self.size_bytes = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        error_type: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if not self._file.closed:
            self._file.close()
            self._path.unlink(missing_ok=True)

    def write(self, buffer: bytes | bytearray | memoryview) -> None:
        """Add bytes at the end.

        Parameters
        ----------
        buffer : bytes-like, contiguous

        Raises
        ------
        StorageFullError
            The disk is full; the blob cannot be finished.
        """
        view = memoryview(buffer).cast("B")
        self._hasher.update(view)
        self.size_bytes += len(view)
        with storage_errors(f"a blob in {self._store.path_of_directory}"):
            while view:
                view = view[self._file.write(view) :]

    def finish(self) -> Digest:
        """Make the blob durable under its digest and return that."""
        digest = Digest(self._hasher.hexdigest())
        with storage_errors(f"a blob in {self._store.path_of_directory}"):
            os.fsync(self._file.fileno())
        self._store.place(self._path, digest)
        self._file.close()
        return digest


class BlobStore:
    """A directory of blobs; every method may be called from any thread.

    Parameters
    ----------
    directory : Path
        Made if it is missing, mode 0700.
    readonly : bool
        Only look: makes nothing and cleans nothing. For tools beside a running server.
    """

    def __init__(self, directory: Path, *, readonly: bool = False) -> None:
        self.path_of_directory = Path(directory)
        self._temporary = self.path_of_directory / _TEMPORARY_NAME
        if readonly:
            return
        make_private_directory(self._temporary)
        with storage_errors(f"the blob directory {self.path_of_directory}"):
            self.path_of_directory.chmod(DIRECTORY_MODE)
            for leftover in self._temporary.iterdir():
                _remove_if_left(leftover)

    def create(self) -> BlobWriter:
        """Begin a new blob."""
        return BlobWriter(self, self._temporary)

    def put(self, data: bytes | bytearray | memoryview) -> Digest:
        """Store bytes that are in memory and return their digest.

        Parameters
        ----------
        data : bytes-like
        """
        with self.create() as writer:
            writer.write(data)
            return writer.finish()

    def adopt(self, path: Path) -> Digest:
        """Take a finished file of the same file system into the store, without copying it.

        The caller has stopped writing to it. Afterwards ``path`` is gone.

        Parameters
        ----------
        path : Path

        Raises
        ------
        LogError
            The file cannot be read, or lies on another file system; it stays where it is.
        """
        hasher = hashlib.blake2b(digest_size=DIGEST_SIZE_BYTES)
        chunk = memoryview(bytearray(_CHUNK_SIZE_BYTES))
        with storage_errors(f"the file {path}"), path.open("rb", buffering=0) as file:
            while size_bytes := file.readinto(chunk):
                hasher.update(chunk[:size_bytes])
            os.fchmod(file.fileno(), FILE_MODE)
            os.fsync(file.fileno())
        digest = Digest(hasher.hexdigest())
        self.place(path, digest)
        return digest

    def place(self, source: Path, digest: Digest) -> None:
        """Give a flushed file its name; for `BlobWriter` and `adopt`.

        Two writers of the same bytes may both do this: the second rename replaces a file by an
        equal one, and who has the first one open keeps it.

        Parameters
        ----------
        source : Path
        digest : Digest
        """
        target = self._target(digest)
        make_private_directory(target.parent)
        with storage_errors(f"the blob {digest}"), self._locked(fcntl.LOCK_SH):
            # Young from now on: `collect` leaves it alone until an event can have named it.
            os.utime(source)
            source.replace(target)
            fsync_directory(target.parent)

    def path(self, digest: Digest) -> Path:
        """Return the file of a blob, for reading and mapping only.

        Parameters
        ----------
        digest : Digest

        Raises
        ------
        BlobMissingError
        """
        target = self._target(digest)
        if not target.is_file():
            raise BlobMissingError(
                f"blob {digest} is not in {self.path_of_directory}; restore it from a backup"
            )
        return target

    def has(self, digest: Digest) -> bool:
        """Tell whether a blob is there.

        Parameters
        ----------
        digest : Digest
        """
        return _is_digest(digest) and self._target(digest).is_file()

    def size_bytes(self, digest: Digest) -> ByteCount:
        """Return the size of a blob; raises BlobMissingError.

        Parameters
        ----------
        digest : Digest
        """
        return ByteCount(self.path(digest).stat().st_size)

    def check(self, digest: Digest) -> None:
        """Read a blob and compare it with its name.

        Parameters
        ----------
        digest : Digest

        Raises
        ------
        BlobMissingError
        FaultError
            The bytes are not those that were stored.
        """
        with self.path(digest).open("rb") as file:
            actual = hashlib.file_digest(
                file, lambda: hashlib.blake2b(digest_size=DIGEST_SIZE_BYTES)
            ).hexdigest()
        if actual != digest:
            raise FaultError(
                f"blob {digest} is damaged: its bytes have digest {actual}; restore it from a "
                "backup"
            )

    def iterate(self) -> Iterator[Digest]:
        """Yield the digests of all blobs, sorted."""
        if not self.path_of_directory.is_dir():
            return
        for directory in sorted(self.path_of_directory.iterdir()):
            if len(directory.name) != 2 or not directory.is_dir():
                continue
            for file in sorted(directory.iterdir()):
                if _is_digest(file.name):
                    yield Digest(file.name)

    def delete(self, digest: Digest) -> None:
        """Remove a blob; one that is not there is no error, a crash may have come in between.

        Parameters
        ----------
        digest : Digest
        """
        with storage_errors(f"the blob {digest}"):
            self._target(digest).unlink(missing_ok=True)

    def stored_ns(self, digest: Digest) -> int:
        """Return the time of day at which a blob was stored for the last time, 0 if it has gone.

        Parameters
        ----------
        digest : Digest
        """
        try:
            return self._target(digest).stat().st_mtime_ns
        except FileNotFoundError:
            return 0

    def collect(self, digest: Digest, *, stored_ns: int) -> ByteCount:
        """Remove a blob that nothing names, unless it was stored again since; return its size.

        Parameters
        ----------
        digest : Digest
        stored_ns : int
            What `stored_ns` said when it was found out that nothing names it.
        """
        with storage_errors(f"the blob {digest}"), self._locked(fcntl.LOCK_EX):
            if self.stored_ns(digest) != stored_ns:
                return ByteCount(0)
            size_bytes = self.size_bytes(digest)
            self._target(digest).unlink()
        return size_bytes

    @contextmanager
    def _locked(self, how: int) -> Iterator[None]:
        """Keep collecting and storing apart, also in other processes."""
        descriptor = os.open(self._temporary, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            fcntl.flock(descriptor, how)
            yield
        finally:
            fcntl.flock(descriptor, fcntl.LOCK_UN)  # a child being started may have a copy
            os.close(descriptor)

    def _target(self, digest: Digest) -> Path:
        if not _is_digest(digest):
            raise BlobMissingError(
                f"{digest!r} is no digest: it must be {_DIGEST_LEN} lower-case hexadecimal digits"
            )
        return self.path_of_directory / digest[:2] / digest


def _open_locked(directory: Path) -> tuple[io.FileIO, Path]:
    """Open a new temporary file, mode 0600, that nobody takes for a leftover."""
    while True:
        fd, name = tempfile.mkstemp(dir=directory)
        file = io.FileIO(fd, "wb")
        fcntl.flock(fd, fcntl.LOCK_EX)
        # Another process may have found the file before it was locked, and removed it.
        if os.fstat(fd).st_nlink:
            return file, Path(name)
        file.close()


def _remove_if_left(path: Path) -> None:
    try:
        with path.open("rb") as file:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            path.unlink()
    except (BlockingIOError, FileNotFoundError):
        pass  # its writer lives, or has just finished it


def _is_digest(text: str) -> bool:
    return len(text) == _DIGEST_LEN and _DIGEST_CHARACTERS.issuperset(text)
