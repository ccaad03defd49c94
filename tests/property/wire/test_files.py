"""Goal: files made from a model come back as the model, and a tiny file never costs much."""

import contextlib
import csv
import io
import math
import struct
import tracemalloc
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hanami_actors.datasets.columns import read_rows
from hanami_actors.datasets.csv_reader import import_csv
from hanami_actors.datasets.idx import import_mnist
from hanami_actors.errors import DatasetFormatError
from tests.unit.datasets.fakes import FakeBlobs

MEMORY_MAX_BYTES = 64 * 1024 * 1024


@contextlib.contextmanager
def bounded_memory() -> Iterator[None]:
    """Fail when the block takes more memory than a small file deserves."""
    tracemalloc.start()
    try:
        yield
        peak_bytes = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak_bytes < MEMORY_MAX_BYTES


FILES = settings(suppress_health_check=[HealthCheck.function_scoped_fixture])

VALUES = st.floats(width=32, allow_nan=False, allow_infinity=False)
WORDS = {"true": 1.0, "FALSE": 0.0, "null": 0.0}
CELLS = VALUES.map(lambda value: (repr(value), value)) | st.sampled_from([*WORDS.items()])
COLUMN_NAMES = st.text(
    st.characters(categories=("L", "N", "P", "Zs"), include_characters=',"\n'),
    min_size=1,
    max_size=10,
).filter(lambda name: name == name.strip() and name.isprintable() and "\r" not in name)


@st.composite
def tables(draw):
    names = draw(st.lists(COLUMN_NAMES, min_size=1, max_size=4, unique=True))
    # A first line of numbers alone is taken for a forgotten header.
    names = ["first column", *names[1:]]
    row = st.lists(CELLS, min_size=len(names), max_size=len(names))
    return names, draw(st.lists(row, min_size=1, max_size=5))


@FILES
@given(tables(), st.sampled_from(["\n", "\r\n"]), st.booleans(), st.booleans())
def test_a_csv_file_is_read_as_the_table_it_was_written_from(
    tmp_path_factory, table, line_end, quoted, marked
):
    names, rows = table
    out = io.StringIO()
    writer = csv.writer(
        out, quoting=csv.QUOTE_ALL if quoted else csv.QUOTE_MINIMAL, lineterminator=line_end
    )
    writer.writerows([names, *([text for text, _ in row] for row in rows)])
    folder = tmp_path_factory.mktemp("csv")
    (folder / "file").write_bytes(b"\xef\xbb\xbf" * marked + out.getvalue().encode())
    blobs = FakeBlobs(folder / "blobs")
    content = import_csv(folder / "file", blobs)
    assert [column.name for column in content.columns] == names
    for index, name in enumerate(names):
        read = read_rows(blobs.path, content, name, 0, len(rows))
        # As bits: minus zero stays minus zero.
        assert [struct.pack("<d", value) for (value,) in read] == [
            struct.pack("<d", row[index][1]) for row in rows
        ]


@FILES
@given(st.integers(1, 6), st.integers(1, 4), st.integers(1, 4), st.data())
def test_a_pair_of_idx_files_is_read_as_what_it_was_written_from(
    tmp_path_factory, rows, height, width, data
):
    pixels = data.draw(st.binary(min_size=rows * height * width, max_size=rows * height * width))
    labels = data.draw(st.lists(st.integers(0, 9), min_size=rows, max_size=rows))
    folder = tmp_path_factory.mktemp("idx")
    images = struct.pack(">IIII", 0x803, rows, height, width) + pixels
    (folder / "images").write_bytes(images)
    (folder / "labels").write_bytes(struct.pack(">II", 0x801, rows) + bytes(labels))
    blobs = FakeBlobs(folder / "blobs")
    content = import_mnist(folder / "images", folder / "labels", blobs)
    assert (content.row_count, content.column_count) == (rows, height * width + 10)
    read = read_rows(blobs.path, content, "picture", 0, rows)
    assert [value for row in read for value in row] == [float(byte) for byte in pixels]
    assert read_rows(blobs.path, content, "label", 0, rows) == [
        [float(column == label) for column in range(10)] for label in labels
    ]


GIANTS = st.tuples(*[st.sampled_from([1, 2, 65_535, 65_536, 2**31 - 1, 2**31, 2**32 - 1])] * 3)


@FILES
@given(GIANTS, st.integers(0, 64), st.integers(0, 2**32 - 1))
def test_a_tiny_idx_file_that_announces_a_giant_is_refused_for_nothing(
    tmp_path_factory, shape, size, label_count
):
    folder = tmp_path_factory.mktemp("giant")
    (folder / "images").write_bytes(struct.pack(">IIII", 0x803, *shape) + bytes(size))
    (folder / "labels").write_bytes(struct.pack(">II", 0x801, label_count) + bytes(size))
    blobs = FakeBlobs(folder / "blobs")
    fits = math.prod(shape) == size and label_count == shape[0] == size
    with bounded_memory():
        if fits:
            import_mnist(folder / "images", folder / "labels", blobs)
        else:
            with pytest.raises(DatasetFormatError):
                import_mnist(folder / "images", folder / "labels", blobs)
            assert blobs.names == []


@pytest.mark.parametrize(
    "start",
    [b"a" * 5_000_000, b"," * 70_000 + b"\n1", b'"' + b"a" * 5_000_000, b"a\n" + b"1" * 5_000_000],
    ids=["one name", "many names", "an open quote", "one value"],
)
def test_a_csv_file_without_an_end_of_line_is_refused_in_bounded_memory(tmp_path, start):
    (tmp_path / "file").write_bytes(start)
    blobs = FakeBlobs(tmp_path / "blobs")
    with bounded_memory(), pytest.raises(DatasetFormatError):
        import_csv(tmp_path / "file", blobs)
    assert blobs.names == []
