"""Direct IO over the real server, with bytes made by hand from the contract."""

import asyncio
import contextlib
import json
from collections.abc import Iterator
from typing import Any

import pytest

from hanami_sdk import cluster, direct_io
from tests.journey import write_idx
from tests.protocol.direct_client import (
    ACKNOWLEDGED,
    EXPECTED,
    INPUT,
    OUTPUT,
    TRAINED,
    ClosedError,
    DirectClient,
    message,
)
from tests.protocol.direct_user import (
    SAME_NAME,
    TWO_OF_EACH,
    WITH_MEMORY,
    User,
    closed_with,
    label,
    picture,
    train,
)


@pytest.fixture
def user(warm_server) -> User:
    return User(warm_server)


@pytest.fixture
def network(user) -> Iterator[str]:
    """A fresh cluster in direct mode; deleted afterwards."""
    uuid = user.create_cluster("direct")
    user.mode(uuid, "DIRECT")
    yield uuid
    user.call("DELETE", "cluster", uuid=uuid)


@pytest.fixture
def odd(user) -> Iterator[Any]:
    """Create clusters of other templates; deleted afterwards."""
    with contextlib.ExitStack() as stack:

        def create(template: str) -> str:
            uuid: str = user.cluster_of(template)
            stack.callback(user.call, "DELETE", "cluster", uuid=uuid)
            user.mode(uuid, "DIRECT")
            return uuid

        yield create


class TestAnswers:
    def test_a_fresh_cluster_learns_by_direct_training_alone(self, user, network):
        with user.connect(network) as client:
            assert client.ask(message("picture", picture(0), last=True)) == ("label", [])
            train(client, 0, 300)
            for number in range(3):
                values = client.request(picture(number))
                assert values.index(max(values)) == number
                assert all(0.0 <= value <= 1.0 for value in values)
        user.mode(network, "TASK")
        assert user.stats(network)["trained_cycles"] == 300

    def test_the_answer_to_a_request_has_the_bytes_of_the_contract(self, user, network):
        with user.connect(network) as client:
            assert client.exchange(message("picture", [1.0], last=True)).hex() == "0a056c6162656c"
            client.train([1.0, 0.5], [1.0])
            answer = client.exchange(message("picture", [1.0, 0.5], last=True))
            assert answer[:11].hex() == "0a056c6162656c28013204"
            assert len(answer) == 15

    def test_every_message_has_one_answer_in_the_order_of_arrival(self, user, network):
        steps = [
            (message("picture", picture(0), last=False, train=True), ACKNOWLEDGED),
            (message("label", label(0), last=True, train=True, target=EXPECTED), TRAINED),
            (message("picture", [], last=False), ACKNOWLEDGED),
        ]
        with user.connect(network) as client:
            for _ in range(500):
                for data, _ in steps:
                    client.send(data)
                client.send(message("picture", picture(1), last=True))
            for _ in range(500):
                for _, expected in steps:
                    assert client.receive() == expected
                assert client.receive()[:7].hex() == "0a056c6162656c"

    def test_messages_may_be_fragmented_anywhere(self, user, network):
        with user.connect(network) as client:
            data = message("picture", picture(0), last=False, train=True)
            for size in (1, 5, len(data) - 1):
                client.socket.send_fragmented(data, size)
                assert client.receive() == ACKNOWLEDGED

    def test_several_outputs_are_one_message_named_after_the_first(self, user, odd):
        network = odd(TWO_OF_EACH)
        with user.connect(network) as client:
            for _ in range(60):
                client.exchange(message("left", [9.0, 0.0], last=False, train=True))
                client.exchange(message("right", [5.0], last=False, train=True))
                client.exchange(
                    message("zebra", [1.0, 0.0], last=False, train=True, target=EXPECTED)
                )
                last = message("apple", [1.0], last=True, train=True, target=EXPECTED)
                assert client.exchange(last) == TRAINED
            client.exchange(message("left", [9.0, 0.0], last=False))
            name, values = client.ask(message("right", [5.0], last=True))
            assert (name, len(values)) == ("apple", 3)
            # "apple" is a bool and comes first; "zebra" has two values.
            assert values[0] in (0.0, 1.0)
            assert 0.0 <= values[1] <= 1.0

    def test_an_output_that_got_no_values_learns_nothing(self, user, odd):
        network = odd(TWO_OF_EACH)
        with user.connect(network) as client:
            client.exchange(message("left", [9.0], last=False, train=True))
            last = message("zebra", [1.0, 0.0], last=True, train=True, target=EXPECTED)
            assert client.exchange(last) == TRAINED
            name, values = client.ask(message("left", [9.0], last=True))
            assert (name, len(values)) == ("apple", 2)

    def test_an_input_message_for_a_name_that_only_an_output_has_is_expected(self, user, network):
        with user.connect(network) as client:
            assert (
                client.exchange(message("picture", picture(1), last=False, train=True))
                == ACKNOWLEDGED
            )
            assert client.exchange(message("label", label(1), last=True, train=True)) == TRAINED
            assert len(client.request(picture(1))) == 3

    def test_a_name_that_is_both_is_an_input_unless_the_message_says_otherwise(self, user, odd):
        network = odd(SAME_NAME)
        with user.connect(network) as client:
            client.exchange(message("both", [3.0, 4.0], last=False, train=True, target=INPUT))
            last = message("both", [1.0], last=True, train=True, target=EXPECTED)
            assert client.exchange(last) == TRAINED
            assert client.ask(message("both", [3.0, 4.0], last=True))[0] == "both"

    def test_values_beyond_a_shorter_message_keep_what_they_were(self, user, network):
        with user.connect(network) as client:
            train(client, 0, 90)
            expected = client.request([1.0, 2.0, *picture(1)[2:]])
            client.exchange(message("picture", picture(1), last=False))
            assert client.request([1.0, 2.0]) == expected
            assert client.request([]) == expected
            assert client.request(picture(2)) != expected

    def test_what_a_connection_put_into_its_buffers_is_its_own(self, user, network):
        with user.connect(network) as client, user.connect(network) as other:
            train(client, 0, 30)
            nothing = other.request([])
            client.exchange(message("picture", picture(1), last=False))
            assert other.request([]) == nothing

    def test_a_shorter_expected_vector_trains_only_its_outputs(self, user, network):
        with user.connect(network) as client:
            train(client, 0, 30)
            client.train(picture(0), [1.0])
            assert len(client.request(picture(0))) == 3

    def test_what_a_request_leaves_behind_is_seen_by_its_own_connection_alone(self, user, odd):
        network = odd(WITH_MEMORY)
        with user.connect(network) as client:
            train(client, 0, 60)
        with user.connect(network) as alone:
            expected = [alone.request(picture(number)) for number in (0, 0, 1, 0)]
        # Potentials are left behind: the same input is answered differently.
        assert expected[0] != expected[1]
        with user.connect(network) as first, user.connect(network) as second:
            mixed = []
            for number in (0, 0, 1, 0):
                mixed.append(first.request(picture(number)))
                second.request(picture(2))
            assert mixed == expected


