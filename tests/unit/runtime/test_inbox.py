import threading

import pytest
from pykka import ActorDeadError, _envelope, messages

from hanami_actors.errors import BusyError
from hanami_actors.runtime.future import CallbackFuture
from hanami_actors.runtime.inbox import IdleTick, Inbox, Internal


class Told(Internal, frozen=True, kw_only=True):
    pass


def envelope(message):
    return _envelope.Envelope(message)


def test_full_inbox_refuses_but_still_accepts_stop_and_internal_messages():
    inbox = Inbox(len_max=2)
    inbox.put(envelope("a"))
    inbox.put(envelope("b"))
    with pytest.raises(BusyError, match="2 requests waiting"):
        inbox.put(envelope("c"))
    inbox.put(envelope(messages._ActorStop()))
    inbox.put(envelope(Told()))
    assert inbox.qsize() == 4


def test_messages_leave_in_the_order_they_came():
    inbox = Inbox()
    for number in range(5):
        inbox.put(envelope(number))
    assert [inbox.get().message for _ in range(5)] == [0, 1, 2, 3, 4]
    assert inbox.empty()


def test_drain_takes_only_messages_of_the_kind_from_the_front():
    inbox = Inbox()
    for message in (1, 2, "stop", 3):
        inbox.put(envelope(message))
    assert [e.message for e in inbox.drain(int, 10)] == [1, 2]
    assert inbox.get().message == "stop"
    assert [e.message for e in inbox.drain(int, 0)] == []


def test_an_idle_inbox_ticks_and_a_busy_one_does_not():
    inbox = Inbox()
    inbox.idle_s = 0.001
    assert isinstance(inbox.get().message, IdleTick)
    inbox.put(envelope("work"))
    assert inbox.get().message == "work"


def test_a_waiting_reader_gets_a_message_put_by_another_thread():
    inbox = Inbox()
    got = []
    reader = threading.Thread(target=lambda: got.append(inbox.get().message))
    reader.start()
    inbox.put(envelope("hello"))
    reader.join(timeout=5)
    assert got == ["hello"]


def test_a_closed_inbox_answers_whoever_asks_and_refuses_what_is_told():
    inbox = Inbox()
    inbox.put(envelope("before"))
    inbox.close()
    asked = CallbackFuture()
    inbox.put(_envelope.Envelope("question", reply_to=asked))
    assert isinstance(asked.error(), ActorDeadError)
    with pytest.raises(ActorDeadError):
        inbox.put(envelope("news"))
    assert inbox.qsize() == 1
