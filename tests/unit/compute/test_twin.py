"""The compiled network agrees with its slow twin to the bit: state after training, and answers.

Each case trains both on the same few samples and compares every weight. The cases are chosen so
that together they pass every branch of the kernels.
"""

import numpy as np
import pytest

from hanami_actors.compute import Network, plan
from hanami_actors.compute.kernels import layout as lay
from tests.unit.compute.builders import make_samples, make_spec
from tests.unit.compute.cases import CASES
from tests.unit.compute.naive import NaiveNetwork


def samples_for(name, inputs, outputs, rows):
    rng = np.random.default_rng(len(name))
    x, _ = make_samples(rows, sum(inputs.values()), 4, seed=len(name))
    wide = x * rng.choice(np.array([1.0, 1e-20, 1e6], np.float32))
    wide[rows // 2, 0] = [np.nan, np.inf, -5, 1e9][len(name) % 4]
    parts = np.split(wide, np.cumsum(list(inputs.values()))[:-1], axis=1)
    given = {n: np.ascontiguousarray(p) for n, p in zip(inputs, parts, strict=True)}
    expected = {}
    for n, count in outputs.items():
        y = rng.random((rows, count)).round().astype(np.float32)
        if name in ("float", "int"):
            y *= np.float32(3000.7)
        y[rng.random((rows, count)) < 0.05] = np.nan
        expected[n] = y
    return given, expected


def assert_same_state(network, twin):
    state = network.image().state
    for name, rows in (
        ("weights", twin.w),
        ("weights_slow", twin.ws),
        ("output_weights", twin.v),
        ("output_weights_slow", twin.vs),
        ("bias", twin.b),
        ("bias_slow", twin.bs),
        ("output_bias", twin.bo),
        ("output_bias_slow", twin.bos),
        ("births", twin.sections.births),
        ("free", twin.sections.free),
        ("memory_errors", [entry[2] for entry in twin.memory.entries]),
    ):
        expected = np.array(rows, state[name].dtype).reshape(state[name].shape)
        assert np.array_equal(state[name], expected), name
    assert state["blocks"].tolist() == [list(x) for x in twin.blocks]
    assert state["means"][0] == twin.error
    assert state["hexagon_means"][:, 0].tolist() == twin.active_mean
    assert state["scale"].tolist() == [m for i in twin.inputs for m in i.scale]


@pytest.mark.parametrize("name", CASES)
def test_network_equals_its_twin_to_the_bit(name):
    options, inputs, outputs = CASES[name]
    rows = 75 if options.get("hexagons", 3) in (2, 3) else 24
    spec = make_spec(seed=7, **options)
    network, twin = Network.create(spec), NaiveNetwork(spec)
    network.size(inputs, outputs)
    twin.size(inputs, outputs)
    given, expected = samples_for(name, inputs, outputs, rows)
    network.train([*given.items()], [*expected.items()], 0, rows)
    with np.errstate(over="ignore"):
        for row in range(rows):
            twin.train(
                {n: x[row] for n, x in given.items()}, {n: y[row] for n, y in expected.items()}
            )
        assert_same_state(network, twin)
        for row in range(0, rows, 7):
            sample = {n: x[row] for n, x in given.items()}
            answers = network.request_one(sample)
            for n, answer in twin.request(sample).items():
                assert np.array_equal(answers[n], answer, equal_nan=True), (n, row)


def test_growing_case_grows_and_small_memory_forgets():
    """The cases above are worth something only if they get that far."""
    network = Network.create(make_spec(seed=7, **CASES["growing"][0]))
    network.size(*CASES["growing"][1:])
    given, expected = samples_for("growing", *CASES["growing"][1:], 75)
    network.train([*given.items()], [*expected.items()], 0, 75)
    assert network.metrics()["blocks"] == 2
    options, inputs, outputs = CASES["small memory"]
    network = Network.create(make_spec(seed=7, **options))
    network.size(inputs, outputs)
    given, expected = samples_for("small memory", inputs, outputs, 75)
    network.train([*given.items()], [*expected.items()], 0, 75)
    counters = network.image().state["counters"]
    assert counters[lay.N_STORED] > 6 > counters[lay.N_ENTRIES] > 0


def test_slow_weights_equal_their_twin_after_the_eager_cycles():
    spec = make_spec(hidden_blocks_max=1, replay_memory=10)
    network, twin = Network.create(spec), NaiveNetwork(spec)
    x, y = make_samples(660, 10, 2)
    for one in (network, twin):
        one.size({"x": 10}, {"y": 2})
    network.train([("x", x)], [("y", y)], 0, 660)
    for row in range(660):
        twin.train({"x": x[row]}, {"y": y[row]})
    assert_same_state(network, twin)


@pytest.mark.parametrize(
    "name", ["straight", "levels", "match", "two hidden", "many outputs on sums"]
)
def test_reduction_equals_its_twin(name, monkeypatch):
    monkeypatch.setattr(plan, "REDUCTION_CYCLES", 6)
    options, inputs, outputs = CASES[name]
    spec = make_spec(seed=7, enable_reduction=True, **options)
    network, twin = Network.create(spec), NaiveNetwork(spec)
    given, expected = samples_for(name, inputs, outputs, 48)
    for one in (network, twin):
        one.size(inputs, outputs)
    network.train([*given.items()], [*expected.items()], 0, 30)
    more = {n: width + 3 for n, width in inputs.items()}
    network.size(more, {})
    network.train([*given.items()], [*expected.items()], 30, 48)
    with np.errstate(over="ignore"):
        for row in range(48):
            if row == 30:
                twin.size(more, {})
            twin.train(
                {n: x[row] for n, x in given.items()}, {n: y[row] for n, y in expected.items()}
            )
        assert_same_state(network, twin)
    assert network.metrics()["removed_sections"] == twin.sections.removed > 0


def test_network_equals_its_twin_after_inputs_and_outputs_grew():
    spec = make_spec(hexagons=4)
    network, twin = Network.create(spec), NaiveNetwork(spec)
    x, y = make_samples(20, 40, 4)
    for width, count in ((33, 2), (40, 4)):
        for one in (network, twin):
            one.size({"x": width}, {"y": count})
        for row in range(20):
            sample = {"x": x[row, :width].astype(np.float32)}, {"y": y[row, :count].copy()}
            network.train_one(*sample)
            twin.train(*sample)
        assert_same_state(network, twin)
