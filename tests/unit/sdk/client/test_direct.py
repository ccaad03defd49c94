"""Direct sessions: bytes on the wire, the window, the order of answers, the end."""

from array import array
from contextlib import contextmanager

import numpy as np
import pytest

from hanami_sdk import hanami_exceptions
from hanami_sdk.client.arrays import as_rows, float_bytes, floats_of
from hanami_sdk.client.pipeline import message_of, packed_values
from hanami_sdk.hanami_messages.proto3_pb2 import ClusterIO_Message
from tests.unit.sdk.client.conftest import login, token_text


@pytest.fixture
def cluster(script):
    script.answer("PUT", "cluster/set_mode", {"new_state": "DIRECT"})
    return script


@pytest.fixture
def direct(client, cluster):
    """Open sessions of either client; their methods are called through ``call``."""

    @contextmanager
    def opened(**options):
        session = client.client.direct("c", **options)
        is_blocking = hasattr(session, "__enter__")
        enter = session.__enter__ if is_blocking else session.__aenter__
        leave = session.__exit__ if is_blocking else session.__aexit__

        def call(name, *args):
            return client.end(getattr(session, name)(*args))

        client.end(enter())
        try:
            yield session, call
        except BaseException as error:
            client.end(leave(type(error), error, None))
            raise
        client.end(leave(None, None, None))

    return opened


def modes(script):
    return [call.json["new_state"] for call in script.calls if call.path == "cluster/set_mode"]


def test_a_session_switches_the_mode_introduces_itself_and_switches_back(direct, cluster):
    with direct():
        assert modes(cluster) == ["DIRECT"]
        assert cluster.first_messages[0]["target"] == "cluster"
        assert cluster.first_messages[0]["uuid"] == "c"
        assert set(cluster.first_messages[0]) == {"token", "target", "uuid"}
    assert modes(cluster) == ["DIRECT", "TASK"]


def test_a_session_without_switching_leaves_the_mode_alone(direct, cluster):
    with direct(switch_mode=False, durability="committed") as (_, call):
        assert call("request", {"in": [1.0]}).tolist() == [0.25, 1.0]
    assert modes(cluster) == []
    assert cluster.first_messages[0]["durability"] == "committed"


def test_a_cluster_that_is_in_direct_mode_already_stays_in_it(direct, cluster):
    cluster.answers[("PUT", "cluster/set_mode")] = [(409, "is already DIRECT", {})]
    cluster.answer("GET", "cluster/stats", {"uuid": "c", "mode": "DIRECT"})
    with direct():
        pass
    assert modes(cluster) == ["DIRECT"]


@pytest.mark.parametrize("knows_stats", [True, False])
def test_a_cluster_with_a_running_task_refuses_with_the_text_of_the_server(
    direct, cluster, knows_stats
):
    cluster.answers[("PUT", "cluster/set_mode")] = [(409, "a task is running", {})]
    if knows_stats:
        cluster.answer("GET", "cluster/stats", {"uuid": "c", "mode": "TASK"})
    with pytest.raises(hanami_exceptions.ConflictException, match="a task is running"), direct():
        pass
    assert cluster.first_messages == []


def test_a_refused_handshake_switches_back_and_says_why(direct, cluster):
    cluster.handshake_error = "Cluster with UUID 'c' not found"
    with pytest.raises(hanami_exceptions.ConflictException, match="'c' not found"), direct():
        pass
    assert modes(cluster) == ["DIRECT", "TASK"]


def test_a_step_is_inputs_then_expected_values_with_the_last_one_marked(direct, cluster):
    with direct() as (session, call):
        call("train", {"a": [1.0], "b": (2.0, 3.0)}, {"out": np.array([0.5], dtype="f8")})
        assert call("flush") == 1
        assert (session.steps_sent, session.steps_accepted) == (1, 1)
    seen = [
        (
            m.bufferName,
            m.isLast,
            m.processType,
            m.targetBufferType,
            m.numberOfValues,
            list(m.values),
        )
        for m in cluster.cluster_messages
    ]
    assert seen == [
        ("a", False, 1, 0, 1, [1.0]),
        ("b", False, 1, 0, 2, [2.0, 3.0]),
        ("out", True, 1, 2, 1, [0.5]),
    ]


