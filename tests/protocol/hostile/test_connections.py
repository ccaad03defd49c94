"""Goal: idle, slow and broken connections take no place for long, and too many are told so."""

import contextlib
import resource
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest

from tests.protocol.raw_clients import RawHttp, RawWebSocket
from tests.server import ServerProcess

COUNT_MAX = 20
LIVE = "/v1/health/live"
WAIT_S = 10.0


@pytest.fixture(scope="module")
def small_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    """Few connections, little patience."""
    process = ServerProcess(
        tmp_path_factory.mktemp("small") / "data",
        *("--connection-count-max", str(COUNT_MAX)),
        *("--connection-idle-timeout-s", "1"),
        *("--body-timeout-s", "1"),
    )
    try:
        yield process.start(wait_until_ready=False)
        assert process.terminate() == 0
        assert "Traceback" not in process.log
        assert " ERROR " not in process.log
    finally:
        process.close()


def port_of(server: ServerProcess) -> int:
    return int(server.address.rpartition(":")[2])


def wait_until(condition: Callable[[], bool]) -> None:
    for _ in range(1000):
        if condition():
            return
        threading.Event().wait(WAIT_S / 1000)
    raise AssertionError("it did not happen")


def is_served(server: ServerProcess) -> bool:
    """Whether a new client is answered; under a flood it may be closed without a word."""
    with contextlib.suppress(ConnectionError), RawHttp(port_of(server)) as client:
        return client.request("GET", LIVE)._file.readline().startswith(b"HTTP/1.1 200")
    return False


def test_a_connection_beyond_the_limit_is_told_so_and_there_is_room_again(small_server):
    wait_until(lambda: is_served(small_server))
    with ExitStack() as stack:
        for _ in range(COUNT_MAX):
            client = stack.enter_context(RawHttp(port_of(small_server)))
            assert client.request("GET", LIVE).answer()[0] == 200
        for _ in range(3):
            with RawHttp(port_of(small_server)) as refused:
                status, headers, body = refused.request("GET", LIVE).answer()
                assert status == 503
                assert headers["retry-after"] == "5"
                assert b"20 connections are open" in body
                assert refused.is_closed()
    wait_until(lambda: is_served(small_server))


def test_websockets_count_as_connections(small_server):
    wait_until(lambda: is_served(small_server))
    with ExitStack() as stack:
        for _ in range(COUNT_MAX):
            socket_ = stack.enter_context(RawWebSocket(port_of(small_server)))
            assert socket_.status == 101
        refused = stack.enter_context(RawHttp(port_of(small_server)))
        assert refused.request("GET", LIVE).answer()[0] == 503
    wait_until(lambda: is_served(small_server))


def test_a_flood_beyond_the_limit_is_closed_and_leaves_nothing(small_server):
    wait_until(lambda: is_served(small_server))
    with ExitStack() as stack:
        for _ in range(300):
            stack.enter_context(RawHttp(port_of(small_server)))
    wait_until(lambda: is_served(small_server))


@pytest.mark.parametrize(
    "beginning",
    [
        b"",
        b"G",
        b"GET / HTTP/1.1\r\n",
        b"GET / HTTP/1.1\r\nHost: test\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n",
        b"POST /v1/token HTTP/1.1\r\nContent-Length: 100\r\n\r\n{",
        b"POST /v1/token HTTP/1.1\r\nContent-Length: 1000000\r\n\r\n{",
        b"POST /v1/token HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n{",
    ],
    ids=["nothing", "a letter", "a line", "an upgrade", "a body", "a large body", "a chunk"],
)
def test_a_slow_beginning_is_ended(small_server, beginning):
    wait_until(lambda: is_served(small_server))
    with RawHttp(port_of(small_server)) as slow:
        slow.send(beginning)
        # The others do not wait for it.
        assert is_served(small_server)
        answer = b""
        with contextlib.suppress(ConnectionResetError):
            answer = slow._file.read()
        assert b"200" not in answer


