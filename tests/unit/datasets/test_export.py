"""Exports hold what is stored, read back exactly, and are made in blocks."""

import csv
import io
import pickle
import struct

import numpy as np
import pytest

from hanami_actors.datasets import export
from hanami_actors.datasets.csv_reader import import_csv
from hanami_actors.datasets.export import RowRange, encode_block, plan_export
from hanami_actors.datasets.idx import import_mnist
from hanami_actors.datasets.result import ResultWriter
from hanami_actors.errors import BadRequestError, BlobMissingError, NotFoundError
from tests.unit.datasets.idx_files import image_bytes, label_bytes, some_pixels


def whole(plan) -> bytes:
    blocks = [encode_block(plan, *rows) for rows in export.block_ranges(plan)]
    return export.head_bytes(plan) + b"".join(blocks)


def as_array(plan) -> np.ndarray:
    data = whole(plan)
    assert len(data) == export.size_bytes(plan)
    array: np.ndarray = np.load(io.BytesIO(data), allow_pickle=False)
    return array


@pytest.fixture
def mnist(tmp_path, blobs):
    images, labels = tmp_path / "images", tmp_path / "labels"
    images.write_bytes(image_bytes(some_pixels(5)))
    labels.write_bytes(label_bytes([0, 9, 3, 3, 1]))
    return import_mnist(images, labels, blobs)


def imported(tmp_path, blobs, text):
    path = tmp_path / "file.csv"
    path.write_text(text)
    return import_csv(path, blobs)


def result(blobs, columns, values):
    with ResultWriter(blobs, columns) as writer:
        writer.write(np.array(values, dtype=np.float32))
        return writer.finish()


def test_pictures_and_labels_stand_side_by_side_as_bytes(mnist, blobs):
    array = as_array(plan_export(blobs.path, mnist, "npy"))
    assert array.dtype == np.uint8
    assert array.shape == (5, 6 + 10)
    assert (array[:, :6] == some_pixels(5).reshape(5, 6)).all()
    assert array[:, 6:].argmax(axis=1).tolist() == [0, 9, 3, 3, 1]


def test_columns_come_in_the_order_asked_for_and_rows_in_their_range(mnist, blobs):
    plan = plan_export(blobs.path, mnist, "npy", ("label", "picture"), RowRange(first=1, last=3))
    array = as_array(plan)
    assert array[:, :10].argmax(axis=1).tolist() == [9, 3]
    assert (array[:, 10:] == some_pixels(5).reshape(5, 6)[1:3]).all()


def test_csv_names_every_value_and_writes_whole_numbers_as_such(mnist, blobs):
    text = whole(plan_export(blobs.path, mnist, "csv", ("label",), RowRange(last=2))).decode()
    assert text == (
        ",".join(f"label_{index}" for index in range(10))
        + "\n1,0,0,0,0,0,0,0,0,0\n0,0,0,0,0,0,0,0,0,1\n"
    )


def test_a_downloaded_csv_imports_as_the_same_dataset(tmp_path, blobs):
    content = imported(tmp_path, blobs, 'a,"b, c","say ""x"""\n0.1,-1e-30,3.4e38\n1,2,16777217\n')
    text = whole(plan_export(blobs.path, content, "csv")).decode()
    assert next(csv.reader(io.StringIO(text))) == ["a", "b, c", 'say "x"']
    assert "0.1,-1e-30,3.4e38" in text
    again = imported(tmp_path, blobs, text)
    assert again == content


def test_values_that_are_not_finite_are_named(blobs):
    content = result(blobs, [("out", 3)], [[np.nan, np.inf, -np.inf], [0.1, -0.0, 1.0]])
    assert whole(plan_export(blobs.path, content, "csv")) == (
        b"out_0,out_1,out_2\nnan,inf,-inf\n0.1,-0.0,1.0\n"
    )


def test_blocks_are_bounded_and_joined_they_are_the_whole(blobs, monkeypatch):
    values = np.random.default_rng(3).random((1000, 7), dtype=np.float32)
    content = result(blobs, [("a", 3), ("b", 4)], values)
    monkeypatch.setattr(export, "CSV_BLOCK_VALUES", 70)
    monkeypatch.setattr(export, "NPY_BLOCK_BYTES", 300)
    plan = plan_export(blobs.path, content, "csv")
    assert len(list(export.block_ranges(plan))) == 100
    read = np.loadtxt(io.BytesIO(whole(plan)), delimiter=",", skiprows=1, dtype=np.float32)
    assert (read == values).all()
    assert (as_array(plan_export(blobs.path, content, "npy")) == values).all()


def test_neighbours_in_a_file_are_read_as_one_matrix(tmp_path, blobs):
    content = imported(tmp_path, blobs, "a,b,c,d\n1,2,3,4\n")
    assert len(plan_export(blobs.path, content, "npy").parts) == 1
    plan = plan_export(blobs.path, content, "npy", ("d", "a", "b"))
    assert len(plan.parts) == 2
    assert as_array(plan).tolist() == [[4.0, 1.0, 2.0]]


def test_mixed_types_become_the_one_that_holds_both(mnist, tmp_path, blobs):
    floats = imported(tmp_path, blobs, "x\n" + "0.5\n" * 5)
    file, column = floats.files[0], floats.columns[0]
    mixed = type(mnist)(
        row_count=5,
        column_count=17,
        files=(*mnist.files, file),
        columns=(
            *mnist.columns,
            type(column)(name="x", start=16, end=17, file_index=2, file_start=0),
        ),
    )
    array = as_array(plan_export(blobs.path, mixed, "npy"))
    assert array.dtype == np.float32
    assert array[:, 16].tolist() == [0.5] * 5


def test_an_empty_dataset_is_a_header_alone(blobs):
    with ResultWriter(blobs, [("out", 2)]) as writer:
        content = writer.finish()
    assert whole(plan_export(blobs.path, content, "csv")) == b"out_0,out_1\n"
    assert as_array(plan_export(blobs.path, content, "npy")).shape == (0, 2)


@pytest.mark.parametrize(
    "rows", [RowRange(first=5), RowRange(last=6), RowRange(first=3, last=3), RowRange(first=-1)]
)
def test_rows_beyond_the_end_are_refused_with_how_many_there_are(mnist, blobs, rows):
    with pytest.raises(BadRequestError, match="5 rows"):
        plan_export(blobs.path, mnist, "csv", (), rows)


def test_unknown_columns_and_formats_are_refused_with_those_there_are(mnist, blobs):
    with pytest.raises(NotFoundError, match="'picture', 'label'"):
        plan_export(blobs.path, mnist, "csv", ("weight",))
    with pytest.raises(BadRequestError, match="csv or npy"):
        plan_export(blobs.path, mnist, "xls")


def test_a_plan_travels_to_another_process(mnist, blobs):
    plan = plan_export(blobs.path, mnist, "npy")
    assert encode_block(pickle.loads(pickle.dumps(plan)), 0, 5) == encode_block(plan, 0, 5)


def test_a_missing_file_is_an_error_and_no_empty_block(mnist, blobs):
    plan = plan_export(blobs.path, mnist, "csv")
    blobs.path(mnist.files[1].digest).unlink()
    with pytest.raises(BlobMissingError):
        encode_block(plan, 0, 1)


def test_the_npy_header_is_of_version_one(mnist, blobs):
    head = export.head_bytes(plan_export(blobs.path, mnist, "npy"))
    assert head[:8] == b"\x93NUMPY\x01\x00"
    assert len(head) == 10 + struct.unpack("<H", head[8:10])[0]
    assert len(head) % 64 == 0
