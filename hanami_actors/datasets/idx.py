"""Import of MNIST-like pairs of IDX files: pictures and their labels.

The layout is the one of the MNIST files: a big-endian magic number (two zero bytes, the type of
the elements, the number of dimensions), one 32-bit size per dimension, then the elements.
"""

import struct
from pathlib import Path
from typing import BinaryIO

import numpy as np

from hanami_actors.datasets.port import BlobStore, BlobWriter
from hanami_actors.domain.dataset.events import Column, ColumnFile, DatasetContent
from hanami_actors.errors import DatasetFormatError

__all__ = ["CLASS_COUNT", "IMAGE_HEADER_BYTES", "import_mnist"]

IMAGE_MAGIC = 0x00000803
LABEL_MAGIC = 0x00000801
IMAGE_HEADER_BYTES = 16
LABEL_HEADER_BYTES = 8
CLASS_COUNT = 10
LABEL_BLOCK_ROWS = 64 * 1024

_GZIP_MAGIC = b"\x1f\x8b"
_IMAGES = "image file"
_LABELS = "label file"


def import_mnist(
    input_path: str | Path, label_path: str | Path, blobs: BlobStore
) -> DatasetContent:
    """Take an IDX image file and an IDX label file into the store.

    The image file is used as it is, behind its header: it is checked, moved into the store and
    described, never copied. Labels become ten columns of 0 and 1. Everything stays uint8.

    Parameters
    ----------
    input_path, label_path : str or Path
        The uploaded files. The image file is gone from its place afterwards; the label file
        stays. After an error both are where they were.
    blobs : BlobStore

    Returns
    -------
    DatasetContent
        ``picture`` ``[0, pixels)`` and ``label`` ``[pixels, pixels + 10)``.

    Raises
    ------
    DatasetFormatError
        A file is not what it is said to be; the text names the file, the row and the rule.
    """
    input_path, label_path = Path(input_path), Path(label_path)
    with input_path.open("rb") as images:
        row_count, pixel_count = _check_images(images)
    with label_path.open("rb") as labels:
        _check_labels(labels, row_count)
        with blobs.create() as writer:
            _write_one_hot(labels, row_count, writer)
            label_digest = writer.finish()
    # Last, because a file that has moved cannot be refused any more.
    image_digest = blobs.adopt(input_path)
    column_count = pixel_count + CLASS_COUNT
    return DatasetContent(
        row_count=row_count,
        column_count=column_count,
        files=(
            ColumnFile(
                digest=image_digest,
                offset_bytes=IMAGE_HEADER_BYTES,
                dtype="uint8",
                row_count=row_count,
                width=pixel_count,
            ),
            ColumnFile(digest=label_digest, dtype="uint8", row_count=row_count, width=CLASS_COUNT),
        ),
        columns=(
            Column(name="picture", start=0, end=pixel_count, file_index=0, file_start=0),
            Column(name="label", start=pixel_count, end=column_count, file_index=1, file_start=0),
        ),
    )


def _check_images(images: BinaryIO) -> tuple[int, int]:
    header = _read_header(images, IMAGE_HEADER_BYTES, _IMAGES)
    _check_magic(header, IMAGE_MAGIC, _IMAGES)
    row_count, height, width = struct.unpack(">III", header[4:])
    if row_count == 0 or height == 0 or width == 0:
        raise DatasetFormatError(
            f"{_IMAGES}: the header announces {row_count} images of {height} x {width} pixels;"
            " all three numbers must be at least 1"
        )
    pixel_count = height * width
    _check_size(
        images,
        IMAGE_HEADER_BYTES,
        (row_count, pixel_count),
        f"{_IMAGES}: the header announces {row_count} images of {height} x {width} pixels",
    )
    return row_count, pixel_count


def _check_labels(labels: BinaryIO, row_count: int) -> None:
    header = _read_header(labels, LABEL_HEADER_BYTES, _LABELS)
    _check_magic(header, LABEL_MAGIC, _LABELS)
    (label_count,) = struct.unpack(">I", header[4:])
    if label_count != row_count:
        raise DatasetFormatError(
            f"{_LABELS}: the header announces {label_count} labels, the image file has"
            f" {row_count} images; there must be one label per image, in the same order"
        )
    _check_size(
        labels,
        LABEL_HEADER_BYTES,
        (row_count, 1),
        f"{_LABELS}: the header announces {label_count} labels",
    )


def _read_header(file: BinaryIO, header_bytes: int, what: str) -> bytes:
    header = file.read(header_bytes)
    if header.startswith(_GZIP_MAGIC):
        raise DatasetFormatError(
            f"{what}: this is a gzip file; unpack it first (gunzip) and upload the unpacked file"
        )
    if len(header) < header_bytes:
        raise DatasetFormatError(
            f"{what}: it has {len(header)} bytes and ends within the IDX header, which has"
            f" {header_bytes} bytes; upload the complete file"
        )
    return header


def _check_magic(header: bytes, magic: int, what: str) -> None:
    (found,) = struct.unpack(">I", header[:4])
    if found == magic:
        return
    hint = "upload an uncompressed IDX file of unsigned bytes"
    if found == IMAGE_MAGIC:
        hint = "this is an IDX image file, the two files may be swapped"
    elif found == LABEL_MAGIC:
        hint = "this is an IDX label file, the two files may be swapped"
    raise DatasetFormatError(
        f"{what}: it starts with the magic number 0x{found:08x}, an IDX {what} starts with"
        f" 0x{magic:08x}; {hint}"
    )


def _check_size(file: BinaryIO, header_bytes: int, shape: tuple[int, int], said: str) -> None:
    row_count, row_bytes = shape
    expected_bytes = header_bytes + row_count * row_bytes
    actual_bytes = file.seek(0, 2)
    file.seek(header_bytes)
    if actual_bytes == expected_bytes:
        return
    if actual_bytes < expected_bytes:
        row = (actual_bytes - header_bytes) // row_bytes + 1
        raise DatasetFormatError(
            f"{said}, which is {expected_bytes} bytes with the header, but the file has"
            f" {actual_bytes} bytes and ends within row {row}; upload the complete file",
            row=row,
        )
    raise DatasetFormatError(
        f"{said}, which is {expected_bytes} bytes with the header, but the file has"
        f" {actual_bytes} bytes, {actual_bytes - expected_bytes} too many",
        row=row_count + 1,
    )


def _write_one_hot(labels: BinaryIO, row_count: int, writer: BlobWriter) -> None:
    for first_row in range(0, row_count, LABEL_BLOCK_ROWS):
        block_rows = min(LABEL_BLOCK_ROWS, row_count - first_row)
        classes = np.frombuffer(labels.read(block_rows), dtype=np.uint8)
        if classes.size != block_rows:
            raise DatasetFormatError(
                f"{_LABELS}: it ends at row {first_row + classes.size + 1} of {row_count}",
                row=first_row + int(classes.size) + 1,
            )
        too_large = np.flatnonzero(classes >= CLASS_COUNT)
        if too_large.size:
            row = first_row + int(too_large[0]) + 1
            raise DatasetFormatError(
                f"{_LABELS}: row {row} has the label {classes[too_large[0]]};"
                f" labels are 0 to {CLASS_COUNT - 1}",
                row=row,
                column="label",
            )
        one_hot = np.zeros((block_rows, CLASS_COUNT), dtype=np.uint8)
        one_hot[np.arange(block_rows), classes] = 1
        writer.write(one_hot.data.cast("B"))
