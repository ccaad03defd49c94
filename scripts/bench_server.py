"""Measure the whole server: start, upload, training, memory, latency while it trains.

scripts/bench server [--mnist DIR] [--json]

Everything is local: one server per measurement on loopback and a new directory under /tmp.
"""

import argparse
import http.client
import json
import os
import platform
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from urllib.parse import urlsplit

import demo_data
from demo import TEMPLATE, link, memory_bytes

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from hanami_sdk import cluster, dataset, task  # noqa: E402
from tests.server import ServerProcess  # noqa: E402

RUNS = 3
LATENCY_BATCH = 20
LATENCY_BATCHES_MAX = 200
LATENCY_PAUSE_S = 0.002
DIGITS_EPOCHS = 200
MNIST_EPOCHS = 3
CLUSTERS = 20  # a list that is not empty


@dataclass(frozen=True, kw_only=True)
class Row:
    """One figure; the target is the one to stay within, None where there is none."""

    name: str
    value: float
    unit: str
    target: float | None = None


def main(argv: Sequence[str]) -> int:
    """Return 0; a missed target is shown, not punished."""
    parser = argparse.ArgumentParser(prog="scripts/bench server", description=__doc__)
    named = os.environ.get("HANAMI_MNIST_DIR")
    parser.add_argument("--mnist", type=Path, metavar="DIR", default=Path(named) if named else None)
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")
    arguments = parser.parse_args(argv)
    with tempfile.TemporaryDirectory(prefix="hanami-bench-") as name:
        rows = [*_start(Path(name)), *_work(Path(name), arguments.mnist)]
    machine = f"{platform.python_version()}, {len(os.sched_getaffinity(0))} cores"
    if arguments.json:
        print(json.dumps({"machine": machine, "rows": [asdict(row) for row in rows]}, indent=2))
        return 0
    print(f"Python {machine}")
    for row in rows:
        target = f"   target <= {row.target:g}" if row.target is not None else ""
        missed = "  MISSED" if row.target is not None and row.value > row.target else ""
        print(f"{row.name:<44} {row.value:10.3f} {row.unit:<4}{target}{missed}")
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
        Row(name=f"start to ready, best of {RUNS}", value=min(ready_s), unit="s", target=2.0),
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
            Row(name=f"{what}: upload + finalize", value=min(upload_s), unit="s", target=target),
        ]
        epochs = MNIST_EPOCHS if mnist_dir else DIGITS_EPOCHS
        rows += _train(server, token, dataset_uuid, epochs)
    return rows


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
    """One train task; the clusters beside it only make the list longer."""

    def __init__(self, server: ServerProcess, token: str, dataset_uuid: str, epochs: int) -> None:
        self._server = server
        self._token = token
        uuids = []
        for index in range(CLUSTERS):
            answer = cluster.create_cluster(token, server.address, f"bench_{index}", TEMPLATE)
            uuids.append(json.loads(answer)["uuid"])
        self._cluster_uuid = uuids[0]
        answer = task.create_train_task(
            token,
            server.address,
            "bench_train",
            self._cluster_uuid,
            [link(dataset_uuid, "picture")],
            [link(dataset_uuid, "label")],
            number_of_epochs=epochs,
        )
        self._task_uuid = json.loads(answer)["uuid"]
        self.cycles = 0

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
    started_s = time.perf_counter()
    training = _Training(server, token, dataset_uuid, epochs)
    latencies_ms = []
    for batch in _latency_batches(server, token):
        if not training.is_running():
            break  # the last calls may have been made after the end
        latencies_ms += batch
    while training.is_running():
        time.sleep(0.01)
    train_s = time.perf_counter() - started_s
    now_mb, peak_mb = (size_bytes / 1e6 for size_bytes in memory_bytes(server.pid))
    rows = [
        Row(name=f"training, {epochs} epochs, with calls", value=train_s, unit="s"),
        Row(name="cycles", value=training.cycles / train_s, unit="/s"),
        Row(name="server memory after training", value=now_mb, unit="MB", target=400.0),
        Row(name="server memory at most", value=peak_mb, unit="MB"),
        Row(name="GET cluster/all while training: calls", value=len(latencies_ms), unit=""),
    ]
    if len(latencies_ms) > 1:
        cuts = statistics.quantiles(latencies_ms, n=100)
        name = "GET cluster/all while training"
        rows.append(Row(name=f"{name}: p50", value=cuts[49], unit="ms"))
        rows.append(Row(name=f"{name}: p99", value=cuts[98], unit="ms", target=20.0))
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
