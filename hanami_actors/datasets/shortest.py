"""The shortest decimal numbers that are float32 values, for whole arrays at once."""

import numpy as np
import numpy.typing as npt

__all__ = ["shortest_doubles"]

DIGITS = (9, 8, 7, 6)
"""Every float32 has at most 9 significant digits; every decimal of 6 digits survives float32."""

EXACT_EXPONENT_MAX = 22
"""Up to here powers of ten are exact doubles, so that one division rounds only once."""

WHOLE_MAX = 2.0**24
"""Up to here every whole number is a float32, and its shortest text is that of the double."""

_POWERS = 10.0 ** np.arange(EXACT_EXPONENT_MAX + 1)


def shortest_doubles(values: npt.NDArray[np.float32]) -> npt.NDArray[np.float64]:
    """Return the doubles whose shortest text is the shortest text of the float32 values.

    Whatever prints doubles in their shortest form (JSON encoders, ``repr``) then prints float32
    values in theirs: 0.1 and not 0.10000000149011612. Read back and rounded to float32 it is the
    same value, bit for bit.

    Parameters
    ----------
    values : float32 array of any shape
        NaN and infinite values stay as they are.

    Returns
    -------
    float64 array of the same shape
    """
    exact = values.astype(np.float64)
    if bool(((exact == np.rint(exact)) & (np.abs(exact) <= WHOLE_MAX)).all()):
        return exact
    shortest = exact.copy()
    is_open = np.isfinite(values) & (values != 0)
    with np.errstate(divide="ignore", invalid="ignore"):
        exponents = np.floor(np.log10(np.abs(exact)))
    exponents[~is_open] = 0
    # Where one number of digits cannot be tried a shorter text might be missed.
    ends = [np.abs(digit_count - 1 - exponents) for digit_count in (DIGITS[0], DIGITS[-1])]
    is_exact = is_open & (np.maximum(*ends) <= EXACT_EXPONENT_MAX)
    is_found = ~is_open
    for digit_count in DIGITS:
        shifts = (digit_count - 1 - exponents).astype(np.int64)
        powers = _POWERS[np.minimum(np.abs(shifts), EXACT_EXPONENT_MAX)]
        is_small = shifts >= 0
        rounded = np.where(
            is_small,
            np.rint(exact * powers) / powers,
            np.rint(exact / powers) * powers,
        )
        is_right = (rounded.astype(np.float32) == values) & is_exact
        shortest[is_right] = rounded[is_right]
        is_found |= is_right
    # Very large, very small and denormal values; rare, so one by one.
    for place in np.flatnonzero(~is_found.ravel()):
        shortest.ravel()[place] = float(str(values.ravel()[place]))
    return shortest
