"""From a state to the arrays of the kernels, and back."""

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hanami_actors.compute.kernels import layout as lay
from hanami_actors.compute.kernels.arrays import Arrays
from hanami_actors.compute.plan import INPUT_KINDS, OUTPUT_KINDS, Plan, Sizes
from hanami_actors.compute.state import (
    Capacity,
    State,
    aligned_zeros,
    blocks_of,
    link_tables,
    sizes_of,
    slots_of,
)

__all__ = ["build", "used_extents"]

Table = NDArray[np.int64]

ROWS = (  # name in the state, name in Arrays, counter of used rows
    ("weights", "w", lay.N_SECTIONS),
    ("weights_slow", "ws", lay.N_SECTIONS),
    ("bias", "b", lay.N_BLOCKS),
    ("bias_slow", "bs", lay.N_BLOCKS),
    ("output_weights", "v", lay.N_VROWS),
    ("output_weights_slow", "vs", lay.N_VROWS),
    ("blocks", "blocks", lay.N_BLOCKS),
    ("births", "births", lay.N_SECTIONS),
    ("free", "free", lay.N_FREE),
    ("memory_entries", "me", lay.N_ENTRIES),
    ("memory_errors", "mx", lay.N_ENTRIES),
    ("memory_slots", "mi", lay.N_CHUNKS),
    ("memory_values", "mv", lay.N_CHUNKS),
    ("memory_chain", "mc", lay.N_CHUNKS),
    ("memory_spare", "mf", lay.N_CHUNKS_FREE),
)
WHOLE = (  # arrays without spare room
    ("settings_int", "ci"),
    ("settings_float", "cf"),
    ("counters", "cnt"),
    ("means", "flt"),
    ("hexagon_means", "hf"),
    ("output_bias", "bo"),
    ("output_bias_slow", "bos"),
    ("scale", "m"),
    ("seen", "n"),
    ("level_counts", "kc"),
    ("levels", "kn"),
    ("level_slots", "ks"),
)


def _hexagon_tables(plan: Plan, state: State, sizes: Sizes, capacity: Capacity) -> dict[str, Any]:
    """Return hx, hb, rd and hr: all of it follows from the plan, the blocks and the rows."""
    topology = plan.topology
    count = len(plan.spec.hexagons)
    hx = aligned_zeros((count, lay.HEXAGON_CELLS), np.int64)
    hb = aligned_zeros((count, capacity.hexagon_blocks), np.int32)
    hx[:, lay.HX_PASSES] = state["hexagon_passes"]
    hx[:, lay.HX_BLOCKS] = blocks_of(plan, state)
    hx[:, lay.HX_GROUP] = -1
    for group, hexagon in enumerate(topology.groups[len(sizes.inputs) :], len(sizes.inputs)):
        hx[hexagon, lay.HX_GROUP] = group
    for block, (hexagon, position) in enumerate(state["blocks"]):
        hb[hexagon, position] = block
    owners = state["output_owners"][:, 0]
    row_hexagons = np.array([h for _, h, _ in plan.spec.outputs], np.int64)[owners]
    reads: list[int] = []
    rows: list[int] = []
    for h in range(count):
        into = [n for n, link in enumerate(topology.links) if link.target == h]
        own = np.flatnonzero(row_hexagons == h)
        hx[h, lay.HX_BLOCKS_MAX] = plan.settings_int[lay.SET_BLOCKS_MAX] * topology.hidden[h]
        hx[h, lay.HX_OUT_BLOCKS] = bool(into) and not topology.hidden[h]
        hx[h, lay.HX_LINK_FIRST] = into[0] if into else 0
        hx[h, lay.HX_LINKS] = len(into)
        hx[h, lay.HX_ROW_FIRST] = len(rows)
        hx[h, lay.HX_ROWS] = len(own)
        hx[h, lay.HX_READ_FIRST] = len(reads)
        hx[h, lay.HX_READS] = len(topology.reads[h])
        rows += [int(x) for x in own]
        reads += topology.reads[h]
    return {"hx": hx, "hb": hb, "rd": _whole(reads, np.int32), "hr": _whole(rows, np.int32)}


def _whole(values: Any, dtype: Any) -> NDArray[Any]:
    """Return an aligned copy; never of length 0, an address must mean something."""
    source = np.asarray(values, dtype)
    copy = aligned_zeros(source.shape, dtype)
    copy[...] = source
    return copy


