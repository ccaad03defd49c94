"""Turning uploaded files into a dataset: one actor for the time of one import."""

import logging
import os
from collections.abc import Callable
from pathlib import Path

from hanami_actors.actors.data.csv_importer import CsvImporter
from hanami_actors.actors.data.upload_files import import_path, remove_upload, upload_path
from hanami_actors.actors.data.upload_session import DropUpload, progress_of
from hanami_actors.actors.gateway import Command, GetUploadProgress, Target, TargetKind
from hanami_actors.actors.system import System, stop_living
from hanami_actors.actors.writer import append_to, persist
from hanami_actors.datasets.checksums import file_checksum
from hanami_actors.datasets.idx import import_mnist
from hanami_actors.domain.base import Stamp
from hanami_actors.domain.dataset.aggregate import DatasetPhase, DatasetState, decide
from hanami_actors.domain.dataset.events import DatasetContent
from hanami_actors.domain.dataset.messages import (
    DatasetMessage,
    FailDataset,
    FillDataset,
    FinalizeDataset,
)
from hanami_actors.domain.tables import Row
from hanami_actors.domain.upload.decide import decide as decide_upload
from hanami_actors.domain.upload.messages import CloseUpload, DiscardUpload
from hanami_actors.domain.upload.ranges import format_ranges
from hanami_actors.domain.upload.state import UploadPhase, UploadState
from hanami_actors.errors import (
    ConflictError,
    DatasetFormatError,
    FaultError,
    NotFoundError,
    WrongVersionError,
)
from hanami_actors.eventlog.directory import storage_errors
from hanami_actors.eventlog.port import Append
from hanami_actors.runtime.actor import Actor, ask, tell
from hanami_actors.runtime.inbox import IdleTick, Internal

__all__ = ["DatasetImportActor", "RetireImport"]

logger = logging.getLogger(__name__)

PASSIVATE_AFTER_S = 5.0


class RetireImport(Internal, frozen=True, kw_only=True):
    """Stop after the import that is going on. Answer: None."""


