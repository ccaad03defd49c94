"""Byte ranges against plain sets of bytes."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from hanami_actors.domain.upload.ranges import add, covered_bytes, merge, missing

SPANS = st.lists(st.tuples(st.integers(0, 60), st.integers(0, 60)), max_size=12)


def as_set(spans):
    return {byte for start, end in spans for byte in range(start, end)}


@given(SPANS, SPANS)
def test_merge_is_the_union_in_canonical_form(first, more):
    merged = merge(merge((), first), more)
    assert as_set(merged) == as_set(first) | as_set(more)
    assert covered_bytes(merged) == len(as_set(merged))
    for (_, end), (start, _) in pairwise(merged):
        assert end < start
    assert merge(merged, first) == merged


@given(SPANS, st.integers(0, 60), st.integers(1, 60))
def test_adding_one_range_is_merging_it(spans, start, size):
    ranges = merge((), spans)
    assert add(ranges, start, start + size) == merge(ranges, [(start, start + size)])


@given(SPANS, st.integers(0, 70))
def test_missing_is_the_complement(spans, size_bytes):
    merged = merge((), spans)
    assert as_set(missing(merged, size_bytes)) == set(range(size_bytes)) - as_set(merged)
