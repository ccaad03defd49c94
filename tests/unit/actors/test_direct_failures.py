"""Connections that train, while things happen at the worst moment."""

import threading
from collections import deque

import pytest

from hanami_actors.actors.cluster import connections as cluster_direct
from hanami_actors.actors.cluster.connections import TakeWriter
from hanami_actors.datasets.samples import Sample
from hanami_actors.engine.direct.channel import CloseCode, Closing
from hanami_actors.engine.direct.direct_queue import DirectLane
from hanami_actors.engine.direct.sample_log import SampleLog, SampleWatch
from hanami_actors.errors import BusyError, ConflictError, FaultError
from hanami_actors.runtime.actor import tell
from hanami_actors.runtime.inbox import IdleTick
from tests.unit.actors.harness import wait_until
from tests.unit.actors.steps import living
from tests.unit.actors.test_direct import (
    TIMEOUT_S,
    Connection,
    connection_value,
    direct,
    recorded,
    try_writer,
    value_after,
    vector,
    writer,
)


def test_a_trained_network_that_is_lost_ends_the_session_with_what_was_recorded(make_backend):
    backend = make_backend()
    cluster = backend.cluster()
    direct(backend, cluster)
    connection = writer(backend, cluster)
    connection.train(10)
    wait_until(lambda: recorded(backend, cluster) == 10)
    backend.host.networks.drop(cluster)
    connection.train(1, start=10)
    closing = wait_until(lambda: [a for a in connection.answers if isinstance(a, Closing)])[0]
    assert (closing.code, "lost" in closing.reason) == (CloseCode.FAULT, True)
    other = wait_until(lambda: try_writer(backend, cluster))
    other.train(1, start=10)
    other.wait_for(1)
    other.channel.close()
    direct(backend, cluster, "TASK")
    assert connection_value(backend, cluster) == value_after(make_backend, 11)


def test_readers_are_answered_when_tasks_overtake_the_end_of_a_session(backend, monkeypatch):
    cluster, data = backend.cluster(), backend.data()
    direct(backend, cluster)
    connection = writer(backend, cluster)
    connection.train(5)
    train = backend.train(cluster, data)
    late: list[DirectLane] = []

    def hold(lane):
        late.append(lane)

    monkeypatch.setattr(DirectLane, "release_session", hold)
    direct(backend, cluster, "TASK")
    backend.finished(cluster, train)
    monkeypatch.undo()
    value = connection.ask(1).values
    late[0].release_session()
    assert connection.ask(1).values == value


def test_answers_stay_in_order_when_one_becomes_durable_at_that_very_moment(backend):
    channel = Connection(backend, backend.cluster(), is_durable=True).channel
    given: list[bytes] = []
    other = threading.Thread(target=channel.answer, args=(b"second",))

    class Held(deque[tuple[int, bytes]]):
        def popleft(self):
            taken = super().popleft()
            # Another thread computes the next answer before this one is given.
            other.start()
            other.join(0.05)
            return taken

    channel.notify = lambda: given.extend(channel.take())
    channel._held = Held()
    channel.answer_when_durable(b"first", 1)
    channel.durable(1)
    other.join(TIMEOUT_S)
    assert given == [b"first", b"second"]


def test_a_connection_of_an_earlier_life_of_the_cluster_may_not_train(backend):
    cluster = backend.cluster()
    direct(backend, cluster)
    former = Connection(backend, cluster)
    former.channel.close()
    actor = living(backend, cluster)
    tell(actor, IdleTick())
    wait_until(lambda: not actor.is_alive())
    newer = Connection(backend, cluster)
    with pytest.raises(ConflictError, match="closed"):
        backend.ask_cluster(cluster, TakeWriter(channel=former.channel))
    newer.become_writer()


def test_without_a_thread_for_its_samples_nobody_trains_and_the_next_one_may(backend, monkeypatch):
    cluster = backend.cluster()
    direct(backend, cluster)
    connection = Connection(backend, cluster)

    def refuse(*_args, **_options):
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(cluster_direct, "SampleLog", refuse)
    with pytest.raises(BusyError, match="can't start new thread"):
        connection.become_writer()
    monkeypatch.undo()
    connection.become_writer()
    connection.train(2)
    connection.wait_for(2)


def test_an_error_nobody_expected_ends_the_recording_and_is_told(backend):
    ended: list[object] = []
    is_over = threading.Event()

    def fail(batch):
        raise ZeroDivisionError(batch.step_count)

    def end(error):
        ended.append(error)
        is_over.set()

    watch = SampleWatch(record=fail, on_durable=ended.append, on_end=end)
    log = SampleLog(backend.blobs, backend.system.clock, watch, is_eager=True)
    log.add(Sample({"picture": vector(1)}, {}), 4)
    assert is_over.wait(TIMEOUT_S)
    assert [type(error) for error in ended] == [FaultError]
