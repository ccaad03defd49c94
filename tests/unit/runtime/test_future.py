import asyncio
import threading

import pytest

from hanami_actors.runtime.future import CallbackFuture


def test_a_callback_added_before_and_after_settling_is_called_once():
    future = CallbackFuture()
    calls = []
    future.add_done_callback(lambda f: calls.append(("before", f.outcome())))
    future.set(3)
    future.add_done_callback(lambda f: calls.append(("after", f.outcome())))
    assert calls == [("before", 3), ("after", 3)]


def test_a_failed_future_raises_its_error_and_shows_it():
    future = CallbackFuture()
    problem = ValueError("no")
    future.fail(problem)
    assert future.error() is problem
    with pytest.raises(ValueError, match="no"):
        future.outcome()


def test_a_future_set_to_another_follows_its_value_and_its_error():
    for settle, check in (
        (lambda f: f.set("x"), lambda f: f.outcome() == "x"),
        (lambda f: f.fail(KeyError("k")), lambda f: isinstance(f.error(), KeyError)),
    ):
        inner, outer = CallbackFuture(), CallbackFuture()
        outer.set(inner)
        assert outer.error() is None
        assert not outer.wait(0)
        settle(inner)
        assert outer.wait(1)
        assert check(outer)


def test_the_loop_turns_while_a_future_is_settled_by_another_thread():
    async def scenario():
        loop = asyncio.get_running_loop()
        waiter = loop.create_future()
        future = CallbackFuture()

        def pass_on(settled):
            loop.call_soon_threadsafe(waiter.set_result, settled.outcome())

        future.add_done_callback(pass_on)
        turns = 0
        release = threading.Event()

        def settle():
            assert release.wait(5)
            future.set("done")

        threading.Thread(target=settle).start()
        while not waiter.done():
            turns += 1
            if turns == 20:
                release.set()
            await asyncio.sleep(0)
        return turns, waiter.result()

    turns, value = asyncio.run(scenario())
    assert value == "done"
    assert turns >= 20


def test_a_callback_that_fails_does_not_keep_the_next_one_from_being_called(caplog):
    future = CallbackFuture()
    called: list[CallbackFuture] = []

    def broken(_):
        raise RuntimeError("the loop is closed")

    future.add_done_callback(broken)
    future.add_done_callback(called.append)
    future.set(1)
    assert called == [future]
    assert "the loop is closed" in caplog.text
