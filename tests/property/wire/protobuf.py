"""Protobuf by hand: fields as bytes, so that a test can write what no library would."""

import struct
from collections.abc import Iterable

from hypothesis import strategies as st

__all__ = ["FIXED32", "LENGTH", "VARINT", "field", "unknown_fields", "varint"]

VARINT, FIXED64, LENGTH, FIXED32 = 0, 1, 2, 5


def varint(value: int) -> bytes:
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def field(number: int, kind: int, value: int | bytes) -> bytes:
    """Return one field; of LENGTH the value is bytes, else a number."""
    tag = varint(number << 3 | kind)
    if isinstance(value, bytes):
        return tag + varint(len(value)) + value
    if kind == VARINT:
        return tag + varint(value)
    return tag + struct.pack("<Q" if kind == FIXED64 else "<I", value)


def _one_unknown(known: Iterable[int]) -> st.SearchStrategy[bytes]:
    taken = set(known)
    numbers = st.integers(1, 2**29 - 1).filter(
        # The protocol reserves 19000 to 19999, which libraries take all the same.
        lambda number: number not in taken
    )
    return st.one_of(
        st.builds(field, numbers, st.just(VARINT), st.integers(0, 2**64 - 1)),
        st.builds(field, numbers, st.just(FIXED64), st.integers(0, 2**64 - 1)),
        st.builds(field, numbers, st.just(FIXED32), st.integers(0, 2**32 - 1)),
        st.builds(field, numbers, st.just(LENGTH), st.binary(max_size=20)),
    )


def unknown_fields(*known: int) -> st.SearchStrategy[bytes]:
    """Return fields that a newer client might send."""
    return st.lists(_one_unknown(known), max_size=4).map(b"".join)
