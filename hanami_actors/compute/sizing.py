"""Wider inputs and outputs, and how much room the arrays need.

Source: network.md part 1, sizes; growing changes no answer for old inputs.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hanami_actors.compute.kernels import layout as lay
from hanami_actors.compute.kernels.arrays import Arrays
from hanami_actors.compute.plan import Plan, Sizes, levels_of
from hanami_actors.compute.state import (
    Capacity,
    State,
    blocks_of,
    link_tables,
    sizes_of,
    slots_of,
)

__all__ = ["capacity_for", "grown_sizes", "resize", "wanted_blocks"]

FIRST_SECTIONS = 64
FIRST_CHUNKS = 64
FIRST_ENTRIES = 64


def grown_sizes(
    plan: Plan, old: Sizes, inputs: Mapping[str, int], outputs: Mapping[str, int]
) -> Sizes:
    """Return the sizes after ``inputs`` and ``outputs`` (rows) ask for theirs; none shrinks.

    Raises
    ------
    KeyError
        For a name the template does not have.
    """
    known_inputs = {name for name, _, _ in plan.spec.inputs}
    known_outputs = {name for name, _, _ in plan.spec.outputs}
    for name in (*inputs, *outputs):
        if name not in known_inputs | known_outputs:
            raise KeyError(f"no input or output is called '{name}'")
    widths, levels = [], []
    for number, (name, _, _) in enumerate(plan.spec.inputs):
        width = max(old.inputs[number], inputs.get(name, 0))
        widths.append(width)
        first_time = old.levels[number] == 0 and width > 0
        levels.append(levels_of(plan, number, width) if first_time else old.levels[number])
    rows = [
        max(old.outputs[number], outputs.get(name, 0))
        for number, (name, _, _) in enumerate(plan.spec.outputs)
    ]
    return Sizes(tuple(widths), tuple(levels), tuple(rows))


def _spread(parts: NDArray[Any], old: tuple[int, ...], new: tuple[int, ...]) -> NDArray[Any]:
    """Return a list of lists with every list made longer by zeros."""
    longer = np.zeros(sum(new), parts.dtype)
    source = target = 0
    for before, after in zip(old, new, strict=True):
        longer[target : target + before] = parts[source : source + before]
        source += before
        target += after
    return longer


def resize(plan: Plan, state: State, new: Sizes) -> State:
    """Return a state with wider inputs and more output rows; everything old is kept.

    Parameters
    ----------
    plan : Plan
    state : dict
    new : Sizes
        None smaller than in ``state``.
    """
    old = sizes_of(plan, state)
    blocks = blocks_of(plan, state)
    slots = slots_of(plan, new, blocks)
    result = dict(state)
    tables = []
    for number, table in link_tables(plan, state, old):
        wide = np.zeros((table.shape[0], slots[plan.topology.links[number].group]), np.int32)
        wide[:, : table.shape[1]] = table
        tables.append(wide.ravel())
    result["sections"] = np.concatenate([np.zeros(0, np.int32), *tables])
    for name in ("scale", "seen", "level_counts"):
        result[name] = _spread(state[name], old.inputs, new.inputs)
    result["usage"] = _spread(state["usage"], tuple(slots_of(plan, old, blocks)), tuple(slots))
    cells = [tuple(w * lv for w, lv in zip(s.inputs, s.levels, strict=True)) for s in (old, new)]
    for name in ("levels", "level_slots"):
        result[name] = _spread(state[name], *cells)
    result["input_sizes"] = np.array([new.inputs, new.levels], np.int64).T.copy()
    owners = [
        (q, position)
        for q, (before, after) in enumerate(zip(old.outputs, new.outputs, strict=True))
        for position in range(before, after)
    ]
    added = np.array(owners, np.int32).reshape(-1, 2)
    result["output_owners"] = np.concatenate([state["output_owners"], added])
    result["output_sections"] = np.pad(state["output_sections"], ((0, 0), (0, len(added))))
    for name in ("output_bias", "output_bias_slow"):
        result[name] = np.pad(state[name], (0, len(added)))
    result["counters"] = state["counters"].copy()
    result["counters"][lay.N_ROWS] = len(result["output_owners"])
    return result


def wanted_blocks(plan: Plan, state: State) -> list[tuple[int, int]]:
    """Return (hexagon, blocks to open now): one per hidden hexagon, or sums for all its rows.

    Nothing is opened before an input has a width, so that weights of outputs can be scaled.
    """
    sizes = sizes_of(plan, state)
    if not any(sizes.inputs):
        return []
    have = blocks_of(plan, state)
    targets = {link.target for link in plan.topology.links}
    wanted = []
    for h, hidden in enumerate(plan.topology.hidden):
        need = 1 if hidden else 0
        if not hidden and h in targets:
            rows = sum(
                sizes.outputs[q] for q, (_, at, _) in enumerate(plan.spec.outputs) if at == h
            )
            need = -(-rows // lay.BLOCK)
        if need > have[h]:
            wanted.append((h, int(need - have[h])))
    return wanted


def _doubled(used: int, needed: int, limit: int) -> int:
    """Return a capacity of at least ``needed``, with room in proportion to what is used."""
    return max(min(max(needed, 2 * used), limit), used, 1)


def capacity_for(plan: Plan, state: State) -> Capacity:
    """Return room for the state and at least one more cycle, growth included.

    Parameters
    ----------
    plan : Plan
    state : dict
    """
    sizes = sizes_of(plan, state)
    blocks = blocks_of(plan, state)
    opening = dict(wanted_blocks(plan, state))
    after = blocks + np.array([opening.get(h, 0) for h in range(len(blocks))], np.int64)
    grown = after + np.array(plan.topology.hidden, np.int64)
    slots = slots_of(plan, sizes, grown)
    full = sum(int(grown[link.target]) * slots[link.group] for link in plan.topology.links)
    cnt = state["counters"]
    rows = len(state["output_owners"])
    total = int(grown.sum())
    chunks = (sum(slots) + len(slots) + rows) // lay.CHUNK + 2
    ci = plan.settings_int
    used_chunks = int(cnt[lay.N_CHUNKS])
    used_entries = int(cnt[lay.N_ENTRIES])
    return Capacity(
        sections=int(cnt[lay.N_SECTIONS]) + full + FIRST_SECTIONS,
        hexagon_blocks=int(grown.max(initial=1)),
        blocks=max(total, 1),
        out_weights=1 + total * rows,
        entries=_doubled(used_entries, used_entries + FIRST_ENTRIES, int(ci[lay.SET_ENTRIES_MAX])),
        chunks=_doubled(
            used_chunks, used_chunks + chunks + FIRST_CHUNKS, int(ci[lay.SET_CHUNKS_MAX])
        ),
    )


def used_bytes(arrays: Arrays) -> tuple[int, int]:
    """Return (bytes of everything in use, bytes of the replay memory in it)."""
    cnt = arrays.cnt
    memory = int(cnt[lay.N_ENTRIES]) * 16 + int(cnt[lay.N_CHUNKS]) * (lay.CHUNK * 8 + 4)
    rows = 2 * (int(cnt[lay.N_SECTIONS]) + int(cnt[lay.N_BLOCKS]) + int(cnt[lay.N_VROWS]))
    tables = sum(
        int(getattr(arrays, name).nbytes)
        for name in ("so", "vo", "m", "n", "kc", "kn", "ks", "bo", "bos", "hx", "gr", "lk")
    )
    return memory + rows * lay.BLOCK * 4 + tables, memory
