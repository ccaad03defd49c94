"""Reads the log of a running server beside it: gapless, foldable, free of what was refused."""

from pathlib import Path

from hanami_actors.domain.tables import EMPTY, Tables, fold
from hanami_actors.eventlog.directory import DataDirectory
from hanami_actors.eventlog.lmdb_log import LmdbEventLog
from hanami_actors.eventlog.port import Record

__all__ = ["LogWatch"]


class LogWatch:
    """Folds what is new each time it is asked."""

    def __init__(self, data_dir: Path) -> None:
        self._directory = DataDirectory(data_dir).log
        self._log = LmdbEventLog(self._directory, readonly=True)
        self.tables: Tables = EMPTY
        self.refused: set[str] = set()
        self.causes: dict[str, int] = {}

    def close(self) -> None:
        self._log.close()

    def reopen(self) -> None:
        """Look again, after the server that wrote it was killed."""
        self._log.close()
        self._log = LmdbEventLog(self._directory, readonly=True)

    def advance(self) -> list[Record]:
        """Fold the new records; check what must hold of every one of them."""
        new = list(self._log.read_all(after_position=self.tables.position))
        for record in new:
            assert record.position == self.tables.position + 1, "positions are gapless"
            assert record.correlation_id not in self.refused, (
                f"a refused request has written {record.tag}"
            )
            self.tables = fold(
                self.tables,
                record.stream,
                record.version,
                record.position,
                record.time_us,
                record.event,
            )
            self.causes[record.correlation_id] = record.position
        assert self._log.head().position >= self.tables.position
        return new

    def has_written(self, request_id: str) -> bool:
        self.advance()
        return request_id in self.causes
