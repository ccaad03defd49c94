"""The stages of a cycle: thin functions that open the arrays of the table and call kernels.

Source: network.md part 2, a cycle.
"""

import numpy as np

from hanami_actors.compute.kernels import layout as lay
from hanami_actors.compute.kernels import table as tab
from hanami_actors.compute.kernels.backward import ERROR_IGNORED, backward
from hanami_actors.compute.kernels.coding import code_binary, code_levels, code_match, code_plain
from hanami_actors.compute.kernels.columns import read_targets, scan_pairs, scan_positive
from hanami_actors.compute.kernels.errors import compare
from hanami_actors.compute.kernels.forward import forward
from hanami_actors.compute.kernels.growth import (
    choose_hexagon,
    grow_slots,
    open_block,
    track_active,
)
from hanami_actors.compute.kernels.hashing import key
from hanami_actors.compute.kernels.jit import kernel
from hanami_actors.compute.kernels.memory import fetch_entry, recall
from hanami_actors.compute.kernels.reduction import reduce_sections
from hanami_actors.compute.kernels.vector import list_energy

__all__ = [
    "code_inputs",
    "fetch_replays",
    "grow",
    "open_next",
    "pass_backward",
    "pass_forward",
    "reduce",
    "replay",
    "take_targets",
]

MISTAKES_PER_BLOCK = 50


@kernel
def code_input(t, q, row, learn):
    """Code one input: list its active slots with their responses, and its fresh slots.

    Parameters
    ----------
    t : int64[n]
        Table of addresses.
    q, row : int64
        Number of the input; first row of its column.
    learn : int64
        1 or 0.
    """
    gr = tab.l2(t, tab.T_GR)
    ai = tab.i1(t, tab.T_AI)
    ar = tab.f1(t, tab.T_AR)
    ri = tab.i1(t, tab.T_RI)
    io = tab.l2(t, tab.T_IO)
    rv = tab.f1(t, tab.T_RV)
    n = tab.i1(t, tab.T_N)
    kn = tab.f1(t, tab.T_KN)
    kc = tab.i1(t, tab.T_KC)
    ks = tab.i1(t, tab.T_KS)
    origins = tab.i1(t, tab.T_ORIGINS)
    shares = tab.f1(t, tab.T_SHARES)
    positions = tab.l1(t, tab.T_POSITIONS)
    parts = tab.f1(t, tab.T_PARTS)
    m = tab.f1(t, tab.T_M)
    an = tab.l1(t, tab.T_AN)
    ae = tab.f1(t, tab.T_AE)
    lanes = tab.f1(t, tab.T_LANES)
    all_made = tab.l1(t, tab.T_MADE)
    at = gr[q, lay.GR_ACTIVE_AT]
    slots = ai[at:]
    responses = ar[at:]
    kind = gr[q, lay.GR_KIND]
    levels = gr[q, lay.GR_LEVELS]
    value_at = gr[q, lay.GR_VALUE_AT]
    level_at = gr[q, lay.GR_LEVEL_AT]
    fresh = tab.i1(t, tab.T_FRESH)[value_at:]
    raw = ri if levels > 1 else slots
    count = np.int64(0)
    made = np.int64(0)
    if io[q, lay.IO_KIND] == lay.COLUMN_PAIRS:
        count = scan_pairs(
            io[q, lay.IO_ADDRESS], io[q, lay.IO_INDICES], io[q, lay.IO_WIDTH], raw, rv
        )
    elif io[q, lay.IO_WIDTH] > 0:
        count = scan_positive(
            io[q, lay.IO_ADDRESS], io[q, lay.IO_KIND], row * io[q, lay.IO_STRIDE],
            io[q, lay.IO_WIDTH], raw, rv,
        )  # fmt: skip
    if kind == lay.KIND_BINARY:
        count, made = code_binary(slots, count, value_at, n, learn, fresh, responses)
    elif kind == lay.KIND_MATCH:
        count, made = code_match(
            raw, rv, count, levels, value_at, level_at, n, kn, kc,
            learn, slots, responses, fresh,
        )  # fmt: skip
    elif levels > 1:
        count, made = code_levels(
            raw, rv, count, levels, value_at, level_at, n, kn, ks, kc, learn, slots,
            responses, fresh, origins[2 * value_at:], shares[2 * value_at:], positions,
            parts,
        )  # fmt: skip
    else:
        count, made = code_plain(slots, rv, count, value_at, m, n, learn, fresh, responses)
    an[q] = count
    ae[q] = list_energy(responses, 0, count, lanes)
    all_made[q] = made


