from pathlib import Path

import numpy as np
import pytest

from hanami_actors.datasets.columns import (
    column_view,
    contiguous_column,
    find_column,
    open_column,
    open_matrix,
    read_range,
    read_rows,
)
from hanami_actors.domain.dataset.events import Column, ColumnFile, DatasetContent
from hanami_actors.errors import BadRequestError, BlobMissingError, FaultError, NotFoundError
from tests.unit.datasets.fakes import FakeBlobs

TABLE = np.arange(12, dtype="<f4").reshape(4, 3) / 10
PIXELS = np.arange(8, dtype=np.uint8).reshape(4, 2) + 250


def stored(blobs: FakeBlobs, matrix: np.ndarray, prefix: bytes = b"") -> ColumnFile:
    with blobs.create() as writer:
        writer.write(prefix + matrix.tobytes())
        digest = writer.finish()
    return ColumnFile(
        digest=digest,
        offset_bytes=len(prefix),
        dtype=matrix.dtype.name,
        row_count=matrix.shape[0],
        width=matrix.shape[1],
    )


@pytest.fixture
def content(blobs: FakeBlobs) -> DatasetContent:
    """Columns ``pixels`` [0, 2) in a uint8 file, ``a`` [2, 3) and ``bc`` [3, 5) in a float file."""
    return DatasetContent(
        row_count=4,
        column_count=5,
        files=(stored(blobs, PIXELS, b"head"), stored(blobs, TABLE)),
        columns=(
            Column(name="pixels", start=0, end=2, file_index=0, file_start=0),
            Column(name="a", start=2, end=3, file_index=1, file_start=0),
            Column(name="bc", start=3, end=5, file_index=1, file_start=1),
        ),
    )


@pytest.mark.parametrize(("index", "expected"), [(0, PIXELS), (1, TABLE)])
def test_matrix_is_mapped_read_only_behind_its_offset(blobs, content, index, expected) -> None:
    file = content.files[index]
    matrix = open_matrix(blobs.path(file.digest), file)
    np.testing.assert_array_equal(matrix, expected)
    assert matrix.dtype == expected.dtype
    assert type(matrix) is np.ndarray
    assert matrix.flags.c_contiguous
    assert not matrix.flags.writeable
    assert not matrix.flags.owndata


def test_mapping_outlives_the_name_of_its_file(blobs, content) -> None:
    path = blobs.path(content.files[1].digest)
    matrix = open_matrix(path, content.files[1])
    path.unlink()
    np.testing.assert_array_equal(matrix, TABLE)


@pytest.mark.parametrize("change_bytes", [-1, 1])
def test_file_of_another_size_is_never_mapped(blobs, content, change_bytes: int) -> None:
    path = blobs.path(content.files[1].digest)
    with path.open("r+b") as file:
        file.truncate(48 + change_bytes)
    with pytest.raises(BlobMissingError, match=f"has {48 + change_bytes} bytes.*describes 48"):
        open_matrix(path, content.files[1])


def test_missing_file_is_named(content) -> None:
    with pytest.raises(BlobMissingError, match=content.files[1].digest):
        open_matrix(Path("/nowhere/at/all"), content.files[1])


def test_unknown_type_is_refused(blobs) -> None:
    file = ColumnFile(digest="0", dtype="float64", row_count=1, width=1)
    with pytest.raises(FaultError, match="float64"):
        open_matrix(blobs.path("0"), file)


def test_file_without_rows_is_an_empty_matrix(blobs) -> None:
    file = stored(blobs, np.zeros((0, 3), dtype="<f4"))
    matrix = open_matrix(blobs.path(file.digest), file)
    assert matrix.shape == (0, 3)
    assert not matrix.flags.writeable


def test_column_over_the_full_width_is_the_mapped_matrix_itself(blobs, content) -> None:
    matrix = open_matrix(blobs.path(content.files[1].digest), content.files[1])
    assert contiguous_column(matrix, 0, 3) is matrix
    assert column_view(matrix, 0, 3) is matrix


