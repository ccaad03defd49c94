"""CSV: both parsers agree bit for bit, and no file whatsoever raises anything unforeseen."""

import contextlib
import csv
import io
import struct

import numpy as np
from hypothesis import example, given, settings
from hypothesis import strategies as st

from hanami_actors.datasets.columns import open_matrix
from hanami_actors.datasets.csv_blocks import parse_block_exactly, parse_block_fast
from hanami_actors.datasets.csv_cells import FLOAT32_LIMIT
from hanami_actors.datasets.csv_reader import import_csv
from hanami_actors.errors import DatasetFormatError
from tests.unit.datasets.fakes import FakeBlobs

laws = settings(deadline=None, max_examples=200, derandomize=True)

NUMBERS = st.one_of(
    st.integers(-(10**12), 10**12).map(str),
    st.floats(width=32, allow_nan=False, allow_infinity=False).map(repr),
    st.floats(allow_nan=False, allow_infinity=False).map(repr),
    st.from_regex(
        r"[+-]?([0-9]{1,20}(\.[0-9]{0,20})?|\.[0-9]{1,20})([eE][+-]?[0-9]{1,3})?", fullmatch=True
    ),
)
WORDS = st.sampled_from(["true", "False", "NULL", "nULL", "tRue"])
BLANK = st.sampled_from(["", "", "", " ", "\t", " \t"])
CELLS = st.builds("{}{}{}".format, BLANK, st.one_of(NUMBERS, WORDS), BLANK)
QUOTED = st.builds('{}"{}"{}'.format, BLANK, CELLS, BLANK)
ODD = st.sampled_from(
    [
        *("", '""', "abc", "1 2", "--1", "-true", "1true", "truefalse", "1e", ".", "nan", "-inf"),
        *("1e39", '1"', '"1', '"1"2', '"1,2"', '"1\n2"', '"a""b"', "\r", "1\r", "\0", "\x0b1", "e"),
        *("\u00e9", "\u0661", '5 "1"', '"1" "2"', '"1" 2', '" "'),
    ]
)
LINE_ENDS = st.sampled_from(["\n", "\n", "\r\n", "\n\n", "\n \n", ""])


@st.composite
def blocks(draw, cells) -> tuple[str, int]:
    width = draw(st.integers(1, 4))
    lines = draw(st.lists(st.lists(cells, min_size=width, max_size=width), max_size=8))
    return "".join(",".join(line) + draw(LINE_ENDS) for line in lines), width


def names_for(width: int) -> tuple[str, ...]:
    return tuple(f"c{index}" for index in range(width))


@laws
@given(blocks(st.one_of(CELLS, CELLS, QUOTED, ODD)))
@example(("1,2\n", 1))
@example(('""\n', 1))
@example(('"1"\n"2"', 1))
@example(('"1""2"\n', 1))
@example(('"1,2"\n', 2))
@example(("1\n\n\n", 1))
@example(("1,\n2,\n", 1))
def test_fast_parser_gives_up_or_says_what_the_exact_parser_says(block: tuple[str, int]) -> None:
    text, width = block
    fast = parse_block_fast(text.encode(), width)
    if fast is None:
        return
    exact = parse_block_exactly(text.encode(), 1, names_for(width))
    assert fast.dtype == exact.dtype
    assert fast.shape == exact.shape
    assert fast.tobytes() == exact.tobytes()


@laws
@given(st.lists(st.lists(st.one_of(NUMBERS, WORDS), min_size=3, max_size=3), min_size=1))
def test_fast_parser_takes_every_ordinary_block(rows: list[list[str]]) -> None:
    for quoting in (csv.QUOTE_MINIMAL, csv.QUOTE_ALL):
        out = io.StringIO()
        csv.writer(out, quoting=quoting).writerows(rows)
        block = out.getvalue().encode()
        fast = parse_block_fast(block, 3)
        with contextlib.suppress(DatasetFormatError):  # a number beyond float32
            exact = parse_block_exactly(block, 1, names_for(3))
            assert fast is not None
            assert fast.tobytes() == exact.tobytes()


@laws
@given(st.floats(width=32, allow_nan=False, allow_infinity=False))
def test_every_float32_survives_its_shortest_text(value: float) -> None:
    (stored,) = parse_block_exactly(str(np.float32(value)).encode(), 1, ("a",)).ravel()
    assert struct.pack("<f", value) == stored.tobytes()


@laws
@given(st.floats(3.4e38, 3.41e38) | st.just(FLOAT32_LIMIT))
def test_limit_of_values_is_where_float32_ends(value: float) -> None:
    try:
        struct.pack("<f", value)
        fits = True
    except OverflowError:
        fits = False
    assert (value < FLOAT32_LIMIT) == fits
    assert (parse_block_fast(repr(value).encode(), 1) is not None) == fits


GOOD = (
    '\ufeff"first, name",b,"c"\r\n1,2.5,true\r\n"-3",+.5e1, null \r\n\r\n1e3,0,FALSE\r\n'.encode(),
    b"a,b\n" + b"".join(b"%d,%d.25\n" % (row, row) for row in range(40)),
    b"only\n1\n2\n3",
)
SPLICES = [
    b"",
    b",",
    b'"',
    b"\n",
    b"\r",
    b"\0",
    b"\xff",
    b"true",
    b"nan",
    b"1e999",
    b"\xc3",
    b'""',
    b"x",
    b" ",
]


@st.composite
def mutations(draw) -> bytes:
    data: bytes = draw(st.sampled_from(GOOD))
    for _ in range(draw(st.integers(1, 4))):
        start = draw(st.integers(0, len(data)))
        end = draw(st.integers(start, min(len(data), start + 5)))
        data = data[:start] + draw(st.sampled_from(SPLICES) | st.binary(max_size=3)) + data[end:]
    return data


@laws
@given(mutations() | st.binary(max_size=60), st.sampled_from([1, 16, 4096]))
def test_no_file_raises_anything_but_a_refusal(
    tmp_path_factory, data: bytes, block_bytes: int
) -> None:
    directory = tmp_path_factory.mktemp("csv")
    blobs = FakeBlobs(directory / "blobs")
    (directory / "upload").write_bytes(data)
    content = error = None
    try:
        content = import_csv(directory / "upload", blobs, block_bytes=block_bytes)
    except DatasetFormatError as refusal:
        error = refusal
    if content is None:
        assert error is not None
        assert error.message.isprintable()
        assert len(error.message) < 1000
        assert 0 <= error.row <= data.count(b"\n") + 1
        assert blobs.names == []
        return
    matrix = open_matrix(blobs.path(content.files[0].digest), content.files[0])
    assert np.isfinite(matrix).all()
    assert matrix.shape == (content.row_count, content.column_count)
    assert len({column.name for column in content.columns}) == content.column_count