@kernel
def code_inputs(t, row, learn):
    """Code all inputs of a cycle; with ``learn`` scales follow and fresh slots get sections.

    Parameters
    ----------
    t : int64[n]
        Table of addresses.
    row : int64
        First row of the columns.
    learn : int64
        1 or 0.
    """
    ci = tab.l1(t, tab.T_CI)
    an = tab.l1(t, tab.T_AN)
    hx = tab.l2(t, tab.T_HX)
    hf = tab.f2(t, tab.T_HF)
    lk = tab.l2(t, tab.T_LK)
    gr = tab.l2(t, tab.T_GR)
    made = tab.l1(t, tab.T_MADE)
    fresh = tab.i1(t, tab.T_FRESH)
    origins = tab.i1(t, tab.T_ORIGINS)
    shares = tab.f1(t, tab.T_SHARES)
    cnt = tab.l1(t, tab.T_CNT)
    hb = tab.i2(t, tab.T_HB)
    so = tab.i1(t, tab.T_SO)
    free = tab.i1(t, tab.T_FREE)
    births = tab.i1(t, tab.T_BIRTHS)
    w = tab.f2(t, tab.T_W)
    ws = tab.f2(t, tab.T_WS)
    for q in range(ci[lay.SET_INPUTS]):
        code_input(t, q, row, learn)
    if not learn:
        return
    track_active(an, hx, hf, lk, gr)
    for q in range(ci[lay.SET_INPUTS]):
        if made[q] > 0:
            value_at = gr[q, lay.GR_VALUE_AT]
            grow_slots(
                q, fresh[value_at:], made[q],
                gr[q, lay.GR_LEVELS] > 1 and gr[q, lay.GR_KIND] != lay.KIND_MATCH,
                origins[2 * value_at:], shares[2 * value_at:],
                ci, cnt, hx, hf, lk, gr, hb, so, free, births, w, ws,
            )  # fmt: skip


@kernel
def take_targets(t, row):
    """Read the expected values of a row into targets; NaN where none are given.

    Parameters
    ----------
    t : int64[n]
        Table of addresses.
    row : int64
    """
    io = tab.l2(t, tab.T_IO)
    ci = tab.l1(t, tab.T_CI)
    oc = tab.i1(t, tab.T_OC)
    y = tab.f1(t, tab.T_Y)
    for k in range(y.shape[0]):
        y[k] = np.float32(np.nan)
    first = ci[lay.SET_INPUTS]
    for q in range(first, first + ci[lay.SET_OUTPUTS]):
        if io[q, lay.IO_WIDTH] > 0:
            read_targets(
                io[q, lay.IO_ADDRESS], io[q, lay.IO_KIND], row * io[q, lay.IO_STRIDE],
                io[q, lay.IO_WIDTH], io[q, lay.IO_CONVERT], oc, io[q, lay.IO_FIRST], y,
            )  # fmt: skip


