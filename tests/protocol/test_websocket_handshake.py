"""The first message of a websocket: on any path, in any frame, refused without closing."""

import json

import pytest
import websockets.sync.client

from tests.protocol.api_server import ADMIN, MEMBER, OTHER
from tests.protocol.raw_clients import (
    BINARY,
    CLOSE,
    CONTINUATION,
    PING,
    PONG,
    TEXT,
    RawHttp,
    RawWebSocket,
)

UNKNOWN_UUID = "99999999-9999-4999-8999-999999999999"


@pytest.fixture
def upload(api):
    return api.gateway.add_dataset(MEMBER, "csv").upload_uuids[0]


@pytest.fixture
def token(api):
    return api.token(MEMBER)


@pytest.mark.parametrize("path", ["/", "/foo/bar?x", "/v1.0alpha/cluster", "/v1/nonsense"])
def test_a_websocket_opens_on_any_path(api, upload, token, path):
    with RawWebSocket(api.port, path) as ws:
        assert ws.status == 101
        answer = ws.handshake(token, "file_upload", upload)
        assert answer.keys() == {"success", "uuid"}
        assert answer["success"] is True


def test_the_upgrade_names_the_server_and_the_request(api):
    with RawWebSocket(api.port) as ws:
        assert ws.headers["server"] == "Hanami"
        assert len(ws.headers["x-request-id"]) == 36


def test_the_client_of_the_sdk_connects_pings_and_closes(api, upload, token):
    with websockets.sync.client.connect(f"ws://127.0.0.1:{api.port}", ping_interval=0.05) as ws:
        ws.send(json.dumps({"token": token, "target": "file_upload", "uuid": upload}))
        assert json.loads(ws.recv(timeout=20))["success"] is True
        assert ws.ping().wait(20)


def test_compression_is_not_agreed_to(api):
    offer = "permessage-deflate; client_max_window_bits"
    with RawWebSocket(api.port, Sec_WebSocket_Extensions=offer) as ws:
        assert "sec-websocket-extensions" not in ws.headers


def test_pages_of_any_origin_may_connect_because_the_token_decides(api):
    with RawWebSocket(api.port, Origin="https://elsewhere.example") as ws:
        assert ws.status == 101


def test_the_answer_is_exact_json_in_one_binary_frame(api, upload, token):
    with RawWebSocket(api.port) as ws:
        first = {"token": token, "target": "file_upload", "uuid": upload}
        ws.send_frame(TEXT, json.dumps(first).encode())
        frame = ws.receive_frame()
        assert (frame.fin, frame.opcode) == (True, BINARY)
        uuid = json.loads(frame.payload)["uuid"]
        assert frame.payload == f'{{"success":true,"uuid":"{uuid}"}}'.encode()


@pytest.mark.parametrize("opcode", [TEXT, BINARY])
def test_the_first_message_may_be_text_or_binary_and_fragmented(api, upload, token, opcode):
    message = json.dumps({"token": token, "target": "file_upload", "uuid": upload}).encode()
    with RawWebSocket(api.port) as ws:
        ws.send_frame(opcode, message[:10], fin=False)
        ws.send_frame(PING, b"between")
        ws.send_frame(CONTINUATION, message[10:])
        assert ws.receive_frame() == (True, PONG, b"between")
        assert json.loads(ws.receive())["success"] is True


GARBAGE = [
    b"",
    b"nonsense",
    b"\xff\xfe",
    b"[]",
    b"7",
    b"null",
    b"{}",
    b"[" * 100_000,
    b'{"token":1,"target":2,"uuid":3}',
    b'{"token":"x"}',
    b'{"token":"x","target":"file_upload"}',
    b'{"target":"file_upload","uuid":"x"}',
    b'{"token":"x","target":"file_upload","uuid":"x"}',
]


def test_a_refusal_says_why_and_the_connection_stays_open_for_another_try(api, upload, token):
    with RawWebSocket(api.port) as ws:
        for garbage in GARBAGE:
            ws.send(garbage)
            answer = json.loads(ws.receive())
            assert answer.keys() == {"error", "success"}
            assert answer["success"] is False
            assert answer["error"] != ""
        assert ws.handshake(token, "file_upload", upload)["success"] is True


@pytest.mark.parametrize(
    ("target", "uuid", "named"),
    [
        ("nonsense", UNKNOWN_UUID, "file_upload"),
        ("", UNKNOWN_UUID, "target"),
        ("file_upload", UNKNOWN_UUID, UNKNOWN_UUID),
        ("file_upload", "", "uuid"),
        ("cluster", UNKNOWN_UUID, UNKNOWN_UUID),
    ],
)
def test_a_target_or_uuid_that_is_not_there_is_named(api, token, target, uuid, named):
    with RawWebSocket(api.port) as ws:
        answer = ws.handshake(token, target, uuid)
        assert (answer["success"], named in answer["error"]) == (False, True)