def _group_table(plan: Plan, state: State, sizes: Sizes, capacity: Capacity) -> tuple[Table, int]:
    """Return gr, and how many cells the lists of active slots need."""
    topology = plan.topology
    inputs = len(sizes.inputs)
    blocks = blocks_of(plan, state)
    slots = slots_of(plan, sizes, blocks)
    gr = aligned_zeros((len(topology.groups), lay.GROUP_CELLS), np.int64)
    value_at = level_at = active_at = 0
    for g, hexagon in enumerate(topology.groups):
        gr[g, lay.GR_HEXAGON] = hexagon
        gr[g, lay.GR_SLOTS] = slots[g]
        gr[g, lay.GR_ACTIVE_AT] = active_at
        if g >= inputs:
            gr[g, lay.GR_KIND] = lay.KIND_NEURONS
            gr[g, lay.GR_WIDTH] = slots[g]
            gr[g, lay.GR_LEVELS] = 1
            gr[g, lay.GR_KNOWN] = slots[g]
            active_at += capacity.hexagon_blocks * lay.BLOCK
            continue
        width, levels = sizes.inputs[g], sizes.levels[g]
        gr[g, lay.GR_KIND] = INPUT_KINDS[plan.spec.inputs[g][2]]
        gr[g, lay.GR_WIDTH] = width
        gr[g, lay.GR_LEVELS] = max(levels, 1)
        gr[g, lay.GR_VALUE_AT] = value_at
        gr[g, lay.GR_LEVEL_AT] = level_at
        here = slice(value_at, value_at + width)
        known = state["level_counts"][here] if levels > 1 else state["seen"][here] > 0
        gr[g, lay.GR_KNOWN] = known.sum()
        value_at += width
        level_at += width * levels
        active_at += width * max(levels, 1) + 1
    return gr, active_at


def _usage_cells(gr: Table) -> Iterator[tuple[slice, slice]]:
    """Yield the cells of every group in the array of usage and in the state."""
    at = 0
    for first, slots in gr[:, [lay.GR_ACTIVE_AT, lay.GR_SLOTS]].tolist():
        yield slice(first, first + slots), slice(at, at + slots)
        at += slots


