import gzip
import os
import pickle
import struct
from pathlib import Path

import numpy as np
import pytest

from hanami_actors.datasets import idx
from hanami_actors.datasets.columns import open_column, open_matrix, read_rows
from hanami_actors.datasets.idx import import_mnist
from hanami_actors.domain.dataset.events import DatasetContent
from hanami_actors.errors import DatasetFormatError
from tests.unit.datasets.fakes import FakeBlobs, digest_of
from tests.unit.datasets.idx_files import image_bytes, label_bytes, some_pixels


@pytest.fixture
def upload(tmp_path: Path):
    def write(images: bytes, labels: bytes) -> tuple[Path, Path]:
        (tmp_path / "images").write_bytes(images)
        (tmp_path / "labels").write_bytes(labels)
        return tmp_path / "images", tmp_path / "labels"

    return write


def refused(upload, blobs: FakeBlobs, images: bytes, labels: bytes) -> DatasetFormatError:
    """Import, and check that the refusal leaves everything as it was."""
    paths = upload(images, labels)
    with pytest.raises(DatasetFormatError) as caught:
        import_mnist(paths[0], paths[1], blobs)
    assert blobs.names == []
    assert paths[0].read_bytes() == images
    assert paths[1].read_bytes() == labels
    return caught.value


GOOD_IMAGES = image_bytes(some_pixels(3))
GOOD_LABELS = label_bytes([0, 9, 4])


def import_good(upload, blobs: FakeBlobs) -> DatasetContent:
    images, labels = upload(GOOD_IMAGES, GOOD_LABELS)
    return import_mnist(images, labels, blobs)


def test_content_has_the_shape_the_contract_shows(upload, blobs: FakeBlobs) -> None:
    content = import_good(upload, blobs)

    assert (content.row_count, content.column_count) == (3, 16)
    described = {column.name: (column.start, column.end) for column in content.columns}
    assert described == {"picture": (0, 6), "label": (6, 16)}
    assert [file.dtype for file in content.files] == ["uint8", "uint8"]
    assert [column.file_index for column in content.columns] == [0, 1]


def test_image_file_is_moved_into_the_store_byte_for_byte(upload, blobs: FakeBlobs) -> None:
    images, labels = upload(GOOD_IMAGES, GOOD_LABELS)
    inode = images.stat().st_ino

    file = import_mnist(images, labels, blobs).files[0]

    assert not images.exists()
    assert labels.exists()
    stored = blobs.path(digest_of(GOOD_IMAGES))
    assert file.digest == stored.name
    assert file.offset_bytes == 16
    assert stored.stat().st_ino == inode


def test_pixels_stay_raw_bytes(upload, blobs: FakeBlobs) -> None:
    content = import_good(upload, blobs)

    pictures = open_column(blobs.path, content, "picture")

    assert pictures.dtype == np.uint8
    assert pictures.flags.c_contiguous
    np.testing.assert_array_equal(pictures, some_pixels(3).reshape(3, 6))
    assert read_rows(blobs.path, content, "picture", 1, 1) == [
        [222.0, 3.0, 40.0, 77.0, 114.0, 151.0]
    ]


def test_labels_become_ten_columns_of_zero_and_one(upload, blobs: FakeBlobs) -> None:
    content = import_good(upload, blobs)

    stored = blobs.path(content.files[1].digest).read_bytes()

    assert stored == np.eye(10, dtype=np.uint8)[[0, 9, 4]].tobytes()
    assert content.files[1].offset_bytes == 0


def test_paths_may_be_text(upload, blobs: FakeBlobs) -> None:
    images, labels = upload(GOOD_IMAGES, GOOD_LABELS)
    assert import_mnist(str(images), str(labels), blobs).row_count == 3


def test_labels_are_read_in_blocks(upload, blobs: FakeBlobs, monkeypatch) -> None:
    monkeypatch.setattr(idx, "LABEL_BLOCK_ROWS", 64)
    labels = [row * 7 % 10 for row in range(1000)]
    paths = upload(image_bytes(some_pixels(1000, 1, 1)), label_bytes(labels))

    content = import_mnist(paths[0], paths[1], blobs)

    assert max(blobs.write_sizes) == 640
    one_hot = open_matrix(blobs.path(content.files[1].digest), content.files[1])
    assert one_hot.argmax(axis=1).tolist() == labels


def test_label_beyond_nine_is_refused_with_its_row(upload, blobs: FakeBlobs, monkeypatch) -> None:
    monkeypatch.setattr(idx, "LABEL_BLOCK_ROWS", 2)
    error = refused(upload, blobs, GOOD_IMAGES, label_bytes([0, 1, 10]))
    assert (error.row, error.column) == (3, "label")
    assert "label file: row 3 has the label 10" in error.message


