"""Other online and small neural classifiers on the same images, once over the data, on one core.

Their rates are the best of a few, chosen on MNIST images held out of the training set.
"""

import importlib
import importlib.util
import time
from typing import TYPE_CHECKING, Any

import numpy as np

from benchmarks.network_data import Floats, Images, Row, summary

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["bench_peers"]

TORCH_BATCHES = {1: (2, 0.02), 32: (5, 0.4)}
"""Samples per step: seeds at most (single samples take half a minute), rate."""


def bench_peers(images: Images, seeds: int) -> list[Row]:
    """Return a row per classifier that is installed."""
    x, x_test = (
        np.asarray(a, np.float32) / np.float32(images.x.max()) for a in (images.x, images.x_test)
    )
    rows = []
    if importlib.util.find_spec("sklearn"):
        rows += _sklearn(images, x, x_test, seeds)
    if importlib.util.find_spec("torch"):
        rows += [_torch(images, x, x_test, size, seeds) for size in TORCH_BATCHES]
    return rows


def _sklearn(images: Images, x: Floats, x_test: Floats, seeds: int) -> list[Row]:
    """Train scikit-learn's linear and neural classifiers."""
    from sklearn.linear_model import SGDClassifier
    from sklearn.neural_network import MLPClassifier

    makers: dict[str, Callable[[int], Any]] = {
        "scikit-learn SGDClassifier": lambda seed: SGDClassifier(random_state=seed),
        "scikit-learn MLPClassifier 256, batch 200": lambda seed: MLPClassifier(
            (256,), random_state=seed, learning_rate_init=0.01
        ),
    }
    rows = []
    for what, make in makers.items():
        scores, seconds = [], []
        for seed in range(seeds):
            model = make(seed)
            began = time.process_time()
            model.partial_fit(x, images.labels, classes=np.arange(10))
            seconds.append(time.process_time() - began)
            scores.append(100 * float(model.score(x_test, images.labels_test)))
        rows.append(summary(what, scores, "%", seconds=seconds))
    return rows


def _torch(images: Images, x: Floats, x_test: Floats, size: int, seeds: int) -> Row:
    """Train a network of 256 rectified neurons with PyTorch."""
    torch: Any = importlib.import_module("torch")  # not a dependency
    torch.set_num_threads(1)
    samples, tests = torch.from_numpy(x), torch.from_numpy(x_test)
    labels = torch.from_numpy(images.labels.astype(np.int64))
    loss_of = torch.nn.functional.cross_entropy
    scores, seconds = [], []
    seeds_max, rate = TORCH_BATCHES[size]
    for seed in range(min(seeds, seeds_max)):
        torch.manual_seed(seed)
        model = torch.nn.Sequential(
            torch.nn.Linear(x.shape[1], 256), torch.nn.ReLU(), torch.nn.Linear(256, 10)
        )
        step = torch.optim.SGD(model.parameters(), lr=rate)
        began = time.process_time()
        for at in range(0, len(x), size):
            step.zero_grad(set_to_none=True)
            loss_of(model(samples[at : at + size]), labels[at : at + size]).backward()
            step.step()
        seconds.append(time.process_time() - began)
        with torch.no_grad():
            answers = model(tests).argmax(1).numpy()
        scores.append(100 * float((answers == images.labels_test).mean()))
    note = f"SGD, rate {rate}"
    return summary(f"PyTorch 256, batch {size}", scores, "%", seconds=seconds, note=note)
