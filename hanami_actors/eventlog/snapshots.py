r"""States that were computed once and need not be computed again.

Snapshots are caches: any of them may be missing or damaged, that is noticed, and whoever wanted
one goes on from an older one or from the start. A file is a header and the payload::

    0    8  magic ``HANASNAP``
    8    4  version of this layout
    12   8  length of the payload
    20  32  BLAKE2b-256 of stream, ``\0``, name, ``\0``, payload

The digest covers the names too, so that a file in the wrong place is not taken for another one.
"""

import hashlib
import os
import struct
import tempfile
from pathlib import Path
from urllib.parse import quote, unquote

from hanami_actors.errors import LogError, SnapshotDamagedError
from hanami_actors.eventlog.directory import (
    fsync_directory,
    make_private_directory,
    storage_errors,
)
from hanami_actors.types import StreamId, Uuid

__all__ = [
    "SnapshotStore",
    "cycle_snapshot_name",
    "parse_cycle_name",
    "version_snapshot_name",
]

_MAGIC = b"HANASNAP"
_FORMAT_VERSION = 1
_DIGEST_SIZE_BYTES = 32
_HEADER = struct.Struct(f">8sIQ{_DIGEST_SIZE_BYTES}s")
_TEMPORARY_PREFIX = ".tmp-"
_FILE_NAME_MAX_BYTES = 255


def cycle_snapshot_name(task_uuid: Uuid, cycle: int) -> str:
    """Return the name of a moment within a task; names of one task sort by cycle.

    Parameters
    ----------
    task_uuid : Uuid
    cycle : int
    """
    return f"task-{task_uuid}-{cycle:020d}"


def parse_cycle_name(name: str) -> tuple[str, int] | None:
    """Return task and cycle of a name that `cycle_snapshot_name` made, None for another.

    Parameters
    ----------
    name : str
    """
    stem, _, cycle = name.rpartition("-")
    kind, _, task_uuid = stem.partition("-")
    return (task_uuid, int(cycle)) if kind == "task" and cycle.isdecimal() else None


def version_snapshot_name(version: int) -> str:
    """Return the name of a moment that is a stream version; the names sort by version.

    Parameters
    ----------
    version : int
    """
    return f"version-{version:020d}"


