"""The arrays of a network as one tuple: what kernels and facade hand around.

A named tuple costs nothing inside compiled code and works without the compiler as well. State
arrays are covered by the digest; transients and scratch are not.
"""

from typing import Any, NamedTuple

__all__ = ["Arrays"]


class Arrays(NamedTuple):
    """All arrays of a network with their capacity, C-contiguous; shapes in `network.md` order."""

    ci: Any  # int64[32] settings
    cf: Any  # float32[16] settings
    cnt: Any  # int64[32] counters
    flt: Any  # float32[16] running means
    hx: Any  # int64[hexagons, 16]
    hf: Any  # float32[hexagons, 4]
    gr: Any  # int64[groups, 16]
    lk: Any  # int64[links, 8]
    hb: Any  # int32[hexagons, blocks of one hexagon] block numbers, in order of position
    rd: Any  # int32[n] hexagons that output rows read, hexagon after hexagon
    hr: Any  # int32[output rows] output rows of hexagons, hexagon after hexagon
    blocks: Any  # int32[blocks, 2] hexagon, position
    so: Any  # int32[n] section of (link, position, slot)
    vo: Any  # int32[blocks, output rows] row of V
    w: Any  # float32[sections, 128] fast
    ws: Any  # float32[sections, 128] slow
    b: Any  # float32[blocks, 128]
    bs: Any  # float32[blocks, 128]
    v: Any  # float32[rows of V, 128]
    vs: Any  # float32[rows of V, 128]
    bo: Any  # float32[output rows]
    bos: Any  # float32[output rows]
    free: Any  # int32[sections] freed sections, a stack
    births: Any  # int32[sections] reduction period in which they were made
    usage: Any  # float32[n] squares of the sources, cells as in ai
    m: Any  # float32[values] scale
    n: Any  # int32[values] how often active, at most 1000
    kc: Any  # int32[values] borders
    kn: Any  # float32[values * levels] borders, sorted
    ks: Any  # int32[values * levels] their slots
    me: Any  # int32[entries, 3] replay memory: first chunk, input pairs, target pairs
    mx: Any  # float32[entries] last error
    mi: Any  # int32[chunks, 32]
    mv: Any  # float32[chunks, 32]
    mc: Any  # int32[chunks] next chunk or -1
    mf: Any  # int32[chunks] freed chunks, a stack
    pot: Any  # transient: float32[2, blocks, 128] potentials in training and in requests
    rest: Any  # transient: int32[2, blocks, 128] cycles to rest
    ri: Any  # scratch: int32[widest of inputs and output rows + 1]
    rv: Any  # scratch: float32[same]
    ai: Any  # scratch: int32[n] active slots, group after group
    ar: Any  # scratch: float32[n]
    an: Any  # scratch: int64[groups]
    ae: Any  # scratch: float32[groups]
    fresh: Any  # scratch: int32[values] slots seen for the first time, input after input
    origins: Any  # scratch: int32[2 * values]
    shares: Any  # scratch: float32[2 * values]
    made: Any  # scratch: int64[inputs] how many fresh slots
    positions: Any  # scratch: int64[2]
    parts: Any  # scratch: float32[2]
    place: Any  # scratch: int64[3]
    scores: Any  # scratch: float32[sections]
    z: Any  # scratch: float32[blocks, 128]
    a: Any  # scratch: float32[blocks, 128]
    d: Any  # scratch: float32[blocks, 128]
    gate: Any  # scratch: float32[blocks, 128]
    step: Any  # scratch: float32[128]
    lanes: Any  # scratch: float32[32]
    o: Any  # scratch: float32[output rows]
    e: Any  # scratch: float32[output rows]
    y: Any  # scratch: float32[output rows] targets, NaN: not given
    oc: Any  # int32[n] output rows of each output, output after output
    io: Any  # int64[inputs + outputs, 8] columns of the call, see `layout`
