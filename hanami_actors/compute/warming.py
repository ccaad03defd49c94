"""Compile or load all kernels ahead of their first use.

Compiling takes half a minute and hundreds of megabytes, so a server does it in a child process
(``python -m hanami_actors.compute.warm``); with a cache directory the machine code is then loaded
in a fraction of a second.
"""

import numpy as np

from hanami_actors.compute.cache import is_warm, mark_warm
from hanami_actors.compute.network import Network
from hanami_actors.compute.spec import NetworkSpec

__all__ = ["warm_up"]

SETTINGS = (
    ("enable_reduction", False),
    ("hidden_blocks_max", 1),
    ("input_levels", 0),
    ("max_connection_distance", 1),
    ("neuron_cooldown", 1e9),
    ("refractory_time", 1),
    ("replay_memory", 4),
    ("replay_memory_bytes", 4096),
    ("replays_per_cycle", 1),
)


def warm_up() -> None:
    """Run every entry once with a network of one value; afterwards the cache is warm."""
    spec = NetworkSpec(
        hexagons=((1, 1, 1), (2, 1, 1), (3, 1, 1)),
        axons=(),
        inputs=(("x", 0, "plain"),),
        outputs=(("y", 2, "plain"),),
        settings=SETTINGS,
        seed=0,
    )
    network = Network.create(spec)
    network.size({"x": 1}, {"y": 1})
    one = np.ones(1, np.float32)
    network.train_one({"x": one}, {"y": one})
    network.request_one({"x": one})
    from hanami_actors.compute.kernels.jit import CACHE_DIRECTORY

    if CACHE_DIRECTORY is not None and not is_warm(CACHE_DIRECTORY.parent):
        mark_warm(CACHE_DIRECTORY)
