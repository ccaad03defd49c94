"""Goal: guessing passphrases is slow for whoever guesses, and for nobody else."""

from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest

from hanami_actors.api.login.passphrases import hash_passphrase
from tests.protocol.api_server import ApiServer

SECRET = "the right secret"
AT_ONCE = 16
FAILURES_MAX = 3
# One for all: to make one takes as long as a login.
HASH = hash_passphrase(SECRET)


@pytest.fixture
def guarded(make_api):
    """Three failures a minute, and a clock that stands."""
    api = make_api(login_failures_max=FAILURES_MAX)
    for number in range(AT_ONCE):
        api.gateway.add_user(f"user{number}", HASH, is_admin=True)
    return api


def attempt(api: ApiServer, user: str, secret: str, **headers: str) -> httpx.Response:
    body = {"id": user, "password": secret}
    return httpx.post(f"{api.address}/v1/token", json=body, headers=headers, timeout=60)


def all_at_once(calls) -> list[int]:
    with ThreadPoolExecutor(AT_ONCE) as pool:
        return [answer.status_code for answer in pool.map(lambda call: attempt(*call), calls)]


def test_guesses_sent_at_once_are_no_more_than_guesses_one_after_the_other(guarded):
    calls = [(guarded, "user0", f"guess number {number}") for number in range(AT_ONCE)]
    statuses = all_at_once(calls)
    assert statuses.count(401) == FAILURES_MAX
    assert statuses.count(429) == AT_ONCE - FAILURES_MAX


def test_right_logins_sent_at_once_are_all_let_in(guarded):
    assert all_at_once([(guarded, "user0", SECRET)] * AT_ONCE) == [200] * AT_ONCE


def test_many_users_log_in_at_once_from_one_address(guarded):
    calls = [(guarded, f"user{number}", SECRET) for number in range(AT_ONCE)]
    assert all_at_once(calls) == [200] * AT_ONCE


def test_a_right_login_among_guesses_is_let_in_or_told_to_wait(guarded):
    calls = [(guarded, "user0", f"guess number {number}") for number in range(AT_ONCE - 1)]
    calls.insert(3, (guarded, "user0", SECRET))
    statuses = all_at_once(calls)
    assert statuses[3] in {200, 429}
    assert statuses.count(401) == FAILURES_MAX


def test_who_says_to_come_from_elsewhere_is_counted_all_the_same(guarded):
    statuses = []
    for number in range(5):
        elsewhere = {"X-Forwarded-For": f"10.0.0.{number}", "X-Real-IP": f"10.0.0.{number}"}
        statuses.append(attempt(guarded, "user0", "some guess", **elsewhere).status_code)
    assert statuses == [401] * FAILURES_MAX + [429] * 2


def test_an_address_that_tries_one_passphrase_for_all_users_has_to_wait_too(guarded):
    for number in range(10 * FAILURES_MAX):
        assert attempt(guarded, f"nobody{number}", "password 1").status_code == 401
    answer = attempt(guarded, "user1", SECRET)
    assert (answer.status_code, answer.headers["Retry-After"]) == (429, "2")
    guarded.gateway.clock.advance(2)
    assert attempt(guarded, "user1", SECRET).status_code == 200


def test_changing_the_passphrase_is_no_way_around(guarded):
    token = attempt(guarded, "user0", SECRET).json()["token"]
    body = {"password": "some guess", "new_password": "something new"}
    statuses = [
        guarded.request("PUT", "/v1/user/passphrase", token=token, json=body).status_code
        for _ in range(5)
    ]
    assert statuses == [401] * FAILURES_MAX + [429] * 2
    # And what was counted there counts for logins.
    assert attempt(guarded, "user0", SECRET).status_code == 429


def test_the_work_for_an_unknown_user_is_that_for_a_known_one(guarded):
    stand_in = guarded.application.services.passphrases._nobody.result(60)
    known = guarded.gateway.tables.users["user0"].state.passphrase_hash
    # Kind and costs; salt and hash follow.
    assert stand_in.split("$")[1:4] == known.split("$")[1:4]
    assert len(stand_in) == len(known)
