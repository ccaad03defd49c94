"""Snapshots are caches: what does not hold is noticed."""

import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from hanami_actors.errors import LogError, SnapshotDamagedError
from hanami_actors.eventlog.snapshots import (
    SnapshotStore,
    cycle_snapshot_name,
    version_snapshot_name,
)
from hanami_actors.types import StreamId, Uuid

A, B = StreamId("cluster/a"), StreamId("cluster/b")
TASK = Uuid("00000000-0000-4000-8000-000000000001")
PAYLOAD = bytes(range(256)) * 10


@pytest.fixture
def store(tmp_path: Path) -> SnapshotStore:
    return SnapshotStore(tmp_path / "snapshots")


def file_of(store: SnapshotStore) -> Path:
    (path,) = [path for path in store.path_of_directory.rglob("*") if path.is_file()]
    return path


def test_a_stored_snapshot_is_loaded_again(store: SnapshotStore) -> None:
    store.put(A, "one", PAYLOAD)
    store.put(A, "empty", b"")
    assert store.load(A, "one") == PAYLOAD
    assert store.load(A, "empty") == b""
    assert SnapshotStore(store.path_of_directory).names(A) == ["empty", "one"]


def test_a_newer_snapshot_replaces_one_of_the_same_name(store: SnapshotStore) -> None:
    store.put(A, "one", b"old")
    store.put(A, "one", PAYLOAD)
    assert store.load(A, "one") == PAYLOAD
    assert store.names(A) == ["one"]


def test_a_stream_whose_snapshots_vanish_while_they_are_listed_has_none(
    store: SnapshotStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    store.put(A, "a", b"1")
    found = Path.iterdir

    def vanishing(self: Path) -> Iterator[Path]:
        monkeypatch.setattr(Path, "iterdir", found)
        store.delete_stream(A)
        return found(self)

    monkeypatch.setattr(Path, "iterdir", vanishing)
    assert store.names(A) == []


def test_streams_keep_their_own_snapshots(store: SnapshotStore) -> None:
    store.put(A, "one", b"a")
    store.put(B, "one", b"b")
    store.put(B, "two", b"c")
    store.delete_stream(A)
    store.delete_stream(A)
    assert store.names(A) == []
    assert store.names(B) == ["one", "two"]
    store.delete(B, "one")
    store.delete(B, "one")
    assert store.names(B) == ["two"]
    assert store.load(B, "two") == b"c"


def test_names_of_moments_sort_by_time(store: SnapshotStore) -> None:
    for cycle in (100, 9, 10):
        store.put(A, cycle_snapshot_name(TASK, cycle), b"")
    assert store.names(A) == [cycle_snapshot_name(TASK, cycle) for cycle in (9, 10, 100)]
    assert version_snapshot_name(9) < version_snapshot_name(10)


@pytest.mark.parametrize("name", ["..", ".", "../x", "a/b", ".tmp-x", "%2F", "ä\n\0"])
def test_strange_names_stay_inside_the_store(store: SnapshotStore, name: str) -> None:
    store.put(StreamId(name), name, PAYLOAD)
    assert store.names(StreamId(name)) == [name]
    assert store.load(StreamId(name), name) == PAYLOAD
    assert file_of(store).parent.parent == store.path_of_directory


@pytest.mark.parametrize("name", ["", "x" * 256])
def test_a_name_that_no_file_can_have_is_refused(store: SnapshotStore, name: str) -> None:
    with pytest.raises(LogError, match="cannot name a snapshot"):
        store.put(A, name, PAYLOAD)


def test_a_missing_snapshot_is_as_good_as_a_damaged_one(store: SnapshotStore) -> None:
    with pytest.raises(SnapshotDamagedError, match="cannot be read"):
        store.load(A, "one")


@pytest.mark.parametrize("index", [0, 9, 15, 30, 52, -1])
def test_any_changed_byte_is_noticed(store: SnapshotStore, index: int) -> None:
    store.put(A, "one", PAYLOAD)
    content = bytearray(file_of(store).read_bytes())
    content[index] ^= 1
    file_of(store).write_bytes(content)
    with pytest.raises(SnapshotDamagedError, match="'one' of 'cluster/a'"):
        store.load(A, "one")


@pytest.mark.parametrize("kept_bytes", [0, 51, 52, 1_000])
def test_a_snapshot_that_was_cut_off_is_noticed(store: SnapshotStore, kept_bytes: int) -> None:
    store.put(A, "one", PAYLOAD)
    file_of(store).write_bytes(file_of(store).read_bytes()[:kept_bytes])
    with pytest.raises(SnapshotDamagedError):
        store.load(A, "one")


def test_a_file_in_the_place_of_another_is_noticed(store: SnapshotStore) -> None:
    store.put(A, "one", PAYLOAD)
    file_of(store).rename(file_of(store).with_name("two"))
    with pytest.raises(SnapshotDamagedError, match="digest"):
        store.load(A, "two")


def test_only_the_owner_can_read_snapshots(store: SnapshotStore) -> None:
    store.put(A, "one", PAYLOAD)
    assert stat.S_IMODE(file_of(store).stat().st_mode) == 0o600
    assert stat.S_IMODE(file_of(store).parent.stat().st_mode) == 0o700


def test_unfinished_files_are_no_snapshots_and_are_removed_on_opening(
    store: SnapshotStore,
) -> None:
    store.put(A, "one", PAYLOAD)
    leftover = file_of(store).with_name(".tmp-abc")
    leftover.write_bytes(b"half")
    assert store.names(A) == ["one"]
    SnapshotStore(store.path_of_directory, readonly=True)
    assert leftover.exists()
    SnapshotStore(store.path_of_directory)
    assert not leftover.exists()
    assert store.load(A, "one") == PAYLOAD
