"""From raw values to responses: running scale, levels, binary and match inputs.

Source: network.md part 2, step 1 of a cycle.
"""

import numpy as np

from hanami_actors.compute.kernels.jit import kernel

__all__ = ["code_binary", "code_levels", "code_match", "code_plain", "level_tolerance"]

COUNT_MAX = 1000
"""The running scale stops slowing down after this many values."""

MATCH_WIDTH = np.float32(0.1)
"""Half width of the response of a match level, in parts of its border."""


@kernel
def code_plain(slots, values, count, at, scale, seen, learn, fresh, responses):
    """Divide each active value by the running mean of its input, at most 1.5.

    ``m += min(v - m, m) / min(n + 1, 1000)``: one value can at most double a scale, so an
    outlier of any size leaves no trace that lasts.

    Parameters
    ----------
    slots : int32[count], updated
        Active inputs in order; without ``learn`` those never seen are removed.
    values : float32[count]
        Their raw values, 1e-30 ... 1e30.
    count, at : int64
        Length of the lists; first cell of this input in ``scale`` and ``seen``.
    scale : float32[n], updated if learn
        Running mean of the positive values.
    seen : int32[n], updated if learn
        How many there were, at most 1000 are counted.
    learn : int64
        1 or 0.
    fresh : int32[>= count], overwritten
        Slots seen for the first time.
    responses : float32[>= count], overwritten

    Returns
    -------
    tuple of int64
        Number of active slots, number of fresh slots.
    """
    made = 0
    kept = 0
    if learn == 0:
        for i in range(count):
            c = at + slots[i]
            if seen[c] > 0:
                slots[kept] = slots[i]
                responses[kept] = min(values[i] / scale[c], np.float32(1.5))
                kept += 1
        return kept, made
    for i in range(count):
        c = at + slots[i]
        v = values[i]
        n = seen[c]
        m = scale[c]
        if n == 0:
            m = v
            fresh[made] = slots[i]
            made += 1
            seen[c] = 1
        elif n < COUNT_MAX:
            m += min(v - m, m) / np.float32(n + 1)
            seen[c] = n + 1
        else:
            m += min(v - m, m) / np.float32(COUNT_MAX)
        scale[c] = m
        responses[i] = min(v / m, np.float32(1.5))
    return count, made


@kernel
def code_binary(slots, count, at, seen, learn, fresh, responses):
    """Give every active input the response 1.

    Parameters and returns are those of `code_plain`, without values and scale.
    """
    made = 0
    kept = 0
    for i in range(count):
        c = at + slots[i]
        if seen[c] == 0:
            if learn == 0:
                continue
            fresh[made] = slots[i]
            made += 1
            seen[c] = 1
        slots[kept] = slots[i]
        responses[kept] = np.float32(1.0)
        kept += 1
    return kept, made


@kernel
def level_tolerance(borders):
    """Return how much of a gap must lie on both sides of a new border: 0.3 * 1.1**(borders - 1).

    Parameters
    ----------
    borders : int64
        Number of borders there are.
    """
    tolerance = np.float32(0.3)
    for _ in range(borders - 1):
        tolerance *= np.float32(1.1)
    return tolerance


@kernel
def wants_level(borders, at, count, v):
    """Say where a border for ``v`` belongs, or -1 if the borders there are answer it well enough.

    Parameters
    ----------
    borders : float32[n]
        Sorted from cell ``at`` on.
    at, count : int64
    v : float32

    Returns
    -------
    int64
        Position of the new border, 0 ... count.
    """
    tolerance = level_tolerance(count)
    last = borders[at + count - 1]
    if v > last:
        return count if v > last * np.float32(1.6) else -1
    position = 0
    while borders[at + position] < v:
        position += 1
    low = borders[at + position - 1] if position > 0 else np.float32(0.0)
    room = tolerance * (borders[at + position] - low)
    return position if v - low > room and borders[at + position] - v > room else -1


@kernel
def tent(borders, at, count, v, positions, parts):
    """Split a value over the levels next to it.

    Below the first border one response v / k; between two the pair (1 - f, f); above the last
    min(v / k, 2).

    Parameters
    ----------
    borders, at, count, v
        As in `wants_level`.
    positions : int64[2], overwritten
    parts : float32[2], overwritten

    Returns
    -------
    int64
        Number of responses, 1 or 2 (a part may be 0).
    """
    if v <= borders[at]:
        positions[0] = 0
        parts[0] = v / borders[at]
        return 1
    if v >= borders[at + count - 1]:
        positions[0] = count - 1
        parts[0] = min(v / borders[at + count - 1], np.float32(2.0))
        return 1
    p = 0
    while borders[at + p + 1] <= v:
        p += 1
    f = (v - borders[at + p]) / (borders[at + p + 1] - borders[at + p])
    positions[0] = p
    positions[1] = p + 1
    parts[0] = np.float32(1.0) - f
    parts[1] = f
    return 2


