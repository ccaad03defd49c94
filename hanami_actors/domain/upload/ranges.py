"""Sets of bytes as sorted, disjoint, non-touching half-open ranges ``(start, end)``."""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable
from operator import itemgetter

__all__ = ["Ranges", "add", "covered_bytes", "format_ranges", "merge", "missing"]

Ranges = tuple[tuple[int, int], ...]


def add(ranges: Ranges, start: int, end: int) -> Ranges:
    """Return a merged set with one more range, which is not empty; fast also among many.

    Examples
    --------
    >>> add(((0, 4), (8, 9)), 4, 6)
    ((0, 6), (8, 9))
    """
    first = bisect_left(ranges, start, key=itemgetter(1))
    behind = bisect_right(ranges, end, key=itemgetter(0))
    if first < behind:
        start, end = min(start, ranges[first][0]), max(end, ranges[behind - 1][1])
    return (*ranges[:first], (start, end), *ranges[behind:])


def merge(ranges: Ranges, more: Iterable[tuple[int, int]]) -> Ranges:
    """Return the union of two sets; ``more`` may be unsorted, overlapping or empty.

    Examples
    --------
    >>> merge(((0, 4),), [(8, 9), (4, 8)])
    ((0, 9),)
    """
    merged: list[tuple[int, int]] = []
    for start, end in sorted((*ranges, *more)):
        if start >= end:
            continue
        if merged and start <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(merged[-1][1], end))
        else:
            merged.append((start, end))
    return tuple(merged)


def missing(ranges: Ranges, size_bytes: int) -> Ranges:
    """Return what of ``[0, size_bytes)`` a merged set lacks.

    Examples
    --------
    >>> missing(((2, 4),), 6)
    ((0, 2), (4, 6))
    """
    gaps: list[tuple[int, int]] = []
    position = 0
    for start, end in ranges:
        if start >= size_bytes:
            break
        if start > position:
            gaps.append((position, start))
        position = max(position, end)
    if position < size_bytes:
        gaps.append((position, size_bytes))
    return tuple(gaps)


def covered_bytes(ranges: Ranges) -> int:
    """Return how many bytes a merged set holds."""
    return sum(end - start for start, end in ranges)


def format_ranges(ranges: Ranges, *, shown_max: int = 5) -> str:
    """Return ranges for a person, ``0..15, 32..47``, both ends included; long lists are cut."""
    shown = ", ".join(f"{start}..{end - 1}" for start, end in ranges[:shown_max])
    more = len(ranges) - shown_max
    return f"{shown} and {more} more" if more > 0 else shown
