"""Clusters while they compute, and while the world fails around them."""

import itertools
from typing import ClassVar

import pytest
from msgspec.structs import replace

from hanami_actors.actors.cluster.messages import SetMode
from hanami_actors.actors.writer import append_to
from hanami_actors.domain.base import Who
from hanami_actors.domain.cluster.events import CyclesTrained, ModeChanged
from hanami_actors.domain.dataset.aggregate import DatasetPhase
from hanami_actors.errors import BusyError, ConflictError, LogError, NotFoundError, StorageFullError
from hanami_actors.eventlog.port import Batch
from hanami_actors.ports import ManualClock
from hanami_actors.runtime.actor import tell
from hanami_actors.runtime.inbox import IdleTick
from hanami_actors.types import Digest, StreamId
from tests.unit.actors.fakes import FaultyLog, network_with
from tests.unit.actors.harness import cluster_target, request_message, train_message, wait_until
from tests.unit.actors.steps import living, trained_digest


def test_tasks_run_one_after_the_other_and_a_request_fills_its_result(backend):
    cluster, data = backend.cluster(), backend.data()
    train, request = backend.train(cluster, data), backend.request(cluster, data)
    backend.finished(cluster, request)
    assert backend.task(cluster, train).state == "finished"
    result = backend.dataset(request)
    assert result.content is not None
    assert result.content.row_count == data.row_count
    rows = backend.gateway.read_content(result, "answer", 0, 2)
    assert rows[1][0] == (rows[0][0] + 1) % 1000


def test_a_created_task_is_answered_as_queued_although_it_has_begun(backend):
    cluster, data = backend.cluster(), backend.data()
    view = backend.ask_cluster(cluster, train_message(data))
    assert "cluster.task_started" in backend.log.tags(f"cluster/{cluster}")
    assert (view.state, view.current_cycle, view.start_timestamp) == ("queued", 0, "-")
    assert backend.finished(cluster, view.uuid).queue_timestamp == view.queue_timestamp


def test_with_a_time_length_the_last_rows_are_counted_but_begin_no_cycle(backend):
    cluster, data = backend.cluster(), backend.data()
    message = replace(train_message(data, epochs=2), time_length=5)
    view = backend.finished(cluster, backend.ask_cluster(cluster, message).uuid)
    assert (view.current_cycle, view.total_number_of_cycles) == (72, 80)
    assert view.percentage_finished == 0.9


def test_the_same_samples_and_seed_give_the_same_digest(make_backend):
    assert trained_digest(make_backend) == trained_digest(make_backend) != ""


@pytest.mark.parametrize("tag", ["cluster.task_finished", "cluster.task_queued"])
@pytest.mark.parametrize("error", [StorageFullError("full"), LogError("unknown")])
def test_a_task_goes_on_after_its_append_failed(make_backend, tag, error):
    backend = make_backend()
    cluster, data = backend.cluster(), backend.data()
    backend.log.faults[tag] = [error]
    try:
        train = backend.train(cluster, data, epochs=3)
    except type(error):
        train = backend.train(cluster, data, epochs=3)
    assert backend.finished(cluster, train).digest == trained_digest(make_backend)
    tags = backend.log.tags(f"cluster/{cluster}")
    assert tags.count("cluster.task_started") == 1
    assert tags.count("cluster.task_finished") == 1


def test_what_was_written_although_the_append_failed_is_found_by_replay(backend):
    cluster, data = backend.cluster(), backend.data()
    backend.log.after["cluster.task_queued"] = [LogError("no answer from the disk")]
    with pytest.raises(LogError):
        backend.train(cluster, data)
    (task,) = wait_until(lambda: backend.cluster_state(cluster).tasks)
    # Nobody asks for the cluster: the supervisor alone brings it back.
    wait_until(lambda: backend.cluster_state(cluster).tasks[0].phase == "finished")
    assert backend.task(cluster, task.task.uuid).state == "finished"


def test_a_cluster_whose_stream_has_moved_starts_again_and_takes_the_next_task(backend):
    cluster, data = backend.cluster(), backend.data()
    first = backend.train(cluster, data)
    backend.finished(cluster, first)
    actor = living(backend, cluster)._actor_weakref()
    actor._core.book.version -= 1
    with pytest.raises(BusyError, match="try again"):
        backend.train(cluster, data)
    assert backend.finished(cluster, backend.train(cluster, data)).digest != ""


