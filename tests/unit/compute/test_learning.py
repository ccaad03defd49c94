"""It learns what it is for. Seconds of training, thresholds far below what is usual."""

import gzip
import os
from pathlib import Path

import numpy as np
import pytest

from tests.unit.compute.builders import make_network


def request(network, x, *, time_length=1):
    rows = len(x) - time_length + 1
    results = np.zeros((rows, network.output_width("y")), np.float32)
    network.request([("x", x)], ["y"], 0, rows, time_length=time_length, results=[results])
    return results


def test_steps_of_a_measured_value():
    """Constants 0, 80, 30, 10, 0 over time, each with an answer of its own."""
    x = np.repeat(np.array([0, 80, 30, 10, 0], np.float32), 100)[:, None].copy()
    y = np.repeat(np.array([0, 1, 0.5, 0.75, 0], np.float32), 100)[:, None].copy()
    network = make_network(width=25, count=1)
    for _ in range(100):
        network.train([("x", x)], [("y", y)], 0, 476, time_length=25)
    error = np.abs(request(network, x, time_length=25) - y[:476]).mean()
    assert error <= 0.002


def test_a_sensor_series_nearly_as_well_as_least_squares():
    t = np.arange(9020)
    noise = 0.02 * np.random.default_rng(0).normal(size=len(t))
    series = 0.5 + 0.2 * np.sin(0.1 * t) + 0.2 * np.sin(0.2404 * t) + noise
    past = np.lib.stride_tricks.sliding_window_view(series, 20)[:9000].astype(np.float32)
    following = series[20:9020].astype(np.float32)[:, None]
    network = make_network(width=20, count=1)
    for _ in range(3):
        network.train([("x", past.copy())], [("y", following.copy())], 0, 9000)
    error = np.sqrt(((request(network, past.copy()) - following) ** 2).mean())
    terms = np.pad(past, ((0, 0), (0, 1)), constant_values=1)
    best = np.linalg.lstsq(terms, following, rcond=None)[0]
    assert error <= 1.1 * np.sqrt(((terms @ best - following) ** 2).mean())


def test_classes_one_after_the_other_are_not_forgotten():
    rng = np.random.default_rng(3)
    patterns = rng.integers(1, 255, (4, 60)) * (rng.random((4, 60)) < 0.4)
    labels = np.sort(rng.integers(0, 4, 1200))
    noise = rng.integers(0, 120, (1200, 60)) * (rng.random((1200, 60)) < 0.3)
    x = np.minimum(patterns[labels] + noise, 255).astype(np.uint8)
    network = make_network(width=60, count=4)
    network.train([("x", x)], [("y", np.eye(4, dtype=np.float32)[labels])], 0, 1200)
    assert (request(network, x).argmax(1) == labels).mean() > 0.9


def read_idx(name):
    """Return an IDX file, plain or .gz, of the directory in HANAMI_MNIST_DIR."""
    directory = Path(os.environ["HANAMI_MNIST_DIR"])
    plain = directory / name
    data = plain.read_bytes() if plain.exists() else gzip.decompress(
        (directory / f"{name}.gz").read_bytes()
    )  # fmt: skip
    dimensions = data[3]
    shape = [int.from_bytes(data[4 + 4 * q : 8 + 4 * q], "big") for q in range(dimensions)]
    return np.frombuffer(data, np.uint8, offset=4 + 4 * dimensions).reshape(shape[0], -1)


@pytest.mark.skipif("HANAMI_MNIST_DIR" not in os.environ, reason="HANAMI_MNIST_DIR is not set")
def test_mnist_in_one_pass():
    x, labels = read_idx("train-images-idx3-ubyte"), read_idx("train-labels-idx1-ubyte")[:, 0]
    network = make_network(width=784, count=10)
    network.train([("x", x)], [("y", np.eye(10, dtype=np.float32)[labels])], 0, len(x))
    test, truth = read_idx("t10k-images-idx3-ubyte"), read_idx("t10k-labels-idx1-ubyte")[:, 0]
    assert (request(network, test).argmax(1) == truth).mean() >= 0.975