@kernel
def insert_level(borders, level_slots, at, count, position, v, slot):
    """Insert a border and its slot before ``position``."""
    for p in range(count, position, -1):
        borders[at + p] = borders[at + p - 1]
        level_slots[at + p] = level_slots[at + p - 1]
    borders[at + position] = v
    level_slots[at + position] = slot


@kernel
def code_levels(
    raw_slots, values, count, levels, value_at, level_at, seen, borders, level_slots, level_counts,
    learn, slots, responses, fresh, origins, shares, positions, parts,
):  # fmt: skip
    """Answer each active value with the levels next to it, making levels where there are few.

    Parameters
    ----------
    raw_slots : int32[count], values : float32[count]
        Active inputs and raw values.
    count, levels : int64
        Length of the lists; levels an input can have. Slot of level q of input i: i * levels + q.
    value_at, level_at : int64
        First cells of this input in the tables of values and of levels.
    seen : int32[n], borders : float32[n * levels], level_slots : int32[n * levels],
    level_counts : int32[n], all updated if learn
    learn : int64
        1 or 0.
    slots : int32[>= 2 * count], responses : float32[>= 2 * count], overwritten
    fresh : int32[>= count], overwritten
        Slots made in this call.
    origins : int32[>= 2 * count], shares : float32[>= 2 * count], overwritten
        The section of fresh slot q begins as the sum of shares times the sections of origins
        2q and 2q + 1 (origin -1: none; two of them: random), so that no output changes.
    positions : int64[2], parts : float32[2]
        Room for intermediate values.

    Returns
    -------
    tuple of int64
        Number of active slots, number of fresh slots.
    """
    kept = 0
    made = 0
    for i in range(count):
        x = raw_slots[i]
        v = values[i]
        cell = level_at + x * levels
        have = level_counts[value_at + x]
        if learn != 0:
            seen[value_at + x] = min(seen[value_at + x] + 1, COUNT_MAX)
            where = -1
            if have == 0:
                where = 0
            elif have < levels:
                where = wants_level(borders, cell, have, v)
            if where >= 0:
                origins[2 * made] = -1
                origins[2 * made + 1] = -1
                if have > 0:
                    for q in range(tent(borders, cell, have, v, positions, parts)):
                        origins[2 * made + q] = level_slots[cell + positions[q]]
                        shares[2 * made + q] = parts[q]
                slot = x * levels + have
                insert_level(borders, level_slots, cell, have, where, v, slot)
                fresh[made] = slot
                made += 1
                have += 1
                level_counts[value_at + x] = have
        if have == 0:
            continue
        for q in range(tent(borders, cell, have, v, positions, parts)):
            if parts[q] > np.float32(0.0):
                slots[kept] = level_slots[cell + positions[q]]
                responses[kept] = parts[q]
                kept += 1
    return kept, made


@kernel
def code_match(
    raw_slots, values, count, levels, value_at, level_at, seen, borders, level_counts,
    learn, slots, responses, fresh,
):  # fmt: skip
    """Answer each value with narrow responses around the values learned so far.

    ``max(0, 1 - |v - k| / (0.1 k))`` for every border k; when all are below 0.5 and there is room,
    ``v`` becomes a border of its own. Borders stay in the order of their creation.

    Parameters and returns are those of `code_levels`; ``slots`` and ``responses`` have room for
    ``levels`` cells per value. New sections are random.
    """
    kept = 0
    made = 0
    for i in range(count):
        x = raw_slots[i]
        v = values[i]
        cell = level_at + x * levels
        have = level_counts[value_at + x]
        best = np.float32(0.0)
        for q in range(have):
            k = borders[cell + q]
            part = np.float32(1.0) - abs(v - k) / (MATCH_WIDTH * k)
            if part > np.float32(0.0):
                best = max(best, part)
                slots[kept] = x * levels + q
                responses[kept] = part
                kept += 1
        if learn == 0:
            continue
        seen[value_at + x] = min(seen[value_at + x] + 1, COUNT_MAX)
        if best < np.float32(0.5) and have < levels:
            slot = x * levels + have
            borders[cell + have] = v
            level_counts[value_at + x] = have + 1
            fresh[made] = slot
            made += 1
            slots[kept] = slot
            responses[kept] = np.float32(1.0)
            kept += 1
    return kept, made
