#!/usr/bin/env python3
"""Measure the event log beside bare LMDB, and training beside its replay, in one run.

    scripts/bench log [--dir DIR] [--seconds S] [--events N] [--json] [--docs]

Durable appends: N producers with one event each share a transaction (group commit). Beside it a
loop that puts the same keys and values, already encoded, in transactions of the same size. Both run
in turns on the same disk, so that a slow moment of the machine hits both.
Where the library eventsourcing is installed it appends to SQLite beside them.

Replay: all events of a log, read, checked and decoded with types; beside it a loop that only
reads the bytes.

Training: a task of a server, then the same cycles computed again by hanami-log; and what a snapshot
costs of the time between two.
"""

import argparse
import shutil
import statistics
import struct
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import lmdb

from benchmarks.log_peer import measure_peer
from benchmarks.log_training import measure_training
from benchmarks.server_figures import Row, add_options, report
from hanami_actors.domain.base import Event, Stamp, Who
from hanami_actors.domain.cluster.events import CyclesTrained, TaskFinished, TaskStarted
from hanami_actors.eventlog.codec import EMPTY_HEAD, Codec, chain_hash_of
from hanami_actors.eventlog.lmdb_log import LmdbEventLog
from hanami_actors.eventlog.port import Append, Batch, Head
from hanami_actors.types import StreamId, StreamVersion, TimestampUs

GROUP_SIZES = (1, 8, 64, 256)
TURN_COUNT = 5
RATIO_MIN = 0.7
RATE_PRODUCERS, RATE_MIN = 64, 15_000
REPLAY_MIN = 500_000
TASK_UUID = "00000000-0000-4000-8000-000000000001"
STAMP = Stamp(
    now_us=TimestampUs(1_700_000_000_000_000),
    who=Who(user_id="alice", project_id="digits"),
    correlation_id="00000000-0000-4000-8000-000000000002",
)
POSITION = struct.Struct(">Q")


@dataclass
class AppendRow:
    """Durable appends at one group size."""

    producers: int
    events_per_s: float
    bare_events_per_s: float
    ratio: float
    p50_ms: float
    p99_ms: float
    bare_p50_ms: float


@dataclass
class ReplayRow:
    """Typed replay of a whole log."""

    events: int
    events_per_s: float
    bare_events_per_s: float


def event_at(number: int) -> Event:
    """Return one of the events that fill most logs."""
    match number % 4:
        case 0:
            return TaskStarted(task_uuid=TASK_UUID, kernel_version=1)
        case 3:
            return TaskFinished(task_uuid=TASK_UUID, cycle=number, digest="0" * 64)
        case _:
            return CyclesTrained(task_uuid=TASK_UUID, cycle=number)


def stream_at(producer: int) -> StreamId:
    """Return the stream of a producer."""
    return StreamId(f"cluster/00000000-0000-4000-8000-{producer:012d}")


class LogWriter:
    """Appends groups to a log of its own."""

    def __init__(self, directory: Path, producers: int) -> None:
        self._log = LmdbEventLog(directory)
        self._streams = [stream_at(producer) for producer in range(producers)]
        self._events = [event_at(number) for number in range(producers + 4)]
        self._version = 0

    def write_group(self) -> None:
        """Commit one event of each producer durably."""
        begin = self._version % 4
        version = StreamVersion(self._version)
        events = self._events[begin : begin + len(self._streams)]
        self._log.append(
            [
                Batch(
                    appends=(Append(stream=stream, expected_version=version, events=(event,)),),
                    stamp=STAMP,
                )
                for stream, event in zip(self._streams, events, strict=True)
            ]
        )
        self._version += 1

    def close(self) -> None:
        """Close the log."""
        self._log.close()


class BareWriter:
    """Puts the same keys and values with nothing around it."""

    def __init__(self, directory: Path, producers: int) -> None:
        self._env = lmdb.open(str(directory), map_size=2**34, max_dbs=3, lib_version=0)
        self._records, self._streams, self._meta = map(
            self._env.open_db, (b"records", b"streams", b"meta")
        )
        self._producers = producers
        codec = Codec()
        self._values = [
            codec.seal(
                EMPTY_HEAD, codec.prepare(stream_at(0), StreamVersion(1), STAMP, event_at(number))
            ).value
            for number in range(4)
        ]
        self._names = [stream_at(producer).encode() + b"\0" for producer in range(producers)]
        self._position = 0
        self._version = 0

    def write_group(self) -> None:
        """Commit as many records and index entries durably."""
        self._version += 1
        with self._env.begin(write=True) as txn:
            for name in self._names:
                self._position += 1
                key = POSITION.pack(self._position)
                value = self._values[self._position % 4]
                txn.put(key, value, append=True, db=self._records)
                txn.put(name + POSITION.pack(self._version), key, db=self._streams)
            txn.put(b"head", self._values[0][:24], db=self._meta)

    def close(self) -> None:
        """Close the environment."""
        self._env.close()


