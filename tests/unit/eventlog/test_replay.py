"""Folding records into states."""

import pytest

from hanami_actors.domain.base import Event
from hanami_actors.domain.cluster.events import CyclesTrained
from hanami_actors.errors import ConflictError, NotFoundError
from hanami_actors.eventlog.memory import MemoryEventLog
from hanami_actors.eventlog.replay import fold, replayed, state_at
from hanami_actors.types import StreamId, TimestampUs
from tests.unit.eventlog.builders import append, batch, cycles, stamp

A, B = StreamId("cluster/a"), StreamId("cluster/b")

State = tuple[int, ...]

EMPTY: State = ()
SEVEN: State = (7,)


def add(state: State, event: Event, time_us: TimestampUs) -> State:
    assert isinstance(event, CyclesTrained)
    return (*state, event.cycle + time_us)


@pytest.fixture
def log() -> MemoryEventLog:
    log = MemoryEventLog()
    log.append([batch(append(B, 0, *cycles(2, first=50)), of=stamp(now_us=0))])
    log.append([batch(append(A, 0, *cycles(2)), of=stamp(now_us=100))])
    log.append([batch(append(A, 2, *cycles(2)), of=stamp(now_us=200))])
    return log


def test_a_fold_gives_events_and_their_times_in_order(log: MemoryEventLog) -> None:
    assert fold(log.read_stream(A), EMPTY, add) == (100, 101, 200, 201)
    assert fold(log.read_stream(A, after_version=1), SEVEN, add) == (7, 101, 200, 201)
    assert fold([], SEVEN, add) == SEVEN


def test_a_state_comes_with_the_version_it_was_read_at(log: MemoryEventLog) -> None:
    assert replayed(log, A, EMPTY, add) == ((100, 101, 200, 201), 4)
    assert replayed(log, StreamId("cluster/none"), SEVEN, add) == (SEVEN, 0)


@pytest.mark.parametrize("version", range(5))
def test_the_state_at_a_version_is_the_fold_of_that_many_events(
    log: MemoryEventLog, version: int
) -> None:
    assert state_at(log, A, version, EMPTY, add) == (100, 101, 200, 201)[:version]


@pytest.mark.parametrize("version", [-1, 5])
def test_a_version_that_never_was_is_not_found(log: MemoryEventLog, version: int) -> None:
    with pytest.raises(NotFoundError, match="versions 0 to 4"):
        state_at(log, A, version, EMPTY, add)


def test_an_error_in_a_fold_says_at_which_record(log: MemoryEventLog) -> None:
    def refuse(state: int, event: CyclesTrained, time_us: TimestampUs) -> int:
        if time_us == 200:
            raise ConflictError("no")
        return state

    with pytest.raises(ConflictError) as caught:
        fold(log.read_stream(A), 0, refuse)
    assert caught.value.__notes__ == [
        "while applying cluster.cycles_trained at position 5, cluster/a version 3"
    ]
