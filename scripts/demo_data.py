"""The images that the demo and the benchmarks learn from, as IDX files."""

import gzip
import shutil
import struct
import zlib
from dataclasses import dataclass
from pathlib import Path

__all__ = ["DataError", "Dataset", "Part", "digits", "mnist"]

IMAGES_MAGIC = 0x803
LABELS_MAGIC = 0x801
IMAGES_HEADER = struct.Struct(">IIII")
LABELS_HEADER = struct.Struct(">II")
DIGITS_TRAIN_COUNT = 1400
DIGITS_STEP = 1009  # without a factor in common with 1,797: every image comes once


class DataError(Exception):
    """Files that are not there or not what they should be."""


@dataclass(frozen=True, kw_only=True)
class Part:
    """Images and their labels in two IDX files that are not compressed."""

    images: Path
    labels: Path
    count: int

    @property
    def size_bytes(self) -> int:
        """Both files."""
        return self.images.stat().st_size + self.labels.stat().st_size

    def read_labels(self) -> bytes:
        """One byte per image."""
        return self.labels.read_bytes()[LABELS_HEADER.size :]


@dataclass(frozen=True, kw_only=True)
class Dataset:
    """What is learned, what is asked, and how good the answers have to be."""

    title: str
    train: Part
    test: Part
    number_of_epochs: int
    accuracy_percent_min: float


def digits(directory: Path) -> Dataset:
    """Write the 1,797 handwritten digits of scikit-learn, values 0 to 16.

    They are stored writer by writer. A step through all of them mixes the writers, so that the
    test asks for new images of known hands; in the stored order the last 397 are by other people,
    which is a harder question (about 94 % here, 96 % for a nearest neighbour).
    """
    import numpy as np
    from sklearn.datasets import load_digits

    bunch = load_digits()
    order = np.arange(len(bunch.target)) * DIGITS_STEP % len(bunch.target)
    images = bunch.images.astype("uint8")[order]
    labels = bunch.target.astype("uint8")[order]
    parts = {
        "train": slice(None, DIGITS_TRAIN_COUNT),
        "test": slice(DIGITS_TRAIN_COUNT, None),
    }
    written = {}
    for name, rows in parts.items():
        count, height, width = images[rows].shape
        pair = directory / f"digits-{name}-images", directory / f"digits-{name}-labels"
        header = IMAGES_HEADER.pack(IMAGES_MAGIC, count, height, width)
        pair[0].write_bytes(header + images[rows].tobytes())
        pair[1].write_bytes(LABELS_HEADER.pack(LABELS_MAGIC, count) + labels[rows].tobytes())
        written[name] = Part(images=pair[0], labels=pair[1], count=count)
    return Dataset(
        title="1,797 real handwritten digits, 8x8 (scikit-learn)",
        train=written["train"],
        test=written["test"],
        number_of_epochs=10,
        accuracy_percent_min=95.0,
    )


def mnist(source: Path, directory: Path) -> Dataset:
    """Take the four MNIST files from ``source``; compressed ones are unpacked to ``directory``."""
    return Dataset(
        title=f"MNIST, 28x28, from {source}",
        train=_mnist_part(source, directory, "train"),
        test=_mnist_part(source, directory, "t10k"),
        number_of_epochs=1,
        accuracy_percent_min=97.5,
    )


def _mnist_part(source: Path, directory: Path, prefix: str) -> Part:
    images = _plain_file(source, directory, f"{prefix}-images", "idx3-ubyte")
    labels = _plain_file(source, directory, f"{prefix}-labels", "idx1-ubyte")
    with images.open("rb") as file:
        head = file.read(IMAGES_HEADER.size)
    if len(head) < IMAGES_HEADER.size or IMAGES_HEADER.unpack(head)[0] != IMAGES_MAGIC:
        raise DataError(f"{images} is not an IDX file of images (magic number {IMAGES_MAGIC:#x}).")
    return Part(images=images, labels=labels, count=IMAGES_HEADER.unpack(head)[1])


def _plain_file(source: Path, directory: Path, stem: str, ending: str) -> Path:
    for name in (f"{stem}-{ending}", f"{stem}.{ending}"):
        plain, packed = source / name, source / f"{name}.gz"
        if plain.is_file():
            return plain
        if packed.is_file():
            target = directory / name
            try:
                with gzip.open(packed) as reader, target.open("wb") as writer:
                    shutil.copyfileobj(reader, writer, 1 << 20)
            except (EOFError, gzip.BadGzipFile, zlib.error) as error:
                raise DataError(f"{packed} cannot be unpacked: {error}.") from error
            return target
    raise DataError(f"{source} holds no {stem}-{ending}, neither plain nor with .gz.")
