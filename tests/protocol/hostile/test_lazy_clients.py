"""Goal: a client that does not read, or leaves in the middle, costs nothing that stays."""

import contextlib
import gc
import logging
import socket
import struct
import threading
from collections.abc import Iterator

import pytest

from tests.protocol.api_server import ADMIN, ApiServer
from tests.protocol.raw_clients import RawWebSocket

ROWS, WIDTH = 2000, 400
WAIT_S = 10.0


def wait_until(condition) -> None:
    for _ in range(1000):
        if condition():
            return
        threading.Event().wait(WAIT_S / 1000)
    raise AssertionError("it did not happen")


@pytest.fixture(autouse=True)
def nothing_is_logged(caplog):
    yield
    gc.collect()
    assert [record for record in caplog.records if record.levelno >= logging.ERROR] == []


def large_answer(api: ApiServer) -> str:
    """Return the path of an answer larger than any buffer of the system."""
    state = api.gateway.add_dataset(ADMIN)
    api.gateway.fill(state, [[0.123456789] * WIDTH] * ROWS)
    return (
        f"/v1/dataset/content?uuid={state.uuid}&column_name=picture"
        f"&row_offset=0&number_of_rows={ROWS}"
    )


@contextlib.contextmanager
def lazy(api: ApiServer, path: str) -> Iterator[socket.socket]:
    """A client that sends a request and reads nothing; on leaving it resets the connection."""
    client = socket.socket()
    # Before connecting, or the window is large already.
    client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    client.connect(("127.0.0.1", api.port))
    head = f"GET {path} HTTP/1.1\r\nHost: test\r\nX-Auth-Token: {api.token()}\r\n\r\n"
    client.sendall(head.encode())
    try:
        yield client
    finally:
        client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        client.close()


def test_a_client_that_leaves_in_the_middle_of_an_answer_is_forgotten(api):
    path = large_answer(api)
    for _ in range(5):
        with lazy(api, path) as client:
            wait_until(lambda: api.application.services.in_flight_count == 1)
            assert client.recv(100).startswith(b"HTTP/1.1 200")
        wait_until(lambda: api.application.services.in_flight_count == 0)


def test_a_client_that_reads_nothing_of_its_answer_is_cut_off(make_api):
    api = make_api(client_stall_timeout_s=0.3)
    path = large_answer(api)
    with lazy(api, path) as client:
        wait_until(lambda: api.application.services.in_flight_count == 1)
        wait_until(lambda: api.application.services.in_flight_count == 0)
        received = 0
        with contextlib.suppress(ConnectionResetError):
            while data := client.recv(1_000_000):
                received += len(data)
        assert received < ROWS * WIDTH * len("0.123456789,")
    assert api.request("GET", "/v1/health/live").status_code == 200


def test_a_client_that_reads_nothing_of_a_file_is_cut_off_without_a_fault_in_the_log(make_api):
    api = make_api(client_stall_timeout_s=0.3)
    state = api.gateway.add_dataset(ADMIN)
    api.gateway.fill(state, [[1.0]])
    api.gateway.export.parts = [bytes(1_000_000)] * 40
    with lazy(api, f"/v1/dataset/download?uuid={state.uuid}&format=csv"):
        wait_until(lambda: api.application.services.in_flight_count == 1)
        wait_until(lambda: api.application.services.in_flight_count == 0)
        assert api.gateway.export.ended.wait(WAIT_S)
    assert api.gateway.export.taken_count < 40


def test_a_websocket_that_answers_no_ping_is_taken_for_gone(make_api):
    api = make_api(websocket_ping_interval_s=0.2)
    uuid = api.gateway.add_dataset(ADMIN, "csv", size_bytes=10).upload_uuids[0]
    with RawWebSocket(api.port) as client:
        assert client.handshake(api.token(), "file_upload", uuid)["success"]
        wait_until(lambda: not api.application.services.sockets)
        assert api.gateway.commands == []
