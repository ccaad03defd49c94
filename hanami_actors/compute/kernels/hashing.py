"""Random numbers as a hash of (seed, entity...): no generator that runs, no state.

Source: PCG output permutation RXS-M-XS-32 (O'Neill, HMC-CS-2014-0905, section 6.3), used as a
hash of its state; constants of the linear congruential step 747796405 and 2891336453.
All arithmetic is int64 on values below 2**32; no intermediate value reaches 2**63, so that the
same lines give the same numbers with and without compilation, and no uint64 meets an int64.
"""

import numpy as np

from hanami_actors.compute.kernels.jit import kernel
from hanami_actors.compute.kernels.layout import BLOCK

__all__ = ["fill_uniform", "key", "pcg"]


@kernel
def pcg(x):
    """Hash a number.

    Parameters
    ----------
    x : int64, 0 <= x < 2**32

    Returns
    -------
    int64 in 0 ... 2**32 - 1
    """
    s = (x * 747796405 + 2891336453) & 0xFFFFFFFF
    w = (((s >> ((s >> 28) + 4)) ^ s) * 277803737) & 0xFFFFFFFF
    return (w >> 22) ^ w


@kernel
def key(s, a, b):
    """Hash a seed and two entities: ``pcg(b ^ pcg(a ^ pcg(s)))``.

    Parameters
    ----------
    s, a, b : int64, 0 <= value; only the lowest 32 bits count

    Returns
    -------
    int64 in 0 ... 2**32 - 1
    """
    return pcg((b & 0xFFFFFFFF) ^ pcg((a & 0xFFFFFFFF) ^ pcg(s & 0xFFFFFFFF)))


@kernel
def fill_uniform(row, k, bound):
    """Fill a row with numbers uniform in [-bound, bound): ``(pcg(k ^ j) >> 8) * 2**-23 - 1``.

    Parameters
    ----------
    row : float32[128], overwritten
    k : int64
        A `key`.
    bound : float32

    Determinism
    -----------
    Exact: 24 bits fit a float32, one multiplication is rounded.
    """
    for j in range(BLOCK):
        h = pcg(k ^ j) >> 8
        row[j] = (np.float32(h) * np.float32(1.1920928955078125e-07) - np.float32(1.0)) * bound
