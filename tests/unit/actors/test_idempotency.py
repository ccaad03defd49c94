"""The keeper of keys: durable, bounded, for each user alone."""

import pytest

from hanami_actors.actors.gateway import Command, Target, TargetKind
from hanami_actors.actors.journals import idempotency
from hanami_actors.domain.base import Who
from hanami_actors.domain.idempotency.keys import (
    KEPT_US,
    BeginKey,
    DropKey,
    FindEffects,
    FinishKey,
    RepeatKey,
)
from hanami_actors.domain.user.messages import CreateUser
from hanami_actors.errors import BusyError, ConflictError, StorageFullError
from hanami_actors.eventlog.journal import Journal
from tests.unit.actors.harness import ALICE, answer_of, wait_until

KEYS = Target(kind=TargetKind.IDEMPOTENCY)
BOB = Who(user_id="bob", project_id="lab")


@pytest.fixture
def backend(make_backend):
    return make_backend(with_kernels=False)


def begin(key="k", body="one"):
    return BeginKey(endpoint="create_cluster", key=key, body_hash=body)


def finish(key="k", answer=b"{}"):
    return FinishKey(endpoint="create_cluster", key=key, status=200, answer=answer)


def test_a_key_is_new_once_and_keeps_its_answer_across_a_restart(backend):
    assert backend.ask(KEYS, begin()).is_new
    again = backend.ask(KEYS, begin())
    assert not again.is_new
    assert again.state.status == 0
    backend.ask(KEYS, finish(answer=b'{"uuid":1}'))
    backend.again()
    verdict = backend.ask(KEYS, begin())
    assert not verdict.is_new
    assert (verdict.state.status, verdict.state.answer) == (200, b'{"uuid":1}')


def test_keys_belong_to_one_user_and_endpoint(backend):
    backend.ask(KEYS, begin())
    assert backend.ask(KEYS, begin(), BOB).is_new
    assert backend.ask(KEYS, BeginKey(endpoint="other", key="k", body_hash="two")).is_new
    with pytest.raises(ConflictError):
        backend.ask(KEYS, begin(body="two"))


def test_a_dropped_key_is_as_new_and_a_repeated_one_begins_again(backend):
    first = backend.ask(KEYS, begin())
    backend.ask(KEYS, DropKey(endpoint="create_cluster", key="k"))
    second = backend.ask(KEYS, begin())
    assert second.is_new
    third = backend.ask(KEYS, RepeatKey(endpoint="create_cluster", key="k", body_hash="one"))
    assert third.is_new
    assert third.state.begun_us > first.state.begun_us


def test_many_calls_at_once_are_written_together_and_each_is_answered(backend):
    futures = [backend.send(KEYS, begin(f"k{number % 40}")) for number in range(200)]
    verdicts = [answer_of(future) for future in futures]
    assert sum(verdict.is_new for verdict in verdicts) == 40
    futures = [backend.send(KEYS, finish(f"k{number}")) for number in range(40)]
    assert [answer_of(future) for future in futures] == [None] * 40
    backend.again()
    assert backend.ask(KEYS, begin("k39")).state.status == 200


def test_only_so_many_keys_of_a_user_are_kept(backend, monkeypatch):
    monkeypatch.setattr(idempotency, "KEYS_OF_USER_MAX", 3)
    for number in range(5):
        backend.ask(KEYS, begin(f"k{number}"))
    assert backend.ask(KEYS, begin("k0"), BOB).is_new
    assert not backend.ask(KEYS, begin("k4")).is_new
    assert backend.ask(KEYS, begin("k0")).is_new


def test_a_key_is_forgotten_after_a_day(backend, monkeypatch):
    backend.ask(KEYS, begin())
    backend.ask(KEYS, finish())
    original = type(backend.system.clock).now_us
    monkeypatch.setattr(
        type(backend.system.clock), "now_us", lambda clock: original(clock) + KEPT_US
    )
    assert backend.ask(KEYS, begin(body="two")).is_new


def test_what_a_call_did_is_found_by_its_request(backend):
    position = backend.system.log.head().position
    message = CreateUser(id="carl", name="Carl", passphrase_hash="h", is_admin=False)
    command = Command(message=message, who=ALICE, correlation_id="request-7")
    answer_of(backend.gateway.ask(Target(kind=TargetKind.DIRECTORY), command))
    found = backend.ask(KEYS, FindEffects(request_id="request-7", log_position=position))
    assert [effect.event.TAG for effect in found] == ["user.created"]
    nothing = FindEffects(request_id="request-8", log_position=position)
    assert backend.ask(KEYS, nothing) == ()


def test_a_full_disk_begins_nothing_and_the_keeper_starts_again(backend, monkeypatch):
    def refuse(journal, batches):
        monkeypatch.undo()
        raise StorageFullError("no room")

    monkeypatch.setattr(Journal, "append", refuse)
    with pytest.raises(StorageFullError):
        backend.ask(KEYS, begin())

    def is_new():
        try:
            return backend.ask(KEYS, begin()).is_new
        except BusyError:
            return None

    assert wait_until(lambda: is_new() is not None)
    assert not is_new()
