"""What may be removed, and what never is."""

import os
import time
from pathlib import Path

import pytest

from hanami_actors.compute import KERNEL_VERSION
from hanami_actors.domain.checkpoint.events import CheckpointDeleted
from hanami_actors.domain.cluster.events import (
    ClusterDeleted,
    TaskFinished,
    TaskQueued,
    TaskStarted,
)
from hanami_actors.domain.dataset.events import DatasetDeleted
from hanami_actors.eventlog.blobs import BlobStore
from hanami_actors.eventlog.collect import NEWEST_KEPT, Plan, make_plan
from hanami_actors.replay.replayer import Walker
from hanami_actors.replay.timeline import way_to_version
from hanami_actors.types import Digest, StreamId
from tests.replay.history import History, samples_of, uuid_of

DAY_S = 86_400.0


@pytest.fixture
def history(tmp_path: Path):
    made = History(tmp_path / "data")
    yield made
    made.close()


def plan_of(history: History, *, older_than_s: float | None = None) -> Plan:
    limit = time.time() + DAY_S if older_than_s is None else older_than_s
    return make_plan(history.directory, history.log, older_than_s=limit)


def digests_of(plan: Plan) -> set[str]:
    return {digest for digest, _ in plan.blobs}


def carry_out(history: History, plan: Plan) -> None:
    for digest, stored_ns in plan.blobs:
        assert history.blobs.collect(Digest(digest), stored_ns=stored_ns) > 0
    for stream, name in plan.snapshots:
        history.snapshots.delete(StreamId(stream), name)


def deleted(history: History, kind: str, number: int, event) -> None:
    history.append((f"{kind}/{uuid_of(number)}", [event]))


def test_nothing_that_lives_is_removed(history):
    content = history.dataset(1, 10)
    history.cluster(50)
    history.train(50, history.task(60, content, epochs=1))
    history.session(50, 80, samples_of(4), blob=True)
    plan = plan_of(history)
    assert (plan.blobs, plan.snapshots) == ((), ())
    assert plan.position == history.log.head().position


def test_blobs_of_a_deleted_dataset_stay_while_a_history_names_them(history):
    content, unused = history.dataset(1, 10), history.dataset(2, 10, seed=2)
    history.cluster(50)
    digest = history.train(50, history.task(60, content, epochs=1))
    deleted(history, "dataset", 1, DatasetDeleted())
    assert plan_of(history).blobs == ()
    deleted(history, "dataset", 2, DatasetDeleted())
    assert digests_of(plan_of(history)) == {file.digest for file in unused.files}
    carry_out(history, plan_of(history))
    way = way_to_version(history.log, f"cluster/{uuid_of(50)}")
    walker = Walker(way, history.blobs, history.log)
    walker.walk_to(way.cycle_count)
    assert walker.network.digest() == digest


def test_what_a_deleted_cluster_leaves_stays_while_something_was_restored_from_it(history):
    content = history.dataset(1, 10)
    history.cluster(50)
    task = history.task(60, content, epochs=1)
    history.train(50, task)
    history.snapshot(50, task, 10)
    saved = history.save(50, 70)
    deleted(history, "dataset", 1, DatasetDeleted())
    deleted(history, "cluster", 50, ClusterDeleted())
    assert plan_of(history) == plan_of(history)
    assert (plan_of(history).blobs, plan_of(history).snapshots) == ((), ())
    history.cluster(51, name="other")
    history.restore(51, saved)
    deleted(history, "checkpoint", 70, CheckpointDeleted())
    assert (plan_of(history).blobs, plan_of(history).snapshots) == ((), ())
    deleted(history, "cluster", 51, ClusterDeleted())
    plan = plan_of(history)
    assert digests_of(plan) == {file.digest for file in content.files}
    assert [stream for stream, _ in plan.snapshots] == [f"cluster/{uuid_of(50)}"]


def test_what_is_young_is_left_alone(history):
    stranger = history.blobs.put(b"nobody names this yet")
    history.snapshots.put(StreamId("cluster/unknown"), "version-1", b"x")
    now_s = time.time()
    assert plan_of(history, older_than_s=now_s - 60).blobs == ()
    old = plan_of(history, older_than_s=now_s + 60)
    assert (digests_of(old), old.snapshots) == ({stranger}, (("cluster/unknown", "version-1"),))


