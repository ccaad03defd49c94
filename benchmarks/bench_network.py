"""Measure the growing network alone: accuracy, seconds, calls, robustness, memory, two cores.

    scripts/bench network [--mnist DIR] [--seeds 5] [--json FILE] [--docs] [--plot FILE.svg]

Without MNIST the 1,797 digits of scikit-learn are used. Everything runs on one core except the
last two lines. Seconds are processor time, the least over the seeds; accuracy is the mean over the
seeds. The test set is only looked at here: hyper-parameters are chosen on a split of the training
set. scikit-learn and PyTorch are measured beside it where they are installed.
"""

import argparse
import json
import os
import platform
import time
from pathlib import Path
from typing import Any

# First: it says how many threads NumPy may use.
from benchmarks.network_data import Images, Row, load_images, make_network, one_hot, summary  # isort: skip

import numpy as np
from numpy.typing import NDArray

from benchmarks.network_cores import bench_cores
from benchmarks.network_peers import bench_peers
from benchmarks.network_plot import plot_learning
from hanami_actors.compute import KERNEL_VERSION, Network, Sparse, encode_image, warm_up

PERFORMANCE = Path(__file__).parents[1] / "docs" / "performance.md"
BEGIN, END = "<!-- network: written by scripts/bench network --docs -->\n", "<!-- end -->\n"
BATCH_CALLS = 50
MIB = 1 << 20


def accuracy(network: Network, x: NDArray[Any], labels: NDArray[Any]) -> tuple[float, float]:
    """Return (percent right, seconds of the request)."""
    results = np.zeros((len(x), 10), np.float32)
    began = time.process_time()
    network.request([("x", x)], ["y"], 0, len(x), results=[results])
    seconds = time.process_time() - began
    return 100 * float((results.argmax(1) == labels).mean()), seconds


def bench_images(images: Images, seeds: int) -> list[Row]:
    """Train one epoch per seed and test, with the settings that have figures to reach."""
    cases: dict[str, tuple[dict[str, Any], tuple[float, float] | None]] = {
        "defaults": ({}, (98.2, 1.0)),
        "without memory": ({"replay_memory": 0}, (97.2, 0.6)),
        "up to 4 blocks": ({"hidden_blocks_max": 4}, (98.35, 1.8)),
        "with reduction": ({"enable_reduction": True}, None),
    }
    targets = one_hot(images.labels)
    rows = []
    for what, (settings, goal) in cases.items():
        scores, seconds, asked = [], [], []
        network = make_network(images.x.shape[1], 10, 0, **settings)
        for seed in range(1, seeds + 1):
            network = make_network(images.x.shape[1], 10, seed, **settings)
            began = time.process_time()
            network.train([("x", images.x)], [("y", targets)], 0, len(images.x))
            seconds.append(time.process_time() - began)
            score, request = accuracy(network, images.x_test, images.labels_test)
            scores.append(score)
            asked.append(request)
        metrics = network.metrics()
        note = f"{metrics['blocks']} blocks, {metrics['sections']} sections"
        row = summary(f"{images.name}, {what}", scores, "%", seconds=seconds, note=note)
        if goal and images.name == "MNIST":
            met = round(float(np.mean(scores)), 2) >= goal[0] and min(seconds) <= goal[1]
            row = row._replace(target=f"≥ {goal[0]} % in ≤ {goal[1]} s", is_met=met)
        rows.append(row)
        if what == "defaults":
            rows += _sizes(network, images, min(asked))
    return rows


def _sizes(network: Network, images: Images, asked_s: float) -> list[Row]:
    """Return rows about requests, memory and snapshot of a trained network."""
    size = network.size_bytes() / MIB
    snapshot = len(encode_image(network.image())) / MIB
    count = len(images.x_test)
    return [
        Row(f"requests of {count:,} rows", asked_s, "s", None, None, "≤ 0.09", asked_s <= 0.09),
        Row("memory, replay memory included", size, "MiB", None, None, "≤ 20", size <= 20),
        Row("snapshot", snapshot, "MiB", None, None, "≤ 8", snapshot <= 8),
    ]


def bench_steps(seeds: int) -> Row:
    """Train the CSV example: five constants over time, each with an answer of its own."""
    x = np.repeat(np.array([0, 80, 30, 10, 0], np.float32), 100)[:, None].copy()
    y = np.repeat(np.array([0, 1, 0.5, 0.75, 0], np.float32), 100)[:, None].copy()
    errors, seconds = [], []
    for seed in range(1, seeds + 1):
        network = make_network(25, 1, seed)
        began = time.process_time()
        for _ in range(100):
            network.train([("x", x)], [("y", y)], 0, 476, time_length=25)
        seconds.append(time.process_time() - began)
        results = np.zeros((476, 1), np.float32)
        network.request([("x", x)], ["y"], 0, 476, time_length=25, results=[results])
        errors.append(float(np.abs(results - y[:476]).mean()))
    target = ("≤ 0.002", 0.0, 0.002)
    return summary("CSV steps, 100 epochs: mean error", errors, "", seconds=seconds, target=target)


