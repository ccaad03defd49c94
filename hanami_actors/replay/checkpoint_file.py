"""A checkpoint as a file that another server can restore: described, versioned, checksummed.

Layout: magic ``HNCK``, version (1 byte), length of the header (4 bytes, big-endian), header
(msgpack: what is shown of the checkpoint), the state of the network as
`hanami_actors.compute.image` writes it, BLAKE2b-256 of everything before.
"""

import hashlib
from typing import Any, NamedTuple

import msgpack  # type: ignore[import-untyped]
import msgspec
import zstandard
from msgspec.structs import replace

from hanami_actors.compute import KERNEL_VERSION, decode_image, read_image_header
from hanami_actors.compute.spec import unpack_spec
from hanami_actors.domain.cluster.source import Source
from hanami_actors.errors import BadRequestError, HanamiError
from hanami_actors.replay.segment_data import network_spec

__all__ = ["CheckpointFile", "decode_checkpoint", "encode_checkpoint"]

MAGIC = b"HNCK"
VERSION = 1
HEAD_BYTES = len(MAGIC) + 1 + 4
CHECK_BYTES = 32
IMAGE_HEAD_BYTES = 9
NAME_LEN_MAX = 254
UNREADABLE = (HanamiError, zstandard.ZstdError, ValueError, KeyError, TypeError, IndexError)


class CheckpointFile(NamedTuple):
    """What is in a file.

    Attributes
    ----------
    name : str
        That the checkpoint had.
    source : Source
        Without a place in any history.
    image : bytes
        The state of the network.
    """

    name: str
    source: Source
    image: bytes


def encode_checkpoint(name: str, source: Source, image: bytes) -> bytes:
    """Return the bytes of a file.

    Parameters
    ----------
    name : str
    source : Source
        The moment; its place in this server's history does not leave it.
    image : bytes
        The state of the network at this moment.
    """
    digest = read_image_header(image)["digest"]
    moved = replace(source, stream="", version=0, span_uuid="", cycle=0, image="", digest=digest)
    header = msgpack.packb({"name": name, "source": msgspec.to_builtins(moved)})
    whole = b"".join((MAGIC, bytes([VERSION]), len(header).to_bytes(4, "big"), header, image))
    return whole + hashlib.blake2b(whole, digest_size=CHECK_BYTES).digest()


def decode_checkpoint(data: bytes, *, size_max_bytes: int) -> CheckpointFile:
    """Return what is in a file, after everything that can be checked has been.

    Parameters
    ----------
    data : bytes
    size_max_bytes : int
        Bound for the state of the network once it is unpacked.

    Raises
    ------
    BadRequestError
        It is no such file, damaged, too large, or made by other kernels.
    """
    if len(data) < HEAD_BYTES + CHECK_BYTES or data[: len(MAGIC)] != MAGIC:
        raise BadRequestError("the file is no checkpoint of hanami_actors")
    if data[len(MAGIC)] != VERSION:
        raise BadRequestError(
            f"the file has version {data[len(MAGIC)]}; this server reads version {VERSION}"
        )
    whole, check = data[:-CHECK_BYTES], data[-CHECK_BYTES:]
    if hashlib.blake2b(whole, digest_size=CHECK_BYTES).digest() != check:
        raise BadRequestError("the file is damaged: its checksum does not hold; download it again")
    end = HEAD_BYTES + int.from_bytes(whole[len(MAGIC) + 1 : HEAD_BYTES], "big")
    name, source = _read_header(whole[HEAD_BYTES:end])
    image = whole[end:]
    _check_image(image, source, size_max_bytes)
    return CheckpointFile(name, source, image)


def _read_header(data: bytes) -> tuple[str, Source]:
    try:
        header: dict[str, Any] = msgpack.unpackb(data)
        source = msgspec.convert(header["source"], Source)
        name = msgspec.convert(header["name"], str)
    except (ValueError, KeyError, TypeError, msgpack.UnpackException) as error:
        raise BadRequestError(f"the description in the file cannot be read: {error}") from None
    if len(name) > NAME_LEN_MAX or source.stream or source.image or source.span_uuid:
        raise BadRequestError("the description in the file is not what a server writes")
    return name, source


def _check_image(image: bytes, source: Source, size_max_bytes: int) -> None:
    kernel_version, size_bytes = _look_at(image)
    if kernel_version != KERNEL_VERSION:
        raise BadRequestError(
            f"the network in the file was computed by kernels {kernel_version}; this server has"
            f" kernels {KERNEL_VERSION}"
        )
    # Before anything is unpacked: a small file may announce a giant.
    if not 0 <= size_bytes <= size_max_bytes:
        raise BadRequestError(
            f"the network in the file has {size_bytes} bytes; at most {size_max_bytes} fit into the"
            " memory for networks (setting network_memory_max_bytes)"
        )
    try:
        decoded = decode_image(image)
        spec = unpack_spec(decoded.state["spec"].tobytes())
    except UNREADABLE as error:
        raise _unreadable(error) from None
    if spec != network_spec(source.template, source.seed) or decoded.digest != source.digest:
        raise BadRequestError("the network in the file is not the one that its description names")


def _look_at(image: bytes) -> tuple[int, int]:
    """Return the kernels that computed a state, and its size once unpacked."""
    try:
        header = read_image_header(image)
        start = IMAGE_HEAD_BYTES + int.from_bytes(image[5:IMAGE_HEAD_BYTES], "big")
        return int(header["kernel_version"]), zstandard.frame_content_size(
            image[start:-CHECK_BYTES]
        )
    except UNREADABLE as error:
        raise _unreadable(error) from None


def _unreadable(error: Exception) -> BadRequestError:
    return BadRequestError(f"the network in the file cannot be read: {error}")
