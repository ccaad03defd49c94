"""How LMDB is used here: its version, its locks, its errors in our words."""

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import lmdb

from hanami_actors.errors import LogError, StorageFullError
from hanami_actors.eventlog.directory import is_out_of_room

__all__ = ["DATA_NAME", "LIB_VERSION", "can_lock", "lmdb_errors"]

LIB_VERSION = 0
"""The engine of the 0.9 line: its data format is the one that every LMDB tool reads. Without the
pin a new log would follow an environment variable.
"""

DATA_NAME = "data.mdb"
"""Name of the file of an environment."""

# More than the largest record, so that a commit that failed for want of room is recognised.
_ROOM_PROBE_BYTES = 32 * 2**20


@contextmanager
def lmdb_errors(path: Path) -> Iterator[None]:
    """Turn errors of LMDB into ours.

    Parameters
    ----------
    path : Path
        The directory of the log, for the sentence.
    """
    try:
        yield
    except lmdb.MapFullError as error:
        raise StorageFullError(
            f"the map of {path} is full; raise its limit (nothing was written)"
        ) from error
    except lmdb.Error as error:
        code = getattr(error, "code", None)
        # LMDB reports a write that the disk cut short as an I/O error.
        if is_out_of_room(code) or (code == errno.EIO and _is_room_gone(path / DATA_NAME)):
            raise StorageFullError(
                f"no room left for {path} ({error}); free some space and try again (nothing was "
                "written)"
            ) from error
        raise LogError(f"cannot use the log in {path}: {error}") from error


def can_lock(path: Path) -> bool:
    """Tell whether readers can announce themselves: not on copies and read-only file systems.

    Parameters
    ----------
    path : Path
        Directory of the log.
    """
    lock_path = path / "lock.mdb"
    return lock_path.exists() and os.access(lock_path, os.W_OK)


def _is_room_gone(data_path: Path) -> bool:
    """Tell a full disk from a broken one by asking for room, which is given back.

    Only after a failed commit, in the writer's thread: LMDB does not look at the size of the file.
    """
    fd = os.open(data_path, os.O_RDWR | os.O_CLOEXEC)
    try:
        size_bytes = os.fstat(fd).st_size
        os.posix_fallocate(fd, size_bytes, _ROOM_PROBE_BYTES)
        os.ftruncate(fd, size_bytes)
    except OSError as error:
        return is_out_of_room(error.errno)
    finally:
        os.close(fd)
    return False
