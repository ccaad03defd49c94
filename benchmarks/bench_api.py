"""Measure the transport: lists on 1, 16 and 64 kept connections, logins, create and delete, idling.

scripts/bench api [--seconds S] [--idle-seconds S] [--json] [--docs]

Everything is local: one server on loopback and a new directory under /tmp. The access log is on. The
client is one thread of another process; on a busy machine the processor time of the server for each
request says more than the rate. Beside it stands what the machine allows at the same moment: an
empty handler of tornado with an answer of the same size, one fsync, one argon2 hash.
"""

import argparse
import multiprocessing
import selectors
import socket
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from urllib.parse import urlsplit

import httpx

from benchmarks.ceilings import fsync_ms, server_of_nothing
from benchmarks.server_figures import Row, add_options, cpu_s, report
from hanami_actors.api.login.passphrases import hash_passphrase
from tests.server import ADMIN_ID, ADMIN_PASSPHRASE, ServerProcess

CLUSTERS = 20  # a list that is not empty
WARM_UP_S = 0.5
LOGINS = 100
PAIRS = 100
RECEIVE_SIZE_BYTES = 1 << 18

HASHES = 20

LIST = "/v1.0alpha/cluster/all"
TARGETS_PER_S = {1: 2500.0, 16: 3600.0, 64: 3600.0}
SHARES = {1: 0.63, 16: 0.79, 64: 0.74}
"""What the targets are of an empty handler (3,975, 4,542, 4,857/s) where they were written."""

P99_TARGET_MS = 25.0


def main(argv: Sequence[str]) -> int:
    """Return 0; a missed target is shown, not punished."""
    parser = argparse.ArgumentParser(prog="scripts/bench api", description=__doc__)
    parser.add_argument("--seconds", type=float, default=3.0, help="for each number of connections")
    parser.add_argument("--idle-seconds", type=float, default=10.0, help="how long to idle")
    add_options(parser)
    arguments = parser.parse_args(argv)
    with tempfile.TemporaryDirectory(prefix="hanami-bench-") as name:
        server = ServerProcess(Path(name) / "data")
        try:
            server.start()
            rows = _measure(server, arguments.seconds, arguments.idle_seconds)
            server.terminate()
            rows += _machine_rows(Path(name))
        finally:
            server.close()
    report("api", rows, arguments)
    return 0


def _measure(server: ServerProcess, seconds: float, idle_seconds: float) -> list[Row]:
    token = server.token()
    rows = [_idle(server, idle_seconds)]
    for index in range(CLUSTERS):
        body = {"name": f"bench_{index}", "template": ""}
        answer = server.request("POST", "/v1/cluster", token=token, json=body)
        assert answer.status_code == 200, answer.text
    listed = server.request("GET", LIST, token=token).content
    with server_of_nothing(listed) as nothing:
        for count in TARGETS_PER_S:
            ours = _measured(server.address, token, count, seconds, server.pid)
            empty = _measured(nothing.address, token, count, seconds, nothing.pid)
            rows += _lists(count, ours, empty)
    rows += _logins(server)
    rows += _create_and_delete(server, token)
    return rows


def _machine_rows(directory: Path) -> list[Row]:
    """Return what nobody can do without: a write to the disk, a hash of a passphrase."""
    hashes_ms = []
    for _ in range(HASHES):
        started_s = time.perf_counter()
        hash_passphrase(ADMIN_PASSPHRASE)
        hashes_ms.append((time.perf_counter() - started_s) * 1000)
    return [
        Row(name="beside it, one argon2 hash: p50", value=statistics.median(hashes_ms), unit="ms"),
        Row(
            name="beside it, write and fsync of 4 KiB: p50",
            value=statistics.median(fsync_ms(directory)),
            unit="ms",
        ),
    ]


def _idle(server: ServerProcess, seconds: float) -> Row:
    before_s = cpu_s(server.pid)
    time.sleep(seconds)
    share = (cpu_s(server.pid) - before_s) / seconds
    return Row(name="idle: processor", value=100 * share, unit="%", at_most=1.0)


Load = tuple[list[float], float, float]
"""Milliseconds of all answers, how long it took, and the server's processor time."""


def _measured(where: str, token: str, count: int, seconds: float, pid: int) -> Load:
    address = urlsplit(where)
    head = f"GET {LIST} HTTP/1.1\r\nHost: {address.netloc}\r\nX-Auth-Token: {token}\r\n\r\n"
    target = (str(address.hostname), int(address.port or 80))
    # In a process of its own: this one reads what the server prints.
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        return pool.apply(_run_load, (target, head.encode(), count, seconds, pid))


