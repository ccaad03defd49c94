"""Every kernel has a slow twin; the small ones are called alone here and agree with it to the bit.

Kernels have no wrappers for Python, so they are compiled once more with them. The large ones, which
call these, are compared as parts of a whole network in `test_twin`.
"""

import ast

import numba
import numpy as np
import pytest

from hanami_actors.compute.cache import KERNELS
from hanami_actors.compute.kernels import (
    activation,
    backward,
    coding,
    columns,
    errors,
    forward,
    hashing,
    memory,
    reduction,
    slow,
    vector,
)
from hanami_actors.compute.kernels import layout as lay
from tests.unit.compute import naive_parts as parts
from tests.unit.compute.naive import NaiveNetwork

F = np.float32
INFINITE = F(np.inf)

TWINS = {
    # called alone, below
    "pcg": parts.pcg,
    "key": parts.key,
    "fill_uniform": parts.uniform_row,
    "sigmoid": parts.sigmoid,
    "dot": parts.dot,
    "square_sum": parts.dot,
    "list_energy": parts.list_energy,
    "add_rows_plain": NaiveNetwork.forward,
    "learn_sections": NaiveNetwork.learn_sections,
    "blend": NaiveNetwork.follow,
    "blend_flat": NaiveNetwork.follow,
    "level_tolerance": parts.Input._wants,
    "wants_level": parts.Input._wants,
    "tent": parts.Input._tent,
    "split_integer": parts.int_bits,
    "update_mean": NaiveNetwork.mean,
    "step_size": NaiveNetwork.learn_outputs,
    "learn_row": NaiveNetwork.learn_outputs,
    "activate": NaiveNetwork.forward,
    "activate_with_potential": NaiveNetwork.rest_and_keep,
    "list_active": NaiveNetwork.forward,
    "compare": NaiveNetwork.compare,
    "choose_limit": parts.Sections.reduce,
    "score_section": parts.Sections.score,
    "append_pairs": parts.Memory.store,
    "read_pairs": parts.Memory.store,
    # parts of a network
    "scan_positive": parts.Input.code,
    "scan_pairs": parts.Input.code,
    "code_plain": parts.Input._plain,
    "code_binary": parts.Input._binary,
    "insert_level": parts.Input._levels,
    "code_levels": parts.Input._levels,
    "code_match": parts.Input._match,
    "code_input": parts.Input.code,
    "code_inputs": NaiveNetwork.code,
    "read_targets": parts.targets_of,
    "write_results": parts.answers_of,
    "take_targets": NaiveNetwork.targets,
    "sum_rows": NaiveNetwork.forward,
    "forward": NaiveNetwork.forward,
    "pass_forward": NaiveNetwork.forward,
    "output_energy": NaiveNetwork.learn_outputs,
    "source_energy": NaiveNetwork.backward,
    "learn_outputs": NaiveNetwork.learn_outputs,
    "hand_back": NaiveNetwork.hand_back,
    "learn_blocks": NaiveNetwork.learn_sections,
    "backward": NaiveNetwork.backward,
    "pass_backward": NaiveNetwork.backward,
    "choose_victim": parts.Memory.store,
    "drop_entry": parts.Memory.store,
    "take_chunk": parts.Memory.store,
    "remember": parts.Memory.store,
    "recall": NaiveNetwork.replay,
    "replay": NaiveNetwork.replay,
    "follow": NaiveNetwork.follow,
    "new_section": parts.Sections.take,
    "fill_section": NaiveNetwork.new_section,
    "track_active": NaiveNetwork.code,
    "source_bound": NaiveNetwork.bound,
    "grow_slots": NaiveNetwork.grow_slots,
    "knows": parts.Input.slot_known,
    "open_block": NaiveNetwork.open_block,
    "open_next": NaiveNetwork.open_block,
    "open_rows": NaiveNetwork.open_all,
    "choose_hexagon": NaiveNetwork.grow,
    "grow": NaiveNetwork.grow,
    "count_usage": parts.Sections.count,
    "reduce_sections": parts.Sections.reduce,
    "reduce": parts.Sections.reduce,
    "train_entry": NaiveNetwork.train,
    "request_entry": NaiveNetwork.request,
    "open_entry": NaiveNetwork.open_all,
}
WITHOUT_RESULT = {"fetch_entry", "fetch_replays", "has_room", "sections_needed"}
"""They only ask for memory, or say when arrays must grow."""


