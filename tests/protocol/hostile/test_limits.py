"""Goal: past every limit there is a clear refusal, and room again without a restart."""

import json
import threading

import pytest

from hanami_actors.wire.hanami_messages_pb2 import FileUpload_Message
from tests.protocol.api_server import ADMIN, MEMBER, ApiServer
from tests.protocol.raw_clients import BINARY, TEXT, RawHttp, RawWebSocket

MIB = 1024 * 1024
ACCEPTED = b"\x08\x01"
WAIT_S = 10.0


def wait_until(condition) -> None:
    for _ in range(1000):
        if condition():
            return
        threading.Event().wait(WAIT_S / 1000)
    raise AssertionError("it did not happen")


def chunk(size: int) -> bytes:
    message = FileUpload_Message(position=0, data=bytes(size))
    return bytes(message.SerializeToString())


def new_upload(api: ApiServer, who=ADMIN) -> str:
    return api.gateway.add_dataset(who, "csv", size_bytes=20 * MIB).upload_uuids[0]


def first_message(api: ApiServer, size: int) -> bytes:
    first = {"token": api.token(), "target": "file_upload", "uuid": new_upload(api), "x": ""}
    return json.dumps(first | {"x": "x" * (size - len(json.dumps(first)))}).encode()


def test_who_is_not_known_yet_sends_no_large_message(api):
    with RawWebSocket(api.port) as stranger:
        stranger.send_frame(TEXT, first_message(api, 128 * 1024 + 1))
        assert stranger.receive_frame().close_code == 1009
    with RawWebSocket(api.port) as stranger:
        # Nor in fragments.
        stranger.send_frame(TEXT, b"{" * 80_000, fin=False)
        stranger.send_frame(0, b"{" * 80_000, fin=False)
        assert stranger.receive_frame().close_code == 1009


def test_who_is_known_sends_large_messages(api):
    with RawWebSocket(api.port) as known:
        known.send_frame(TEXT, first_message(api, 128 * 1024))
        assert json.loads(known.receive())["success"]
        known.send_frame(BINARY, chunk(3 * MIB))
        assert known.receive() == ACCEPTED


def test_a_user_has_so_many_websockets_and_others_have_theirs(make_api):
    api = make_api(websockets_per_user_max=2)
    mine, other = new_upload(api), new_upload(api, MEMBER)
    with RawWebSocket(api.port) as first, RawWebSocket(api.port) as second:
        for socket in (first, second):
            assert socket.handshake(api.token(), "file_upload", mine)["success"]
        with RawWebSocket(api.port) as third:
            refused = third.handshake(api.token(), "file_upload", mine)
            assert refused["success"] is False
            assert "websockets_per_user_max" in refused["error"]
            assert third.handshake(api.token(MEMBER), "file_upload", other)["success"]
    wait_until(lambda: not api.application.services.sockets)
    with RawWebSocket(api.port) as again:
        assert again.handshake(api.token(), "file_upload", mine)["success"]


@pytest.mark.parametrize("ending", ["finished", "left"])
def test_large_bodies_of_all_clients_together_are_bounded(make_api, ending):
    api = make_api(received_max_bytes=MIB)
    cluster = api.gateway.add_cluster(ADMIN)
    source = {"hexagon_name": "x" * 254, "dataset_uuid": cluster, "dataset_column": "y" * 254}
    task = {"name": "some_task", "cluster_uuid": cluster, "outputs": [source]}
    body = json.dumps(task | {"inputs": [source] * 200}).encode() + b" " * 2 * MIB
    head = f"POST /v1/task/train HTTP/1.1\r\nHost: test\r\nX-Auth-Token: {api.token()}\r\nContent-Length: "
    with RawHttp(api.port) as slow:
        slow.send(f"{head}{len(body)}\r\n\r\n".encode() + body[: 2 * MIB])
        wait_until(lambda: not api.application.services.received.has_room)
        answer = api.request("POST", "/v1/task/train", token=api.token(), content=body)
        assert answer.status_code == 503
        assert answer.headers["Retry-After"] == "1"
        assert "received_max_bytes" in answer.text
        # Small ones are not concerned.
        assert api.request("GET", "/v1/cluster/all", token=api.token()).status_code == 200
        if ending == "finished":
            assert slow.send(body[2 * MIB :]).answer()[0] == 200
    wait_until(lambda: api.application.services.received.used_bytes == 0)
    answer = api.request("POST", "/v1/task/train", token=api.token(), content=body)
    assert answer.status_code == 200, answer.text


def test_chunks_of_all_uploads_together_are_bounded(make_api):
    api = make_api(received_max_bytes=MIB)
    with RawWebSocket(api.port) as first, RawWebSocket(api.port) as second:
        for socket in (first, second):
            assert socket.handshake(api.token(), "file_upload", new_upload(api))["success"]
        api.gateway.hold()
        first.send(chunk(2 * MIB))
        api.gateway.wait_for_commands(1)
        for _ in range(3):
            second.send(chunk(1000))
        # One is taken and waits; the other two stay where they are.
        api.gateway.wait_for_commands(2)
        assert api.application.services.received.used_bytes < 3 * MIB
        api.gateway.release()
        assert first.receive() == ACCEPTED
        for _ in range(3):
            assert second.receive() == ACCEPTED
    wait_until(lambda: api.application.services.received.used_bytes == 0)


def test_a_socket_that_leaves_in_the_middle_gives_back_what_it_held(make_api):
    api = make_api(received_max_bytes=MIB)
    with RawWebSocket(api.port) as socket:
        assert socket.handshake(api.token(), "file_upload", new_upload(api))["success"]
        api.gateway.hold()
        socket.send(chunk(2 * MIB))
        api.gateway.wait_for_commands(1)
    assert api.application.services.received.used_bytes > MIB
    api.gateway.release()
    wait_until(lambda: api.application.services.received.used_bytes == 0)
