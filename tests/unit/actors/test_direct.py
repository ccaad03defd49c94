"""Connections that ask and train, over real actors and a network that only counts."""

import threading

import numpy as np
import pytest

from hanami_actors.actors.cluster.connections import OpenChannel, TakeWriter
from hanami_actors.actors.cluster.messages import (
    DescribeMoment,
    GetClusterStats,
    SetMode,
    SwitchHost,
)
from hanami_actors.domain.cluster.messages import DeleteCluster, LoadCheckpoint, SaveCheckpoint
from hanami_actors.domain.tables import listing
from hanami_actors.engine.direct.channel import CloseCode, Closing, Step
from hanami_actors.errors import BusyError, ConflictError, StorageFullError
from hanami_actors.wire.cluster_io import TRAINED
from hanami_actors.wire.hanami_messages_pb2 import ClusterIO_Message
from tests.unit.actors.fakes import Gate, network_with
from tests.unit.actors.harness import wait_until

TIMEOUT_S = 20.0


def vector(*values):
    return np.array(values, dtype=np.float32)


class Connection:
    """Collects the answers of a channel."""

    def __init__(self, backend, cluster, *, is_durable=False):
        self.backend, self.cluster = backend, cluster
        message = OpenChannel(connection_uuid=backend.system.entropy.uuid(), is_durable=is_durable)
        self.channel = backend.ask_cluster(cluster, message)
        self._arrived = threading.Condition()
        self.answers = []
        self.channel.notify = self._take

    def _take(self):
        with self._arrived:
            self.answers += self.channel.take()
            self._arrived.notify_all()

    def become_writer(self):
        self.backend.ask_cluster(self.cluster, TakeWriter(channel=self.channel))

    def send(self, *values, label=None):
        is_training = label is not None
        expected = {"label": vector(*label)} if is_training else {}
        step = Step(self.channel, is_training, {"picture": vector(*values)}, expected)
        self.channel.submit(step)

    def train(self, count, start=0):
        for number in range(start, start + count):
            self.send(number, 1, label=(1, 0))

    def wait_for(self, count):
        with self._arrived:
            arrived = self._arrived.wait_for(lambda: len(self.answers) >= count, TIMEOUT_S)
        assert arrived, self.answers
        return self.answers[:count]

    def ask(self, *values):
        count = len(self.answers) + 1
        self.send(*values)
        answer = self.wait_for(count)[-1]
        assert isinstance(answer, bytes), answer
        return ClusterIO_Message.FromString(answer)


def direct(backend, cluster, mode="DIRECT"):
    backend.ask_cluster(cluster, SetMode(mode=mode))


def writer(backend, cluster, **options):
    connection = Connection(backend, cluster, **options)
    connection.become_writer()
    return connection


def recorded(backend, cluster):
    """Steps of the newest session, as the log knows them."""
    sessions = backend.ask_cluster(cluster, GetClusterStats()).sessions
    return sessions[-1].steps if sessions else 0


def trained_alone(make_backend, count):
    """Digest of a cluster that a connection trained without any disturbance."""
    backend = make_backend()
    cluster = backend.cluster()
    direct(backend, cluster)
    connection = writer(backend, cluster)
    connection.train(count)
    connection.wait_for(count)
    connection.channel.close()
    direct(backend, cluster, "TASK")
    return backend.ask_cluster(cluster, GetClusterStats()).digest


class TestRequests:
    def test_a_cluster_that_never_learned_answers_with_no_values(self, backend):
        answer = Connection(backend, backend.cluster()).ask(1, 2)
        assert (answer.bufferName, list(answer.values), answer.isLast) == ("label", [], False)

    def test_every_step_has_one_answer_in_order_for_any_number_of_readers(self, backend):
        cluster, data = backend.cluster(), backend.data()
        backend.finished(cluster, backend.train(cluster, data))
        readers = [Connection(backend, cluster) for _ in range(3)]
        for number in range(50):
            for reader in readers:
                reader.send(number)
        for reader in readers:
            assert len(set(reader.wait_for(50))) == 1
        assert backend.ask_cluster(cluster, GetClusterStats()).connection_count == 3

    def test_they_are_served_while_a_task_trains_from_the_last_slice(self, make_backend):
        gate = Gate()

        def wait_later(network, start):
            if network.state["cycles"] >= 40:
                gate.pass_through()

        backend = make_backend(network_class=network_with(on_train=wait_later))
        cluster, data = backend.cluster(), backend.data()
        reader = Connection(backend, cluster)
        train = backend.train(cluster, data, epochs=3)
        gate.wait_until_reached()
        reader.send(1)
        gate.open()
        first = ClusterIO_Message.FromString(reader.wait_for(1)[0])
        assert len(first.values) == 10
        backend.finished(cluster, train)
        assert reader.ask(1).values != first.values

    def test_steps_that_only_wait_stay_with_whoever_brings_them(self, make_backend):
        idle = threading.Event()
        threads = []

        def wait_for_others(_network, _count):
            threads.append(threading.get_ident())
            idle.wait(0.001)  # far longer than a step may take, and no processor time

        backend = make_backend(network_class=network_with(on_request=wait_for_others))
        connection = Connection(backend, backend.cluster())
        # The network is loaded by a thread of the host.
        connection.send(1)
        connection.wait_for(1)
        for count in range(2, 22):
            wait_until(lambda: not backend.host.scheduler.busy_lanes())
            connection.send(1)
            connection.wait_for(count)
        assert threads[1:] == [threading.get_ident()] * 20

    def test_an_input_wider_than_learned_is_cut_and_grows_nothing(self, backend):
        cluster, data = backend.cluster(), backend.data()
        backend.finished(cluster, backend.train(cluster, data))
        reader = Connection(backend, cluster)
        assert reader.ask(*range(9)).values == reader.ask(1).values
        digest = backend.ask_cluster(cluster, GetClusterStats()).digest
        direct(backend, cluster)
        other = writer(backend, cluster)
        other.channel.close()
        direct(backend, cluster, "TASK")
        assert backend.ask_cluster(cluster, GetClusterStats()).digest == digest


