"""From errors to weights, hexagons in reverse order.

Source: network.md part 2, steps 4 and 5 of a cycle. The step sizes are those of a normalised
least-mean-squares filter (Nagumo and Noda 1967), one per hexagon, bounded by a running mean so
that a sample with little input does not learn with a huge step.
Differs: what a hexagon hands to the hexagons before it is the derivative without its own step
size, so that the step of a second hidden hexagon does not shrink that of the first.
"""

import numpy as np

from hanami_actors.compute.kernels.jit import kernel
from hanami_actors.compute.kernels.layout import (
    BLOCK,
    GR_ACTIVE_AT,
    GR_HEXAGON,
    GR_KIND,
    GR_WIDTH,
    HF_NEURONS,
    HF_SOURCES,
    HX_BLOCKS,
    HX_LINK_FIRST,
    HX_LINKS,
    HX_OUT_BLOCKS,
    HX_PASSES,
    HX_READ_FIRST,
    HX_READS,
    HX_ROW_FIRST,
    HX_ROWS,
    KIND_NEURONS,
    LK_AT,
    LK_GROUP,
    LK_STRIDE,
    PASS_REPLAY,
    SET_POTENTIALS,
)
from hanami_actors.compute.kernels.vector import dot, learn_sections, square_sum

__all__ = ["backward", "learn_row", "output_energy", "step_size", "update_mean"]

RATE = np.float32(2.0)
LEAK = np.float32(0.02)
"""Part of the derivative that passes a neuron with a sum below 0; revives neurons."""

ERROR_IGNORED = np.float32(0.05)
"""Errors below this part of the skip threshold change nothing."""


@kernel
def update_mean(mean, value, passes):
    """Return a running mean moved towards ``value`` with rate max(0.001, 1 / passes)."""
    return mean + max(np.float32(0.001), np.float32(1.0) / np.float32(passes)) * (value - mean)


@kernel
def step_size(mean, energy, part):
    """Return 2 / max(mean, energy / part, 1).

    Parameters
    ----------
    mean : float32
        Running mean of 1 + energy; 0 before the first pass.
    energy : float32
        Sum of squares of this sample.
    part : float32
        A sample may exceed the mean by this factor before its step shrinks.
    """
    return RATE / max(mean, energy / part, np.float32(1.0))


@kernel
def learn_row(d, weights, a, error, step):
    """Add ``error * weights`` to ``d`` with the old weights, then subtract ``step * a`` from them.

    Parameters
    ----------
    d : float32[128], updated
    weights : float32[128], updated
    a : float32[128]
    error, step : float32
    """
    for j in range(BLOCK):
        w = weights[j]
        d[j] += error * w
        weights[j] = w - step * a[j]


@kernel
def output_energy(hexagon, hx, hb, rd, a, lanes):
    """Return the sum of squares of everything the outputs of a hexagon read from blocks."""
    energy = np.float32(0.0)
    for q in range(hx[hexagon, HX_READS]):
        read = rd[hx[hexagon, HX_READ_FIRST] + q]
        for position in range(hx[read, HX_BLOCKS]):
            energy += square_sum(a[hb[read, position]], lanes)
    return energy


@kernel
def source_energy(hexagon, hx, lk, energies):
    """Return the sum of squares of all sources of a hexagon."""
    energy = np.float32(0.0)
    for q in range(hx[hexagon, HX_LINKS]):
        energy += energies[lk[hx[hexagon, HX_LINK_FIRST] + q, LK_GROUP]]
    return energy


