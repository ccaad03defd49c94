"""``ClusterIO_Message`` as bytes: read and written by hand where it is simple, which is always.

Packed floats are their own bytes on the wire, so a message is read without copying its values.
Whatever looks unusual (unknown fields, floats that are not packed, repeated ones) is left to the
generated class, which reads everything that protobuf allows.
"""

import functools
from typing import Final, NamedTuple

from google.protobuf.message import DecodeError

from hanami_actors.wire.hanami_messages_pb2 import ClusterIO_Message

__all__ = [
    "ACKNOWLEDGED",
    "EXPECTED",
    "INPUT",
    "OUTPUT",
    "REQUEST",
    "TRAIN",
    "TRAINED",
    "ClusterIO",
    "decode_cluster_io",
    "encode_values",
]

REQUEST: Final = 0
TRAIN: Final = 1

INPUT: Final = 0
OUTPUT: Final = 1
EXPECTED: Final = 2

ACKNOWLEDGED: Final = bytes.fromhex("18012801320400000000")
"""The answer to a message that is not the last of its step: TRAIN, one value 0.0."""

TRAINED: Final = bytes.fromhex("100118012801320400000000")
"""The answer to the last message of a training step: last, TRAIN, one value 0.0."""

NAME_TAG, LAST_TAG, PROCESS_TAG, TARGET_TAG, COUNT_TAG, VALUES_TAG = (
    0x0A, 0x10, 0x18, 0x20, 0x28, 0x32,
)  # fmt: skip
FLOAT_BYTES = 4
VARINT_BYTES_MAX = 10
INT32_MAX = 2**31 - 1


class ClusterIO(NamedTuple):
    """A message of a client.

    Attributes
    ----------
    name : str
        Of the input or output.
    is_last : bool
    process : int
        ``REQUEST`` or ``TRAIN``, or a number that no client should send.
    target : int
        ``INPUT``, ``OUTPUT``, ``EXPECTED``, or such a number.
    announced : int
        How many values there should be.
    data : bytes
        What the values stand in, as little-endian float32.
    offset, value_count : int
        Where they begin, in bytes, and how many there are.
    """

    name: str
    is_last: bool
    process: int
    target: int
    announced: int
    data: bytes
    offset: int
    value_count: int


def decode_cluster_io(message: bytes) -> ClusterIO | None:
    """Return the message of a client; None if it is not one."""
    decoded = _decode_simple(message)
    return decoded if decoded is not None else _decode_any(message)


def encode_values(name: bytes, values: bytes) -> bytes:
    """Return the answer to a request.

    Parameters
    ----------
    name : bytes
        UTF-8 name of the output.
    values : bytes
        Little-endian float32; may be empty.
    """
    return _head(name, len(values)) + values


@functools.lru_cache(maxsize=256)
def _head(name: bytes, size: int) -> bytes:
    """Return everything before the values; it is the same for every answer of a cluster."""
    named = bytes((NAME_TAG,)) + _varint(len(name)) + name if name else b""
    if not size:
        return named
    count = bytes((COUNT_TAG,)) + _varint(size // FLOAT_BYTES)
    return b"".join((named, count, bytes((VALUES_TAG,)), _varint(size)))


def _decode_simple(message: bytes) -> ClusterIO | None:  # noqa: C901, PLR0912 - one branch a field
    """Read a message whose fields come once and in rising order, as every client writes them."""
    name = b""
    is_last = process = target = announced = offset = size = 0
    at, end, previous = 0, len(message), 0
    try:
        while at < end:
            tag = message[at]
            if tag <= previous:
                return None
            previous = tag
            value = message[at + 1]
            at += 2
            if value >= 0x80:
                value, at = _read_varint(message, at - 1)
            if tag == NAME_TAG:
                name = message[at : at + value]
                at += value
            elif tag == LAST_TAG:
                is_last = value
            elif tag == PROCESS_TAG:
                process = value
            elif tag == TARGET_TAG:
                target = value
            elif tag == COUNT_TAG:
                announced = value
            elif tag == VALUES_TAG:
                offset, size = at, value
                at += value
            else:
                return None
        text = name.decode()
    except (IndexError, UnicodeDecodeError):
        return None
    if at != end or size % FLOAT_BYTES or process > INT32_MAX or target > INT32_MAX:
        return None
    return ClusterIO(
        text, is_last != 0, process, target, announced, message, offset, size // FLOAT_BYTES
    )


def _read_varint(message: bytes, at: int) -> tuple[int, int]:
    """Return a number of at most 64 bits and where the next byte stands."""
    byte = message[at]
    if byte < 0x80:
        return byte, at + 1
    value = byte & 0x7F
    for shift in range(7, 7 * VARINT_BYTES_MAX, 7):
        at += 1
        byte = message[at]
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value & 0xFFFFFFFFFFFFFFFF, at + 1
    raise IndexError("a varint has more than ten bytes")


def _varint(value: int) -> bytes:
    encoded = bytearray()
    while value >= 0x80:
        encoded.append(value & 0x7F | 0x80)
        value >>= 7
    encoded.append(value)
    return bytes(encoded)


def _decode_any(message: bytes) -> ClusterIO | None:
    try:
        decoded = ClusterIO_Message.FromString(message)
    except DecodeError:
        return None
    packed = ClusterIO_Message(values=decoded.values).SerializeToString()
    count = len(decoded.values)
    return ClusterIO(
        decoded.bufferName,
        decoded.isLast,
        decoded.processType,
        decoded.targetBufferType,
        decoded.numberOfValues,
        packed,
        len(packed) - count * FLOAT_BYTES,
        count,
    )