def turn(write_group: Callable[[], None], seconds: float) -> list[float]:
    """Return the duration of every group that was written in this time."""
    durations: list[float] = []
    begin = before = time.perf_counter()
    while before - begin < seconds:
        write_group()
        now = time.perf_counter()
        durations.append(now - before)
        before = now
    return durations


def quantile_ms(durations: list[float], fraction: float) -> float:
    """Return a quantile in milliseconds."""
    return sorted(durations)[int(fraction * (len(durations) - 1))] * 1e3


def measure_appends(directory: Path, producers: int, seconds: float) -> AppendRow:
    """Run log and bare loop in turns; rates are medians over the turns."""
    log = LogWriter(directory / f"log-{producers}", producers)
    bare = BareWriter(directory / f"bare-{producers}", producers)
    durations: list[float] = []
    bare_durations: list[float] = []
    rates: list[float] = []
    bare_rates: list[float] = []
    for _ in range(TURN_COUNT):
        of_log = turn(log.write_group, seconds / TURN_COUNT)
        of_bare = turn(bare.write_group, seconds / TURN_COUNT)
        durations += of_log
        bare_durations += of_bare
        rates.append(producers * len(of_log) / sum(of_log))
        bare_rates.append(producers * len(of_bare) / sum(of_bare))
    log.close()
    bare.close()
    return AppendRow(
        producers=producers,
        events_per_s=statistics.median(rates),
        bare_events_per_s=statistics.median(bare_rates),
        ratio=statistics.median(
            ours / theirs for ours, theirs in zip(rates, bare_rates, strict=True)
        ),
        p50_ms=quantile_ms(durations, 0.5),
        p99_ms=quantile_ms(durations, 0.99),
        bare_p50_ms=quantile_ms(bare_durations, 0.5),
    )


def groups_of(count: int, size: int) -> Iterator[Batch]:
    """Yield batches of one stream that hold so many events together."""
    for start in range(0, count, size):
        events = tuple(event_at(number) for number in range(start, min(start + size, count)))
        appends = (
            Append(stream=stream_at(0), expected_version=StreamVersion(start), events=events),
        )
        yield Batch(appends=appends, stamp=STAMP)


def measure_replay(directory: Path, event_count: int) -> ReplayRow:
    """Return the best of three passes over a log with so many events."""
    log = LmdbEventLog(directory / "replay", sync=False)
    for batch in groups_of(event_count, 1_000):
        log.append([batch])
    times: list[float] = []
    for _ in range(3):
        begin = time.perf_counter()
        seen = sum(1 for _ in log.read_all())
        times.append(time.perf_counter() - begin)
        assert seen == event_count
    assert log.check_chain() == log.head() != Head(position=EMPTY_HEAD.position, chain_hash=b"")
    log.close()
    env = lmdb.open(str(directory / "replay"), max_dbs=3, readonly=True, lib_version=0)
    records = env.open_db(b"records", create=False)
    bare_times: list[float] = []
    for _ in range(3):
        begin = time.perf_counter()
        with env.begin(db=records) as txn:
            seen = sum(1 for value in txn.cursor().iternext(keys=False) if chain_hash_of(value))
        bare_times.append(time.perf_counter() - begin)
    env.close()
    return ReplayRow(event_count, event_count / min(times), event_count / min(bare_times))


def rows_of(appends: list[AppendRow], replay: ReplayRow) -> Iterator[Row]:
    """Yield the figures with their targets."""
    for row in appends:
        what = f"durable appends, {row.producers} producers"
        fits = row.producers == RATE_PRODUCERS
        at_least = RATE_MIN if fits else None
        yield Row(name=what, value=row.events_per_s, unit="/s", at_least=at_least)
        yield Row(name="beside it, bare LMDB", value=row.bare_events_per_s, unit="/s")
        yield Row(name="in parts of it", value=row.ratio, unit="", at_least=RATIO_MIN)
        yield Row(name="a commit, median", value=row.p50_ms, unit="ms")
        yield Row(name="a commit, 99 %", value=row.p99_ms, unit="ms")
        yield Row(name="a commit of bare LMDB, median", value=row.bare_p50_ms, unit="ms")
    yield Row(
        name=f"typed events on replay of {replay.events:,}",
        value=replay.events_per_s,
        unit="/s",
        at_least=REPLAY_MIN,
    )
    yield Row(name="beside it, bytes only", value=replay.bare_events_per_s, unit="/s")


def main() -> None:
    """Measure, print and write."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--dir", type=Path, help="where to write; its disk is what is measured")
    parser.add_argument("--seconds", type=float, default=2.0, help="per group size")
    parser.add_argument("--events", type=int, default=200_000, help="of the replayed log")
    add_options(parser)
    options = parser.parse_args()
    directory = Path(tempfile.mkdtemp(prefix="hanami-bench-", dir=options.dir))
    try:
        appends = [measure_appends(directory, size, options.seconds) for size in GROUP_SIZES]
        replay = measure_replay(directory, options.events)
        rows = [
            *rows_of(appends, replay),
            *measure_peer(directory, options.seconds),
            *measure_training(directory / "training"),
        ]
    finally:
        shutil.rmtree(directory)
    report("log", rows, options)


if __name__ == "__main__":
    main()
