"""One cycle, runs of cycles, answers: what the facade calls, with one table of addresses.

Order of a cycle: scale and levels, new sections, forward, error mean, mistake count, memory,
skip test, backward, replays, growth, slow weights, next cycle, reduction (network.md part 2).
"""

import numpy as np

from hanami_actors.compute.kernels import layout as lay
from hanami_actors.compute.kernels import table as tab
from hanami_actors.compute.kernels.activation import sigmoid
from hanami_actors.compute.kernels.columns import write_results
from hanami_actors.compute.kernels.errors import compare
from hanami_actors.compute.kernels.growth import open_rows
from hanami_actors.compute.kernels.jit import entry
from hanami_actors.compute.kernels.memory import remember
from hanami_actors.compute.kernels.reduction import count_usage
from hanami_actors.compute.kernels.room import has_room
from hanami_actors.compute.kernels.slow import follow
from hanami_actors.compute.kernels.stages import (
    code_inputs,
    fetch_replays,
    grow,
    open_next,
    pass_backward,
    pass_forward,
    reduce,
    replay,
    take_targets,
)

__all__ = ["open_entry", "request_entry", "train_entry"]

MISTAKE = np.float32(0.5)
SKIP_MAX = np.float32(0.05)
SKIP_PART = np.float32(0.5)
STORE_FROM = np.float32(0.1)
ERROR_RATE = np.float32(0.001)


@entry
def train_entry(t):
    """Run cycles until the table's stop row, or until an array could become too small.

    Row r is the first row of the inputs and the row of the expected values of its cycle. The
    body of a cycle stands here and not in a function of its own, because every level of calls is
    compiled once more as a whole.

    Parameters
    ----------
    t : int64[n]
        Table of addresses; the facade keeps the arrays alive during the call.

    Returns
    -------
    int64
        The first row that was not learned; less than the stop row: make room and call again.
    """
    ci = tab.l1(t, tab.T_CI)
    cnt = tab.l1(t, tab.T_CNT)
    flt = tab.f1(t, tab.T_FLT)
    y = tab.f1(t, tab.T_Y)
    row = t[lay.TABLE_START]
    while row < t[lay.TABLE_STOP] and has_room(t):
        fetch_replays(t)
        code_inputs(t, row, lay.YES)
        take_targets(t, row)
        pass_forward(t, lay.PASS_TRAIN)
        if ci[lay.SET_REDUCTION] > 0:
            count_usage(
                tab.l2(t, tab.T_GR), tab.i1(t, tab.T_AI), tab.f1(t, tab.T_AR),
                tab.l1(t, tab.T_AN), tab.f1(t, tab.T_USAGE),
            )  # fmt: skip
        largest = compare(tab.f1(t, tab.T_O), y, tab.f1(t, tab.T_E))
        if largest >= np.float32(0.0):
            flt[lay.F_ERROR] += ERROR_RATE * (largest - flt[lay.F_ERROR])
            if largest > MISTAKE:
                cnt[lay.N_MISTAKES] += 1
                cnt[lay.N_MISTAKES_ALL] += 1
            threshold = min(SKIP_MAX, SKIP_PART * flt[lay.F_ERROR])
            if largest >= STORE_FROM:
                remember(
                    largest, ci[lay.SET_INPUTS], ci, cnt, tab.l2(t, tab.T_GR),
                    tab.i1(t, tab.T_AI), tab.f1(t, tab.T_AR), tab.l1(t, tab.T_AN), y,
                    tab.i2(t, tab.T_ME), tab.f1(t, tab.T_MX), tab.i2(t, tab.T_MI),
                    tab.f2(t, tab.T_MV), tab.i1(t, tab.T_MC), tab.i1(t, tab.T_MF),
                    tab.l1(t, tab.T_PLACE), tab.i1(t, tab.T_RI), tab.f1(t, tab.T_RV),
                )  # fmt: skip
            if largest >= threshold:
                cnt[lay.N_BACKWARD] += 1
                pass_backward(t, lay.PASS_TRAIN, threshold)
            replay(t, threshold)
            grow(t)
        follow(
            cnt, tab.f2(t, tab.T_W), tab.f2(t, tab.T_WS), tab.f2(t, tab.T_B), tab.f2(t, tab.T_BS),
            tab.f2(t, tab.T_V), tab.f2(t, tab.T_VS), tab.f1(t, tab.T_BO), tab.f1(t, tab.T_BOS),
        )  # fmt: skip
        cnt[lay.N_CYCLE] += 1
        reduce(t)
        row += 1
    return row


@entry
def request_entry(t):
    """Answer the rows between the table's start and stop with the slow weights.

    Nothing that was learned changes. The address of the results of each output in ``io`` is that
    of the answer to the first row.

    Parameters
    ----------
    t : int64[n]
        Table of addresses.
    """
    ci = tab.l1(t, tab.T_CI)
    io = tab.l2(t, tab.T_IO)
    oc = tab.i1(t, tab.T_OC)
    o = tab.f1(t, tab.T_O)
    answers = tab.f1(t, tab.T_E)
    inputs = ci[lay.SET_INPUTS]
    start = t[lay.TABLE_START]
    for row in range(start, t[lay.TABLE_STOP]):
        code_inputs(t, row, lay.NO)
        pass_forward(t, lay.PASS_REQUEST)
        for k in range(o.shape[0]):
            answers[k] = sigmoid(o[k])
        for q in range(inputs, inputs + ci[lay.SET_OUTPUTS]):
            if io[q, lay.IO_WIDTH] > 0:
                write_results(
                    io[q, lay.IO_ADDRESS], (row - start) * io[q, lay.IO_WIDTH],
                    io[q, lay.IO_WIDTH], io[q, lay.IO_CONVERT], oc, io[q, lay.IO_FIRST], answers,
                )  # fmt: skip


@entry
def open_entry(t):
    """Open the next block of the hexagon in the table's start cell, then rows without weights.

    Parameters
    ----------
    t : int64[n]
        Table of addresses. Start cell: a hexagon or -1 for none; stop cell: 1 to make rows.
    """
    ci = tab.l1(t, tab.T_CI)
    cnt = tab.l1(t, tab.T_CNT)
    if t[lay.TABLE_START] >= 0:
        open_next(t, t[lay.TABLE_START], lay.YES)
    if t[lay.TABLE_STOP] != 0:
        open_rows(
            ci, cnt, tab.l2(t, tab.T_HX), tab.i2(t, tab.T_HB), tab.i1(t, tab.T_RD),
            tab.i1(t, tab.T_HR), tab.i2(t, tab.T_VO), tab.f2(t, tab.T_V), tab.f2(t, tab.T_VS),
        )  # fmt: skip
