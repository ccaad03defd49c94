"""Making histories: records as a server writes them, with networks that are really trained."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from hanami_actors.compute import KERNEL_VERSION, Network, NetworkImage
from hanami_actors.compute.image import encode_image
from hanami_actors.datasets.samples import Sample, encode_samples, sizes_of_samples
from hanami_actors.domain.aggregates import aggregate_of
from hanami_actors.domain.base import Event, Stamp, Who
from hanami_actors.domain.checkpoint.events import CheckpointCreated
from hanami_actors.domain.cluster.events import (
    CheckpointTaken,
    ClusterCreated,
    ClusterRestored,
    CyclesTrained,
    SamplesTrained,
    SessionClosed,
    SessionOpened,
    TaskAborted,
    TaskFinished,
    TaskPaused,
    TaskQueued,
    TaskResumed,
    TaskStarted,
)
from hanami_actors.domain.cluster.lineage import source_of
from hanami_actors.domain.cluster.source import Source
from hanami_actors.domain.cluster.task import Binding, ResultBinding, Task
from hanami_actors.domain.cluster.template_parser import parse_template
from hanami_actors.domain.dataset.events import (
    Column,
    ColumnFile,
    DatasetContent,
    DatasetCreated,
    DatasetFilled,
)
from hanami_actors.eventlog.blobs import BlobStore
from hanami_actors.eventlog.directory import DataDirectory
from hanami_actors.eventlog.lmdb_log import LmdbEventLog
from hanami_actors.eventlog.port import Append, Batch
from hanami_actors.eventlog.replay import fold
from hanami_actors.eventlog.snapshots import SnapshotStore
from hanami_actors.replay.point import Moment, moment_name
from hanami_actors.replay.segment_data import network_spec, open_bindings
from hanami_actors.types import StreamId, StreamVersion, TimestampUs, Uuid

BEGIN_US = 1_750_000_000_000_000
INPUT_WIDTH, OUTPUT_WIDTH = 4, 2

TEMPLATE = """version: 1
settings:
    neuron_cooldown: 1000000000.0
hexagons:
    1,1,1
    2,1,1
    3,1,1
inputs:
    picture: 1,1,1
outputs:
    label: 3,1,1
