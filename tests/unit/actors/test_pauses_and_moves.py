"""Trainings that stop for a while, or go on elsewhere, end like undisturbed ones."""

import pytest

from hanami_actors.actors.cluster.messages import (
    AbortTask,
    GetClusterStats,
    PauseTask,
    ResumeTask,
    SetMode,
    SwitchHost,
)
from hanami_actors.domain.cluster.events import HostSwitched
from hanami_actors.domain.cluster.messages import CreateCluster, RenameCluster
from hanami_actors.domain.tables import listing
from hanami_actors.engine.host_table import shares
from hanami_actors.errors import ConflictError, NotFoundError
from hanami_actors.types import StreamId
from tests.unit.actors.fakes import Gate, network_with
from tests.unit.actors.harness import wait_until
from tests.unit.actors.steps import gated_training, trained_digest


def stopped(make_backend, message_class, **values):
    """A training that was stopped in its middle: the backend, cluster, task and answer."""
    backend, gate = gated_training(make_backend, at_cycle=30, **values)
    cluster, data = backend.cluster(), backend.data()
    train = backend.train(cluster, data, epochs=3)
    gate.wait_until_reached()
    answer = backend.send_cluster(cluster, message_class(task_uuid=train))
    backend.task_list(cluster)
    gate.open()
    return backend, cluster, train, backend.answer(answer)


class TestPause:
    def test_it_stops_at_a_recorded_cycle_and_frees_the_host(self, make_backend):
        backend, cluster, train, view = stopped(make_backend, PauseTask)
        assert view.state == "paused"
        assert 30 <= view.current_cycle < 120
        assert view.digest != ""
        assert view.end_timestamp == "-"
        wait_until(lambda: backend.host.scheduler.busy_lanes() == frozenset())
        resumed = backend.ask_cluster(cluster, ResumeTask(task_uuid=train))
        assert resumed.state == "active"
        assert backend.finished(cluster, train).digest == trained_digest(make_backend)

    def test_it_survives_a_restart_and_holds_the_queue(self, make_backend):
        backend, cluster, train, view = stopped(make_backend, PauseTask)
        waiting = backend.train(cluster, backend.data())
        backend.again()
        again = backend.task(cluster, train)
        assert (again.state, again.current_cycle) == ("paused", view.current_cycle)
        assert backend.task(cluster, waiting).state == "queued"
        backend.ask_cluster(cluster, ResumeTask(task_uuid=train))
        assert backend.finished(cluster, train).digest == trained_digest(make_backend)
        backend.finished(cluster, waiting)

    def test_without_its_snapshot_it_goes_on_all_the_same(self, make_backend):
        backend, cluster, train, _ = stopped(make_backend, PauseTask)
        backend.host.networks.drop(cluster)
        backend.snapshotter.forget(cluster)
        backend.ask_cluster(cluster, ResumeTask(task_uuid=train))
        assert backend.finished(cluster, train).digest == trained_digest(make_backend)

    @pytest.mark.parametrize("message", [AbortTask, PauseTask], ids=["abort", "pause"])
    def test_what_was_recorded_counts_also_while_it_is_computed_again(self, make_backend, message):
        backend, cluster, train, paused = stopped(make_backend, PauseTask)
        backend.snapshotter.forget(cluster)
        wait_until(lambda: backend.snapshotter._moments(cluster) == [])
        gate = Gate()
        hooked = network_with(on_train=lambda _network, _start: gate.pass_through())
        backend.again(network_class=hooked)
        backend.ask_cluster(cluster, ResumeTask(task_uuid=train))
        gate.wait_until_reached()
        # The network is at its beginning now.
        stopping = backend.send_cluster(cluster, message(task_uuid=train))
        assert backend.task(cluster, train).current_cycle == paused.current_cycle
        gate.open()
        view = backend.answer(stopping)
        assert (view.current_cycle, view.digest) == (paused.current_cycle, "")
        if message is PauseTask:
            backend.ask_cluster(cluster, AbortTask(task_uuid=train))
        asked = backend.finished(cluster, backend.request(cluster, backend.data()))
        assert asked.digest == paused.digest

    @pytest.mark.parametrize("how", ["abort", "delete"])
    def test_a_paused_task_can_be_ended_where_it_is(self, make_backend, how):
        backend, cluster, train, view = stopped(make_backend, PauseTask)
        if how == "abort":
            backend.ask_cluster(cluster, AbortTask(task_uuid=train))
        else:
            backend.abort(cluster, train)
        ended = backend.task(cluster, train)
        assert (ended.state, ended.current_cycle) == ("aborted", view.current_cycle)
        assert ended.digest == view.digest
        backend.finished(cluster, backend.train(cluster, backend.data()))

    def test_only_what_trains_can_be_paused_and_only_what_is_paused_resumed(self, backend):
        cluster, data = backend.cluster(), backend.data()
        train = backend.train(cluster, data)
        backend.finished(cluster, train)
        for message in (PauseTask, ResumeTask, AbortTask):
            with pytest.raises(ConflictError, match="finished"):
                backend.ask_cluster(cluster, message(task_uuid=train))
            with pytest.raises(NotFoundError):
                backend.ask_cluster(cluster, message(task_uuid=data.uuid))

    def test_direct_mode_has_to_wait_for_it(self, make_backend):
        backend, cluster, train, _ = stopped(make_backend, PauseTask)
        with pytest.raises(ConflictError, match="is paused"):
            backend.ask_cluster(cluster, SetMode(mode="DIRECT"))
        backend.abort(cluster, train)
        backend.ask_cluster(cluster, SetMode(mode="DIRECT"))


