"""Wider inputs and outputs after training: what was learned stays, and goes on to be learned the same.

Equality to the bit, for every kind of template.
"""

import numpy as np
import pytest

from hanami_actors.compute import Network, decode_image, encode_image
from tests.unit.compute.builders import make_network, make_samples, make_spec
from tests.unit.compute.cases import CASES
from tests.unit.compute.scenarios import Scenario, make_scenario, sized

ROWS = 60


def train(network: Network, scenario: Scenario, start: int, stop: int) -> None:
    network.train([*scenario.inputs.items()], [*scenario.outputs.items()], start, stop)


def answers(network: Network, scenario: Scenario) -> list[bytes]:
    """All answers to some samples, cut to the widths they had at first."""
    network.reset_transients("request")
    found = []
    for row in range(0, ROWS, 4):
        values = network.request_one({n: x[row] for n, x in scenario.inputs.items()})
        found += [values[n][: y.shape[1]].tobytes() for n, y in scenario.outputs.items()]
    return found


def widened(network: Network, scenario: Scenario) -> Network:
    """The network with room for more of everything, more than a block of sums in one case."""
    inputs = {n: x.shape[1] + 7 * q + 5 for q, (n, x) in enumerate(scenario.inputs.items())}
    outputs = {n: 2 * y.shape[1] + 1 for n, y in scenario.outputs.items()}
    network.size(inputs, outputs)
    assert all(network.input_width(n) == width for n, width in inputs.items())
    assert all(network.output_width(n) == width for n, width in outputs.items())
    return network


@pytest.mark.parametrize("name", sorted(CASES))
def test_no_answer_changes(name):
    scenario = make_scenario(name)
    network = sized(scenario)
    train(network, scenario, 0, ROWS)
    before = answers(network, scenario)
    assert answers(widened(network, scenario), scenario) == before


@pytest.mark.parametrize("name", sorted(CASES))
def test_samples_of_the_old_width_are_learned_as_if_nothing_had_grown(name):
    """Not a bit differs, whether it grew, was saved before or after, or stayed as it was."""
    scenario = make_scenario(name)
    network, other = sized(scenario), sized(scenario)
    train(network, scenario, 0, ROWS)
    network = widened(Network.from_image(decode_image(encode_image(network.image()))), scenario)
    network = Network.from_image(decode_image(encode_image(network.image())))
    train(network, scenario, ROWS, 2 * ROWS)
    train(other, scenario, 0, 2 * ROWS)
    assert answers(network, scenario) == answers(other, scenario)
    for figure in ("running_error", "replay_memory_entries", "trained_cycles"):
        assert network.metrics()[figure] == other.metrics()[figure]


def test_potentials_of_training_and_of_requests_stay():
    scenario = make_scenario("cooldown and refractory")
    network = sized(scenario)
    train(network, scenario, 0, ROWS)
    network.request_one({n: x[0] for n, x in scenario.inputs.items()})
    before = {side: network.take_transients(side) for side in ("train", "request")}
    assert all(kept[0].any() for kept in before.values())
    widened(network, scenario)
    for side, kept in before.items():
        for old, new in zip(kept, network.take_transients(side), strict=True):
            assert np.array_equal(old, new)


def test_an_input_and_an_output_that_get_their_size_later_join_in():
    x, y = make_samples(200, 40, 3)
    network = Network.create(
        make_spec(
            inputs=(("x", 0, "plain"), ("late", 0, "plain")),
            outputs=(("y", 2, "plain"), ("later", 2, "bool")),
        )
    )
    network.size({"x": 20}, {"y": 3})
    first = np.ascontiguousarray(x[:, :20])
    network.train([("x", first)], [("y", y)], 0, 100)
    before = [network.request_one({"x": row})["y"].tobytes() for row in first[:20]]
    network.size({"late": 20}, {"later": 3})
    assert [network.request_one({"x": row})["y"].tobytes() for row in first[:20]] == before
    second = np.ascontiguousarray(x[:, 20:])
    for _ in range(3):
        network.train([("x", first), ("late", second)], [("later", y)], 100, 200)
    right = [
        network.request_one({"x": a, "late": b})["later"].argmax() == t.argmax()
        for a, b, t in zip(first[100:], second[100:], y[100:], strict=True)
    ]
    assert np.mean(right) > 0.95


def test_new_outputs_learn_beside_the_old_ones():
    x, y = make_samples(300, 40, 4)
    network = make_network(count=2)
    network.train([("x", x)], [("y", np.ascontiguousarray(y[:, :2]))], 0, 150)
    network.size({}, {"y": 4})
    for _ in range(2):
        network.train([("x", x)], [("y", y)], 150, 300)
    results = np.zeros((300, 4), np.float32)
    network.request([("x", x)], ["y"], 0, 300, results=[results])
    assert (results.argmax(1) == y.argmax(1)).mean() > 0.95


def test_growth_of_a_network_that_learned_nothing_is_its_size_from_the_start():
    network, other = make_network(width=33, count=2), make_network(width=40, count=3)
    x, y = make_samples(80, 40, 3)
    network.size({"x": 40}, {"y": 3})
    for one in (network, other):
        one.train([("x", x)], [("y", y)], 0, 80)
    one, two = (n.request_one({"x": x[0]})["y"] for n in (network, other))
    assert np.array_equal(one, two)