def test_a_header_line_now_and_then_does_not_prolong_the_patience(small_server):
    wait_until(lambda: is_served(small_server))
    with RawHttp(port_of(small_server)) as slow:
        slow.send(b"GET / HTTP/1.1\r\n")
        with contextlib.suppress(ConnectionError):
            for number in range(500):
                slow.send(f"X-{number}: x\r\n".encode())
                threading.Event().wait(0.02)
            raise AssertionError("it may go on for ever")


def test_a_client_that_says_it_has_said_all_is_answered(small_server):
    wait_until(lambda: is_served(small_server))
    with RawHttp(port_of(small_server)) as half_open:
        half_open.request("GET", LIVE)
        half_open.socket.shutdown(socket.SHUT_WR)
        assert half_open.answer()[0] == 200
        assert half_open.is_closed()


@pytest.mark.parametrize(
    ("head", "status"),
    [
        (b"Content-Length: 99999999999999", 400),
        (b"Content-Length: -1", 400),
        (b"Content-Length: 1e3", 400),
        (b"Content-Length: 5\r\nContent-Length: 6", 400),
        (b"Content-Length: 5\r\nTransfer-Encoding: chunked", 400),
        (b"Transfer-Encoding: gzip", 400),
        (b"X: " + b"x" * 70_000, 400),
        (b"X" * 70_000, 400),
        (b"\r\n".join(b"X-%d: x" % number for number in range(20_000)), 400),
        (b"X: a\r\n b", 200),
        (b"X : a", 400),
        (b"X\0: a", 400),
        (b": a", 400),
    ],
    ids=lambda value: repr(value[:40]) if isinstance(value, bytes) else str(value),
)
def test_a_head_that_means_harm_is_refused_or_dropped(small_server, head, status):
    wait_until(lambda: is_served(small_server))
    with RawHttp(port_of(small_server)) as client:
        answer = b""
        with contextlib.suppress(ConnectionError):
            client.send(b"POST /v1/token HTTP/1.1\r\nHost: test\r\n" + head + b"\r\n\r\n")
            answer = client._file.readline()
        # Some are too bad for words; of those that are answered none does anything.
        assert answer == b"" or int(answer.split()[1]) in {status, 400}


def test_a_chunk_that_announces_more_than_there_is_memory_is_dropped(small_server):
    wait_until(lambda: is_served(small_server))
    with RawHttp(port_of(small_server)) as client:
        client.send(
            b"POST /v1/token HTTP/1.1\r\nHost: test\r\nTransfer-Encoding: chunked\r\n\r\n"
            b"FFFFFFFFFFFFFFFF\r\n{"
        )
        with contextlib.suppress(ConnectionResetError):
            assert b"200" not in client._file.read()
    wait_until(lambda: is_served(small_server))


def test_the_limit_of_open_files_is_raised_for_the_connections(tmp_path):
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard != resource.RLIM_INFINITY and hard < 5000:
        pytest.skip("the system allows too few open files")
    process = ServerProcess(tmp_path / "data", "--connection-count-max", "1000")
    resource.setrlimit(resource.RLIMIT_NOFILE, (256, hard))
    try:
        process.start(wait_until_ready=False)
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    try:
        with ExitStack() as stack:
            for _ in range(400):
                stack.enter_context(RawHttp(port_of(process)))
            assert is_served(process)
        assert process.terminate() == 0
    finally:
        process.close()


@pytest.mark.parametrize(
    ("soft", "hard", "wanted", "possible", "raised"),
    [
        (256, 9000, 1000, 1000, 2024),
        (256, 1500, 1000, 750, 1500),
        (256, 1000, 1000, 500, 1000),
        (5000, 9000, 1000, 1000, 5000),
    ],
)
def test_as_many_connections_are_taken_as_the_system_allows(soft, hard, wanted, possible, raised):
    code = (
        "import resource\n"
        "from hanami_actors.api.http.connections import raise_file_limit\n"
        f"resource.setrlimit(resource.RLIMIT_NOFILE, ({soft}, {hard}))\n"
        f"print(raise_file_limit({wanted}), resource.getrlimit(resource.RLIMIT_NOFILE)[0])\n"
    )
    answer = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True
    )
    assert answer.stdout.split() == [str(possible), str(raised)]