def compiled(kernel):
    return numba.njit(kernel.py_func, error_model="numpy", nogil=True)


def same(x, y):
    return np.array_equal(np.asarray(x, F), np.asarray(y, F), equal_nan=True)


def rows(count, seed=0):
    """Numbers of very different sizes, so that another order of a sum is another sum."""
    rng = np.random.default_rng(seed)
    sizes = 10.0 ** rng.uniform(-6, 6, (count, 128))
    return (rng.normal(size=(count, 128)) * sizes).astype(F)


def test_every_kernel_has_a_twin():
    names = set()
    for path in KERNELS.glob("*.py"):
        for node in ast.parse(path.read_text()).body:
            decorators = getattr(node, "decorator_list", [])
            if {d.id for d in decorators if isinstance(d, ast.Name)} & {"kernel", "entry"}:
                assert isinstance(node, ast.FunctionDef)
                names.add(node.name)
    assert names == TWINS.keys() | WITHOUT_RESULT


def test_hashes_and_random_rows():
    pcg, key, fill = map(compiled, (hashing.pcg, hashing.key, hashing.fill_uniform))
    for x in (0, 1, 2**31, 2**32 - 1, 12345):
        assert pcg(x) == parts.pcg(x)
        assert key(x, 2**62 + x, 7) == parts.key(x, 2**62 + x, 7)
        row = np.zeros(128, F)
        fill(row, x, F(0.3))
        assert same(row, parts.uniform_row(x, 0.3))
        assert (abs(row) <= F(0.3)).all()


def test_sigmoid_of_every_size_of_number():
    sigmoid = compiled(activation.sigmoid)
    values = np.concatenate([
        np.linspace(-130, 130, 5001), np.linspace(-1, 1, 501), 10.0 ** np.arange(-45, 39, 3),
        -(10.0 ** np.arange(-45, 39, 3)), [np.inf, -np.inf, -0.0],
    ]).astype(F)  # fmt: skip
    found = np.array([sigmoid(x) for x in values], F)
    assert same(found, [parts.sigmoid(x) for x in values])
    true = 1 / (1 + np.exp(-np.clip(values.astype(float), -80, 80)))
    assert abs(found - true).max() < 2.2e-5
    assert (found > 0).all()


def test_dot_products_and_sums_of_squares():
    dot, square_sum = compiled(vector.dot), compiled(vector.square_sum)
    lanes = np.zeros(32, F)
    x = rows(40)
    for one, other in zip(x[:20], x[20:], strict=True):
        assert dot(one, other, lanes) == parts.dot(one, other)
        assert square_sum(one, lanes) == parts.dot(one, one)


def test_energy_of_a_list_of_any_length_anywhere():
    list_energy = compiled(vector.list_energy)
    lanes = np.zeros(32, F)
    values = rows(1)[0]
    for first in (0, 3):
        for count in range(40):
            expected = parts.list_energy(values[first : first + count])
            assert list_energy(values, first, first + count, lanes) == expected


@pytest.fixture
def sections():
    """Weights with a row of zeros, a table with slots without a section, and active slots."""
    rng = np.random.default_rng(2)
    weights = rows(30, 1)
    weights[0] = 0
    table = np.concatenate([np.zeros(5, np.int32), rng.permutation(30).astype(np.int32)])
    slots = np.sort(rng.permutation(30)[:23]).astype(np.int32)
    return weights, table, slots, rng.random(23).astype(F)


@pytest.mark.parametrize("name", ["add_rows_plain", "add_sections"])
def test_sections_are_added_in_order(sections, name):
    weights, table, slots, values = sections
    add = getattr(vector, name)

    @numba.njit
    def probe(z, first, last):
        add(z, weights, table, 5, slots, values, first, last)

    for first, last in ((0, 23), (4, 4), (7, 8), (1, 22)):
        z = rows(1, 5)[0]
        expected = z.copy()
        for i in range(first, last):
            expected = expected + values[i] * weights[table[5 + slots[i]]]
        probe(z, first, last)
        assert same(z, expected)