class DatasetImportActor(Actor):
    """Owns a dataset's stream from the first finalize to the filled or failed dataset.

    The uploaded file is linked, not moved, into the store: until the event is durable the upload
    stays whole, so a crash in the middle of an import loses nothing.
    """

    def __init__(self, system: System, uuid: str, importer: CsvImporter) -> None:
        super().__init__()
        self._system = system
        self._uuid = uuid
        self._importer = importer

    def on_start(self) -> None:
        """Leave again when nobody asks."""
        self.inbox.idle_s = PASSIVATE_AFTER_S

    def on_stop(self) -> None:
        """Forget the address."""
        target = Target(kind=TargetKind.DATASET, key=self._uuid)
        self._system.actors.discard(target, self.actor_ref)

    def on_receive(self, message: object) -> DatasetState | None:
        """Handle a message."""
        match message:
            case Command(message=FinalizeDataset() as finalize):
                try:
                    return self._finalize(finalize, message)
                finally:
                    # The directory takes a living import for a running one.
                    self.die()
            case IdleTick() | RetireImport():
                self.die()
                return None
            case _:
                raise FaultError(f"a dataset import got a {type(message).__name__}")

    def _finalize(self, message: FinalizeDataset, command: Command) -> DatasetState:
        row = self._dataset(message)
        if (
            row.state.phase is DatasetPhase.FILLED
            and row.state.upload_uuids == message.upload_uuids
        ):
            # The answer to the first time may have been lost.
            return row.state
        uploads = [self._upload(row.state, uuid, role) for uuid, role in _roles(message)]
        for upload in uploads:
            self._require_complete(upload, command)
        size_bytes = sum(upload.state.size_bytes for upload in uploads)
        with self._system.imports.running(self._uuid, size_bytes, self._read_bytes(uploads)):
            return self._import_and_record(message, row, uploads, self._system.stamp(command))

    def _import_and_record(
        self,
        message: FinalizeDataset,
        row: Row[DatasetState],
        uploads: list[Row[UploadState]],
        stamp: Stamp,
    ) -> DatasetState:
        for upload in uploads:
            self._check_sum(upload.state, stamp)
        try:
            content = self._import(message, uploads)
        except DatasetFormatError as error:
            self._record(row, FailDataset(reason=error.message), uploads, "failed", stamp)
            raise
        self._record(row, FillDataset(content=content), uploads, "imported", stamp)
        filled = self._system.published.tables.datasets.get(self._uuid)
        if filled is None:
            raise self._not_found()
        return filled.state

    def _dataset(self, message: FinalizeDataset) -> Row[DatasetState]:
        row = self._system.published.tables.datasets.get(self._uuid)
        if row is None:
            raise self._not_found()
        if row.state.kind != message.kind:
            raise ConflictError(
                f"Data-set with uuid '{self._uuid}' was created for {row.state.kind!r} data,"
                f" it cannot be finalized as {message.kind!r}."
            )
        if row.state.phase is DatasetPhase.FAILED:
            raise ConflictError(
                f"Data-set with uuid '{self._uuid}' has failed: {row.state.failure}"
                " Delete it and upload the corrected files as a new data-set."
            )
        return row

    def _upload(self, dataset: DatasetState, uuid: str, role: str) -> Row[UploadState]:
        row = self._system.published.tables.uploads.get(uuid)
        if row is None or row.state.dataset_uuid != dataset.uuid or row.state.role != role:
            raise NotFoundError(
                f"{role.capitalize()}-data with uuid '{uuid}' not found in data-set with uuid"
                f" '{dataset.uuid}'."
            )
        return row

    def _require_complete(self, upload: Row[UploadState], command: Command) -> None:
        """Refuse an upload that lacks bytes; a complete one never changes any more."""
        uuid = upload.state.uuid
        row = self._system.published.tables.uploads.get(uuid)
        if row is None:
            raise self._not_found()
        if row.state.phase is UploadPhase.COMPLETE:
            return
        ref = self._system.actors.get(Target(kind=TargetKind.UPLOAD, key=uuid))
        # A sleeping session has recorded all it has; a living one may have written more.
        progress = progress_of(row.state)
        if ref is not None:
            progress = ask(ref, Command(message=GetUploadProgress(), who=command.who))
        if not progress.complete:
            raise ConflictError(
                f"The {upload.state.role} file of data-set with uuid '{self._uuid}' is not complete:"
                f" {progress.received_bytes} of {progress.size_bytes} bytes are here, missing are"
                f" bytes {format_ranges(progress.missing)}. Send them, then finalize again."
            )

    def _read_bytes(self, uploads: list[Row[UploadState]]) -> Callable[[], int]:
        path = import_path(self._system.uploads_dir, uploads[0].state.uuid)
        return lambda: self._importer.read_bytes(path)

    def _check_sum(self, upload: UploadState, stamp: Stamp) -> None:
        """Have a file sent again whose bytes are not those that were announced."""
        if not upload.checksum:
            return
        algorithm = upload.checksum.partition(":")[0]
        with storage_errors(f"the file of upload {upload.uuid}"):
            found = file_checksum(upload_path(self._system.uploads_dir, upload.uuid), algorithm)
        if found == upload.checksum:
            return
        row = self._system.published.tables.uploads.get(upload.uuid)
        if row is None:
            raise self._not_found()
        events = decide_upload(row.state, DiscardUpload(checksum=found), stamp)
        persist(self._system.writer, stamp, append_to(f"upload/{upload.uuid}", row.version, events))
        # A living session still takes the file for complete.
        stop_living(self._system, Target(kind=TargetKind.UPLOAD, key=upload.uuid), DropUpload())
        raise ConflictError(
            f"The {upload.role} file of data-set with uuid '{self._uuid}' has the checksum {found},"
            f" but {upload.checksum} was announced. None of its {upload.size_bytes} bytes counts"
            " any more: send them again, then finalize again."
        )

    def _import(self, message: FinalizeDataset, uploads: list[Row[UploadState]]) -> DatasetContent:
        paths = [import_path(self._system.uploads_dir, row.state.uuid) for row in uploads]
        try:
            for row, path in zip(uploads, paths, strict=True):
                self._link(row.state.uuid, path)
            if message.kind == "mnist":
                return import_mnist(paths[0], paths[1], self._system.blobs)
            return self._importer.run(paths[0])
        finally:
            for path in paths:
                path.unlink(missing_ok=True)

    def _link(self, uuid: str, path: Path) -> None:
        with storage_errors(f"the file of upload {uuid}"):
            path.unlink(missing_ok=True)
            os.link(upload_path(self._system.uploads_dir, uuid), path)

    def _record(
        self,
        row: Row[DatasetState],
        message: DatasetMessage,
        uploads: list[Row[UploadState]],
        reason: str,
        stamp: Stamp,
    ) -> None:
        appends = [
            append_to(f"dataset/{self._uuid}", row.version, decide(row.state, message, stamp)),
            *(self._closed(upload.state.uuid, reason, stamp) for upload in uploads),
        ]
        try:
            persist(self._system.writer, stamp, *appends)
        except WrongVersionError as error:
            raise self._not_found() from error
        for upload in uploads:
            self._remove(upload.state.uuid)

    def _remove(self, uuid: str) -> None:
        ref = self._system.actors.get(Target(kind=TargetKind.UPLOAD, key=uuid))
        if ref is not None:
            tell(ref, DropUpload())
        remove_upload(self._system.uploads_dir, uuid)

    def _closed(self, uuid: str, reason: str, stamp: Stamp) -> Append:
        row = self._system.published.tables.uploads.get(uuid)
        if row is None:
            raise self._not_found()
        checksum = row.state.checksum if reason == "imported" else ""
        closing = CloseUpload(reason=reason, checksum=checksum)
        events = decide_upload(row.state, closing, stamp)
        return append_to(f"upload/{uuid}", row.version, events)

    def _not_found(self) -> NotFoundError:
        return NotFoundError(f"Data-set with uuid '{self._uuid}' not found")


def _roles(message: FinalizeDataset) -> list[tuple[str, str]]:
    roles = ("input", "label") if message.kind == "mnist" else ("input",)
    return list(zip(message.upload_uuids, roles, strict=True))
