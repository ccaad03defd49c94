"""From a spec to numbers: settings as tables, widths, levels."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from hanami_actors.compute.kernels import layout
from hanami_actors.compute.spec import NetworkSpec
from hanami_actors.compute.topology import Topology, plan_topology

__all__ = [
    "INPUT_KINDS",
    "OUTPUT_KINDS",
    "SETTING_NAMES",
    "Plan",
    "Sizes",
    "levels_of",
    "make_plan",
    "targets_per_value",
]

SETTING_NAMES = (
    "enable_reduction",
    "hidden_blocks_max",
    "input_levels",
    "max_connection_distance",
    "neuron_cooldown",
    "refractory_time",
    "replay_memory",
    "replay_memory_bytes",
    "replays_per_cycle",
)

INPUT_KINDS = {
    "plain": layout.KIND_PLAIN,
    "binary": layout.KIND_BINARY,
    "match": layout.KIND_MATCH,
}
OUTPUT_KINDS = {
    "plain": layout.OUT_PLAIN,
    "bool": layout.OUT_BOOL,
    "int": layout.OUT_INT,
    "float": layout.OUT_FLOAT,
}

COOLDOWN_WITHOUT_EFFECT = 1e6
NARROW_WIDTH_MAX = 32
NARROW_LEVELS = 4
MATCH_LEVELS = 16
ENTRY_BYTES = 16
REDUCTION_CYCLES = 10_000
"""From one removal of weak sections to the next."""

CHUNK_BYTES = 8 * layout.CHUNK + 8


class Sizes(NamedTuple):
    """Widths that are known so far; 0 = not yet."""

    inputs: tuple[int, ...]
    """Values of each input."""

    levels: tuple[int, ...]
    """Levels of each input, fixed when its width is first known; 0 before."""

    outputs: tuple[int, ...]
    """Output rows of each output (32 or 64 per value of float and int outputs)."""


class Plan(NamedTuple):
    """Everything about a network that never changes."""

    spec: NetworkSpec
    topology: Topology
    settings_int: NDArray[np.int64]
    settings_float: NDArray[np.float32]
    input_levels: int


def fold_seed(seed: int) -> int:
    """Return 32 bits of a 63-bit seed; seeds below 2**32 keep their value."""
    high = seed >> 32
    folded = seed & 0xFFFFFFFF
    if high:
        state = (high * 747796405 + 2891336453) & 0xFFFFFFFF
        word = (((state >> ((state >> 28) + 4)) ^ state) * 277803737) & 0xFFFFFFFF
        folded ^= (word >> 22) ^ word
    return folded


def make_plan(spec: NetworkSpec) -> Plan:
    """Check a spec and turn it into tables.

    Raises
    ------
    TemplateError
        If an output cannot be reached.
    ValueError
        If a setting is missing or unknown, or a kind is unknown.
    """
    settings = dict(spec.settings)
    if tuple(sorted(settings)) != SETTING_NAMES:
        raise ValueError(f"settings must be exactly {', '.join(SETTING_NAMES)}")
    for name, _, kind in spec.inputs:
        if kind not in INPUT_KINDS:
            raise ValueError(f"input '{name}' has kind '{kind}', not one of {list(INPUT_KINDS)}")
    for name, _, kind in spec.outputs:
        if kind not in OUTPUT_KINDS:
            raise ValueError(f"output '{name}' has kind '{kind}', not one of {list(OUTPUT_KINDS)}")
    cooldown = float(settings["neuron_cooldown"])
    refractory = int(settings["refractory_time"])
    entries = int(settings["replay_memory"])
    room = int(settings["replay_memory_bytes"]) - ENTRY_BYTES * entries
    ci = np.zeros(layout.SETTINGS_INT, np.int64)
    cf = np.zeros(layout.SETTINGS_FLOAT, np.float32)
    ci[layout.SET_SEED] = fold_seed(spec.seed)
    ci[layout.SET_BLOCKS_MAX] = int(settings["hidden_blocks_max"])
    ci[layout.SET_REPLAYS] = int(settings["replays_per_cycle"])
    ci[layout.SET_ENTRIES_MAX] = entries
    ci[layout.SET_CHUNKS_MAX] = max(0, room // CHUNK_BYTES)
    ci[layout.SET_POTENTIALS] = cooldown < COOLDOWN_WITHOUT_EFFECT or refractory > 1
    ci[layout.SET_REFRACTORY] = refractory
    ci[layout.SET_REDUCTION] = REDUCTION_CYCLES if settings["enable_reduction"] else 0
    ci[layout.SET_INPUTS] = len(spec.inputs)
    ci[layout.SET_OUTPUTS] = len(spec.outputs)
    cf[layout.SET_COOLDOWN] = cooldown if cooldown < COOLDOWN_WITHOUT_EFFECT else 0.0
    topology = plan_topology(spec, int(settings["max_connection_distance"]))
    return Plan(spec, topology, ci, cf, int(settings["input_levels"]))


def levels_of(plan: Plan, number: int, width: int) -> int:
    """Return how many levels input ``number`` has when its width is first known."""
    kind = plan.spec.inputs[number][2]
    if kind == "binary":
        return 1
    if kind == "match":
        return MATCH_LEVELS
    if plan.input_levels > 0:
        return plan.input_levels
    return NARROW_LEVELS if width <= NARROW_WIDTH_MAX else 1


def targets_per_value(plan: Plan, number: int) -> int:
    """Return how many output rows one value of output ``number`` has."""
    kind = OUTPUT_KINDS[plan.spec.outputs[number][2]]
    return {layout.OUT_INT: layout.BITS_INT, layout.OUT_FLOAT: layout.BITS_FLOAT}.get(kind, 1)
