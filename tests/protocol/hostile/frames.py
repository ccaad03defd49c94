"""Frames of RFC 6455 by hand, also those that it forbids."""

import os
import struct

from tests.protocol.raw_clients import RawWebSocket

__all__ = ["frame", "read_until_closed"]


def frame(
    opcode: int,
    payload: bytes = b"",
    *,
    fin: bool = True,
    reserved: int = 0,
    masked: bool = True,
    announced: int | None = None,
) -> bytes:
    """Return the bytes of a frame; ``announced`` is what it says of its size."""
    size = len(payload) if announced is None else announced
    mark = 0x80 if masked else 0
    head = bytes([(0x80 if fin else 0) | reserved << 4 | opcode])
    if size < 126:
        head += bytes([mark | size])
    elif size < 65_536:
        head += bytes([mark | 126]) + struct.pack("!H", size)
    else:
        head += bytes([mark | 127]) + struct.pack("!Q", size)
    if not masked:
        return head + payload
    mask = os.urandom(4)
    return head + mask + bytes(byte ^ mask[at % 4] for at, byte in enumerate(payload))


def read_until_closed(socket: RawWebSocket) -> bytes:
    """Return everything that still comes; fails when the server does not close in time."""
    data = b""
    try:
        while more := socket._http._file.read1(65_536):
            data += more
    except ConnectionResetError:
        # It closed while bytes of ours were on their way.
        pass
    return data
