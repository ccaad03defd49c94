"""Stand-ins for whole packages, each with a line on what it simplifies."""

import threading
from collections.abc import Callable
from typing import Any

from hanami_actors.actors.data.upload_session import progress_of
from hanami_actors.actors.gateway import (
    Command,
    GetUploadProgress,
    Target,
)
from hanami_actors.actors.import_progress import ImportProgress
from hanami_actors.datasets.report import ClassFigures, Report
from hanami_actors.domain.audit.messages import CallNote, ReadCalls
from hanami_actors.domain.base import Event, Message, Stamp, Who
from hanami_actors.domain.checkpoint.events import CheckpointCreated
from hanami_actors.domain.cluster.events import ClusterCreated, ClusterDeleted
from hanami_actors.domain.cluster.messages import (
    CreateCluster,
    DeleteCluster,
)
from hanami_actors.domain.cluster.source import Source
from hanami_actors.domain.cluster.template import Template
from hanami_actors.domain.dataset import aggregate as dataset
from hanami_actors.domain.dataset.aggregate import DatasetState
from hanami_actors.domain.dataset.events import (
    Column,
    ColumnFile,
    DatasetContent,
    DatasetCreated,
    DatasetDeleted,
    DatasetFailed,
    DatasetFilled,
)
from hanami_actors.domain.dataset.messages import (
    CreateUploadedDataset,
    DeleteDataset,
    FinalizeDataset,
)
from hanami_actors.domain.host.events import HostRegistered
from hanami_actors.domain.project.messages import ProjectMessage
from hanami_actors.domain.tables import Tables, fold
from hanami_actors.domain.upload.decide import check_range
from hanami_actors.domain.upload.events import (
    UploadClosed,
    UploadCompleted,
    UploadOpened,
    UploadRangeStored,
)
from hanami_actors.domain.upload.messages import AppendChunk
from hanami_actors.domain.user.events import UserCreated, UserDeleted, UserProjectAssigned
from hanami_actors.domain.user.messages import UserMessage
from hanami_actors.errors import BadRequestError, HanamiError, NotFoundError
from hanami_actors.ports import ManualClock, ManualEntropy
from hanami_actors.replay.learning_curve import HistoryPoint
from hanami_actors.runtime.future import CallbackFuture
from tests.fake_accounts import answer_account
from tests.fake_clusters import answer_cluster, moment, task_view
from tests.fake_export import FakeExport

__all__ = ["FakeGateway", "task_view"]

Answer = Callable[[Target, Command], Any]