def _lists(count: int, ours: Load, empty: Load) -> list[Row]:
    latencies_ms, took_s, used_s = ours
    cuts = statistics.quantiles(latencies_ms, n=100)
    name = f"GET cluster/all, {count} connection{'s' if count > 1 else ''}"
    rate, ceiling = len(latencies_ms) / took_s, len(empty[0]) / empty[1]
    return [
        Row(name=name, value=rate, unit="/s", at_least=TARGETS_PER_S[count]),
        Row(name=f"{name}: p50", value=cuts[49], unit="ms"),
        Row(name=f"{name}: p99", value=cuts[98], unit="ms", at_most=P99_TARGET_MS),
        Row(
            name=f"{name}: processor per request",
            value=used_s / len(latencies_ms) * 1e6,
            unit="µs",
        ),
        Row(name="beside it, an empty handler of tornado", value=ceiling, unit="/s"),
        Row(
            name="ours, in parts of the empty handler",
            value=rate / ceiling,
            unit="",
            at_least=SHARES[count],
        ),
    ]


def _run_load(
    target: tuple[str, int], request: bytes, count: int, seconds: float, pid: int
) -> Load:
    """Return milliseconds of all answers, how long it took, and the server's processor time."""
    load = _Load(target, request, count)
    load.run(WARM_UP_S)
    before_s = cpu_s(pid)
    latencies_ms, took_s = load.run(seconds)
    used_s = cpu_s(pid) - before_s
    load.close()
    return latencies_ms, took_s, used_s


class _Load:
    """Connections that each send the same request again as soon as it is answered."""

    def __init__(self, address: tuple[str, int], request: bytes, count: int) -> None:
        self._request = request
        self._selector = selectors.DefaultSelector()
        self._sockets = []
        for _ in range(count):
            connection = socket.create_connection(address)
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self._sockets.append(connection)
            self._selector.register(connection, selectors.EVENT_READ)
        self._size_bytes = self._answer_size()

    def run(self, seconds: float) -> tuple[list[float], float]:
        """Return the milliseconds of every answer, and how long all of it took."""
        sent_s = {}
        received = dict.fromkeys(self._sockets, 0)
        latencies_ms: list[float] = []
        begin_s = now_s = time.perf_counter()
        for connection in self._sockets:
            sent_s[connection] = now_s
            connection.sendall(self._request)
        waiting = len(self._sockets)
        while waiting:
            for key, _ in self._selector.select():
                assert isinstance(key.fileobj, socket.socket)
                connection = key.fileobj
                received[connection] += len(connection.recv(RECEIVE_SIZE_BYTES))
                if received[connection] < self._size_bytes:
                    continue
                received[connection] -= self._size_bytes
                now_s = time.perf_counter()
                latencies_ms.append((now_s - sent_s[connection]) * 1000)
                if now_s - begin_s < seconds:
                    sent_s[connection] = now_s
                    connection.sendall(self._request)
                else:
                    waiting -= 1
        return latencies_ms, time.perf_counter() - begin_s

    def close(self) -> None:
        """Close all connections."""
        self._selector.close()
        for connection in self._sockets:
            connection.close()

    def _answer_size(self) -> int:
        """Every answer is as long as the first one."""
        connection = self._sockets[0]
        connection.sendall(self._request)
        answer = b""
        while b"\r\n\r\n" not in answer:
            answer += connection.recv(RECEIVE_SIZE_BYTES)
        head, _, body = answer.partition(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 200"), head
        length = next(
            int(line.partition(b":")[2])
            for line in head.split(b"\r\n")
            if line.lower().startswith(b"content-length")
        )
        while len(body) < length:
            body += connection.recv(RECEIVE_SIZE_BYTES)
        return len(head) + 4 + length


def _logins(server: ServerProcess) -> list[Row]:
    body = {"id": ADMIN_ID, "password": ADMIN_PASSPHRASE}
    took_ms = list(_timed(server, LOGINS, [("POST", "/v1/token", body)], token=""))
    cuts = statistics.quantiles(took_ms, n=100)
    return [
        Row(name="login: p50", value=cuts[49], unit="ms", at_most=30.0),
        Row(name="login: p99", value=cuts[98], unit="ms"),
    ]


def _create_and_delete(server: ServerProcess, token: str) -> list[Row]:
    body = {"name": "bench_pair", "template": ""}
    calls = [("POST", "/v1/cluster", body), ("DELETE", "/v1/cluster?uuid={uuid}", {})]
    took_ms = list(_timed(server, PAIRS, calls, token=token))
    cuts = statistics.quantiles(took_ms, n=100)
    return [
        Row(name="cluster create + delete: p50", value=cuts[49], unit="ms", at_most=10.0),
        Row(name="cluster create + delete: p99", value=cuts[98], unit="ms"),
    ]


def _timed(
    server: ServerProcess, count: int, calls: list[tuple[str, str, dict[str, str]]], *, token: str
) -> Iterator[float]:
    """Yield the milliseconds of all calls together; the first may name the uuid of the others."""
    with httpx.Client(base_url=server.address, headers={"X-Auth-Token": token}) as client:
        for _ in range(count):
            uuid = ""
            started_s = time.perf_counter()
            for method, path, body in calls:
                where = {"json": body} if method == "POST" else {}
                answer = client.request(method, path.format(uuid=uuid), **where)  # type: ignore[arg-type]
                assert answer.status_code == 200, answer.text
                uuid = uuid or answer.json().get("uuid", "")
            yield (time.perf_counter() - started_s) * 1000


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
