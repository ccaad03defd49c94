"""Samples of direct training as bytes: what the network got, so that it can be trained again.

Layout: version (1 byte), length of the header (4 bytes, big-endian), header (msgpack), zstd frame
of all values (little-endian float32). The header lists runs of samples that have the same inputs
and outputs with the same numbers of values; the values of a sample stand one after the other.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

import msgpack  # type: ignore[import-untyped]
import numpy as np
import numpy.typing as npt
import zstandard

from hanami_actors.errors import FaultError

__all__ = ["Sample", "SampleRun", "decode_samples", "encode_samples", "sizes_of_samples"]

VERSION = 1
HEAD_BYTES = 5
COMPRESSION_LEVEL = 1

Vector = npt.NDArray[np.float32]
Sizes = tuple[tuple[str, int], ...]


class Sample(NamedTuple):
    """One sample: vectors by the name of the input or output."""

    inputs: Mapping[str, Vector]
    outputs: Mapping[str, Vector]


class SampleRun(NamedTuple):
    """Samples with the same shape, as matrices by name with one row per sample.

    Attributes
    ----------
    start, row_count : int
        Where they lie among all samples.
    """

    start: int
    row_count: int
    inputs: list[tuple[str, Vector]]
    outputs: list[tuple[str, Vector]]


def encode_samples(samples: Sequence[Sample]) -> bytes:
    """Return the bytes of samples; compressing releases the GIL."""
    runs: list[tuple[int, Sizes, Sizes]] = []
    pieces: list[bytes] = []
    for sample in samples:
        shape = (_shape(sample.inputs), _shape(sample.outputs))
        if runs and runs[-1][1:] == shape:
            runs[-1] = (runs[-1][0] + 1, *shape)
        else:
            runs.append((1, *shape))
        pieces += [vector.astype("<f4", copy=False).tobytes() for vector in sample.inputs.values()]
        pieces += [vector.astype("<f4", copy=False).tobytes() for vector in sample.outputs.values()]
    header: bytes = msgpack.packb(runs)
    body = zstandard.ZstdCompressor(level=COMPRESSION_LEVEL).compress(b"".join(pieces))
    return b"".join((bytes([VERSION]), len(header).to_bytes(4, "big"), header, body))


def decode_samples(data: bytes) -> Iterator[SampleRun]:
    """Yield the samples again, in runs of equal shape.

    Raises
    ------
    FaultError
        The bytes are none of `encode_samples`.
    """
    if len(data) < HEAD_BYTES or data[0] != VERSION:
        raise FaultError("recorded samples have an unknown layout")
    end = HEAD_BYTES + int.from_bytes(data[1:HEAD_BYTES], "big")
    runs = msgpack.unpackb(data[HEAD_BYTES:end])
    values = np.frombuffer(zstandard.ZstdDecompressor().decompress(data[end:]), "<f4")
    at = start = 0
    for count, inputs, outputs in runs:
        width = sum(size for _, size in (*inputs, *outputs))
        if at + count * width > values.shape[0]:
            raise FaultError("recorded samples are cut off")
        rows = values[at : at + count * width].reshape(count, width)
        split = _split(rows, (*inputs, *outputs))
        yield SampleRun(start, count, split[: len(inputs)], split[len(inputs) :])
        at += count * width
        start += count


def sizes_of_samples(samples: Sequence[Sample]) -> tuple[Sizes, Sizes]:
    """Return the largest number of values of every input and output, sorted by name."""
    inputs: dict[str, int] = {}
    outputs: dict[str, int] = {}
    for sample in samples:
        for sizes, vectors in ((inputs, sample.inputs), (outputs, sample.outputs)):
            for name, vector in vectors.items():
                sizes[name] = max(vector.shape[0], sizes.get(name, 0))
    return tuple(sorted(inputs.items())), tuple(sorted(outputs.items()))


def _shape(vectors: Mapping[str, Vector]) -> Sizes:
    return tuple((name, vector.shape[0]) for name, vector in vectors.items())


def _split(rows: Vector, sizes: Sequence[tuple[str, int]]) -> list[tuple[str, Vector]]:
    parts: list[tuple[str, Vector]] = []
    at = 0
    for name, size in sizes:
        parts.append((name, np.ascontiguousarray(rows[:, at : at + size])))
        at += size
    return parts
