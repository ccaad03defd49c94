import numpy as np
import pytest

from hanami_actors.datasets.csv_integers import count_lines, parse_integers


def test_integers_of_every_length_are_exact() -> None:
    rows = [
        [sign * (10**length - 1), 10 ** (length - 1)] for length in range(1, 16) for sign in (1, -1)
    ]
    block = "".join(f"{a},{b}\n" for a, b in rows).encode()
    values = parse_integers(block, 2)
    assert values is not None
    assert values.tolist() == rows


def test_last_line_may_lack_its_end_and_leading_zeros_do_not_matter() -> None:
    values = parse_integers(b"007\n-0\n0012", 1)
    assert values is not None
    assert values.ravel().tolist() == [7, 0, 12]
    assert np.signbit(values).ravel().tolist() == [False, True, False]


@pytest.mark.parametrize(
    ("block", "column_count"),
    [
        (b"1,2\n3\n", 2),
        (b"1\n2,3,4\n5,6\n", 2),
        (b"1,2\n", 1),
        (b"1\n\n2\n", 1),
        (b"1,\n", 2),
        (b",\n", 2),
        (b"\n", 1),
        (b"-\n", 1),
        (b"--1\n", 1),
        (b"1-2\n", 1),
        (b"1-\n-\n", 1),
        (b"1234567890123456\n", 1),
    ],
)
def test_anything_else_is_left_to_others(block: bytes, column_count: int) -> None:
    assert parse_integers(block, column_count) is None


def test_lines_are_counted_by_their_ends() -> None:
    assert count_lines(b"") == 0
    assert count_lines(b"a\n\r\nb") == 2
