"""What every log does, run for the one in memory and the one on disk."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from hanami_actors.domain.cluster.events import TaskStarted
from hanami_actors.domain.user.events import UserCreated, UserDeleted
from hanami_actors.errors import LogCorruptError, LogError, UnknownTagError, WrongVersionError
from hanami_actors.eventlog.append_plan import prepare_batch
from hanami_actors.eventlog.codec import EMPTY_HEAD, Codec
from hanami_actors.eventlog.memory import MemoryEventLog
from hanami_actors.eventlog.port import EventLog
from hanami_actors.types import StreamId
from tests.unit.eventlog.builders import (
    TestCatalogue,
    append,
    batch,
    committed,
    cycles,
    open_log,
    stamp,
    started,
)

A, B = StreamId("cluster/a"), StreamId("cluster/b")

MakeLog = Callable[..., EventLog]


@pytest.fixture(params=["memory", "lmdb"])
def make_log(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[MakeLog]:
    logs: list[EventLog] = []

    def make(**options: object) -> EventLog:
        if request.param == "memory":
            log: EventLog = MemoryEventLog(**options)  # type: ignore[arg-type]
        else:
            log = open_log(tmp_path / f"log-{len(logs)}", **options)
        logs.append(log)
        return log

    yield make
    for log in logs:
        log.close()


@pytest.fixture
def log(make_log: MakeLog) -> EventLog:
    return make_log()


def test_an_empty_log_has_position_zero_and_no_records(log: EventLog) -> None:
    assert log.head() == EMPTY_HEAD
    assert log.stream_version(A) == 0
    assert list(log.read_all()) == []
    assert list(log.read_stream(A)) == []


def test_a_commit_returns_the_records_that_are_read_later(log: EventLog) -> None:
    stamped = stamp(now_us=17, correlation_id="r7")
    (answer,) = log.append([batch(append(A, 0, started(), *cycles(2)), of=stamped)])
    records = committed(answer)
    assert [(r.position, r.version, r.tag, r.schema) for r in records] == [
        (1, 1, "cluster.task_started", 1),
        (2, 2, "cluster.cycles_trained", 1),
        (3, 3, "cluster.cycles_trained", 1),
    ]
    assert {(r.stream, r.time_us, r.user_id, r.project_id, r.correlation_id) for r in records} == {
        (A, 17, "alice", "digits", "r7")
    }
    assert tuple(r.event for r in records) == (started(), *cycles(2))
    assert tuple(log.read_all()) == tuple(log.read_stream(A)) == records


def test_positions_are_gapless_over_batches_and_calls(log: EventLog) -> None:
    log.append([batch(append(A, 0, *cycles(3))), batch(append(B, 0, *cycles(2)))])
    log.append([batch(append(A, 3, *cycles(4)))])
    assert [record.position for record in log.read_all()] == list(range(1, 10))
    assert log.head().position == 9


def test_a_batch_may_span_several_streams(log: EventLog) -> None:
    log.append([batch(append(A, 0, started()), append(B, 0, *cycles(2)), append(A, 1, started()))])
    assert [record.stream for record in log.read_all()] == [A, B, B, A]
    assert log.stream_version(A) == log.stream_version(B) == 2


def test_a_stale_batch_is_answered_with_an_error_and_leaves_nothing(log: EventLog) -> None:
    log.append([batch(append(A, 0, *cycles(2)))])
    before = log.head()
    (answer,) = log.append([batch(append(B, 0, started()), append(A, 1, started()))])
    assert isinstance(answer, WrongVersionError)
    assert (answer.stream, answer.expected, answer.actual) == (A, 1, 2)
    assert log.head() == before
    assert log.stream_version(B) == 0


def test_a_version_ahead_of_the_stream_is_wrong_too(log: EventLog) -> None:
    (answer,) = log.append([batch(append(A, 1, started()))])
    assert isinstance(answer, WrongVersionError)
    assert (answer.expected, answer.actual) == (1, 0)


def test_stale_batches_do_not_hold_up_the_others_of_the_call(log: EventLog) -> None:
    answers = log.append(
        [
            batch(append(A, 0, started())),
            batch(append(A, 0, *cycles(5))),
            batch(append(B, 0, started()), append(A, 9, started())),
            batch(append(A, 1, *cycles(2)), append(B, 0, started())),
        ]
    )
    assert [isinstance(answer, WrongVersionError) for answer in answers] == [
        False,
        True,
        True,
        False,
    ]
    assert log.stream_version(A) == 3
    assert log.stream_version(B) == 1
    assert [record.position for record in log.read_all()] == [1, 2, 3, 4]


def test_an_append_without_events_only_checks_the_version(log: EventLog) -> None:
    log.append([batch(append(A, 0, started()))])
    good, stale = log.append([batch(append(A, 1)), batch(append(A, 0), append(B, 0, started()))])
    assert committed(good) == ()
    assert isinstance(stale, WrongVersionError)
    assert log.head().position == 1


def test_appending_nothing_changes_nothing(log: EventLog) -> None:
    assert log.append([]) == []
    assert log.head() == EMPTY_HEAD


def test_streams_whose_names_begin_alike_do_not_mix(log: EventLog) -> None:
    names = [
        StreamId(name)
        for name in ("cluster/a", "cluster/a\x01", "cluster/aa", "cluster/a/b", "cluster/", "é")
    ]
    for count, name in enumerate(names, start=1):
        log.append([batch(append(name, 0, *cycles(count)))])
    for count, name in enumerate(names, start=1):
        assert log.stream_version(name) == count
        assert [record.version for record in log.read_stream(name)] == list(range(1, count + 1))
    assert log.stream_version(StreamId("cluster")) == 0


def test_reading_goes_on_after_a_position_or_a_version(log: EventLog) -> None:
    log.append([batch(append(A, 0, *cycles(3)), append(B, 0, *cycles(3)), append(A, 3, started()))])
    assert [record.position for record in log.read_all(after_position=5)] == [6, 7]
    assert [record.position for record in log.read_stream(A, after_version=2)] == [3, 7]
    assert list(log.read_all(after_position=7)) == []
    assert list(log.read_all(after_position=99)) == []
    assert list(log.read_stream(A, after_version=4)) == []
    assert list(log.read_stream(A, after_version=99)) == []


def test_long_streams_are_read_completely_and_in_order(log: EventLog) -> None:
    for index in range(5):
        log.append(
            [
                batch(
                    append(A, 300 * index, *cycles(300, first=300 * index)),
                    append(B, index, started()),
                )
            ]
        )
    assert [record.position for record in log.read_all()] == list(range(1, 1506))
    assert [record.version for record in log.read_stream(A)] == list(range(1, 1501))
    assert [record.event for record in log.read_stream(A)] == list(cycles(1500))
    assert [record.version for record in log.read_stream(B)] == [1, 2, 3, 4, 5]


def test_a_reader_is_not_disturbed_by_appends(log: EventLog) -> None:
    log.append([batch(append(A, 0, *cycles(3)))])
    reader = log.read_all()
    first = next(reader)
    log.append([batch(append(A, 3, *cycles(3)))])
    assert [first.position, *(record.position for record in reader)][:3] == [1, 2, 3]


def test_the_hash_of_the_head_depends_on_all_that_was_written(make_log: MakeLog) -> None:
    one, same, other = make_log(), make_log(), make_log()
    for log in (one, same):
        log.append([batch(append(A, 0, *cycles(2)))])
    other.append([batch(append(A, 0, *cycles(1, first=1), *cycles(1, first=1)))])
    assert one.head() == same.head()
    assert one.head().position == other.head().position
    assert one.head().chain_hash != other.head().chain_hash


@pytest.mark.parametrize("name", ["", "a\0b", "x" * 481, "é" * 241, "\ud800"])
def test_a_name_that_cannot_be_a_stream_is_refused(log: EventLog, name: str) -> None:
    with pytest.raises(LogError, match="stream name"):
        log.append([batch(append(name, 0, started()))])
    with pytest.raises(LogError, match="stream name"):
        list(log.read_stream(StreamId(name)))
    assert log.head() == EMPTY_HEAD


def test_the_longest_name_can_be_a_stream(log: EventLog) -> None:
    name = StreamId("x" * 480)
    log.append([batch(append(name, 0, started()))])
    assert log.stream_version(name) == 1


@pytest.mark.parametrize(
    "event",
    [
        UserCreated(id=7, name="n", passphrase_hash="h", is_admin=False, creator_id="c"),  # type: ignore[arg-type]
        UserCreated(id="u", name="\ud800", passphrase_hash="h", is_admin=False, creator_id="c"),
        UserCreated(id="u", name="n", passphrase_hash="h", is_admin=object(), creator_id="c"),  # type: ignore[arg-type]
        UserCreated(id="u", name="n" * 2**24, passphrase_hash="h", is_admin=True, creator_id="c"),
    ],
    ids=["wrong-type", "no-text", "no-data", "too-large"],
)
def test_what_cannot_be_read_back_is_not_written(log: EventLog, event: UserCreated) -> None:
    with pytest.raises(LogError):
        log.append([batch(append(A, 0, started())), batch(append(B, 0, event))])
    assert log.head() == EMPTY_HEAD
    assert log.stream_version(A) == 0
    assert len(log.append([batch(append(A, 0, started()))])) == 1


def test_an_event_outside_the_catalogue_is_not_written(make_log: MakeLog) -> None:
    class Unlisted(UserDeleted, frozen=True, kw_only=True):
        pass

    log = make_log()
    with pytest.raises(UnknownTagError):
        log.append([batch(append(A, 0, Unlisted()))])
    assert log.head() == EMPTY_HEAD


def test_an_unknown_tag_is_an_error_that_names_it(make_log: MakeLog) -> None:
    log = make_log(catalogue=TestCatalogue(forgotten=frozenset({"user.deleted"})))
    with pytest.raises(UnknownTagError, match="forgotten"):
        log.append([batch(append(A, 0, UserDeleted()))])


def test_a_closed_log_refuses_everything(log: EventLog) -> None:
    log.append([batch(append(A, 0, *cycles(2)))])
    reader = log.read_all()
    next(reader)
    log.close()
    log.close()
    for use in (
        log.head,
        lambda: log.stream_version(A),
        lambda: log.append([batch(append(A, 2, started()))]),
        lambda: list(log.read_all()),
        lambda: list(log.read_stream(A)),
    ):
        with pytest.raises(LogError, match="closed"):
            use()


def test_streams_are_listed_by_name_with_their_versions(log: EventLog) -> None:
    names = ["cluster/a", "cluster/a-b", "cluster/ab", "dataset/ä", "user/a"]
    for count, name in enumerate(reversed(names), 1):
        log.append([batch(append(name, 0, *cycles(count)))])
    assert list(log.streams()) == [(name, 5 - index) for index, name in enumerate(names)]
    assert [name for name, _ in log.streams("cluster/a")] == names[:3]
    assert list(log.streams("nothing")) == []


def test_more_streams_than_a_page_are_all_listed(log: EventLog) -> None:
    names = [f"cluster/{number:04d}" for number in range(1_100)]
    log.append([batch(*[append(name, 0, *cycles(1)) for name in names])])
    assert [name for name, _ in log.streams()] == names


def test_a_batch_encoded_beforehand_is_written_like_any_other(log: EventLog) -> None:
    batches = [
        batch(append(A, 0, *cycles(3)), append(B, 0, started())),
        batch(append(A, 3, *cycles(1))),
    ]
    codec = Codec()
    first, second = log.append([prepare_batch(batches[0], codec), batches[1]])
    assert [record.position for record in (*committed(first), *committed(second))] == [
        1,
        2,
        3,
        4,
        5,
    ]
    assert list(log.read_all()) == [*committed(first), *committed(second)]
    (stale,) = log.append([prepare_batch(batches[1], codec)])
    assert isinstance(stale, WrongVersionError)
    assert log.head().position == 5


def test_an_event_that_cannot_be_stored_is_refused_before_anything_is_written() -> None:
    broken = TaskStarted(task_uuid="t", kernel_version=0.5)  # type: ignore[arg-type]
    with pytest.raises(LogError, match="cannot be stored"):
        prepare_batch(batch(append(A, 0, broken)), Codec())


def test_the_hash_of_every_record_can_be_asked(log: EventLog) -> None:
    assert log.hash_at(0) == EMPTY_HEAD.chain_hash
    log.append([batch(append(A, 0, *cycles(2)))])
    assert log.hash_at(2) == log.head().chain_hash != log.hash_at(1)
    with pytest.raises(LogCorruptError, match="record 3 is missing"):
        log.hash_at(3)
