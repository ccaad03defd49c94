"""New sections, new blocks, new output rows.

Source: network.md part 2, steps "new sections" and 7 of a cycle. Every weight is a hash of the
seed and of what it belongs to, so that its value does not depend on when or where it is made.
"""

import numpy as np

from hanami_actors.compute.kernels.hashing import fill_uniform, key
from hanami_actors.compute.kernels.jit import kernel
from hanami_actors.compute.kernels.layout import (
    BLOCK,
    GR_KIND,
    GR_KNOWN,
    GR_LEVELS,
    GR_SLOTS,
    GR_VALUE_AT,
    GR_WIDTH,
    HF_ACTIVE,
    HX_BLOCKS,
    HX_BLOCKS_MAX,
    HX_GROUP,
    HX_LINK_FIRST,
    HX_LINKS,
    HX_OUT_BLOCKS,
    HX_READ_FIRST,
    HX_READS,
    HX_ROW_FIRST,
    HX_ROWS,
    KIND_NEURONS,
    LK_AT,
    LK_GROUP,
    LK_STRIDE,
    LK_TARGET,
    N_BLOCKS,
    N_CYCLE,
    N_FREE,
    N_SECTIONS,
    N_VROWS,
    SET_REDUCTION,
    SET_SEED,
)

__all__ = ["choose_hexagon", "grow_slots", "open_block", "open_rows", "track_active"]

DOMAIN_OUTPUT = 0x56000000
"""Keeps the hashes of output weights apart from those of sections."""


@kernel
def new_section(ci, cnt, free, births):
    """Return a row for a section: the one freed last, else one never used.

    Parameters
    ----------
    ci : int64[32], cnt : int64[32]
        Settings; counters, updated.
    free : int32[sections], updated
        Stack of freed rows.
    births : int32[sections], updated
        Period of the cycle in which a section was made, 0 where nothing is ever removed.
    """
    if cnt[N_FREE] > 0:
        cnt[N_FREE] -= 1
        row = np.int64(free[cnt[N_FREE]])
        free[cnt[N_FREE]] = 0
    else:
        row = cnt[N_SECTIONS]
        cnt[N_SECTIONS] += 1
    if ci[SET_REDUCTION] > 0:
        births[row] = cnt[N_CYCLE] // ci[SET_REDUCTION]
    return row


@kernel
def fill_section(weights, slow, section, seed, group, target, slot, position, bound):
    """Make a section random and its slow copy equal.

    The key is that of (seed, group, target hexagon) with slot and position of the block;
    a bound of 0 makes zeros.
    """
    row = weights[section]
    fill_uniform(row, key(key(seed, group, target), slot, position), bound)
    copy = slow[section]
    for j in range(BLOCK):
        copy[j] = row[j]


@kernel
def track_active(counts, hx, hf, lk, gr):
    """Follow the number of active input slots of every hexagon: up at once, down by 1 %.

    Parameters
    ----------
    counts : int64[groups]
        Active slots per input.
    hx, hf, lk, gr
        Tables; ``hf`` is updated.
    """
    for hexagon in range(hx.shape[0]):
        active = np.int64(0)
        for q in range(hx[hexagon, HX_LINKS]):
            group = lk[hx[hexagon, HX_LINK_FIRST] + q, LK_GROUP]
            if gr[group, GR_KIND] != KIND_NEURONS:
                active += counts[group]
        x = np.float32(active)
        if x > hf[hexagon, HF_ACTIVE]:
            hf[hexagon, HF_ACTIVE] = x
        else:
            hf[hexagon, HF_ACTIVE] += np.float32(0.01) * (x - hf[hexagon, HF_ACTIVE])


@kernel
def source_bound(group, target, hx, hf, gr):
    """Return the bound of new sections: sqrt(3 / A), sqrt(6 / neurons) for neurons, 0 for sums."""
    if hx[target, HX_OUT_BLOCKS] > 0:
        return np.float32(0.0)
    if gr[group, GR_KIND] == KIND_NEURONS:
        return np.sqrt(np.float32(6.0) / np.float32(gr[group, GR_WIDTH]))
    return np.sqrt(np.float32(3.0) / max(hf[target, HF_ACTIVE], np.float32(1.0)))