"""


def uuid_of(number: int) -> Uuid:
    return Uuid(f"00000000-0000-4000-8000-{number:012x}")


class History:
    """A data directory to which is written as a server would; a second passes per append.

    Numbers are turned into uuids. Networks are trained here and now, so the digests are real.
    """

    def __init__(self, path: Path) -> None:
        self.directory = DataDirectory(path)
        self.directory.create()
        self.log = LmdbEventLog(self.directory.log, map_size_bytes=2**22, sync=False)
        self.blobs = BlobStore(self.directory.blobs)
        self.snapshots = SnapshotStore(self.directory.snapshots)
        self.networks: dict[int, Network] = {}
        self._seconds = 0

    def close(self) -> None:
        self.log.close()

    @property
    def now_us(self) -> TimestampUs:
        """The time of the next record."""
        return TimestampUs(BEGIN_US + 1_000_000 * self._seconds)

    def append(self, *appends: tuple[str, Sequence[Event]], user: str = "alice") -> None:
        """Append events to streams, all in one batch."""
        filled = tuple(
            Append(
                stream=StreamId(stream),
                expected_version=StreamVersion(self.log.stream_version(StreamId(stream))),
                events=tuple(events),
            )
            for stream, events in appends
        )
        stamp = Stamp(
            now_us=self.now_us,
            who=Who(user_id=user, project_id="lab"),
            correlation_id=uuid_of(0xC0000 + self._seconds),
        )
        self._seconds += 1
        self.log.append([Batch(appends=filled, stamp=stamp)])

    def state(self, stream: str) -> Any:
        aggregate = aggregate_of(stream)
        return fold(self.log.read_stream(StreamId(stream)), aggregate.initial(), aggregate.apply)

    def dataset(self, number: int, row_count: int, *, seed: int = 1) -> DatasetContent:
        """Record a dataset with the columns picture and label, of values that can be learned."""
        generator = np.random.default_rng(seed)
        labels = generator.integers(0, OUTPUT_WIDTH, row_count)
        pictures = generator.integers(0, 60, (row_count, INPUT_WIDTH), dtype=np.uint8)
        pictures[np.arange(row_count), labels] += 150
        hot = np.zeros((row_count, OUTPUT_WIDTH), dtype=np.uint8)
        hot[np.arange(row_count), labels] = 1
        files = tuple(
            ColumnFile(
                digest=self.blobs.put(matrix.tobytes()),
                dtype="uint8",
                row_count=row_count,
                width=matrix.shape[1],
            )
            for matrix in (pictures, hot)
        )
        content = DatasetContent(
            row_count=row_count,
            column_count=INPUT_WIDTH + OUTPUT_WIDTH,
            files=files,
            columns=(
                Column(name="picture", start=0, end=INPUT_WIDTH, file_index=0, file_start=0),
                Column(
                    name="label",
                    start=INPUT_WIDTH,
                    end=INPUT_WIDTH + OUTPUT_WIDTH,
                    file_index=1,
                    file_start=0,
                ),
            ),
        )
        created = DatasetCreated(
            uuid=uuid_of(number), name="data", kind="mnist", owner_id="alice", project_id="lab"
        )
        self.append((f"dataset/{uuid_of(number)}", [created, DatasetFilled(content=content)]))
        return content

    def cluster(self, number: int, *, seed: int = 7, name: str = "digits") -> str:
        """Record a cluster and make its network; return its stream."""
        template = parse_template(TEMPLATE)
        created = ClusterCreated(
            uuid=uuid_of(number),
            name=name,
            owner_id="alice",
            project_id="lab",
            template_text=TEMPLATE,
            template=template,
            seed=seed,
            host_uuid=uuid_of(9),
        )
        self.append((f"cluster/{uuid_of(number)}", [created]))
        self.networks[number] = Network.create(network_spec(template, seed))
        return f"cluster/{uuid_of(number)}"

    def task(
        self, number: int, content: DatasetContent, *, epochs: int, kind: str = "train"
    ) -> Task:
        picture, label = (
            Binding(
                hexagon_name=column.name,
                dataset_uuid=uuid_of(1),
                dataset_column=column.name,
                file=content.files[column.file_index],
                start=0,
                end=column.end - column.start,
            )
            for column in content.columns
        )
        is_training = kind == "train"
        answer = ResultBinding(hexagon_name="label", dataset_column="answer")
        return Task(
            uuid=uuid_of(number),
            kind=kind,
            name=f"{kind} {number}",
            inputs=(picture,),
            outputs=(label,) if is_training else (),
            results=() if is_training else (answer,),
            row_count=content.row_count,
            epoch_count=epochs,
            user_id="alice",
            project_id="lab",
        )

    def run(self, cluster: int, task: Task, start: int, stop: int) -> str:
        """Train cycles of a task; return the digest. Writes nothing."""
        network = self.networks[cluster]
        inputs, outputs = (open_bindings(self.blobs, side) for side in (task.inputs, task.outputs))
        if start == 0:
            network.size(*({name: array.shape[1] for name, array in s} for s in (inputs, outputs)))
            network.reset_transients("train")
        for cycle in range(start, stop):
            row = cycle % task.cycles_per_epoch
            network.train(inputs, outputs, row, row + 1)
        return network.digest()

    def begin(self, cluster: int, task: Task) -> str:
        """Record that a task was queued and started; return the cluster's stream."""
        stream = f"cluster/{uuid_of(cluster)}"
        started = TaskStarted(task_uuid=task.uuid, kernel_version=KERNEL_VERSION)
        self.append((stream, [TaskQueued(task=task), started]))
        return stream

    def train(self, cluster: int, task: Task, *, stop: int | None = None) -> str:
        """Record a whole training, or one aborted at a cycle; return the digest."""
        stream = self.begin(cluster, task)
        end = task.cycle_count if stop is None else stop
        half = end // 2
        self.run(cluster, task, 0, half)
        self.append((stream, [CyclesTrained(task_uuid=task.uuid, cycle=half)]))
        digest = self.run(cluster, task, half, end)
        kind = TaskFinished if stop is None else TaskAborted
        self.append((stream, [kind(task_uuid=task.uuid, cycle=end, digest=digest)]))
        return digest

    def train_with_pause(self, cluster: int, task: Task, at: int) -> str:
        """Record a training with a pause at a cycle; return the digest."""
        stream = self.begin(cluster, task)
        digest = self.run(cluster, task, 0, at)
        self.append((stream, [TaskPaused(task_uuid=task.uuid, cycle=at, digest=digest)]))
        self.append((stream, [TaskResumed(task_uuid=task.uuid)]))
        digest = self.run(cluster, task, at, task.cycle_count)
        end = TaskFinished(task_uuid=task.uuid, cycle=task.cycle_count, digest=digest)
        self.append((stream, [end]))
        return digest

    def snapshot(self, cluster: int, task: Task, cycle: int) -> None:
        """Store the network as it is now under a moment."""
        name = moment_name(Moment(task.uuid, cycle))
        image = encode_image(self.networks[cluster].image())
        self.snapshots.put(StreamId(f"cluster/{uuid_of(cluster)}"), name, image)

    def save(self, cluster: int, checkpoint: int) -> tuple[Source, NetworkImage]:
        """Record a checkpoint; return what a restore needs."""
        stream = f"cluster/{uuid_of(cluster)}"
        version = self.log.stream_version(StreamId(stream))
        source = source_of(self.state(stream), stream, version, KERNEL_VERSION)
        taken = CheckpointTaken(
            checkpoint_uuid=uuid_of(checkpoint),
            name="save",
            version=version,
            span_uuid=source.span_uuid,
            cycle=source.cycle,
            digest=source.digest,
        )
        created = CheckpointCreated(
            uuid=uuid_of(checkpoint),
            name="save",
            owner_id="alice",
            project_id="lab",
            cluster_uuid=uuid_of(cluster),
            cluster_name="digits",
            source=source,
        )
        self.append((stream, [taken]), (f"checkpoint/{uuid_of(checkpoint)}", [created]))
        return source, self.networks[cluster].image()

    def restore(self, cluster: int, saved: tuple[Source, NetworkImage]) -> None:
        """Record a restore and put the network there."""
        source, image = saved
        self.append((f"cluster/{uuid_of(cluster)}", [ClusterRestored(source=source)]))
        self.networks[cluster] = Network.from_image(image)

    def session(self, cluster: int, number: int, samples: Sequence[Sample], *, blob: bool) -> str:
        """Record a direct session, its samples in two batches; return the digest."""
        stream = f"cluster/{uuid_of(cluster)}"
        opened = SessionOpened(session_uuid=uuid_of(number), connection_uuid=uuid_of(number + 1))
        self.append((stream, [opened]))
        network = self.networks[cluster]
        network.reset_transients("train")
        half = len(samples) // 2
        for start, part in ((0, samples[:half]), (half, samples[half:])):
            data = encode_samples(part)
            inputs, outputs = sizes_of_samples(data)
            network.size(dict(inputs), dict(outputs))
            for sample in part:
                network.train_one(dict(sample.inputs), dict(sample.outputs))
            trained = SamplesTrained(
                session_uuid=uuid_of(number),
                start=start,
                count=len(part),
                blob=self.blobs.put(data) if blob else "",
                data=b"" if blob else data,
                inputs=inputs,
                outputs=outputs,
            )
            self.append((stream, [trained]))
        digest = network.digest()
        closed = SessionClosed(session_uuid=uuid_of(number), step=len(samples), digest=digest)
        self.append((stream, [closed]))
        return digest


def samples_of(count: int, *, seed: int = 3) -> list[Sample]:
    """Return samples with the shapes of `TEMPLATE`."""
    generator = np.random.default_rng(seed)
    return [
        Sample(
            {"picture": generator.random(INPUT_WIDTH, dtype=np.float32)},
            {"label": np.eye(OUTPUT_WIDTH, dtype=np.float32)[number % OUTPUT_WIDTH]},
        )
        for number in range(count)
    ]
