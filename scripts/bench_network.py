"""Measure the growing network alone: accuracy, seconds, calls, robustness, memory.

    scripts/bench network [--mnist DIR] [--seeds 5] [--json FILE] [--peers]

Without MNIST the 1,797 digits of scikit-learn are used. Everything runs on one core except the
last line (two networks on two threads). Seconds are processor time, the minimum over the seeds;
accuracy is the mean over the seeds. The test set is only looked at here: hyper-parameters are
chosen on a split of the training set.
"""

import argparse
import gzip
import json
import os
import platform
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

for threads in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(threads, "1")  # before NumPy is imported

import numpy as np  # noqa: E402
from numpy.typing import NDArray  # noqa: E402

from hanami_actors.compute import Network, NetworkSpec, encode_image, warm_up  # noqa: E402

if TYPE_CHECKING:
    from collections.abc import Callable

Floats = NDArray[np.float32]

DEFAULTS: dict[str, Any] = {
    "enable_reduction": False,
    "hidden_blocks_max": 2,
    "input_levels": 0,
    "max_connection_distance": 1,
    "neuron_cooldown": 1e9,
    "refractory_time": 1,
    "replay_memory": 4000,
    "replay_memory_bytes": 16 << 20,
    "replays_per_cycle": 1,
}


class Images(NamedTuple):
    """Labelled images, split."""

    name: str
    x: NDArray[Any]
    labels: NDArray[Any]
    x_test: NDArray[Any]
    labels_test: NDArray[Any]


class Row(NamedTuple):
    """One line of the table; None where it has no meaning."""

    what: str
    score: float | None
    deviation: float | None
    seconds: float | None
    note: str


def read_idx(directory: Path, name: str) -> NDArray[Any]:
    """Return an IDX file, plain or .gz."""
    plain = directory / name
    if plain.exists():
        data = plain.read_bytes()
    else:
        data = gzip.decompress((directory / f"{name}.gz").read_bytes())
    shape = [int.from_bytes(data[4 + 4 * q : 8 + 4 * q], "big") for q in range(data[3])]
    return np.frombuffer(data, np.uint8, offset=4 + 4 * data[3]).reshape(shape[0], -1)


def load_images(mnist: Path | None) -> Images:
    """Return MNIST, or the digits of scikit-learn in a fixed random order."""
    if mnist is not None:
        return Images(
            "MNIST",
            read_idx(mnist, "train-images-idx3-ubyte"),
            read_idx(mnist, "train-labels-idx1-ubyte")[:, 0],
            read_idx(mnist, "t10k-images-idx3-ubyte"),
            read_idx(mnist, "t10k-labels-idx1-ubyte")[:, 0],
        )
    from sklearn.datasets import load_digits

    digits = load_digits()
    order = np.random.default_rng(1).permutation(len(digits.target))
    x = digits.data[order].astype(np.uint8)
    labels = digits.target[order]
    return Images("digits", x[:1400], labels[:1400], x[1400:], labels[1400:])


def make_network(width: int, count: int, seed: int, **settings: Any) -> Network:
    """Return a network of three hexagons in a row, sized."""
    spec = NetworkSpec(
        hexagons=((1, 1, 1), (2, 1, 1), (3, 1, 1)),
        axons=(),
        inputs=(("x", 0, "plain"),),
        outputs=(("y", 2, "plain"),),
        settings=tuple(sorted((DEFAULTS | settings).items())),
        seed=seed,
    )
    network = Network.create(spec)
    network.size({"x": width}, {"y": count})
    return network


def one_hot(labels: NDArray[Any]) -> Floats:
    """Return float32 targets for ten classes."""
    targets: Floats = np.eye(10, dtype=np.float32)[labels]
    return targets


def accuracy(network: Network, x: NDArray[Any], labels: NDArray[Any]) -> tuple[float, float]:
    """Return (percent right, seconds of the request)."""
    results = np.zeros((len(x), 10), np.float32)
    began = time.process_time()
    network.request([("x", x)], ["y"], 0, len(x), results=[results])
    seconds = time.process_time() - began
    return 100 * float((results.argmax(1) == labels).mean()), seconds


def bench_images(images: Images, seeds: int, what: str, **settings: Any) -> Row:
    """Train one epoch per seed and test."""
    scores, seconds, asked = [], [], []
    targets = one_hot(images.labels)
    network = None
    for seed in range(1, seeds + 1):
        network = make_network(images.x.shape[1], 10, seed, **settings)
        began = time.process_time()
        network.train([("x", images.x)], [("y", targets)], 0, len(images.x))
        seconds.append(time.process_time() - began)
        score, request = accuracy(network, images.x_test, images.labels_test)
        scores.append(score)
        asked.append(request)
    assert network is not None
    metrics = network.metrics()
    note = (
        f"request {min(asked):.3f} s, {metrics['blocks']} blocks, "
        f"{metrics['bytes'] / 1e6:.1f} MB, snapshot {len(encode_image(network.image())) / 1e6:.1f} MB"
    )
    return Row(what, float(np.mean(scores)), float(np.std(scores)), min(seconds), note)


