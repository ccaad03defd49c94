"""Two networks at the same time: on two threads of one process, and in two processes.

Two processes share nothing but the machine, so they show what it can give at most: cores may be
threads of one core, and neighbours take their share.
"""

import multiprocessing
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from benchmarks.network_data import Images, Row, load_images, make_network, one_hot

__all__ = ["bench_cores"]

CYCLES = 30_000
ROUNDS = 10
"""Many short ones: on a noisy machine the least of them is near the truth."""

WORKERS = 2


def _trainer(images: Images) -> Callable[[], None]:
    """Return a function that trains a new network."""
    count = min(CYCLES, len(images.x))
    targets = one_hot(images.labels)

    def train() -> None:
        network = make_network(images.x.shape[1], 10, 1)
        for _ in range(CYCLES // count):
            network.train([("x", images.x)], [("y", targets)], 0, count)

    return train


def _process(mnist: Path | None, barrier: Any, spans: Any) -> None:
    """Train as often as asked for, each time at the same moment as the other process."""
    train = _trainer(load_images(mnist))
    train()
    for _ in range(ROUNDS):
        barrier.wait()
        began = time.perf_counter()
        train()
        spans.put((began, time.perf_counter()))
        barrier.wait()


def _together_s(mnist: Path | None) -> float:
    """Return the least time in which two processes train a network each."""
    context = multiprocessing.get_context("spawn")
    barrier, spans = context.Barrier(WORKERS + 1), context.Queue()
    workers = [
        context.Process(target=_process, args=(mnist, barrier, spans), daemon=True)
        for _ in range(WORKERS)
    ]
    for worker in workers:
        worker.start()
    least = float("inf")
    for _ in range(ROUNDS):
        barrier.wait()
        barrier.wait()
        begun, ended = zip(*(spans.get() for _ in workers), strict=True)
        least = min(least, max(ended) - min(begun))
    for worker in workers:
        worker.join()
    return least


def bench_cores(images: Images, mnist: Path | None) -> list[Row]:
    """Train two networks at once and compare with one after the other."""
    train = _trainer(images)
    alone, both = [], []
    for _ in range(ROUNDS):
        began = time.perf_counter()
        train()
        alone.append(time.perf_counter() - began)
        threads = [threading.Thread(target=train) for _ in range(WORKERS)]
        began = time.perf_counter()
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        both.append(time.perf_counter() - began)
    gain = WORKERS * min(alone) / min(both)
    ceiling = WORKERS * min(alone) / _together_s(mnist)
    return [
        Row("two networks on two cores", gain, "x", None, None, "≥ 1.85", gain >= 1.85,
            "times as fast as one after the other"),
        Row("the same in two processes", ceiling, "x", note="what the machine gives"),
    ]  # fmt: skip
