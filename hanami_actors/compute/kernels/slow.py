"""Slow weights: what requests use, an average over the last tens of thousands of samples.

Source: network.md part 2, step 8; Polyak and Juditsky, SIAM J. Control Optim. 30 (1992) 838,
with the exponential forgetting of a running mean.
"""

import numpy as np

from hanami_actors.compute.kernels.jit import kernel
from hanami_actors.compute.kernels.layout import N_BLOCKS, N_CYCLE, N_SECTIONS, N_VROWS
from hanami_actors.compute.kernels.vector import blend

__all__ = ["follow"]

EAGER_CYCLES = 512
PERIOD = 64


@kernel
def blend_flat(slow, fast, alpha):
    """Move a list of numbers towards another by ``alpha``."""
    for k in range(slow.shape[0]):
        slow[k] += alpha * (fast[k] - slow[k])


@kernel
def follow(
    cnt, weights, slow, bias, slow_bias, out_weights, out_slow, out_bias, slow_out_bias
):  # fmt: skip
    """Let the slow weights follow: all of them in the first 512 cycles, then every 64th row.

    ``alpha = 8 / (t + 8)`` at first, then ``max(0.003, 8 / (t // 64 + 8))``; output weights and
    biases when t is a multiple of 64.

    Parameters
    ----------
    cnt : int64[32]
    weights, slow : float32[sections, 128]
    bias, slow_bias : float32[blocks, 128]
    out_weights, out_slow : float32[rows of V, 128]
    out_bias, slow_out_bias : float32[output rows]
        The slow ones are updated.
    """
    t = cnt[N_CYCLE]
    phase = t % PERIOD
    first = phase
    stride = PERIOD
    if t < EAGER_CYCLES:
        alpha = np.float32(8.0) / np.float32(t + 8)
        phase = 0
        first = 1
        stride = 1
    else:
        alpha = max(np.float32(0.003), np.float32(8.0) / np.float32(t // PERIOD + 8))
    blend(slow, weights, first, cnt[N_SECTIONS], stride, alpha)
    if phase == 0:
        blend(slow_bias, bias, 0, cnt[N_BLOCKS], 1, alpha)
        blend(out_slow, out_weights, 1, cnt[N_VROWS], 1, alpha)
        blend_flat(slow_out_bias, out_bias, alpha)
