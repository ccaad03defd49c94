"""Short ways to specs and data for the tests of the network."""

import numpy as np

from hanami_actors.compute import Network, NetworkSpec

SETTINGS = {
    "enable_reduction": False,
    "hidden_blocks_max": 2,
    "input_levels": 0,
    "max_connection_distance": 1,
    "neuron_cooldown": 1e9,
    "refractory_time": 1,
    "replay_memory": 4000,
    "replay_memory_bytes": 16 << 20,
    "replays_per_cycle": 1,
}


def make_spec(*, hexagons=3, inputs=None, outputs=None, axons=(), seed=1, **settings):
    """A row of hexagons with one input at its start and one output at its end, unless told."""
    if isinstance(hexagons, int):
        hexagons = tuple((x + 1, 1, 1) for x in range(hexagons))
    return NetworkSpec(
        hexagons=tuple(hexagons),
        axons=tuple(axons),
        inputs=tuple(inputs or (("x", 0, "plain"),)),
        outputs=tuple(outputs or (("y", len(hexagons) - 1, "plain"),)),
        settings=tuple(sorted((SETTINGS | settings).items())),
        seed=seed,
    )


def make_network(width=40, count=3, **options):
    """A network of the usual shape, sized."""
    network = Network.create(make_spec(**options))
    network.size({"x": width}, {"y": count})
    return network


def make_samples(rows, width, classes, seed=0):
    """uint8 inputs, two thirds of them 0, and one-hot classes that a network can learn."""
    rng = np.random.default_rng(seed)
    patterns = rng.integers(1, 255, (classes, width)) * (rng.random((classes, width)) < 0.33)
    labels = rng.integers(0, classes, rows)
    noise = rng.integers(0, 40, (rows, width)) * (rng.random((rows, width)) < 0.2)
    x = np.minimum(patterns[labels] + noise, 255).astype(np.uint8)
    return x, np.eye(classes, dtype=np.float32)[labels]
