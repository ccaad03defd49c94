"""Training as a task of a server beside the same cycles computed again, and the cost of snapshots."""

import json
import os
import subprocess
import sys
import time
from datetime import UTC, datetime
from pathlib import Path

import demo_data

from benchmarks.server_figures import Row
from hanami_actors.compute import Network, decode_image, encode_image
from hanami_actors.eventlog.directory import DataDirectory
from hanami_actors.eventlog.snapshots import SnapshotStore
from hanami_actors.settings import defaults
from hanami_actors.types import StreamId
from tests.journey import Journey
from tests.server import KERNEL_CACHE_DIR, ServerProcess

__all__ = ["measure_training"]

ROOT = Path(__file__).resolve().parent.parent

EPOCHS = 100
RUNS = 3
SHARE_MIN = 0.9
SNAPSHOT_SHARE_MAX_PERCENT = 3.0


def measure_training(directory: Path) -> list[Row]:
    """Return all figures; starts a server."""
    directory.mkdir()
    data = demo_data.digits(directory)
    server = ServerProcess(directory / "data").start()
    try:
        user = Journey(server)
        dataset_uuid = user.upload(data.train.images, data.train.labels)
        for run in range(RUNS):
            cluster_uuid = user.create_cluster(f"bench_{run}", seed=7)
            user.finished(user.train(cluster_uuid, dataset_uuid, epochs=EPOCHS), cluster_uuid)
        server.terminate()
    finally:
        server.close()
    cycles = EPOCHS * data.train.count
    live = max(_live_per_s(server.data_dir, f"bench_{run}", cycles) for run in range(RUNS))
    again = max(_replayed_per_s(server.data_dir, f"bench_{run}") for run in range(RUNS))
    return [
        Row(name="cycles of a task of a server (8x8 digits)", value=live, unit="/s"),
        Row(name="the same cycles computed again by replay", value=again, unit="/s"),
        Row(name="in parts of the task", value=again / live, unit="", at_least=SHARE_MIN),
        *_snapshots(DataDirectory(server.data_dir)),
    ]


def _live_per_s(data_dir: Path, cluster: str, cycles: int) -> float:
    stream = json.loads(_hanami_log(data_dir, "replay", cluster))["stream"]
    records = _hanami_log(data_dir, "list", "--stream", stream, "--tag", "cluster.task_*")
    times = {}
    for line in records.splitlines():
        record = json.loads(line)
        times[record["tag"]] = datetime.fromisoformat(record["time"]).astimezone(UTC)
    elapsed = times["cluster.task_finished"] - times["cluster.task_started"]
    return cycles / elapsed.total_seconds()


def _replayed_per_s(data_dir: Path, cluster: str) -> float:
    shown = json.loads(_hanami_log(data_dir, "replay", cluster, "--from-start"))
    if shown["digest"] != shown["recorded_digest"]:
        raise SystemExit(f"bench: the replay of {cluster} came to another state")
    return float(shown["cycles_per_s"])


def _hanami_log(data_dir: Path, *words: str) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "hanami_actors.logtool.cli", *words, "--json"],
        env={
            **os.environ,
            "HANAMI_DATA_DIR": str(data_dir),
            "NUMBA_CACHE_DIR": str(KERNEL_CACHE_DIR),
        },
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
    )
    return done.stdout


def _snapshots(directory: DataDirectory) -> list[Row]:
    """Time a snapshot in its three parts: the copy, which training waits for, and the rest."""
    store = SnapshotStore(directory.snapshots)
    stream = next(StreamId(s) for s in store.streams() if s.startswith("cluster/"))
    network = Network.from_image(decode_image(store.load(stream, store.names(stream)[-1])))
    copy_s, rest_s = [], []
    for _ in range(RUNS):
        begin = time.perf_counter()
        image = network.image()
        copied = time.perf_counter()
        store.put(stream, "bench", encode_image(image))
        copy_s.append(copied - begin)
        rest_s.append(time.perf_counter() - copied)
    interval_s = defaults().snapshot_interval_s
    share = 100 * (min(copy_s) + min(rest_s)) / interval_s
    size = network.size_bytes() / 2**20
    return [
        Row(name=f"snapshot of {size:.1f} MiB: training waits", value=min(copy_s) * 1e3, unit="ms"),
        Row(name="digest, compression, write: another thread", value=min(rest_s) * 1e3, unit="ms"),
        Row(
            name=f"all of it, every {interval_s:g} s of training",
            value=share,
            unit="%",
            at_most=SNAPSHOT_SHARE_MAX_PERCENT,
        ),
    ]
