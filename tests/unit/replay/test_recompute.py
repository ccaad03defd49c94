"""What was recorded comes out again, and what does not is named with its record."""

import pytest
from msgspec.structs import replace

from hanami_actors.compute import KERNEL_VERSION
from hanami_actors.domain.cluster.events import TaskFinished, TaskQueued, TaskStarted
from hanami_actors.replay.recompute import branches_of, recompute
from hanami_actors.replay.timeline import way_to_version
from hanami_actors.types import Digest
from tests.replay.history import History, uuid_of


def computed(history: History, way):
    return recompute(way, history.log, history.blobs, history.snapshots)


def test_all_digests_and_snapshots_come_out_again(history):
    content = history.dataset(1, 20)
    stream = history.cluster(50)
    task = history.task(60, content, epochs=1)
    history.train(50, task)
    history.snapshot(50, task, 20)
    history.train(50, history.task(61, content, epochs=2), stop=25)
    result = computed(history, way_to_version(history.log, stream))
    assert result.findings == ()
    assert (result.cycle_count, result.digest_count) == (45, 3)


def test_a_wrong_digest_is_named_with_its_record(history):
    content = history.dataset(1, 20)
    stream = history.cluster(50)
    task = history.task(60, content, epochs=1)
    history.begin(50, task)
    history.append((stream, [TaskFinished(task_uuid=task.uuid, cycle=20, digest="f" * 64)]))
    (finding,) = computed(history, way_to_version(history.log, stream)).findings
    assert finding.where == "record 6"
    assert "f" * 64 in finding.text


def test_a_snapshot_of_another_state_is_named(history):
    content = history.dataset(1, 20)
    stream = history.cluster(50)
    task = history.task(60, content, epochs=1)
    history.train(50, task)
    history.snapshot(50, task, 7)
    (finding,) = computed(history, way_to_version(history.log, stream)).findings
    assert "snapshot at cycle 7" in finding.text


def test_other_kernels_are_no_difference_but_cannot_be_compared(history):
    content = history.dataset(1, 20)
    stream = history.cluster(50)
    task = history.task(60, content, epochs=1)
    other = KERNEL_VERSION + 1
    history.append((stream, [TaskQueued(task=task)]))
    history.append((stream, [TaskStarted(task_uuid=task.uuid, kernel_version=other)]))
    history.append((stream, [TaskFinished(task_uuid=task.uuid, cycle=20, digest="f" * 64)]))
    (finding,) = computed(history, way_to_version(history.log, stream)).findings
    assert f"kernel version {other}" in finding.text


def test_missing_data_is_a_finding(history):
    content = history.dataset(1, 20)
    stream = history.cluster(50)
    history.train(50, history.task(60, content, epochs=1))
    history.blobs.delete(Digest(content.files[1].digest))
    (finding,) = computed(history, way_to_version(history.log, stream)).findings
    assert "data purged" in finding.text


def test_what_a_restore_undid_is_a_branch_of_its_own(history):
    content = history.dataset(1, 10)
    stream = history.cluster(50)
    history.train(50, history.task(60, content, epochs=1))
    saved = history.save(50, 70)
    history.train(50, history.task(61, content, epochs=1))
    history.restore(50, saved)
    history.train(50, history.task(62, content, epochs=1))
    ways = list(branches_of(history.log, stream))
    ends = [way.stretches[-1].task.uuid for way in ways]
    assert ends == [uuid_of(62), uuid_of(61)]
    assert [computed(history, way).findings for way in ways] == [(), ()]


def test_a_cluster_that_learned_nothing_has_no_branch(history):
    assert list(branches_of(history.log, history.cluster(50))) == []


@pytest.mark.parametrize("stop", [None, 13])
def test_the_digest_of_a_cut_stretch_is_not_that_of_the_whole(history, stop):
    content = history.dataset(1, 20)
    stream = history.cluster(50)
    task = replace(history.task(60, content, epochs=1), name="cut")
    history.train(50, task, stop=stop)
    assert computed(history, way_to_version(history.log, stream)).digest_count == 1
