"""The only doors to time, ids and randomness, with a system and a manual implementation of each."""

import secrets
import time
import uuid
from typing import Protocol

from hanami_actors.types import TimestampUs, Uuid

__all__ = ["Clock", "Entropy", "ManualClock", "ManualEntropy", "SystemClock", "SystemEntropy"]


class Clock(Protocol):
    """Where time comes from."""

    def now_us(self) -> TimestampUs:
        """Return the time of day in microseconds UTC."""
        ...

    def monotonic_s(self) -> float:
        """Return seconds on a clock that never jumps back; only differences mean something."""
        ...

    def thread_s(self) -> float:
        """Return the processor seconds of the calling thread."""
        ...


class Entropy(Protocol):
    """Where ids, seeds and secrets come from."""

    def uuid(self) -> Uuid:
        """Return a fresh lower-case version-4 UUID."""
        ...

    def seed(self) -> int:
        """Return a fresh seed in 0 .. 2**63 - 1."""
        ...

    def secret_bytes(self, size_bytes: int) -> bytes:
        """Return bytes fit for a key."""
        ...


class SystemClock:
    """The clock of the machine."""

    def now_us(self) -> TimestampUs:
        """Return the time of day in microseconds UTC."""
        return TimestampUs(time.time_ns() // 1000)

    def monotonic_s(self) -> float:
        """Return seconds on a clock that never jumps back."""
        return time.monotonic()

    def thread_s(self) -> float:
        """Return the processor seconds of the calling thread."""
        return time.thread_time()


class SystemEntropy:
    """Randomness of the operating system."""

    def uuid(self) -> Uuid:
        """Return a fresh lower-case version-4 UUID."""
        return Uuid(str(uuid.uuid4()))

    def seed(self) -> int:
        """Return a fresh seed in 0 .. 2**63 - 1."""
        return secrets.randbits(63)

    def secret_bytes(self, size_bytes: int) -> bytes:
        """Return bytes fit for a key."""
        return secrets.token_bytes(size_bytes)


class ManualClock:
    """A clock that moves only when told; for tests.

    Parameters
    ----------
    start_us : int
        The first time of day it shows.
    """

    def __init__(self, start_us: int = 1_700_000_000_000_000) -> None:
        self._now_us = start_us

    def now_us(self) -> TimestampUs:
        """Return the time last set."""
        return TimestampUs(self._now_us)

    def monotonic_s(self) -> float:
        """Return the same time in seconds."""
        return self._now_us / 1e6

    def thread_s(self) -> float:
        """Return the same time in seconds: whoever works is never interrupted."""
        return self._now_us / 1e6

    def advance(self, seconds: float) -> None:
        """Move forward."""
        self._now_us += int(seconds * 1e6)


class ManualEntropy:
    """Countable ids and seeds; for tests only, never a source of secrets."""

    def __init__(self) -> None:
        self._count = 0

    def uuid(self) -> Uuid:
        """Return the next id; all have the form of a version-4 UUID."""
        self._count += 1
        return Uuid(f"00000000-0000-4000-8000-{self._count:012x}")

    def seed(self) -> int:
        """Return the next seed."""
        self._count += 1
        return self._count

    def secret_bytes(self, size_bytes: int) -> bytes:
        """Return predictable bytes."""
        self._count += 1
        return self._count.to_bytes(8, "big").rjust(size_bytes, b"\0")[-size_bytes:]
