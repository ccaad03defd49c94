"""Logins and tokens over the wire: what is let in and what is not."""

import base64
import json

import jwt
import pytest

from hanami_actors.api.login.passphrases import hash_passphrase
from hanami_actors.domain.base import format_timestamp
from tests.protocol.api_server import ADMIN, MEMBER, SIGNING_KEY

LIST = "/v1.0alpha/cluster/all"
FAR_S = 4_000_000_000
USER = {"id": "asdf", "role": "admin", "project_id": "admin", "is_admin": True}


def encoded(text):
    return base64.b64encode(text.encode()).decode()


def token_of(claims, key=SIGNING_KEY, algorithm="HS256"):
    return jwt.encode(claims, key, algorithm=algorithm)


def status_of(api, token):
    return api.request("GET", LIST, token=token).status_code


@pytest.mark.parametrize(
    "credential", [{"passphrase": encoded("asdfasdf")}, {"password": "asdfasdf"}]
)
@pytest.mark.parametrize("prefix", ["/v1.0alpha", "/v1"])
def test_both_spellings_of_the_passphrase_log_in_under_both_prefixes(
    shared_api, credential, prefix
):
    answer = shared_api.request("POST", f"{prefix}/token", json={"id": "asdf"} | credential)
    assert answer.status_code == 200, answer.text
    reply = answer.json()
    assert (reply["id"], reply["is_admin"], reply["name"]) == ("asdf", True, "Asdf")
    assert status_of(shared_api, reply["token"]) == 200


def test_a_token_has_the_header_and_the_two_claims_of_the_contract(shared_api):
    body = {"id": "asdf", "password": "asdfasdf"}
    token = shared_api.request("POST", "/v1/token", json=body).json()["token"]
    head = token.split(".")[0]
    assert base64.urlsafe_b64decode(head + "==") == b'{"alg":"HS256","typ":"JWT"}'
    claims = jwt.decode(token, SIGNING_KEY, algorithms=["HS256"], options={"verify_exp": False})
    now_s = shared_api.gateway.clock.now_us() // 1_000_000
    assert claims.keys() == {"exp", "user"}
    assert claims["exp"] == now_s + 3600
    assert json.loads(claims["user"]) == {
        "created_at": format_timestamp(shared_api.gateway.clock.now_us()),
        "creator_id": "HANAMI_INIT",
        "id": "asdf",
        "is_admin": True,
        "is_project_admin": True,
        "name": "Asdf",
        "project_id": "admin",
        "role": "admin",
        # Ours, beyond the contract.
        "secret_since_us": shared_api.gateway.clock.now_us(),
    }


@pytest.mark.parametrize("user_id", ["asdf", "nobody"])
def test_a_wrong_passphrase_and_an_unknown_user_get_the_same_answer(shared_api, user_id):
    body = {"id": user_id, "password": "wrong password"}
    answer = shared_api.request("POST", "/v1/token", json=body)
    assert answer.status_code == 401
    assert answer.text == "ACCESS DENIED!\nUser or passphrase is incorrect."


def test_a_deleted_user_does_not_log_in(api):
    api.gateway.add_user("gone", hash_passphrase("asdfasdf"), is_admin=True)
    body = {"id": "gone", "password": "asdfasdf"}
    assert api.request("POST", "/v1/token", json=body).status_code == 200
    api.gateway.delete_user("gone")
    assert api.request("POST", "/v1/token", json=body).status_code == 401


def test_a_user_without_a_project_does_not_log_in(api):
    api.gateway.add_user("lonely", hash_passphrase("asdfasdf"), is_admin=False)
    answer = api.request("POST", "/v1/token", json={"id": "lonely", "password": "asdfasdf"})
    assert (answer.status_code, answer.text) == (
        401, "User with id 'lonely' has no project assigned.",
    )  # fmt: skip


def test_exactly_one_credential_is_needed(shared_api):
    both = {"id": "asdf", "password": "asdfasdf", "passphrase": encoded("asdfasdf")}
    for body in ({"id": "asdf"}, both):
        assert shared_api.request("POST", "/v1/token", json=body).status_code == 400


def test_a_passphrase_of_any_bytes_is_compared_and_not_refused(shared_api):
    body = {"id": "asdf", "passphrase": base64.b64encode(b"\xff\xfe\xfd\xfc\xfb").decode()}
    assert shared_api.request("POST", "/v1/token", json=body).status_code == 401


def test_a_token_of_a_deleted_user_is_refused_at_once_also_when_it_was_just_used(api):
    token = api.token(MEMBER)
    assert status_of(api, token) == 200
    api.gateway.delete_user(MEMBER.user_id)
    assert status_of(api, token) == 401


