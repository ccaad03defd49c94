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
    """Return the bytes of samples; compressing releases the GIL.

    Until then other threads wait, so that nothing is copied and shapes are built once a run.
    """
    runs: list[tuple[int, Sizes, Sizes]] = []
    pieces: list[memoryview] = []
    known: list[object] = []
    for inputs, outputs in samples:
        vectors = [*inputs.values(), *outputs.values()]
        shape = [[*inputs], [*outputs], [vector.shape[0] for vector in vectors]]
        if shape == known:
            runs[-1] = (runs[-1][0] + 1, *runs[-1][1:])
        else:
            runs.append((1, _shape(inputs), _shape(outputs)))
            known = [*shape]
        pieces += [np.ascontiguousarray(vector, "<f4").data for vector in vectors]
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
    runs, end = _runs(data)
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


def sizes_of_samples(data: bytes) -> tuple[Sizes, Sizes]:
    """Return the largest number of values of every input and output, sorted by name.

    Parameters
    ----------
    data : bytes
        Of `encode_samples`.
    """
    inputs: dict[str, int] = {}
    outputs: dict[str, int] = {}
    for _, input_sizes, output_sizes in _runs(data)[0]:
        for sizes, found in ((inputs, input_sizes), (outputs, output_sizes)):
            for name, size in found:
                sizes[name] = max(size, sizes.get(name, 0))
    return tuple(sorted(inputs.items())), tuple(sorted(outputs.items()))


def _runs(data: bytes) -> tuple[list[tuple[int, Sizes, Sizes]], int]:
    """Return the runs that the header lists, and where the values begin."""
    if len(data) < HEAD_BYTES or data[0] != VERSION:
        raise FaultError("recorded samples have an unknown layout")
    end = HEAD_BYTES + int.from_bytes(data[1:HEAD_BYTES], "big")
    return msgpack.unpackb(data[HEAD_BYTES:end]), end


def _shape(vectors: Mapping[str, Vector]) -> Sizes:
    return tuple((name, vector.shape[0]) for name, vector in vectors.items())


def _split(rows: Vector, sizes: Sequence[tuple[str, int]]) -> list[tuple[str, Vector]]:
    parts: list[tuple[str, Vector]] = []
    at = 0
    for name, size in sizes:
        parts.append((name, np.ascontiguousarray(rows[:, at : at + size])))
        at += size
    return parts
