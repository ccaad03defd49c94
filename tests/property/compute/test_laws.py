"""Laws of training: how a run is cut, paused, saved and loaded changes nothing."""

from typing import Any

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from hanami_actors.compute import Network, decode_image, encode_image
from tests.unit.compute.builders import make_network, make_samples

ROWS = 90
X, Y = make_samples(ROWS, 30, 3)
WHOLE: dict[str, str] = {}

OPTIONS: dict[str, dict[str, Any]] = {
    "plain": {},
    "potentials": {"neuron_cooldown": 3.0, "refractory_time": 2},
    "levels": {"input_levels": 4},
    "deep": {"hexagons": 4},
    "forgetful": {"replay_memory": 5, "replays_per_cycle": 2},
}


def whole(name):
    if name not in WHOLE:
        network = make_network(width=30, **OPTIONS[name])
        network.train([("x", X)], [("y", Y)], 0, ROWS)
        WHOLE[name] = network.digest()
    return WHOLE[name]


cuts = st.lists(
    st.tuples(st.integers(0, ROWS), st.sampled_from(["go on", "save", "ask"])), max_size=6
)


@settings(max_examples=40)
@given(name=st.sampled_from(sorted(OPTIONS)), cuts=cuts)
def test_cutting_saving_and_asking_change_nothing(name, cuts):
    network = make_network(width=30, **OPTIONS[name])
    row = 0
    for cut, event in sorted(cuts):
        network.train([("x", X)], [("y", Y)], row, cut)
        row = cut
        if event == "save":
            network = Network.from_image(decode_image(encode_image(network.image())))
        elif event == "ask":
            network.request_one({"x": X[row % ROWS]})
    network.train([("x", X)], [("y", Y)], row, ROWS)
    assert network.digest() == whole(name)


values = st.floats(width=32, allow_nan=True, allow_infinity=True)


@settings(max_examples=60)
@given(
    rows=st.lists(st.lists(values, min_size=5, max_size=5), min_size=1, max_size=12),
    targets=st.lists(values, min_size=2, max_size=2),
    kind=st.sampled_from(["plain", "binary", "match"]),
)
def test_no_value_makes_a_state_that_is_not_finite(rows, targets, kind):
    network = make_network(width=5, count=2, inputs=(("x", 0, kind),))
    for row in rows:
        network.train_one({"x": np.array(row, np.float32)}, {"y": np.array(targets, np.float32)})
    for name, array in network.image().state.items():
        assert np.isfinite(array).all(), name
    assert np.isfinite(network.request_one({"x": np.array(rows[0], np.float32)})["y"]).all()
