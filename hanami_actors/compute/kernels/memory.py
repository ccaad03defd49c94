"""Replay memory: coded samples in chains of small chunks.

A sample is, for every input, a pair (number of active slots, 0) and its (slot, response) pairs, then
its (output row, target) pairs. Chunks of 32 pairs are taken from a stack of freed ones first, so
entries of any length fit and widths may grow.

Source: network.md part 2, step 6; reservoir-like choice of victims by the lowest stored error.
"""

import numpy as np

from hanami_actors.compute.kernels.hashing import key
from hanami_actors.compute.kernels.intrinsics import prefetch
from hanami_actors.compute.kernels.jit import kernel
from hanami_actors.compute.kernels.layout import (
    CHUNK,
    GR_ACTIVE_AT,
    N_CHUNKS,
    N_CHUNKS_FREE,
    N_CYCLE,
    N_ENTRIES,
    N_STORED,
    SET_CHUNKS_MAX,
    SET_ENTRIES_MAX,
    SET_SEED,
)
from hanami_actors.compute.kernels.vector import list_energy

__all__ = ["choose_victim", "drop_entry", "fetch_entry", "recall", "remember"]

ENTRY_CHUNK = 0
ENTRY_INPUTS = 1
ENTRY_TARGETS = 2
CANDIDATES = 4
CHUNK_BYTES = 4 * CHUNK
LINE_BYTES = 64
EVICTIONS_MAX = 8


@kernel
def choose_victim(ci, cnt, errors):
    """Return the entry with the lowest stored error among 4 hashed candidates.

    Parameters
    ----------
    ci : int64[32], cnt : int64[32]
        Settings, counters.
    errors : float32[entries]
    """
    best = np.int64(-1)
    for q in range(CANDIDATES):
        x = key(ci[SET_SEED] + 2, cnt[N_CYCLE], q) % cnt[N_ENTRIES]
        if best < 0 or errors[x] < errors[best]:
            best = x
    return best


@kernel
def drop_entry(entry, cnt, entries, errors, chain, spare):
    """Free the chunks of an entry and move the last entry into its place."""
    chunk = entries[entry, ENTRY_CHUNK]
    while chunk >= 0:
        spare[cnt[N_CHUNKS_FREE]] = chunk
        cnt[N_CHUNKS_FREE] += 1
        chunk = chain[chunk]
    cnt[N_ENTRIES] -= 1
    last = cnt[N_ENTRIES]
    for i in range(entries.shape[1]):
        entries[entry, i] = entries[last, i]
        entries[last, i] = 0
    errors[entry] = errors[last]
    errors[last] = np.float32(0.0)


@kernel
def take_chunk(cnt, chain, spare):
    """Return a chunk: the one freed last, else one never used."""
    if cnt[N_CHUNKS_FREE] > 0:
        cnt[N_CHUNKS_FREE] -= 1
        chunk = spare[cnt[N_CHUNKS_FREE]]
        spare[cnt[N_CHUNKS_FREE]] = 0
    else:
        chunk = np.int32(cnt[N_CHUNKS])
        cnt[N_CHUNKS] += 1
    chain[chunk] = -1
    return chunk


@kernel
def append_pairs(
    indices, numbers, first, last, place, cnt, pair_slots, pair_values, chain, spare
):  # fmt: skip
    """Write cells first ... last - 1 of two lists behind the pairs written so far.

    Parameters
    ----------
    indices : int32[n], numbers : float32[n]
    first, last : int64
    place : int64[3], updated
        First chunk, current chunk, pairs in it; (-1, -1, 32) at the start.
    cnt, pair_slots, pair_values, chain, spare
        As in `remember`, updated.
    """
    i = first
    while i < last:
        if place[2] == CHUNK:
            chunk = take_chunk(cnt, chain, spare)
            if place[0] < 0:
                place[0] = chunk
            else:
                chain[place[1]] = chunk
            place[1] = chunk
            place[2] = 0
        at = place[2]
        count = min(CHUNK - at, last - i)
        to_slots = pair_slots[place[1]]
        to_values = pair_values[place[1]]
        for q in range(count):
            to_slots[at + q] = indices[i + q]
            to_values[at + q] = numbers[i + q]
        place[2] = at + count
        i += count


@kernel
def read_pairs(indices, numbers, first, count, place, pair_slots, pair_values, chain):
    """Copy the next pairs of an entry to cells first, first + 1, ... of two lists.

    Parameters
    ----------
    indices : int32[n], numbers : float32[n], updated
    first, count : int64
    place : int64[3], updated
        Unused, current chunk, pairs of it that were read.
    pair_slots, pair_values, chain
        As in `remember`.
    """
    i = first
    last = first + count
    while i < last:
        if place[2] == CHUNK:
            place[1] = chain[place[1]]
            place[2] = 0
        at = place[2]
        here = min(CHUNK - at, last - i)
        from_slots = pair_slots[place[1]]
        from_values = pair_values[place[1]]
        for q in range(here):
            indices[i + q] = from_slots[at + q]
            numbers[i + q] = from_values[at + q]
        place[2] = at + here
        i += here


