"""Records that are kept for a while only: a row of logs, of which the oldest goes as a whole.

A log is a chain from which nothing can be taken. What has a retention (the audit, the errors) lies
in segments, each a log of its own: when the newest is large or old, the next one is begun; when
the oldest has only records beyond the retention, or all together are too large, its directory is
removed.
"""

import logging
import shutil
from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path

from hanami_actors.errors import LogError, LogLockedError
from hanami_actors.eventlog.directory import make_private_directory, storage_errors
from hanami_actors.eventlog.lmdb_log import LmdbEventLog
from hanami_actors.eventlog.port import Append, Batch, Record
from hanami_actors.types import StreamId, StreamVersion

__all__ = ["JOURNAL_NAMES", "SEGMENT_COUNT", "Journal", "journal_segments"]

SEGMENT_COUNT = 8
"""A segment takes this part of the retention and of the size; so much more may be kept."""

MAP_SIZE_BYTES = 2**28

JOURNAL_NAMES = ("audit", "idempotency")
"""Directories of journals within a data directory."""

logger = logging.getLogger(__name__)


def journal_segments(data_dir: Path) -> list[Path]:
    """Return the logs of all journals in a data directory, oldest first in each.

    Parameters
    ----------
    data_dir : Path
    """
    return sorted(
        path.parent
        for name in JOURNAL_NAMES
        for path in (data_dir / name).glob("*/data.mdb")
        if path.parent.name.isdecimal()
    )


class _Segment:
    def __init__(self, path: Path) -> None:
        self.path = path
        self.log = LmdbEventLog(path, map_size_bytes=MAP_SIZE_BYTES)
        try:
            self.first_us = next((record.time_us for record in self.log.read_all()), None)
            head = self.log.head().position
            newest = next(self.log.read_all(after_position=head - 1), None) if head else None
        except LogError:
            self.log.close()
            raise
        self.newest_us = newest.time_us if newest else 0

    @property
    def size_bytes(self) -> int:
        return sum(entry.stat().st_size for entry in self.path.iterdir())


class Journal:
    """Appends and reads records that are not kept for ever. For one thread at a time.

    Parameters
    ----------
    path : Path
        Directory of the segments; made if it is missing.
    retention_us : int
        How long a record is kept at least, unless the size says otherwise.
    size_max_bytes : int
        What all segments together may take.

    Raises
    ------
    LogLockedError
        Somebody else has it open, perhaps for a moment only.
    """

    def __init__(self, path: Path, *, retention_us: int, size_max_bytes: int) -> None:
        self._path = path
        self._retention_us = retention_us
        self._size_max_bytes = size_max_bytes
        make_private_directory(path)
        self._segments: list[_Segment] = []
        with storage_errors(f"the journal {path}"):
            names = sorted(int(entry.name) for entry in path.iterdir() if entry.name.isdecimal())
        self._number = max(names, default=0)
        try:
            for number in names:
                self._open(number)
        except LogLockedError:
            self.close()
            raise

    def append(self, batches: Sequence[Batch]) -> None:
        """Write batches durably; their expected versions are filled in.

        Parameters
        ----------
        batches : sequence of Batch
            The time of the newest decides what is beyond the retention.

        Raises
        ------
        StorageFullError, LogError
            Nothing was written, or nobody knows.
        """
        if not batches:
            return
        now_us = batches[-1].stamp.now_us
        segment = self._newest(now_us)
        versions: dict[StreamId, int] = {}
        filled = []
        for batch in batches:
            appends = []
            for append in batch.appends:
                stream = append.stream
                version = versions.setdefault(stream, segment.log.stream_version(stream))
                versions[stream] = version + len(append.events)
                appends.append(
                    Append(
                        stream=stream,
                        expected_version=StreamVersion(version),
                        events=append.events,
                    )
                )
            filled.append(Batch(appends=tuple(appends), stamp=batch.stamp))
        segment.log.append(filled)
        if segment.first_us is None:
            segment.first_us = batches[0].stamp.now_us
        segment.newest_us = now_us
        self.expire(now_us)

    def read(self, stream: str, first: int, count: int) -> list[Record]:
        """Return records of a stream, oldest first.

        Parameters
        ----------
        stream : str
        first : int
            How many records are skipped; beyond the end nothing is returned.
        count : int
            At most so many.
        """
        return list(islice(self._after(StreamId(stream), first), count))

    def records(self) -> Iterator[Record]:
        """Yield all records that are kept, oldest first."""
        for segment in self._segments:
            yield from segment.log.read_all()

    def expire(self, now_us: int) -> None:
        """Remove the segments that are beyond the retention or the size; the newest stays."""
        size_bytes = sum(segment.size_bytes for segment in self._segments)
        while len(self._segments) > 1:
            oldest = self._segments[0]
            if (
                oldest.newest_us >= now_us - self._retention_us
                and size_bytes <= self._size_max_bytes
            ):
                return
            size_bytes -= oldest.size_bytes
            del self._segments[0]
            oldest.log.close()
            with storage_errors(f"the journal {oldest.path}"):
                shutil.rmtree(oldest.path)

    def close(self) -> None:
        """Release everything; idempotent."""
        for segment in self._segments:
            segment.log.close()
        self._segments.clear()

    def _after(self, stream: StreamId, skipped: int) -> Iterator[Record]:
        for segment in self._segments:
            count = segment.log.stream_version(stream)
            if skipped < count:
                yield from segment.log.read_stream(stream, after_version=skipped)
            skipped = max(0, skipped - count)

    def _newest(self, now_us: int) -> _Segment:
        if self._segments:
            newest = self._segments[-1]
            age_us = now_us - (now_us if newest.first_us is None else newest.first_us)
            if (
                age_us < self._retention_us / SEGMENT_COUNT
                and newest.size_bytes < self._size_max_bytes / SEGMENT_COUNT
            ):
                return newest
        self._number += 1
        self._segments.append(_Segment(self._path / f"{self._number:08d}"))
        return self._segments[-1]

    def _open(self, number: int) -> None:
        path = self._path / f"{number:08d}"
        try:
            self._segments.append(_Segment(path))
        except LogLockedError:
            raise
        except LogError as error:
            # Old notes must not keep the server from starting; the files stay for a person to see.
            logger.error("a part of the journal is left aside: %s", error)  # noqa: TRY400