@pytest.mark.parametrize(("first", "last"), [(0, 23), (0, 1), (3, 3), (2, 9)])
def test_sections_learn_and_the_row_of_zeros_stays(sections, first, last):
    weights, table, slots, values = sections
    step = rows(1, 6)[0]
    expected = weights.copy()
    for i in range(first, last):
        section = table[5 + slots[i]]
        if section:
            expected[section] = expected[section] - values[i] * step
    compiled(vector.learn_sections)(weights, step, table, 5, slots, values, first, last)
    assert same(weights, expected)


def test_slow_rows_follow_fast_ones():
    fast, kept = rows(9, 1), rows(9, 2)
    alpha = F(0.003)
    expected = kept.copy()
    expected[2:9:3] = kept[2:9:3] + alpha * (fast[2:9:3] - kept[2:9:3])
    compiled(vector.blend)(kept, fast, 2, 9, 3, alpha)
    assert same(kept, expected)
    compiled(slow.blend_flat)(kept[0], fast[0], alpha)
    assert same(kept[0], expected[0] + alpha * (fast[0] - expected[0]))


def test_levels_that_answer_a_value_and_those_that_are_wanted():
    wants, tent = compiled(coding.wants_level), compiled(coding.tent)
    positions, shares = np.zeros(2, np.int64), np.zeros(2, F)
    twin = parts.Input(1, 16, "plain")
    rng = np.random.default_rng(4)
    for count in range(1, 7):
        borders = np.sort(10.0 ** rng.uniform(-3, 3, count)).astype(F)
        listed = [(k, slot) for slot, k in enumerate(borders)]
        values = [*borders, F(1e-30), F(1e30), *(10.0 ** rng.uniform(-4, 4, 60)).astype(F)]
        for v in values:
            wanted = wants(borders, 0, count, v)
            assert (None if wanted < 0 else wanted) == twin._wants(listed, v)
            found = tent(borders, 0, count, v, positions, shares)
            answer = [(int(positions[q]), shares[q]) for q in range(found)]
            assert answer == twin._tent(listed, v)


def test_integers_are_split_into_their_bits():
    split = compiled(columns.split_integer)
    values = [0, 0.9, 1, 1.5, 7, 2**31, 2.0**32, 2.0**32 + 512, 2.0**63, 1.8e19, 2.0**64, 1e30]
    for v in np.array([*values, -1, -np.inf, np.inf, np.nan], F):
        high, low = split(v)
        bits = f"{high:032b}{low:032b}"
        given = 2.0**64 if v == INFINITE else float(v)
        assert [float(bit) for bit in bits] == parts.int_bits(given)


def test_running_means_and_step_sizes():
    update_mean, step_size = compiled(backward.update_mean), compiled(backward.step_size)
    for passes in (1, 2, 999, 1000, 1001, 10**7):
        rate = max(F(0.001), F(1) / F(passes))
        assert update_mean(F(3.3), F(7.7), passes) == F(3.3) + rate * (F(7.7) - F(3.3))
    for mean, energy in ((0, 0), (5, 3), (5, 30), (0.1, 1e30)):
        expected = F(2) / max(F(mean), F(energy) / F(4), F(1))
        assert step_size(F(mean), F(energy), F(4)) == expected


def test_an_output_row_hands_its_old_weights_back_before_it_learns():
    d, weights, a = rows(3, 8)
    handed, learned = d + F(0.7) * weights, weights - F(0.03) * a
    compiled(backward.learn_row)(d, weights, a, F(0.7), F(0.03))
    assert same(d, handed)
    assert same(weights, learned)