class TestWriter:
    def test_training_needs_direct_mode_and_one_connection_at_a_time(self, backend):
        cluster = backend.cluster()
        first, second = Connection(backend, cluster), Connection(backend, cluster)
        with pytest.raises(ConflictError, match="task mode"):
            first.become_writer()
        direct(backend, cluster)
        first.become_writer()
        with pytest.raises(ConflictError, match=first.channel.connection_uuid):
            second.become_writer()
        first.train(3)
        first.channel.close()
        # The end of the first is still on its way to the disk.
        second.become_writer()
        second.train(2)
        assert second.wait_for(2) == [TRAINED, TRAINED]
        second.channel.close()
        wait_until(lambda: recorded(backend, cluster) == 2)
        sessions = backend.ask_cluster(cluster, GetClusterStats()).sessions
        assert [(s.connection_uuid, s.steps) for s in sessions] == [
            (first.channel.connection_uuid, 3),
            (second.channel.connection_uuid, 2),
        ]

    def test_leaving_direct_mode_waits_for_what_was_sent_and_refuses_what_comes_later(
        self, backend
    ):
        cluster = backend.cluster()
        direct(backend, cluster)
        connection = writer(backend, cluster)
        connection.train(200)
        direct(backend, cluster, "TASK")
        assert connection.wait_for(200) == [TRAINED] * 200
        assert recorded(backend, cluster) == 200
        connection.train(1)
        assert connection.wait_for(201)[-1].code == CloseCode.CONFLICT

    def test_queued_tasks_start_when_direct_mode_is_left(self, backend):
        cluster, data = backend.cluster(), backend.data()
        direct(backend, cluster)
        connection = writer(backend, cluster)
        connection.train(5)
        train = backend.train(cluster, data)
        checkpoint = backend.ask_cluster(cluster, SaveCheckpoint(name="some")).uuid
        assert backend.task(cluster, train).state == "queued"
        direct(backend, cluster, "TASK")
        backend.finished(cluster, checkpoint)
        state = backend.cluster_state(cluster)
        assert [span.task.kind for span in state.history] == ["direct", "train"]

    def test_a_restore_that_is_still_computed_leaves_the_trained_network_alone(self, make_backend):
        gate, is_armed = Gate(), threading.Event()

        def wait_while_restoring(network, start):
            if is_armed.is_set() and network.state["cycles"] >= 20:
                gate.pass_through()

        backend = make_backend(network_class=network_with(on_train=wait_while_restoring))
        cluster, data = backend.cluster(), backend.data()
        train = backend.train(cluster, data, epochs=3)
        backend.finished(cluster, train)
        middle = backend.ask_cluster(cluster, DescribeMoment(span_uuid=train, cycle=60))
        is_armed.set()
        for _ in range(2):
            backend.ask_cluster(cluster, LoadCheckpoint(name="middle", source=middle))
        gate.wait_until_reached()
        direct(backend, cluster)
        connection = writer(backend, cluster)
        connection.train(30)
        gate.open()
        assert connection.wait_for(30) == [TRAINED] * 30
        direct(backend, cluster, "TASK")
        assert recorded(backend, cluster) == 30

    def test_a_cluster_does_not_move_under_a_writer(self, make_backend):
        backend = make_backend(cpu_hosts=2)
        cluster = backend.cluster()
        direct(backend, cluster)
        connection = writer(backend, cluster)
        second = listing(backend.gateway.tables.hosts)[1].uuid
        with pytest.raises(ConflictError, match="trained by a connection"):
            backend.ask_cluster(cluster, SwitchHost(host_uuid=second))
        connection.train(3)
        connection.wait_for(3)
        direct(backend, cluster, "TASK")
        value = connection.ask(1).values[0]
        backend.ask_cluster(cluster, SwitchHost(host_uuid=second))
        assert connection.ask(1).values[0] == value

    def test_deleting_the_cluster_closes_its_connections(self, backend):
        cluster = backend.cluster()
        direct(backend, cluster)
        reader, trainer = Connection(backend, cluster), writer(backend, cluster)
        trainer.train(3)
        trainer.wait_for(3)
        backend.ask_directory(DeleteCluster(uuid=cluster))
        for connection in (reader, trainer):
            connection.wait_for(1 if connection is reader else 4)
            assert connection.answers[-1] == Closing(CloseCode.GONE, "the cluster was deleted")


