"""The janitor removes what nothing names, from a directory with a real log, and nothing else."""

import os
from pathlib import Path

import pytest

from hanami_actors.actors.janitor import Janitor
from hanami_actors.domain.dataset.events import DatasetDeleted
from hanami_actors.eventlog.directory import DataDirectory
from hanami_actors.eventlog.snapshots import SnapshotStore
from hanami_actors.ports import ManualClock
from tests.replay.history import History, uuid_of
from tests.unit.actors.harness import wait_until

GRACE_S = 3600.0


@pytest.fixture
def history(tmp_path: Path):
    made = History(tmp_path / "data")
    yield made
    made.close()


def janitor_of(history: History, clock: ManualClock, *, interval_s: float = GRACE_S) -> Janitor:
    return Janitor(
        history.directory,
        history.blobs,
        SnapshotStore(history.directory.snapshots),
        clock,
        interval_s=interval_s,
        grace_s=GRACE_S,
    )


def grow_old(history: History) -> None:
    for digest in history.blobs.iterate():
        path = history.blobs.path(digest)
        then_s = path.stat().st_mtime - 2 * GRACE_S
        os.utime(path, (then_s, then_s))


def abandon(history: History) -> tuple[set[str], set[str]]:
    """Make two data-sets and delete one; return the digests that are named and the others."""
    kept, left = history.dataset(1, 10), history.dataset(2, 10, seed=2)
    history.append((f"dataset/{uuid_of(2)}", [DatasetDeleted()]))
    return {file.digest for file in kept.files}, {file.digest for file in left.files}


def test_old_blobs_without_a_name_go_and_young_ones_stay(history):
    kept, left = abandon(history)
    clock = ManualClock()
    janitor = janitor_of(history, clock)
    grow_old(history)
    young = history.blobs.put(b"its event is on its way")
    size_bytes = sum(history.blobs.size_bytes(digest) for digest in left)
    assert janitor.clean() == 0
    clock.advance(GRACE_S)
    assert janitor.clean() == size_bytes > 0
    assert set(history.blobs.iterate()) == kept | {young}


def test_nothing_goes_before_it_was_unneeded_for_the_whole_time_by_a_clock_nobody_sets(history):
    _, left = abandon(history)
    clock = ManualClock()
    janitor = janitor_of(history, clock)
    # As if the time of day had been set ahead by hours in this moment.
    grow_old(history)
    for _ in range(3):
        assert janitor.clean() == 0
        clock.advance(GRACE_S / 3 - 1)
    assert left <= set(history.blobs.iterate())
    clock.advance(3)
    assert janitor.clean() > 0


def test_what_was_stored_again_in_between_begins_anew(history):
    _, left = abandon(history)
    clock = ManualClock()
    janitor = janitor_of(history, clock)
    grow_old(history)
    assert janitor.clean() == 0
    clock.advance(GRACE_S)
    again, gone = sorted(left)
    history.blobs.put(history.blobs.path(again).read_bytes())
    os.utime(history.blobs.path(again), (1, 1))  # the time of day is set ahead
    janitor.clean()
    assert (history.blobs.has(again), history.blobs.has(gone)) == (True, False)
    clock.advance(GRACE_S)
    janitor.clean()
    assert not history.blobs.has(again)


def test_it_comes_by_itself_and_stops_when_told(history):
    kept, _ = abandon(history)
    grow_old(history)
    clock = ManualClock()
    janitor = janitor_of(history, clock, interval_s=0.01)
    janitor.start()

    def is_clean() -> bool:
        clock.advance(GRACE_S)
        return set(history.blobs.iterate()) == kept

    wait_until(is_clean)
    janitor.stop()


def test_a_directory_that_cannot_be_read_is_said_and_nothing_is_removed(history, tmp_path, caplog):
    _, left = abandon(history)
    grow_old(history)
    elsewhere = Janitor(
        DataDirectory(tmp_path / "nowhere"),
        history.blobs,
        SnapshotStore(history.directory.snapshots),
        ManualClock(),
        interval_s=GRACE_S,
        grace_s=GRACE_S,
    )
    assert elsewhere.clean() == 0
    assert left <= set(history.blobs.iterate())
    assert "nothing is cleaned up" in caplog.text
