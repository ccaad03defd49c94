"""The log in memory and the log on disk, driven together and beside a model of plain lists."""

import shutil
import tempfile
from pathlib import Path
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    invariant,
    rule,
)

from hanami_actors.domain.base import Event, Stamp
from hanami_actors.errors import WrongVersionError
from hanami_actors.eventlog.lmdb_log import LmdbEventLog
from hanami_actors.eventlog.memory import MemoryEventLog
from hanami_actors.eventlog.port import Append, Batch, Commit
from hanami_actors.types import StreamId
from tests.unit.eventlog.builders import append, batch, cycles, open_log, stamp, started

# Beginnings of each other, and neighbours in the order of keys.
STREAMS = [StreamId(name) for name in ("a", "a\x01", "aa", "a/b", "b")]

events = st.one_of(
    st.builds(started, st.sampled_from(["t", "u"])).map(lambda event: (event,)),
    st.builds(cycles, st.integers(0, 4), first=st.integers(0, 9)),
    # Larger than a page of LMDB, so that records get pages of their own.
    st.just(cycles(2, task_uuid="x" * 9_000)),
)


class LogMachine(RuleBasedStateMachine):
    """Appends of all kinds; after each step both logs and the model agree."""

    readers = Bundle("readers")

    def __init__(self) -> None:
        super().__init__()
        self.directory = Path(tempfile.mkdtemp(prefix="hanami-log-"))
        self.disk = open_log(self.directory / "log")
        self.memory = MemoryEventLog()
        self.model: list[tuple[StreamId, int, Event, Stamp]] = []

    def version(self, stream: StreamId) -> int:
        return sum(1 for entry in self.model if entry[0] == stream)

    @rule(
        data=st.data(),
        batch_count=st.integers(1, 4),
        now_us=st.integers(0, 2**53),
    )
    def append_batches(self, data: Any, batch_count: int, now_us: int) -> None:
        batches: list[Batch] = []
        expected: list[bool] = []
        model = list(self.model)
        for _ in range(batch_count):
            made = self._draw_batch(data, model, stamp(now_us=now_us))
            batches.append(made)
            expected.append(_apply_to_model(made, model))
        for log in (self.disk, self.memory):
            answers = log.append(batches)
            assert [isinstance(answer, Commit) for answer in answers] == expected
        self.model = model

    def _draw_batch(
        self, data: Any, model: list[tuple[StreamId, int, Event, Stamp]], of: Stamp
    ) -> Batch:
        """Draw a batch that mostly fits the model, which counts its own appends."""
        appends: list[Append] = []
        versions = {name: sum(1 for entry in model if entry[0] == name) for name in STREAMS}
        for stream in data.draw(st.lists(st.sampled_from(STREAMS), min_size=1, max_size=3)):
            drawn = data.draw(events)
            off_by = data.draw(st.sampled_from([0, 0, 0, 0, 0, -1, 1]))
            appends.append(append(stream, max(0, versions[stream] + off_by), *drawn))
            versions[stream] += len(drawn)
        return batch(*appends, of=of)

    @rule()
    def reopen(self) -> None:
        self.disk.close()
        self.disk = open_log(self.directory / "log")

    @rule()
    def read_only_after_a_close(self) -> None:
        self.disk.close()
        reader = LmdbEventLog(self.directory / "log", readonly=True)
        assert list(reader.read_all()) == list(self.memory.read_all())
        assert reader.head() == self.memory.head()
        reader.close()
        self.disk = open_log(self.directory / "log")

    @rule(stream=st.sampled_from(STREAMS), after=st.integers(0, 30))
    def read_a_part(self, stream: StreamId, after: int) -> None:
        for log in (self.disk, self.memory):
            assert [r.event for r in log.read_all(after_position=after)] == [
                entry[2] for entry in self.model[after:]
            ]
            assert [r.event for r in log.read_stream(stream, after_version=after)] == [
                entry[2] for entry in self.model if entry[0] == stream
            ][after:]

    @rule(target=readers, stream=st.none() | st.sampled_from(STREAMS))
    def begin_to_read(self, stream: StreamId | None) -> Any:
        log = self.disk
        reader = log.read_all() if stream is None else log.read_stream(stream)
        return log, stream, reader, [next(reader, None)]

    @rule(reader=readers)
    def read_on(self, reader: Any) -> None:
        """A reader that was begun earlier, before growth and appends, still reads the truth."""
        log, stream, records, seen = reader
        if log is self.disk and seen[-1] is not None:
            seen.append(next(records, None))
            told = [record for record in seen if record is not None]
            truth = [entry[2] for entry in self.model if stream in (None, entry[0])]
            assert [record.event for record in told] == truth[: len(told)]

    @invariant()
    def both_logs_and_the_model_agree(self) -> None:
        disk, memory = list(self.disk.read_all()), list(self.memory.read_all())
        assert disk == memory
        assert self.disk.head() == self.memory.head() == self.disk.check_chain()
        assert self.disk.head().position == len(self.model)
        assert [record.position for record in disk] == list(range(1, len(self.model) + 1))
        assert [(r.stream, r.version, r.event, r.time_us) for r in disk] == [
            (stream, version, event, made.now_us) for stream, version, event, made in self.model
        ]
        for stream in STREAMS:
            assert self.disk.stream_version(stream) == self.version(stream)
            assert self.memory.stream_version(stream) == self.version(stream)
            assert list(self.disk.read_stream(stream)) == [r for r in disk if r.stream == stream]

    def teardown(self) -> None:
        self.disk.close()
        shutil.rmtree(self.directory)


def _apply_to_model(made: Batch, model: list[tuple[StreamId, int, Event, Stamp]]) -> bool:
    """Append to the model, all or none; written without a thought for how the logs do it."""
    added: list[tuple[StreamId, int, Event, Stamp]] = []
    for part in made.appends:
        version = sum(1 for entry in model + added if entry[0] == part.stream)
        if version != part.expected_version:
            return False
        for event in part.events:
            version += 1
            added.append((part.stream, version, event, made.stamp))
    model.extend(added)
    return True


TestLogMachine = LogMachine.TestCase
TestLogMachine.settings = settings(stateful_step_count=20)


def test_a_refused_batch_is_the_same_error_in_both_logs(tmp_path: Path) -> None:
    disk, memory = open_log(tmp_path / "log"), MemoryEventLog()
    answers = [
        log.append([batch(append("a", 0, started())), batch(append("a", 3, started()))])[1]
        for log in (disk, memory)
    ]
    assert all(isinstance(answer, WrongVersionError) for answer in answers)
    assert len({str(answer) for answer in answers}) == 1
    disk.close()
