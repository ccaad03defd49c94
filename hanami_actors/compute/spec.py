"""What a network is made from: positions, axons, names, settings, seed. Plain tuples only."""

from typing import NamedTuple

import msgpack  # type: ignore[import-untyped]

__all__ = ["NetworkSpec", "pack_spec", "unpack_spec"]


class NetworkSpec(NamedTuple):
    """A network before it has learned anything; hashable, without domain types."""

    hexagons: tuple[tuple[int, int, int], ...]
    """Positions in template order; the index is the number of the hexagon."""

    axons: tuple[tuple[int, int], ...]
    """(source hexagon, target hexagon); the last one of a source counts."""

    inputs: tuple[tuple[str, int, str], ...]
    """(name, hexagon, kind), kind one of plain, binary, match."""

    outputs: tuple[tuple[str, int, str], ...]
    """(name, hexagon, kind), kind one of plain, bool, int, float."""

    settings: tuple[tuple[str, float | int | bool], ...]
    """All settings by name, sorted; complete, see `plan.SETTING_NAMES`."""

    seed: int
    """0 ... 2**63 - 1."""


def pack_spec(spec: NetworkSpec) -> bytes:
    """Return the spec as bytes, equal for equal specs."""
    packed: bytes = msgpack.packb(tuple(spec))
    return packed


def unpack_spec(data: bytes) -> NetworkSpec:
    """Return the spec that `pack_spec` made ``data`` from."""
    hexagons, axons, inputs, outputs, settings, seed = msgpack.unpackb(data, use_list=False)
    return NetworkSpec(hexagons, axons, inputs, outputs, settings, seed)
