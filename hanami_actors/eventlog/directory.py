"""The data directory: where things lie, who may read them, who owns it, what a full disk means.

::

    <data-dir>/            0700
      log/                 the LMDB environment, a format marker and the writer's lock
      blobs/               bytes named by their digest
      snapshots/           caches of computed states, and of the published tables
      uploads/             files on their way in
      audit/, idempotency/ journals that are kept for a while only
"""

import errno
import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from hanami_actors.errors import LogError, LogLockedError, StorageFullError

__all__ = [
    "DIRECTORY_MODE",
    "FILE_MODE",
    "LOCK_NAME",
    "DataDirectory",
    "DirectoryLock",
    "fsync_directory",
    "is_out_of_room",
    "make_private_directory",
    "storage_errors",
]

LOCK_NAME = "writer.lock"
"""Held by the one server that may write to the log beside it."""

DIRECTORY_MODE = 0o700
FILE_MODE = 0o600

# A file-size limit (ulimit -f) and a quota are, for the caller, the same as a full disk.
_FULL_ERRNOS = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})


class DataDirectory:
    """Names of the places inside a data directory; makes nothing by itself.

    Parameters
    ----------
    path : Path
        The directory given as ``--data-dir``.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.log = path / "log"
        self.blobs = path / "blobs"
        self.snapshots = path / "snapshots"

    def create(self) -> None:
        """Make the directories that are missing, readable by the owner alone.

        Raises
        ------
        LogError
            A directory cannot be made.
        """
        for directory in (self.path, self.log, self.blobs, self.snapshots):
            make_private_directory(directory)


class DirectoryLock:
    """Holds a directory for one writer, across processes and within one.

    The kernel drops the lock when the process ends, however it ends. The file stays: removing it
    would let two processes hold locks on two files of the same name.

    Parameters
    ----------
    path : Path
        The lock file; made if it is missing.

    Raises
    ------
    LogLockedError
        Another process, or another part of this one, holds it.
    """

    def __init__(self, path: Path) -> None:
        with storage_errors(f"the lock file {path}"):
            self._fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, FILE_MODE)
        try:
            fcntl.flock(self._fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = os.pread(self._fd, 32, 0).decode("ascii", "replace").strip()
            os.close(self._fd)
            self._fd = -1
            raise LogLockedError(
                f"another server (process {holder or 'unknown'}) uses {path.parent}; stop it, or "
                "choose another --data-dir"
            ) from None
        # Only told to whoever comes second: a full disk is no reason not to start.
        with suppress(OSError):
            os.ftruncate(self._fd, 0)
            os.pwrite(self._fd, f"{os.getpid()}\n".encode(), 0)

    def release(self) -> None:
        """Let others have the directory; idempotent."""
        if self._fd >= 0:
            # Said, not left to the close: a child process that is just being started has a copy
            # of the descriptor until it becomes its own program.
            fcntl.flock(self._fd, fcntl.LOCK_UN)
            os.close(self._fd)
            self._fd = -1


def make_private_directory(path: Path) -> None:
    """Make a directory and its parents if missing; the new directory has mode 0700.

    Parameters
    ----------
    path : Path
    """
    with storage_errors(f"the directory {path}"):
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.mkdir(mode=DIRECTORY_MODE)
        except FileExistsError:
            if path.is_dir():
                return
            file = path if path.exists() else path.parent
            raise LogError(
                f"{file} is a file and no directory; choose another --data-dir, or move it away"
            ) from None
        fsync_directory(path.parent)


def fsync_directory(path: Path) -> None:
    """Make the names in a directory durable.

    Parameters
    ----------
    path : Path
    """
    fd = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)


def is_out_of_room(code: int | None) -> bool:
    """Tell whether an ``errno`` means that there is no room, not that something broke.

    Parameters
    ----------
    code : int or None
    """
    return code in _FULL_ERRNOS


@contextmanager
def storage_errors(what: str) -> Iterator[None]:
    """Turn errors of the file system into ours.

    Parameters
    ----------
    what : str
        What was being read or written, for the sentence.

    Raises
    ------
    StorageFullError
        There is no room.
    LogError
        Anything else: permissions, a read-only file system, a failing disk.
    """
    try:
        yield
    except OSError as error:
        if is_out_of_room(error.errno):
            raise StorageFullError(
                f"no room left for {what} ({error.strerror}); free some space and try again"
            ) from error
        raise LogError(f"cannot use {what}: {error.strerror or error}") from error