@kernel
def pass_forward(t, why):
    """Run `forward`.

    Parameters
    ----------
    t : int64[n]
        Table of addresses.
    why : int64
        layout.PASS_...: chooses the weights and the potentials.
    """
    weights = tab.f2(t, tab.T_W)
    bias = tab.f2(t, tab.T_B)
    out_weights = tab.f2(t, tab.T_V)
    out_bias = tab.f1(t, tab.T_BO)
    side = 0
    if why == lay.PASS_REQUEST:
        side = 1
        weights = tab.f2(t, tab.T_WS)
        bias = tab.f2(t, tab.T_BS)
        out_weights = tab.f2(t, tab.T_VS)
        out_bias = tab.f1(t, tab.T_BOS)
    forward(
        tab.l2(t, tab.T_HX), tab.l2(t, tab.T_LK), tab.l2(t, tab.T_GR), tab.i2(t, tab.T_HB),
        tab.i1(t, tab.T_RD), tab.i1(t, tab.T_HR), tab.i1(t, tab.T_SO), tab.i2(t, tab.T_VO),
        weights, bias, out_weights, out_bias, why, tab.l1(t, tab.T_CI), tab.f1(t, tab.T_CF),
        tab.f3(t, tab.T_POT)[side], tab.i3(t, tab.T_REST)[side], tab.i1(t, tab.T_AI),
        tab.f1(t, tab.T_AR), tab.l1(t, tab.T_AN), tab.f1(t, tab.T_AE), tab.f2(t, tab.T_Z),
        tab.f2(t, tab.T_A), tab.f2(t, tab.T_GATE), tab.f1(t, tab.T_O), tab.f1(t, tab.T_LANES),
    )  # fmt: skip


@kernel
def pass_backward(t, why, threshold):
    """Run `backward`.

    Parameters
    ----------
    t : int64[n]
        Table of addresses.
    why : int64
        layout.PASS_TRAIN or PASS_REPLAY.
    threshold : float32
        Skip threshold of the cycle.
    """
    backward(
        why, ERROR_IGNORED * threshold, tab.l2(t, tab.T_HX), tab.f2(t, tab.T_HF),
        tab.l2(t, tab.T_LK), tab.l2(t, tab.T_GR), tab.i2(t, tab.T_HB), tab.i1(t, tab.T_RD),
        tab.i1(t, tab.T_HR), tab.i1(t, tab.T_SO), tab.i2(t, tab.T_VO), tab.f2(t, tab.T_W),
        tab.f2(t, tab.T_B), tab.f2(t, tab.T_V), tab.f1(t, tab.T_BO), tab.l1(t, tab.T_CI),
        tab.i1(t, tab.T_AI), tab.f1(t, tab.T_AR), tab.l1(t, tab.T_AN), tab.f1(t, tab.T_AE),
        tab.f2(t, tab.T_Z), tab.f2(t, tab.T_A), tab.f2(t, tab.T_GATE), tab.f1(t, tab.T_E),
        tab.f2(t, tab.T_D), tab.f1(t, tab.T_STEP), tab.f1(t, tab.T_LANES),
    )  # fmt: skip


@kernel
def fetch_replays(t):
    """Ask for the memory of the samples that `replay` will learn at the end of this cycle.

    Parameters
    ----------
    t : int64[n]
        Table of addresses.
    """
    ci = tab.l1(t, tab.T_CI)
    cnt = tab.l1(t, tab.T_CNT)
    if cnt[lay.N_ENTRIES] == 0:
        return
    for i in range(ci[lay.SET_REPLAYS]):
        fetch_entry(
            key(ci[lay.SET_SEED] + 1, cnt[lay.N_CYCLE], i) % cnt[lay.N_ENTRIES],
            tab.i2(t, tab.T_ME), tab.i2(t, tab.T_MI), tab.f2(t, tab.T_MV), tab.i1(t, tab.T_MC),
        )  # fmt: skip


