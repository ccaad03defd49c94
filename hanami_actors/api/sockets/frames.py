"""Binary websocket frames of a server: whole messages, never masked, never compressed."""

__all__ = ["binary_frame"]

FINAL_BINARY = 0x82
LENGTH_16, LENGTH_64 = 126, 127


def binary_frame(payload: bytes) -> bytes:
    """Return the bytes that carry a message (RFC 6455, section 5.2)."""
    size = len(payload)
    if size < LENGTH_16:
        return bytes((FINAL_BINARY, size)) + payload
    if size < 1 << 16:
        return bytes((FINAL_BINARY, LENGTH_16)) + size.to_bytes(2, "big") + payload
    return bytes((FINAL_BINARY, LENGTH_64)) + size.to_bytes(8, "big") + payload