class TestLog:
    def test_replay_of_the_recorded_samples_gives_the_live_digest(self, make_backend):
        backend = make_backend()
        cluster = backend.cluster()
        direct(backend, cluster)
        connection = writer(backend, cluster)
        connection.train(100)
        # A wider sample in the middle: inputs grow.
        connection.send(*range(50), label=(0, 1, 0))
        connection.train(100, start=500)
        connection.wait_for(201)
        connection.channel.close()
        direct(backend, cluster, "TASK")
        digest = backend.ask_cluster(cluster, GetClusterStats()).digest
        value = connection_value(backend, cluster)
        backend.host.networks.drop(cluster)
        backend.snapshotter.forget(cluster)
        wait_until(lambda: backend.snapshotter._moments(cluster) == [])
        assert connection_value(backend, cluster) == value
        backend.again()
        backend.host.networks.drop(cluster)
        data = backend.data()
        request = backend.request(cluster, data)
        assert backend.finished(cluster, request).digest == digest != ""

    def test_a_task_builds_on_what_a_connection_trained(self, make_backend):
        digests = set()
        for forget in (False, True):
            backend = make_backend()
            cluster, data = backend.cluster(), backend.data()
            direct(backend, cluster)
            connection = writer(backend, cluster)
            connection.train(30)
            connection.wait_for(30)
            direct(backend, cluster, "TASK")
            if forget:
                backend.host.networks.drop(cluster)
                backend.snapshotter.forget(cluster)
            digests.add(backend.finished(cluster, backend.train(cluster, data)).digest)
        assert len(digests) == 1

    def test_a_durable_connection_is_answered_when_its_samples_are_recorded(self, backend):
        cluster = backend.cluster()
        direct(backend, cluster)
        connection = writer(backend, cluster, is_durable=True)
        for count in range(1, 20):
            connection.train(1, start=count)
            connection.send(1)
            assert connection.wait_for(2 * count)[-2] == TRAINED
            assert recorded(backend, cluster) >= count

    def test_an_orderly_stop_records_all_that_was_trained(self, make_backend):
        backend = make_backend()
        cluster = backend.cluster()
        direct(backend, cluster)
        connection = writer(backend, cluster)
        connection.train(300)
        connection.wait_for(300)
        backend.again()
        assert recorded(backend, cluster) == 300

    def test_what_finds_no_room_is_not_learned_and_the_connection_hears_of_it(self, make_backend):
        backend = make_backend()
        cluster = backend.cluster()
        direct(backend, cluster)
        connection = writer(backend, cluster)
        connection.train(10)
        wait_until(lambda: recorded(backend, cluster) == 10)
        backend.log.faults["cluster.samples_trained"] = [StorageFullError("full")]
        connection.train(10, start=10)
        closing = wait_until(lambda: [a for a in connection.answers if isinstance(a, Closing)])[0]
        assert (closing.code, "full" in closing.reason) == (CloseCode.FAULT, True)
        other = wait_until(lambda: try_writer(backend, cluster))
        other.train(1, start=10)
        other.wait_for(1)
        other.channel.close()
        direct(backend, cluster, "TASK")
        assert recorded(backend, cluster) == 1
        assert value_after(make_backend, 11) == connection_value(backend, cluster)


def try_writer(backend, cluster):
    try:
        return writer(backend, cluster)
    except (BusyError, ConflictError):
        return None


def connection_value(backend, cluster):
    """What the network answers, which depends on everything it has learned."""
    connection = Connection(backend, cluster)
    value = connection.ask(1).values[0]
    connection.channel.close()
    return value


def value_after(make_backend, count):
    """What a network answers that learned so many samples of `Connection.train`."""
    backend = make_backend()
    cluster = backend.cluster()
    direct(backend, cluster)
    connection = writer(backend, cluster)
    connection.train(count)
    connection.wait_for(count)
    connection.channel.close()
    direct(backend, cluster, "TASK")
    return connection_value(backend, cluster)


def test_the_digest_does_not_depend_on_how_samples_are_recorded(make_backend):
    assert trained_alone(make_backend, 50) == trained_alone(make_backend, 50) != ""
