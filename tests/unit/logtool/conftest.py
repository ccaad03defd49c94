"""A small data directory with a bit of everything, and a way to run the tool on it."""

import json
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from msgspec.structs import replace

from hanami_actors.domain.base import Event, Stamp, Who
from hanami_actors.domain.cluster.events import (
    ClusterCreated,
    CyclesTrained,
    Task,
    TaskFinished,
    TaskQueued,
    TaskStarted,
)
from hanami_actors.domain.cluster.template_parser import default_template, parse_template
from hanami_actors.domain.dataset.events import (
    Column,
    ColumnFile,
    DatasetContent,
    DatasetCreated,
    DatasetDeleted,
    DatasetFilled,
)
from hanami_actors.domain.upload.events import UploadOpened, UploadRangeStored
from hanami_actors.domain.user.events import UserCreated, UserDeleted
from hanami_actors.eventlog.blobs import BlobStore
from hanami_actors.eventlog.directory import DataDirectory
from hanami_actors.eventlog.lmdb_log import LmdbEventLog
from hanami_actors.eventlog.port import Append, Batch
from hanami_actors.eventlog.snapshots import SnapshotStore
from hanami_actors.logtool import cli
from hanami_actors.types import StreamId, StreamVersion, TimestampUs
from tests.unit.domain.builders import train_task, uuid

BEGIN_US = 1_700_000_000_000_000
CLUSTER = f"cluster/{uuid(50)}"
DATASET, DELETED = f"dataset/{uuid(20)}", f"dataset/{uuid(21)}"
UPLOAD = f"upload/{uuid(30)}"


class Run(NamedTuple):
    """What a call of the tool came to."""

    code: int
    out: str
    err: str

    @property
    def lines(self) -> list[str]:
        return self.out.splitlines()

    @property
    def json(self) -> Any:
        return json.loads(self.out)

    @property
    def json_lines(self) -> list[Any]:
        return [json.loads(line) for line in self.lines]


class DataDir:
    """A data directory to which records are appended; a second passes before each."""

    def __init__(self, path: Path) -> None:
        self.directory = DataDirectory(path)
        self.directory.create()
        self.blobs = BlobStore(self.directory.blobs)
        self.snapshots = SnapshotStore(self.directory.snapshots)
        self._versions: dict[str, int] = {}
        self._count = 0

    @property
    def path(self) -> Path:
        return self.directory.path

    def append(self, stream: str, *events: Event, user: str = "alice") -> None:
        log = LmdbEventLog(self.directory.log, map_size_bytes=2**20, sync=False)
        for event in events:
            version = self._versions.get(stream, 0)
            self._versions[stream] = version + 1
            stamp = Stamp(
                now_us=TimestampUs(BEGIN_US + self._count * 1_000_000),
                who=Who(user_id=user, project_id="lab"),
                correlation_id=f"request-{self._count}",
            )
            self._count += 1
            append = Append(
                stream=StreamId(stream), expected_version=StreamVersion(version), events=(event,)
            )
            log.append([Batch(appends=(append,), stamp=stamp)])
        log.close()


def user_created(name: str) -> UserCreated:
    return UserCreated(
        id=name, name=name, passphrase_hash="$secret", is_admin=False, creator_id="root"
    )


def dataset_events(number: int, digest: str) -> tuple[Event, ...]:
    file = ColumnFile(digest=digest, dtype="uint8", row_count=10, width=4)
    column = Column(name="picture", start=0, end=4, file_index=0, file_start=0)
    return (
        DatasetCreated(uuid=uuid(number), name="data", kind="csv", owner_id="a", project_id="lab"),
        DatasetFilled(
            content=DatasetContent(row_count=10, column_count=4, files=(file,), columns=(column,))
        ),
    )


def task_on(digest: str, number: int = 60) -> Task:
    file = ColumnFile(digest=digest, dtype="uint8", row_count=10, width=4)
    task = train_task(number)
    return replace(
        task,
        inputs=tuple(replace(each, file=file) for each in task.inputs),
        outputs=tuple(replace(each, file=file) for each in task.outputs),
    )


def cluster_events(digest: str) -> tuple[Event, ...]:
    task = task_on(digest)
    return (
        ClusterCreated(
            uuid=uuid(50),
            name="digits",
            owner_id="alice",
            project_id="lab",
            template_text=default_template(),
            template=parse_template(default_template()),
            seed=7,
            host_uuid=uuid(9),
        ),
        TaskQueued(task=task),
        TaskStarted(task_uuid=task.uuid, kernel_version=1),
        CyclesTrained(task_uuid=task.uuid, cycle=4, figures=(("blocks", 1.0),)),
        TaskFinished(task_uuid=task.uuid, cycle=10, digest="e" * 64, figures=(("blocks", 2.0),)),
    )


@pytest.fixture
def data(tmp_path: Path) -> DataDir:
    """Return users (1-3), datasets (4-8), an upload (9-10) and a cluster (11-15)."""
    made = DataDir(tmp_path / "data")
    made.append("user/anna", user_created("anna"), user="root")
    made.append("user/bert", user_created("bert"), UserDeleted(), user="root")
    digest = made.blobs.put(b"a" * 40)
    made.append(DATASET, *dataset_events(20, digest))
    made.append(DELETED, *dataset_events(21, made.blobs.put(b"b" * 40)), DatasetDeleted())
    opened = UploadOpened(
        uuid=uuid(30),
        dataset_uuid=uuid(22),
        role="input",
        size_bytes=100_000,
        owner_id="alice",
        project_id="lab",
    )
    made.append(UPLOAD, opened, UploadRangeStored(ranges=((50_000, 50_010),)))
    made.append(CLUSTER, *cluster_events(digest))
    made.snapshots.put(StreamId(CLUSTER), "version-1", b"payload")
    (made.path / "token.key").write_bytes(b"k" * 32)
    uploads = made.path / "uploads"
    uploads.mkdir(mode=0o700)
    with (uploads / uuid(30)).open("wb") as file:
        file.truncate(100_000)
        file.seek(50_000)
        file.write(b"0123456789")
    return made


@pytest.fixture
def hanami_log(
    data: DataDir, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Any:
    """Run the tool on the data directory, or on the one that is named."""

    def run(*arguments: object, data_dir: Path | None = None) -> Run:
        words = ["hanami-log", "--data-dir", data_dir or data.path, *arguments]
        monkeypatch.setattr("sys.argv", [str(word) for word in words])
        code = cli.main()
        shown = capsys.readouterr()
        return Run(code, shown.out, shown.err)

    return run
