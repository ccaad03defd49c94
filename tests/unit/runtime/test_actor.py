"""Whatever happens to an actor, nobody waits for it for ever."""

import threading
from typing import Any

import pykka
import pytest

from hanami_actors.errors import BusyError
from hanami_actors.runtime.actor import Actor, ask, tell
from hanami_actors.runtime.future import CallbackFuture
from hanami_actors.runtime.inbox import IdleTick
from tests.unit.actors.harness import TIMEOUT_S, answer_of, ask_later, wait_until


class Echo(Actor):
    """Answers with the message; ``begin`` and ``journal`` come from the test."""

    def __init__(self, begin=lambda: None, journal=None):
        super().__init__()
        self.begin = begin
        self.journal = journal if journal is not None else []

    def on_start(self):
        self.begin()

    def on_stop(self):
        self.journal.append("stopped")

    def on_receive(self, message):
        if callable(message):
            return message(self)
        return message


def test_a_failed_start_answers_everybody_and_runs_the_hook_of_the_end():
    started = threading.Event()
    journal: list[str] = []

    def fail():
        assert started.wait(TIMEOUT_S)
        raise ValueError("no log")

    actor = Echo.start(fail, journal)
    waiting = ask_later(actor, "hello")
    started.set()
    assert waiting.wait(TIMEOUT_S)
    assert isinstance(waiting.error(), pykka.ActorDeadError)
    wait_until(lambda: not actor.is_alive())
    assert journal == ["stopped"]


def test_a_message_that_comes_after_the_last_look_into_the_inbox_is_answered():
    actor = Echo.start()
    inbox: Any = actor.actor_inbox
    stopped = actor.actor_stopped
    assert actor.stop(timeout=TIMEOUT_S)
    wait_until(lambda: inbox._closed)
    # As if the asker had looked before the actor stopped.
    stopped.clear()
    late = ask_later(actor, "hello")
    assert isinstance(late.error(), pykka.ActorDeadError)
    assert not tell(actor, IdleTick())


def test_a_callback_that_fails_does_not_take_the_answering_actor_along():
    actor, called = Echo.start(), threading.Event()

    def broken(_):
        raise RuntimeError("the loop is closed")

    def wait_for_callbacks(_):
        assert called.wait(TIMEOUT_S)
        return "answer"

    future = ask_later(actor, wait_for_callbacks)
    future.add_done_callback(broken)
    called.set()
    assert answer_of(future) == "answer"
    assert ask(actor, "still there") == "still there"
    actor.stop(timeout=TIMEOUT_S)


def test_an_error_goes_to_the_asker_and_the_actor_lives_on():
    actor = Echo.start()

    def fail(_):
        raise KeyError("no")

    with pytest.raises(KeyError):
        ask(actor, fail)
    assert ask(actor, "still there") == "still there"
    actor.stop(timeout=TIMEOUT_S)


def test_dying_answers_what_is_being_handled_and_refuses_what_waits():
    actor, gate = Echo.start(), threading.Event()

    def die(self):
        assert gate.wait(TIMEOUT_S)
        self.die()
        return "last words"

    first = ask_later(actor, die)
    second = ask_later(actor, "too late")
    gate.set()
    assert answer_of(first) == "last words"
    assert second.wait(TIMEOUT_S)
    assert isinstance(second.error(), pykka.ActorDeadError)
    with pytest.raises(BusyError, match="try again"):
        ask(actor, "anybody there?")


def test_an_answer_that_comes_later_reaches_the_asker_through_the_outer_future():
    actor, inner = Echo.start(), CallbackFuture()
    outer = ask_later(actor, lambda _: inner)
    assert ask(actor, "not blocked") == "not blocked"
    assert not outer.wait(0)
    inner.set(5)
    assert answer_of(outer) == 5
    actor.stop(timeout=TIMEOUT_S)


def test_no_answer_in_time_is_said_as_such():
    actor, gate = Echo.start(), threading.Event()
    waiting = ask_later(actor, lambda _: gate.wait(TIMEOUT_S))
    with pytest.raises(BusyError, match="did not answer"):
        ask(actor, "hello", timeout_s=0.01)
    gate.set()
    assert answer_of(waiting) is True
    actor.stop(timeout=TIMEOUT_S)