@kernel
def replay(t, threshold):
    """Learn stored samples again, chosen by a hash of the cycle, and renew their errors.

    Parameters
    ----------
    t : int64[n]
        Table of addresses.
    threshold : float32
        Samples with smaller errors change nothing.
    """
    ci = tab.l1(t, tab.T_CI)
    cnt = tab.l1(t, tab.T_CNT)
    gr = tab.l2(t, tab.T_GR)
    me = tab.i2(t, tab.T_ME)
    mi = tab.i2(t, tab.T_MI)
    mv = tab.f2(t, tab.T_MV)
    mc = tab.i1(t, tab.T_MC)
    ai = tab.i1(t, tab.T_AI)
    ar = tab.f1(t, tab.T_AR)
    an = tab.l1(t, tab.T_AN)
    ae = tab.f1(t, tab.T_AE)
    y = tab.f1(t, tab.T_Y)
    lanes = tab.f1(t, tab.T_LANES)
    place = tab.l1(t, tab.T_PLACE)
    ri = tab.i1(t, tab.T_RI)
    rv = tab.f1(t, tab.T_RV)
    o = tab.f1(t, tab.T_O)
    e = tab.f1(t, tab.T_E)
    mx = tab.f1(t, tab.T_MX)
    for i in range(ci[lay.SET_REPLAYS]):
        if cnt[lay.N_ENTRIES] == 0:
            return
        entry = key(ci[lay.SET_SEED] + 1, cnt[lay.N_CYCLE], i) % cnt[lay.N_ENTRIES]
        recall(
            entry, ci[lay.SET_INPUTS], gr, me, mi, mv, mc,
            ai, ar, an, ae, y, lanes, place, ri, rv,
        )  # fmt: skip
        pass_forward(t, lay.PASS_REPLAY)
        largest = compare(o, y, e)
        mx[entry] = largest
        if largest >= threshold:
            pass_backward(t, lay.PASS_REPLAY, threshold)


@kernel
def open_next(t, hexagon, first):
    """Run `growth.open_block`.

    Parameters
    ----------
    t : int64[n]
        Table of addresses.
    hexagon, first : int64
        First: 1 before anything was learned, else 0.
    """
    open_block(
        hexagon, first, tab.l1(t, tab.T_CI), tab.l1(t, tab.T_CNT), tab.l2(t, tab.T_HX),
        tab.f2(t, tab.T_HF), tab.l2(t, tab.T_LK), tab.l2(t, tab.T_GR), tab.i2(t, tab.T_HB),
        tab.i1(t, tab.T_RD), tab.i1(t, tab.T_HR), tab.i1(t, tab.T_SO), tab.i2(t, tab.T_VO),
        tab.i1(t, tab.T_FREE), tab.i1(t, tab.T_BIRTHS), tab.i1(t, tab.T_N), tab.i1(t, tab.T_KC),
        tab.i2(t, tab.T_BLOCKS), tab.f2(t, tab.T_W), tab.f2(t, tab.T_WS), tab.f2(t, tab.T_B),
        tab.f2(t, tab.T_BS), tab.f2(t, tab.T_V), tab.f2(t, tab.T_VS),
    )  # fmt: skip


@kernel
def grow(t):
    """Add a block after enough mistakes, to the hidden hexagon with the fewest.

    Parameters
    ----------
    t : int64[n]
        Table of addresses.
    """
    cnt = tab.l1(t, tab.T_CNT)
    if cnt[lay.N_MISTAKES] < MISTAKES_PER_BLOCK:
        return
    cnt[lay.N_MISTAKES] = 0
    hexagon = choose_hexagon(tab.l2(t, tab.T_HX))
    if hexagon >= 0:
        open_next(t, hexagon, lay.NO)


@kernel
def reduce(t):
    """Run `reduction.reduce_sections`.

    Parameters
    ----------
    t : int64[n]
        Table of addresses.
    """
    reduce_sections(
        tab.l1(t, tab.T_CI), tab.l1(t, tab.T_CNT), tab.l2(t, tab.T_HX), tab.l2(t, tab.T_LK),
        tab.l2(t, tab.T_GR), tab.i1(t, tab.T_SO), tab.i1(t, tab.T_FREE), tab.i1(t, tab.T_BIRTHS),
        tab.f1(t, tab.T_USAGE), tab.f2(t, tab.T_W), tab.f2(t, tab.T_WS), tab.f1(t, tab.T_SCORES),
        tab.f1(t, tab.T_LANES),
    )  # fmt: skip