def test_training_sends_a_window_ahead_but_not_more(direct, cluster):
    # The stub answers nothing before this many messages have come.
    cluster.cluster_held = 2 * 8
    with direct(window=8) as (session, call):
        assert call("train_many", {"in": np.ones((24, 3))}, {"out": np.zeros((24, 2))}) == 24
        assert session.steps_accepted == 24
    assert cluster.cluster_waiting_max == 16
    assert len(cluster.cluster_messages) == 48


def test_leaving_waits_for_every_step(direct, cluster):
    with direct(window=64) as (session, call):
        for _ in range(5):
            call("train", {"in": [1.0]}, {"out": [0.0]})
    assert session.steps_accepted == session.steps_sent == 5


def test_a_request_behind_training_gets_its_own_answer(direct):
    with direct(window=64) as (session, call):
        call("train", {"in": [1.0]}, {"out": [0.0]})
        answer = call("request", {"in": [3.0, 4.0]})
        assert session.steps_accepted == 1
    assert isinstance(answer, np.ndarray)
    assert answer.dtype == np.float32
    assert answer.tolist() == [0.25, 7.0]


def test_many_requests_come_back_in_order(direct, cluster):
    cluster.cluster_held = 4
    with direct(window=4) as (_, call):
        answers = call("request_many", {"in": np.arange(8.0).reshape(8, 1)})
    assert answers.shape == (8, 2)
    assert answers[:, 1].tolist() == list(range(8))


def test_a_request_with_several_inputs_marks_the_last_one(direct, cluster):
    with direct() as (_, call):
        answers = call("request_many", {"a": [[1.0], [2.0]], "b": [[3.0], [4.0]]})
    assert answers[:, 1].tolist() == [3.0, 4.0]
    assert [m.isLast for m in cluster.cluster_messages] == [False, True, False, True]


def test_a_close_of_the_server_is_an_exception_with_code_and_reason(direct, cluster):
    cluster.cluster_close = (4409, "another client trains this cluster")
    with (
        pytest.raises(hanami_exceptions.DirectClosedException, match="4409: another") as caught,
        direct() as (_, call),
    ):
        call("train_many", {"in": [1.0]}, {"out": [0.0]})
    assert (caught.value.code, caught.value.reason) == (4409, "another client trains this cluster")
    assert isinstance(caught.value, ConnectionError)
    assert modes(cluster) == ["DIRECT", "TASK"]


def test_a_failing_switch_back_does_not_hide_what_went_wrong_before(direct, cluster, caplog):
    def leave():
        with direct():
            cluster.answers[("PUT", "cluster/set_mode")] = [(500, "", {})]
            raise KeyError("mine")

    with pytest.raises(KeyError, match="mine"):
        leave()
    assert "cluster c stays in direct mode" in caplog.text


def test_a_failing_switch_back_alone_is_an_exception(direct, cluster):
    def leave():
        with direct():
            cluster.answers[("PUT", "cluster/set_mode")] = [(409, "no", {})]

    with pytest.raises(hanami_exceptions.ConflictException):
        leave()


def test_a_new_token_is_handed_over_between_the_steps(direct, client, cluster):
    with direct(window=64) as (_, call):
        call("train", {"in": [1.0]}, {"out": [0.0]})
        cluster.answers[("POST", "token")] = [(200, login(token_text(mark="second")), {})]
        client.session._renew_at_s = client.session.clock_s()
        call("train", {"in": [1.0]}, {"out": [0.0]})
        assert call("flush") == 2
    assert cluster.new_tokens == [client.session.token]


def test_a_new_token_is_handed_over_in_the_middle_of_many_steps(direct, client, cluster):
    cluster.answers[("POST", "token")] = [
        (200, login(token_text(mark=mark)), {}) for mark in ("first", "second")
    ]
    with direct(window=4) as (session, call):
        clock_s = client.session.clock_s

        def late_in_the_middle():
            return clock_s() + (7200 if session.steps_sent == 10 else 0)

        client.session.clock_s = late_in_the_middle
        assert call("train_many", {"in": np.ones(20)}, {"out": np.ones(20)}) == 20
        client.session.clock_s = clock_s
    assert len(cluster.new_tokens) >= 1
    assert len(cluster.cluster_messages) == 40