class SnapshotStore:
    """A directory of snapshots; every method may be called from any thread.

    Parameters
    ----------
    directory : Path
        Made if it is missing, mode 0700.
    readonly : bool
        Only look: makes nothing and cleans nothing.
    """

    def __init__(self, directory: Path, *, readonly: bool = False) -> None:
        self.path_of_directory = Path(directory)
        if readonly:
            return
        make_private_directory(self.path_of_directory)
        with storage_errors(f"the snapshot directory {self.path_of_directory}"):
            for leftover in self.path_of_directory.glob(f"*/{_TEMPORARY_PREFIX}*"):
                leftover.unlink(missing_ok=True)

    def put(self, stream: StreamId, name: str, payload: bytes) -> None:
        """Store a snapshot durably; an older one of the same name is replaced.

        Parameters
        ----------
        stream : StreamId
        name : str
            See `cycle_snapshot_name` and `version_snapshot_name`.
        payload : bytes

        Raises
        ------
        StorageFullError
            Nothing is stored; an older snapshot of the name is still there.
        """
        target = self._target(stream, name)
        make_private_directory(target.parent)
        header = _HEADER.pack(_MAGIC, _FORMAT_VERSION, len(payload), _digest(stream, name, payload))
        with storage_errors(f"a snapshot of {stream}"):
            fd, temporary = tempfile.mkstemp(prefix=_TEMPORARY_PREFIX, dir=target.parent)
            try:
                with os.fdopen(fd, "wb") as file:
                    file.write(header)
                    file.write(payload)
                    file.flush()
                    os.fsync(file.fileno())
                Path(temporary).replace(target)
            except OSError:
                Path(temporary).unlink(missing_ok=True)
                raise
            fsync_directory(target.parent)

    def streams(self) -> list[StreamId]:
        """Return the streams that have a directory of snapshots, sorted."""
        if not self.path_of_directory.is_dir():
            return []
        names = (path.name for path in self.path_of_directory.iterdir() if path.is_dir())
        return sorted(StreamId(unquote(name)) for name in names)

    def size_bytes(self, stream: StreamId, name: str) -> int:
        """Return the size of a snapshot's file, 0 if it has gone.

        Parameters
        ----------
        stream : StreamId
        name : str
        """
        try:
            return self._target(stream, name).stat().st_size
        except FileNotFoundError:
            return 0

    def is_older(self, stream: StreamId, name: str, time_s: float) -> bool:
        """Tell whether a snapshot was stored before a time of day; False if it has gone.

        Parameters
        ----------
        stream : StreamId
        name : str
        time_s : float
        """
        try:
            return self._target(stream, name).stat().st_mtime < time_s
        except FileNotFoundError:
            return False

    def names(self, stream: StreamId) -> list[str]:
        """Return the names of a stream's snapshots, sorted; whether they hold shows in `load`.

        Parameters
        ----------
        stream : StreamId
        """
        try:
            files = [file.name for file in self._stream_directory(stream).iterdir()]
        except FileNotFoundError:
            # Never there, or removed by another thread at this moment.
            return []
        return sorted(unquote(name) for name in files if not name.startswith(_TEMPORARY_PREFIX))

    def load(self, stream: StreamId, name: str) -> bytes:
        """Return the payload of a snapshot that holds.

        Parameters
        ----------
        stream : StreamId
        name : str

        Raises
        ------
        SnapshotDamagedError
            It is missing, cut off, changed, or of an unknown layout: skip it.
        """
        what = f"snapshot {name!r} of {stream!r}"
        try:
            content = self._target(stream, name).read_bytes()
        except OSError as error:
            raise SnapshotDamagedError(f"{what} cannot be read: {error.strerror}") from error
        if len(content) < _HEADER.size:
            raise SnapshotDamagedError(f"{what} is cut off: it has {len(content)} bytes")
        magic, version, size_bytes, digest = _HEADER.unpack_from(content)
        payload = content[_HEADER.size :]
        if magic != _MAGIC or version != _FORMAT_VERSION:
            raise SnapshotDamagedError(f"{what} has an unknown layout")
        if len(payload) != size_bytes:
            raise SnapshotDamagedError(
                f"{what} has {len(payload)} bytes, its header says {size_bytes}"
            )
        if _digest(stream, name, payload) != digest:
            raise SnapshotDamagedError(f"{what} is damaged: its digest does not hold")
        return payload

    def delete(self, stream: StreamId, name: str) -> None:
        """Remove a snapshot if it is there.

        Parameters
        ----------
        stream : StreamId
        name : str
        """
        with storage_errors(f"a snapshot of {stream}"):
            self._target(stream, name).unlink(missing_ok=True)

    def delete_stream(self, stream: StreamId) -> None:
        """Remove all snapshots of a stream.

        Parameters
        ----------
        stream : StreamId
        """
        directory = self._stream_directory(stream)
        with storage_errors(f"the snapshots of {stream}"):
            if not directory.is_dir():
                return
            for file in directory.iterdir():
                file.unlink(missing_ok=True)
            directory.rmdir()

    def _stream_directory(self, stream: StreamId) -> Path:
        return self.path_of_directory / _file_name(stream)

    def _target(self, stream: StreamId, name: str) -> Path:
        return self._stream_directory(stream) / _file_name(name)


def _file_name(text: str) -> str:
    """Return a name that is one component of a path and never hidden, ``.`` or ``..``."""
    name = quote(text, safe="").replace(".", "%2E")
    if not name or len(name) > _FILE_NAME_MAX_BYTES:
        raise LogError(
            f"{text!r} cannot name a snapshot: it must have 1 to {_FILE_NAME_MAX_BYTES} "
            "characters, escaped ones count three"
        )
    return name


def _digest(stream: StreamId, name: str, payload: bytes) -> bytes:
    hasher = hashlib.blake2b(f"{stream}\0{name}\0".encode(), digest_size=_DIGEST_SIZE_BYTES)
    hasher.update(payload)
    return hasher.digest()
