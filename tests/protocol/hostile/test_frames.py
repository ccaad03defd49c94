"""Goal: the rules of RFC 6455, as far as they reach our handlers, and no trace of who breaks them."""

import contextlib
import json
import logging
import struct
import threading

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hanami_actors.wire.hanami_messages_pb2 import FileUpload_Message
from tests.protocol.api_server import ADMIN, ApiServer
from tests.protocol.hostile.frames import frame, read_until_closed
from tests.protocol.raw_clients import (
    BINARY,
    CLOSE,
    CONTINUATION,
    PING,
    PONG,
    TEXT,
    RawWebSocket,
)

ACCEPTED = b"\x08\x01"
DATA = bytes(range(40))
MESSAGE = FileUpload_Message(position=0, data=DATA).SerializeToString()
WAIT_S = 10.0


@pytest.fixture(autouse=True)
def nothing_is_logged(caplog, shared_api):
    """Whatever a client does, it is no fault of the server; and nothing of it is left."""
    yield
    wait_until(lambda: not shared_api.application.services.sockets)
    assert [record for record in caplog.records if record.levelno >= logging.ERROR] == []


def wait_until(condition) -> None:
    for _ in range(1000):
        if condition():
            return
        threading.Event().wait(WAIT_S / 1000)
    raise AssertionError("it did not happen")


@pytest.fixture(scope="module")
def upload(shared_api: ApiServer) -> str:
    return shared_api.gateway.add_dataset(ADMIN, "csv", size_bytes=len(DATA)).upload_uuids[0]


def shaken(api: ApiServer, upload: str) -> RawWebSocket:
    socket = RawWebSocket(api.port)
    assert socket.handshake(api.token(), "file_upload", upload)["success"]
    return socket


@pytest.mark.parametrize("at", range(len(MESSAGE) + 1))
def test_a_message_may_be_split_at_every_byte(shared_api, upload, at):
    with shaken(shared_api, upload) as socket:
        socket._http.send(frame(BINARY, MESSAGE[:at], fin=False))
        socket._http.send(frame(CONTINUATION, MESSAGE[at:]))
        assert socket.receive() == ACCEPTED


def test_a_message_may_come_in_frames_of_one_byte_and_frames_byte_by_byte(shared_api, upload):
    with shaken(shared_api, upload) as socket:
        pieces = [frame(BINARY, MESSAGE[:1], fin=False)]
        pieces += [frame(CONTINUATION, MESSAGE[at : at + 1], fin=False) for at in range(1, 44)]
        pieces += [frame(CONTINUATION)]
        for byte in b"".join(pieces):
            socket._http.send(bytes([byte]))
        assert socket.receive() == ACCEPTED


def test_pings_between_the_fragments_of_a_message_are_answered_with_their_payload(
    shared_api, upload
):
    with shaken(shared_api, upload) as socket:
        socket._http.send(frame(BINARY, MESSAGE[:9], fin=False))
        for payload in (b"", b"x", bytes(125)):
            socket._http.send(frame(PING, payload))
            answer = socket.receive_frame()
            assert (answer.opcode, answer.payload) == (PONG, payload)
        socket._http.send(frame(PONG, b"nobody asked"))
        socket._http.send(frame(CONTINUATION, MESSAGE[9:]))
        assert socket.receive() == ACCEPTED


@pytest.mark.parametrize(
    "broken",
    [
        frame(CONTINUATION, b"of nothing"),
        frame(BINARY, b"a", fin=False) + frame(BINARY, b"b"),
        frame(PING, fin=False),
        frame(CLOSE, fin=False),
        frame(PING, bytes(126)),
        frame(CLOSE, bytes(126)),
        *(frame(BINARY, b"x", reserved=bits) for bits in (1, 2, 4, 7)),
        *(frame(opcode, b"x") for opcode in (3, 4, 5, 6, 7, 11, 12, 13, 14, 15)),
        frame(TEXT, b"\xff\xfe"),
        frame(TEXT, b"\xed\xa0\x80"),
        frame(TEXT, b"\xc3", fin=False) + frame(CONTINUATION, b"("),
        frame(BINARY, b"x", announced=2**63),
        frame(BINARY, b"x", announced=2**64 - 1),
        frame(BINARY, b"x", announced=2**32),
        frame(BINARY, b"a", fin=False) + frame(CONTINUATION, announced=2**62),
    ],
    ids=lambda broken: broken[:12].hex(),
)
def test_a_frame_that_the_rules_forbid_ends_the_connection(shared_api, upload, broken):
    with shaken(shared_api, upload) as socket:
        socket._http.send(broken)
        read_until_closed(socket)
    with shaken(shared_api, upload) as socket:
        socket.send(MESSAGE)
        assert socket.receive() == ACCEPTED


@pytest.mark.parametrize(
    "payload",
    [
        b"",
        b"\x03",
        *(
            struct.pack("!H", code)
            for code in (0, 999, 1000, 1001, 1004, 1005, 1006, 1015, 2999, 3000, 4999, 65535)
        ),
        struct.pack("!H", 1000) + b"\xff\xff",
        struct.pack("!H", 1000) + "ö".encode() * 61,
    ],
    ids=lambda payload: payload[:4].hex(),
)
def test_a_close_of_any_kind_ends_the_connection(shared_api, upload, payload):
    with shaken(shared_api, upload) as socket:
        socket._http.send(frame(CLOSE, payload))
        read_until_closed(socket)


def test_nothing_that_follows_a_close_is_stored(shared_api, upload):
    shared_api.gateway.commands.clear()
    with shaken(shared_api, upload) as socket:
        socket._http.send(frame(CLOSE, struct.pack("!H", 1000)) + frame(BINARY, MESSAGE))
        read_until_closed(socket)
    assert shared_api.gateway.commands == []


def test_a_handshake_may_be_split_anywhere_too(shared_api, upload):
    first = {"token": shared_api.token(), "target": "file_upload", "uuid": upload, "ö": "ä"}
    text = json.dumps(first, ensure_ascii=False).encode()
    # In the middle of a letter as well.
    for at in range(0, len(text), 7):
        with RawWebSocket(shared_api.port) as socket:
            socket._http.send(frame(TEXT, text[:at], fin=False) + frame(CONTINUATION, text[at:]))
            assert json.loads(socket.receive())["success"]


OPCODES = st.sampled_from([CONTINUATION, TEXT, BINARY, CLOSE, PING, PONG, 3, 11])
FRAMES = st.builds(
    frame,
    OPCODES,
    st.binary(max_size=130),
    fin=st.booleans(),
    reserved=st.sampled_from([0, 0, 0, 0, 1, 4]),
    masked=st.sampled_from([True, True, True, False]),
    announced=st.sampled_from([None, None, None, None, 0, 5, 126, 2**20, 2**63]),
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(FRAMES | st.binary(max_size=20), min_size=1, max_size=8), st.booleans())
def test_no_sequence_of_frames_harms_anybody(shared_api, upload, frames, has_shaken):
    socket = shaken(shared_api, upload) if has_shaken else RawWebSocket(shared_api.port)
    # It may be closed already, after the first of them.
    with socket, contextlib.suppress(OSError):
        socket._http.send(b"".join(frames))
    assert shared_api.request("GET", "/v1/health/live").status_code == 200
