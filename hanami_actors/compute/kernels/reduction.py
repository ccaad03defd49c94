"""Removal of weak sections while training.

Source: network.md part 2, step 9: a section is worth the root mean square of its source times the
length of its weights. Only the cycle number decides when sections are removed.
"""

import numpy as np

from hanami_actors.compute.kernels.jit import kernel
from hanami_actors.compute.kernels.layout import (
    BLOCK,
    GR_ACTIVE_AT,
    GR_SLOTS,
    HX_BLOCKS,
    LK_AT,
    LK_GROUP,
    LK_STRIDE,
    LK_TARGET,
    N_CYCLE,
    N_FREE,
    N_REMOVED,
    N_SECTIONS,
    SET_REDUCTION,
)
from hanami_actors.compute.kernels.vector import square_sum

__all__ = ["choose_limit", "count_usage", "reduce_sections", "score_section"]

REMOVED_PART = 10
"""One in so many of the sections that are old enough is removed at a time."""

SCORE_MAX = np.float32(3e38)
USAGE_MAX = np.float32(1e30)
USAGE_KEPT = np.float32(0.5)
"""What a period counts in the next one."""


@kernel
def count_usage(gr, slots, values, counts, usage):
    """Add the squares of all active sources to the usage of their slots.

    Parameters
    ----------
    gr : int64[groups, 16]
    slots : int32[n], values : float32[n], counts : int64[groups]
        Active slots of all groups.
    usage : float32[n], updated
        Cells of a group begin where its list of active slots begins.
    """
    for group in range(gr.shape[0]):
        first = gr[group, GR_ACTIVE_AT]
        for i in range(first, first + counts[group]):
            cell = first + slots[i]
            usage[cell] = min(usage[cell] + values[i] * values[i], USAGE_MAX)


@kernel
def score_section(row, usage, lanes):
    """Return usage times squared length, bounded: the square of what a section is worth.

    Parameters
    ----------
    row : float32[128]
    usage : float32
    lanes : float32[32], overwritten
    """
    score = usage * square_sum(row, lanes)
    return min(SCORE_MAX, score)


@kernel
def choose_limit(scores, listed, count):
    """Find the ``count``-th smallest score by halving the range of its bits.

    Bits of floats that are not negative sort like the floats.

    Parameters
    ----------
    scores : float32[>= listed]
        0 ... `SCORE_MAX`.
    listed, count : int64
        1 <= count <= listed.

    Returns
    -------
    tuple of int64
        Bits of that score; how many scores that equal it are among the ``count`` smallest.
    """
    low = np.int64(0)
    high = np.int64(0x7F7FFFFF)
    while low < high:
        middle = (low + high) // 2
        below = np.int64(0)
        for i in range(listed):
            below += np.int64(np.float32(scores[i]).view(np.int32)) <= middle
        if below >= count:
            high = middle
        else:
            low = middle + 1
    ties = count
    for i in range(listed):
        ties -= np.int64(np.float32(scores[i]).view(np.int32)) < low
    return low, ties


@kernel
def reduce_sections(ci, cnt, hx, lk, gr, so, free, births, usage, weights, slow, scores, lanes):
    """Remove the weakest sections if the cycle that just ended is one to do so.

    Every ``SET_REDUCTION`` cycles: a tenth of the sections older than that, lowest scores first,
    equal ones in order of link, block and slot; at most 40 % of all sections ever made. A removed
    section does not come back, because a source gets sections only when it is first seen; a new
    block gets one for every source.

    Parameters
    ----------
    ci : int64[32], cnt : int64[32]
        Settings; counters, updated.
    hx, lk, gr
        Tables, see `layout`.
    so : int32[n], free : int32[sections], updated
    births : int32[sections]
        Period in which a section was made.
    usage : float32[n], updated
        See `count_usage`.
    weights, slow : float32[sections, 128], updated
        Removed rows become 0.
    scores : float32[>= sections], lanes : float32[32], overwritten
    """
    if ci[SET_REDUCTION] == 0 or cnt[N_CYCLE] % ci[SET_REDUCTION] != 0:
        return
    youngest = cnt[N_CYCLE] // ci[SET_REDUCTION] - 2
    listed = np.int64(0)
    for link in range(lk.shape[0]):
        group = lk[link, LK_GROUP]
        for position in range(hx[lk[link, LK_TARGET], HX_BLOCKS]):
            at = lk[link, LK_AT] + position * lk[link, LK_STRIDE]
            for slot in range(gr[group, GR_SLOTS]):
                section = so[at + slot]
                if section > 0 and births[section] <= youngest:
                    scores[listed] = score_section(
                        weights[section], usage[gr[group, GR_ACTIVE_AT] + slot], lanes
                    )
                    listed += 1
    made = cnt[N_SECTIONS] - 1 - cnt[N_FREE] + cnt[N_REMOVED]
    count = min(listed // REMOVED_PART, made * 2 // 5 - cnt[N_REMOVED])
    if count > 0:
        limit, ties = choose_limit(scores, listed, count)
        at_score = np.int64(0)
        for link in range(lk.shape[0]):
            group = lk[link, LK_GROUP]
            for position in range(hx[lk[link, LK_TARGET], HX_BLOCKS]):
                at = lk[link, LK_AT] + position * lk[link, LK_STRIDE]
                for slot in range(gr[group, GR_SLOTS]):
                    section = so[at + slot]
                    if section == 0 or births[section] > youngest:
                        continue
                    bits = np.int64(np.float32(scores[at_score]).view(np.int32))
                    at_score += 1
                    if bits > limit or (bits == limit and ties == 0):
                        continue
                    ties -= bits == limit
                    so[at + slot] = 0
                    births[section] = 0
                    for j in range(BLOCK):
                        weights[section, j] = np.float32(0.0)
                        slow[section, j] = np.float32(0.0)
                    free[cnt[N_FREE]] = section
                    cnt[N_FREE] += 1
                    cnt[N_REMOVED] += 1
    for cell in range(usage.shape[0]):
        usage[cell] *= USAGE_KEPT