def test_a_refused_new_token_is_an_exception(direct, client, cluster):
    cluster.new_token_error = "Token invalid"
    cluster.answers[("POST", "token")] = [
        (200, login(token_text(mark=mark)), {}) for mark in ("first", "second")
    ]
    with direct() as (_, call):
        client.session._renew_at_s = client.session.clock_s()
        with pytest.raises(hanami_exceptions.UnauthorizedException, match="Token invalid"):
            call("request", {"in": [1.0]})


@pytest.mark.parametrize(
    ("name", "arguments", "text"),
    [
        ("train", ({}, {"out": [1.0]}), "inputs is empty"),
        ("train", ({"in": [1.0]}, {}), "expected is empty"),
        ("request", ({},), "inputs is empty"),
        ("request_many", ({},), "inputs is empty"),
        ("train_many", ({"in": [[1.0]]}, {"out": [[1.0], [2.0]]}), "same number of samples"),
    ],
)
def test_samples_that_make_no_sense_are_refused_before_anything_is_sent(
    direct, cluster, name, arguments, text
):
    with direct() as (_, call), pytest.raises(ValueError, match=text):
        call(name, *arguments)
    assert cluster.cluster_messages == []


def test_a_session_outside_of_its_block_says_so(client):
    session = client.client.direct("c")
    with pytest.raises(RuntimeError, match="with block"):
        client.end(session.flush())


def test_a_window_of_nothing_is_refused(client):
    with pytest.raises(ValueError, match="window is 0"):
        client.client.direct("c", window=0)


@pytest.mark.parametrize("is_last", [False, True])
@pytest.mark.parametrize(("process", "target"), [(0, 0), (1, 0), (1, 2)])
@pytest.mark.parametrize("name", ["", "in", "x" * 200])
@pytest.mark.parametrize("count", [0, 1, 784])
def test_the_handwritten_message_is_what_protobuf_writes(is_last, process, target, name, count):
    values = [0.1 * index for index in range(count)]
    message = ClusterIO_Message(
        bufferName=name, isLast=is_last, processType=process, targetBufferType=target,
        numberOfValues=count, values=values,
    )  # fmt: skip
    ours = message_of(name, values, is_last=is_last, process=process, target=target)
    assert ours == message.SerializeToString()
    assert packed_values(ours) == np.array(values, dtype="<f4").tobytes()


@pytest.mark.parametrize(
    "raw", ["text", b"\x32", b"\x32\x05abc", b"\x32\x03abc", b"\xff\x01", b"\x0a"]
)
def test_an_answer_that_is_no_message_is_an_exception(raw):
    with pytest.raises(hanami_exceptions.UnreadableAnswerException, match="no ClusterIO_Message"):
        packed_values(raw)


@pytest.mark.parametrize(
    "values",
    [
        [1.0, 2.5], (1, 2.5), array("f", [1.0, 2.5]), array("d", [1.0, 2.5]),
        np.array([1.0, 2.5]), np.array([1.0, 2.5], dtype=">f4"), iter([1.0, 2.5]),
        np.array([9, 1.0, 9, 2.5])[1::2],
    ],
)  # fmt: skip
def test_numbers_of_every_kind_become_packed_floats(values):
    packed = float_bytes(values)
    assert packed.hex() == "0000803f00002040"
    assert floats_of(packed).tolist() == [1.0, 2.5]


@pytest.mark.parametrize(
    "values", [[[1.0], [2.0]], np.array([[1.0], [2.0]]), [1.0, 2.0], np.array([1.0, 2.0])]
)
def test_samples_of_one_number_need_no_second_dimension(values):
    assert [list(row) for row in as_rows(values)] == [[1.0], [2.0]]


def test_samples_may_come_from_a_generator():
    assert as_rows([number] for number in (1.0, 2.0)) == [[1.0], [2.0]]
    assert as_rows([]) == []