@kernel
def remember(
    error, inputs, ci, cnt, gr, slots, values, counts, targets,
    entries, errors, pair_slots, pair_values, chain, spare, place, indices, numbers,
):  # fmt: skip
    """Store the current sample, over the least wrong of a few entries when the memory is full.

    Parameters
    ----------
    error : float32
        Its largest output error.
    inputs : int64
        Number of inputs; they are the first groups.
    ci, cnt, gr
        Settings, counters (updated), groups.
    slots, values, counts
        Active slots of the inputs.
    targets : float32[output rows]
        NaN: not given.
    entries : int32[entries, 3], errors : float32[entries], updated
        First chunk, input pairs, target pairs; stored errors.
    pair_slots : int32[chunks, 32], pair_values : float32[chunks, 32], chain : int32[chunks],
    spare : int32[chunks], updated
        Pairs, next chunk of the chain or -1, stack of freed chunks. Unused cells are 0.
    place : int64[3], overwritten
    indices : int32[>= output rows], numbers : float32[>= output rows], overwritten
    """
    pairs = inputs
    for group in range(inputs):
        pairs += counts[group]
    given = 0
    for k in range(targets.shape[0]):
        if targets[k] == targets[k]:
            given += 1
    needed = (pairs + given + CHUNK - 1) // CHUNK
    if needed == 0 or needed > ci[SET_CHUNKS_MAX] or ci[SET_ENTRIES_MAX] == 0:
        return
    for _ in range(EVICTIONS_MAX):
        room = ci[SET_CHUNKS_MAX] - cnt[N_CHUNKS] + cnt[N_CHUNKS_FREE]
        if cnt[N_ENTRIES] < ci[SET_ENTRIES_MAX] and room >= needed:
            break
        drop_entry(choose_victim(ci, cnt, errors), cnt, entries, errors, chain, spare)
    room = ci[SET_CHUNKS_MAX] - cnt[N_CHUNKS] + cnt[N_CHUNKS_FREE]
    if room < needed:
        return
    place[0] = -1
    place[1] = -1
    place[2] = CHUNK
    for group in range(inputs):
        indices[0] = counts[group]
        numbers[0] = np.float32(0.0)
        append_pairs(indices, numbers, 0, 1, place, cnt, pair_slots, pair_values, chain, spare)
        at = gr[group, GR_ACTIVE_AT]
        append_pairs(
            slots, values, at, at + counts[group], place, cnt, pair_slots, pair_values, chain, spare
        )
    given = 0
    for k in range(targets.shape[0]):
        if targets[k] == targets[k]:
            indices[given] = k
            numbers[given] = targets[k]
            given += 1
    append_pairs(indices, numbers, 0, given, place, cnt, pair_slots, pair_values, chain, spare)
    for i in range(place[2], CHUNK):
        pair_slots[place[1], i] = 0
        pair_values[place[1], i] = np.float32(0.0)
    entry = cnt[N_ENTRIES]
    cnt[N_ENTRIES] += 1
    cnt[N_STORED] += 1
    entries[entry, ENTRY_CHUNK] = place[0]
    entries[entry, ENTRY_INPUTS] = pairs
    entries[entry, ENTRY_TARGETS] = given
    errors[entry] = error


@kernel
def fetch_entry(entry, entries, pair_slots, pair_values, chain):
    """Ask for the memory of an entry ahead of `recall`; changes nothing.

    Parameters
    ----------
    entry, entries, pair_slots, pair_values, chain
        As in `recall`.
    """
    chunk = entries[entry, ENTRY_CHUNK]
    while chunk >= 0:
        for line in range(0, CHUNK_BYTES, LINE_BYTES):
            prefetch(pair_slots, chunk, line)
            prefetch(pair_values, chunk, line)
        chunk = chain[chunk]


@kernel
def recall(
    entry, inputs, gr, entries, pair_slots, pair_values, chain,
    slots, values, counts, energies, targets, lanes, place, indices, numbers,
):  # fmt: skip
    """Lay a stored sample out as if it had just been coded.

    Parameters
    ----------
    entry, inputs : int64
    gr, entries, pair_slots, pair_values, chain
        As in `remember`.
    slots, values, counts, energies
        Active slots, their number and sum of squares per input, overwritten.
    targets : float32[output rows], overwritten
    lanes : float32[32], place : int64[3], overwritten
    indices : int32[>= output rows], numbers : float32[>= output rows], overwritten
    """
    place[1] = entries[entry, ENTRY_CHUNK]
    place[2] = 0
    for group in range(inputs):
        read_pairs(indices, numbers, 0, 1, place, pair_slots, pair_values, chain)
        counts[group] = indices[0]
        first = gr[group, GR_ACTIVE_AT]
        read_pairs(slots, values, first, counts[group], place, pair_slots, pair_values, chain)
        energies[group] = list_energy(values, first, first + counts[group], lanes)
    given = entries[entry, ENTRY_TARGETS]
    read_pairs(indices, numbers, 0, given, place, pair_slots, pair_values, chain)
    for k in range(targets.shape[0]):
        targets[k] = np.float32(np.nan)
    for i in range(given):
        targets[indices[i]] = numbers[i]
