"""Target file_upload: any order, any framing, many chunks on their way, answers in order."""

import random
import socket
import struct

import pytest

from hanami_actors.api.sockets import upload as upload_socket
from hanami_actors.domain.upload.messages import AppendChunk
from hanami_actors.errors import BusyError, FaultError
from hanami_actors.wire.hanami_messages_pb2 import FileUpload_Message, FileUploadResponse_Message
from tests.protocol.api_server import MEMBER
from tests.protocol.raw_clients import TEXT, RawWebSocket
from tests.unit.actors.harness import wait_until

OK = bytes.fromhex("0801")


@pytest.fixture
def file(api):
    """A file of 100 kB that waits for its bytes."""
    return api.gateway.add_dataset(MEMBER, "csv", size_bytes=100_000).upload_uuids[0]


@pytest.fixture
def open_socket(api, file):
    sockets = []

    def make():
        ws = RawWebSocket(api.port)
        sockets.append(ws)
        assert ws.handshake(api.token(MEMBER), "file_upload", file)["success"] is True
        return ws

    yield make
    for ws in sockets:
        ws.__exit__()


def chunk(position, data):
    return FileUpload_Message(position=position, data=data).SerializeToString()


def pieces(content, size):
    return [(at, content[at : at + size]) for at in range(0, len(content), size)]


def refusal(message):
    answer = FileUploadResponse_Message.FromString(message)
    assert answer.success is False
    return answer.errorMessage


CONTENT = random.Random(7).randbytes(100_000)


def test_chunks_in_any_order_and_repeated_make_the_file(api, file, open_socket):
    ws = open_socket()
    order = pieces(CONTENT, 9_999) * 2
    random.Random(1).shuffle(order)
    for position, data in order:
        ws.send(chunk(position, data))
        assert ws.receive() == OK
    assert bytes(api.gateway.files[file]) == CONTENT


def test_several_sockets_may_send_parts_of_one_file(api, file, open_socket):
    sockets = [open_socket() for _ in range(4)]
    for index, (position, data) in enumerate(pieces(CONTENT, 5_000)):
        sockets[index % 4].send(chunk(position, data))
    for index in range(len(pieces(CONTENT, 5_000))):
        assert sockets[index % 4].receive() == OK
    assert bytes(api.gateway.files[file]) == CONTENT


def test_messages_in_frames_of_4096_bytes_are_put_together(api, file, open_socket):
    ws = open_socket()
    for position, data in pieces(CONTENT, 30_000):
        ws.send_fragmented(chunk(position, data))
        assert ws.receive() == OK
    assert bytes(api.gateway.files[file]) == CONTENT


def test_a_chunk_of_the_sdks_size_goes_through(make_api):
    api = make_api()
    file = api.gateway.add_dataset(MEMBER, "csv", size_bytes=131_072 + 7).upload_uuids[0]
    content = random.Random(2).randbytes(131_072 + 7)
    with RawWebSocket(api.port) as ws:
        assert ws.handshake(api.token(MEMBER), "file_upload", file)["success"] is True
        for position, data in pieces(content, 131_072):
            ws.send(chunk(position, data))
            assert ws.receive() == OK
    assert bytes(api.gateway.files[file]) == content


def test_answers_come_in_the_order_of_the_messages_whatever_ends_first(api, open_socket):
    ws = open_socket()
    api.gateway.hold()
    for index in range(10):
        ws.send(chunk(index * 100, b"x" * 100) if index % 3 else chunk(99_999, b"too long"))
    api.gateway.wait_for_commands(10)
    api.gateway.release(lambda held: held[::-1])
    answers = [ws.receive() for _ in range(10)]
    assert [answer == OK for answer in answers] == [bool(index % 3) for index in range(10)]


def test_beyond_the_window_nothing_more_is_read_until_chunks_are_stored(api, monkeypatch):
    monkeypatch.setattr(upload_socket, "CHUNKS_IN_FLIGHT_MAX", 4)
    file = api.gateway.add_dataset(MEMBER, "csv", size_bytes=1000).upload_uuids[0]
    token = api.token(MEMBER)
    with RawWebSocket(api.port) as ws:
        ws.handshake(token, "file_upload", file)
        api.gateway.hold()
        for index in range(50):
            ws.send(chunk(index, b"x"))
        api.gateway.wait_for_commands(4)
        for _ in range(20):  # the loop has had every chance to read more
            assert api.request("GET", "/v1/cluster/all", token=token).status_code == 200
        # One more is read before the queue says it is full, one waits at the sender.
        assert len(api.gateway.commands) <= 6
        api.gateway.release()
        assert [ws.receive() for _ in range(50)] == [OK] * 50


