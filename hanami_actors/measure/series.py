"""Samples of a quantity, condensed with age."""

from collections import deque
from typing import NamedTuple

__all__ = ["History", "Series"]


class History(NamedTuple):
    """Values of the last minute, hour, day and year, oldest first; zeros before the first sample.

    Attributes
    ----------
    seconds : 60 values
    minutes : 60 values
        Each the mean of 60 seconds.
    hours : 24 values
    days : 365 values
    """

    seconds: tuple[float, ...]
    minutes: tuple[float, ...]
    hours: tuple[float, ...]
    days: tuple[float, ...]


class _Ring:
    """The last values, and how many of them make one of the next ring."""

    def __init__(self, length: int, group_len: int) -> None:
        self.values = deque([0.0] * length, maxlen=length)
        self._group_len = group_len
        self._group: list[float] = []

    def add(self, value: float) -> float | None:
        """Add a value; return the mean of a group when it is full."""
        self.values.append(value)
        self._group.append(value)
        if len(self._group) < self._group_len:
            return None
        mean = sum(self._group) / self._group_len
        self._group.clear()
        return mean


class Series:
    """Takes a sample a second and keeps a year of means. Not thread-safe."""

    def __init__(self) -> None:
        self._rings = (_Ring(60, 60), _Ring(60, 60), _Ring(24, 24), _Ring(365, 365))

    def add(self, value: float) -> None:
        """Add the sample of a second."""
        carried: float | None = value
        for ring in self._rings:
            if carried is None:
                return
            carried = ring.add(carried)

    def history(self) -> History:
        """Return a copy of all values."""
        return History(*(tuple(ring.values) for ring in self._rings))