@kernel
def grow_slots(
    group, fresh, made, mixed, origins, shares, ci, cnt, hx, hf, lk, gr, hb, so, free,
    births, weights, slow,
):  # fmt: skip
    """Give slots seen for the first time a section in every block that reads them.

    Parameters
    ----------
    group : int64
        The input.
    fresh : int32[>= made]
        New slots.
    made : int64
    mixed : bool
        True: sections may start as sums of ``shares`` of the sections of slots ``origins``.
    origins : int32[2 * made], shares : float32[2 * made]
        See `coding.code_levels`; not read unless mixed.
    ci, cnt, hx, hf, lk, gr, hb, so, free, births
        Settings, counters, tables; ``cnt``, ``so``, ``free``, ``births`` and ``gr`` are updated.
    weights, slow : float32[sections, 128], updated
    """
    gr[group, GR_KNOWN] += made
    for link in range(lk.shape[0]):
        if lk[link, LK_GROUP] != group:
            continue
        target = lk[link, LK_TARGET]
        bound = source_bound(group, target, hx, hf, gr)
        for q in range(made):
            for position in range(hx[target, HX_BLOCKS]):
                at = lk[link, LK_AT] + position * lk[link, LK_STRIDE]
                section = new_section(ci, cnt, free, births)
                so[at + fresh[q]] = section
                if not mixed or origins[2 * q] < 0:
                    fill_section(
                        weights, slow, section, ci[SET_SEED], group, target,
                        fresh[q], position, bound,
                    )  # fmt: skip
                    continue
                for j in range(BLOCK):
                    weights[section, j] = np.float32(0.0)
                    slow[section, j] = np.float32(0.0)
                for p in range(2):
                    if origins[2 * q + p] >= 0:
                        other = so[at + origins[2 * q + p]]
                        share = shares[2 * q + p]
                        for j in range(BLOCK):
                            weights[section, j] += share * weights[other, j]
                            slow[section, j] += share * slow[other, j]


@kernel
def knows(group, slot, gr, seen, level_counts):
    """Say whether a slot was ever active; neurons always count as known."""
    if gr[group, GR_KIND] == KIND_NEURONS:
        return slot < gr[group, GR_SLOTS]
    levels = gr[group, GR_LEVELS]
    value = gr[group, GR_VALUE_AT] + slot // levels
    if levels == 1:
        return seen[value] > 0
    return slot % levels < level_counts[value]


