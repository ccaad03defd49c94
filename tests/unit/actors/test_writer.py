import threading
from typing import Any

import pytest

from hanami_actors.actors.writer import (
    AppendBatch,
    EventWriterActor,
    Published,
    append_to,
    load_published,
    persist,
)
from hanami_actors.domain.base import Stamp, Who
from hanami_actors.domain.user.events import UserCreated, UserDeleted
from hanami_actors.errors import (
    BusyError,
    FaultError,
    LogError,
    StorageFullError,
    WrongVersionError,
)
from hanami_actors.eventlog.memory import MemoryEventLog
from hanami_actors.eventlog.port import Batch
from hanami_actors.runtime.future import CallbackFuture
from hanami_actors.types import TimestampUs
from tests.unit.actors.harness import ask_later

TIMEOUT_S = 10
STAMP = Stamp(now_us=TimestampUs(5), who=Who(user_id="root", project_id="admin"))


def created(name):
    return UserCreated(id=name, name=name, passphrase_hash="h", is_admin=False, creator_id="root")


@pytest.fixture
def log():
    return MemoryEventLog()


@pytest.fixture
def published():
    return Published()


@pytest.fixture
def writer(log, published):
    ref = EventWriterActor.start(log, published)
    yield ref
    if ref.is_alive():
        ref.stop(timeout=TIMEOUT_S)


def test_tables_hold_the_write_before_it_is_answered(writer, published):
    persist(writer, STAMP, append_to("user/anna", 0, (created("anna"),)))
    assert published.tables.users["anna"].state.name == "anna"
    assert published.tables.position == 1


def test_a_stale_append_is_refused_and_changes_nothing(writer, log, published):
    persist(writer, STAMP, append_to("user/anna", 0, (created("anna"),)))
    before = published.tables
    with pytest.raises(WrongVersionError):
        persist(writer, STAMP, append_to("user/anna", 0, (UserDeleted(),)))
    assert published.tables is before
    assert log.head().position == 1


def test_what_waits_is_committed_in_one_group(published):
    class SlowLog(MemoryEventLog):
        def __init__(self):
            super().__init__()
            self.gate = threading.Event()
            self.entered = threading.Event()
            self.groups = []

        def append(self, batches):
            self.entered.set()
            assert self.gate.wait(TIMEOUT_S)
            self.groups.append(len(batches))
            return super().append(batches)

    log = SlowLog()
    writer = EventWriterActor.start(log, published)
    futures = []
    for number in range(6):
        name = f"user{number}"
        # The fourth is stale: it is answered with its own error, the others are written.
        version = 7 if number == 4 else 0
        batch = Batch(appends=(append_to(f"user/{name}", version, (created(name),)),), stamp=STAMP)
        future = writer.ask(AppendBatch(batch=batch), block=False)
        assert isinstance(future, CallbackFuture)
        futures.append(future)
        if number == 0:
            assert log.entered.wait(TIMEOUT_S)
    log.gate.set()
    for future in futures:
        assert future.wait(TIMEOUT_S)
    writer.stop(timeout=TIMEOUT_S)
    assert log.groups == [1, 5]
    assert [isinstance(f.error(), WrongVersionError) for f in futures] == [False] * 4 + [
        True,
        False,
    ]
    assert sorted(published.tables.users) == ["user0", "user1", "user2", "user3", "user5"]


@pytest.mark.parametrize("error", [StorageFullError("full"), LogError("unknown")])
def test_a_failed_append_reaches_every_waiter_and_the_tables_follow_the_log(error, published):
    class WrittenButUnanswered(MemoryEventLog):
        def append(self, batches):
            super().append(batches)
            raise error

    log = WrittenButUnanswered()
    writer = EventWriterActor.start(log, published)
    with pytest.raises(type(error)):
        persist(writer, STAMP, append_to("user/anna", 0, (created("anna"),)))
    writer.stop(timeout=TIMEOUT_S)
    # Nobody knew whether it was written; the writer looked.
    assert "anna" in published.tables.users


def test_asking_a_stopped_writer_says_try_again(writer):
    writer.stop(timeout=TIMEOUT_S)
    with pytest.raises(BusyError, match="try again"):
        persist(writer, STAMP, append_to("user/anna", 0, (created("anna"),)))


def test_loading_a_log_gives_the_tables_that_were_published(writer, log, published):
    for name in ("anna", "bert"):
        persist(writer, STAMP, append_to(f"user/{name}", 0, (created(name),)))
    persist(writer, STAMP, append_to("user/anna", 1, (UserDeleted(),)))
    loaded = load_published(log)
    assert loaded.tables == published.tables
    assert loaded.unfinished == frozenset()


def test_an_error_nobody_expected_answers_every_waiter_and_the_writer_goes_on(published):
    entered, gate = threading.Event(), threading.Event()

    class BrokenOnce(MemoryEventLog):
        def append(self, batches):
            if not entered.is_set():
                entered.set()
                assert gate.wait(TIMEOUT_S)
                return super().append(batches)
            if len(batches) > 1:
                raise ZeroDivisionError
            return super().append(batches)

    writer = EventWriterActor.start(BrokenOnce(), published)
    futures = []
    for number in range(3):
        batch = Batch(
            appends=(append_to(f"user/u{number}", 0, (created(f"u{number}"),)),), stamp=STAMP
        )
        futures.append(ask_later(writer, AppendBatch(batch=batch)))
        if number == 0:
            assert entered.wait(TIMEOUT_S)
    gate.set()
    for future in futures:
        assert future.wait(TIMEOUT_S)
    errors = [future.error() for future in futures]
    assert errors[0] is None
    assert isinstance(errors[1], ZeroDivisionError)
    assert isinstance(errors[2], FaultError)
    persist(writer, STAMP, append_to("user/anna", 0, (created("anna"),)))
    assert sorted(published.tables.users) == ["anna", "u0"]
    writer.stop(timeout=TIMEOUT_S)


def test_records_that_could_not_be_folded_are_folded_with_the_next_ones(
    writer, log, published, monkeypatch
):
    def fail_once(*args):
        monkeypatch.undo()
        raise LogError("cannot fold")

    monkeypatch.setattr("hanami_actors.actors.read_model.fold", fail_once)
    with pytest.raises(LogError):
        persist(writer, STAMP, append_to("user/anna", 0, (created("anna"),)))
    assert log.head().position == 1
    persist(writer, STAMP, append_to("user/bert", 0, (created("bert"),)))
    assert sorted(published.tables.users) == ["anna", "bert"]
    assert published.tables.position == 2


def test_a_writer_is_never_too_busy_for_an_append(published):
    log, gate = MemoryEventLog(), threading.Event()
    original = log.append

    def slow(batches):
        assert gate.wait(TIMEOUT_S)
        return original(batches)

    log.append = slow  # type: ignore[method-assign]
    writer = EventWriterActor.start(log, published)
    inbox: Any = writer.actor_inbox
    inbox.len_max = 2
    batches = [
        Batch(appends=(append_to(f"user/u{n}", 0, (created(f"u{n}"),)),), stamp=STAMP)
        for n in range(9)
    ]
    futures = [ask_later(writer, AppendBatch(batch=batch)) for batch in batches]
    gate.set()
    for future in futures:
        assert future.wait(TIMEOUT_S)
        assert future.error() is None
    writer.stop(timeout=TIMEOUT_S)
