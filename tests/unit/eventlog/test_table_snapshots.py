"""The tables on disk: taken when they hold and belong to this log, folded otherwise."""

from pathlib import Path
from typing import Any

import pytest

from hanami_actors.actors.read_model import Published, TableKeeper, load_published
from hanami_actors.domain.base import Event, Stamp, Who
from hanami_actors.domain.cluster.events import (
    ClusterCreated,
    ClusterDeleted,
    TaskFinished,
    TaskPaused,
    TaskQueued,
    TaskResumed,
    TaskStarted,
)
from hanami_actors.domain.cluster.template_parser import default_template, parse_template
from hanami_actors.domain.tables import Tables
from hanami_actors.domain.upload.events import UploadOpened, UploadRangeStored
from hanami_actors.domain.user.events import UserCreated, UserProjectAssigned
from hanami_actors.errors import StorageFullError
from hanami_actors.eventlog import table_snapshots
from hanami_actors.eventlog.memory import MemoryEventLog
from hanami_actors.eventlog.port import Append, Batch
from hanami_actors.eventlog.snapshots import SnapshotStore
from hanami_actors.eventlog.table_snapshots import TableImage, TableSnapshots
from hanami_actors.types import StreamId, StreamVersion, TimestampUs
from tests.unit.domain.builders import train_task, uuid


def put(log: MemoryEventLog, stream: str, *events: Event) -> None:
    name = StreamId(stream)
    append = Append(stream=name, expected_version=log.stream_version(name), events=events)
    stamp = Stamp(now_us=TimestampUs(7), who=Who(user_id="root", project_id="admin"))
    log.append([Batch(appends=(append,), stamp=stamp)])


def cluster(number: int) -> ClusterCreated:
    return ClusterCreated(
        uuid=uuid(number),
        name=f"c{number}",
        owner_id="alice",
        project_id="lab",
        template_text=default_template(),
        template=parse_template(default_template()),
        seed=1,
        host_uuid=uuid(9),
    )


@pytest.fixture
def log() -> MemoryEventLog:
    log = MemoryEventLog()
    user = UserCreated(
        id="anna", name="Anna", passphrase_hash="h", is_admin=True, creator_id="root"
    )
    put(
        log, "user/anna", user, UserProjectAssigned(project_id="p", role="r", is_project_admin=True)
    )
    opened = UploadOpened(
        uuid=uuid(30),
        dataset_uuid=uuid(20),
        role="input",
        size_bytes=9,
        owner_id="a",
        project_id="p",
    )
    put(log, f"upload/{uuid(30)}", opened, UploadRangeStored(ranges=((2, 5),)))
    for number in range(1, 4):
        put(log, f"cluster/{uuid(number)}", cluster(number), TaskQueued(task=train_task(number)))
    return log


@pytest.fixture
def snapshots(tmp_path: Path, log: MemoryEventLog) -> TableSnapshots:
    return TableSnapshots(SnapshotStore(tmp_path / "snapshots"), log)


def files(snapshots: TableSnapshots) -> list[Path]:
    directory = snapshots._store.path_of_directory
    return sorted(path for path in directory.rglob("*") if path.is_file())


def test_tables_come_back_as_they_were_and_go_on_from_there(
    log: MemoryEventLog, snapshots: TableSnapshots, monkeypatch: pytest.MonkeyPatch
) -> None:
    live = load_published(log)
    snapshots.save(live.image())
    put(log, f"cluster/{uuid(2)}", TaskStarted(task_uuid=uuid(2), kernel_version=1))
    put(log, f"cluster/{uuid(3)}", ClusterDeleted())
    read: list[int] = []
    original = log.read_all

    def counting(*, after_position: int = 0) -> Any:
        for record in original(after_position=after_position):
            read.append(record.position)
            yield record

    monkeypatch.setattr(log, "read_all", counting)
    loaded = load_published(log, snapshots)
    assert read == [11, 12]
    monkeypatch.undo()
    assert loaded.tables == load_published(log).tables
    assert loaded.unfinished == load_published(log).unfinished == {uuid(1), uuid(2)}


