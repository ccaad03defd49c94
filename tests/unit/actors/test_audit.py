"""The journal behind the gateway."""

from hanami_actors.actors.gateway import Target, TargetKind
from hanami_actors.domain.audit.events import CallMade
from hanami_actors.domain.audit.messages import PAGE_LEN, CallNote, ReadCalls, audit_of
from hanami_actors.domain.base import Stamp
from hanami_actors.errors import StorageFullError
from hanami_actors.eventlog.journal import Journal
from tests.unit.actors.harness import ALICE, wait_until

AUDIT = Target(kind=TargetKind.AUDIT)


def notes(backend, count, first=0):
    return tuple(
        CallNote(
            stamp=Stamp(now_us=backend.system.clock.now_us(), who=ALICE),
            streams=(audit_of("alice"),),
            event=CallMade(endpoint=f"v1/{number}", request_type="POST"),
        )
        for number in range(first, first + count)
    )


def page(backend, number=0, user="alice"):
    calls = backend.ask(AUDIT, ReadCalls(stream=audit_of(user), page=number))
    return [call.event.endpoint for call in calls]


def test_what_is_noted_is_in_the_answer_that_follows_page_by_page(backend):
    assert backend.gateway.note_calls(notes(backend, 150)) is True
    assert backend.gateway.note_calls(notes(backend, 100, first=150)) is True
    assert page(backend) == [f"v1/{number}" for number in range(PAGE_LEN)]
    assert page(backend, 2) == [f"v1/{number}" for number in range(200, 250)]
    assert page(backend, 3) == []
    assert page(backend, 10**9) == []
    assert page(backend, user="bob") == []


def test_notes_survive_a_restart_and_are_not_in_the_log(backend):
    head = backend.log.head()
    backend.gateway.note_calls(notes(backend, 3))
    backend.again()
    assert page(backend) == ["v1/0", "v1/1", "v1/2"]
    assert not [record for record in backend.log.read_all() if record.stream.startswith("audit")]
    assert backend.log.head().position >= head.position


def test_an_audit_that_died_is_started_again(backend):
    before = backend.system.actors.find("audit")
    before.stop()
    wait_until(lambda: backend.system.actors.find("audit") is not before)
    backend.gateway.note_calls(notes(backend, 1))
    assert page(backend) == ["v1/0"]


def test_what_cannot_be_written_is_counted_in_the_servers_log_and_later_notes_are_taken(
    backend, monkeypatch, caplog
):
    def full(self, batches):
        raise StorageFullError("no room left")

    with monkeypatch.context() as patch:
        patch.setattr(Journal, "append", full)
        backend.gateway.note_calls(notes(backend, 7))
        assert page(backend) == []
    assert "7 calls could not be noted: no room left" in caplog.text
    backend.gateway.note_calls(notes(backend, 1))
    assert page(backend) == ["v1/0"]


def test_nobody_to_note_is_told_and_not_waited_for(backend):
    backend.stop()
    assert backend.gateway.note_calls(notes(backend, 1)) is False
