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
