"""Templates that together pass every branch of the kernels: options, input widths, output widths."""

from typing import Any

# (0,0,0) leads to (1,0,0) and, over y, to the others: two ways of different length to the end
DIAMOND = ((0, 0, 0), (1, 0, 0), (0, 1, 0), (1, 1, 0), (2, 0, 0))

CASES: dict[str, tuple[dict[str, Any], dict[str, int], dict[str, int]]] = {
    "straight": ({}, {"x": 40}, {"y": 3}),
    "growing": ({"hidden_blocks_max": 3}, {"x": 40}, {"y": 3}),
    "two hidden": ({"hexagons": 4, "hidden_blocks_max": 2}, {"x": 20}, {"y": 2}),
    "no memory": ({"replay_memory": 0}, {"x": 40}, {"y": 3}),
    "small memory": (
        {"replay_memory": 6, "replay_memory_bytes": 6 * 16 + 7 * 264, "replays_per_cycle": 3},
        {"x": 70},
        {"y": 3},
    ),
    "levels": ({"input_levels": 4}, {"x": 12}, {"y": 2}),
    "narrow": ({}, {"x": 6}, {"y": 1}),
    "binary": ({"inputs": (("x", 0, "binary"),)}, {"x": 40}, {"y": 3}),
    "match": ({"inputs": (("x", 0, "match"),)}, {"x": 9}, {"y": 3}),
    "cooldown": ({"neuron_cooldown": 3.0}, {"x": 40}, {"y": 3}),
    "refractory": ({"refractory_time": 3}, {"x": 40}, {"y": 3}),
    "cooldown and refractory": (
        {"neuron_cooldown": 2.0, "refractory_time": 2, "hexagons": 4},
        {"x": 20},
        {"y": 2},
    ),
    "input right before the output": ({"hexagons": 2}, {"x": 40}, {"y": 3}),
    "many outputs on sums": ({"hexagons": 2}, {"x": 10}, {"y": 131}),
    "distance 2": ({"hexagons": 4, "max_connection_distance": 3}, {"x": 20}, {"y": 2}),
    "axon": ({"hexagons": 4, "axons": ((0, 2),)}, {"x": 20}, {"y": 2}),
    "diamond with an output on the way": (
        {
            "hexagons": DIAMOND,
            "inputs": (("x", 0, "plain"), ("side", 1, "binary")),
            "outputs": (("y", 4, "plain"), ("between", 1, "bool")),
            "max_connection_distance": 2,
        },
        {"x": 20, "side": 5},
        {"y": 2, "between": 2},
    ),
    "bool": ({"outputs": (("y", 2, "bool"),)}, {"x": 40}, {"y": 3}),
    "float": ({"outputs": (("y", 2, "float"),)}, {"x": 40}, {"y": 1}),
    "int": ({"outputs": (("y", 2, "int"),)}, {"x": 40}, {"y": 1}),
}
