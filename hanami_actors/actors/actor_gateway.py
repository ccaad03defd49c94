"""The gateway over real actors: finds the actor behind an address, starts it, asks it again."""

import threading
from typing import Any

import pykka
from msgspec.structs import replace

from hanami_actors.actors.directory.actor import Locate
from hanami_actors.actors.export import Export
from hanami_actors.actors.gateway import Command, Target, TargetKind
from hanami_actors.actors.host import FetchImage
from hanami_actors.actors.import_progress import ImportProgress
from hanami_actors.actors.journals.audit import NoteCalls
from hanami_actors.actors.system import System
from hanami_actors.compute import NetworkImage, encode_image
from hanami_actors.datasets.check import accuracy
from hanami_actors.datasets.columns import read_rows
from hanami_actors.datasets.export import RowRange, plan_export
from hanami_actors.datasets.report import Report, compare
from hanami_actors.domain.audit.messages import CallNote
from hanami_actors.domain.cluster.source import Source
from hanami_actors.domain.dataset.aggregate import DatasetState
from hanami_actors.domain.tables import Tables, listing
from hanami_actors.errors import BusyError, ConflictError
from hanami_actors.ports import Clock, Entropy
from hanami_actors.replay.checkpoint_file import decode_checkpoint, encode_checkpoint
from hanami_actors.replay.learning_curve import HistoryPoint, read_learning
from hanami_actors.runtime.actor import ActorRef
from hanami_actors.runtime.future import CallbackFuture

__all__ = ["ActorGateway"]

ATTEMPTS_MAX = 3
"""An actor may fall asleep while a message is on its way; the message then goes to the next one."""


SINGLE_KINDS = frozenset({TargetKind.DIRECTORY, TargetKind.AUDIT, TargetKind.IDEMPOTENCY})
"""Kinds of which there is one, under its own name."""


class ActorGateway:
    """Implements ``Gateway``. Thread-safe; nothing here waits.

    Parameters
    ----------
    system : System
    """

    def __init__(self, system: System) -> None:
        self._system = system
        self._lock = threading.Lock()
        self._pending_count = 0

    @property
    def tables(self) -> Tables:
        """The newest published tables."""
        return self._system.published.tables

    @property
    def clock(self) -> Clock:
        """The server's clock."""
        return self._system.clock

    @property
    def entropy(self) -> Entropy:
        """The server's source of ids."""
        return self._system.entropy

    def ask(self, target: Target, command: Command) -> CallbackFuture:
        """Send a message to an actor, starting it if it sleeps."""
        answer = CallbackFuture()
        with self._lock:
            self._pending_count += 1
        answer.add_done_callback(self._answered)
        _Delivery(self._system, target, command, answer).start()
        return answer

    def pending_count(self) -> int:
        """Return how many messages wait for their answer."""
        return self._pending_count

    def _answered(self, answer: CallbackFuture) -> None:
        del answer
        with self._lock:
            self._pending_count -= 1

    def note_calls(self, notes: tuple[CallNote, ...]) -> bool:
        """Have calls and failures noted in the journal; return whether there was room for them."""
        audit = self._system.actors.find("audit")
        if audit is None:
            return False
        try:
            audit.tell(NoteCalls(notes=notes))
        except (BusyError, pykka.ActorDeadError):
            return False
        return True

    def read_content(
        self, dataset: DatasetState, column: str, offset: int, count: int
    ) -> list[list[float]]:
        """Read rows of a column; blocks on the disk."""
        content = _content(dataset)
        return read_rows(self._system.blobs.path, content, column, offset, count)

    def check_accuracy(self, result: DatasetState, reference: DatasetState) -> float:
        """Compare a result with a reference; blocks on the disk."""
        return accuracy(self._system.blobs.path, _content(result), _content(reference))

    def compare(
        self,
        result: DatasetState,
        reference: DatasetState,
        column: str | None,
        reference_column: str | None,
    ) -> Report:
        """Compare in every figure there is; blocks on the disk."""
        contents = _content(result), _content(reference)
        return compare(self._system.blobs.path, *contents, column, reference_column)

    def open_export(
        self, dataset: DatasetState, format_name: str, columns: tuple[str, ...], rows: RowRange
    ) -> Export:
        """Prepare a download; reads nothing."""
        plan = plan_export(self._system.blobs.path, _content(dataset), format_name, columns, rows)
        return self._system.exporter.open(plan)

    def read_learning(
        self, cluster_uuid: str, task_uuid: str | None, len_max: int
    ) -> list[HistoryPoint]:
        """Read recorded figures of a cluster; blocks on the disk."""
        return read_learning(self._system.log, cluster_uuid, task_uuid, len_max)

    def fetch_image(self, source: Source) -> CallbackFuture:
        """Have a moment computed by any host."""
        actors = self._system.actors
        found = (actors.find(f"host/{host.uuid}") for host in listing(self.tables.hosts))
        for ref in found:
            if ref is None or not ref.is_alive():
                continue
            future = ref.ask(FetchImage(source=source), block=False)
            assert isinstance(future, CallbackFuture), "our actors answer with our futures"
            return future
        answer = CallbackFuture()
        answer.fail(_restarting())
        return answer

    def export_checkpoint(self, name: str, source: Source, image: NetworkImage) -> bytes:
        """Return a checkpoint as a file."""
        return encode_checkpoint(name, source, encode_image(image))

    def import_checkpoint(self, data: bytes) -> Source:
        """Check and store the state in a file."""
        limit_bytes = self._system.settings.network_memory_max_bytes
        file = decode_checkpoint(data, size_max_bytes=limit_bytes)
        return replace(file.source, image=self._system.blobs.put(file.image))

    def import_progress(self, dataset_uuid: str) -> ImportProgress | None:
        """Return how far an import is; None when there is none."""
        return self._system.imports.progress(dataset_uuid)


