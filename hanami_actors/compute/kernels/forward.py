"""From responses to outputs, hexagon by hexagon in template order.

Source: network.md part 2, step 2 of a cycle.
"""

import numpy as np

from hanami_actors.compute.kernels.jit import kernel
from hanami_actors.compute.kernels.layout import (
    BLOCK,
    GR_ACTIVE_AT,
    HX_BLOCKS,
    HX_GROUP,
    HX_LINK_FIRST,
    HX_LINKS,
    HX_OUT_BLOCKS,
    HX_READ_FIRST,
    HX_READS,
    HX_ROW_FIRST,
    HX_ROWS,
    LK_AT,
    LK_GROUP,
    LK_STRIDE,
    PASS_REPLAY,
    SET_COOLDOWN,
    SET_POTENTIALS,
    SET_REFRACTORY,
)
from hanami_actors.compute.kernels.vector import add_sections, dot, square_sum

__all__ = ["activate", "activate_with_potential", "forward", "list_active", "sum_rows"]


@kernel
def activate(z, a):
    """Set ``a = max(z, 0)``.

    Parameters
    ----------
    z, a : float32[128]
        Sums; activations, overwritten.
    """
    for j in range(BLOCK):
        a[j] = max(z[j], np.float32(0.0))


@kernel
def activate_with_potential(z, a, gate, potential, rest, cooldown, refractory):
    """Activate neurons that keep a part of their potential and rest after they were active.

    Parameters
    ----------
    z : float32[128], updated
        Sums; what is left of the potential is added.
    a : float32[128], overwritten
    gate : float32[128], overwritten
        0 where a neuron rests: it does not learn in this cycle; else 1.
    potential : float32[128], updated
    rest : int32[128], updated
        Cycles that a neuron still ignores its input.
    cooldown : float32
        What is left of a potential is potential / cooldown; 0: nothing.
    refractory : int64
        After it was active a neuron rests for refractory - 1 cycles.
    """
    for j in range(BLOCK):
        left = np.float32(0.0)
        if cooldown > np.float32(0.0):
            left = potential[j] / cooldown
        if rest[j] > 0:
            rest[j] -= 1
            potential[j] = left
            a[j] = np.float32(0.0)
            gate[j] = np.float32(0.0)
        else:
            z[j] += left
            a[j] = max(z[j], np.float32(0.0))
            potential[j] = a[j]
            gate[j] = np.float32(1.0)
            if a[j] > np.float32(0.0):
                rest[j] = refractory - 1


@kernel
def list_active(a, position, slots, values, at, count):
    """Append the active neurons of a block to the list of its hexagon.

    Parameters
    ----------
    a : float32[128]
    position : int64
        Position of the block in its hexagon.
    slots : int32[n], values : float32[n], updated
    at, count : int64
        First cell of the list; its length so far.

    Returns
    -------
    int64
        Its new length.
    """
    for j in range(BLOCK):
        if a[j] > np.float32(0.0):
            slots[at + count] = position * BLOCK + j
            values[at + count] = a[j]
            count += 1
    return count


@kernel
def sum_rows(hexagon, hx, hb, rd, hr, vo, out_weights, out_bias, a, z, o, lanes):
    """Compute the output rows of one hexagon.

    A row is its bias, plus the dot products with the blocks it reads in order, plus its sum of
    direct sections if an input lies right before the outputs.

    Parameters
    ----------
    hexagon : int64
    hx, hb, rd, hr, vo
        Tables of hexagons, their blocks, the hexagons outputs read, output rows of hexagons, and
        rows of V for (block, output row); see `layout`.
    out_weights : float32[rows of V, 128], out_bias : float32[output rows]
    a, z : float32[blocks, 128]
    o : float32[output rows], updated
    lanes : float32[32], overwritten
    """
    first = hx[hexagon, HX_ROW_FIRST]
    direct = hx[hexagon, HX_OUT_BLOCKS] > 0
    for i in range(hx[hexagon, HX_ROWS]):
        k = hr[first + i]
        x = out_bias[k]
        for q in range(hx[hexagon, HX_READS]):
            read = rd[hx[hexagon, HX_READ_FIRST] + q]
            for position in range(hx[read, HX_BLOCKS]):
                block = hb[read, position]
                x += dot(a[block], out_weights[vo[block, k]], lanes)
        if direct:
            x += z[hb[hexagon, i // BLOCK], i % BLOCK]
        o[k] = x


@kernel
def forward(
    hx, lk, gr, hb, rd, hr, so, vo, weights, bias, out_weights, out_bias, why,
    ci, cf, potential, rest, slots, values, counts, energies, z, a, gate, o, lanes,
):  # fmt: skip
    """Compute all sums, activations and outputs from the active slots of the inputs.

    Parameters
    ----------
    hx, lk, gr, hb, rd, hr, so, vo
        Tables of the topology, see `layout`.
    weights : float32[sections, 128], bias : float32[blocks, 128]
    out_weights : float32[rows of V, 128], out_bias : float32[output rows]
        Fast weights in training, slow weights in requests.
    why : int64
        layout.PASS_...; in replays potentials neither count nor change.
    ci : int64[32], cf : float32[16]
        Settings.
    potential : float32[blocks, 128], rest : int32[blocks, 128], updated if kept
    slots : int32[n], values : float32[n], counts : int64[groups], energies : float32[groups]
        Active slots, how many per group, sum of squares per group; filled for inputs, here for
        hexagons.
    z, a, gate : float32[blocks, 128], overwritten
    o : float32[output rows], overwritten
    lanes : float32[32], overwritten

    Determinism
    -----------
    Sections are added in order of link and slot, blocks and hexagons in their order.
    """
    potentials = why != PASS_REPLAY and ci[SET_POTENTIALS] != 0
    for hexagon in range(hx.shape[0]):
        direct = hx[hexagon, HX_OUT_BLOCKS] > 0
        group = hx[hexagon, HX_GROUP]
        listed = 0
        energy = np.float32(0.0)
        for position in range(hx[hexagon, HX_BLOCKS]):
            block = hb[hexagon, position]
            zb = z[block]
            bb = bias[block]
            for j in range(BLOCK):
                zb[j] = bb[j]
            for q in range(hx[hexagon, HX_LINKS]):
                link = hx[hexagon, HX_LINK_FIRST] + q
                source = lk[link, LK_GROUP]
                first = gr[source, GR_ACTIVE_AT]
                at = lk[link, LK_AT] + position * lk[link, LK_STRIDE]
                add_sections(zb, weights, so, at, slots, values, first, first + counts[source])
            if direct:
                continue
            if potentials:
                activate_with_potential(
                    zb, a[block], gate[block], potential[block], rest[block],
                    cf[SET_COOLDOWN], ci[SET_REFRACTORY],
                )  # fmt: skip
            else:
                activate(zb, a[block])
            if group >= 0:
                listed = list_active(
                    a[block], position, slots, values, gr[group, GR_ACTIVE_AT], listed
                )
                energy += square_sum(a[block], lanes)
        if group >= 0:
            counts[group] = listed
            energies[group] = energy
        sum_rows(hexagon, hx, hb, rd, hr, vo, out_weights, out_bias, a, z, o, lanes)
