"""Snapshots: a consistent copy of a network, and its bytes.

Layout of the bytes: magic, format, length of the header, header (msgpack), zstd frame with all
arrays one after the other, BLAKE2b-256 of everything before it.
"""

import hashlib
from importlib.metadata import version
from typing import TYPE_CHECKING, Any, NamedTuple

import msgpack  # type: ignore[import-untyped]
import numpy as np
import zstandard

from hanami_actors.compute.state import ARRAYS, KERNEL_VERSION, State, digest_of
from hanami_actors.errors import SnapshotDamagedError

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["NetworkImage", "decode_image", "encode_image", "read_image_header"]

MAGIC = b"HNIM"
FORMAT = 1
HEAD_BYTES = len(MAGIC) + 1 + 4
CHECK_BYTES = 32
COMPRESSION_LEVEL = 1


class NetworkImage(NamedTuple):
    """The used extents of all arrays of a network at one moment, transients included."""

    state: State
    """Arrays by name; not to be changed."""

    @property
    def digest(self) -> str:
        """Digest of the trained state, as `Network.digest`."""
        return digest_of(self.state)


def encode_image(image: NetworkImage) -> bytes:
    """Return the bytes of an image; compressing and hashing release the GIL."""
    arrays = {name: np.ascontiguousarray(image.state[name]) for name in sorted(image.state)}
    listed = [(name, a.dtype.newbyteorder("<").str, a.shape) for name, a in arrays.items()]
    header = msgpack.packb(
        {
            "kernel_version": KERNEL_VERSION,
            "numba": version("numba"),
            "llvmlite": version("llvmlite"),
            "digest": image.digest,
            "arrays": listed,
        }
    )
    raw = b"".join(
        a.astype(a.dtype.newbyteorder("<"), copy=False).tobytes() for a in arrays.values()
    )
    body = zstandard.ZstdCompressor(level=COMPRESSION_LEVEL).compress(raw)
    head = MAGIC + bytes([FORMAT]) + len(header).to_bytes(4, "big") + header
    check = hashlib.blake2b(digest_size=CHECK_BYTES)
    check.update(head)
    check.update(body)
    return b"".join((head, body, check.digest()))


def read_image_header(data: bytes) -> dict[str, Any]:
    """Return what a snapshot says about itself: versions, digest, names of arrays.

    Raises
    ------
    SnapshotDamagedError
        If the bytes do not hold.
    """
    return _split(data)[0]


def _split(data: bytes) -> tuple[dict[str, Any], bytes]:
    """Check the bytes of a snapshot and return its header and its compressed arrays."""
    if len(data) < HEAD_BYTES + CHECK_BYTES or data[: len(MAGIC)] != MAGIC:
        raise SnapshotDamagedError("the bytes are not a network snapshot")
    if data[len(MAGIC)] != FORMAT:
        raise SnapshotDamagedError(f"snapshot format {data[len(MAGIC)]} is not known")
    check = hashlib.blake2b(data[:-CHECK_BYTES], digest_size=CHECK_BYTES).digest()
    if check != data[-CHECK_BYTES:]:
        raise SnapshotDamagedError("the checksum of the network snapshot does not hold")
    length = int.from_bytes(data[len(MAGIC) + 1 : HEAD_BYTES], "big")
    header: dict[str, Any] = msgpack.unpackb(data[HEAD_BYTES : HEAD_BYTES + length])
    return header, data[HEAD_BYTES + length : -CHECK_BYTES]


def decode_image(data: bytes) -> NetworkImage:
    """Return the image that `encode_image` made ``data`` from.

    Raises
    ------
    SnapshotDamagedError
        If anything does not hold: length, checksum, format, digest of the arrays.
    """
    header, body = _split(data)
    if header["kernel_version"] != KERNEL_VERSION:
        raise SnapshotDamagedError(
            f"the snapshot was made by kernel version {header['kernel_version']}, "
            f"this is {KERNEL_VERSION}"
        )
    raw = zstandard.ZstdDecompressor().decompress(body)
    state: dict[str, NDArray[Any]] = {}
    at = 0
    for name, dtype, shape in header["arrays"]:
        kind = np.dtype(dtype)
        count = int(np.prod(shape, dtype=np.int64))
        array = np.frombuffer(raw, kind, count, at).reshape(shape)
        state[name] = array.astype(kind.newbyteorder("="), copy=False)
        at += count * kind.itemsize
    if set(state) != ARRAYS:
        raise SnapshotDamagedError("the network snapshot has other arrays than this version")
    image = NetworkImage(state)
    if image.digest != header["digest"]:
        raise SnapshotDamagedError("the arrays of the network snapshot do not have its digest")
    return image
