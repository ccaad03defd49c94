import asyncio
import threading

import pytest

from hanami_actors.actors.gateway import Command, GetClusterFigures, Target, TargetKind
from hanami_actors.api.bridge import ask, ask_patiently
from hanami_actors.domain.base import Who
from hanami_actors.errors import BusyError, ConflictError
from hanami_actors.runtime.future import CallbackFuture
from tests.fakes import FakeGateway

TARGET = Target(kind=TargetKind.CLUSTER, key="some-uuid")
COMMAND = Command(message=GetClusterFigures(), who=Who(user_id="u", project_id="p"))


class OneFuture(FakeGateway):
    """Every ask gives the next of some futures."""

    def __init__(self, *futures):
        super().__init__()
        self.futures = list(futures)
        self.asked = 0

    def ask(self, target, command):
        assert (target, command) == (TARGET, COMMAND)
        self.asked += 1
        return self.futures.pop(0)


def settled(value=None, error=None):
    future = CallbackFuture()
    if error:
        future.fail(error)
    else:
        future.set(value)
    return future


def test_an_answer_from_another_thread_arrives_while_the_loop_goes_on():
    future = CallbackFuture()
    ticks: list[int] = []

    async def main():
        asking = asyncio.create_task(ask(OneFuture(future), TARGET, COMMAND, timeout_s=20))
        while len(ticks) < 10:
            await asyncio.sleep(0)
            ticks.append(1)
        threading.Thread(target=future.set, args=("answer",)).start()
        return await asking

    assert asyncio.run(main()) == "answer"


def test_an_answer_that_is_there_already_is_returned():
    assert asyncio.run(ask(OneFuture(settled(7)), TARGET, COMMAND, timeout_s=20)) == 7


@pytest.mark.parametrize("error", [ConflictError("taken"), KeyError("bug")])
def test_what_the_actor_raised_is_raised(error):
    with pytest.raises(type(error)) as caught:
        asyncio.run(ask(OneFuture(settled(error=error)), TARGET, COMMAND, timeout_s=20))
    assert caught.value is error


def test_no_answer_in_time_is_busy_and_a_late_one_is_ignored():
    future = CallbackFuture()

    async def main():
        with pytest.raises(BusyError, match=r"no answer from cluster 'some-uuid' within 0\.01 s"):
            await ask(OneFuture(future), TARGET, COMMAND, timeout_s=0.01)
        future.set("too late")
        await asyncio.sleep(0)

    asyncio.run(main())


def test_an_answer_after_the_loop_is_gone_is_ignored():
    future = CallbackFuture()

    async def main():
        asking = asyncio.create_task(ask(OneFuture(future), TARGET, COMMAND, timeout_s=20))
        await asyncio.sleep(0)
        asking.cancel()

    asyncio.run(main())
    future.set("too late")


def test_a_busy_actor_is_asked_again_until_it_answers():
    busy = [settled(error=BusyError("full")) for _ in range(3)]
    gateway = OneFuture(*busy, settled("stored"))
    assert asyncio.run(ask_patiently(gateway, TARGET, COMMAND, timeout_s=20)) == "stored"
    assert gateway.asked == 4


def test_patience_ends():
    gateway = OneFuture(*(settled(error=BusyError("full")) for _ in range(10)))
    with pytest.raises(BusyError, match="full"):
        asyncio.run(ask_patiently(gateway, TARGET, COMMAND, timeout_s=0.02))
    assert 1 < gateway.asked < 10


def test_other_refusals_are_not_asked_again():
    gateway = OneFuture(settled(error=ConflictError("taken")))
    with pytest.raises(ConflictError):
        asyncio.run(ask_patiently(gateway, TARGET, COMMAND, timeout_s=20))
    assert gateway.asked == 1
