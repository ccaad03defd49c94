"""Networks on several threads do not disturb each other."""

import threading

import numpy as np

from tests.unit.compute.builders import make_network, make_samples

X, Y = make_samples(2000, 60, 3)


def test_two_threads_train_the_same_bytes_as_one():
    def train(network, digests):
        for start in range(0, 2000, 100):
            network.train([("x", X)], [("y", Y)], start, start + 100)
        digests.append(network.digest())

    digests: list[str] = []
    train(make_network(width=60), digests)
    networks = [make_network(width=60) for _ in range(2)]
    threads = [threading.Thread(target=train, args=(n, digests)) for n in networks]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert len(digests) == 3
    assert len(set(digests)) == 1


def test_subnormal_numbers_are_not_flushed_to_zero():
    small = np.full((2, 60), 1e-20, np.float32)
    network = make_network(width=60)
    network.train([("x", small)], [("y", Y)], 0, 2)
    product = np.float32(1e-20) * np.float32(1e-20)
    assert product > 0
