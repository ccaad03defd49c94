"""Names and units of the plain values that cross package borders."""

from typing import NewType

__all__ = [
    "ByteCount",
    "Digest",
    "Position",
    "StreamId",
    "StreamVersion",
    "TimestampUs",
    "Uuid",
]

StreamId = NewType("StreamId", str)
"""Name of a stream of events, ``kind/id``, for example ``cluster/<uuid>``."""

Position = NewType("Position", int)
"""Gapless place of a record in the whole log; the first record has position 1."""

StreamVersion = NewType("StreamVersion", int)
"""Number of events in a stream; a stream that does not exist has version 0."""

TimestampUs = NewType("TimestampUs", int)
"""Microseconds since 1970-01-01 00:00:00 UTC."""

ByteCount = NewType("ByteCount", int)
"""A size in bytes."""

Digest = NewType("Digest", str)
"""BLAKE2b-256 of some bytes as 64 lower-case hexadecimal characters."""

Uuid = NewType("Uuid", str)
"""A random version-4 UUID in lower case."""