@kernel
def open_block(
    hexagon, first, ci, cnt, hx, hf, lk, gr, hb, rd, hr, so, vo, free, births, seen,
    level_counts, blocks, weights, slow, bias, slow_bias, out_weights, out_slow,
):  # fmt: skip
    """Add a block to a hexagon without changing any output.

    Its sections are random; whatever reads it (output rows, sections of later hexagons) starts
    at 0, except at the very beginning (``first``), when the sections of later hexagons are random
    and output rows are made by `open_rows`.

    Parameters
    ----------
    hexagon : int64
    first : int64
        1 or 0.
    ci, cnt, hx, hf, lk, gr, hb, rd, hr, so, vo, free, births, seen, level_counts
        Settings, counters and tables; room for one more block and its sections is there.
    blocks : int32[blocks, 2], updated
        Hexagon and position of every block.
    weights, slow, bias, slow_bias, out_weights, out_slow
        Updated.
    """
    block = cnt[N_BLOCKS]
    position = hx[hexagon, HX_BLOCKS]
    cnt[N_BLOCKS] += 1
    hx[hexagon, HX_BLOCKS] += 1
    hb[hexagon, position] = block
    blocks[block, 0] = hexagon
    blocks[block, 1] = position
    for j in range(BLOCK):
        bias[block, j] = np.float32(0.0)
        slow_bias[block, j] = np.float32(0.0)
    for q in range(hx[hexagon, HX_LINKS]):
        link = hx[hexagon, HX_LINK_FIRST] + q
        group = lk[link, LK_GROUP]
        at = lk[link, LK_AT] + position * lk[link, LK_STRIDE]
        bound = source_bound(group, hexagon, hx, hf, gr)
        for slot in range(gr[group, GR_SLOTS]):
            if knows(group, slot, gr, seen, level_counts):
                so[at + slot] = new_section(ci, cnt, free, births)
                fill_section(
                    weights, slow, so[at + slot], ci[SET_SEED], group, hexagon,
                    slot, position, bound,
                )  # fmt: skip
    own = hx[hexagon, HX_GROUP]
    if own >= 0:
        old = gr[own, GR_SLOTS]
        gr[own, GR_WIDTH] += BLOCK
        gr[own, GR_SLOTS] += BLOCK
        gr[own, GR_KNOWN] += BLOCK
        for link in range(lk.shape[0]):
            if lk[link, LK_GROUP] != own:
                continue
            target = lk[link, LK_TARGET]
            bound = source_bound(own, target, hx, hf, gr) if first != 0 else np.float32(0.0)
            for p in range(hx[target, HX_BLOCKS]):
                at = lk[link, LK_AT] + p * lk[link, LK_STRIDE]
                for slot in range(old, old + BLOCK):
                    so[at + slot] = new_section(ci, cnt, free, births)
                    fill_section(
                        weights, slow, so[at + slot], ci[SET_SEED], own, target, slot, p, bound
                    )
    if first != 0:
        return
    for reader in range(hx.shape[0]):
        for q in range(hx[reader, HX_READS]):
            if rd[hx[reader, HX_READ_FIRST] + q] != hexagon:
                continue
            for i in range(hx[reader, HX_ROWS]):
                row = cnt[N_VROWS]
                cnt[N_VROWS] += 1
                vo[block, hr[hx[reader, HX_ROW_FIRST] + i]] = row
                for j in range(BLOCK):
                    out_weights[row, j] = np.float32(0.0)
                    out_slow[row, j] = np.float32(0.0)


@kernel
def open_rows(ci, cnt, hx, hb, rd, hr, vo, out_weights, out_slow):
    """Give output rows without weights random ones, uniform within 0.3 * sqrt(3 / neurons read).

    Parameters
    ----------
    ci, cnt, hx, hb, rd, hr, vo
        Settings, counters, tables; ``cnt`` and ``vo`` are updated.
    out_weights, out_slow : float32[rows of V, 128], updated
    """
    for hexagon in range(hx.shape[0]):
        neurons = np.int64(0)
        for q in range(hx[hexagon, HX_READS]):
            neurons += hx[rd[hx[hexagon, HX_READ_FIRST] + q], HX_BLOCKS] * BLOCK
        if neurons == 0:
            continue
        bound = np.float32(0.3) * np.sqrt(np.float32(3.0) / np.float32(neurons))
        for i in range(hx[hexagon, HX_ROWS]):
            k = hr[hx[hexagon, HX_ROW_FIRST] + i]
            for q in range(hx[hexagon, HX_READS]):
                read = rd[hx[hexagon, HX_READ_FIRST] + q]
                for position in range(hx[read, HX_BLOCKS]):
                    block = hb[read, position]
                    if vo[block, k] != 0:
                        continue
                    row = cnt[N_VROWS]
                    cnt[N_VROWS] += 1
                    vo[block, k] = row
                    fill_uniform(
                        out_weights[row], key(key(ci[SET_SEED], DOMAIN_OUTPUT, 0), k, block), bound
                    )
                    for j in range(BLOCK):
                        out_slow[row, j] = out_weights[row, j]


@kernel
def choose_hexagon(hx):
    """Return the hidden hexagon with the fewest blocks below its maximum, or -1.

    Parameters
    ----------
    hx : int64[hexagons, 16]
    """
    best = np.int64(-1)
    for hexagon in range(hx.shape[0]):
        blocks = hx[hexagon, HX_BLOCKS]
        if blocks < hx[hexagon, HX_BLOCKS_MAX] and (best < 0 or blocks < hx[best, HX_BLOCKS]):
            best = np.int64(hexagon)
    return best