def test_snapshots_become_fewer_the_older_they_are_but_named_moments_stay(history):
    content = history.dataset(1, 5)
    stream = history.cluster(50)
    tasks = [history.task(100 + number, content, epochs=1) for number in range(30)]
    for number, task in enumerate(tasks):
        history.train(50, task)
        history.snapshot(50, task, 5)
        if number == 3:
            history.save(50, 70)
    removed = {name for _, name in plan_of(history).snapshots}
    ages = [
        age
        for age, task in enumerate(reversed(tasks))
        if not any(task.uuid in name for name in removed)
    ]
    assert ages[:NEWEST_KEPT] == list(range(NEWEST_KEPT))
    assert {8, 16} <= set(ages)
    assert 26 in ages  # it has a checkpoint
    assert len(ages) == NEWEST_KEPT + 3
    assert all(of == stream for of, _ in plan_of(history).snapshots)


def test_what_was_deleted_a_moment_ago_is_kept_as_if_it_lived(history):
    content = history.dataset(1, 10)
    history.cluster(50)
    task = history.task(60, content, epochs=1)
    history.train(50, task)
    history.snapshot(50, task, 10)
    saved_s = history.now_us / 1e6
    deleted(history, "dataset", 1, DatasetDeleted())
    deleted(history, "cluster", 50, ClusterDeleted())
    for path in history.directory.path.rglob("*/*"):
        os.utime(path, (1, 1))
    # A restore that was asked for just before is recorded later than these.
    assert plan_of(history, older_than_s=saved_s) == Plan(position=history.log.head().position)
    later = plan_of(history, older_than_s=saved_s + 60)
    assert digests_of(later) == {file.digest for file in content.files}
    assert len(later.snapshots) == 1


def test_requests_do_not_push_the_newest_training_out(history):
    content = history.dataset(1, 5)
    history.cluster(50)
    task = history.task(100, content, epochs=1)
    history.train(50, task)
    history.snapshot(50, task, 5)
    for number in range(2 * NEWEST_KEPT):
        request = history.task(200 + number, content, epochs=1, kind="request")
        stream = history.begin(50, request)
        history.append((stream, [TaskFinished(task_uuid=request.uuid, cycle=5, digest="")]))
    assert plan_of(history).snapshots == ()


def test_a_moment_with_a_name_keeps_the_snapshot_from_which_it_is_near(history):
    content = history.dataset(1, 10)
    stream = history.cluster(50)
    tasks = [history.task(100 + number, content, epochs=1) for number in range(30)]
    for number, task in enumerate(tasks):
        history.train(50, task)
        if number == 3:
            # The one of the checkpoint itself was never written.
            for cycle in (3, 6, 9):
                history.snapshot(50, task, cycle)
            history.save(50, 70)
        history.snapshot(50, task, 10) if number != 3 else None
    removed = plan_of(history).snapshots
    of_saved = [name for of, name in removed if tasks[3].uuid in name and of == stream]
    assert [name[-2:] for name in of_saved] == ["03", "06"]


def test_what_other_kernels_computed_stays_because_it_cannot_be_computed_again(history):
    content = history.dataset(1, 5)
    stream = history.cluster(50)
    old = [history.task(100 + number, content, epochs=1) for number in range(20)]
    for task in old:
        started = TaskStarted(task_uuid=task.uuid, kernel_version=KERNEL_VERSION - 1)
        finished = TaskFinished(task_uuid=task.uuid, cycle=5, digest="")
        history.append((stream, [TaskQueued(task=task), started, finished]))
        history.snapshot(50, task, 5)
    assert len(plan_of(history).snapshots) == 20 - NEWEST_KEPT - 2
    new = history.task(200, content, epochs=1)
    history.train(50, new)
    assert plan_of(history).snapshots == ()


def test_a_blob_that_is_stored_again_is_young_again(tmp_path):
    blobs = BlobStore(tmp_path / "blobs")
    digest = blobs.put(b"data")
    os.utime(blobs.path(digest), (1, 1))
    seen_ns = blobs.stored_ns(digest)
    assert blobs.put(b"data") == digest
    assert blobs.collect(digest, stored_ns=seen_ns) == 0
    assert blobs.has(digest)
    assert blobs.collect(digest, stored_ns=blobs.stored_ns(digest)) == 4
    assert not blobs.has(digest)
    assert blobs.collect(digest, stored_ns=seen_ns) == 0


def test_a_file_that_is_taken_over_is_young(tmp_path):
    blobs = BlobStore(tmp_path / "blobs")
    file = tmp_path / "blobs" / "upload"
    file.write_bytes(b"slowly uploaded")
    os.utime(file, (1, 1))
    digest = blobs.adopt(file)
    assert blobs.stored_ns(digest) > time.time_ns() - 60 * 10**9
