"""Everything behind the transport, over a log in memory and a network that only counts."""

import dataclasses
import struct
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from hanami_actors import settings as settings_module
from hanami_actors.actors.actor_gateway import ActorGateway
from hanami_actors.actors.data.csv_importer import CsvImporter
from hanami_actors.actors.gateway import Command, DeleteTask, GetTask, ListTasks, Target, TargetKind
from hanami_actors.actors.host import KernelsReady
from hanami_actors.actors.supervisor import Ping, Shutdown, SupervisorActor
from hanami_actors.actors.system import ActorTable, System
from hanami_actors.actors.writer import load_published
from hanami_actors.compute import Network
from hanami_actors.domain.base import Message, Who
from hanami_actors.domain.cluster.apply import apply
from hanami_actors.domain.cluster.messages import (
    CreateCluster,
    CreateRequestTask,
    CreateTrainTask,
    InputBinding,
    OutputBinding,
)
from hanami_actors.domain.cluster.state import ClusterState
from hanami_actors.domain.dataset.aggregate import DatasetState
from hanami_actors.domain.dataset.messages import CreateUploadedDataset, FinalizeDataset
from hanami_actors.domain.roots import pinned_cycles
from hanami_actors.domain.upload.messages import AppendChunk
from hanami_actors.engine.host import Host
from hanami_actors.engine.host_table import HostTable
from hanami_actors.engine.network_cache import Networks
from hanami_actors.engine.scheduler import Scheduler
from hanami_actors.engine.snapshotter import Snapshotter
from hanami_actors.errors import HanamiError
from hanami_actors.eventlog.blobs import BlobStore
from hanami_actors.eventlog.replay import fold
from hanami_actors.eventlog.snapshots import SnapshotStore
from hanami_actors.ports import Clock, SystemClock, SystemEntropy
from hanami_actors.replay.histories import Histories
from hanami_actors.runtime.actor import ActorRef, ask, tell
from hanami_actors.runtime.future import CallbackFuture
from hanami_actors.types import StreamId
from tests.unit.actors.fakes import FakeNetwork, FaultyLog

TIMEOUT_S = 20.0
POLL_S = 0.002
ALICE = Who(user_id="alice", project_id="lab")
DIRECTORY = Target(kind=TargetKind.DIRECTORY)

TEMPLATE = """version: 1
settings:
    seed: 7
hexagons:
    1,1,1
    2,1,1
    3,1,1
inputs:
    picture: 1,1,1
outputs:
    label: 3,1,1
"""


def wait_until(condition: Callable[[], Any]) -> Any:
    """Look until the condition holds; return what it returned."""
    for _ in range(int(TIMEOUT_S / POLL_S)):
        found = condition()
        if found:
            return found
        threading.Event().wait(POLL_S)
    raise AssertionError("it did not happen")


@dataclasses.dataclass
class Data:
    """A filled dataset of pictures with labels."""

    uuid: str
    row_count: int


