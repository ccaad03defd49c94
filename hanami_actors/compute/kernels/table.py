"""The table of addresses: index of every array in it, and how to get it back.

A call with one int64 table costs a fraction of a microsecond, is cached, and does not compile
again when arrays grow, are read-only or come from a memory map. Addresses need the compiler, so
only the thin stages use this module; the kernels they call take arrays.
"""

from hanami_actors.compute.kernels.arrays import Arrays
from hanami_actors.compute.kernels.views import f1, f2, f3, i1, i2, i3, l1, l2

(
    T_CI, T_CF, T_CNT, T_FLT, T_HX, T_HF, T_GR, T_LK, T_HB, T_RD, T_HR, T_BLOCKS, T_SO, T_VO,
    T_W, T_WS, T_B, T_BS, T_V, T_VS, T_BO, T_BOS, T_FREE, T_BIRTHS, T_USAGE, T_M, T_N, T_KC, T_KN, T_KS,
    T_ME, T_MX, T_MI, T_MV, T_MC, T_MF, T_POT, T_REST, T_RI, T_RV, T_AI, T_AR, T_AN, T_AE,
    T_FRESH, T_ORIGINS, T_SHARES, T_MADE, T_POSITIONS, T_PARTS, T_PLACE, T_SCORES, T_Z, T_A,
    T_D, T_GATE, T_STEP, T_LANES, T_O, T_E, T_Y, T_OC, T_IO,
) = range(len(Arrays._fields))  # fmt: skip

__all__ = ["f1", "f2", "f3", "i1", "i2", "i3", "l1", "l2"]