def test_an_append_that_lands_just_after_the_replay_is_not_missed(make_backend):
    """Of an earlier life of the actor, which has waited too long for the writer."""

    class LateLog(FaultyLog):
        late: ClassVar[list[Batch]] = []

        def read_stream(self, stream, *, after_version=0):
            yield from super().read_stream(stream, after_version=after_version)
            if self.late and stream == self.late[0].appends[0].stream:
                self.append([self.late.pop()])

    backend = make_backend(log=LateLog())
    cluster = backend.cluster()
    backend.task_list(cluster)
    actor = living(backend, cluster)
    tell(actor, IdleTick())
    wait_until(lambda: not actor.is_alive())
    late = append_to(f"cluster/{cluster}", 1, (ModeChanged(is_direct=True),))
    backend.log.late.append(Batch(appends=(late,), stamp=backend.system.stamp()))
    with pytest.raises(BusyError, match="try again"):
        backend.ask_cluster(cluster, SetMode(mode="DIRECT"))
    with pytest.raises(ConflictError, match="already"):
        backend.ask_cluster(cluster, SetMode(mode="DIRECT"))
    assert backend.log.tags(f"cluster/{cluster}") == ["cluster.created", "cluster.mode_changed"]


def test_progress_that_finds_no_room_does_not_stop_the_training(make_backend):
    backend = make_backend(snapshot_interval_s=0.0)
    cluster, data = backend.cluster(), backend.data()
    backend.task_list(cluster)
    actor = living(backend, cluster)
    faults = backend.log.faults["cluster.cycles_trained"] = [StorageFullError("full")] * 2
    view = backend.finished(cluster, backend.train(cluster, data, epochs=5))
    assert view.current_cycle == 200
    assert faults == []
    assert living(backend, cluster) is actor


def test_a_missing_blob_fails_the_task_with_a_reason_and_the_next_one_runs(backend):
    cluster, data, other = backend.cluster(), backend.data(), backend.data(50)
    file = backend.dataset(data.uuid).content.files[0]
    backend.blobs.delete(Digest(file.digest))
    bad, good = backend.train(cluster, data), backend.train(cluster, other)
    failed = backend.ended(cluster, bad)
    assert failed.state == "failed"
    assert file.digest in failed.reason
    assert "backup" in failed.reason
    backend.finished(cluster, good)


def test_an_error_of_the_kernel_fails_the_task_and_the_network_is_loaded_again(make_backend):
    errors = [ValueError("the weights are not finite")]

    def fail_once(network, start):
        if errors and network.state["cycles"] >= 30:
            raise errors.pop()

    backend = make_backend(network_class=network_with(on_train=fail_once))
    cluster, data = backend.cluster(), backend.data()
    failed = backend.ended(cluster, backend.train(cluster, data, epochs=3))
    assert failed.state == "failed"
    assert failed.reason.startswith("internal error (ValueError: the weights are not finite)")
    # Nothing of it was recorded, so nothing of it was learned.
    view = backend.finished(cluster, backend.train(cluster, data, epochs=3))
    assert view.digest == trained_digest(make_backend)


def test_a_failed_request_says_so_in_its_result(make_backend):
    def fail(network, start):
        raise ValueError("no answer")

    backend = make_backend(network_class=network_with(on_request=fail))
    cluster, data = backend.cluster(), backend.data()
    backend.train(cluster, data)
    request = backend.request(cluster, data)
    assert backend.ended(cluster, request).state == "failed"
    assert backend.dataset(request).phase is DatasetPhase.FAILED
    assert "no answer" in backend.dataset(request).failure
    assert list((backend.directory / "blobs" / "tmp").iterdir()) == []


def test_a_request_behind_a_training_that_never_ran_fails_with_a_reason(make_backend):
    backend = make_backend(with_kernels=False)
    cluster, data = backend.cluster(), backend.data()
    train, request = backend.train(cluster, data), backend.request(cluster, data)
    backend.abort(cluster, train)
    assert backend.task(cluster, train).current_cycle == 0
    backend.again(with_kernels=True)
    failed = backend.ended(cluster, request)
    assert failed.state == "failed"
    assert failed.reason.startswith("Output 'label' has no size")
    assert backend.dataset(request).failure == failed.reason


def test_a_request_with_wider_input_than_was_learned_is_refused_with_both_numbers(backend):
    cluster, data, wide = backend.cluster(), backend.data(side=2), backend.data(side=3)
    backend.train(cluster, data)
    with pytest.raises(ConflictError, match=r"would get 9 values .* learned 4;"):
        backend.request(cluster, wide)


