"""Every float32 as the decimal number that numpy prints for it."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from hanami_actors.datasets.shortest import shortest_doubles

BITS = arrays(np.uint32, st.integers(1, 40), elements=st.integers(0, 2**32 - 1))


def expected(values: np.ndarray) -> list[float]:
    return [float(str(value)) for value in values]


@given(BITS)
def test_any_bit_pattern_gives_the_shortest_decimal(bits):
    values = bits.view(np.float32)
    values = values[np.isfinite(values)]
    found = shortest_doubles(values)
    assert (found.astype(np.float32) == values).all()
    for ours, shortest in zip(map(repr, found.tolist()), expected(values), strict=True):
        assert len(ours) <= len(repr(shortest))


@pytest.mark.parametrize(
    "text",
    ["0.1", "1.0", "-0.5", "3.4028235e+38", "1e-45", "1.1754944e-38", "16777216.0", "123456.79",
     "0.33333334", "9.999999e-05", "1e+10", "99999.0", "100000.0", "0.001", "3.217882e+29", "3.217882e-16"],
)  # fmt: skip
def test_numbers_print_as_people_wrote_them(text):
    values = np.array([float(text)], dtype=np.float32)
    assert repr(float(shortest_doubles(values)[0])) == repr(float(text))


def test_zeros_keep_their_sign_and_what_is_not_finite_stays():
    found = shortest_doubles(np.array([0.0, -0.0, np.inf, -np.inf, np.nan], dtype=np.float32))
    assert list(map(repr, found.tolist())) == ["0.0", "-0.0", "inf", "-inf", "nan"]


def test_whole_numbers_keep_their_text():
    values = np.array([0, 1, -7, 255, 16777215, 16777216, -16777216, -0.0], dtype=np.float32)
    assert list(map(repr, shortest_doubles(values).tolist())) == list(map(repr, expected(values)))


def test_many_random_values_equal_those_of_numpy():
    random = np.random.default_rng(5)
    values = (random.normal(size=3000) * 10.0 ** random.integers(-8, 9, 3000)).astype(np.float32)
    assert shortest_doubles(values).tolist() == expected(values)