def test_many_rows_are_stored_in_pieces(
    log: MemoryEventLog, snapshots: TableSnapshots, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(table_snapshots, "CHUNK_LEN", 2)
    live = load_published(log)
    snapshots.save(live.image())
    assert snapshots.newest().tables == live.tables


@pytest.mark.parametrize("damage", ["cut", "flip", "empty"])
def test_damaged_tables_are_passed_over_and_removed(
    log: MemoryEventLog, snapshots: TableSnapshots, damage: str
) -> None:
    snapshots.save(TableImage(tables=load_published(log).tables))
    put(log, f"cluster/{uuid(1)}", ClusterDeleted())
    snapshots.save(load_published(log).image())
    newest = files(snapshots)[-1]
    content = bytearray(newest.read_bytes())
    if damage == "flip":
        content[len(content) // 2] ^= 1
    newest.write_bytes(b"" if damage == "empty" else content[:-3] if damage == "cut" else content)
    assert snapshots.newest().tables.position == 10
    assert load_published(log, snapshots).tables == load_published(log).tables
    assert len(files(snapshots)) == 1


def test_tables_of_another_log_or_of_a_later_state_are_not_taken(
    log: MemoryEventLog, snapshots: TableSnapshots
) -> None:
    snapshots.save(load_published(log).image())
    store = snapshots._store
    other = MemoryEventLog()
    put(other, "user/x", UserCreated(
        id="x", name="x", passphrase_hash="h", is_admin=False, creator_id="root"
    ))  # fmt: skip
    assert TableSnapshots(store, other).newest() == TableImage()
    assert files(snapshots) == []


def test_tables_of_another_program_are_not_taken(
    log: MemoryEventLog, snapshots: TableSnapshots, monkeypatch: pytest.MonkeyPatch
) -> None:
    snapshots.save(load_published(log).image())
    monkeypatch.setattr(table_snapshots, "_fingerprint", lambda: "another")
    assert snapshots.newest() == TableImage()


def test_only_the_newest_two_are_kept(log: MemoryEventLog, snapshots: TableSnapshots) -> None:
    for number in range(10, 15):
        put(log, f"cluster/{uuid(number)}", cluster(number))
        snapshots.save(load_published(log).image())
    assert len(files(snapshots)) == 2


def test_every_field_of_the_tables_is_stored() -> None:
    assert {"position", *table_snapshots._decoders()} == set(Tables.__struct_fields__)


def test_a_pause_ends_what_has_to_be_woken_and_going_on_begins_it_again(
    log: MemoryEventLog,
) -> None:
    stream = f"cluster/{uuid(1)}"
    put(log, stream, TaskStarted(task_uuid=uuid(1), kernel_version=1))
    put(log, stream, TaskPaused(task_uuid=uuid(1), cycle=3, digest="d"))
    assert load_published(log).unfinished == {uuid(2), uuid(3)}
    put(log, stream, TaskResumed(task_uuid=uuid(1)))
    assert load_published(log).unfinished == {uuid(1), uuid(2), uuid(3)}
    put(log, stream, TaskFinished(task_uuid=uuid(1), cycle=10, digest="d"))
    assert load_published(log).unfinished == {uuid(2), uuid(3)}


def test_the_keeper_stores_now_and_then_and_at_the_end(
    log: MemoryEventLog, snapshots: TableSnapshots, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("hanami_actors.actors.read_model.SAVE_AFTER_RECORDS", 5)
    monkeypatch.setattr("hanami_actors.actors.read_model.SAVE_AT_END_RECORDS", 2)
    published = load_published(log)
    keeper = TableKeeper(snapshots, 6)
    keeper.offer(10, published.image)
    assert files(snapshots) == []
    keeper.offer(11, published.image)
    put(log, f"cluster/{uuid(1)}", ClusterDeleted())
    put(log, f"cluster/{uuid(2)}", ClusterDeleted())
    put(log, f"cluster/{uuid(3)}", ClusterDeleted())
    keeper.close(load_published(log).image())
    assert len(files(snapshots)) == 2
    assert snapshots.newest().tables.position == 13
    TableKeeper(snapshots, 13).close(load_published(log).image())
    assert len(files(snapshots)) == 2


def test_a_full_disk_costs_the_keeper_only_a_warning(
    log: MemoryEventLog,
    snapshots: TableSnapshots,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    def refuse(*args: object) -> None:
        raise StorageFullError("no room")

    monkeypatch.setattr("hanami_actors.actors.read_model.SAVE_AFTER_RECORDS", 1)
    monkeypatch.setattr(snapshots._store, "put", refuse)
    keeper = TableKeeper(snapshots)
    keeper.offer(9, load_published(log).image)
    keeper.close()
    assert "no room" in caplog.text


def test_what_cannot_be_folded_changes_nothing_that_is_published(log: MemoryEventLog) -> None:
    published = Published()
    records = list(log.read_all())
    with pytest.raises(Exception, match="cannot happen"):
        published.take([*records, records[0]])
    assert published.tables.position == 0
    assert published.unfinished == frozenset()
    published.take(records)
    assert published.tables.position == 10
    assert StreamVersion(2) == log.stream_version(StreamId("user/anna"))
