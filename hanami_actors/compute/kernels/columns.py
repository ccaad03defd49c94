"""Rows of columns in, values in arrays: the only kernels that read foreign memory.

A column is an address in the process, so that one signature serves writable, read-only and
memory-mapped arrays; the facade keeps the arrays alive and has checked dtype, layout and bounds.
These kernels need the compiler (an address means nothing without it); everything after them
works on plain arrays.
"""

import numpy as np

from hanami_actors.compute.kernels.jit import kernel
from hanami_actors.compute.kernels.layout import (
    BITS_FLOAT,
    BITS_INT,
    COLUMN_BYTES,
    COLUMN_FLOATS,
    OUT_BOOL,
    OUT_FLOAT,
    OUT_INT,
    OUT_PLAIN,
)
from hanami_actors.compute.kernels.views import bytes_at, floats_at, ints_at

__all__ = [
    "read_targets",
    "scan_pairs",
    "scan_positive",
    "write_results",
]


@kernel
def scan_positive(address, kind, at, width, slots, values):
    """List the values above 1e-30 of one row, in order; NaN is not above anything.

    Parameters
    ----------
    address : int64
        First byte of the column.
    kind : int64
        COLUMN_BYTES for uint8, COLUMN_FLOATS for float32.
    at : int64
        First value of the row, counted in values from the start of the column.
    width : int64
        Number of values.
    slots : int32[>= width + 1], overwritten
        Index of each listed value in the row.
    values : float32[>= width + 1], overwritten
        The value, at most 1e30.

    Returns
    -------
    int64
        How many are listed.
    """
    count = 0
    if kind == COLUMN_BYTES:
        small = bytes_at(address, at + width)[at:]
        for i in range(width):
            slots[count] = i
            count += small[i] != 0
        for i in range(count):
            values[i] = np.float32(small[slots[i]])
    else:
        wide = floats_at(address, at + width)[at:]
        for i in range(width):
            slots[count] = i
            count += wide[i] >= np.float32(1e-30)
        for i in range(count):
            values[i] = min(wide[slots[i]], np.float32(1e30))
    return count


@kernel
def scan_pairs(address, index_address, width, slots, values):
    """List the values above 1e-30 of pairs of index and value, in order.

    Parameters
    ----------
    address, index_address : int64
        First byte of the float32 values and of their int32 indices, which rise.
    width : int64
        Number of pairs.
    slots, values
        As in `scan_positive`.

    Returns
    -------
    int64
        How many are listed.
    """
    given = floats_at(address, width)
    indices = ints_at(index_address, width)
    count = 0
    for i in range(width):
        slots[count] = indices[i]
        values[count] = min(given[i], np.float32(1e30))
        count += given[i] >= np.float32(1e-30)
    return count


@kernel
def read_targets(address, kind, at, width, convert, rows, first, targets):
    """Write the expected values of one row as targets of output rows.

    Parameters
    ----------
    address, kind, at : int64
        As in `scan_positive`.
    width : int64
        Number of values; each has one target, or 64 (int), or 32 (float).
    convert : int64
        OUT_PLAIN (clamped to 0...1), OUT_BOOL (1 from 0.5 on), OUT_INT (bits of the unsigned
        64-bit integer below it), OUT_FLOAT (bits of the float32); most significant bit first.
    rows : int32[n]
        Output row of each target, from cell ``first`` on.
    first : int64
    targets : float32[output rows], updated
        NaN (nothing is expected) is kept as NaN: that row is not trained.
    """
    bits_address = address + (at * 4 if kind == COLUMN_FLOATS else 0)
    for i in range(width):
        if kind == COLUMN_BYTES:
            v = np.float32(bytes_at(address + at + i, 1)[0])
        else:
            v = floats_at(bits_address, width)[i]
        if convert == OUT_PLAIN:
            # min and max would turn NaN into a number
            if v < np.float32(0.0):
                v = np.float32(0.0)
            elif v > np.float32(1.0):
                v = np.float32(1.0)
            targets[rows[first + i]] = v
        elif convert == OUT_BOOL:
            if v == v:
                v = np.float32(1.0) if v >= np.float32(0.5) else np.float32(0.0)
            targets[rows[first + i]] = v
        elif convert == OUT_FLOAT:
            bits = np.int64(np.float32(v).view(np.int32))
            for q in range(BITS_FLOAT):
                t = np.float32((bits >> (BITS_FLOAT - 1 - q)) & 1)
                targets[rows[first + i * BITS_FLOAT + q]] = t if v == v else v
        elif convert == OUT_INT:
            high, low = split_integer(v)
            for q in range(BITS_INT):
                word = high if q < 32 else low
                t = np.float32((word >> (31 - (q & 31))) & 1)
                targets[rows[first + i * BITS_INT + q]] = t if v == v else v


@kernel
def write_results(address, at, width, convert, rows, first, answers):
    """Write the values of one output: the reverse of `read_targets`.

    Parameters
    ----------
    address, at, width : int64
        First byte of a float32 array; cell of the first value; number of values.
    convert, rows, first
        As in `read_targets`.
    answers : float32[output rows]
        Answers in 0...1; converted outputs take 1 from 0.5 on.
    """
    results = floats_at(address, at + width)
    for i in range(width):
        x = answers[rows[first + i]] if convert <= OUT_BOOL else np.float32(0.0)
        if convert == OUT_BOOL:
            x = np.float32(1.0) if x >= np.float32(0.5) else np.float32(0.0)
        elif convert == OUT_FLOAT:
            bits = np.int64(0)
            for q in range(BITS_FLOAT):
                bits = bits * 2 + (answers[rows[first + i * BITS_FLOAT + q]] >= np.float32(0.5))
            x = np.uint32(bits).view(np.float32)
        elif convert == OUT_INT:
            total = np.float64(0.0)
            for q in range(BITS_INT):
                total = total * 2.0 + (answers[rows[first + i * BITS_INT + q]] >= np.float32(0.5))
            x = np.float32(total)
        results[at + i] = x


@kernel
def split_integer(v):
    """Return the upper and lower 32 bits of the unsigned 64-bit integer below ``v``.

    Parameters
    ----------
    v : float32
        Negative and NaN count as 0, 2**64 and more as 2**64 - 1.

    Returns
    -------
    tuple of int64
    """
    if not v >= np.float32(1.0):
        return np.int64(0), np.int64(0)
    if v >= np.float32(18446744073709551616.0):
        return np.int64(0xFFFFFFFF), np.int64(0xFFFFFFFF)
    x = np.floor(np.float64(v))
    high = np.floor(x / 4294967296.0)
    return np.int64(high), np.int64(x - high * 4294967296.0)
