"""Values of any size: nothing of what was learned is lost, no state is ever NaN or infinite."""

import numpy as np
import pytest

from tests.unit.compute.builders import make_network, make_samples

X, Y = make_samples(400, 40, 3)


def accuracy(x, test, **options):
    network = make_network(**options)
    network.train([("x", x)], [("y", Y)], 0, 300)
    results = np.zeros((100, 3), np.float32)
    network.request([("x", test)], ["y"], 0, 100, results=[results])
    for name, array in network.image().state.items():
        assert np.isfinite(array).all(), name
    return (results.argmax(1) == Y[300:].argmax(1)).mean()


@pytest.mark.parametrize("scale", [1e-25, 1e-20, 1.0, 1e6, 1e25])
def test_the_scale_of_inputs_does_not_matter(scale):
    x = X * np.float32(scale)
    assert accuracy(x, np.ascontiguousarray(x[300:])) > 0.95


@pytest.mark.parametrize("levels", [1, 4])
@pytest.mark.parametrize("value", [1e9, np.inf, -np.inf, np.nan, -1e9, 3.4e38, 1e-42])
def test_one_sample_of_nonsense_ruins_nothing(value, levels):
    x = X.astype(np.float32)
    x[150] = value
    assert accuracy(x, X[300:].astype(np.float32), input_levels=levels) > 0.95


def test_negative_values_are_inactive():
    network, other = make_network(), make_network()
    network.train([("x", np.where(X == 0, np.float32(-3), X))], [("y", Y)], 0, 50)
    other.train([("x", X)], [("y", Y)], 0, 50)
    assert network.digest() == other.digest()


def test_samples_without_any_active_input_are_harmless():
    x = X.astype(np.float32)
    x[:50] = 0
    assert accuracy(x, X[300:].astype(np.float32)) > 0.95


def test_targets_outside_of_0_to_1_count_as_the_nearest_and_nan_as_not_given():
    wild = Y.copy()
    wild[wild == 1] = np.inf
    wild[wild == 0] = -7
    network, other = make_network(), make_network()
    network.train([("x", X)], [("y", wild)], 0, 50)
    other.train([("x", X)], [("y", Y)], 0, 50)
    assert network.digest() == other.digest()
    nothing = np.full_like(Y, np.nan)
    weights = other.image().state["weights"]
    other.train([("x", X)], [("y", nothing)], 0, 50)
    assert np.array_equal(other.image().state["weights"], weights)


def finite(network):
    return all(np.isfinite(array).all() for array in network.image().state.values())


NONSENSE = np.array(
    [np.nan, np.inf, -np.inf, -1, -0.0, 0, 1e-45, 1e-38, 1e-30, 0.3, 1, 7.5, 1e30, 3.4e38], "f4"
)


@pytest.mark.parametrize("kind", ["plain", "bool", "int", "float"])
def test_no_expected_value_makes_a_state_that_is_not_finite(kind):
    network = make_network(outputs=(("y", 2, kind),), count=2)
    for value in NONSENSE:
        for other in NONSENSE[::3]:
            network.train_one({"x": X[0]}, {"y": np.array([value, other], "f4")})
    assert finite(network)


@pytest.mark.parametrize("options", [{}, {"hexagons": 4}, {"neuron_cooldown": 1.0}], ids=str)
@pytest.mark.parametrize("kind", ["plain", "binary", "match"])
def test_no_input_value_makes_a_state_that_is_not_finite(kind, options):
    network = make_network(inputs=(("x", 0, kind),), input_levels=0, width=14, **options)
    for shift in range(14):
        for row in range(6):
            network.train_one({"x": np.roll(NONSENSE, shift)}, {"y": Y[row]})
    assert finite(network)
    assert np.isfinite(network.request_one({"x": NONSENSE})["y"]).all()


@pytest.mark.parametrize(
    ("kind", "given", "meant"),
    [
        ("bool", [0.49, 0.5, -3, np.inf], [0, 1, 0, 1]),
        ("int", [-5, 7.9, -np.inf, 1e30], [0, 7, 0, 2**64]),
        ("float", [-1.5, np.inf, 1e-45, 0.1], [-1.5, np.inf, 1e-45, 0.1]),
    ],
)
def test_expected_values_of_converted_outputs(kind, given, meant):
    """Integers are rounded down and kept within 0 ... 2**64 - 1, floats keep every bit."""
    network, other = (make_network(outputs=(("y", 2, kind),), count=4) for _ in range(2))
    for row in range(4):
        network.train_one({"x": X[row]}, {"y": np.array(given, "f4")})
        other.train_one({"x": X[row]}, {"y": np.array(meant, "f4")})
    assert network.digest() == other.digest()


def test_columns_without_rows_or_values_are_no_cycles_and_no_inputs():
    network, other = make_network(), make_network()
    network.train([("x", X[:0])], [("y", Y[:0])], 0, 0)
    assert network.cycle == 0
    network.train([("x", X[:, :0].copy())], [("y", Y)], 0, 30)
    other.train([], [("y", Y)], 0, 30)
    assert network.digest() == other.digest()
    assert finite(network)


def test_inputs_that_were_always_zero_get_no_sections_until_they_are_not():
    x = X.copy()
    x[:, 20:] = 0
    network = make_network(hidden_blocks_max=1)
    network.train([("x", x)], [("y", Y)], 0, 100)
    active = (x[:100] > 0).any(0).sum()
    assert network.metrics()["sections"] == active
    network.train([("x", X)], [("y", Y)], 100, 200)
    assert network.metrics()["sections"] == (X[100:200] > 0).any(0)[20:].sum() + active


def test_widths_that_change_in_mid_training_keep_what_was_learned():
    """Wider from now on; rows of the old width go on to mean the same."""
    network = make_network()
    network.train([("x", X)], [("y", Y)], 0, 100)
    network.size({"x": 55}, {"y": 4})
    wide = np.pad(X, ((0, 0), (0, 15)))
    expected = np.pad(Y, ((0, 0), (0, 1)))
    network.train([("x", wide)], [("y", expected)], 100, 200)
    network.train([("x", X)], [("y", Y)], 200, 300)
    results = np.zeros((100, 4), np.float32)
    network.request([("x", np.ascontiguousarray(X[300:]))], ["y"], 0, 100, results=[results])
    assert (results.argmax(1) == Y[300:].argmax(1)).mean() > 0.95
    assert finite(network)
