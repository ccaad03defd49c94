"""The files of uploads: where they are, what is done to them, and what a crash leaves behind."""

import logging
import os
from contextlib import ExitStack
from pathlib import Path

from hanami_actors.domain.tables import Tables
from hanami_actors.errors import FaultError, StorageFullError
from hanami_actors.eventlog.directory import fsync_directory, storage_errors

__all__ = [
    "UploadFile",
    "import_path",
    "remove_leftovers",
    "remove_upload",
    "require_room",
    "require_share",
    "upload_path",
]

logger = logging.getLogger(__name__)

IMPORT_SUFFIX = ".import"


def upload_path(uploads_dir: Path, uuid: str) -> Path:
    """Return where the bytes of an upload are kept until they are imported."""
    return uploads_dir / uuid


def import_path(uploads_dir: Path, uuid: str) -> Path:
    """Return the second name an upload has while it is imported."""
    return uploads_dir / f"{uuid}{IMPORT_SUFFIX}"


def remove_upload(uploads_dir: Path, uuid: str) -> None:
    """Remove the file of a closed upload; one that stays is removed at the next start."""
    try:
        upload_path(uploads_dir, uuid).unlink(missing_ok=True)
    except OSError as error:
        logger.warning("the file of closed upload %s cannot be removed: %s", uuid, error)


def remove_leftovers(uploads_dir: Path, tables: Tables) -> None:
    """Remove what a crash left: files of closed uploads, and second names of all.

    Parameters
    ----------
    uploads_dir : Path
    tables : Tables
        Of the whole log, before any actor starts.
    """
    with storage_errors(f"the directory {uploads_dir}"):
        for path in uploads_dir.iterdir():
            if path.name not in tables.uploads and path.is_file():
                logger.info("removing %s, which belongs to no upload", path)
                path.unlink()


def require_room(
    uploads_dir: Path, needed_bytes: int, *, promised_bytes: int = 0, kept_bytes: int = 0
) -> None:
    """Refuse an upload that the disk has no room for now.

    Parameters
    ----------
    uploads_dir : Path
    needed_bytes : int
    promised_bytes : int
        What other uploads may still send.
    kept_bytes : int
        What uploads must leave free.

    Raises
    ------
    StorageFullError
    """
    with storage_errors(f"the directory {uploads_dir}"):
        disk = os.statvfs(uploads_dir)
    free_bytes = disk.f_bavail * disk.f_frsize
    usable_bytes = max(free_bytes - promised_bytes - kept_bytes, 0)
    if needed_bytes > usable_bytes:
        raise StorageFullError(
            f"the upload needs {needed_bytes} bytes, but only {usable_bytes} are free for it where"
            f" the server keeps its data ({free_bytes} on the disk, of which {promised_bytes} are"
            f" promised to other uploads and {kept_bytes} are kept free by the setting"
            " disk_free_min_bytes); free some space or upload less"
        )


def require_share(uploads_dir: Path, promised_bytes: int, *, share_max: float) -> None:
    """Refuse a user to reserve so much of the disk that nothing is left for the others.

    Parameters
    ----------
    uploads_dir : Path
    promised_bytes : int
        What the user has announced and not sent yet, with what he announces now.
    share_max : float
        Of the free space, 0 .. 1.

    Raises
    ------
    StorageFullError
    """
    with storage_errors(f"the directory {uploads_dir}"):
        disk = os.statvfs(uploads_dir)
    free_bytes = disk.f_bavail * disk.f_frsize
    if promised_bytes > free_bytes * share_max:
        raise StorageFullError(
            f"with this upload you would have announced {promised_bytes} bytes that are not sent yet;"
            f" a user may announce {share_max:.0%} of the {free_bytes} bytes that are free (setting"
            " upload_share_max); send what is announced first, or delete those data-sets"
        )


class UploadFile:
    """The open file of an upload, with the announced size from the start.

    Parameters
    ----------
    path : Path
    size_bytes : int
    is_begun : bool
        Whether bytes of it are recorded; then the file must be there.
    is_complete : bool
        A complete file is only read: an import may be giving its bytes to the blob store, where
        nothing ever changes.

    Raises
    ------
    FaultError
        Recorded bytes are gone.
    StorageFullError, LogError
        The file cannot be made or opened.
    """

    def __init__(self, path: Path, size_bytes: int, *, is_begun: bool, is_complete: bool) -> None:
        self._path = path
        self._descriptor = -1
        flags = os.O_CLOEXEC | (os.O_RDONLY if is_complete else os.O_RDWR)
        with storage_errors(f"the file of upload {path.name}"):
            if is_begun and not path.exists():
                raise self._lost()
            self._descriptor = os.open(path, flags if is_begun else flags | os.O_CREAT, 0o600)
            with ExitStack() as unless_usable:
                unless_usable.callback(self.close)
                if os.fstat(self._descriptor).st_size != size_bytes:
                    if is_begun:
                        raise self._lost()
                    os.ftruncate(self._descriptor, size_bytes)
                    fsync_directory(path.parent)
                unless_usable.pop_all()

    def write(self, data: bytes, position: int) -> None:
        """Write bytes where they belong; raises StorageFullError or LogError."""
        view = memoryview(data)
        with storage_errors(
            f"a chunk of upload {self._path.name}, of which nothing counts as sent"
        ):
            while view:
                written = os.pwrite(self._descriptor, view, position)
                position += written
                view = view[written:]

    def holds(self, data: bytes, position: int) -> bool:
        """Return whether exactly these bytes are there; raises LogError."""
        with storage_errors(f"the file of upload {self._path.name}"):
            return os.pread(self._descriptor, len(data), position) == data

    def sync(self) -> None:
        """Bring everything to the disk.

        Raises
        ------
        FaultError
            What was written since the last time may be lost: the system may have dropped it.
        """
        try:
            os.fdatasync(self._descriptor)
        except OSError as error:
            raise FaultError(
                f"the disk did not take the upload: {error.strerror}; send what is missing again"
            ) from error

    def close(self) -> None:
        """Close it; idempotent."""
        descriptor, self._descriptor = self._descriptor, -1
        if descriptor >= 0:
            os.close(descriptor)

    def _lost(self) -> FaultError:
        return FaultError(
            f"bytes of upload {self._path.name} that were received are gone from the disk;"
            " delete the data-set and upload it again"
        )
