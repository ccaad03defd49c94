import pickle
import tracemalloc
from pathlib import Path

import numpy as np
import pytest

from hanami_actors.datasets import csv_reader
from hanami_actors.datasets.columns import open_matrix
from hanami_actors.datasets.csv_reader import import_csv
from hanami_actors.errors import DatasetFormatError
from tests.unit.datasets.fakes import FakeBlobs


@pytest.fixture
def read(tmp_path: Path, blobs: FakeBlobs):
    def import_text(text: str | bytes) -> tuple[list[str], list[list[float]]]:
        path = tmp_path / "upload.csv"
        path.write_bytes(text.encode() if isinstance(text, str) else text)
        content = import_csv(path, blobs)
        matrix = open_matrix(blobs.path(content.files[0].digest), content.files[0])
        assert matrix.dtype == np.float32
        assert content.row_count == len(matrix)
        assert path.exists()
        return [column.name for column in content.columns], matrix.tolist()

    return import_text


@pytest.fixture
def refuse(read, blobs: FakeBlobs):
    def import_refused(text: str | bytes) -> DatasetFormatError:
        with pytest.raises(DatasetFormatError) as caught:
            read(text)
        assert blobs.names == []
        assert caught.value.message.isprintable()
        return caught.value

    return import_refused


def test_every_name_becomes_a_column_of_one_float32_matrix(tmp_path, blobs: FakeBlobs) -> None:
    path = tmp_path / "upload.csv"
    path.write_text("a,b\n1,2\n3,4.5\n")

    content = import_csv(str(path), blobs)

    assert (content.row_count, content.column_count) == (2, 2)
    (file,) = content.files
    assert (file.dtype, file.offset_bytes, file.row_count, file.width) == ("float32", 0, 2, 2)
    stored = blobs.path(file.digest).read_bytes()
    assert stored == np.array([1, 2, 3, 4.5], dtype="<f4").tobytes()
    places = [(c.name, c.start, c.end, c.file_index, c.file_start) for c in content.columns]
    assert places == [("a", 0, 1, 0, 0), ("b", 1, 2, 0, 1)]


@pytest.mark.parametrize(
    ("cell", "value"),
    [
        ("0", 0.0),
        ("-7", -7.0),
        ("+3", 3.0),
        ("007", 7.0),
        (".5", 0.5),
        ("5.", 5.0),
        ("-.5", -0.5),
        ("1e5", 1e5),
        ("1E+2", 100.0),
        ("25e-2", 0.25),
        ("-0", -0.0),
        (" 1", 1.0),
        ("1\t ", 1.0),
        ("true", 1.0),
        ("FALSE", 0.0),
        ("Null", 0.0),
        (" True ", 1.0),
        ('"1"', 1.0),
        ('" 1.5 "', 1.5),
        ('"tRUE"', 1.0),
        (' "2" ', 2.0),
        ("1e-400", 0.0),
        ("3.4028235e38", float(np.finfo(np.float32).max)),
        ("2147483648", 2147483648.0),
        ("0.1", float(np.float32(0.1))),
    ],
)
def test_value_is_understood(read, cell: str, value: float) -> None:
    (row,) = read(f"a,b,c\n1,{cell},2\n")[1]
    assert row == [1.0, value, 2.0]
    assert np.signbit(row[1]) == np.signbit(value)
    assert read(f"a\n{cell}\n")[1] == [[value]]


@pytest.mark.parametrize(
    ("text", "rows"),
    [
        ("a,b\n1,2", [[1, 2]]),
        ("a,b\r\n1,2\r\n3,4\r\n", [[1, 2], [3, 4]]),
        ("a,b\r\n1,2\n3,4\r\n5,6", [[1, 2], [3, 4], [5, 6]]),
        ("a\n1\n2\n", [[1], [2]]),
        ("a\r\n1\r\n2", [[1], [2]]),
        ("a,b\n\n1,2\n\n\n3,4\n\n", [[1, 2], [3, 4]]),
        ("a\n1\n   \n2\n\t\r\n", [[1], [2]]),
        ("\n \r\na,b\n1,2\n", [[1, 2]]),
        ("\ufeffa,b\n1,2\n", [[1, 2]]),
        ("a,b\n1,2\r", [[1, 2]]),
    ],
)
def test_line_ends_and_empty_lines_do_not_matter(read, text: str, rows: list[list[float]]) -> None:
    names, values = read(text)
    assert names == (["a"] if len(rows[0]) == 1 else ["a", "b"])
    assert values == rows


def test_header_names_may_be_quoted_and_hold_commas_breaks_and_quotes(read) -> None:
    names, values = read('"a, b"," c ","say ""hi""","two\r\nlines", plain name \n1,2,3,4,5\n')
    assert names == ["a, b", "c", 'say "hi"', "two\r\nlines", "plain name"]
    assert values == [[1, 2, 3, 4, 5]]


