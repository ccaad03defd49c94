import asyncio

import pytest

from hanami_actors.api.login.limits import ADDRESS_FACTOR, WINDOW_S, Login, LoginLimits
from hanami_actors.errors import LimitError
from hanami_actors.ports import ManualClock

FAILURES_MAX = 4


@pytest.fixture
def clock():
    return ManualClock()


@pytest.fixture
def limits(clock):
    return LoginLimits(clock, failures_max=FAILURES_MAX, len_max=100)


def login(user_id="anna", address="here"):
    return Login(user_id, b"secret", address)


def fail(limits, attempt, count=1):
    for _ in range(count):
        limits.check(attempt)
        limits.count_failure(attempt)


def test_as_many_failures_as_allowed_are_let_in_and_not_one_more(limits):
    fail(limits, login(), FAILURES_MAX)
    with pytest.raises(LimitError) as caught:
        limits.check(login())
    assert caught.value.retry_after_s == WINDOW_S / FAILURES_MAX


def test_looking_without_failing_costs_nothing(limits):
    for _ in range(10 * FAILURES_MAX):
        limits.check(login())
    fail(limits, login(), FAILURES_MAX)


def test_failures_are_forgiven_evenly(limits, clock):
    fail(limits, login(), FAILURES_MAX)
    for _ in range(3):
        clock.advance(WINDOW_S / FAILURES_MAX)
        fail(limits, login())
        with pytest.raises(LimitError):
            limits.check(login())
    clock.advance(WINDOW_S)
    fail(limits, login(), FAILURES_MAX)


def test_nobody_locks_out_a_user_from_another_address(limits):
    fail(limits, login(address="there"), FAILURES_MAX)
    limits.check(login(address="here"))


def test_an_address_that_tries_many_users_is_refused_for_all_of_them(limits):
    for number in range(FAILURES_MAX * ADDRESS_FACTOR):
        fail(limits, login(f"user{number}"))
    with pytest.raises(LimitError):
        limits.check(login("anna"))
    limits.check(login("anna", address="there"))


def test_the_memory_is_bounded_and_flooding_it_does_not_free_the_flooder(limits):
    for number in range(1000):
        attempt = login(f"user{number}")
        limits.count_failure(attempt)
    assert len(limits._levels) == 100
    with pytest.raises(LimitError):
        limits.check(login("anna"))


def test_zero_counts_nothing(clock):
    limits = LoginLimits(clock, failures_max=0)
    fail(limits, login(), 1000)
    assert len(limits._levels) == 0


def test_attempts_at_once_wait_for_those_that_might_use_up_the_limit(clock):
    limits = LoginLimits(clock, failures_max=2, waiting_max=1)

    async def attempts():
        await limits.begin(login())
        await limits.begin(login())
        third = asyncio.create_task(limits.begin(login()))
        await asyncio.sleep(0)
        assert not third.done()
        with pytest.raises(LimitError, match="wait for others"):
            await limits.begin(login())
        await limits.begin(login("bob", "elsewhere"))
        limits.end(login(), failed=False)
        await third
        limits.end(login(), failed=True)
        fourth = asyncio.create_task(limits.begin(login()))
        await asyncio.sleep(0)
        limits.end(login(), failed=True)
        with pytest.raises(LimitError, match="too many failed"):
            await fourth

    asyncio.run(attempts())