def test_a_token_of_a_user_who_was_created_anew_is_refused(api):
    token = api.token(MEMBER)
    api.gateway.delete_user(MEMBER.user_id)
    api.gateway.clock.advance(10)
    api.gateway.add_user(MEMBER.user_id, is_admin=False)
    api.gateway.assign(MEMBER)
    assert status_of(api, token) == 401
    assert status_of(api, api.token(MEMBER)) == 200


def test_a_token_expires_also_when_it_was_just_used(api):
    token = api.token()
    assert status_of(api, token) == 200
    api.gateway.clock.advance(3599)
    assert status_of(api, token) == 200
    api.gateway.clock.advance(1)
    answer = api.request("GET", LIST, token=token)
    assert (answer.status_code, "expired" in answer.text) == (401, True)


@pytest.mark.parametrize(
    "expiry",
    [{}, {"exp": FAR_S}, {"exp": FAR_S + 0.5}, {"exp": 10**400}, {"exp": float("inf")}],
    ids=["none", "far", "fraction", "huge", "infinite"],
)
def test_a_token_holds_until_its_expiry_and_without_one_for_ever(shared_api, expiry):
    assert status_of(shared_api, token_of({"user": json.dumps(USER)} | expiry)) == 200


@pytest.mark.parametrize("exp", ["tomorrow", True, None, [], float("nan"), -1, 1])
def test_an_expiry_that_is_no_time_to_come_is_401(shared_api, exp):
    assert status_of(shared_api, token_of({"exp": exp, "user": json.dumps(USER)})) == 401


@pytest.mark.parametrize(
    "user",
    [
        None,
        7,
        USER,
        "",
        "nonsense",
        "[]",
        "[" * 3000,
        '"\ud800"',
        json.dumps({"id": "asdf"}),
        json.dumps(USER | {"id": 7}),
        json.dumps(USER | {"role": None}),
        json.dumps(USER | {"is_admin": 1}),
        json.dumps(USER | {"id": "nobody"}),
    ],
)
def test_a_user_claim_that_is_no_user_is_401(shared_api, user):
    assert status_of(shared_api, token_of({"exp": FAR_S, "user": user})) == 401


def part(content):
    raw = content if isinstance(content, bytes) else json.dumps(content).encode()
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


CLAIMS = {"exp": FAR_S, "user": json.dumps(USER)}


@pytest.mark.parametrize(
    "token",
    [
        "x",
        "a.b.c",
        "..",
        "a.b",
        "a.b.c.d",
        "ä.ö.ü",
        "%00.%00.%00",
        token_of(CLAIMS, key=b"x" * 32),
        token_of(CLAIMS, key=b"x" * 64, algorithm="HS512"),
        token_of(CLAIMS, key=SIGNING_KEY + bytes(32), algorithm="HS384"),
        f"{part({'alg': 'none', 'typ': 'JWT'})}.{part(CLAIMS)}.",
        f"{part({'alg': 'None', 'typ': 'JWT'})}.{part(CLAIMS)}.",
        f"{part({'typ': 'JWT'})}.{part(CLAIMS)}.",
        f"{part([])}.{part(CLAIMS)}.x",
        f"{part(b'[' * 4000)}.{part(CLAIMS)}.x",
        f"{part({'alg': 'HS256'})}.{part(CLAIMS)}.",
        f"{part({'alg': 'HS256', 'crit': ['b64'], 'b64': False})}.{part(CLAIMS)}.x",
        token_of(CLAIMS)[:-4] + "AAAA",
        token_of(CLAIMS | {"pad": "x" * 20_000}),
        "x" * 30_000,
    ],
    ids=lambda token: token[:24],
)
def test_what_is_not_signed_by_this_server_is_401(shared_api, token):
    headers = {"X-Auth-Token": token.encode()}
    answer = shared_api.request("GET", LIST, headers=headers)
    assert answer.status_code == 401, answer.text
    assert len(answer.text) < 200


def test_a_policy_that_names_nobody_lets_nobody_in(shared_api):
    user = json.dumps(USER | {"role": "stranger"})
    answer = shared_api.request("GET", LIST, token=token_of({"user": user}))
    assert (answer.status_code, answer.text) == (401, "Access denied by policy")


def test_an_authorization_header_is_no_token(shared_api):
    headers = {"Authorization": f"Bearer {shared_api.token(ADMIN)}"}
    assert shared_api.request("GET", LIST, headers=headers).status_code == 401