def test_a_cluster_belongs_to_its_owner_and_to_admins(api, token):
    uuid = api.gateway.add_cluster(MEMBER)
    with RawWebSocket(api.port) as ws:
        answer = ws.handshake(api.token(OTHER), "cluster", uuid)
        assert (answer["success"], uuid in answer["error"]) == (False, True)
        assert ws.handshake(token, "cluster", uuid)["success"] is True


def test_a_file_belongs_to_its_creator_alone_and_an_admin_is_no_exception(api, upload):
    with RawWebSocket(api.port) as ws:
        for who in (OTHER, ADMIN):
            answer = ws.handshake(api.token(who), "file_upload", upload)
            assert answer["success"] is False
            assert "not found" in answer["error"]


def test_a_closed_upload_is_not_found(api, token):
    state = api.gateway.add_dataset(MEMBER, "csv")
    api.gateway.fail(state, "bad file")
    with RawWebSocket(api.port) as ws:
        assert ws.handshake(token, "file_upload", state.upload_uuids[0])["success"] is False


def test_an_expired_token_is_refused(api, upload, token):
    api.gateway.clock.advance(3600)
    with RawWebSocket(api.port) as ws:
        assert "expired" in ws.handshake(token, "file_upload", upload)["error"]


def test_a_socket_without_a_good_first_message_is_closed_after_a_while(make_api):
    api = make_api(websocket_handshake_timeout_s=0.05)
    with RawWebSocket(api.port) as ws:
        frame = ws.receive_frame()
        assert (frame.opcode, frame.close_code) == (CLOSE, 4408)


def test_a_message_beyond_the_limit_closes_the_socket(make_api):
    api = make_api(websocket_message_size_max_bytes=1000)
    with RawWebSocket(api.port) as ws:
        ws.send(b"x" * 1001)
        frame = ws.receive_frame()
        assert (frame.opcode, frame.close_code) == (CLOSE, 1009)


def test_fragments_that_together_are_beyond_the_limit_close_the_socket(make_api):
    api = make_api(websocket_message_size_max_bytes=1000)
    with RawWebSocket(api.port) as ws:
        ws.send_fragmented(b"x" * 1200, size=400)
        frame = ws.receive_frame()
        assert (frame.opcode, frame.close_code) == (CLOSE, 1009)


def test_a_close_is_answered_with_a_close(api):
    with RawWebSocket(api.port) as ws:
        ws.send_frame(CLOSE, b"\x03\xe8")
        frame = ws.receive_frame()
        assert (frame.opcode, frame.close_code) == (CLOSE, 1000)
        assert ws.is_closed()


def test_open_sockets_do_not_keep_requests_waiting(api):
    sockets = [RawWebSocket(api.port) for _ in range(20)]
    try:
        assert api.request("GET", "/v1/cluster/all", token=api.token()).status_code == 200
    finally:
        for ws in sockets:
            ws.__exit__()


def test_the_server_pings(make_api):
    api = make_api(websocket_ping_interval_s=0.05)
    with RawWebSocket(api.port) as ws:
        assert ws.receive_frame().opcode == PING


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Connection": "Upgrade"}, 426),
        ({"Connection": "Upgrade", "Sec_WebSocket_Version": "13"}, 400),
        ({"Connection": "close", "Sec_WebSocket_Key": "x", "Sec_WebSocket_Version": "13"}, 400),
        ({"Connection": "Upgrade", "Sec_WebSocket_Key": "x", "Sec_WebSocket_Version": "1"}, 426),
    ],
)
def test_a_broken_upgrade_is_refused(api, headers, status):
    with RawHttp(api.port) as http:
        http.request("GET", "/", Upgrade="websocket", **headers)
        answered, answer_headers, _ = http.answer()
        assert (answered, len(answer_headers["x-request-id"])) == (status, 36)


def test_stopping_the_server_closes_the_sockets_with_going_away(api):
    with RawWebSocket(api.port) as ws:
        api.close()
        frame = ws.receive_frame()
        assert (frame.opcode, frame.close_code) == (CLOSE, 1001)


def test_an_upgrade_to_something_else_is_an_ordinary_request(api):
    with RawHttp(api.port) as http:
        http.request("GET", "/health/live", Upgrade="h2c", Connection="Upgrade")
        assert http.answer()[0] == 200


def test_a_socket_beyond_the_limit_is_refused_as_http_and_one_that_closes_makes_room(make_api):
    api = make_api(websocket_count_max=2)
    with RawWebSocket(api.port), RawWebSocket(api.port) as second:
        with RawWebSocket(api.port) as third:
            assert third.status == 429
            assert third.headers["content-type"] == "text/plain; charset=utf-8"
        second.send_frame(CLOSE, b"\x03\xe8")
        assert second.receive_frame().opcode == CLOSE
        assert second.is_closed()
        with RawWebSocket(api.port) as fourth:
            assert fourth.status == 101