@kernel
def learn_outputs(
    hexagon, fresh, limit, hx, hf, lk, hb, rd, hr, vo, weights, bias, energies, a, e, d, lanes
):
    """Let the output rows of one hexagon learn and hand their errors to the blocks they read.

    Parameters
    ----------
    hexagon : int64
    fresh : bool
        True for a new sample, which moves the running means; False for a replay.
    limit : float32
        Errors up to this change nothing.
    hx, hf, lk, hb, rd, hr, vo
        Tables, see `layout`; ``hf`` is updated if fresh.
    weights : float32[rows of V, 128], bias : float32[output rows], updated
    energies : float32[groups]
    a : float32[blocks, 128]
    e : float32[output rows]
    d : float32[blocks, 128], updated
    lanes : float32[32], overwritten
    """
    direct = hx[hexagon, HX_OUT_BLOCKS] > 0
    energy = output_energy(hexagon, hx, hb, rd, a, lanes)
    if direct:
        energy += source_energy(hexagon, hx, lk, energies)
    if fresh:
        hf[hexagon, HF_NEURONS] = update_mean(
            hf[hexagon, HF_NEURONS], np.float32(1.0) + energy, hx[hexagon, HX_PASSES]
        )
    rate = step_size(hf[hexagon, HF_NEURONS], energy, np.float32(2.0))
    first = hx[hexagon, HX_ROW_FIRST]
    for i in range(hx[hexagon, HX_ROWS]):
        k = hr[first + i]
        error = e[k]
        if abs(error) <= limit:
            continue
        step = rate * error
        for q in range(hx[hexagon, HX_READS]):
            read = rd[hx[hexagon, HX_READ_FIRST] + q]
            for position in range(hx[read, HX_BLOCKS]):
                block = hb[read, position]
                learn_row(d[block], weights[vo[block, k]], a[block], error, step)
        if direct:
            d[hb[hexagon, i // BLOCK], i % BLOCK] = step
        bias[k] -= step


@kernel
def hand_back(section_table, at, width, weights, derivative, d, blocks, lanes):
    """Add the derivative of every source neuron: the dot product of its section and the block's.

    Parameters
    ----------
    section_table : int32[n]
        ``so``; the cells of this block begin at ``at``.
    at, width : int64
        Width: number of source neurons.
    weights : float32[sections, 128]
        Before their update.
    derivative : float32[128]
        Of the target block, without its step size.
    d : float32[blocks, 128], updated
    blocks : int32[n]
        Blocks of the source hexagon.
    lanes : float32[32], overwritten
    """
    for i in range(width):
        section = section_table[at + i]
        if section > 0:
            d[blocks[i // BLOCK], i % BLOCK] += dot(weights[section], derivative, lanes)


@kernel
def learn_blocks(hexagon, rate, hx, lk, gr, hb, so, weights, slots, values, counts, d, step):
    """Change the sections of all blocks of a hexagon, the last block first.

    Its rows were read last and are still in the cache; blocks do not share rows.

    Parameters
    ----------
    hexagon : int64
    rate : float32
        Step size.
    hx, lk, gr, hb, so, slots, values, counts
        As in `backward`.
    weights : float32[sections, 128], updated
    d : float32[blocks, 128]
        Derivatives.
    step : float32[128], overwritten
    """
    for back in range(hx[hexagon, HX_BLOCKS]):
        position = hx[hexagon, HX_BLOCKS] - 1 - back
        db = d[hb[hexagon, position]]
        for j in range(BLOCK):
            step[j] = rate * db[j]
        for q in range(hx[hexagon, HX_LINKS]):
            link = hx[hexagon, HX_LINK_FIRST] + q
            group = lk[link, LK_GROUP]
            at = lk[link, LK_AT] + position * lk[link, LK_STRIDE]
            first = gr[group, GR_ACTIVE_AT]
            learn_sections(weights, step, so, at, slots, values, first, first + counts[group])


@kernel
def backward(
    why, limit, hx, hf, lk, gr, hb, rd, hr, so, vo, weights, bias, out_weights, out_bias,
    ci, slots, values, counts, energies, z, a, gate, e, d, step, lanes,
):  # fmt: skip
    """Change all weights by one sample, hexagons in reverse order.

    Parameters
    ----------
    why : int64
        layout.PASS_REPLAY: running means stay, potentials do not count.
    limit : float32
        Output errors up to this change nothing.
    hx, hf, lk, gr, hb, rd, hr, so, vo
        Tables; passes (``hx``) and means (``hf``) are updated if fresh.
    weights, bias, out_weights, out_bias
        Fast weights, updated.
    ci : int64[32]
        Settings.
    slots, values, counts, energies, z, a, gate, e
        What `forward` left behind, and the output errors.
    d : float32[blocks, 128], overwritten
        Derivatives.
    step : float32[128], lanes : float32[32], overwritten
    """
    fresh = why != PASS_REPLAY
    resting = fresh and ci[SET_POTENTIALS] != 0
    for hexagon in range(hx.shape[0]):
        for position in range(hx[hexagon, HX_BLOCKS]):
            db = d[hb[hexagon, position]]
            for j in range(BLOCK):
                db[j] = np.float32(0.0)
    for back in range(hx.shape[0]):
        hexagon = hx.shape[0] - 1 - back
        blocks = hx[hexagon, HX_BLOCKS]
        if fresh:
            hx[hexagon, HX_PASSES] += 1
        if hx[hexagon, HX_ROWS] > 0:
            learn_outputs(
                hexagon, fresh, limit, hx, hf, lk, hb, rd, hr, vo, out_weights, out_bias,
                energies, a, e, d, lanes,
            )  # fmt: skip
        if blocks == 0:
            continue
        direct = hx[hexagon, HX_OUT_BLOCKS] > 0
        rate = np.float32(1.0)
        if not direct:
            energy = source_energy(hexagon, hx, lk, energies)
            if fresh:
                hf[hexagon, HF_SOURCES] = update_mean(
                    hf[hexagon, HF_SOURCES], np.float32(1.0) + energy, hx[hexagon, HX_PASSES]
                )
            rate = step_size(hf[hexagon, HF_SOURCES], energy, np.float32(4.0))
        for position in range(blocks):
            block = hb[hexagon, position]
            db = d[block]
            if not direct:
                zb = z[block]
                for j in range(BLOCK):
                    db[j] *= np.float32(1.0) if zb[j] > np.float32(0.0) else LEAK
                if resting:
                    gb = gate[block]
                    for j in range(BLOCK):
                        db[j] *= gb[j]
                bb = bias[block]
                for j in range(BLOCK):
                    bb[j] -= rate * db[j]
            for q in range(hx[hexagon, HX_LINKS]):
                link = hx[hexagon, HX_LINK_FIRST] + q
                group = lk[link, LK_GROUP]
                if gr[group, GR_KIND] == KIND_NEURONS:
                    hand_back(
                        so, lk[link, LK_AT] + position * lk[link, LK_STRIDE], gr[group, GR_WIDTH],
                        weights, db, d, hb[gr[group, GR_HEXAGON]], lanes,
                    )  # fmt: skip
        learn_blocks(hexagon, rate, hx, lk, gr, hb, so, weights, slots, values, counts, d, step)