def test_a_request_whose_training_was_taken_away_fails_with_both_numbers(backend):
    cluster, data, wide = backend.cluster(), backend.data(side=2), backend.data(side=3)
    long = backend.train(cluster, data, epochs=1_000_000)
    wait_until(lambda: backend.task(cluster, long).current_cycle > 0)
    widening = backend.train(cluster, wide)
    request = backend.request(cluster, wide)
    backend.abort(cluster, widening)
    backend.abort(cluster, long)
    failed = backend.ended(cluster, request)
    assert failed.state == "failed"
    assert "gets 9 values" in failed.reason
    assert "learned 4" in failed.reason


def test_a_network_that_left_memory_before_its_snapshot_was_stored_is_computed_again(make_backend):
    backend = make_backend()
    cluster, data = backend.cluster(), backend.data()
    trained = backend.finished(cluster, backend.train(cluster, data, epochs=3))
    # As if it had been evicted, and its snapshot lost.
    backend.host.networks.drop(cluster)
    backend.snapshotter.forget(cluster)
    wait_until(lambda: backend.snapshotter._moments(cluster) == [])
    request = backend.request(cluster, data)
    assert backend.finished(cluster, request).digest == trained.digest


def test_damaged_snapshots_are_skipped_and_the_answer_stays_the_same(backend):
    cluster, data = backend.cluster(), backend.data()
    trained = backend.finished(cluster, backend.train(cluster, data, epochs=3))
    files = wait_until(lambda: list((backend.directory / "snapshots").glob("*/task*")))
    wait_until(lambda: not backend.snapshotter._storing)
    for file in files:
        file.write_bytes(file.read_bytes()[:-1])
    backend.host.networks.drop(cluster)
    request = backend.request(cluster, data)
    assert backend.finished(cluster, request).digest == trained.digest


def test_progress_is_recorded_soon_and_then_at_the_interval(make_backend):
    clock = ManualClock()
    slow = network_with(on_train=lambda network, start: clock.advance(0.1))
    backend = make_backend(clock=clock, network_class=slow)
    cluster, data = backend.cluster(), backend.data()
    backend.finished(cluster, backend.train(cluster, data, epochs=10))
    stream = StreamId(f"cluster/{cluster}")
    events = [record.event for record in backend.log.read_stream(stream)]
    cycles = [event.cycle for event in events if isinstance(event, CyclesTrained)]
    gaps = [after - before for before, after in itertools.pairwise([0, *cycles])]
    # The first call has 16 cycles, the others one; each takes 0.1 s, and the interval is 10 s.
    assert gaps[:4] == [22, 13, 25, 50]
    assert gaps[4:] == [5, 100, 100]  # with the snapshots


def test_a_damaged_dataset_is_noticed_when_what_was_learned_from_it_is_computed_again(backend):
    cluster, data = backend.cluster(), backend.data()
    backend.finished(cluster, backend.train(cluster, data))
    wait_until(lambda: backend.snapshotter._moments(cluster))
    backend.host.networks.drop(cluster)
    backend.snapshotter.forget(cluster)
    wait_until(lambda: backend.snapshotter._moments(cluster) == [])
    for file in backend.dataset(data.uuid).content.files:
        path = backend.blobs.path(file.digest)
        path.chmod(0o600)
        damaged = bytearray(path.read_bytes())
        damaged[-1] ^= 1
        path.write_bytes(damaged)
    view = backend.ended(cluster, backend.request(cluster, data))
    assert view.state == "failed"
    assert "hanami-log verify" in view.reason


def test_the_longest_unused_network_leaves_when_memory_is_short(make_backend):
    backend = make_backend(network_memory_max_bytes=1500)
    data = backend.data()
    first, second = backend.cluster("one"), backend.cluster("two")
    digest = backend.finished(first, backend.train(first, data)).digest
    backend.finished(second, backend.train(second, data))
    assert backend.host.networks.get(first) is None
    assert backend.finished(first, backend.request(first, data)).digest == digest


def test_a_dataset_of_somebody_else_is_not_found(backend):
    cluster, data = backend.cluster(), backend.data()
    stranger = Who(user_id="bob", project_id="other")
    with pytest.raises(NotFoundError, match=data.uuid):
        backend.ask(cluster_target(cluster), train_message(data), stranger)


def test_a_request_before_any_training_is_refused_and_creates_nothing(backend):
    cluster, data = backend.cluster(), backend.data()
    head = backend.log.head()
    with pytest.raises(ConflictError, match="no size"):
        backend.ask_cluster(cluster, request_message(data))
    assert backend.log.head() == head
