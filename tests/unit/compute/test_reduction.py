"""Reduction: when sections are removed, how many, which, and what stays."""

import numpy as np
import pytest

from hanami_actors.compute import Network, decode_image, encode_image, plan
from tests.unit.compute.builders import make_network, make_samples

X, Y = make_samples(400, 60, 3)


@pytest.fixture(autouse=True)
def _often(monkeypatch):
    monkeypatch.setattr(plan, "REDUCTION_CYCLES", 20)


def trained(rows=400, **options):
    network = make_network(width=60, **({"enable_reduction": True} | options))
    network.train([("x", X)], [("y", Y)], 0, rows)
    return network


def test_nothing_is_removed_unless_asked_for():
    assert trained(enable_reduction=False).metrics()["removed_sections"] == 0


def test_the_first_sections_are_removed_when_they_are_two_periods_old():
    assert trained(rows=39).metrics()["removed_sections"] == 0
    first = trained(rows=20).metrics()["sections"]
    assert trained(rows=40).metrics()["removed_sections"] == first // 10


def test_at_most_40_percent_are_removed():
    metrics = trained().metrics()
    made = metrics["sections"] + metrics["removed_sections"]
    assert metrics["removed_sections"] == made * 2 // 5


def test_the_network_still_knows_what_it_learned():
    results = np.zeros((400, 3), np.float32)
    trained().request([("x", X)], ["y"], 0, 400, results=[results])
    assert (results.argmax(1) == Y.argmax(1)).mean() > 0.95


def test_sources_that_matter_least_go_first():
    x = X.copy()
    x[:, 50:] = 0
    x[::40, 50:] = 1  # rare
    network = make_network(width=60, enable_reduction=True, replay_memory=0, hidden_blocks_max=1)
    network.train([("x", x)], [("y", Y)], 0, 40)
    table = network.image().state["sections"]
    assert (table[:50] == 0).sum() <= (X[:40, :50].max(0) == 0).sum() < 10
    assert (table[50:] == 0).any()


def test_removed_rows_are_zero_free_and_used_again():
    network = trained()
    state = network.image().state
    assert 0 < len(state["free"]) <= network.metrics()["removed_sections"]
    assert not state["weights"][state["free"]].any()
    assert not state["weights_slow"][state["free"]].any()
    assert not np.isin(state["free"], state["sections"]).any()
    rows = len(state["weights"])
    network.size({"x": 70}, {})
    network.train_one({"x": np.ones(70, np.float32)}, {"y": Y[0]})
    after = network.image().state
    assert len(after["weights"]) == rows
    assert len(after["free"]) < len(state["free"])


def test_snapshots_and_cuts_change_nothing():
    network = trained(rows=0)
    for start in range(0, 400, 33):
        network.train([("x", X)], [("y", Y)], start, min(start + 33, 400))
        network = Network.from_image(decode_image(encode_image(network.image())))
    assert network.digest() == trained().digest()
