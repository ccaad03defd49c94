"""Measure direct IO over one websocket, and saving and loading a trained cluster.

scripts/bench direct [--mnist DIR] [--count N] [--json] [--docs]

Everything is local: one server on loopback and a new directory under /tmp. The client is one thread
of another process that sends bytes made beforehand. A window is how many steps or requests are on
the way at once; with 1 the next one is sent when the last one is answered. Beside it stands what the
machine allows at the same moment: the same bytes to and from a websocket that only echoes.

MNIST comes from --mnist or HANAMI_MNIST_DIR; without it the digits of scikit-learn are used, whose
64 values say little about pictures of 784.
"""

import argparse
import base64
import multiprocessing
import os
import socket
import statistics
import sys
import tempfile
import time
from collections.abc import Sequence
from itertools import accumulate
from pathlib import Path
from typing import NamedTuple

import demo_data
import httpx
import numpy as np

from benchmarks.ceilings import Nothing, server_of_nothing
from benchmarks.server_figures import Row, add_options, cpu_s, report
from tests.protocol.direct_client import (
    ACKNOWLEDGED,
    EXPECTED,
    TRAINED,
    DirectClient,
    message,
)
from tests.protocol.raw_clients import RawWebSocket
from tests.server import ServerProcess

TEMPLATE = """version: 1
settings:
    seed: 7
hexagons:
    1,1,1
    2,1,1
    3,1,1
inputs:
    picture: 1,1,1
outputs:
    label: 3,1,1
"""
CLASSES = 10
WARM_UP = 500
WINDOWS = (1, 4, 16)
MOMENTS = 30
SETTLE_S = 0.5  # snapshots follow their checkpoints
RECEIVE_SIZE_BYTES = 1 << 18
FRAME_HEAD_BYTES = 2  # of a short answer

REQUESTS_PER_S = 6000.0
STEPS_PER_S = 4500.0
P99_MS = 1.0


class Piece(NamedTuple):
    """What is sent at once, and how many bytes answer it."""

    frames: bytes
    answer_bytes: int


class Target(NamedTuple):
    """Where the load goes."""

    address: str
    token: str
    cluster: str
    pid: int


def main(argv: Sequence[str]) -> int:
    """Return 0; a missed target is shown, not punished."""
    parser = argparse.ArgumentParser(prog="scripts/bench direct", description=__doc__)
    named = os.environ.get("HANAMI_MNIST_DIR")
    parser.add_argument("--mnist", type=Path, metavar="DIR", default=Path(named) if named else None)
    parser.add_argument("--count", type=int, default=6000, help="steps and requests per window")
    add_options(parser)
    arguments = parser.parse_args(argv)
    with tempfile.TemporaryDirectory(prefix="hanami-bench-") as name:
        images, labels = _samples(Path(name), arguments.mnist)
        server = ServerProcess(Path(name) / "data")
        try:
            server.start()
            rows = _measure(server, images, labels, arguments.count)
            server.terminate()
        finally:
            server.close()
    report("direct", rows, arguments)
    return 0


def _samples(directory: Path, mnist: Path | None) -> tuple["np.ndarray", "np.ndarray"]:
    data = demo_data.mnist(mnist, directory) if mnist else demo_data.digits(directory)
    images = np.fromfile(data.train.images, np.uint8, offset=demo_data.IMAGES_HEADER.size)
    labels = np.frombuffer(data.train.read_labels(), np.uint8)
    return images.reshape(data.train.count, -1).astype(np.float32), labels