def test_wrong_magic_is_refused(upload, blobs: FakeBlobs) -> None:
    images = image_bytes(some_pixels(3), magic=0x0D03)
    assert "magic number 0x00000d03" in refused(upload, blobs, images, GOOD_LABELS).message
    labels = label_bytes([1, 2, 3], magic=0xDEADBEEF)
    assert "0x00000801" in refused(upload, blobs, GOOD_IMAGES, labels).message


def test_swapped_files_are_called_swapped(upload, blobs: FakeBlobs) -> None:
    assert "swapped" in refused(upload, blobs, label_bytes([1] * 20), GOOD_IMAGES).message
    assert "swapped" in refused(upload, blobs, GOOD_IMAGES, GOOD_IMAGES).message


def test_gzip_files_are_called_so(upload, blobs: FakeBlobs) -> None:
    packed_images = gzip.compress(GOOD_IMAGES)
    assert (
        "image file: this is a gzip" in refused(upload, blobs, packed_images, GOOD_LABELS).message
    )
    packed_labels = gzip.compress(GOOD_LABELS)
    assert (
        "label file: this is a gzip" in refused(upload, blobs, GOOD_IMAGES, packed_labels).message
    )


@pytest.mark.parametrize("size_bytes", [0, 1, 4, 15])
def test_images_that_end_within_the_header_are_refused(upload, blobs, size_bytes: int) -> None:
    error = refused(upload, blobs, GOOD_IMAGES[:size_bytes], GOOD_LABELS)
    assert f"it has {size_bytes} bytes" in error.message


@pytest.mark.parametrize(("size_bytes", "row"), [(16, 1), (17, 1), (22, 2), (33, 3)])
def test_truncated_images_are_refused_with_the_row(upload, blobs, size_bytes, row) -> None:
    error = refused(upload, blobs, GOOD_IMAGES[:size_bytes], GOOD_LABELS)
    assert error.row == row
    assert "which is 34 bytes" in error.message
    assert f"the file has {size_bytes} bytes" in error.message


@pytest.mark.parametrize(("size_bytes", "row"), [(8, 1), (10, 3)])
def test_truncated_labels_are_refused_with_the_row(upload, blobs, size_bytes, row) -> None:
    assert refused(upload, blobs, GOOD_IMAGES, GOOD_LABELS[:size_bytes]).row == row


def test_bytes_behind_the_last_row_are_refused(upload, blobs: FakeBlobs) -> None:
    assert "2 too many" in refused(upload, blobs, GOOD_IMAGES + b"xx", GOOD_LABELS).message
    assert "1 too many" in refused(upload, blobs, GOOD_IMAGES, GOOD_LABELS + b"\0").message


def test_there_must_be_one_label_per_image(upload, blobs: FakeBlobs) -> None:
    error = refused(upload, blobs, GOOD_IMAGES, label_bytes([1, 2]))
    assert "2 labels" in error.message
    assert "3 images" in error.message


@pytest.mark.parametrize("shape", [(0, 3, 2), (3, 0, 2), (3, 2, 0)])
def test_empty_images_are_refused(upload, blobs, shape) -> None:
    images = struct.pack(">IIII", 0x803, *shape)
    assert "at least 1" in refused(upload, blobs, images, label_bytes([])).message


def test_sizes_beyond_every_file_are_refused_at_once(upload, blobs: FakeBlobs) -> None:
    images = struct.pack(">IIII", 0x803, *[0xFFFFFFFF] * 3) + bytes(100)
    labels = label_bytes([1], count=0xFFFFFFFF)
    error = refused(upload, blobs, images, labels)
    assert str(16 + 0xFFFFFFFF**3) in error.message


def test_refusal_travels_between_processes() -> None:
    error = DatasetFormatError("line 3 is wrong", row=3, column="a")
    copy = pickle.loads(pickle.dumps(error))
    assert (copy.message, copy.row, copy.column, str(copy)) == (
        "line 3 is wrong",
        3,
        "a",
        str(error),
    )


@pytest.mark.skipif("HANAMI_MNIST_DIR" not in os.environ, reason="HANAMI_MNIST_DIR is not set")
def test_real_mnist_test_files_are_imported(upload, blobs: FakeBlobs) -> None:
    directory = Path(os.environ["HANAMI_MNIST_DIR"])
    images, labels = (
        _read(directory, name) for name in ("t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte")
    )
    paths = upload(images, labels)
    content = import_mnist(paths[0], paths[1], blobs)
    assert (content.row_count, content.column_count) == (10_000, 794)
    assert open_column(blobs.path, content, "label")[:3].argmax(axis=1).tolist() == [7, 2, 1]


def _read(directory: Path, name: str) -> bytes:
    plain = directory / name
    return (
        plain.read_bytes()
        if plain.exists()
        else gzip.decompress((directory / f"{name}.gz").read_bytes())
    )
