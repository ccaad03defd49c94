"""A copy of a data directory that a server can start from, made while the server runs.

The order makes it whole without stopping anybody: first the blobs, which never change; then the
log, which LMDB copies as it is at one moment; then the blobs and uploads that this log names and
that were not there before. What was removed in between is noticed, and the log is copied again.
"""

import errno
import hashlib
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from hanami_actors.domain.tables import Tables
from hanami_actors.errors import BlobMissingError, FaultError, HanamiError, LogError
from hanami_actors.eventlog.blobs import DIGEST_SIZE_BYTES, BlobStore
from hanami_actors.eventlog.directory import (
    FILE_MODE,
    DataDirectory,
    fsync_directory,
    make_private_directory,
    storage_errors,
)
from hanami_actors.eventlog.journal import journal_segments
from hanami_actors.eventlog.lmdb_log import LmdbEventLog
from hanami_actors.eventlog.snapshots import SnapshotStore
from hanami_actors.eventlog.verify import fold_all
from hanami_actors.types import Digest

__all__ = ["BackupReport", "back_up"]

ATTEMPTS_MAX = 5
KEPT_FILES = ("token.key", "hanami.toml")
UPLOADS_NAME = "uploads"
_CHUNK_BYTES = 2**20


class BackupReport(NamedTuple):
    """What is in a backup.

    Attributes
    ----------
    position : int
        Newest record.
    blob_count, snapshot_count, upload_count : int
    size_bytes : int
        Of all files.
    damaged : tuple of str
        Blobs that are missing or damaged in the original too; each as a sentence.
    """

    position: int
    blob_count: int
    snapshot_count: int
    upload_count: int
    size_bytes: int
    damaged: tuple[str, ...]


def back_up(
    source: DataDirectory, target: Path, progress: Callable[[str], None] = lambda _: None
) -> BackupReport:
    """Copy a data directory; the target appears only when it is complete.

    Parameters
    ----------
    source : DataDirectory
        Of a server that may run.
    target : Path
        Must not exist yet, or be empty.
    progress : callable
        Told what is being copied.

    Raises
    ------
    LogError
        The target is in use, or the source cannot be read.
    StorageFullError
    """
    if target.exists() and (not target.is_dir() or any(target.iterdir())):
        raise LogError(f"{target} is there already; name a directory that does not exist")
    partial = target.with_name(f"{target.name}.partial")
    if partial.exists():
        raise LogError(
            f"{partial} is left of a backup that did not end; remove it, or choose another name"
        )
    log = LmdbEventLog(source.log, readonly=True)
    try:
        report = _Backup(source, log, DataDirectory(partial), progress).run()
    except (HanamiError, KeyboardInterrupt):
        shutil.rmtree(partial, ignore_errors=True)
        raise
    finally:
        log.close()
    with storage_errors(f"the directory {target}"):
        partial.replace(target)
        fsync_directory(target.parent)
    return report


