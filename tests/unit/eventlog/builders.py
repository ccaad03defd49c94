"""Batches and events for the tests of the log, short to write."""

from pathlib import Path
from typing import Any

from hanami_actors.domain import catalogue
from hanami_actors.domain.base import Event, Stamp, Who
from hanami_actors.domain.cluster.events import CyclesTrained, TaskStarted
from hanami_actors.errors import WrongVersionError
from hanami_actors.eventlog.lmdb_log import LmdbEventLog
from hanami_actors.eventlog.port import Append, Batch, Commit, Record
from hanami_actors.types import StreamId, StreamVersion, TimestampUs

MAP_SIZE_BYTES = 2**20


class TestCatalogue:
    """The domain's catalogue with another version, and tags it has forgotten."""

    __test__ = False

    def __init__(self, *, version: int = 1, forgotten: frozenset[str] = frozenset()) -> None:
        self.CATALOGUE_VERSION = version
        self._forgotten = forgotten

    def encode(self, event: Event) -> tuple[str, int, dict[str, Any]]:
        return catalogue.encode(event)

    def decode(self, tag: str, schema: int, data: dict[str, Any]) -> Event:
        return catalogue.decode("forgotten" if tag in self._forgotten else tag, schema, data)


def stamp(*, now_us: int = 1_700_000_000_000_000, correlation_id: str = "request-1") -> Stamp:
    return Stamp(
        now_us=TimestampUs(now_us),
        who=Who(user_id="alice", project_id="digits"),
        correlation_id=correlation_id,
    )


def cycles(count: int, *, first: int = 0, task_uuid: str = "task") -> tuple[Event, ...]:
    return tuple(CyclesTrained(task_uuid=task_uuid, cycle=first + index) for index in range(count))


def started(task_uuid: str = "task") -> Event:
    return TaskStarted(task_uuid=task_uuid, kernel_version=1)


def append(stream: str, expected_version: int, *events: Event) -> Append:
    return Append(
        stream=StreamId(stream),
        expected_version=StreamVersion(expected_version),
        events=events,
    )


def batch(*appends: Append, of: Stamp | None = None) -> Batch:
    return Batch(appends=appends, stamp=of or stamp())


def committed(answer: Commit | WrongVersionError) -> tuple[Record, ...]:
    assert isinstance(answer, Commit), answer
    return answer.records


def open_log(path: Path, **options: Any) -> LmdbEventLog:
    """Open a log with a small map and without fsync: what is tested here is not the disk."""
    return LmdbEventLog(path, **{"map_size_bytes": MAP_SIZE_BYTES, "sync": False, **options})
