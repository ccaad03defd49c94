"""The way to a moment: what is left of it, and the samples of connections."""

from typing import Any

import numpy as np
import pytest

from hanami_actors.compute import Network
from hanami_actors.datasets.samples import Sample, encode_samples
from hanami_actors.domain.base import Stamp, Who
from hanami_actors.domain.cluster.events import (
    ClusterCreated,
    ClusterDeleted,
    ModeChanged,
    SamplesTrained,
    SessionOpened,
)
from hanami_actors.domain.cluster.template_parser import default_template, parse_template
from hanami_actors.errors import BlobMissingError
from hanami_actors.eventlog.blobs import BlobStore
from hanami_actors.eventlog.memory import MemoryEventLog
from hanami_actors.eventlog.port import Append, Batch
from hanami_actors.replay.histories import Histories
from hanami_actors.replay.point import Moment
from hanami_actors.replay.segments import (
    Span,
    head_of,
    open_span,
    places,
    remaining,
    root_of,
    spans_of,
)
from hanami_actors.types import StreamId, StreamVersion, TimestampUs
from tests.unit.domain.builders import train_task

ROOT = Moment("root:some", 0)
CLUSTER = "11111111-1111-4111-8111-111111111111"
STREAM = StreamId(f"cluster/{CLUSTER}")
SESSION = "22222222-2222-4222-8222-222222222222"
STAMP = Stamp(now_us=TimestampUs(1), who=Who(user_id="alice", project_id="lab"))


def span(number, stop=10, start=0):
    return Span("a", train_task(number), start, stop)


GOAL = [span(60), span(61, 4)]


class TestRemaining:
    def test_from_the_root_everything_is_left(self):
        assert remaining(ROOT, GOAL, ROOT) == GOAL

    def test_within_a_span_its_rest_and_what_follows_is_left(self):
        moment = Moment(GOAL[0].task.uuid, 3)
        assert remaining(ROOT, GOAL, moment) == [span(60, start=3), GOAL[1]]

    def test_at_the_end_nothing_is_left(self):
        assert remaining(ROOT, GOAL, Moment(GOAL[1].task.uuid, 4)) == []

    @pytest.mark.parametrize(
        "moment",
        [Moment(GOAL[1].task.uuid, 5), Moment("other", 1), Moment("root:other", 0)],
        ids=["beyond", "other task", "other root"],
    )
    def test_a_moment_that_is_not_on_the_way_leads_nowhere(self, moment):
        assert remaining(ROOT, GOAL, moment) is None

    def test_snapshots_are_looked_for_from_the_end(self):
        assert [place.moment.cycle for place in places(GOAL)] == [4, 10]


class CountingNetwork(Network):
    """Notes what it is asked to learn."""

    def __init__(self) -> None:
        self.calls: list[Any] = []

    def size(self, inputs, outputs):
        self.calls.append(("size", inputs, outputs))

    def reset_transients(self, which):
        self.calls.append(("reset", which))

    def train(self, inputs, outputs, start, stop, *, time_length=1):
        rows = [array[start:stop].tolist() for _, array in inputs]
        self.calls.append(("train", *rows))


@pytest.fixture
def recorded(tmp_path):
    """A cluster that a connection trained with 5 samples, in a blob and in an event."""
    log, blobs = MemoryEventLog(), BlobStore(tmp_path)

    def append(*events):
        version = StreamVersion(log.stream_version(STREAM))
        log.append(
            [
                Batch(
                    appends=(Append(stream=STREAM, expected_version=version, events=events),),
                    stamp=STAMP,
                )
            ]
        )

    append(
        ClusterCreated(
            uuid=CLUSTER,
            name="some",
            owner_id="alice",
            project_id="lab",
            template_text=default_template(),
            template=parse_template(default_template()),
            seed=1,
            host_uuid="",
        ),
        ModeChanged(is_direct=True),
        SessionOpened(session_uuid=SESSION, connection_uuid="c"),
    )
    samples = [Sample({"input": np.full(2, n, np.float32)}, {}) for n in range(5)]
    digest = blobs.put(encode_samples(samples[:3]))
    append(SamplesTrained(session_uuid=SESSION, start=0, count=3, blob=digest))
    append(SamplesTrained(session_uuid="other", start=0, count=9))
    append(SamplesTrained(session_uuid=SESSION, start=3, count=2, data=encode_samples(samples[3:])))
    append(ClusterDeleted())
    return Histories(log, blobs), blobs, digest


def way(histories, version=5):
    return histories.lineage(histories.read(STREAM, version), STREAM)


def test_samples_are_trained_again_across_batches(recorded):
    histories, blobs, _ = recorded
    (only,) = spans_of(way(histories, 4))
    assert (only.task.kind, only.stop) == ("direct", 3)
    network = CountingNetwork()
    data = open_span(blobs, histories, Span(CLUSTER, only.task, 1, 5))
    data.prepare(network, 1)
    step = 1
    while step < 5:
        step = data.train(network, step, 5)
    trained = [call for call in network.calls if call[0] == "train"]
    assert trained == [("train", [[1, 1], [2, 2]]), ("train", [[3, 3], [4, 4]])]
    assert ("reset", "train") not in network.calls


def test_a_moment_is_read_from_the_nearest_one_that_is_known(recorded, monkeypatch):
    known, blobs, _ = recorded
    log = known._log
    expected = [known.read(STREAM, version) for version in range(6)]
    starts = []
    read = log.read_stream

    def read_stream(stream, after_version=0):
        starts.append(after_version)
        return read(stream, after_version=after_version)

    monkeypatch.setattr(log, "read_stream", read_stream)
    fresh = Histories(log, blobs)
    fresh.remember("cluster/another", 2, expected[2])
    asked = (3, 5, 5, 2)
    assert [fresh.read(STREAM, version) for version in asked] == [expected[at] for at in asked]
    assert starts == [0, 3, 0]


def test_a_session_begins_without_leftovers_of_the_one_before(recorded):
    histories, blobs, _ = recorded
    task = spans_of(way(histories, 4))[0].task
    network = CountingNetwork()
    open_span(blobs, histories, Span(CLUSTER, task, 0, 3)).prepare(network, 0)
    assert network.calls == [("reset", "train")]


def test_samples_that_are_gone_are_named(recorded):
    histories, blobs, digest = recorded
    task = spans_of(way(histories, 4))[0].task
    data = open_span(blobs, histories, Span(CLUSTER, task, 0, 9))
    assert data.train(CountingNetwork(), 0, 9) == 3
    assert data.train(CountingNetwork(), 3, 9) == 5
    with pytest.raises(BlobMissingError, match=SESSION):
        data.train(CountingNetwork(), 5, 9)
    blobs.delete(digest)
    with pytest.raises(BlobMissingError, match=digest):
        open_span(blobs, histories, Span(CLUSTER, task, 0, 3)).train(CountingNetwork(), 0, 3)


def test_the_history_of_a_deleted_cluster_is_read_as_it_was(recorded):
    histories, _, _ = recorded
    assert histories.read(STREAM, 3).history == ()
    assert head_of(way(histories, 4)) == Moment(SESSION, 3)
    assert head_of(way(histories, 3)) == root_of(way(histories, 3))
    assert histories.read(STREAM, 3) is histories.read(STREAM, 3)
