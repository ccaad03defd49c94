"""Measure the whole server: start, upload, training, memory, latency while it trains.

scripts/bench server [--mnist DIR] [--json] [--docs]

Everything is local: one server per measurement on loopback and a new directory under /tmp. Beside the
training as a task stands the same training in a process without a server.
"""

import argparse
import http.client
import json
import multiprocessing
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import demo_data
import numpy as np
from demo import TEMPLATE, link, memory_bytes

from benchmarks.server_figures import Row, add_options, report
from hanami_actors.compute import Network, warm_up
from hanami_actors.domain.cluster.template_parser import parse_template
from hanami_actors.replay.segment_data import network_spec
from hanami_sdk import cluster, dataset, task
from tests.server import ServerProcess

RUNS = 3
LATENCY_BATCH = 20
LATENCY_BATCHES_MAX = 200
LATENCY_PAUSE_S = 0.002
DIGITS_EPOCHS = 200
MNIST_EPOCHS = 3
CLUSTERS = 20  # a list that is not empty
CLASSES = 10
POLL_S = 0.1  # asking more often takes from the core beside the one that trains
TASK_SHARE_MAX = 1.15


def main(argv: Sequence[str]) -> int:
    """Return 0; a missed target is shown, not punished."""
    parser = argparse.ArgumentParser(prog="scripts/bench server", description=__doc__)
    named = os.environ.get("HANAMI_MNIST_DIR")
    parser.add_argument("--mnist", type=Path, metavar="DIR", default=Path(named) if named else None)
    add_options(parser)
    arguments = parser.parse_args(argv)
    with tempfile.TemporaryDirectory(prefix="hanami-bench-") as name:
        rows = [*_start(Path(name)), *_work(Path(name), arguments.mnist)]
    report("server", rows, arguments)
    return 0


@contextmanager
def _running(data_dir: Path) -> Iterator[ServerProcess]:
    server = ServerProcess(data_dir)
    try:
        yield server.start()
        server.terminate()
    finally:
        server.close()


def _start(directory: Path) -> list[Row]:
    with _running(directory / "warm-up"):
        pass  # compiles the kernels if nobody has yet
    live_s, ready_s = [], []
    for run in range(RUNS):
        server = ServerProcess(directory / f"start-{run}")
        started_s = time.perf_counter()
        try:
            server.start(wait_until_ready=False)
            assert server.request("GET", "/v1/health/live").status_code == 200
            live_s.append(time.perf_counter() - started_s)
            server.wait_until_ready()
            ready_s.append(time.perf_counter() - started_s)
            server.terminate()
        finally:
            server.close()
    return [
        Row(name=f"start to live, best of {RUNS}", value=min(live_s), unit="s"),
        Row(name=f"start to ready, best of {RUNS}", value=min(ready_s), unit="s", at_most=2.0),
    ]


def _work(directory: Path, mnist_dir: Path | None) -> list[Row]:
    files = directory / "files"
    files.mkdir()
    data = demo_data.mnist(mnist_dir, files) if mnist_dir else demo_data.digits(files)
    what = "MNIST" if mnist_dir else "digits (no --mnist)"
    with _running(directory / "work") as server:
        token = server.token()
        rows = []
        upload_s, dataset_uuid = [], ""
        for run in range(RUNS):
            started_s = time.perf_counter()
            dataset_uuid = dataset.upload_mnist_files(
                token, server.address, f"bench_{run}", data.train.images, data.train.labels
            )
            upload_s.append(time.perf_counter() - started_s)
        target = 0.4 if mnist_dir else None
        rows += [
            _write_floor(directory, data.train),
            Row(name=f"{what}: upload + finalize", value=min(upload_s), unit="s", at_most=target),
        ]
        epochs = MNIST_EPOCHS if mnist_dir else DIGITS_EPOCHS
        rows += _train(server, token, dataset_uuid, epochs)
        task_s = [
            _train_undisturbed(server, token, dataset_uuid, epochs, run) for run in range(RUNS)
        ]
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        alone_s = [pool.apply(_train_alone, (data.train, epochs)) for _ in range(RUNS)]
    share = min(task_s) / min(alone_s)
    return [
        *rows,
        Row(
            name=f"training as a task, {epochs} epochs, best of {RUNS}", value=min(task_s), unit="s"
        ),
        Row(name="beside it, the same without a server", value=min(alone_s), unit="s"),
        Row(name="the task, in parts of it", value=share, unit="", at_most=TASK_SHARE_MAX),
    ]


def _train_undisturbed(
    server: ServerProcess, token: str, dataset_uuid: str, epochs: int, run: int
) -> float:
    """Return the seconds from the creation of a task to its end."""
    training = _Training(server, token, dataset_uuid, epochs, f"undisturbed_{run}")
    started_s = time.perf_counter()
    training.begin()
    while training.is_running():
        time.sleep(POLL_S)
    return time.perf_counter() - started_s