def bench_sensor(seeds: int) -> Row:
    """Predict the next value of a noisy series from 20 past ones; compare with least squares."""
    t = np.arange(9020)
    noise = 0.02 * np.random.default_rng(0).normal(size=len(t))
    series = (0.5 + 0.2 * np.sin(0.1 * t) + 0.2 * np.sin(0.2404 * t) + noise).astype(np.float32)
    past = np.lib.stride_tricks.sliding_window_view(series, 20)[:9000].copy()
    following = series[20:9020, None].copy()
    terms = np.pad(past, ((0, 0), (0, 1)), constant_values=1)
    best = terms @ np.linalg.lstsq(terms, following, rcond=None)[0]
    floor = float(np.sqrt(((best - following) ** 2).mean()))
    ratios, seconds = [], []
    for seed in range(1, seeds + 1):
        network = make_network(20, 1, seed)
        began = time.process_time()
        for _ in range(3):
            network.train([("x", past)], [("y", following)], 0, 9000)
        seconds.append(time.process_time() - began)
        results = np.zeros((9000, 1), np.float32)
        network.request([("x", past)], ["y"], 0, 9000, results=[results])
        ratios.append(float(np.sqrt(((results - following) ** 2).mean())) / floor)
    return summary(
        "sensor, 3 epochs: error / least squares",
        ratios,
        "",
        seconds=seconds,
        target=("≤ 1.1", 0.0, 1.1),
    )


