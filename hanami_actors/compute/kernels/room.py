"""Whether the arrays are large enough for one more cycle."""

import numpy as np

from hanami_actors.compute.kernels import layout as lay
from hanami_actors.compute.kernels import table as tab
from hanami_actors.compute.kernels.growth import choose_hexagon
from hanami_actors.compute.kernels.jit import kernel
from hanami_actors.compute.kernels.stages import MISTAKES_PER_BLOCK

__all__ = ["has_room", "sections_needed"]


@kernel
def sections_needed(t, hexagon):
    """Return how many sections the next cycle can make at most; ``hexagon`` may grow, -1: none."""
    lk = tab.l2(t, tab.T_LK)
    gr = tab.l2(t, tab.T_GR)
    hx = tab.l2(t, tab.T_HX)
    need = np.int64(0)
    for link in range(lk.shape[0]):
        group = lk[link, lay.LK_GROUP]
        target = lk[link, lay.LK_TARGET]
        need += (gr[group, lay.GR_SLOTS] - gr[group, lay.GR_KNOWN]) * hx[target, lay.HX_BLOCKS]
        if hexagon >= 0:
            if target == hexagon:
                need += gr[group, lay.GR_SLOTS]
            if group == hx[hexagon, lay.HX_GROUP]:
                need += lay.BLOCK * hx[target, lay.HX_BLOCKS]
    return need


@kernel
def has_room(t):
    """Say whether the next cycle can outgrow no array.

    Parameters
    ----------
    t : int64[n]
        Table of addresses.
    """
    cnt = tab.l1(t, tab.T_CNT)
    hx = tab.l2(t, tab.T_HX)
    w = tab.f2(t, tab.T_W)
    ai = tab.i1(t, tab.T_AI)
    y = tab.f1(t, tab.T_Y)
    mi = tab.i2(t, tab.T_MI)
    ci = tab.l1(t, tab.T_CI)
    me = tab.i2(t, tab.T_ME)
    rd = tab.i1(t, tab.T_RD)
    b = tab.f2(t, tab.T_B)
    hb = tab.i2(t, tab.T_HB)
    v = tab.f2(t, tab.T_V)
    hexagon = np.int64(-1)
    if cnt[lay.N_MISTAKES] + 1 >= MISTAKES_PER_BLOCK:
        hexagon = choose_hexagon(hx)
    if cnt[lay.N_SECTIONS] + sections_needed(t, hexagon) > w.shape[0]:
        return False
    chunks = (ai.shape[0] + y.shape[0]) // lay.CHUNK + 2
    if cnt[lay.N_CHUNKS] + chunks > mi.shape[0] and mi.shape[0] < ci[lay.SET_CHUNKS_MAX]:
        return False
    if cnt[lay.N_ENTRIES] >= me.shape[0] and me.shape[0] < ci[lay.SET_ENTRIES_MAX]:
        return False
    if hexagon < 0:
        return True
    rows = np.int64(0)
    for reader in range(hx.shape[0]):
        for q in range(hx[reader, lay.HX_READS]):
            if rd[hx[reader, lay.HX_READ_FIRST] + q] == hexagon:
                rows += hx[reader, lay.HX_ROWS]
    return (
        cnt[lay.N_BLOCKS] < b.shape[0]
        and hx[hexagon, lay.HX_BLOCKS] < hb.shape[1]
        and cnt[lay.N_VROWS] + rows <= v.shape[0]
    )