class FakeGateway:
    """A gateway without actors, log or disk.

    Tables are the real ones, folded from real events; commands are answered at once in the
    caller's thread, tasks and figures are made up, an uploaded file is a bytearray. ``answers`` replaces what a
    message does: a value, an exception to fail with, or a function. With ``hold()`` answers wait
    until ``release()``, which settles them from another thread, in the given order.
    """

    def __init__(self) -> None:
        self.tables = Tables()
        self.clock = ManualClock()
        self.entropy = ManualEntropy()
        self.commands: list[tuple[Target, Command]] = []
        self.answers: dict[type[Message], Any] = {}
        self.files: dict[str, bytearray] = {}
        self.rows: list[list[float]] = []
        self.export = FakeExport()
        self.export_arguments: tuple[Any, ...] = ()
        self.imports: dict[str, ImportProgress] = {}
        self.notes: list[CallNote] = []
        self._held: list[tuple[CallbackFuture, Target, Command]] | None = None
        self._changed = threading.Condition()

    # What the transport uses.

    def ask(self, target: Target, command: Command) -> CallbackFuture:
        future = CallbackFuture()
        with self._changed:
            self.commands.append((target, command))
            if self._held is not None:
                self._held.append((future, target, command))
            self._changed.notify_all()
            if self._held is not None:
                return future
        self._settle(future, target, command)
        return future

    def note_calls(self, notes: tuple[CallNote, ...]) -> bool:
        self.notes += notes
        return True

    def read_content(
        self, state: DatasetState, column: str, offset: int, count: int
    ) -> list[list[float]]:
        return self.rows[offset : offset + count]

    def read_learning(
        self, cluster_uuid: str, task_uuid: str | None, len_max: int
    ) -> list[HistoryPoint]:
        point = HistoryPoint(self.clock.now_us(), task_uuid or "t", 10, 10, 0.5, 1, 2, 256, 4096)
        return [point][:len_max]

    def fetch_image(self, source: Source) -> CallbackFuture:
        answer = CallbackFuture()
        answer.set(b"state")
        return answer

    def export_checkpoint(self, name: str, source: Source, image: Any) -> bytes:
        return b"file of " + bytes(image)

    def import_checkpoint(self, data: bytes) -> Source:
        if not data.startswith(b"file of "):
            raise BadRequestError("field 'data': no checkpoint")
        return moment()

    def check_accuracy(self, result: DatasetState, reference: DatasetState) -> float:
        return 92.0199966430664

    def compare(self, *_: Any) -> Report:
        return Report(
            row_count=1,
            unclassified_count=0,
            accuracy=100.0,
            confusion=((1, 0), (0, 0)),
            classes=(ClassFigures(1, 1.0, 1.0, 1.0), ClassFigures(0, None, None, None)),
            mean_absolute_error=None,
            root_mean_square_error=None,
        )

    def open_export(self, *arguments: Any) -> Any:
        self.export_arguments = arguments
        return self.export

    def import_progress(self, dataset_uuid: str) -> ImportProgress | None:
        return self.imports.get(dataset_uuid)

    # What tests use.

    @property
    def messages(self) -> list[Message]:
        return [command.message for _, command in self.commands]

    def record(self, stream: str, *events: Event) -> None:
        for event in events:
            position = self.tables.position + 1
            self.tables = fold(self.tables, stream, position, position, self.clock.now_us(), event)

    def add_user(self, user_id: str, passphrase_hash: str = "unused", *, is_admin: bool) -> None:
        event = UserCreated(
            id=user_id,
            name=user_id.title(),
            passphrase_hash=passphrase_hash,
            is_admin=is_admin,
            creator_id="HANAMI_INIT",
        )
        self.record(f"user/{user_id}", event)

    def assign(self, who: Who) -> None:
        """Let a user work in the project and role of ``who``."""
        event = UserProjectAssigned(
            project_id=who.project_id, role=who.role, is_project_admin=who.is_project_admin
        )
        self.record(f"user/{who.user_id}", event)

    def delete_user(self, user_id: str) -> None:
        self.record(f"user/{user_id}", UserDeleted())

    def add_host(self, kind: str = "cpu") -> str:
        uuid = self.entropy.uuid()
        self.record(f"host/{uuid}", HostRegistered(name=uuid, uuid=uuid, kind=kind))
        return uuid

    def add_cluster(self, who: Who, name: str = "some_cluster") -> str:
        uuid = self.entropy.uuid()
        event = ClusterCreated(
            uuid=uuid,
            name=name,
            owner_id=who.user_id,
            project_id=who.project_id,
            template_text="",
            template=Template(hexagons=()),
            seed=1,
            host_uuid="",
        )
        self.record(f"cluster/{uuid}", event)
        return uuid

    def add_checkpoint(self, who: Who, name: str = "some_checkpoint") -> str:
        uuid = self.entropy.uuid()
        event = CheckpointCreated(
            uuid=uuid,
            name=name,
            owner_id=who.user_id,
            project_id=who.project_id,
            source=moment(),
        )
        self.record(f"checkpoint/{uuid}", event)
        return uuid

    def add_dataset(self, who: Who, kind: str = "mnist", size_bytes: int = 100) -> DatasetState:
        message = CreateUploadedDataset(
            name="some_dataset",
            kind=kind,
            input_size_bytes=size_bytes,
            label_size_bytes=size_bytes if kind == "mnist" else 0,
        )
        return self._create_dataset(message, who)

    def complete_upload(self, uuid: str) -> None:
        state = self.tables.uploads[uuid].state
        stored = UploadRangeStored(ranges=((0, state.size_bytes),))
        self.record(f"upload/{uuid}", stored, UploadCompleted())

    def fill(self, state: DatasetState, rows: list[list[float]], column: str = "picture") -> None:
        self.rows = rows
        width = len(rows[0])
        content = DatasetContent(
            row_count=len(rows),
            column_count=width,
            files=(ColumnFile(digest="0" * 64, dtype="float32", row_count=len(rows), width=width),),
            columns=(Column(name=column, start=0, end=width, file_index=0, file_start=0),),
        )
        self.record(f"dataset/{state.uuid}", DatasetFilled(content=content))
        self._close_uploads(state, "imported")

    def fail(self, state: DatasetState, reason: str) -> None:
        self.record(f"dataset/{state.uuid}", DatasetFailed(reason=reason))
        self._close_uploads(state, "failed")

    def hold(self) -> None:
        with self._changed:
            self._held = []

    def wait_for_commands(self, count: int, timeout_s: float = 10.0) -> None:
        with self._changed:
            arrived = self._changed.wait_for(lambda: len(self.commands) >= count, timeout_s)
        assert arrived, f"{len(self.commands)} of {count} commands came"

    def release(self, order: Callable[[list[Any]], list[Any]] = list) -> None:
        """Settle what was held, in the order that ``order`` makes, and hold no more."""
        with self._changed:
            held, self._held = order(self._held or []), None

        def settle_all() -> None:
            for entry in held:
                self._settle(*entry)

        settler = threading.Thread(target=settle_all)
        settler.start()
        settler.join()

    def release_first(self) -> None:
        """Settle what was held first, and hold the others."""
        with self._changed:
            assert self._held, "nothing is held"
            entry = self._held.pop(0)
        self._settle(*entry)

    def _settle(self, future: CallbackFuture, target: Target, command: Command) -> None:
        try:
            answer = self._answer(target, command)
        except HanamiError as error:
            future.fail(error)
        else:
            future.set(answer)

    def _answer(self, target: Target, command: Command) -> Any:
        message = command.message
        if type(message) in self.answers:
            answer = self.answers[type(message)]
            if isinstance(answer, HanamiError):
                raise answer
            return answer(target, command) if callable(answer) else answer
        return self._own_answer(target, command)

    def _own_answer(self, target: Target, command: Command) -> Any:
        message = command.message
        if isinstance(message, UserMessage | ProjectMessage | ReadCalls):
            return answer_account(self, message, command.who)
        match message:
            case CreateUploadedDataset():
                return self._create_dataset(message, command.who)
            case FinalizeDataset():
                state = self.tables.datasets[target.key].state
                self.fill(state, [[1.0, 0.5]])
                return self.tables.datasets[target.key].state
            case DeleteDataset():
                return self.record(f"dataset/{message.uuid}", DatasetDeleted())
            case CreateCluster():
                uuid = self.add_cluster(command.who, message.name)
                return self.tables.clusters[uuid].state
            case DeleteCluster():
                return self.record(f"cluster/{message.uuid}", ClusterDeleted())
            case AppendChunk():
                return self._append(target.key, message)
            case GetUploadProgress():
                return progress_of(self.tables.uploads[target.key].state)
            case _:
                return answer_cluster(self, message)

    def _create_dataset(self, message: CreateUploadedDataset, who: Who) -> DatasetState:
        ids = tuple(self.entropy.uuid() for _ in range(4))
        stamp = Stamp(now_us=self.clock.now_us(), who=who, ids=ids)
        (created,) = dataset.decide(dataset.initial(), message, stamp)
        assert isinstance(created, DatasetCreated)
        self.record(f"dataset/{created.uuid}", created)
        announced = (
            ("input", message.input_size_bytes, message.input_checksum),
            ("label", message.label_size_bytes, message.label_checksum),
        )
        for uuid, (role, size_bytes, checksum) in zip(
            created.upload_uuids, announced, strict=False
        ):
            self.files[uuid] = bytearray(size_bytes)
            opened = UploadOpened(
                uuid=uuid,
                dataset_uuid=created.uuid,
                role=role,
                size_bytes=size_bytes,
                owner_id=who.user_id,
                project_id=who.project_id,
                checksum=checksum,
            )
            self.record(f"upload/{uuid}", opened)
        return self.tables.datasets[created.uuid].state

    def _append(self, uuid: str, chunk: AppendChunk) -> None:
        if uuid not in self.tables.uploads:
            raise NotFoundError(f"Upload with uuid '{uuid}' not found")
        state = self.tables.uploads[uuid].state
        end = chunk.position + len(chunk.data)
        check_range(state, chunk.position, end)
        self.files[uuid][chunk.position : end] = chunk.data
        self.record(f"upload/{uuid}", UploadRangeStored(ranges=((chunk.position, end),)))

    def _close_uploads(self, state: DatasetState, reason: str) -> None:
        for uuid in state.upload_uuids:
            if uuid in self.tables.uploads:
                self.record(f"upload/{uuid}", UploadClosed(reason=reason))
