"""The data directory that a command looks at: opened when first used, never changed."""

import re
from pathlib import Path

from hanami_actors.domain.aggregates import aggregate_of
from hanami_actors.errors import LogError, NotFoundError
from hanami_actors.eventlog.blobs import BlobStore
from hanami_actors.eventlog.directory import DataDirectory
from hanami_actors.eventlog.lmdb_errors import DATA_NAME
from hanami_actors.eventlog.lmdb_log import LmdbEventLog
from hanami_actors.eventlog.snapshots import SnapshotStore
from hanami_actors.types import StreamId

__all__ = ["Source"]

SUGGESTIONS_MAX = 5
PAGE_SIZE_BYTES = 4096


class Source:
    """A data directory, read-only.

    Parameters
    ----------
    data_dir : Path
        Of a server that may run, or a copy of one.
    """

    def __init__(self, data_dir: Path) -> None:
        self.directory = DataDirectory(data_dir)
        self._log: LmdbEventLog | None = None

    @property
    def log(self) -> LmdbEventLog:
        """The event log.

        Raises
        ------
        LogError
            There is none, or it does not hold.
        """
        if self._log is None:
            self._require_directory()
            self._log = LmdbEventLog(self.directory.log, readonly=True)
        return self._log

    @property
    def blobs(self) -> BlobStore:
        """The blobs; nothing is cleaned."""
        return BlobStore(self.directory.blobs, readonly=True)

    @property
    def snapshots(self) -> SnapshotStore:
        """The snapshots; nothing is cleaned."""
        return SnapshotStore(self.directory.snapshots, readonly=True)

    def page_count(self) -> int:
        """Return about how many pages the file of the log has, without opening it."""
        self._require_directory()
        path = self.directory.log / DATA_NAME
        if not path.is_file():
            raise LogError(f"there is no event log in {self.directory.log}; check the path")
        return path.stat().st_size // PAGE_SIZE_BYTES

    def close(self) -> None:
        """Let go of the log."""
        if self._log is not None:
            self._log.close()

    def stream(self, text: str) -> StreamId:
        """Return the stream that is meant: its whole name, or the beginning of a single one.

        Raises
        ------
        NotFoundError
            There is none, or there are several; the text names some.
        """
        found = [stream for stream, _ in self.log.streams(text)]
        if text in found or len(found) == 1:
            return StreamId(text) if text in found else found[0]
        if found:
            raise NotFoundError(f"'{text}' begins {len(found)} streams: {_some(found)}")
        kind = text.partition("/")[0]
        near = [stream for stream, _ in self.log.streams(f"{kind}/" if "/" in text else kind)]
        hint = f"; streams of this kind: {_some(near)}" if near else ""
        raise NotFoundError(f"there is no stream '{text}'{hint}")

    def cluster(self, text: str) -> StreamId:
        """Return the stream of a cluster that is named by its uuid, the begin of it, or its name.

        Raises
        ------
        NotFoundError
            There is none, or there are several.
        """
        plain = text.removeprefix("cluster/")
        if re.fullmatch(r"[0-9a-f-]+", plain) and any(self.log.streams(f"cluster/{plain}")):
            return self.stream(f"cluster/{plain}")
        named = [
            stream
            for stream, _ in self.log.streams("cluster/")
            if self._state_name(stream) == plain
        ]
        if len(named) == 1:
            return named[0]
        if named:
            raise NotFoundError(f"{len(named)} clusters are called '{plain}': {_some(named)}")
        raise NotFoundError(f"there is no cluster '{plain}', neither by uuid nor by name")

    def _require_directory(self) -> None:
        if not self.directory.path.is_dir():
            raise LogError(
                f"there is no data directory {self.directory.path}; name it with --data-dir"
            )

    def _state_name(self, stream: StreamId) -> str:
        initial, apply = aggregate_of(stream)
        state = initial()
        for record in self.log.read_stream(stream):
            state = apply(state, record.event, record.time_us)
        return str(state.name)


def _some(streams: list[StreamId]) -> str:
    shown = ", ".join(streams[:SUGGESTIONS_MAX])
    return f"{shown} …" if len(streams) > SUGGESTIONS_MAX else shown
