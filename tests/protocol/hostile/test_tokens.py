"""Goal: a token ends with what it was made for, to the microsecond."""

import pytest

from hanami_actors.api.login.passphrases import hash_passphrase
from tests.protocol.api_server import MEMBER, ApiServer

LIST = "/v1/cluster/all"
SECRET = "the old secret"
HALF_A_SECOND = 0.5


@pytest.fixture
def api(make_api):
    """A transport whose clock stands at the beginning of a second."""
    server = make_api()
    server.gateway.clock.advance(0.1)
    return server


def status(api: ApiServer, token: str) -> int:
    return api.request("GET", LIST, token=token).status_code


def change_passphrase(api: ApiServer, token: str, new: str) -> str:
    body = {"password": SECRET, "new_password": new}
    answer = api.request("PUT", "/v1/user/passphrase", token=token, json=body)
    assert answer.status_code == 200, answer.text
    return str(answer.json()["token"])


def create_member(api: ApiServer) -> None:
    api.gateway.add_user("victim", hash_passphrase(SECRET), is_admin=False)
    api.gateway.assign(MEMBER.__class__(user_id="victim", project_id="some_project", role="member"))


def log_in(api: ApiServer, passphrase: str = SECRET) -> str:
    body = {"id": "victim", "password": passphrase}
    answer = api.request("POST", "/v1/token", json=body)
    assert answer.status_code == 200, answer.text
    return str(answer.json()["token"])


def test_a_changed_passphrase_ends_tokens_of_the_same_second(api):
    create_member(api)
    stolen = log_in(api)
    api.gateway.clock.advance(HALF_A_SECOND)
    own = change_passphrase(api, log_in(api), "the new secret")
    assert status(api, stolen) == 401
    assert status(api, own) == 200
    assert status(api, log_in(api, "the new secret")) == 200


def test_a_token_does_not_pass_to_who_gets_the_id_in_the_same_second(api):
    create_member(api)
    old = log_in(api)
    api.gateway.delete_user("victim")
    api.gateway.clock.advance(HALF_A_SECOND)
    create_member(api)
    assert status(api, old) == 401
    assert status(api, log_in(api)) == 200


def test_a_login_that_began_before_the_change_gets_a_token_that_counts_for_nothing(api):
    create_member(api)
    before = api.gateway.tables.users["victim"].state
    api.gateway.clock.advance(HALF_A_SECOND)
    change_passphrase(api, log_in(api), "the new secret")
    # What the slow check of the old passphrase would now be answered with.
    who = MEMBER.__class__(user_id="victim", project_id="some_project", role="member")
    assert status(api, api.application.services.tokens.issue(before, who)) == 401


@pytest.mark.parametrize("expire_s", [60, 7200])
def test_another_lifetime_of_tokens_does_not_bring_old_ones_back(make_api, expire_s):
    api = make_api(token_expire_s=3600)
    create_member(api)
    stolen = log_in(api)
    api.gateway.clock.advance(10)
    change_passphrase(api, log_in(api), "the new secret")
    api.application.services.tokens._expire_s = expire_s
    assert status(api, stolen) == 401
    assert status(api, log_in(api, "the new secret")) == 200
