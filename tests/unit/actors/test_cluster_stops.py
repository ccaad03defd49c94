"""Tasks and clusters that are stopped: by their users, with the server, or for want of kernels."""

from functools import partial

import pykka
import pytest

from hanami_actors.actors.cluster import actor as cluster_module
from hanami_actors.actors.cluster.messages import PauseTask, ResumeTask
from hanami_actors.actors.gateway import DeleteTask
from hanami_actors.actors.host import KernelsFailed
from hanami_actors.actors.supervisor import Shutdown
from hanami_actors.domain.cluster.messages import DeleteCluster
from hanami_actors.domain.cluster.state import TaskPhase
from hanami_actors.domain.dataset.aggregate import DatasetPhase
from hanami_actors.domain.dataset.messages import DeleteDataset
from hanami_actors.errors import BusyError, NotFoundError, StorageFullError
from hanami_actors.runtime.actor import tell
from hanami_actors.runtime.inbox import IdleTick
from tests.unit.actors.fakes import Gate, network_with
from tests.unit.actors.harness import (
    answer_of,
    ask_later,
    cluster_target,
    wait_until,
)
from tests.unit.actors.steps import gated_training, has_phases, living, trained_digest


def test_an_abort_ends_at_a_recorded_cycle_and_is_answered_afterwards(make_backend):
    backend, gate = gated_training(make_backend)
    cluster, data = backend.cluster(), backend.data()
    train = backend.train(cluster, data, epochs=1000)
    gate.wait_until_reached()
    aborted = backend.send(cluster_target(cluster), DeleteTask(task_uuid=train))
    again = backend.send(cluster_target(cluster), DeleteTask(task_uuid=train))
    backend.task(cluster, train)
    assert not aborted.wait(0)
    gate.open()
    assert answer_of(aborted) is None
    assert answer_of(again) is None
    view = backend.task(cluster, train)
    assert view.state == "aborted"
    assert 0 < view.current_cycle < 40_000
    assert view.digest != ""


def test_an_abort_does_not_wait_for_the_kernels(make_backend):
    backend = make_backend(with_kernels=False)
    cluster, data = backend.cluster(), backend.data()
    train, following = backend.train(cluster, data), backend.train(cluster, data)
    backend.abort(cluster, train)
    assert backend.task(cluster, train).state == "aborted"
    assert backend.task(cluster, following).state == "active"


def test_deleting_a_queued_request_ends_its_result_too(make_backend):
    backend, gate = gated_training(make_backend)
    cluster, data = backend.cluster(), backend.data()
    backend.train(cluster, data)
    request = backend.request(cluster, data)
    backend.abort(cluster, request)
    assert backend.dataset(request).phase is DatasetPhase.FAILED
    with pytest.raises(NotFoundError):
        backend.task(cluster, request)
    gate.open()


def test_a_result_deleted_while_its_task_computes_is_no_error(make_backend):
    gate = Gate()
    network = network_with(on_request=lambda network, start: gate.pass_through())
    backend = make_backend(network_class=network)
    cluster, data = backend.cluster(), backend.data()
    backend.train(cluster, data)
    request = backend.request(cluster, data)
    gate.wait_until_reached()
    backend.ask_directory(DeleteDataset(uuid=request))
    gate.open()
    backend.finished(cluster, request)
    assert request not in backend.gateway.tables.datasets


def test_deleting_a_cluster_does_not_wait_for_its_training(make_backend):
    backend, gate = gated_training(make_backend)
    cluster, data = backend.cluster(), backend.data()
    train = backend.train(cluster, data, epochs=1_000_000)
    gate.wait_until_reached()
    aborted = backend.send(cluster_target(cluster), DeleteTask(task_uuid=train))
    backend.task(cluster, train)
    # The compute thread stands at the gate all the time.
    backend.ask_directory(DeleteCluster(uuid=cluster))
    # Before anybody knew whether the deletion would be recorded.
    with pytest.raises(BusyError, match="try again"):
        answer_of(aborted)
    with pytest.raises(NotFoundError):
        backend.task(cluster, train)
    other = backend.cluster()
    gate.open()
    backend.finished(other, backend.train(other, data))
    wait_until(lambda: cluster not in backend.host.scheduler.busy_lanes())
    assert backend.host.networks.get(cluster) is None
    backend.stop()
    assert backend.snapshotter._moments(cluster) == []


def test_a_cluster_whose_deletion_cannot_be_recorded_goes_on_by_itself(make_backend):
    backend, gate = gated_training(make_backend)
    cluster, data = backend.cluster(), backend.data()
    backend.train(cluster, data, epochs=3)
    gate.wait_until_reached()
    backend.log.faults["cluster.deleted"] = [StorageFullError("full")]
    with pytest.raises(StorageFullError):
        backend.ask_directory(DeleteCluster(uuid=cluster))
    gate.open()
    # Nobody asks for it.
    wait_until(lambda: has_phases(backend, cluster, [TaskPhase.FINISHED]))


def test_an_abort_that_cannot_be_recorded_is_answered_and_the_task_goes_on(make_backend):
    backend, gate = gated_training(make_backend)
    cluster, data = backend.cluster(), backend.data()
    train = backend.train(cluster, data, epochs=3)
    gate.wait_until_reached()
    backend.log.faults["cluster.task_aborted"] = [StorageFullError("full")]
    aborted = backend.send(cluster_target(cluster), DeleteTask(task_uuid=train))
    backend.task(cluster, train)
    gate.open()
    with pytest.raises(BusyError, match="try again"):
        answer_of(aborted)
    assert backend.finished(cluster, train).digest == trained_digest(make_backend)