def _train_alone(part: demo_data.Part, epochs: int) -> float:
    """Return the seconds that the same training takes in a process of its own."""
    images = np.fromfile(part.images, np.uint8, offset=demo_data.IMAGES_HEADER.size)
    images = images.reshape(part.count, -1)
    targets = np.eye(CLASSES, dtype=np.uint8)[np.frombuffer(part.read_labels(), np.uint8)]
    warm_up()
    network = Network.create(network_spec(parse_template(TEMPLATE), 1))
    network.size({"picture": images.shape[1]}, {"label": CLASSES})
    started_s = time.perf_counter()
    for _ in range(epochs):
        network.train([("picture", images)], [("label", targets)], 0, part.count)
    return time.perf_counter() - started_s


def _write_floor(directory: Path, part: demo_data.Part) -> Row:
    """Time what no server can avoid: the same bytes written and synced."""
    content = part.images.read_bytes() + part.labels.read_bytes()
    started_s = time.perf_counter()
    with (directory / "floor").open("wb") as file:
        file.write(content)
        os.fsync(file.fileno())
    return Row(
        name="the same bytes: write + fsync", value=time.perf_counter() - started_s, unit="s"
    )


class _Training:
    """One train task on a cluster of its own."""

    def __init__(
        self, server: ServerProcess, token: str, dataset_uuid: str, epochs: int, name: str
    ) -> None:
        self._server = server
        self._token = token
        self._dataset_uuid = dataset_uuid
        self._epochs = epochs
        answer = cluster.create_cluster(token, server.address, name, TEMPLATE)
        self._cluster_uuid = json.loads(answer)["uuid"]
        self._task_uuid = ""
        self.cycles = 0

    def begin(self) -> None:
        """Create the task."""
        answer = task.create_train_task(
            self._token,
            self._server.address,
            "bench_train",
            self._cluster_uuid,
            [link(self._dataset_uuid, "picture")],
            [link(self._dataset_uuid, "label")],
            number_of_epochs=self._epochs,
        )
        self._task_uuid = json.loads(answer)["uuid"]

    def is_running(self) -> bool:
        """Ask the server; the task has to end as finished."""
        answer = task.get_task(
            self._token, self._server.address, self._task_uuid, self._cluster_uuid
        )
        row = json.loads(answer)
        self.cycles = row["current_cycle"]
        if row["state"] in ("queued", "active"):
            return True
        if row["state"] != "finished":
            raise SystemExit(f"bench: the task did not finish: {row}")
        return False


def _train(server: ServerProcess, token: str, dataset_uuid: str, epochs: int) -> list[Row]:
    for index in range(CLUSTERS):
        cluster.create_cluster(token, server.address, f"bench_{index}", TEMPLATE)
    training = _Training(server, token, dataset_uuid, epochs, "bench_train")
    started_s = time.perf_counter()
    training.begin()
    latencies_ms = []
    for batch in _latency_batches(server, token):
        if not training.is_running():
            break  # the last calls may have been made after the end
        latencies_ms += batch
    while training.is_running():
        time.sleep(POLL_S)
    train_s = time.perf_counter() - started_s
    now_mb, peak_mb = (size_bytes / 1e6 for size_bytes in memory_bytes(server.pid))
    rows = [
        Row(name=f"training, {epochs} epochs, with calls", value=train_s, unit="s"),
        Row(name="cycles", value=training.cycles / train_s, unit="/s"),
        Row(name="server memory after training", value=now_mb, unit="MB", at_most=400.0),
        Row(name="server memory at most", value=peak_mb, unit="MB"),
        Row(name="GET cluster/all while training: calls", value=len(latencies_ms), unit=""),
    ]
    if len(latencies_ms) > 1:
        cuts = statistics.quantiles(latencies_ms, n=100)
        name = "GET cluster/all while training"
        rows.append(Row(name=f"{name}: p50", value=cuts[49], unit="ms"))
        rows.append(Row(name=f"{name}: p99", value=cuts[98], unit="ms", at_most=20.0))
    return rows


def _latency_batches(server: ServerProcess, token: str) -> Iterator[list[float]]:
    """Yield the milliseconds of calls on one connection that stays open, in small batches."""
    connection = http.client.HTTPConnection(urlsplit(server.address).netloc, timeout=30)
    for _ in range(LATENCY_BATCHES_MAX):
        batch = []
        for _ in range(LATENCY_BATCH):
            started_s = time.perf_counter()
            connection.request("GET", "/v1.0alpha/cluster/all", headers={"X-Auth-Token": token})
            answer = connection.getresponse()
            answer.read()
            batch.append((time.perf_counter() - started_s) * 1000)
            if answer.status != 200:
                raise SystemExit(f"bench: GET cluster/all answered {answer.status}")
            time.sleep(LATENCY_PAUSE_S)
        yield batch
    connection.close()


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
