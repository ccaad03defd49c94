"""Measure the transport: lists on 1, 16 and 64 kept connections, logins, create and delete, idling.

scripts/bench api [--seconds S] [--idle-seconds S] [--json]

Everything is local: one server on loopback and a new directory under /tmp. The access log is on. The
client is one thread of another process; on a busy machine the processor time of the server for each
request says more than the rate.
"""

import argparse
import json
import multiprocessing
import os
import platform
import selectors
import socket
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from urllib.parse import urlsplit

import httpx

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from tests.server import ADMIN_ID, ADMIN_PASSPHRASE, ServerProcess  # noqa: E402

CLUSTERS = 20  # a list that is not empty
WARM_UP_S = 0.5
LOGINS = 100
PAIRS = 100
RECEIVE_SIZE_BYTES = 1 << 18

LIST = "/v1.0alpha/cluster/all"
TARGETS_PER_S = {1: 2500.0, 16: 3600.0, 64: 3600.0}
P99_TARGET_MS = 25.0


@dataclass(frozen=True, kw_only=True)
class Row:
    """One figure and where it should be, if anywhere."""

    name: str
    value: float
    unit: str
    at_least: float | None = None
    at_most: float | None = None

    @property
    def missed(self) -> bool:
        """Whether it is on the wrong side of its target."""
        too_low = self.at_least is not None and self.value < self.at_least
        return too_low or (self.at_most is not None and self.value > self.at_most)


def main(argv: Sequence[str]) -> int:
    """Return 0; a missed target is shown, not punished."""
    parser = argparse.ArgumentParser(prog="scripts/bench api", description=__doc__)
    parser.add_argument("--seconds", type=float, default=3.0, help="for each number of connections")
    parser.add_argument("--idle-seconds", type=float, default=10.0, help="how long to idle")
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")
    arguments = parser.parse_args(argv)
    with tempfile.TemporaryDirectory(prefix="hanami-bench-") as name:
        server = ServerProcess(Path(name) / "data")
        try:
            server.start()
            rows = _measure(server, arguments.seconds, arguments.idle_seconds)
            server.terminate()
        finally:
            server.close()
    load = ", ".join(f"{value:.1f}" for value in os.getloadavg())
    cores = len(os.sched_getaffinity(0))
    machine = f"{platform.python_version()}, {cores} cores, load {load}"
    if arguments.json:
        print(json.dumps({"machine": machine, "rows": [asdict(row) for row in rows]}, indent=2))
        return 0
    print(f"Python {machine}")
    for row in rows:
        target = f"   target >= {row.at_least:g}" if row.at_least is not None else ""
        target += f"   target <= {row.at_most:g}" if row.at_most is not None else ""
        missed = "  MISSED" if row.missed else ""
        print(f"{row.name:<52} {row.value:10.3f} {row.unit:<4}{target}{missed}")
    return 0


def _measure(server: ServerProcess, seconds: float, idle_seconds: float) -> list[Row]:
    token = server.token()
    rows = [_idle(server, idle_seconds)]
    for index in range(CLUSTERS):
        body = {"name": f"bench_{index}", "template": ""}
        answer = server.request("POST", "/v1/cluster", token=token, json=body)
        assert answer.status_code == 200, answer.text
    for count in TARGETS_PER_S:
        rows += _lists(server, token, count, seconds)
    rows += _logins(server)
    rows += _create_and_delete(server, token)
    return rows


def _idle(server: ServerProcess, seconds: float) -> Row:
    before_s = _cpu_s(server.pid)
    time.sleep(seconds)
    share = (_cpu_s(server.pid) - before_s) / seconds
    return Row(name="idle: processor", value=100 * share, unit="%", at_most=1.0)


def _lists(server: ServerProcess, token: str, count: int, seconds: float) -> list[Row]:
    address = urlsplit(server.address)
    head = f"GET {LIST} HTTP/1.1\r\nHost: {address.netloc}\r\nX-Auth-Token: {token}\r\n\r\n"
    target = (str(address.hostname), int(address.port or 80))
    # In a process of its own: this one reads what the server prints.
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        arguments = (target, head.encode(), count, seconds, server.pid)
        latencies_ms, took_s, cpu_s = pool.apply(_run_load, arguments)
    cpu_us = cpu_s / len(latencies_ms) * 1e6
    cuts = statistics.quantiles(latencies_ms, n=100)
    name = f"GET cluster/all, {count} connections"
    return [
        Row(
            name=name,
            value=len(latencies_ms) / took_s,
            unit="/s",
            at_least=TARGETS_PER_S[count],
        ),
        Row(name=f"{name}: p50", value=cuts[49], unit="ms"),
        Row(name=f"{name}: p99", value=cuts[98], unit="ms", at_most=P99_TARGET_MS),
        Row(name=f"{name}: processor per request", value=cpu_us, unit="us"),
    ]


def _run_load(
    target: tuple[str, int], request: bytes, count: int, seconds: float, pid: int
) -> tuple[list[float], float, float]:
    """Return milliseconds of all answers, how long it took, and the server's processor time."""
    load = _Load(target, request, count)
    load.run(WARM_UP_S)
    before_s = _cpu_s(pid)
    latencies_ms, took_s = load.run(seconds)
    cpu_s = _cpu_s(pid) - before_s
    load.close()
    return latencies_ms, took_s, cpu_s


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


def _cpu_s(pid: int) -> float:
    """Return the processor time of a process and all its threads."""
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(") ")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
