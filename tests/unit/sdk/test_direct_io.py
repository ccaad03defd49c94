"""Direct IO: every way to say the flags, and the values that come back."""

import asyncio

import pytest

from hanami_sdk import cluster, direct_io, hanami_exceptions
from hanami_sdk._websocket import websocket_url
from hanami_sdk.hanami_messages.proto3_pb2 import EXPECTED_BUFFER_TYPE, INPUT_BUFFER_TYPE
from tests.unit.sdk.stub_server import TOKEN


@pytest.fixture
def direct(stub, script):
    """Run a function with an open websocket to the stub."""
    script.answer("PUT", "cluster/set_mode", {"new_state": "DIRECT"})

    def run(use):
        async def main():
            ws = await cluster.switch_to_direct_mode(TOKEN, stub.address, "c", False)
            assert ws is not None
            try:
                return await use(ws)
            finally:
                await ws.close()

        return asyncio.run(main())

    return run


def test_direct_mode_is_switched_on_before_the_websocket_opens(direct, script):
    async def nothing(_ws):
        return None

    direct(nothing)
    assert script.call("PUT", "cluster/set_mode").json == {"uuid": "c", "new_state": "DIRECT"}
    assert script.first_messages == [{"token": TOKEN, "target": "cluster", "uuid": "c"}]


def test_a_refused_websocket_gives_none(stub, script):
    script.answer("PUT", "cluster/set_mode", {})
    script.handshake_error = "Token invalid"
    assert asyncio.run(cluster.switch_to_direct_mode(TOKEN, stub.address, "c")) is None


@pytest.mark.parametrize("answer", [[], 7, "yes"], ids=["list", "number", "text"])
def test_a_server_of_another_kind_leaves_an_exception_and_no_connection(stub, script, answer):
    script.answer("PUT", "cluster/set_mode", {})
    script.handshake_answer = answer
    with pytest.raises(hanami_exceptions.ConnectionFailedException, match="first message"):
        asyncio.run(cluster.switch_to_direct_mode(TOKEN, stub.address, "c"))


def test_a_refused_mode_raises(stub, script):
    script.answer("PUT", "cluster/set_mode", "a task is running", status=409)
    with pytest.raises(hanami_exceptions.ConflictException):
        asyncio.run(cluster.switch_to_direct_mode(TOKEN, stub.address, "c"))


# flags, keywords -> (to the input?, last?)
FLAGS = [
    ((False,), {}, (True, False)),
    ((True,), {}, (True, True)),
    ((True, False), {}, (True, False)),
    ((False, True), {}, (False, True)),
    ((False, True, False), {}, (False, True)),
    ((False, True), {"verify_connection": False}, (False, True)),
    ((), {"is_input": False, "is_last": True}, (False, True)),
    ((), {"is_last": True}, (True, True)),
    ((False,), {"is_last": True}, (False, True)),
    ((True,), {"is_input": False}, (False, True)),
]


@pytest.mark.parametrize(("flags", "keywords", "expected"), FLAGS)
def test_the_flags_of_training_are_understood_in_every_spelling(
    direct, script, flags, keywords, expected
):
    async def train(ws):
        return await direct_io.send_train_input(ws, "test_input", [1.0, 0.5], *flags, **keywords)

    assert direct(train) is None
    message = script.cluster_messages[0]
    to_input = message.targetBufferType == INPUT_BUFFER_TYPE
    assert (to_input, message.isLast) == expected
    assert to_input or message.targetBufferType == EXPECTED_BUFFER_TYPE
    assert message.processType == 1
    assert message.bufferName == "test_input"
    assert (message.numberOfValues, list(message.values)) == (2, [1.0, 0.5])


@pytest.mark.parametrize(
    ("flags", "keywords"),
    [
        ((), {}),
        ((), {"is_input": True}),
        ((True, True), {"is_last": True}),
        ((True,), {"is_last": True, "is_input": True}),
        ((True, True, True, True), {}),
    ],
)
def test_flags_that_make_no_sense_are_a_type_error(direct, script, flags, keywords):
    async def train(ws):
        await direct_io.send_train_input(ws, "test_input", [1.0], *flags, **keywords)

    with pytest.raises(TypeError, match=r"send_train_input\(\)"):
        direct(train)
    assert script.cluster_messages == []


def test_a_request_returns_a_list_after_the_last_values_only(direct):
    async def request(ws):
        first = await direct_io.send_request_input(ws, "in", (1.0,), False)
        second = await direct_io.send_request_input(ws, "in", (1.0,), True, verify_connection=True)
        return first, second

    first, second = direct(request)
    assert first is None
    assert second == [0.25, 1.0]
    assert second.index(max(second)) == 1


@pytest.mark.parametrize(
    ("address", "url"),
    [
        ("http://127.0.0.1:11418", "ws://127.0.0.1:11418"),
        ("https://hanami.example:8443", "wss://hanami.example:8443"),
        ("http://host/some/path", "ws://host"),
    ],
)
def test_the_websocket_address_is_host_and_port_of_the_address(address, url):
    assert websocket_url(address) == url


def test_a_websocket_to_nobody_is_a_connection_error(free_port):
    from hanami_sdk import dataset

    work = dataset.send_data(TOKEN, f"http://127.0.0.1:{free_port}", "d", "f", b"x")
    with pytest.raises(ConnectionError, match=f'websocket "ws://127.0.0.1:{free_port}"'):
        asyncio.run(work)
