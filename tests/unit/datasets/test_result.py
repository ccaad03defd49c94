import tracemalloc

import numpy as np
import pytest

from hanami_actors.datasets import result
from hanami_actors.datasets.columns import open_column, read_rows
from hanami_actors.datasets.result import ResultWriter
from hanami_actors.errors import BadRequestError, FaultError
from tests.unit.datasets.fakes import FakeBlobs


def some_rows(count: int, width: int) -> np.ndarray:
    return (np.arange(count * width, dtype=np.float32) / 7).reshape(count, width)


def test_results_are_ranges_in_the_order_given(blobs: FakeBlobs) -> None:
    rows = some_rows(4, 5)
    writer = ResultWriter(blobs, [("second", 3), ("first", 2)])
    writer.write(rows[:1])
    writer.write(rows[1:])

    content = writer.finish()

    assert (content.row_count, content.column_count) == (4, 5)
    described = {column.name: (column.start, column.end) for column in content.columns}
    assert described == {"second": (0, 3), "first": (3, 5)}
    assert content.files[0].dtype == "float32"
    np.testing.assert_array_equal(open_column(blobs.path, content, "second"), rows[:, :3])
    np.testing.assert_array_equal(open_column(blobs.path, content, "first"), rows[:, 3:])
    assert blobs.path(content.files[0].digest).read_bytes() == rows.tobytes()


def test_same_rows_give_the_same_bytes_whatever_the_pieces(blobs: FakeBlobs) -> None:
    rows = some_rows(1000, 3)
    contents = set()
    for piece in (1, 7, 1000):
        with ResultWriter(blobs, [("a", 3)]) as writer:
            for first in range(0, 1000, piece):
                writer.write(rows[first : first + piece])
            contents.add(writer.finish())
    assert len(contents) == 1
    assert len(blobs.names) == 1


def test_rows_may_be_reused_by_the_caller(blobs: FakeBlobs) -> None:
    rows = np.ones((1, 2), dtype=np.float32)
    writer = ResultWriter(blobs, [("a", 2)])
    writer.write(rows)
    rows[:] = 9
    writer.write(rows)
    assert read_rows(blobs.path, writer.finish(), "a", 0, 2) == [[1, 1], [9, 9]]


def test_a_view_that_is_not_contiguous_is_written_row_by_row(blobs: FakeBlobs) -> None:
    rows = some_rows(3, 4)
    writer = ResultWriter(blobs, [("a", 2)])
    writer.write(rows[:, 1:3])
    np.testing.assert_array_equal(open_column(blobs.path, writer.finish(), "a"), rows[:, 1:3])


def test_nothing_is_written_before_a_block_is_full(blobs: FakeBlobs, monkeypatch) -> None:
    monkeypatch.setattr(result, "BUFFER_BYTES_MAX", 80)
    writer = ResultWriter(blobs, [("a", 2)])
    for _ in range(25):
        writer.write(some_rows(1, 2))
    assert blobs.write_sizes == [80, 80]
    assert writer.row_count == 25
    writer.finish()
    assert blobs.write_sizes == [80, 80, 40]


def test_result_without_rows_or_values_is_described(blobs: FakeBlobs) -> None:
    empty = ResultWriter(blobs, [("a", 2)]).finish()
    assert (empty.row_count, empty.column_count) == (0, 2)
    assert open_column(blobs.path, empty, "a").shape == (0, 2)
    untrained = ResultWriter(blobs, [("a", 0)])
    untrained.write(np.zeros((3, 0), dtype=np.float32))
    content = untrained.finish()
    assert (content.row_count, content.column_count) == (3, 0)
    assert read_rows(blobs.path, content, "a", 0, 3) == [[], [], []]


def test_abandoned_result_leaves_nothing(blobs: FakeBlobs) -> None:
    writer = ResultWriter(blobs, [("a", 2)])
    writer.write(some_rows(50_000, 2))
    assert blobs.names
    writer.abandon()
    writer.abandon()
    assert blobs.names == []
    with pytest.raises(FaultError, match="finished or abandoned"):
        writer.write(some_rows(1, 2))
    with pytest.raises(FaultError, match="finished or abandoned"):
        writer.finish()


def test_failure_inside_the_context_leaves_nothing(blobs: FakeBlobs) -> None:
    def fail() -> None:
        with ResultWriter(blobs, [("a", 1)]) as writer:
            writer.write(some_rows(100_000, 1))
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert blobs.names == []


def test_finished_result_stays_when_the_context_ends(blobs: FakeBlobs) -> None:
    with ResultWriter(blobs, [("a", 1)]) as writer:
        writer.write(some_rows(1, 1))
        digest = writer.finish().files[0].digest
    writer.abandon()
    assert blobs.names == [digest]


@pytest.mark.parametrize(
    "rows",
    [
        np.zeros((1, 3), dtype=np.float32),
        np.zeros((1, 2), dtype=np.float64),
        np.zeros(2, dtype=np.float32),
    ],
)
def test_rows_of_another_form_are_a_fault(blobs: FakeBlobs, rows: np.ndarray) -> None:
    with ResultWriter(blobs, [("a", 2)]) as writer:
        with pytest.raises(FaultError, match=r"float32 with shape \(n, 2\)"):
            writer.write(rows)
        assert writer.row_count == 0


def test_columns_must_exist_and_differ(blobs: FakeBlobs) -> None:
    with pytest.raises(BadRequestError, match="at least one column"):
        ResultWriter(blobs, [])
    with pytest.raises(BadRequestError, match="'a' is named twice"):
        ResultWriter(blobs, [("a", 1), ("b", 1), ("a", 2)])
    with pytest.raises(FaultError, match="width -1"):
        ResultWriter(blobs, [("a", -1)])
    assert blobs.names == []


def test_memory_does_not_grow_with_the_rows(blobs: FakeBlobs) -> None:
    rows = some_rows(100, 100)
    tracemalloc.start()
    try:
        with ResultWriter(blobs, [("a", 100)]) as writer:
            for _ in range(500):
                writer.write(rows)
            _, peak_bytes = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak_bytes < 2e6