def test_part_of_the_width_is_copied_only_for_contiguous_use(blobs, content) -> None:
    matrix = open_matrix(blobs.path(content.files[1].digest), content.files[1])
    view, copy = column_view(matrix, 1, 3), contiguous_column(matrix, 1, 3)
    assert np.shares_memory(view, matrix)
    assert not np.shares_memory(copy, matrix)
    assert copy.flags.c_contiguous
    assert copy.dtype == np.float32
    np.testing.assert_array_equal(copy, TABLE[:, 1:3])
    np.testing.assert_array_equal(view, copy)


def test_one_row_and_one_column_slices_are_contiguous(blobs, content) -> None:
    matrix = open_matrix(blobs.path(content.files[1].digest), content.files[1])
    assert contiguous_column(matrix, 2, 3).flags.c_contiguous
    assert contiguous_column(matrix[:1], 1, 3).flags.c_contiguous


@pytest.mark.parametrize(("start", "end"), [(-1, 2), (0, 4), (2, 1)])
def test_range_outside_the_matrix_is_a_fault(start: int, end: int) -> None:
    with pytest.raises(FaultError, match="not within a width of 3"):
        column_view(TABLE, start, end)


def test_column_is_found_by_name_and_others_are_named(content) -> None:
    assert find_column(content, "bc").start == 3
    with pytest.raises(NotFoundError, match=r"'x'.*'pixels', 'a', 'bc'$"):
        find_column(content, "x")


def test_list_of_known_columns_is_kept_short() -> None:
    columns = tuple(
        Column(name=f"c{i}", start=i, end=i + 1, file_index=0, file_start=i) for i in range(50)
    )
    content = DatasetContent(row_count=0, column_count=50, files=(), columns=columns)
    with pytest.raises(NotFoundError, match=r"'c19' and 30 more$"):
        find_column(content, "x")


def test_open_column_looks_into_the_right_file(blobs, content) -> None:
    np.testing.assert_array_equal(open_column(blobs.path, content, "bc"), TABLE[:, 1:])
    np.testing.assert_array_equal(open_column(blobs.path, content, "pixels"), PIXELS)


def test_rows_are_raw_values_as_python_floats(blobs, content) -> None:
    rows = read_rows(blobs.path, content, "pixels", 1, 3)
    assert rows == [[252.0, 253.0], [254.0, 255.0], [0.0, 1.0]]
    assert {type(value) for row in rows for value in row} == {float}
    assert read_rows(blobs.path, content, "bc", 0, 1) == [
        [float(np.float32(0.1)), float(np.float32(0.2))]
    ]


def test_last_row_can_be_read(blobs, content) -> None:
    assert len(read_rows(blobs.path, content, "a", 3, 1)) == 1


@pytest.mark.parametrize(("offset", "count"), [(4, 1), (0, 5), (3, 2), (-1, 1), (0, 0), (10**9, 1)])
def test_rows_beyond_the_end_are_refused_with_all_numbers(blobs, content, offset, count) -> None:
    with pytest.raises(BadRequestError) as caught:
        read_rows(blobs.path, content, "a", offset, count)
    for part in (f"row_offset {offset}", f"number_of_rows {count}", "has 4 rows"):
        assert part in caught.value.message


def test_unknown_column_of_rows_is_not_found(blobs, content) -> None:
    with pytest.raises(NotFoundError, match="'b'"):
        read_rows(blobs.path, content, "b", 0, 1)


def test_range_by_number_crosses_columns_and_files(blobs, content) -> None:
    for start in range(6):
        for end in range(start, 6):
            parts = read_range(blobs.path, content, start, end)
            whole = np.hstack((PIXELS.astype("<f4"), TABLE))[:, start:end]
            joined = np.hstack(parts) if parts else np.zeros((4, 0), dtype="<f4")
            np.testing.assert_array_equal(joined, whole)


def test_range_within_one_file_is_one_view(blobs, content) -> None:
    assert len(read_range(blobs.path, content, 2, 5)) == 1
    assert len(read_range(blobs.path, content, 0, 5)) == 2
