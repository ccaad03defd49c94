"""The log in memory: the reference implementation, for tests and for thinking.

It stores the same bytes as the log on disk, so its heads and its errors are the same too.
"""

import threading
from collections.abc import Iterator, Sequence

from hanami_actors.errors import LogCorruptError, LogError, WrongVersionError
from hanami_actors.eventlog.append_plan import plan_appends, stream_key_prefix
from hanami_actors.eventlog.codec import EMPTY_HEAD, Catalogue, Codec, chain_hash_of
from hanami_actors.eventlog.port import Batch, Commit, Head, PreparedBatch, Record
from hanami_actors.types import StreamId, StreamVersion

__all__ = ["MemoryEventLog"]


class MemoryEventLog:
    """A log that lives as long as the object.

    Parameters
    ----------
    catalogue : Catalogue, optional
        Which events exist; the domain's by default.
    """

    def __init__(self, *, catalogue: Catalogue | None = None) -> None:
        self._codec = Codec(catalogue)
        self._lock = threading.Lock()
        self._values: list[bytes] = []
        self._streams: dict[StreamId, list[int]] = {}
        self._head = EMPTY_HEAD
        self._closed = False

    def append(self, batches: Sequence[Batch | PreparedBatch]) -> list[Commit | WrongVersionError]:
        """Write many batches; see `EventLog.append`.

        Parameters
        ----------
        batches : sequence of Batch or PreparedBatch
        """
        self._check_open()
        plan = plan_appends(batches, self._head, self.stream_version, self._codec)
        with self._lock:
            for record, value in plan.sealed:
                self._values.append(value)
                self._streams.setdefault(record.stream, []).append(record.position)
            self._head = plan.head
        return plan.answers

    def head(self) -> Head:
        """Return the newest position and hash."""
        self._check_open()
        return self._head

    def hash_at(self, position: int) -> bytes:
        """Return the chain hash of a record; that before the first for position 0.

        Parameters
        ----------
        position : int

        Raises
        ------
        LogCorruptError
            There is no such record.
        """
        self._check_open()
        if position == 0:
            return EMPTY_HEAD.chain_hash
        if position > len(self._values):
            raise LogCorruptError(f"record {position} is missing")
        return chain_hash_of(self._values[position - 1])

    def stream_version(self, stream: StreamId) -> StreamVersion:
        """Return the number of events in a stream, 0 if there is none.

        Parameters
        ----------
        stream : StreamId
        """
        self._check_open()
        stream_key_prefix(stream)
        with self._lock:
            return StreamVersion(len(self._streams.get(stream, ())))

    def streams(self, prefix: str = "") -> Iterator[tuple[StreamId, StreamVersion]]:
        """Yield the names and versions of all streams, sorted by name.

        Parameters
        ----------
        prefix : str
            Only streams whose names begin so.
        """
        self._check_open()
        with self._lock:
            versions = {name: len(positions) for name, positions in self._streams.items()}
        for name in sorted(versions, key=str.encode):
            if name.startswith(prefix):
                yield name, StreamVersion(versions[name])

    def read_stream(self, stream: StreamId, *, after_version: int = 0) -> Iterator[Record]:
        """Yield a stream's records in order, checked and decoded.

        Parameters
        ----------
        stream : StreamId
        after_version : int
        """
        self._check_open()
        stream_key_prefix(stream)
        with self._lock:
            positions = self._streams.get(stream, [])[after_version:]
        for position in positions:
            self._check_open()
            yield self._codec.decode(position, self._values[position - 1])

    def read_all(self, *, after_position: int = 0) -> Iterator[Record]:
        """Yield all records in order, checked and decoded.

        Parameters
        ----------
        after_position : int
        """
        self._check_open()
        with self._lock:
            values = self._values[after_position:]
        for record in self._codec.iterate_page(after_position + 1, values):
            self._check_open()
            yield record

    def close(self) -> None:
        """Refuse everything from now on; idempotent."""
        self._closed = True

    def _check_open(self) -> None:
        if self._closed:
            raise LogError("the log is closed")
