"""Any moment of a cluster can be computed again, from its beginning or from a snapshot."""

import pytest
from msgspec.structs import replace

from hanami_actors.domain.cluster.events import (
    ClusterDeleted,
    ModeChanged,
    TaskQueued,
    TaskStarted,
)
from hanami_actors.errors import BlobMissingError, NotFoundError
from hanami_actors.replay.point import BEGINNING, Moment
from hanami_actors.replay.replayer import Walker
from hanami_actors.replay.timeline import way_to_task, way_to_version
from hanami_actors.types import Digest, StreamId
from tests.replay.history import History, samples_of, uuid_of


def walked(history: History, way) -> Walker:
    walker = Walker(way, history.blobs, history.log)
    walker.walk_to(way.cycle_count)
    return walker


def test_the_newest_state_of_two_tasks_comes_out_again(history):
    content = history.dataset(1, 20)
    stream = history.cluster(50)
    history.train(50, history.task(60, content, epochs=2))
    digest = history.train(50, history.task(61, content, epochs=3), stop=33)
    way = way_to_version(history.log, stream)
    assert way.cycle_count == 40 + 33
    walker = walked(history, way)
    assert walker.network.digest() == digest == way.stretches[-1].digest
    assert walker.moment() == Moment(uuid_of(61), 33)


def test_an_earlier_version_is_computed_as_it_was_then(history):
    content = history.dataset(1, 20)
    stream = history.cluster(50)
    digest = history.train(50, history.task(60, content, epochs=2))
    version = history.log.stream_version(StreamId(stream))
    history.train(50, history.task(61, content, epochs=1))
    assert walked(history, way_to_version(history.log, stream, version)).network.digest() == digest
    empty = way_to_version(history.log, stream, 1)
    assert empty.cycle_count == 0
    assert walked(history, empty).moment() == BEGINNING
    with pytest.raises(NotFoundError, match="no version 99"):
        way_to_version(history.log, stream, 99)


def test_every_cycle_of_a_task_is_a_moment(history):
    content = history.dataset(1, 10)
    stream = history.cluster(50)
    first, second = (history.task(number, content, epochs=2) for number in (60, 61))
    history.train(50, first)
    digests = []
    history.begin(50, second)
    digests = [history.run(50, second, cycle, cycle + 1) for cycle in range(20)]
    for cycle in (1, 7, 10, 11, 20):
        way = way_to_task(history.log, stream, uuid_of(61), cycle)
        assert way.cycle_count == 20 + cycle
        assert walked(history, way).network.digest() == digests[cycle - 1]
    # The task still computes: it can be run ahead of what is recorded, but not beyond its end.
    assert way_to_task(history.log, stream, uuid_of(61), None).cycle_count == 40
    with pytest.raises(NotFoundError, match="no cycle 21"):
        way_to_task(history.log, stream, uuid_of(61), 21)
    with pytest.raises(NotFoundError, match="has started no task"):
        way_to_task(history.log, stream, uuid_of(99), 1)
    with pytest.raises(NotFoundError, match="begins 2 tasks"):
        way_to_task(history.log, stream, uuid_of(0)[:30], 1)


def test_walking_in_pieces_is_the_same_as_walking_at_once(history):
    content = history.dataset(1, 15)
    stream = history.cluster(50)
    digest = history.train_with_pause(50, history.task(60, content, epochs=3), 17)
    way = way_to_version(history.log, stream)
    walker = Walker(way, history.blobs, history.log)
    seen: list[int] = []
    for goal in (1, 14, 15, 16, 40, 45):
        walker.walk_to(goal, seen.append)
        assert walker.done == goal
    assert walker.network.digest() == digest
    assert seen == sorted(seen)


def test_a_snapshot_on_the_way_saves_cycles_and_a_damaged_one_is_passed_over(history):
    content = history.dataset(1, 20)
    stream = history.cluster(50)
    task = history.task(60, content, epochs=2)
    history.begin(50, task)
    for cycle in (10, 30):
        history.run(50, task, cycle - (10 if cycle == 10 else 20), cycle)
        history.snapshot(50, task, cycle)
    digest = history.run(50, task, 30, 40)
    way = way_to_task(history.log, stream, uuid_of(60), None)
    walker = Walker(way, history.blobs, history.log)
    assert walker.start_from(history.snapshots, before=29) == 10
    assert walker.start_from(history.snapshots, before=40) == 30
    walker.walk_to(40)
    assert walker.network.digest() == digest
    newest = max(path for path in history.directory.snapshots.rglob("task*"))
    newest.write_bytes(newest.read_bytes()[:-9])
    walker = Walker(way, history.blobs, history.log)
    assert walker.start_from(history.snapshots, before=40) == 10
    walker.walk_to(40)
    assert walker.network.digest() == digest