def test_the_window_is_bounded_in_bytes_too_but_one_chunk_always_fits(api, monkeypatch):
    monkeypatch.setattr(upload_socket, "BYTES_IN_FLIGHT_MAX", 1000)
    file = api.gateway.add_dataset(MEMBER, "csv", size_bytes=100_000).upload_uuids[0]
    token = api.token(MEMBER)
    with RawWebSocket(api.port) as ws:
        ws.handshake(token, "file_upload", file)
        api.gateway.hold()
        for index in range(20):
            ws.send(chunk(index * 5000, b"x" * 5000))
        api.gateway.wait_for_commands(1)
        for _ in range(20):
            assert api.request("GET", "/v1/cluster/all", token=token).status_code == 200
        assert len(api.gateway.commands) == 1
        api.gateway.release()
        assert [ws.receive() for _ in range(20)] == [OK] * 20


def test_bad_messages_are_answered_and_the_socket_goes_on(api, file, open_socket):
    ws = open_socket()
    for position in (99_999, 100_000, 2**63, 2**64 - 1):
        ws.send(chunk(position, b"xy"))
        assert "100000 bytes" in refusal(ws.receive())
    for garbage in (b"nonsense", b"\xff" * 50, b"\x12\xff\xff\xff\xff\x0f"):
        ws.send(garbage)
        assert "FileUpload-Message" in refusal(ws.receive())
    ws.send_frame(TEXT, b"text")
    assert "FileUpload-Message" in refusal(ws.receive())
    ws.send(chunk(0, CONTENT[:10]))
    assert ws.receive() == OK
    assert bytes(api.gateway.files[file][:10]) == CONTENT[:10]


def test_empty_data_is_fine_and_stores_nothing(api, open_socket):
    ws = open_socket()
    for message in (b"", chunk(0, b""), chunk(2**40, b"")):
        ws.send(message)
        assert ws.receive() == OK
    assert api.gateway.commands == []


def test_a_busy_actor_is_asked_again_because_clients_ignore_the_answer(api, file, open_socket):
    left = [BusyError("full"), BusyError("full")]

    def answer(target, command):
        if left:
            raise left.pop()
        return api.gateway._append(target.key, command.message)

    api.gateway.answers[AppendChunk] = answer
    ws = open_socket()
    ws.send(chunk(5, b"abc"))
    assert ws.receive() == OK
    assert left == []
    assert bytes(api.gateway.files[file][5:8]) == b"abc"


def test_a_fault_is_answered_with_the_request_id_and_logged(api, open_socket, caplog):
    api.gateway.answers[AppendChunk] = FaultError("secret detail")
    ws = open_socket()
    ws.send(chunk(0, b"abc"))
    text = refusal(ws.receive())
    assert text.startswith("internal error, request ")
    assert text.split()[-1] in caplog.text
    assert "secret" not in text


def test_an_upload_that_ends_meanwhile_is_told_so(api, open_socket):
    ws = open_socket()
    (state,) = [row.state for row in api.gateway.tables.datasets.values()]
    api.gateway.fail(state, "deleted")
    ws.send(chunk(0, b"abc"))
    assert "not found" in refusal(ws.receive())


def test_a_client_that_drops_the_connection_loses_no_chunk_that_was_read(api, file, open_socket):
    ws = open_socket()
    api.gateway.hold()
    for position, data in pieces(CONTENT[:300], 100):
        ws.send(chunk(position, data))
    api.gateway.wait_for_commands(3)
    ws.__exit__()
    api.gateway.release()
    assert bytes(api.gateway.files[file][:300]) == CONTENT[:300]
    assert api.request("GET", "/health/live").status_code == 200


def test_uploads_are_not_cut_when_the_token_expires(api, open_socket):
    ws = open_socket()
    api.gateway.clock.advance(100_000)
    ws.send(chunk(0, b"abc"))
    assert ws.receive() == OK


def test_a_client_that_drops_the_connection_leaves_nothing_waiting(api, monkeypatch):
    monkeypatch.setattr(upload_socket, "CHUNKS_IN_FLIGHT_MAX", 4)
    file = api.gateway.add_dataset(MEMBER, "csv", size_bytes=1000).upload_uuids[0]
    token = api.token(MEMBER)
    before = api.task_names()
    with RawWebSocket(api.port) as ws:
        ws.handshake(token, "file_upload", file)
        api.gateway.hold()
        for index in range(50):
            ws.send(chunk(index, b"x"))
        api.gateway.wait_for_commands(4)
        api.gateway.release_first()
        assert ws.receive() == OK
        ws.plain_socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    # The next answer finds the connection reset, while more chunks wait for a place behind it.
    api.gateway.release()
    wait_until(lambda: not api.application.services.sockets and api.task_names() <= before)
