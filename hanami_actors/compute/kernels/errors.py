"""Errors of the outputs.

Source: network.md part 2, step 3 of a cycle.
"""

import numpy as np

from hanami_actors.compute.kernels.activation import sigmoid
from hanami_actors.compute.kernels.jit import kernel

__all__ = ["compare"]


@kernel
def compare(o, y, e):
    """Compute the errors of the outputs.

    Parameters
    ----------
    o, y : float32[output rows]
        Sums; targets, NaN where none is given.
    e : float32[output rows], overwritten
        sigmoid(o) - y; 0 where no target is given.

    Returns
    -------
    float32
        The largest absolute error, -1 if there is no target at all.
    """
    largest = np.float32(-1.0)
    for k in range(o.shape[0]):
        if y[k] == y[k]:
            e[k] = sigmoid(o[k]) - y[k]
            largest = max(largest, abs(e[k]))
        else:
            e[k] = np.float32(0.0)
    return largest