def _link_table(plan: Plan, state: State, gr: Table, capacity: Capacity) -> dict[str, Any]:
    """Return lk and so, with room for the blocks that fit the capacity."""
    links = plan.topology.links
    lk = aligned_zeros((len(links), lay.LINK_CELLS), np.int64)
    sizes = sizes_of(plan, state)
    at = 0
    strides = []
    for number, link in enumerate(links):
        neurons = gr[link.group, lay.GR_KIND] == lay.KIND_NEURONS
        stride = capacity.hexagon_blocks * lay.BLOCK if neurons else gr[link.group, lay.GR_SLOTS]
        lk[number, : lay.LINK_CELLS // 2] = (link.group, link.target, at, stride)
        strides.append(int(stride))
        at += capacity.hexagon_blocks * int(stride)
    so = aligned_zeros((at,), np.int32)
    for number, table in link_tables(plan, state, sizes):
        begin = int(lk[number, lay.LK_AT])
        room = so[begin : begin + capacity.hexagon_blocks * strides[number]]
        room = room.reshape(capacity.hexagon_blocks, strides[number])
        room[: table.shape[0], : table.shape[1]] = table
    return {"lk": lk, "so": so}


def _scratch(
    sizes: Sizes, capacity: Capacity, groups: int, listed: int, rows: int
) -> dict[str, Any]:
    """Return the arrays that carry nothing from one cycle to the next."""
    widest = max((*sizes.inputs, rows)) + 1
    values = sum(sizes.inputs) + 1
    block_rows = (capacity.blocks, lay.BLOCK)
    shapes: dict[str, tuple[tuple[int, ...], Any]] = {
        "ri": ((widest,), np.int32),
        "rv": ((widest,), np.float32),
        "ai": ((listed + 1,), np.int32),
        "ar": ((listed + 1,), np.float32),
        "an": ((groups,), np.int64),
        "ae": ((groups,), np.float32),
        "fresh": ((values,), np.int32),
        "origins": ((2 * values,), np.int32),
        "shares": ((2 * values,), np.float32),
        "made": ((len(sizes.inputs),), np.int64),
        "positions": ((2,), np.int64),
        "parts": ((2,), np.float32),
        "place": ((3,), np.int64),
        "scores": ((capacity.sections,), np.float32),
        "z": (block_rows, np.float32),
        "a": (block_rows, np.float32),
        "d": (block_rows, np.float32),
        "gate": (block_rows, np.float32),
        "step": ((lay.BLOCK,), np.float32),
        "lanes": ((lay.LANES,), np.float32),
        "o": ((rows,), np.float32),
        "e": ((rows,), np.float32),
        "y": ((rows,), np.float32),
    }
    return {name: aligned_zeros(shape, dtype) for name, (shape, dtype) in shapes.items()}


def _columns(plan: Plan, state: State) -> dict[str, Any]:
    """Return io and oc: where the columns of a call go."""
    inputs = len(plan.spec.inputs)
    owners = state["output_owners"]
    io = aligned_zeros((inputs + len(plan.spec.outputs), lay.IO_CELLS), np.int64)
    cells: list[int] = []
    for q, (_, _, kind) in enumerate(plan.spec.outputs):
        io[inputs + q, lay.IO_FIRST] = len(cells)
        io[inputs + q, lay.IO_CONVERT] = OUTPUT_KINDS[kind]
        own = np.flatnonzero(owners[:, 0] == q)
        cells += [int(x) for x in own[np.argsort(owners[own, 1], kind="stable")]]
    return {"io": io, "oc": _whole(cells, np.int32)}


def _row_room(name: str, capacity: Capacity) -> int:
    """Return how many rows an array of `ROWS` gets."""
    if name in ("w", "ws", "births", "free"):
        return capacity.sections
    if name in ("v", "vs"):
        return capacity.out_weights
    if name in ("b", "bs", "blocks"):
        return capacity.blocks
    return capacity.entries if name in ("me", "mx") else capacity.chunks


def build(plan: Plan, state: State, capacity: Capacity) -> Arrays:
    """Return the arrays of the kernels, with the state copied in.

    Parameters
    ----------
    plan : Plan
    state : dict
        Used extents.
    capacity : Capacity
        At least what the state uses.
    """
    sizes = sizes_of(plan, state)
    rows = len(state["output_owners"])
    arrays: dict[str, Any] = _hexagon_tables(plan, state, sizes, capacity)
    arrays["gr"], listed = _group_table(plan, state, sizes, capacity)
    arrays |= _link_table(plan, state, arrays["gr"], capacity)
    arrays |= _scratch(sizes, capacity, len(plan.topology.groups), listed, rows)
    arrays |= _columns(plan, state)
    for name, short in WHOLE:
        arrays[short] = _whole(state[name], state[name].dtype)
    for name, short, _ in ROWS:
        source = state[name]
        room = aligned_zeros((_row_room(short, capacity), *source.shape[1:]), source.dtype)
        room[: len(source)] = source
        arrays[short] = room
    arrays["usage"] = aligned_zeros((listed + 1,), np.float32)
    for here, there in _usage_cells(arrays["gr"]):
        arrays["usage"][here] = state["usage"][there]
    blocks = len(state["blocks"])
    arrays["vo"] = aligned_zeros((capacity.blocks, rows), np.int32)
    arrays["vo"][:blocks] = state["output_sections"]
    for name, short in (("potential", "pot"), ("rest", "rest")):
        arrays[short] = aligned_zeros((2, capacity.blocks, lay.BLOCK), state[name].dtype)
        arrays[short][:, :blocks] = state[name]
    return Arrays(**arrays)


def used_extents(plan: Plan, arrays: Arrays, fixed: Mapping[str, NDArray[Any]]) -> State:
    """Return a copy of everything in use.

    Parameters
    ----------
    plan : Plan
    arrays : Arrays
    fixed : mapping
        The arrays that only a change of sizes changes: spec, input_sizes, output_owners.
    """
    blocks = int(arrays.cnt[lay.N_BLOCKS])
    state: State = dict(fixed)
    for name, short in WHOLE:
        state[name] = getattr(arrays, short).copy()
    for name, short, counter in ROWS:
        state[name] = getattr(arrays, short)[: int(arrays.cnt[counter])].copy()
    state["hexagon_passes"] = arrays.hx[:, lay.HX_PASSES].copy()
    state["output_sections"] = arrays.vo[:blocks].copy()
    state["potential"] = arrays.pot[:, :blocks].copy()
    state["rest"] = arrays.rest[:, :blocks].copy()
    state["usage"] = np.concatenate(
        [np.zeros(0, np.float32), *(arrays.usage[cells] for cells, _ in _usage_cells(arrays.gr))]
    )
    parts = [np.zeros(0, np.int32)]
    for group, target, at, stride in arrays.lk[:, : lay.LINK_CELLS // 2]:
        rows = int(arrays.hx[target, lay.HX_BLOCKS])
        table = arrays.so[at : at + rows * stride].reshape(rows, stride)
        parts.append(table[:, : int(arrays.gr[group, lay.GR_SLOTS])].ravel())
    state["sections"] = np.concatenate(parts)
    return state
