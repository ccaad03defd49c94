"""Checks of the arrays a caller hands over, and their description for the kernels."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from hanami_actors.compute.kernels import layout as lay

__all__ = ["describe_column", "describe_results", "describe_vector"]

Table = NDArray[np.int64]

KINDS = {np.dtype(np.uint8): lay.COLUMN_BYTES, np.dtype(np.float32): lay.COLUMN_FLOATS}


def describe_column(io: Table, name: str, array: NDArray[Any], stop: int, time_length: int) -> int:
    """Fill one row of ``io`` for a column and return how many values one cycle uses.

    Raises
    ------
    ValueError
        If the array is not 2-D, C-contiguous, uint8 or float32, or has fewer rows than ``stop``.
    """
    kind = KINDS.get(array.dtype)
    if kind is None or array.ndim != 2 or not array.flags.c_contiguous or not array.flags.aligned:
        raise ValueError(
            f"column '{name}' must be a C-contiguous, aligned 2-D array of uint8 or float32, not "
            f"{array.dtype} with shape {array.shape} and strides {array.strides}"
        )
    if stop > array.shape[0]:
        raise ValueError(f"column '{name}' has {array.shape[0]} rows, but {stop} are needed")
    width: int = array.shape[1] * time_length
    io[lay.IO_ADDRESS] = array.__array_interface__["data"][0]
    io[lay.IO_KIND] = kind
    io[lay.IO_STRIDE] = array.shape[1]
    io[lay.IO_WIDTH] = width
    return width


def describe_vector(io: Table, array: NDArray[np.float32]) -> None:
    """Fill one row of ``io`` for a vector of our own; its width is 0 until values are there."""
    io[lay.IO_ADDRESS] = array.__array_interface__["data"][0]
    io[lay.IO_KIND] = KINDS[array.dtype]
    io[lay.IO_STRIDE] = 0
    io[lay.IO_WIDTH] = 0


def describe_results(io: Table, name: str, array: NDArray[Any], rows: int, width: int) -> None:
    """Fill one row of ``io`` for the results of one output.

    Raises
    ------
    ValueError
        If the array is not a writable C-contiguous float32[rows or more, width].
    """
    fits = array.ndim == 2 and array.shape[0] >= rows and array.shape[1] == width
    if array.dtype != np.float32 or not fits or not array.flags.carray:
        raise ValueError(
            f"results of '{name}' must be a writable C-contiguous float32[{rows}, {width}], not "
            f"{array.dtype}{list(array.shape)}"
        )
    io[lay.IO_ADDRESS] = array.__array_interface__["data"][0]
    io[lay.IO_WIDTH] = width
