"""Creation, deletion and expiry of datasets and their uploads; a part of the directory."""

import logging

from hanami_actors.actors.data.upload_files import remove_upload, require_room, require_share
from hanami_actors.actors.data.upload_session import DropUpload, RetireUpload
from hanami_actors.actors.gateway import Target, TargetKind
from hanami_actors.actors.system import System, stop_living
from hanami_actors.actors.writer import append_to, persist
from hanami_actors.domain.base import Stamp, Who
from hanami_actors.domain.dataset import aggregate
from hanami_actors.domain.dataset.aggregate import DatasetState
from hanami_actors.domain.dataset.messages import (
    CreateUploadedDataset,
    DeleteDataset,
    FailDataset,
)
from hanami_actors.domain.quota import (
    check_count,
    check_project,
    outstanding_bytes,
    owned_in,
)
from hanami_actors.domain.tables import Tables
from hanami_actors.domain.upload import state as upload_state
from hanami_actors.domain.upload.decide import decide as decide_upload
from hanami_actors.domain.upload.messages import CloseUpload, OpenUpload
from hanami_actors.errors import ConflictError, HanamiError, NotFoundError
from hanami_actors.eventlog.port import Append

__all__ = ["Datasets"]

logger = logging.getLogger(__name__)

SECOND_US = 1_000_000
RETRY_AFTER_US = 60 * SECOND_US
"""When an upload that could not be expired is looked at again."""