def test_an_aborted_training_answers_with_the_cycle_it_stopped_at(make_backend):
    _, _, _, view = stopped(make_backend, AbortTask)
    assert view.state == "aborted"
    assert 30 <= view.current_cycle < 120
    assert view.digest != ""


class TestMoves:
    def test_an_idle_cluster_trains_on_the_other_host_afterwards(self, make_backend):
        backend = make_backend(cpu_hosts=2)
        first, second = (host.uuid for host in listing(backend.gateway.tables.hosts))
        cluster, data = backend.cluster(), backend.data()
        assert backend.gateway.tables.clusters[cluster].state.host_uuid == first
        backend.ask_cluster(cluster, SwitchHost(host_uuid=second))
        assert backend.gateway.tables.clusters[cluster].state.host_uuid == second
        view = backend.finished(cluster, backend.train(cluster, data, epochs=3))
        assert view.digest == trained_digest(make_backend)
        assert backend.ask_cluster(cluster, GetClusterStats()).host_uuid == second

    def test_a_training_moves_in_its_middle_and_ends_with_the_same_digest(self, make_backend):
        backend, gate = gated_training(make_backend, at_cycle=30, cpu_hosts=2)
        second = listing(backend.gateway.tables.hosts)[1].uuid
        cluster, data = backend.cluster(), backend.data()
        train = backend.train(cluster, data, epochs=3)
        gate.wait_until_reached()
        moving = backend.send_cluster(cluster, SwitchHost(host_uuid=second))
        backend.task_list(cluster)
        gate.open()
        backend.answer(moving)
        assert backend.task(cluster, train).state in {"active", "finished"}
        assert backend.finished(cluster, train).digest == trained_digest(make_backend)
        stream = backend.log.read_stream(StreamId(f"cluster/{cluster}"))
        (event,) = (r.event for r in stream if isinstance(r.event, HostSwitched))
        assert (event.task_uuid, event.host_uuid) == (train, second)
        assert 30 <= event.cycle < 120

    def test_hexagons_and_hosts_that_are_not_there_are_refused(self, backend):
        cluster = backend.cluster()
        host = listing(backend.gateway.tables.hosts)[0].uuid
        with pytest.raises(NotFoundError, match="Host with uuid"):
            backend.ask_cluster(cluster, SwitchHost(host_uuid=cluster))
        with pytest.raises(NotFoundError, match="hexagon with ID '3'"):
            backend.ask_cluster(cluster, SwitchHost(host_uuid=host, hexagon_id=3))
        backend.ask_cluster(cluster, SwitchHost(host_uuid=host, hexagon_id=2))

    def test_fewer_hosts_after_a_restart_and_the_same_uuids_when_they_return(self, make_backend):
        backend = make_backend(cpu_hosts=2)
        uuids = [host.uuid for host in listing(backend.gateway.tables.hosts)]
        cluster = backend.cluster()
        backend.ask_cluster(cluster, SwitchHost(host_uuid=uuids[1]))
        backend.again(settings=backend.with_settings(cpu_hosts=1))
        assert [host.uuid for host in listing(backend.gateway.tables.hosts)] == uuids[:1]
        backend.finished(cluster, backend.train(cluster, backend.data()))
        assert backend.ask_cluster(cluster, GetClusterStats()).host_uuid == uuids[0]
        backend.again(settings=backend.with_settings(cpu_hosts=2))
        assert [host.uuid for host in listing(backend.gateway.tables.hosts)] == uuids
        assert backend.ask_cluster(cluster, GetClusterStats()).host_uuid == uuids[1]

    def test_threads_and_cores_are_split_and_every_host_gets_some(self):
        assert shares(1, 4)[0].cores is None
        split = shares(3, 4)
        assert [share.thread_count for share in split] == [2, 1, 1]
        assert all(share.cores for share in split)
        assert [share.thread_count for share in shares(3, 1)] == [1, 1, 1]


class TestNames:
    def test_a_new_name_frees_the_old_one_also_while_a_task_runs(self, make_backend):
        gate = Gate()
        backend = make_backend(network_class=network_with(on_train=lambda *_: gate.pass_through()))
        cluster, data = backend.cluster("old"), backend.data()
        train = backend.train(cluster, data)
        gate.wait_until_reached()
        row = backend.ask_directory(RenameCluster(uuid=cluster, name="new"))
        assert (row.uuid, row.name) == (cluster, "new")
        gate.open()
        backend.finished(cluster, train)
        other = backend.cluster("old")
        with pytest.raises(ConflictError, match="already exist"):
            backend.ask_directory(RenameCluster(uuid=other, name="new"))
        backend.ask_directory(RenameCluster(uuid=other, name="old"))

    def test_names_are_as_unique_as_when_clusters_are_created(self, backend):
        backend.cluster("one")
        with pytest.raises(ConflictError, match="already exist"):
            backend.ask_directory(CreateCluster(name="one", template_text=""))
        with pytest.raises(NotFoundError):
            backend.ask_directory(RenameCluster(uuid="missing", name="two"))