class _Delivery:
    """One message on its way, with a bounded number of attempts."""

    def __init__(
        self, system: System, target: Target, command: Command, answer: CallbackFuture
    ) -> None:
        self._system = system
        self._target = target
        self._command = command
        self._answer = answer
        self._attempts_left = ATTEMPTS_MAX

    def start(self) -> None:
        """Find the actor, or have it started."""
        if self._target.kind in SINGLE_KINDS:
            single = self._system.actors.find(self._target.kind.value)
            if single is None:
                self._answer.fail(_restarting())
            else:
                self._send(single)
            return
        ref = self._system.actors.get(self._target)
        if ref is not None:
            self._send(ref)
        else:
            self._locate()

    def _locate(self) -> None:
        directory = self._system.actors.find("directory")
        if directory is None:
            self._answer.fail(_restarting())
            return
        try:
            located = directory.ask(Locate(target=self._target), block=False)
        except BusyError as error:
            self._answer.fail(error)
            return
        assert isinstance(located, CallbackFuture), "our actors answer with our futures"
        located.add_done_callback(self._on_located)

    def _on_located(self, located: CallbackFuture) -> None:
        error = located.error()
        if isinstance(error, pykka.ActorDeadError):
            self._answer.fail(_restarting())
        elif error is not None:
            self._answer.fail(error)
        else:
            self._send(located.outcome())

    def _send(self, ref: ActorRef) -> None:
        self._attempts_left -= 1
        try:
            future = ref.ask(self._command, block=False)
        except BusyError as error:
            self._answer.fail(error)
            return
        assert isinstance(future, CallbackFuture), "our actors answer with our futures"
        future.add_done_callback(self._on_answer)

    def _on_answer(self, future: CallbackFuture) -> None:
        error = future.error()
        # A dead actor has not looked at the message, so sending it again changes nothing twice.
        if isinstance(error, pykka.ActorDeadError):
            if self._attempts_left > 0:
                self.start()
            else:
                self._answer.fail(_restarting())
            return
        self._answer.set(future)


def _restarting() -> BusyError:
    return BusyError("a part of the server is being restarted; try again in a moment")


def _content(dataset: DatasetState) -> Any:
    if dataset.content is None:
        raise ConflictError(
            f"Dataset with uuid '{dataset.uuid}' has no content yet: it is {dataset.phase.value}."
        )
    return dataset.content
