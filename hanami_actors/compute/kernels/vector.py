"""Rows of 128 float32: scaled sums, dot products and their transposes.

Every loop runs over 128 lanes that do not touch each other, or over 32 fixed partial sums, so the
compiler may use vectors of any width without changing one bit.
"""

import numpy as np

from hanami_actors.compute.kernels.intrinsics import add_rows
from hanami_actors.compute.kernels.jit import CHECKED, kernel
from hanami_actors.compute.kernels.layout import BLOCK

__all__ = [
    "add_rows_plain",
    "add_sections",
    "blend",
    "dot",
    "learn_sections",
    "list_energy",
    "square_sum",
]


@kernel
def dot(x, y, lanes):
    """Return the dot product of two rows with 32 partial sums and a fixed tree.

    Lane ``l`` holds ``((x[l]y[l] + x[l+32]y[l+32]) + x[l+64]y[l+64]) + x[l+96]y[l+96]``; then
    lanes ``l`` and ``l + 16`` are added, then 8, 4, 2 and 1 apart.

    Parameters
    ----------
    x, y : float32[128]
    lanes : float32[32], overwritten

    Returns
    -------
    float32
    """
    for j in range(32):
        lanes[j] = ((x[j] * y[j] + x[j + 32] * y[j + 32]) + x[j + 64] * y[j + 64]) + x[j + 96] * y[
            j + 96
        ]
    for j in range(16):
        lanes[j] += lanes[j + 16]
    for j in range(8):
        lanes[j] += lanes[j + 8]
    for j in range(4):
        lanes[j] += lanes[j + 4]
    return (lanes[0] + lanes[2]) + (lanes[1] + lanes[3])


@kernel
def square_sum(x, lanes):
    """Return the sum of squares of a row, summed as in `dot`.

    Parameters
    ----------
    x : float32[128]
    lanes : float32[32], overwritten

    Returns
    -------
    float32
    """
    return dot(x, x, lanes)


@kernel
def list_energy(values, first, last, lanes):
    """Return the sum of squares of cells first ... last - 1 of a list, in 8 partial sums.

    Partial sum ``l`` holds the cells first + l, first + l + 8, ...; then they are added
    4, 2 and 1 apart.

    Parameters
    ----------
    values : float32[n]
    first, last : int64
    lanes : float32[32], overwritten

    Returns
    -------
    float32
    """
    for j in range(8):
        lanes[j] = np.float32(0.0)
    i = first
    while i + 8 <= last:
        for j in range(8):
            lanes[j] += values[i + j] * values[i + j]
        i += 8
    for j in range(last - i):
        lanes[j] += values[i + j] * values[i + j]
    for j in range(4):
        lanes[j] += lanes[j + 4]
    return (lanes[0] + lanes[2]) + (lanes[1] + lanes[3])


@kernel
def add_rows_plain(z, weights, so, at, slots, values, first, last):
    """Add ``values[i] * weights[so[at + slots[i]]]`` to ``z`` for i in first ... last - 1, in order.

    Section 0 is a row of zeros, so a slot without a section needs no branch.

    Parameters
    ----------
    z : float32[128], updated
    weights : float32[sections, 128]
    so : int32[n]
        Section of each slot, 0 = none.
    at : int64
        Where the table of this block begins in ``so``.
    slots : int32[n], values : float32[n]
        Active slots and their responses.
    first, last : int64
        Range in ``slots`` and ``values``.
    """
    for i in range(first, last):
        w = weights[so[at + slots[i]]]
        r = values[i]
        for j in range(BLOCK):
            z[j] += r * w[j]


add_sections = add_rows_plain if CHECKED else add_rows
"""The sum of a block; with the sums in registers unless every index is to be checked."""


@kernel
def learn_sections(weights, step, so, at, slots, values, first, last):
    """Subtract ``values[i] * step`` from the section of every active slot.

    Section 0 is written like the others and set to zero again: cheaper than a branch per row. The
    last rows come first, because they were read last and are still in the cache; every row is
    changed on its own, so the order does not matter.

    Parameters
    ----------
    weights : float32[sections, 128], updated
    step : float32[128]
    so, at, slots, values, first, last
        As in `add_rows_plain`.
    """
    i = last
    while i - 4 >= first:
        i -= 4
        w0 = weights[so[at + slots[i]]]
        w1 = weights[so[at + slots[i + 1]]]
        w2 = weights[so[at + slots[i + 2]]]
        w3 = weights[so[at + slots[i + 3]]]
        r0 = values[i]
        r1 = values[i + 1]
        r2 = values[i + 2]
        r3 = values[i + 3]
        for j in range(BLOCK):
            s = step[j]
            w0[j] -= r0 * s
            w1[j] -= r1 * s
            w2[j] -= r2 * s
            w3[j] -= r3 * s
    while i > first:
        i -= 1
        w0 = weights[so[at + slots[i]]]
        r0 = values[i]
        for j in range(BLOCK):
            w0[j] -= r0 * step[j]
    none = weights[0]
    for j in range(BLOCK):
        none[j] = np.float32(0.0)


@kernel
def blend(slow, fast, first, last, stride, alpha):
    """Move rows first, first + stride, ... below last of ``slow`` towards ``fast`` by ``alpha``.

    Parameters
    ----------
    slow : float32[rows, 128], updated
    fast : float32[rows, 128]
    first, last, stride : int64
    alpha : float32
    """
    for row in range(first, last, stride):
        s = slow[row]
        f = fast[row]
        for j in range(BLOCK):
            s[j] += alpha * (f[j] - s[j])
