"""Sigmoid and its pieces, without the C library.

Source: network.md part 2, formula 2. The polynomial approximates 2**f - 1 on [0, 1) to 2e-4.
"""

import numpy as np

from hanami_actors.compute.kernels.jit import kernel

__all__ = ["POWERS", "sigmoid"]

POWERS = np.ldexp(np.float32(1.0), np.arange(-127, 128)).astype(np.float32)
"""float32[255]: 2**n at index n + 127."""


@kernel
def sigmoid(x):
    """Return 1 / (1 + 2**(-x * log2(e))) to 2.2e-5.

    Parameters
    ----------
    x : float32
        NaN is not expected; large values saturate at 2**-126 and 1.

    Returns
    -------
    float32 in (0, 1]
    """
    y = -x * np.float32(1.44269504)
    y = min(max(y, np.float32(-126.0)), np.float32(126.0))
    n = np.floor(y)
    f = y - n
    q = np.float32(0.00961813) + f * np.float32(0.00133336)
    q = np.float32(0.05550411) + f * q
    q = np.float32(0.24022651) + f * q
    q = np.float32(0.69314718) + f * q
    return np.float32(1.0) / (
        np.float32(1.0) + POWERS[np.int64(n) + 127] * (np.float32(1.0) + f * q)
    )