class Datasets:
    """Used by the directory alone, in its thread.

    Parameters
    ----------
    system : System
    """

    def __init__(self, system: System) -> None:
        self._system = system
        self._looked_us = 0
        self._due_us = 0

    @property
    def _tables(self) -> Tables:
        return self._system.published.tables

    def create(self, message: CreateUploadedDataset, stamp: Stamp) -> DatasetState:
        """Create a dataset and open its uploads.

        Raises
        ------
        ConflictError
            A file or the project would be too large.
        StorageFullError
            The disk has no room for what has been announced.
        """
        self._require_room(message, stamp.who)
        created = aggregate.decide(aggregate.initial(), message, stamp)
        uuid = stamp.ids[0]
        opening = [
            OpenUpload(
                uuid=stamp.ids[1],
                dataset_uuid=uuid,
                role="input",
                size_bytes=message.input_size_bytes,
                checksum=message.input_checksum,
            )
        ]
        if message.kind == "mnist":
            opening.append(
                OpenUpload(
                    uuid=stamp.ids[2],
                    dataset_uuid=uuid,
                    role="label",
                    size_bytes=message.label_size_bytes,
                    checksum=message.label_checksum,
                )
            )
        opened = [_opened(one, stamp) for one in opening]
        persist(self._system.writer, stamp, append_to(f"dataset/{uuid}", 0, created), *opened)
        return self._tables.datasets[uuid].state

    def delete(self, message: DeleteDataset, stamp: Stamp) -> None:
        """Hide a dataset and throw its uploads away."""
        row = self._tables.datasets.get(message.uuid)
        if row is None:
            raise NotFoundError(f"Data-set with uuid '{message.uuid}' not found")
        if self._is_being_imported(message.uuid):
            raise ConflictError(
                f"Data-set with uuid '{message.uuid}' is being finalized; delete it afterwards."
            )
        uploads = [uuid for uuid in row.state.upload_uuids if uuid in self._tables.uploads]
        for uuid in uploads:
            stop_living(self._system, Target(kind=TargetKind.UPLOAD, key=uuid), DropUpload())
        deleted = aggregate.decide(row.state, message, stamp)
        closed = [self._closed(uuid, "deleted", stamp) for uuid in uploads]
        stream = f"dataset/{message.uuid}"
        persist(self._system.writer, stamp, append_to(stream, row.version, deleted), *closed)
        for uuid in uploads:
            remove_upload(self._system.uploads_dir, uuid)

    def expire(self) -> None:
        """End uploads that nothing has happened to for too long; cheap when there are none.

        The times are those of the log, so a restart neither forgets nor prolongs anything.
        """
        expiry_us = int(self._system.settings.upload_expiry_s * SECOND_US)
        now_us = int(self._system.clock.now_us())
        if expiry_us == 0 or self._looked_us <= now_us < self._due_us:
            return
        self._looked_us = now_us
        # Nothing that is announced or received from now on can be due before this.
        self._due_us = now_us + expiry_us
        for uuid, active_us in self._last_activities().items():
            due_us = active_us + expiry_us
            if due_us <= now_us:
                due_us = now_us + RETRY_AFTER_US
                self._try_expire(uuid, now_us - expiry_us)
            self._due_us = min(self._due_us, due_us)

    def _last_activities(self) -> dict[str, int]:
        """Return when something last happened to any file of a dataset, by the dataset's uuid."""
        last: dict[str, int] = {}
        for row in self._tables.uploads.values():
            uuid = row.state.dataset_uuid
            last[uuid] = max(last.get(uuid, 0), row.state.active_us)
        return last

    def _try_expire(self, uuid: str, expired_us: int) -> None:
        try:
            self._expire(uuid, expired_us)
        except HanamiError as error:
            logger.warning("the uploads of dataset %s could not be expired: %s", uuid, error)

    def _expire(self, uuid: str, expired_us: int) -> None:
        if self._is_being_imported(uuid):
            return
        uploads = [
            key for key, row in self._tables.uploads.items() if row.state.dataset_uuid == uuid
        ]
        for key in uploads:
            # It records what it has written, which may be news.
            stop_living(self._system, Target(kind=TargetKind.UPLOAD, key=key), RetireUpload())
        if self._last_activities().get(uuid, 0) > expired_us:
            return
        stamp = self._system.stamp()
        appends = [self._closed(key, "expired", stamp) for key in uploads]
        row = self._tables.datasets.get(uuid)
        if row is not None:
            hours = self._system.settings.upload_expiry_s / 3600
            fail = FailDataset(
                reason=f"nothing was uploaded for {hours:g} hours, so the upload has expired;"
                " delete the data-set and upload it again"
            )
            failed = aggregate.decide(row.state, fail, stamp)
            appends.append(append_to(f"dataset/{uuid}", row.version, failed))
        persist(self._system.writer, stamp, *appends)
        logger.info("the uploads of dataset %s have expired", uuid)
        for key in uploads:
            remove_upload(self._system.uploads_dir, key)

    def _is_being_imported(self, uuid: str) -> bool:
        return self._system.actors.get(Target(kind=TargetKind.DATASET, key=uuid)) is not None

    def _closed(self, uuid: str, reason: str, stamp: Stamp) -> Append:
        row = self._tables.uploads[uuid]
        events = decide_upload(row.state, CloseUpload(reason=reason), stamp)
        return append_to(f"upload/{uuid}", row.version, events)

    def _require_room(self, message: CreateUploadedDataset, who: Who) -> None:
        settings = self._system.settings
        sizes = {
            "input_data_size": message.input_size_bytes,
            "label_data_size": message.label_size_bytes,
        }
        for field, size_bytes in sizes.items():
            if size_bytes > settings.upload_size_max_bytes:
                raise ConflictError(
                    f"Field '{field}' is {size_bytes}; this server takes files of at most"
                    f" {settings.upload_size_max_bytes} bytes (setting upload_size_max_bytes)."
                )
        needed_bytes = sum(sizes.values())
        tables = self._tables
        check_count(
            f"the number of data-sets of project '{who.project_id}' is",
            owned_in(tables.datasets, who.project_id),
            settings.datasets_per_project_max,
            "datasets_per_project_max",
        )
        check_count(
            f"the number of files that user '{who.user_id}' has announced and not finalized is",
            sum(row.state.owner_id == who.user_id for row in tables.uploads.values()),
            settings.uploads_per_user_max,
            "uploads_per_user_max",
        )
        check_project(tables, who.project_id, needed_bytes, settings.project_size_max_bytes)
        promised_bytes = outstanding_bytes(tables)
        require_room(
            self._system.uploads_dir,
            needed_bytes,
            promised_bytes=promised_bytes,
            kept_bytes=settings.disk_free_min_bytes,
        )
        require_share(
            self._system.uploads_dir,
            outstanding_bytes(tables, who.user_id) + needed_bytes,
            share_max=settings.upload_share_max,
        )


def _opened(message: OpenUpload, stamp: Stamp) -> Append:
    events = decide_upload(upload_state.initial(), message, stamp)
    return append_to(f"upload/{message.uuid}", 0, events)