def test_neurons_keep_a_part_and_rest():
    activate = compiled(forward.activate_with_potential)
    twin = NaiveNetwork.__new__(NaiveNetwork)
    for cooldown, refractory in ((3.0, 3), (0.0, 2), (1.0, 1)):
        twin.set = {"refractory_time": refractory}
        twin.cooldown = F(cooldown)
        twin.pot, twin.rest = {"train": {}}, {"train": {}}
        potential, rest = np.zeros(128, F), np.zeros(128, np.int32)
        for z in rows(6, 9):
            a, gate = np.zeros((2, 128), F)
            twin.z, twin.a, twin.gate = {0: z.copy()}, {0: np.maximum(z, 0)}, {0: np.ones(128, F)}
            twin.rest_and_keep(0, "train")
            activate(z, a, gate, potential, rest, F(cooldown), refractory)
            for found, expected in ((z, twin.z), (a, twin.a), (gate, twin.gate)):
                assert same(found, expected[0])
            assert same(potential, twin.pot["train"][0])
            assert same(rest, twin.rest["train"][0])


def test_active_neurons_are_listed_in_order():
    z = rows(1, 3)[0]
    a = np.zeros(128, F)
    compiled(forward.activate)(z, a)
    assert same(a, np.maximum(z, 0))
    slots, values = np.zeros(300, np.int32), np.zeros(300, F)
    count = compiled(forward.list_active)(a, 2, slots, values, 10, 4)
    active = np.flatnonzero(z > 0)
    assert count == 4 + len(active)
    assert same(slots[14 : 10 + count], 256 + active)
    assert same(values[14 : 10 + count], z[active])


def test_errors_leave_out_what_is_not_expected():
    compare = compiled(errors.compare)
    o = np.linspace(-5, 5, 11).astype(F)
    y = np.where(np.arange(11) % 3 == 0, np.nan, np.arange(11) % 2).astype(F)
    e = np.full(11, 9, F)
    largest = compare(o, y, e)
    expected = [F(0) if np.isnan(t) else parts.sigmoid(x) - t for x, t in zip(o, y, strict=True)]
    assert same(e, expected)
    assert largest == max(abs(x) for x in expected)
    assert compare(o, np.full(11, np.nan, F), e) == -1


@pytest.mark.parametrize("count", [1, 2, 7, 19, 20])
def test_the_limit_of_removal_is_the_score_in_that_place(count):
    scores = np.array([3, 1, 1, 0, 2, 1, 0, 3e38, 5, 1e-45] * 2, F)
    bits, ties = compiled(reduction.choose_limit)(scores, len(scores), count)
    limit = np.array([bits], np.int32).view(F)[0]
    order = np.sort(scores)
    assert limit == order[count - 1]
    assert ties == count - (scores < limit).sum()


def test_scores_are_bounded():
    score = compiled(reduction.score_section)
    lanes = np.zeros(32, F)
    row = np.full(128, 0.5, F)
    assert score(row, F(2), lanes) == F(2) * parts.dot(row, row)
    assert score(row * F(1e20), F(1e30), lanes) == F(3e38)


def test_pairs_come_back_from_their_chunks_whatever_their_number():
    append, read = compiled(memory.append_pairs), compiled(memory.read_pairs)
    rng = np.random.default_rng(7)
    chain, spare = np.full(20, -1, np.int32), np.array([4, 9, 2, 0, 0, 0], np.int32)
    slots, values = np.zeros((20, 32), np.int32), np.zeros((20, 32), F)
    counters = np.zeros(32, np.int64)
    counters[lay.N_CHUNKS], counters[lay.N_CHUNKS_FREE] = 10, 3
    place = np.array([-1, -1, 32])
    lists = [(rng.integers(0, 999, n).astype(np.int32), rng.random(n).astype(F))
             for n in (1, 31, 32, 33, 0, 70)]  # fmt: skip
    for indices, numbers in lists:
        append(indices, numbers, 0, len(indices), place, counters, slots, values, chain, spare)
    assert place[0] == 2  # the chunk freed last
    assert counters[lay.N_CHUNKS_FREE] == 0
    assert counters[lay.N_CHUNKS] == 10 + 6 - 3
    place[1:] = place[0], 0
    for indices, numbers in lists:
        found = np.zeros(100, np.int32), np.zeros(100, F)
        read(*found, 5, len(indices), place, slots, values, chain)
        assert same(found[0][5 : 5 + len(indices)], indices)
        assert same(found[1][5 : 5 + len(indices)], numbers)
