"""Arrays of a network: allocation with room to grow, and their used extents.

The used extents ("state", a dictionary by name) are what the digest covers and a snapshot holds.
The arrays of the kernels are built from them with spare capacity; building again with more
capacity is how they grow.
"""

import hashlib
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from hanami_actors.compute.kernels import layout as lay
from hanami_actors.compute.plan import Plan, Sizes
from hanami_actors.compute.spec import pack_spec

__all__ = [
    "ARRAYS",
    "KERNEL_VERSION",
    "Capacity",
    "State",
    "aligned_zeros",
    "blocks_of",
    "digest_of",
    "empty_state",
    "link_tables",
    "sizes_of",
    "slots_of",
]

KERNEL_VERSION = 1
"""Raised by whoever changes a result."""

State = dict[str, NDArray[Any]]

ARRAYS = frozenset({
    "spec", "input_sizes", "output_owners", "settings_int", "settings_float", "counters", "means",
    "hexagon_passes", "hexagon_means", "blocks", "sections", "output_sections", "weights",
    "weights_slow", "bias", "bias_slow", "output_weights", "output_weights_slow", "output_bias",
    "output_bias_slow", "births", "usage", "free", "scale", "seen", "level_counts", "levels",
    "level_slots", "memory_entries", "memory_errors", "memory_slots", "memory_values",
    "memory_chain", "memory_spare", "potential", "rest",
})  # fmt: skip
"""Names of all arrays of a state."""

TRANSIENT = ("potential", "rest")
"""Part of snapshots, not of the digest."""

ALIGNMENT = 64


class Capacity(NamedTuple):
    """Rows the arrays have room for."""

    sections: int
    hexagon_blocks: int
    blocks: int
    out_weights: int
    entries: int
    chunks: int


def aligned_zeros(shape: tuple[int, ...], dtype: Any) -> NDArray[Any]:
    """Return zeros that begin at a cache line; a row that straddles two costs twice.

    Memory is taken from the system when it is first written, so spare capacity is nearly free.
    """
    kind = np.dtype(dtype)
    size = int(np.prod(shape)) * kind.itemsize
    raw = np.zeros(size + ALIGNMENT, np.uint8)
    start = -raw.__array_interface__["data"][0] % ALIGNMENT
    rows: NDArray[Any] = raw[start : start + size].view(kind).reshape(shape)
    return rows


def empty_state(plan: Plan) -> State:
    """Return the state of a network that has not even sizes."""
    inputs = len(plan.spec.inputs)
    hexagons = len(plan.spec.hexagons)
    counters = np.zeros(lay.COUNTERS, np.int64)
    counters[lay.N_SECTIONS] = 1
    counters[lay.N_VROWS] = 1
    means = np.zeros(lay.MEANS, np.float32)
    means[lay.F_ERROR] = 1.0
    rows = np.zeros((1, lay.BLOCK), np.float32)
    none = np.zeros((0, lay.BLOCK), np.float32)
    return {
        "spec": np.frombuffer(pack_spec(plan.spec), np.uint8),
        "input_sizes": np.zeros((inputs, 2), np.int64),
        "output_owners": np.zeros((0, 2), np.int32),
        "settings_int": plan.settings_int.copy(),
        "settings_float": plan.settings_float.copy(),
        "counters": counters,
        "means": means,
        "hexagon_passes": np.zeros(hexagons, np.int64),
        "hexagon_means": np.zeros((hexagons, lay.HEXAGON_MEANS), np.float32),
        "blocks": np.zeros((0, 2), np.int32),
        "sections": np.zeros(0, np.int32),
        "output_sections": np.zeros((0, 0), np.int32),
        "weights": rows,
        "weights_slow": rows,
        "bias": none,
        "bias_slow": none,
        "output_weights": rows,
        "output_weights_slow": rows,
        "output_bias": np.zeros(0, np.float32),
        "output_bias_slow": np.zeros(0, np.float32),
        "births": np.zeros(1, np.int32),
        "usage": np.zeros(0, np.float32),
        "free": np.zeros(0, np.int32),
        "scale": np.zeros(0, np.float32),
        "seen": np.zeros(0, np.int32),
        "level_counts": np.zeros(0, np.int32),
        "levels": np.zeros(0, np.float32),
        "level_slots": np.zeros(0, np.int32),
        "memory_entries": np.zeros((0, 3), np.int32),
        "memory_errors": np.zeros(0, np.float32),
        "memory_slots": np.zeros((0, lay.CHUNK), np.int32),
        "memory_values": np.zeros((0, lay.CHUNK), np.float32),
        "memory_chain": np.zeros(0, np.int32),
        "memory_spare": np.zeros(0, np.int32),
        "potential": np.zeros((2, 0, lay.BLOCK), np.float32),
        "rest": np.zeros((2, 0, lay.BLOCK), np.int32),
    }


def sizes_of(plan: Plan, state: Mapping[str, NDArray[Any]]) -> Sizes:
    """Return the widths a state has."""
    owners = state["output_owners"][:, 0]
    return Sizes(
        inputs=tuple(int(x) for x in state["input_sizes"][:, 0]),
        levels=tuple(int(x) for x in state["input_sizes"][:, 1]),
        outputs=tuple(int((owners == q).sum()) for q in range(len(plan.spec.outputs))),
    )


def blocks_of(plan: Plan, state: Mapping[str, NDArray[Any]]) -> NDArray[np.int64]:
    """Return how many blocks each hexagon has."""
    counts = np.bincount(state["blocks"][:, 0], minlength=len(plan.spec.hexagons))
    return counts.astype(np.int64)


def slots_of(plan: Plan, sizes: Sizes, blocks: NDArray[np.int64]) -> list[int]:
    """Return how many slots each group of sources has."""
    inputs = [width * levels for width, levels in zip(sizes.inputs, sizes.levels, strict=True)]
    hexagons = plan.topology.groups[len(sizes.inputs) :]
    return inputs + [int(blocks[h]) * lay.BLOCK for h in hexagons]


def link_tables(
    plan: Plan, state: Mapping[str, NDArray[Any]], sizes: Sizes
) -> Iterator[tuple[int, NDArray[np.int32]]]:
    """Yield (link, table of sections [block of the target, slot]) of a state."""
    blocks = blocks_of(plan, state)
    slots = slots_of(plan, sizes, blocks)
    at = 0
    for number, link in enumerate(plan.topology.links):
        shape = (int(blocks[link.target]), slots[link.group])
        cells = shape[0] * shape[1]
        yield number, state["sections"][at : at + cells].reshape(shape)
        at += cells


def digest_of(state: Mapping[str, NDArray[Any]]) -> str:
    """Return the hex BLAKE2b-256 of a state: name, shape, type and bytes of every array.

    Little-endian, in the order of names; transients are left out, the kernel version is in.
    """
    digest = hashlib.blake2b(digest_size=32)
    digest.update(f"kernel_version={KERNEL_VERSION}\n".encode())
    for name in sorted(state):
        if name in TRANSIENT:
            continue
        array = np.ascontiguousarray(state[name])
        little = array.astype(array.dtype.newbyteorder("<"), copy=False)
        digest.update(f"{name} {array.shape} {little.dtype.str}\n".encode())
        digest.update(little.data)
    return digest.hexdigest()
