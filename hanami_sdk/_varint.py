"""Numbers as protobuf writes them, for messages that are written by hand."""

__all__ = ["varint"]


def varint(number: int) -> bytes:
    """Return a number in as few bytes as it needs, seven bits in each."""
    encoded = bytearray()
    while number > 0x7F:
        encoded.append(number & 0x7F | 0x80)
        number >>= 7
    encoded.append(number)
    return bytes(encoded)