def bench_peers(images: Images, seeds: int) -> list[Row]:
    """Train scikit-learn's online and small neural classifiers once over the data."""
    from sklearn.linear_model import SGDClassifier
    from sklearn.neural_network import MLPClassifier

    makers: dict[str, Callable[[int], Any]] = {
        "scikit-learn SGDClassifier": lambda seed: SGDClassifier(random_state=seed),
        "scikit-learn MLP 256, batch 200": lambda seed: MLPClassifier((256,), random_state=seed),
    }
    x, x_test = (np.asarray(a, np.float32) / images.x.max() for a in (images.x, images.x_test))
    rows = []
    for what, make in makers.items():
        scores, seconds = [], []
        for seed in range(seeds):
            model = make(seed)
            began = time.process_time()
            model.partial_fit(x, images.labels, classes=np.arange(10))
            seconds.append(time.process_time() - began)
            scores.append(100 * model.score(x_test, images.labels_test))
        rows.append(Row(what, float(np.mean(scores)), float(np.std(scores)), min(seconds), ""))
    return rows


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
    mean = float(np.mean(errors))
    return Row("CSV steps: error", mean, float(np.std(errors)), min(seconds), "at most 0.002")


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
    mean = float(np.mean(ratios))
    return Row(
        "sensor: error / least squares", mean, float(np.std(ratios)), min(seconds), "at most 1.1"
    )


def bench_robustness(images: Images) -> list[Row]:
    """Train a part of the data scaled, or with one sample of nonsense."""
    count = min(20_000, len(images.x))
    targets = one_hot(images.labels)[:count]
    wrong: dict[str, tuple[float, float | None]] = {
        "as it is": (1.0, None),
        "times 1e-20": (1e-20, None),
        "times 1e6": (1e6, None),
        "one sample of 1e9": (1.0, 1e9),
        "one sample of inf": (1.0, np.inf),
        "one sample of NaN": (1.0, np.nan),
    }
    rows = []
    for what, (scale, value) in wrong.items():
        x = images.x[:count] * np.float32(scale)
        if value is not None:
            x[count // 4] = value
        network = make_network(x.shape[1], 10, 1)
        network.train([("x", x)], [("y", targets)], 0, count)
        score, _ = accuracy(network, images.x_test * np.float32(scale), images.labels_test)
        rows.append(Row(f"{count} samples {what}", score, None, None, ""))
    order = np.argsort(images.labels[:count], kind="stable")
    network = make_network(images.x.shape[1], 10, 1)
    network.train([("x", images.x[:count][order].copy())], [("y", targets[order])], 0, count)
    score, _ = accuracy(network, images.x_test, images.labels_test)
    rows.append(Row(f"{count} samples sorted by class", score, None, None, ""))
    return rows


def bench_calls(images: Images) -> list[Row]:
    """Time single calls from Python."""
    count = min(3000, len(images.x))
    network = make_network(images.x.shape[1], 10, 1)
    targets = one_hot(images.labels)
    network.train([("x", images.x)], [("y", targets)], 0, len(images.x))
    vectors = images.x[:count].astype(np.float32)
    began = time.process_time()
    for row in range(count):
        network.train_one({"x": vectors[row]}, {"y": targets[row]})
    trained = (time.process_time() - began) / count
    began = time.process_time()
    for row in range(count):
        network.request_one({"x": vectors[row]})
    asked = (time.process_time() - began) / count
    return [
        Row("a train call", None, None, None, f"{1e6 * trained:.1f} us, at most 15"),
        Row("a request call", None, None, None, f"{1e6 * asked:.1f} us, at most 10"),
    ]


def bench_threads(images: Images) -> Row:
    """Train two networks on two threads and compare with one after the other."""
    targets = one_hot(images.labels)
    repeats = max(1, 60_000 // len(images.x))

    def work() -> None:
        network = make_network(images.x.shape[1], 10, 1)
        for _ in range(repeats):
            network.train([("x", images.x)], [("y", targets)], 0, len(images.x))

    began = time.perf_counter()
    work()
    alone = time.perf_counter() - began
    threads = [threading.Thread(target=work) for _ in range(2)]
    began = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    both = time.perf_counter() - began
    return Row("two networks on two threads", None, None, both, f"x {2 * alone / both:.2f}")


def show(rows: list[Row]) -> None:
    """Print the table."""
    for row in rows:
        score = "" if row.score is None else f"{row.score:.4g}"
        deviation = "" if row.deviation is None else f"± {row.deviation:.2g}"
        seconds = "" if row.seconds is None else f"{row.seconds:.3f} s"
        print(f"{row.what:38} {score:>9} {deviation:10} {seconds:>9}  {row.note}")


def main() -> None:
    """Measure, print a table, write JSON if asked."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--mnist", type=Path, default=os.environ.get("HANAMI_MNIST_DIR"))
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--json", type=Path)
    parser.add_argument("--peers", action="store_true", help="train scikit-learn as well")
    options = parser.parse_args()
    images = load_images(Path(options.mnist) if options.mnist else None)
    warm_up()
    rows = [
        bench_images(images, options.seeds, f"{images.name}, defaults"),
        bench_images(images, options.seeds, "without memory", replay_memory=0),
        bench_images(images, options.seeds, "up to 4 blocks", hidden_blocks_max=4),
        *(bench_peers(images, options.seeds) if options.peers else []),
        bench_steps(options.seeds),
        bench_sensor(options.seeds),
        *bench_robustness(images),
        *bench_calls(images),
        bench_threads(images),
    ]
    print(f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}")
    show(rows)
    if options.json:
        options.json.write_text(json.dumps([row._asdict() for row in rows], indent=2) + "\n")


if __name__ == "__main__":
    main()