def test_header_names_may_be_foreign_and_start_with_digits(read) -> None:
    assert read("größe_°C,2020,x.1\n1,2,3\n")[0] == ["größe_°C", "2020", "x.1"]


def test_lines_are_counted_as_an_editor_shows_them(refuse) -> None:
    assert refuse("a,b\n1,2\n3,x\n").row == 3
    assert refuse("\n\na,b\r\n1,2\r\n\r\n3,x\r\n").row == 6
    assert refuse('"a\nb",c\n1,2\n3,x\n').row == 4


@pytest.mark.parametrize(
    ("cell", "rule"),
    [
        ("abc", "is not a number"),
        ("1 2", "is not a number"),
        ("--1", "is not a number"),
        ("-true", "is not a number"),
        ("1true", "is not a number"),
        ("true5", "is not a number"),
        ("truefalse", "is not a number"),
        ("1e", "is not a number"),
        (".", "is not a number"),
        ("+", "is not a number"),
        ("1_000", "is not a number"),
        ("0x10", "is not a number"),
        ("1,5".replace(",", ";"), "is not a number"),
        ("\u0661", "is not a number"),
        ("1\u00a0", "is not a number"),
        ('"1,5"', "is not a number"),
        ('"x ""y"""', "is not a number"),
        ("nan", "is not a finite number"),
        ("-Infinity", "is not a finite number"),
        ("inf", "is not a finite number"),
        ("1e39", "beyond the numbers"),
        ("-3.4028236e38", "beyond the numbers"),
        ("1e999", "beyond the numbers"),
        ("", "is empty; write null"),
        ("  ", "is empty; write null"),
        ('""', "is empty; write null"),
        ('1"2', "the quotes or line breaks are not right"),
        ('"1"2', "the quotes or line breaks are not right"),
        ('"1', "the quotes or line breaks are not right"),
        ("1\r", "carriage return"),
    ],
)
def test_cell_that_is_no_number_is_refused_with_line_column_and_value(refuse, cell, rule) -> None:
    error = refuse(f"a,b,c\n1,2,3\n1,{cell},3\n")
    assert (error.row, error.column) == (3, "b")
    assert error.message.startswith("line 3, column 'b'")
    assert rule in error.message


def test_quoted_empty_cell_is_no_empty_line(refuse) -> None:
    assert (error := refuse('a\n1\n""\n')).row == 3
    assert "is empty" in error.message


def test_quoted_value_must_end_on_its_line(refuse) -> None:
    error = refuse('a,b\n1,"2\n"\n')
    assert (error.row, error.column) == (2, "b")


def test_long_values_are_shown_shortened(refuse) -> None:
    error = refuse("a\n" + "x" * 100_000 + "\n")
    assert "(100000 characters)" in error.message
    assert len(error.message) < 300


@pytest.mark.parametrize(
    ("text", "row", "column", "rule"),
    [
        ("a,b,c\n1,2,3\n4,5\n", 3, "c", "has 2 values"),
        ("a,b\n1\n", 2, "b", "has 1 values"),
        ("a,b\n1,2\n1,2,3\n", 3, "", "has 3 values"),
        ("a,b\n1,2,\n", 2, "", "has 3 values"),
        ("a\n1,2\n", 2, "", "has 2 values"),
        ("a,b\n1,2,3\n1,2,3\n", 2, "", "names 2 columns"),
        ('a,b\n"1,2"\n', 2, "b", "has 1 values"),
    ],
)
def test_ragged_line_is_refused(refuse, text, row, column, rule) -> None:
    error = refuse(text)
    assert (error.row, error.column) == (row, column)
    assert rule in error.message


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ("", "the file is empty"),
        ("\n\r\n  \n", "the file is empty"),
        ("\ufeff", "the file is empty"),
        ("a,b", "no line with values"),
        ("a,b\n", "no line with values"),
        ("a,b\n\n \n", "no line with values"),
        ("1,2\n3,4\n", "holds only numbers"),
        ("a,,b\n1,2,3\n", "name '' of column 2 is empty"),
        ("a,b,\n1,2,3\n", "name '' of column 3 is empty"),
        ('a,"  "\n1,2\n', "name '' of column 2 is empty"),
        ("a,b, a\n1,2,3\n", "name 'a' of column 3 is also that of column 1"),
        ("a," + "x" * 255 + "\n1,2\n", "has 255 characters"),
        ("a,b\0\n1,2\n", "control character"),
        ("a,b\x1b[2J\n1,2\n", "control character"),
        ('a,"b\n1,2\n', "name 2 of the header is not right"),
        ('a,b"c\n1,2\n', "name 2 of the header is not right"),
        ("a,b\r1,2\r", "name 2 of the header is not right"),
        (b"a,\xff\n1,2\n", "0xff, which is not UTF-8"),
        (b"\xff\xfea\0,\0", "UTF-16"),
        (b"\x1f\x8b\x08\0", "gzip"),
        (b"PK\x03\x04 and so on", "ZIP"),
    ],
)
def test_file_without_a_right_header_or_values_is_refused(refuse, text, rule) -> None:
    assert rule in refuse(text).message