def test_stopping_marks_the_training_and_the_next_start_ends_it_the_same(make_backend):
    backend, gate = gated_training(make_backend, at_cycle=30)
    cluster, data = backend.cluster(), backend.data()
    train = backend.train(cluster, data, epochs=3)
    gate.wait_until_reached()
    actor = living(backend, cluster)
    stopped = ask_later(backend.supervisor, Shutdown())
    wait_until(
        lambda: actor.actor_inbox.empty() and not backend.system.actors.find("directory").is_alive()
    )
    gate.open()
    assert answer_of(stopped) is None
    backend.is_running = False
    assert "cluster.task_suspended" in backend.log.appended
    suspended = backend.cluster_state(cluster).tasks[0]
    assert suspended.phase == "active"
    assert suspended.cycle >= 30
    backend.again(network_class=network_with())
    assert backend.finished(cluster, train).digest == trained_digest(make_backend)


def test_an_abort_that_was_asked_before_the_stop_is_an_abort(make_backend):
    backend, gate = gated_training(make_backend)
    cluster, data = backend.cluster(), backend.data()
    train = backend.train(cluster, data, epochs=3)
    gate.wait_until_reached()
    aborted = backend.send(cluster_target(cluster), DeleteTask(task_uuid=train))
    stopped = ask_later(backend.supervisor, Shutdown())
    wait_until(lambda: not backend.system.actors.find("directory").is_alive())
    gate.open()
    assert answer_of(aborted) is None
    assert answer_of(stopped) is None
    backend.is_running = False
    assert backend.cluster_state(cluster).tasks[0].phase == "aborted"


def test_stopping_does_not_wait_for_kernels_that_are_not_there(make_backend):
    backend = make_backend(with_kernels=False, shutdown_timeout_s=1000.0)
    cluster, data = backend.cluster(), backend.data()
    train = backend.train(cluster, data)
    backend.stop()
    backend.again(with_kernels=True)
    backend.finished(cluster, train)


def test_unfinished_tasks_run_after_a_start_without_anybody_asking(make_backend):
    backend = make_backend(with_kernels=False)
    clusters, data = [backend.cluster(f"cluster {n}") for n in range(3)], backend.data()
    for cluster in clusters:
        backend.train(cluster, data)
        backend.request(cluster, data)
    backend.again(with_kernels=True)
    for cluster in clusters:
        wait_until(partial(has_phases, backend, cluster, ["finished", "finished"]))
    assert len(backend.gateway.tables.datasets) == 4


def test_an_idle_cluster_falls_asleep_and_its_next_message_wakes_it(backend):
    cluster, data = backend.cluster(), backend.data()
    train = backend.train(cluster, data)
    backend.finished(cluster, train)
    actor = living(backend, cluster)
    tell(actor, IdleTick())
    wait_until(lambda: not actor.is_alive())
    assert backend.task(cluster, train).state == "finished"
    assert living(backend, cluster) is not actor


def test_a_cluster_whose_tasks_wait_for_their_user_sleeps_until_he_comes(make_backend, monkeypatch):
    backend, gate = gated_training(make_backend)
    cluster, data = backend.cluster(), backend.data()
    train = backend.train(cluster, data)
    following = backend.train(cluster, data)
    gate.wait_until_reached()
    paused = backend.send_cluster(cluster, PauseTask(task_uuid=train))
    backend.task(cluster, train)
    gate.open()
    assert answer_of(paused).state == "paused"
    told = []
    monkeypatch.setattr(cluster_module, "tell", lambda ref, message: told.append(message))
    actor = living(backend, cluster)
    tell(actor, IdleTick())
    with pytest.raises(pykka.ActorDeadError):
        answer_of(ask_later(actor, "refused at the very end"))
    monkeypatch.undo()
    assert told == []
    backend.ask_cluster(cluster, ResumeTask(task_uuid=train))
    backend.finished(cluster, following)


def test_an_idle_tick_does_not_stop_a_cluster_that_computes(make_backend):
    backend, gate = gated_training(make_backend)
    cluster, data = backend.cluster(), backend.data()
    train = backend.train(cluster, data)
    gate.wait_until_reached()
    actor = living(backend, cluster)
    tell(actor, IdleTick())
    backend.task(cluster, train)
    assert actor.is_alive()
    gate.open()
    backend.finished(cluster, train)


def test_without_kernels_tasks_are_refused_and_those_that_wait_say_why(make_backend):
    backend = make_backend(with_kernels=False)
    cluster, data = backend.cluster(), backend.data()
    train = backend.train(cluster, data)
    tell(backend.supervisor, KernelsFailed(reason="the kernels cannot be loaded (no numba)"))
    wait_until(lambda: backend.host.scheduler.failure)
    with pytest.raises(BusyError, match="no numba"):
        backend.train(cluster, data)
    (view,) = backend.task_list(cluster)
    assert view.uuid == train
    assert "no numba" in view.reason
    # A start that has kernels goes on with it.
    backend.again(with_kernels=True)
    assert backend.finished(cluster, train).reason == ""