def _measure(
    server: ServerProcess, images: "np.ndarray", labels: "np.ndarray", count: int
) -> list[Row]:
    token = server.token()
    template = base64.b64encode(TEMPLATE.encode()).decode()
    rows = []
    headers = {"X-Auth-Token": token}
    with httpx.Client(base_url=server.address, headers=headers, timeout=60) as client:
        cluster = _call(client, "POST", "cluster", name="bench", template=template)
        target = Target(server.address, token, cluster, server.pid)
        _call(client, "PUT", "cluster/set_mode", uuid=cluster, new_state="DIRECT")
        # In a process of its own: this one reads what the server prints.
        with multiprocessing.get_context("spawn").Pool(1) as pool:
            for what, load, answers in LOADS:
                with server_of_nothing(b"", answers) as nothing:
                    for window in WINDOWS:
                        pieces = load(images, labels, WARM_UP + count)
                        ours = pool.apply(_run_load, (target, pieces, window))
                        echo = pool.apply(_run_echo, (nothing, pieces, window))
                        rows += _rows(what, window, ours, echo)
        _call(client, "PUT", "cluster/set_mode", uuid=cluster, new_state="TASK")
        return rows + _moments(client, target, images, labels)


Result = tuple[list[float], float, float]
"""Milliseconds of all answers, how long it took, and the server's processor time."""


def _rows(what: str, window: int, ours: Result, echo: Result) -> list[Row]:
    latencies_ms, took_s, used_s = ours
    name = f"{what}, window {window}"
    cuts = statistics.quantiles(latencies_ms, n=100)
    echo_cuts = statistics.quantiles(echo[0], n=100)
    targets = {"training step": STEPS_PER_S, "request": REQUESTS_PER_S}
    is_target = window == WINDOWS[1]
    return [
        Row(
            name=name,
            value=len(latencies_ms) / took_s,
            unit="/s",
            at_least=targets[what] if is_target else None,
        ),
        Row(name=f"{name}: p50", value=cuts[49], unit="ms"),
        Row(
            name=f"{name}: p99",
            value=cuts[98],
            unit="ms",
            at_most=P99_MS if window <= WINDOWS[1] else None,
        ),
        Row(name=f"{name}: processor", value=used_s / len(latencies_ms) * 1e6, unit="µs"),
        Row(name="beside it, an echo", value=len(echo[0]) / echo[1], unit="/s"),
        Row(name="beside it, an echo: p99", value=echo_cuts[98], unit="ms"),
    ]


def _training(images: "np.ndarray", labels: "np.ndarray", count: int) -> list[Piece]:
    """Make steps of two messages each."""
    size = 2 * FRAME_HEAD_BYTES + len(ACKNOWLEDGED) + len(TRAINED)
    targets = np.eye(CLASSES, dtype=np.float32)
    pieces = []
    for index in range(count):
        row = index % len(images)
        first = message("picture", images[row], last=False, train=True)
        second = message("label", targets[labels[row]], last=True, train=True, target=EXPECTED)
        pieces.append(Piece(_frame(first) + _frame(second), size))
    return pieces


def _requests(images: "np.ndarray", _labels: "np.ndarray", count: int) -> list[Piece]:
    """Make requests of one message each."""
    answer = message("label", [0.0] * CLASSES, last=False)
    size = FRAME_HEAD_BYTES + len(answer)
    return [
        Piece(_frame(message("picture", images[index % len(images)], last=True)), size)
        for index in range(count)
    ]


LOADS = (
    ("training step", _training, (ACKNOWLEDGED, TRAINED)),
    ("request", _requests, (message("label", [0.0] * CLASSES, last=False),)),
)
"""What is done, how its messages are made, and what answers them."""


def _frame(payload: bytes) -> bytes:
    """Return a masked frame; a mask of zeros leaves the payload as it is."""
    size = len(payload)
    short = size < 126
    head = [0x82, 0x80 | size] if short else [0x82, 0x80 | 126, size >> 8, size & 0xFF]
    return bytes(head) + bytes(4) + payload


def _run_load(target: Target, pieces: list[Piece], window: int) -> Result:
    with DirectClient(target.address, target.token, target.cluster) as client:
        assert client.answer["success"], client.answer
        return _run(client.socket.plain_socket, target.pid, pieces, window)