class TestRefusals:
    @pytest.mark.parametrize(
        ("data", "what"),
        [
            (b"\xff\xff", "protobuf"),
            (message("nobody", [1.0], last=False), "picture"),
            (message("nobody", [1.0], last=False, target=EXPECTED), "label"),
            (message("label", [1.0], last=False, target=OUTPUT), "targetBufferType"),
            (b"\x0a\x07picture\x28\x05\x32\x04\x00\x00\x80\x3f", "numberOfValues"),
            (b"\x18\x07", "processType"),
        ],
        ids=["bytes", "input", "output", "target", "count", "process"],
    )
    def test_a_bad_message_closes_with_4400_and_says_why(self, user, network, data, what):
        with user.connect(network) as client:
            code, reason = closed_with(client, data)
            assert (code, what in reason) == (4400, True), reason

    def test_answers_to_good_messages_come_before_the_end(self, user, network):
        with user.connect(network) as client:
            for _ in range(50):
                client.send(message("picture", picture(0), last=False, train=True))
                client.send(message("label", label(0), last=True, train=True, target=EXPECTED))
            client.send(b"\xff")
            assert [client.receive() for _ in range(100)] == [ACKNOWLEDGED, TRAINED] * 50
            with pytest.raises(ClosedError):
                client.receive()

    def test_too_many_values_close_with_4429(self, user, network):
        with user.connect(network) as client:
            data = message("picture", [0.0] * 1_000_001, last=False)
            assert closed_with(client, data)[0] == 4429

    def test_training_needs_direct_mode_and_one_writer(self, user, network):
        data = message("picture", picture(0), last=False, train=True)
        with user.connect(network) as first, user.connect(network) as second:
            assert first.exchange(data) == ACKNOWLEDGED
            code, reason = closed_with(second, data)
            # The reason of a close frame is short: the uuid of the writer is in it.
            assert (code, first.uuid in reason) == (4409, True), reason
        user.mode(network, "TASK")
        with user.connect(network) as client:
            code, reason = closed_with(client, data)
            assert (code, "task mode" in reason) == (4409, True)
        user.mode(network, "DIRECT")

    def test_a_writer_that_leaves_frees_the_role_at_once(self, user, network):
        for _ in range(5):
            with user.connect(network) as client:
                train(client, 0, 3)
        user.mode(network, "TASK")
        sessions = user.stats(network)["sessions"]
        assert [session["steps"] for session in sessions] == [3] * 5

    def test_deleting_the_cluster_closes_with_4404(self, user):
        uuid = user.create_cluster("doomed")
        with user.connect(uuid) as client:
            assert client.request(picture(0)) == []
            user.call("DELETE", "cluster", uuid=uuid)
            with pytest.raises(ClosedError) as caught:
                client.receive()
            assert caught.value.code == 4404

    def test_a_refused_handshake_says_why_and_stays_open(self, user, network):
        missing = "11111111-1111-4111-8111-111111111111"
        with DirectClient(user.address, user.token, missing) as client:
            assert client.answer["success"] is False
            assert missing in client.answer["error"]
            again = client.socket.handshake(user.token, "cluster", network, durability="no")
            assert (again["success"], "durability" in again["error"]) == (False, True)
            again = client.socket.handshake(user.token, "cluster", network)
            assert again["success"] is True
            assert client.request(picture(0)) == []

    def test_a_text_that_renews_nothing_closes_with_4400(self, user, network):
        with user.connect(network) as client:
            client.send_text("hello")
            with pytest.raises(ClosedError) as caught:
                client.receive()
            assert caught.value.code == 4400