class Harness:
    """A backend that tests can look into, stop, and start again on what is left."""

    def __init__(
        self,
        directory: Path,
        *,
        log: Any = None,
        clock: Clock | None = None,
        network_class: type[Network] = FakeNetwork,
        with_kernels: bool = True,
        **values: Any,
    ) -> None:
        self.directory = directory
        self.log = log or FaultyLog()
        self.clock = clock or SystemClock()
        self.network_class = network_class
        self.with_kernels = with_kernels
        known = {"slice_ms": 1, "shutdown_timeout_s": 20.0, "host_threads": 2, **values}
        self.settings = settings_module.defaults(data_dir=directory, **known)
        self.is_running = False

    @property
    def uploads_dir(self) -> Path:
        return self.directory / "uploads"

    def start(self) -> "Harness":
        self.uploads_dir.mkdir(exist_ok=True)
        self.blobs = BlobStore(self.directory / "blobs")
        self.snapshotter = Snapshotter(
            SnapshotStore(self.directory / "snapshots"),
            lambda uuid: pinned_cycles(self.system.published.tables, uuid),
        )
        self.system = System(
            settings=self.settings,
            clock=self.clock,
            entropy=SystemEntropy(),
            log=self.log,
            blobs=self.blobs,
            snapshots=SnapshotStore(self.directory / "snapshots"),
            snapshotter=self.snapshotter,
            published=load_published(self.log),
            actors=ActorTable(),
            uploads_dir=self.uploads_dir,
        )
        self.host = Host(
            scheduler=Scheduler(self.settings.host_threads, self.settings.slice_ms / 1000),
            networks=Networks(self.settings.network_memory_max_bytes),
            snapshotter=self.snapshotter,
            blobs=self.blobs,
            clock=self.system.clock,
            histories=Histories(self.log, self.blobs),
            snapshot_interval_s=self.settings.snapshot_interval_s,
            progress_interval_s=self.settings.snapshot_interval_s,
            network_class=self.network_class,
        )
        hosts = [self.host]
        for _ in range(1, self.settings.cpu_hosts):
            scheduler = Scheduler(self.settings.host_threads, self.settings.slice_ms / 1000)
            networks = Networks(self.settings.network_memory_max_bytes)
            hosts.append(dataclasses.replace(self.host, scheduler=scheduler, networks=networks))
        self.hosts = HostTable(hosts)
        self.supervisor = SupervisorActor.start(
            self.system, self.hosts, CsvImporter(self.directory / "blobs")
        )
        self.is_running = True
        ask(self.supervisor, Ping())
        if self.with_kernels:
            tell(self.supervisor, KernelsReady())
        self.gateway = ActorGateway(self.system)
        return self

    def stop(self) -> None:
        if self.is_running:
            self.is_running = False
            ask(self.supervisor, Shutdown(), timeout_s=2 * TIMEOUT_S)

    def with_settings(self, **values: Any) -> Any:
        return dataclasses.replace(self.settings, **values)

    def again(self, **changes: Any) -> "Harness":
        """Stop it and start another one on the same data."""
        self.stop()
        for name, value in changes.items():
            setattr(self, name, value)
        return self.start()

    # Asking.

    def send(self, target: Target, message: Message, who: Who = ALICE) -> CallbackFuture:
        return self.gateway.ask(target, Command(message=message, who=who))

    def ask(self, target: Target, message: Message, who: Who = ALICE) -> Any:
        return answer_of(self.send(target, message, who))

    def ask_directory(self, message: Message) -> Any:
        return self.ask(DIRECTORY, message)

    def ask_cluster(self, uuid: str, message: Message) -> Any:
        return self.ask(cluster_target(uuid), message)

    def send_cluster(self, uuid: str, message: Message) -> CallbackFuture:
        return self.send(cluster_target(uuid), message)

    def answer(self, future: CallbackFuture) -> Any:
        return answer_of(future)

    # What users do.

    def announce(self, input_bytes: int, label_bytes: int = 0) -> Any:
        message = CreateUploadedDataset(
            name="data",
            kind="mnist" if label_bytes else "csv",
            input_size_bytes=input_bytes,
            label_size_bytes=label_bytes,
        )
        return self.ask_directory(message)

    def upload(self, uuid: str, data: bytes, position: int = 0) -> None:
        self.ask(upload_target(uuid), AppendChunk(position=position, data=data))

    def finalize(self, state: DatasetState) -> Any:
        return self.ask(dataset_target(state.uuid), finalize_message(state))

    def data(self, row_count: int = 40, side: int = 2) -> Data:
        images, labels = idx_files(row_count, side)
        state = self.announce(len(images), len(labels))
        for uuid, file in zip(state.upload_uuids, (images, labels), strict=True):
            self.upload(uuid, file)
        return Data(self.finalize(state).uuid, row_count)

    def cluster(self, name: str = "cluster") -> Any:
        return self.ask_directory(CreateCluster(name=name, template_text=TEMPLATE)).uuid

    def train(self, cluster: str, data: Data, *, epochs: int = 1) -> Any:
        return self.ask_cluster(cluster, train_message(data, epochs=epochs)).uuid

    def request(self, cluster: str, data: Data) -> Any:
        return self.ask_cluster(cluster, request_message(data)).uuid

    def abort(self, cluster: str, task: str) -> None:
        self.ask_cluster(cluster, DeleteTask(task_uuid=task))

    def task(self, cluster: str, task: str) -> Any:
        return self.ask_cluster(cluster, GetTask(task_uuid=task))

    def task_list(self, cluster: str) -> Any:
        return self.ask_cluster(cluster, ListTasks())

    def ended(self, cluster: str, task: str) -> Any:
        """Wait until a task is over, whatever dies and starts again meanwhile."""

        def look() -> Any:
            try:
                view = self.task(cluster, task)
            except HanamiError:
                return None
            return view if view.state in {"finished", "failed", "aborted"} else None

        return wait_until(look)

    def finished(self, cluster: str, task: str) -> Any:
        view = self.ended(cluster, task)
        assert view.state == "finished", view
        return view

    def dataset(self, uuid: str) -> DatasetState:
        return self.gateway.tables.datasets[uuid].state

    def cluster_state(self, uuid: str) -> ClusterState:
        """Replay the cluster's stream, without its actor."""
        return fold(self.log.read_stream(StreamId(f"cluster/{uuid}")), ClusterState(), apply)


def ask_later(ref: ActorRef, message: Any) -> CallbackFuture:
    """Ask without waiting."""
    future = ref.ask(message, block=False)
    assert isinstance(future, CallbackFuture)
    return future


def answer_of(future: CallbackFuture) -> Any:
    assert future.wait(TIMEOUT_S), "no answer"
    return future.outcome()


def cluster_target(uuid: str) -> Target:
    return Target(kind=TargetKind.CLUSTER, key=uuid)


def upload_target(uuid: str) -> Target:
    return Target(kind=TargetKind.UPLOAD, key=uuid)


def dataset_target(uuid: str) -> Target:
    return Target(kind=TargetKind.DATASET, key=uuid)


def finalize_message(state: DatasetState) -> FinalizeDataset:
    return FinalizeDataset(uuid=state.uuid, kind=state.kind, upload_uuids=state.upload_uuids)


def train_message(data: Data, *, epochs: int = 1) -> CreateTrainTask:
    return CreateTrainTask(
        name="train",
        inputs=(_bind(data, "picture"),),
        outputs=(_bind(data, "label"),),
        epoch_count=epochs,
    )


def request_message(data: Data) -> CreateRequestTask:
    return CreateRequestTask(
        name="request",
        inputs=(_bind(data, "picture"),),
        results=(OutputBinding(dataset_column="answer", hexagon_name="label"),),
    )


def _bind(data: Data, name: str) -> InputBinding:
    return InputBinding(dataset_uuid=data.uuid, dataset_column=name, hexagon_name=name)


def idx_files(row_count: int, side: int = 2) -> tuple[bytes, bytes]:
    """Pictures and labels as IDX files."""
    pixels = np.arange(row_count * side * side, dtype=np.uint32).astype(np.uint8)
    labels = (np.arange(row_count) % 10).astype(np.uint8)
    images = struct.pack(">IIII", 0x803, row_count, side, side) + pixels.tobytes()
    return images, struct.pack(">II", 0x801, row_count) + labels.tobytes()