def bench_robustness(images: Images, seeds: int) -> list[Row]:
    """Train a part of the data scaled, or with one sample of nonsense, or class after class."""
    count = min(20_000, len(images.x))
    targets = one_hot(images.labels)[:count]
    wrong: dict[str, tuple[float, float | None]] = {
        "as they are": (1.0, None),
        "times 1e-20": (1e-20, None),
        "times 1e6": (1e6, None),
        "one sample of 1e9": (1.0, 1e9),
        "one sample of inf": (1.0, np.inf),
        "one sample of NaN": (1.0, np.nan),
    }
    rows: list[Row] = []
    for what, (scale, value) in wrong.items():
        x = images.x[:count] * np.float32(scale)
        if value is not None:
            x[count // 4] = value
        test = images.x_test * np.float32(scale)
        scores = [_trained_score(x, targets, test, images, seed) for seed in range(1, seeds + 1)]
        row = summary(f"{count:,} images {what}", scores, "%")
        if rows and rows[0].value is not None and images.name == "MNIST":
            low = rows[0].value - 0.2
            row = row._replace(target=f"≥ {low:.2f}", is_met=float(np.mean(scores)) >= low)
        rows.append(row)
    order = np.argsort(images.labels[:count], kind="stable")
    x = images.x[:count][order].copy()
    scores = [
        _trained_score(x, targets[order], images.x_test, images, seed)
        for seed in range(1, seeds + 1)
    ]
    return [*rows, summary(f"{count:,} images sorted by class", scores, "%")]


def _trained_score(
    x: NDArray[Any], targets: NDArray[Any], test: NDArray[Any], images: Images, seed: int
) -> float:
    network = make_network(x.shape[1], 10, seed)
    network.train([("x", x)], [("y", targets)], 0, len(x))
    return accuracy(network, test, images.labels_test)[0]


def _microseconds(call: Any, count: int) -> float:
    """Return the time of a call, from the best of several runs of every batch of calls."""
    batches = range(0, count - BATCH_CALLS + 1, BATCH_CALLS)
    best = np.full(len(batches), np.inf)
    for _ in range(9):
        for number, first in enumerate(batches):
            began = time.perf_counter()
            for row in range(first, first + BATCH_CALLS):
                call(row)
            best[number] = min(best[number], time.perf_counter() - began)
    return float(1e6 * best.sum() / (len(batches) * BATCH_CALLS))


def bench_calls(images: Images) -> list[Row]:
    """Time single calls from Python."""
    count = min(2000, len(images.x))
    network = make_network(images.x.shape[1], 10, 1)
    targets = one_hot(images.labels)
    network.train([("x", images.x)], [("y", targets)], 0, len(images.x))
    vectors = images.x[:count].astype(np.float32)
    train = _microseconds(
        lambda row: network.train_one({"x": vectors[row]}, {"y": targets[row]}), count
    )
    ask = _microseconds(lambda row: network.request_one({"x": vectors[row]}), count)
    wide = make_network(10_000, 10, 1)
    chosen = np.random.default_rng(0).permutation(10_000)[: 100 * 20].reshape(20, 100)
    pairs = [Sparse(np.sort(p).astype(np.int32), np.ones(100, np.float32)) for p in chosen]
    dense = np.zeros((20, 10_000), np.float32)
    for row, (indices, values) in enumerate(pairs):
        dense[row, indices] = values
        wide.train_one({"x": dense[row]}, {"y": targets[row]})
    as_vector = _microseconds(lambda row: wide.request_one({"x": dense[row % 20]}), 200)
    as_pairs = _microseconds(lambda row: wide.request_one({"x": pairs[row % 20]}), 200)
    return [
        Row("a train call from Python", train, "µs", None, None, "≤ 15", train <= 15),
        Row("a request call from Python", ask, "µs", None, None, "≤ 10", ask <= 10),
        Row("a request, 10,000 inputs, 100 not 0", as_vector, "µs", note="as a vector"),
        Row("a request, 10,000 inputs, 100 not 0", as_pairs, "µs", note="as sparse pairs"),
    ]


def machine() -> str:
    """Name the processor and the versions."""
    lines = Path("/proc/cpuinfo").read_text().splitlines() if Path("/proc/cpuinfo").exists() else []
    named = next((x.split(":", 1)[1].strip() for x in lines if x.startswith("model name")), "")
    cores = len(os.sched_getaffinity(0))
    return (
        f"{named or platform.machine()}, {cores} cores, Python {platform.python_version()}, "
        f"kernel version {KERNEL_VERSION}"
    )


def cells(row: Row) -> list[str]:
    """Return the texts of a row."""
    value = "" if row.value is None else f"{row.value:.2f}" if row.unit else f"{row.value:.4g}"
    if row.unit == "s":
        value = f"{row.value:.3f}"
    deviation = "" if row.deviation is None else f" ± {row.deviation:.2g}"
    seconds = "" if row.seconds is None else f"{row.seconds:.2f} s"
    met = {None: "", True: "met", False: "MISSED"}[row.is_met]
    return [row.what, f"{value}{deviation} {row.unit}".strip(), seconds, row.target, met, row.note]


def write_docs(named: str, rows: list[Row]) -> None:
    """Replace the table in docs/performance.md."""
    table = ["| what | result | training | to reach | | |", "| --- | --- | --- | --- | --- | --- |"]
    table += ["| " + " | ".join(cells(row)) + " |" for row in rows]
    text = PERFORMANCE.read_text()
    before, _, rest = text.partition(BEGIN)
    _, _, after = rest.partition(END)
    lines = "\n".join([named + ".", "", *table])
    PERFORMANCE.write_text(f"{before}{BEGIN}\n{lines}\n\n{END}{after}")


def main() -> None:
    """Measure, print a table, write what is asked for."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--mnist", type=Path, default=os.environ.get("HANAMI_MNIST_DIR") or None)
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--json", type=Path, metavar="FILE")
    parser.add_argument(
        "--docs", action="store_true", help="write the table to docs/performance.md"
    )
    parser.add_argument(
        "--plot", type=Path, metavar="FILE", help="only draw a learning curve, .svg or .png"
    )
    options = parser.parse_args()
    mnist = Path(options.mnist) if options.mnist else None
    images = load_images(mnist)
    named = machine()
    warm_up()
    if options.plot:
        plot_learning(images, options.plot)
        return
    all_cores = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {max(all_cores)})
    rows = [
        *bench_images(images, options.seeds),
        *bench_peers(images, options.seeds),
        bench_steps(options.seeds),
        bench_sensor(options.seeds),
        *bench_robustness(images, min(options.seeds, 3)),
        *bench_calls(images),
    ]
    os.sched_setaffinity(0, all_cores)
    rows += bench_cores(images, mnist)
    print(named)
    widths = [max(len(cells(row)[q]) for row in rows) for q in range(6)]
    for row in rows:
        print("  ".join(text.ljust(width) for text, width in zip(cells(row), widths, strict=True)))
    if options.json:
        found = {"machine": named, "rows": [row._asdict() for row in rows]}
        options.json.write_text(json.dumps(found, indent=2) + "\n")
    if options.docs:
        write_docs(named, rows)


if __name__ == "__main__":
    main()