class _Backup:
    def __init__(
        self,
        source: DataDirectory,
        log: LmdbEventLog,
        target: DataDirectory,
        progress: Callable[[str], None],
    ) -> None:
        self._source = source
        self._log = log
        self._target = target
        self._progress = progress
        self._blobs = BlobStore(source.blobs, readonly=True)
        self._damaged: dict[str, str] = {}

    def run(self) -> BackupReport:
        self._target.create()
        make_private_directory(self._target.path / UPLOADS_NAME)
        for digest in self._blobs.iterate():
            self._copy_blob(digest)
        position, uploads = self._copy_together()
        snapshot_count = self._copy_snapshots()
        self._copy_journals()
        self._copy_small_files()
        return BackupReport(
            position=position,
            blob_count=sum(1 for _ in BlobStore(self._target.blobs, readonly=True).iterate()),
            snapshot_count=snapshot_count,
            upload_count=len(uploads),
            size_bytes=_size_bytes(self._target.path),
            damaged=tuple(self._damaged.values()),
        )

    def _copy_together(self) -> tuple[int, list[str]]:
        """Copy a log and the uploads that are open in it; return its position and their names."""
        for _ in range(ATTEMPTS_MAX):
            position, tables = self._copy_log()
            uploads = sorted(tables.uploads)
            if all(self._copy_upload(uuid) for uuid in uploads):
                return position, uploads
        raise LogError("uploads come and go faster than they can be copied; try again")

    def _copy_log(self) -> tuple[int, Tables]:
        """Copy the log and the blobs it names; return its newest position and its tables."""
        self._progress("the log")
        with storage_errors(f"the directory {self._target.log}"):
            for path in self._target.log.iterdir():
                path.unlink()
        self._log.copy_to(self._target.log)
        _copy_private(self._source.log / "FORMAT", self._target.log / "FORMAT")
        with storage_errors(f"the log in {self._target.log}"):
            _sync(self._target.log / "data.mdb")
            (self._target.log / "data.mdb").chmod(FILE_MODE)
        copy = LmdbEventLog(self._target.log, readonly=True)
        try:
            folded = fold_all(copy)
            position = copy.head().position
        finally:
            copy.close()
        for digest in folded.holdings.holders():
            self._copy_blob(Digest(digest))
        return position, folded.tables

    def _copy_blob(self, digest: Digest) -> None:
        path = self._target.blobs / digest[:2] / digest
        if path.exists() or digest in self._damaged:
            return
        self._progress(f"blob {digest[:12]}")
        try:
            source = self._blobs.path(digest)
        except BlobMissingError as error:
            self._damaged[digest] = error.message
            return
        make_private_directory(path.parent)
        try:
            _copy_checked(source, path, digest)
        except FaultError as error:
            self._damaged[digest] = error.message

    def _copy_upload(self, uuid: str) -> bool:
        """Copy what is there of an upload; return whether it was still there."""
        source = self._source.path / UPLOADS_NAME / uuid
        self._progress(f"upload {uuid}")
        with storage_errors(f"the file of upload {uuid}"):
            try:
                _copy_sparse(source, self._target.path / UPLOADS_NAME / uuid)
            except FileNotFoundError:
                return False
        return True

    def _copy_snapshots(self) -> int:
        """Copy the snapshots that hold; what has gone meanwhile is only a lost shortcut."""
        store = SnapshotStore(self._source.snapshots, readonly=True)
        copies = SnapshotStore(self._target.snapshots)
        count = 0
        for stream in store.streams():
            self._progress(f"snapshots of {stream}")
            for name in store.names(stream):
                try:
                    payload = store.load(stream, name)
                except FaultError:
                    continue
                copies.put(stream, name, payload)
                count += 1
        return count

    def _copy_journals(self) -> None:
        """Copy the notes about calls; a part that is beyond its retention may have gone."""
        for source in journal_segments(self._source.path):
            self._progress(f"the journal {source.parent.name}")
            target = self._target.path / source.relative_to(self._source.path)
            make_private_directory(target.parent)
            make_private_directory(target)
            try:
                segment = LmdbEventLog(source, readonly=True)
            except LogError as error:
                if source.exists():
                    self._damaged[str(source)] = error.message
                continue
            try:
                segment.copy_to(target)
            finally:
                segment.close()
            _copy_private(source / "FORMAT", target / "FORMAT")
            (target / "data.mdb").chmod(FILE_MODE)
            _sync(target / "data.mdb")

    def _copy_small_files(self) -> None:
        for name in KEPT_FILES:
            source, target = self._source.path / name, self._target.path / name
            if source.exists():
                _copy_private(source, target)
        with storage_errors(f"the directory {self._target.path}"):
            for directory in self._target.path.rglob("*/"):
                fsync_directory(directory)


def _copy_checked(source: Path, target: Path, digest: str) -> None:
    hasher = hashlib.blake2b(digest_size=DIGEST_SIZE_BYTES)
    with (
        storage_errors(f"the blob {digest}"),
        source.open("rb") as reader,
        target.open("xb") as writer,
    ):
        target.chmod(FILE_MODE)
        while chunk := reader.read(_CHUNK_BYTES):
            hasher.update(chunk)
            writer.write(chunk)
        writer.flush()
        os.fsync(writer.fileno())
    if hasher.hexdigest() != digest:
        raise FaultError(f"blob {digest} is damaged: its bytes have digest {hasher.hexdigest()}")


def _copy_sparse(source: Path, target: Path) -> None:
    """Copy a file with its holes: an upload is as large as was announced from its start on."""
    with source.open("rb", buffering=0) as reader, target.open("wb", buffering=0) as writer:
        target.chmod(FILE_MODE)
        size_bytes = os.fstat(reader.fileno()).st_size
        writer.truncate(size_bytes)
        start = 0
        while start < size_bytes:
            try:
                start = os.lseek(reader.fileno(), start, os.SEEK_DATA)
            except OSError as error:
                if error.errno == errno.ENXIO:  # nothing but a hole up to the end
                    break
                raise
            end = os.lseek(reader.fileno(), start, os.SEEK_HOLE)
            while start < end:
                chunk = os.pread(reader.fileno(), min(_CHUNK_BYTES, end - start), start)
                start += os.pwrite(writer.fileno(), chunk, start)
        os.fsync(writer.fileno())


def _copy_private(source: Path, target: Path) -> None:
    with storage_errors(f"the file {target}"):
        target.touch(mode=FILE_MODE)
        target.write_bytes(source.read_bytes())
        _sync(target)


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _size_bytes(directory: Path) -> int:
    return sum(path.stat().st_blocks * 512 for path in directory.rglob("*") if path.is_file())