def test_the_way_goes_on_across_restores_and_deleted_clusters(history):
    content = history.dataset(1, 20)
    history.cluster(50)
    history.train(50, history.task(60, content, epochs=1))
    saved = history.save(50, 70)
    lost = history.train(50, history.task(61, content, epochs=2))
    second = history.cluster(51, seed=8, name="other")
    history.restore(51, saved)
    history.append((f"cluster/{uuid_of(50)}", [ClusterDeleted()]))
    digest = history.train(51, history.task(62, content, epochs=1))
    way = way_to_version(history.log, second)
    assert [stretch.task.uuid for stretch in way.stretches] == [uuid_of(60), uuid_of(62)]
    assert walked(history, way).network.digest() == digest
    # What the restore left behind is still a moment of the first cluster.
    old = way_to_task(history.log, f"cluster/{uuid_of(50)}", uuid_of(61), None)
    assert walked(history, old).network.digest() == lost


def test_a_task_that_a_restore_undid_is_still_found(history):
    content = history.dataset(1, 20)
    stream = history.cluster(50)
    history.train(50, history.task(60, content, epochs=1))
    saved = history.save(50, 70)
    undone = history.train(50, history.task(61, content, epochs=1))
    history.restore(50, saved)
    history.train(50, history.task(62, content, epochs=1))
    way = way_to_version(history.log, stream)
    assert [stretch.task.uuid for stretch in way.stretches] == [uuid_of(60), uuid_of(62)]
    way = way_to_task(history.log, stream, uuid_of(61), None)
    assert walked(history, way).network.digest() == undone


@pytest.mark.parametrize("blob", [True, False])
def test_samples_of_a_direct_session_are_trained_again(history, blob):
    content = history.dataset(1, 20)
    stream = history.cluster(50)
    history.train(50, history.task(60, content, epochs=1))
    history.append((stream, [ModeChanged(is_direct=True)]))
    digest = history.session(50, 80, samples_of(25), blob=blob)
    way = way_to_version(history.log, stream)
    assert way.cycle_count == 45
    assert walked(history, way).network.digest() == digest == way.stretches[-1].digest
    # In the middle of the second batch, in two steps.
    walker = Walker(way, history.blobs, history.log)
    walker.walk_to(37)
    image = walker.network.image()
    walker.walk_to(45)
    walker.restore(image, 37)
    walker.walk_to(45)
    assert walker.network.digest() == digest


def test_purged_data_is_named(history):
    content = history.dataset(1, 20)
    stream = history.cluster(50)
    history.train(50, history.task(60, content, epochs=1))
    history.blobs.delete(Digest(content.files[0].digest))
    way = way_to_version(history.log, stream)
    with pytest.raises(BlobMissingError) as caught:
        walked(history, way)
    assert any("data purged" in note for note in caught.value.__notes__)
    assert uuid_of(60) in caught.value.__notes__[0]


def test_moments_are_found_on_a_way(history):
    content = history.dataset(1, 10)
    stream = history.cluster(50)
    history.train(50, history.task(60, content, epochs=1))
    history.train(50, history.task(61, content, epochs=1))
    way = way_to_version(history.log, stream)
    for done in range(21):
        assert way.done_at(way.moment(done)) == done
    assert way.moment(10) == Moment(uuid_of(60), 10)
    assert way.done_at(Moment(uuid_of(60), 11)) is None
    with pytest.raises(NotFoundError, match="there is no cycle 21"):
        way.step(21)


def test_a_task_that_has_not_begun_to_train_has_only_its_beginning(history):
    content = history.dataset(1, 10)
    stream = history.cluster(50)
    task = replace(history.task(60, content, epochs=1), kind="request", outputs=())
    history.append((stream, [TaskQueued(task=task)]))
    history.append((stream, [TaskStarted(task_uuid=task.uuid, kernel_version=1)]))
    with pytest.raises(NotFoundError, match="has run 0 cycles of training"):
        way_to_task(history.log, stream, uuid_of(60), 1)
