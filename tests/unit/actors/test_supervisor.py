"""Who dies is started again; who is told to stop stops in order."""

import pytest

from hanami_actors.actors import supervisor
from hanami_actors.actors.directory.actor import DirectoryActor
from hanami_actors.actors.gateway import Target, TargetKind
from hanami_actors.actors.supervisor import Ping, Shutdown, SupervisorActor
from hanami_actors.domain.cluster.messages import CreateCluster
from hanami_actors.errors import BusyError, LogError, NotFoundError, StorageFullError
from hanami_actors.runtime.actor import ask, tell
from hanami_actors.runtime.inbox import Revive
from tests.unit.actors.fakes import Gate, network_with
from tests.unit.actors.harness import ask_later, cluster_target, wait_until


def single(backend, name):
    if name == "host":
        name = f"host/{backend.gateway.tables.hosts['cpu-0'].state.uuid}"
    return backend.system.actors.find(name)


@pytest.mark.parametrize("name", ["writer", "directory", "host"])
def test_an_actor_there_is_only_one_of_is_replaced_and_work_goes_on(backend, name):
    cluster, data = backend.cluster(), backend.data()
    before = single(backend, name)
    before.stop()
    wait_until(lambda: single(backend, name) is not before)
    assert single(backend, name).is_alive()
    backend.finished(cluster, backend.train(cluster, data))
    assert backend.cluster("another") != cluster


def test_a_cluster_that_keeps_dying_is_tried_again_and_again_until_it_lives(backend):
    cluster, data = backend.cluster(), backend.data()
    errors = backend.log.faults["cluster.task_finished"] = [StorageFullError("full")] * 4
    train = backend.train(cluster, data)
    wait_until(lambda: backend.cluster_state(cluster).tasks[0].phase == "finished")
    assert errors == []
    assert backend.task(cluster, train).state == "finished"


def test_pauses_grow_while_an_actor_keeps_dying(backend, monkeypatch):
    monkeypatch.setattr(supervisor, "WATCH_INTERVAL_S", 1.0)
    actor = SupervisorActor(backend.system, backend.host, None)  # type: ignore[arg-type]
    target = cluster_target("a")
    pauses = []
    for _ in range(9):
        actor._note_death(target)
        actor._note_death(target)  # dying may be told twice
        pauses.append(actor._revivals[target].pause_s)
        del actor._due_s[target]
    assert pauses == [1, 2, 4, 8, 16, 32, 60, 60, 60]


def test_an_actor_there_is_only_one_of_is_not_started_in_a_hurry_when_it_keeps_dying(
    backend, monkeypatch, caplog
):
    monkeypatch.setattr(supervisor, "WATCH_INTERVAL_S", 1.0)
    actor = SupervisorActor(backend.system, backend.host, None)  # type: ignore[arg-type]
    started = []

    def fail(now_s):
        started.append(now_s)
        raise RuntimeError("can't start new thread")

    for tenth in range(400):
        now_s = tenth / 10
        actor._start_again("writer", lambda now_s=now_s: fail(now_s), now_s)  # type: ignore[misc]
    assert started == [0, 1, 3, 7, 15, 31]
    assert "can't start new thread" in caplog.text


def test_an_actor_of_a_deleted_resource_is_not_started_again(backend):
    target = cluster_target("00000000-0000-4000-8000-000000000000")
    tell(backend.supervisor, Revive(target=target))
    ask(backend.supervisor, Ping())
    cluster, data = backend.cluster(), backend.data()
    backend.finished(cluster, backend.train(cluster, data))
    assert backend.system.actors.get(target) is None


def test_a_thread_that_cannot_be_started_is_told_as_busy_and_harms_nobody(backend, monkeypatch):
    cluster = backend.cluster()

    def no_thread(uuid):
        raise RuntimeError("can't start new thread")

    directory = single(backend, "directory")._actor_weakref()
    assert isinstance(directory, DirectoryActor)
    with monkeypatch.context() as patch:
        patch.setitem(directory._starters, TargetKind.CLUSTER, no_thread)
        with pytest.raises(BusyError, match="can't start new thread"):
            backend.task_list(cluster)
    assert backend.task_list(cluster) == ()


def test_a_start_that_cannot_be_recorded_says_why(make_backend, tmp_path):
    backend = make_backend()
    backend.stop()
    backend.log = type(backend.log)()
    backend.log.faults["host.registered"] = [LogError("the disk is read-only")]
    with pytest.raises(LogError, match="read-only"):
        backend.start()


def test_after_the_stop_nothing_is_alive_and_asking_says_so(make_backend):
    backend = make_backend()
    cluster, data = backend.cluster(), backend.data()
    backend.finished(cluster, backend.train(cluster, data))
    backend.stop()
    assert backend.system.actors.living() == []
    with pytest.raises(BusyError, match="restarted"):
        backend.ask_directory(CreateCluster(name="late"))
    with pytest.raises(BusyError, match="restarted"):
        backend.task_list(cluster)


def test_clusters_that_do_not_stop_in_time_are_left_and_go_on_at_the_next_start(make_backend):
    gate = Gate()
    network = network_with(on_train=lambda network, start: gate.pass_through())
    backend = make_backend(network_class=network, shutdown_timeout_s=0.2, host_threads=1)
    data = backend.data()
    for number in range(8):
        cluster = backend.cluster(f"cluster {number}")
        backend.train(cluster, data)
    gate.wait_until_reached()
    stopped = ask_later(backend.supervisor, Shutdown())
    living = [ref for target, ref in backend.system.actors.living()]
    # Seven of them wait for the one thread; it comes free only when all have been given up.
    wait_until(lambda: not single(backend, "host").is_alive())
    gate.open()
    assert stopped.wait(20)
    assert stopped.error() is None
    backend.is_running = False
    assert len(living) == 8
    backend.again(network_class=network_with())
    for uuid in backend.gateway.tables.clusters:
        wait_until(lambda uuid=uuid: backend.cluster_state(uuid).tasks[0].phase == "finished")  # type: ignore[misc]


def test_an_unknown_address_is_not_found(backend):
    with pytest.raises(NotFoundError):
        backend.task_list("00000000-0000-4000-8000-000000000000")
    target = Target(kind=TargetKind.UPLOAD, key="nothing")
    with pytest.raises(NotFoundError, match="Upload"):
        backend.ask(target, Ping())