def _run_echo(nothing: Nothing, pieces: list[Piece], window: int) -> Result:
    with RawWebSocket(int(nothing.address.rpartition(":")[2]), "/socket") as client:
        return _run(client.plain_socket, nothing.pid, pieces, window)


def _run(plain: socket.socket, pid: int, pieces: list[Piece], window: int) -> Result:
    plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    _send_all(plain, pieces[:WARM_UP], window)
    before_s = cpu_s(pid)
    started_s = time.perf_counter()
    latencies_ms = _send_all(plain, pieces[WARM_UP:], window)
    took_s = time.perf_counter() - started_s
    return latencies_ms, took_s, cpu_s(pid) - before_s


def _send_all(plain: socket.socket, pieces: list[Piece], window: int) -> list[float]:
    ends = list(accumulate(piece.answer_bytes for piece in pieces))
    sent_s: list[float] = []
    latencies_ms: list[float] = []
    received = 0
    while len(latencies_ms) < len(pieces):
        while len(sent_s) < min(len(pieces), len(latencies_ms) + window):
            sent_s.append(time.perf_counter())
            plain.sendall(pieces[len(sent_s) - 1].frames)
        data = plain.recv(RECEIVE_SIZE_BYTES)
        assert data, "the server closed the connection"
        received += len(data)
        now_s = time.perf_counter()
        while len(latencies_ms) < len(sent_s) and ends[len(latencies_ms)] <= received:
            latencies_ms.append((now_s - sent_s[len(latencies_ms)]) * 1000)
    assert received == ends[-1], "an answer has another size"
    return latencies_ms


def _moments(
    client: httpx.Client, target: Target, images: "np.ndarray", labels: "np.ndarray"
) -> list[Row]:
    """Save a trained cluster at several moments, then load them."""
    took_ms: dict[str, list[float]] = {"save": [], "load": [], "first request": []}
    checkpoints = []
    for index in range(MOMENTS):
        _train_a_little(client, target, images[index], int(labels[index]))
        started_s = time.perf_counter()
        uuid = _call(
            client, "POST", "cluster/save", cluster_uuid=target.cluster, name=f"bench_{index}"
        )
        took_ms["save"].append((time.perf_counter() - started_s) * 1000)
        checkpoints.append(uuid)
    time.sleep(SETTLE_S)
    with DirectClient(target.address, target.token, target.cluster) as session:
        for index in range(MOMENTS):
            where = {"cluster_uuid": target.cluster, "checkpoint_uuid": checkpoints[index]}
            started_s = time.perf_counter()
            _call(client, "POST", "cluster/load", **where)
            took_ms["load"].append((time.perf_counter() - started_s) * 1000)
            started_s = time.perf_counter()
            session.request(images[index])
            took_ms["first request"].append((time.perf_counter() - started_s) * 1000)
    names = {
        "save": ("save", 15.0),
        "load": ("load, answered", 15.0),
        "first request": ("first request after a load", 60.0),
    }
    return [
        Row(name=f"{title}: {cut}", value=value, unit="ms", at_most=limit)
        for key, (title, at_most) in names.items()
        for cut, value, limit in (
            ("p50", statistics.median(took_ms[key]), at_most),
            ("worst", max(took_ms[key]), None),
        )
    ]


def _train_a_little(client: httpx.Client, target: Target, image: "np.ndarray", label: int) -> None:
    _call(client, "PUT", "cluster/set_mode", uuid=target.cluster, new_state="DIRECT")
    with DirectClient(target.address, target.token, target.cluster) as session:
        session.train(image, np.eye(CLASSES, dtype=np.float32)[label])
    _call(client, "PUT", "cluster/set_mode", uuid=target.cluster, new_state="TASK")


def _call(client: httpx.Client, method: str, path: str, **body: str) -> str:
    """Return the uuid in the answer."""
    answer = client.request(method, f"/v1/{path}", json=body)
    assert answer.status_code == 200, answer.text
    return str(answer.json().get("uuid", ""))


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