def test_duplicate_name_is_named(refuse) -> None:
    error = refuse("\nb,b\n1,2\n")
    assert (error.row, error.column) == (2, "b")


def test_bytes_that_are_not_utf8_are_refused_with_their_line(refuse) -> None:
    error = refuse(b"a,b\n1,2\n1,\xe9\n")
    assert error.row == 3
    assert "0xe9" in error.message


def test_nul_bytes_are_refused_with_their_line(refuse) -> None:
    assert "NUL" in refuse("a,b\n1,2\n1,\0\n").message


def test_too_many_columns_are_refused(refuse) -> None:
    names = ",".join(f"c{index}" for index in range(65_537))
    assert "65536 columns" in refuse(f"{names}\n1\n").message


def test_endless_line_is_refused_without_reading_it_all(refuse, monkeypatch) -> None:
    monkeypatch.setattr(csv_reader, "LINE_BYTES_MAX", 10_000)
    error = refuse("a,b\n1,2\n" + "1," * 400_000)
    assert error.row == 3
    assert "longer than 10000 bytes" in error.message
    assert "too long" in refuse("a," * 100_000).message


def test_values_do_not_depend_on_the_size_of_blocks(tmp_path, blobs: FakeBlobs) -> None:
    path = tmp_path / "upload.csv"
    lines = [f'{index},"{-index}.25",{index}e-3,TRUE\r\n' for index in range(300)]
    path.write_text("w,x,y,z\r\n" + "".join(lines) + "\n1,2,3,null", newline="")

    contents = {import_csv(path, blobs, block_bytes=size) for size in (1, 7, 64, 1000, 1 << 20)}

    assert len(contents) == 1
    assert contents.pop().row_count == 301


def test_odd_lines_among_thousands_change_nothing(tmp_path, blobs: FakeBlobs) -> None:
    lines = [f"{index},{index}.5" for index in range(20_000)]
    lines[9_000] = "  "
    lines[15_000] = ' "7" , "8.5"\t'
    path = tmp_path / "upload.csv"
    path.write_text("\n".join(["a,b", *lines]))
    content = import_csv(path, blobs)
    matrix = open_matrix(blobs.path(content.files[0].digest), content.files[0])
    expected = [[index, index + 0.5] for index in range(20_000) if index != 9_000]
    expected[14_999] = [7, 8.5]
    np.testing.assert_array_equal(matrix, expected)
    lines[19_000] = "1,2,3"
    path.write_text("\n".join(["a,b", *lines]))
    with pytest.raises(DatasetFormatError) as caught:
        import_csv(path, blobs)
    assert caught.value.row == 19_002


def test_error_does_not_depend_on_the_size_of_blocks(tmp_path, blobs: FakeBlobs) -> None:
    path = tmp_path / "upload.csv"
    path.write_text("a,b\n" + "1,2\n\n" * 500 + "1,x\n" + "1,2\n" * 500)
    messages = set()
    for size in (1, 7, 64, 1000, 1 << 20):
        with pytest.raises(DatasetFormatError) as caught:
            import_csv(path, blobs, block_bytes=size)
        messages.add((caught.value.message, caught.value.row))
    assert len(messages) == 1
    assert messages.pop()[1] == 1002


def test_memory_does_not_grow_with_the_file(tmp_path, blobs: FakeBlobs) -> None:
    path = tmp_path / "upload.csv"
    line = ",".join(f"{index}.25" for index in range(100)) + "\n"
    with path.open("w") as file:
        file.write(",".join(f"c{index}" for index in range(100)) + "\n")
        file.writelines(line for _ in range(60_000))
    tracemalloc.start()
    try:
        content = import_csv(path, blobs)
        _, peak_bytes = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert content.row_count == 60_000
    assert path.stat().st_size > 20e6
    assert peak_bytes < 12e6


def test_refusal_survives_pickling(refuse) -> None:
    error = refuse("a,b\n1,x\n")
    copy = pickle.loads(pickle.dumps(error))
    assert type(copy) is DatasetFormatError
    assert (copy.message, copy.row, copy.column) == (error.message, error.row, error.column)
