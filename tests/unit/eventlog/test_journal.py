"""What is kept for a while only."""

import pytest

from hanami_actors.actors.writer import append_to
from hanami_actors.domain.audit.events import CallMade
from hanami_actors.domain.base import Stamp, Who
from hanami_actors.errors import LogLockedError
from hanami_actors.eventlog.journal import SEGMENT_COUNT, Journal
from hanami_actors.eventlog.port import Batch

RETENTION_US = 8_000
WHO = Who(user_id="anna", project_id="lab")


def batch(time_us, stream="audit/anna", endpoint="v1/x"):
    event = CallMade(endpoint=endpoint, request_type="POST")
    append = append_to(stream, 0, (event,))
    return Batch(appends=(append,), stamp=Stamp(now_us=time_us, who=WHO))


@pytest.fixture
def path(tmp_path):
    return tmp_path / "audit"


@pytest.fixture
def open_journal(path):
    opened: list[Journal] = []

    def make(**options):
        for journal in opened:
            journal.close()
        options = {"retention_us": RETENTION_US, "size_max_bytes": 2**30} | options
        opened.append(Journal(path, **options))
        return opened[-1]

    yield make
    for journal in opened:
        journal.close()


def times(journal, stream="audit/anna", first=0, count=1000):
    return [record.time_us for record in journal.read(stream, first, count)]


def test_what_was_appended_is_read_in_order_also_after_opening_again(open_journal):
    journal = open_journal()
    journal.append([batch(1), batch(2), batch(2, stream="audit/bert"), batch(3)])
    for _ in range(2):
        assert times(journal) == [1, 2, 3]
        assert times(journal, "audit/bert") == [2]
        assert times(journal, "audit/carl") == []
        journal = open_journal()
    record = journal.read("audit/anna", 0, 1)[0]
    assert (record.user_id, record.event.endpoint) == ("anna", "v1/x")


def test_nothing_is_written_for_nothing(open_journal, path):
    open_journal().append([])
    assert list(path.iterdir()) == []


def test_a_part_of_a_stream_goes_on_over_the_segments(open_journal, path):
    journal = open_journal()
    for time_us in range(0, 6_000, 100):
        journal.append([batch(time_us)])
    assert len(list(path.iterdir())) > 3
    assert times(journal) == list(range(0, 6_000, 100))
    assert times(journal, first=25, count=20) == list(range(2_500, 4_500, 100))
    assert times(journal, first=60) == []
    assert times(open_journal(), first=25, count=20) == list(range(2_500, 4_500, 100))


def test_what_is_beyond_the_retention_goes_and_what_is_within_it_stays(open_journal):
    journal = open_journal()
    for time_us in range(0, 30_000, 100):
        journal.append([batch(time_us)])
    kept = times(journal)
    assert kept[-1] == 29_900
    assert kept[0] <= 29_900 - RETENTION_US
    assert kept[0] >= 29_900 - RETENTION_US - 2 * RETENTION_US / SEGMENT_COUNT
    assert kept == list(range(kept[0], 30_000, 100))


def test_the_clock_alone_makes_old_segments_go_but_never_the_newest(open_journal):
    journal = open_journal()
    for time_us in (0, 5_000):
        journal.append([batch(time_us)])
    journal.expire(RETENTION_US)
    assert times(journal) == [0, 5_000]
    journal.expire(RETENTION_US + 1)
    assert times(journal) == [5_000]
    journal.expire(100 * RETENTION_US)
    assert times(journal) == [5_000]


def test_all_together_stay_within_the_size(open_journal, path):
    size_max_bytes = 1_000_000
    journal = open_journal(size_max_bytes=size_max_bytes)
    for time_us in range(60):
        journal.append([batch(time_us, endpoint="x" * 1_000)] * 40)
    kept = times(journal, count=10_000)
    assert kept[0] > 0
    assert kept[-1] == 59
    size_bytes = sum(entry.stat().st_size for entry in path.rglob("*"))
    assert size_bytes < size_max_bytes * (1 + 2 / SEGMENT_COUNT)


def test_a_damaged_segment_is_left_aside_and_the_others_are_read(open_journal, path, caplog):
    journal = open_journal()
    for time_us in (0, 5_000):
        journal.append([batch(time_us)])
    journal.close()
    (path / "00000001" / "data.mdb").write_bytes(b"")
    again = open_journal()
    assert times(again) == [5_000]
    assert "left aside" in caplog.text
    again.append([batch(5_001)])
    assert times(again) == [5_000, 5_001]


def test_a_journal_that_somebody_has_open_is_refused_not_taken_for_damaged(open_journal, path):
    former = open_journal()
    former.append([batch(1)])
    former.append([batch(RETENTION_US // 2)])
    with pytest.raises(LogLockedError):
        Journal(path, retention_us=RETENTION_US, size_max_bytes=2**30)
    assert times(former) == [1, RETENTION_US // 2]
    # Nothing of it stays open behind the refusal.
    assert times(open_journal()) == [1, RETENTION_US // 2]
