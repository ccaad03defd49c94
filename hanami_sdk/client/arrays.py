"""Numbers in and out: numpy arrays where numpy is there, plain lists where it is not.

Nothing here imports numpy before a number is needed: programs that only manage things start fast,
and the SDK works without it.
"""

import importlib
import io
import sys
from array import array
from collections.abc import Iterable, Sequence
from types import ModuleType
from typing import Any

__all__ = [
    "Values",
    "as_rows",
    "float_bytes",
    "floats_of",
    "has_numpy",
    "matrix_of",
    "npy_of",
]

Values = Iterable[float]
"""Numbers: a sequence, an array of numpy, or anything else with the buffer of floats."""

FLOAT_BYTES = 4


def _numpy() -> ModuleType | None:
    try:
        return importlib.import_module("numpy")
    except ImportError:
        return None


def float_bytes(values: Values) -> bytes:
    """Return numbers as packed little-endian 32-bit floats."""
    numpy = sys.modules.get("numpy")
    if numpy is not None and isinstance(values, numpy.ndarray):
        packed: bytes = values.astype("<f4", copy=False).tobytes()
        return packed
    floats = values if isinstance(values, array) and values.typecode == "f" else array("f", values)
    if sys.byteorder == "big":
        floats = array("f", floats)
        floats.byteswap()
    return floats.tobytes()


def floats_of(packed: bytes | memoryview) -> Any:
    """Return packed floats as an array of numpy, or as a list."""
    numpy = _numpy()
    if numpy is not None:
        return numpy.frombuffer(packed, dtype="<f4").astype("f4")
    floats = array("f")
    floats.frombytes(packed)
    if sys.byteorder == "big":
        floats.byteswap()
    return floats.tolist()


def matrix_of(rows: Sequence[Sequence[float]]) -> Any:
    """Return rows of numbers as one array of numpy with 32-bit floats, or as they are."""
    numpy = _numpy()
    return list(rows) if numpy is None else numpy.array(rows, dtype="f4")


def has_numpy() -> bool:
    """Tell whether results are arrays."""
    return _numpy() is not None


def npy_of(content: bytes) -> Any:
    """Return the content of a NPY file as an array with 32-bit floats."""
    numpy = importlib.import_module("numpy")
    return numpy.load(io.BytesIO(content), allow_pickle=False).astype("f4", copy=False)


def as_rows(values: Any) -> Sequence[Values]:
    """Return samples one after another; an array of one dimension is one number for each.

    Raises
    ------
    TypeError
        When it has no length.
    """
    if getattr(values, "ndim", 2) == 1:
        return values.reshape(-1, 1)  # type: ignore[no-any-return]
    if not hasattr(values, "__len__"):
        values = list(values)
    if len(values) and not hasattr(values[0], "__len__"):
        return [[value] for value in values]
    return values  # type: ignore[no-any-return]