class TestTasks:
    def test_requests_are_answered_while_a_task_trains(self, user, tmp_path):
        files = write_idx(tmp_path, 400)
        data, network = user.upload(*files), user.create_cluster("busy")
        training = user.train(network, data, epochs=1_000_000)
        user.wait_for(training, network, lambda shown: shown["current_cycle"] > 0)
        with user.connect(network) as client:
            answers = [client.request([float(n % 200) for n in range(36)]) for _ in range(20)]
            assert {len(values) for values in answers} == {10}
            assert user.task(training, network)["state"] == "active"
            assert user.stats(network)["number_of_connections"] == 1
        user.call("DELETE", "cluster", uuid=network)

    def test_connections_follow_a_restore(self, user, network):
        with user.connect(network) as client:
            train(client, 0, 60)
            early = client.request(picture(0))
            user.mode(network, "TASK")
            saved = user.call("POST", "cluster/save", name="early", cluster_uuid=network)["uuid"]
            user.mode(network, "DIRECT")
            train(client, 60, 300)
            assert client.request(picture(0)) != early
            user.mode(network, "TASK")
            user.call("POST", "cluster/load", cluster_uuid=network, checkpoint_uuid=saved)
            assert client.request(picture(0)) == early
            user.mode(network, "DIRECT")


def test_the_sequence_of_the_originals_test_with_its_own_functions(user):
    network = user.create_cluster("sequence")

    async def talk() -> Any:
        socket = await cluster.switch_to_direct_mode(user.token, user.address, network)
        assert socket is not None
        for _ in range(100):
            await direct_io.send_train_input(socket, "picture", picture(2), True, False)
            await direct_io.send_train_input(
                socket, "label", [0, 0, 0, 0, 0, 1, 0, 0, 0, 0], False, True
            )
        values = await direct_io.send_request_input(socket, "picture", picture(2), True)
        await socket.close()
        return values

    values = list(asyncio.run(talk()))
    assert values.index(max(values)) == 5
    answer = json.loads(cluster.switch_to_task_mode(user.token, user.address, network))
    assert answer["new_state"] == "TASK"
    cluster.delete_cluster(user.token, user.address, network)
