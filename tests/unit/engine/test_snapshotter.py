"""Snapshots in the background, while the disk is slow, full or gone."""

import threading

import pytest

from hanami_actors.engine.snapshotter import Snapshotter
from hanami_actors.errors import StorageFullError
from hanami_actors.eventlog.snapshots import SnapshotStore
from hanami_actors.replay.point import Moment, moment_name, parse_moment
from hanami_actors.replay.segments import Place
from tests.unit.actors.fakes import Gate, image_of

TIMEOUT_S = 10


def image(number):
    return image_of(b"%d" % number)


def value_of(found):
    moment, picture = found
    return moment.cycle, int(picture.state["spec"].tobytes())


class SlowStore(SnapshotStore):
    """Waits at a gate before it writes the first snapshot."""

    def __init__(self, directory):
        super().__init__(directory)
        self.gate = Gate()
        self.stored = []

    def put(self, stream, name, payload):
        self.gate.pass_through()
        self.stored.append((stream, parse_moment(name)))
        super().put(stream, name, payload)


@pytest.fixture
def slow(tmp_path):
    store = SlowStore(tmp_path)
    snapshotter = Snapshotter(store)
    yield snapshotter
    store.gate.open()
    snapshotter.close()


def newest(snapshotter, cluster, *wanted):
    return snapshotter.newest(Place(cluster, moment) for moment in wanted)


def test_moments_have_names_that_lead_back_to_them():
    moment = Moment("00000000-0000-4000-8000-000000000001", 12)
    assert parse_moment(moment_name(moment)) == moment
    assert parse_moment("version-00000000000000000001") is None


def test_saving_never_waits_for_the_disk_and_keeps_only_the_newest_that_waits(slow):
    slow.save("a", Moment("t", 1), image(1))
    slow._store.gate.wait_until_reached()
    done = threading.Event()

    def save_many():
        # The first of b waits behind a; the later ones take its place, from this same thread.
        for number in range(2, 200):
            slow.save("b", Moment("t", number), image(number))
        done.set()

    threading.Thread(target=save_many, daemon=True).start()
    assert done.wait(TIMEOUT_S)
    assert slow._pool._work_queue.qsize() <= 1
    slow._store.gate.open()
    slow.close()
    assert [moment.cycle for _, moment in slow._store.stored] == [1, 199]


def test_what_is_not_on_the_disk_yet_is_found_in_memory(slow):
    slow.save("a", Moment("t", 1), image(1))
    slow._store.gate.wait_until_reached()
    slow.save("a", Moment("t", 5), image(5))
    assert value_of(newest(slow, "a", Moment("t", 10))) == (5, 5)
    assert value_of(newest(slow, "a", Moment("t", 4))) == (1, 1)
    assert newest(slow, "a", Moment("other", 10)) is None


def test_the_first_wanted_task_counts_more_than_a_later_cycle_of_another(tmp_path):
    snapshotter = Snapshotter(SnapshotStore(tmp_path))
    snapshotter.save("a", Moment("old", 90), image(90))
    snapshotter.close()
    again = Snapshotter(SnapshotStore(tmp_path))
    again.save("a", Moment("new", 3), image(3))
    assert value_of(newest(again, "a", Moment("new", 9), Moment("old", 90))) == (3, 3)
    again.close()


def test_a_damaged_snapshot_is_skipped_and_removed(tmp_path):
    store = SnapshotStore(tmp_path)
    snapshotter = Snapshotter(store)
    for cycle in (1, 2):
        snapshotter.save("a", Moment("t", cycle), image(cycle))
        snapshotter._pool.submit(lambda: None).result(TIMEOUT_S)
    (path,) = tmp_path.glob("*/task-t-*2")
    path.write_bytes(path.read_bytes()[:-1])
    assert value_of(newest(snapshotter, "a", Moment("t", 9))) == (1, 1)
    snapshotter.close()
    assert not path.exists()


def test_a_snapshot_that_cannot_be_stored_is_only_a_lost_shortcut(tmp_path, caplog):
    class FullStore(SnapshotStore):
        def put(self, stream, name, payload):
            raise StorageFullError("no room left")

    snapshotter = Snapshotter(FullStore(tmp_path))
    snapshotter.save("a", Moment("t", 1), image(1))
    snapshotter.close()
    assert "no room left" in caplog.text
    assert newest(snapshotter, "a", Moment("t", 9)) is None


def test_thinning_keeps_the_named_one_and_other_tasks(tmp_path):
    snapshotter = Snapshotter(SnapshotStore(tmp_path))
    for task, cycle in (("s", 7), ("t", 1), ("t", 2), ("t", 3)):
        snapshotter.save("a", Moment(task, cycle), image(cycle))
        snapshotter._pool.submit(lambda: None).result(TIMEOUT_S)
    snapshotter.thin("a", "t", 3)
    snapshotter.close()
    assert sorted(snapshotter._moments("a")) == [Moment("s", 7), Moment("t", 3)]


def test_what_a_checkpoint_names_is_not_thinned(tmp_path):
    snapshotter = Snapshotter(SnapshotStore(tmp_path), pinned=lambda task: frozenset({2}))
    for cycle in (1, 2, 3):
        snapshotter.save("a", Moment("t", cycle), image(cycle))
        snapshotter._pool.submit(lambda: None).result(TIMEOUT_S)
    snapshotter.thin("a", "t", 3)
    snapshotter.close()
    assert sorted(snapshotter._moments("a")) == [Moment("t", 2), Moment("t", 3)]


def test_snapshots_of_several_clusters_are_looked_through_in_order(tmp_path):
    snapshotter = Snapshotter(SnapshotStore(tmp_path))
    snapshotter.save("origin", Moment("s", 5), image(5))
    found = snapshotter.newest(
        iter([Place("copy", Moment("t", 9)), Place("origin", Moment("s", 7))])
    )
    assert value_of(found) == (5, 5)
    assert snapshotter.has("origin", Moment("s", 5))
    assert not snapshotter.has("copy", Moment("s", 5))
    snapshotter.close()


def test_nothing_is_thinned_while_the_one_to_keep_is_not_there(tmp_path):
    snapshotter = Snapshotter(SnapshotStore(tmp_path))
    snapshotter.save("a", Moment("t", 1), image(1))
    snapshotter.thin("a", "t", 3)
    snapshotter.close()
    assert snapshotter._moments("a") == [Moment("t", 1)]


def test_forgetting_removes_also_what_waits(slow):
    slow.save("b", Moment("t", 1), image(1))
    slow._store.gate.wait_until_reached()
    slow.save("a", Moment("t", 1), image(1))
    slow.forget("a")
    slow._store.gate.open()
    slow.close()
    assert slow._moments("a") == []
    assert slow._moments("b") == [Moment("t", 1)]


def test_after_the_end_saving_is_dropped_without_an_error(tmp_path):
    snapshotter = Snapshotter(SnapshotStore(tmp_path))
    snapshotter.close()
    snapshotter.save("a", Moment("t", 1), image(1))
    snapshotter.thin("a", "t", 1)
    assert snapshotter._moments("a") == []
