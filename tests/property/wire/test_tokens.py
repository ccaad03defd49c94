"""Goal: whoever a token lets in was named by this server's key; nothing else gets an answer."""

import base64
import json
from typing import Any

import jwt
import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from hanami_actors.api.login.tokens import TokenKeeper, caller_after_login
from hanami_actors.errors import UnauthorizedError
from tests.fakes import FakeGateway
from tests.protocol.api_server import MEMBER, SIGNING_KEY

EXPIRE_S = 3600
FAR_FUTURE_S = 10**10
ALGORITHMS = ("HS384", "HS512", "none", "None", "NONE", "hs256", "RS256", "ES256", "PS256", "")
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner),
    max_leaves=6,
)
ODD_HEADERS = st.sampled_from(
    [
        {"kid": "../../token.key"},
        {"kid": "' OR 1=1 --"},
        {"jku": "http://127.0.0.1:1/keys"},
        {"x5u": "http://127.0.0.1:1/cert"},
        {"jwk": {"kty": "oct", "k": "AAAA"}},
        {"crit": ["exp"]},
        {"typ": "JWE"},
        {"zip": "DEF"},
    ]
)


def fresh() -> tuple[FakeGateway, TokenKeeper, str]:
    gateway = FakeGateway()
    gateway.add_user(MEMBER.user_id, is_admin=False)
    gateway.assign(MEMBER)
    keeper = TokenKeeper(SIGNING_KEY, gateway.clock, expire_s=EXPIRE_S)
    user = gateway.tables.users[MEMBER.user_id].state
    who = caller_after_login(user)
    assert who is not None
    return gateway, keeper, keeper.issue(user, who)


GATEWAY, KEEPER, TOKEN = fresh()


def accepts(token: str) -> bool:
    """Return whether the token is let in; anything but a refusal is an error."""
    refusal = ""
    try:
        assert KEEPER.verify(token, GATEWAY.tables) == MEMBER
    except UnauthorizedError as error:
        refusal = error.message
    assert len(refusal) < 300
    return not refusal


def part(content: Any) -> str:
    raw = content if isinstance(content, bytes) else json.dumps(content).encode()
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


def claims_of(token: str) -> dict[str, Any]:
    options: Any = {"verify_exp": False}
    claims: dict[str, Any] = jwt.decode(token, SIGNING_KEY, ["HS256"], options=options)
    return claims


@given(st.data())
def test_a_token_with_any_change_is_refused(data):
    at = data.draw(st.integers(0, len(TOKEN) - 1))
    end = data.draw(st.integers(at, min(at + 3, len(TOKEN))))
    put = data.draw(st.text(st.sampled_from([*sorted(set(TOKEN)), "=", "%", "+"]), max_size=3))
    changed = TOKEN[:at] + put + TOKEN[end:]
    assume(changed != TOKEN)
    if not accepts(changed):
        return
    # Base64 has spellings: two bits of the last character mean nothing, padding may be there.
    head, payload, _ = TOKEN.split(".")
    assert changed.startswith(f"{head}.{payload}.")
    assert base64.urlsafe_b64decode(changed.split(".")[2].rstrip("=") + "==") == (
        base64.urlsafe_b64decode(TOKEN.split(".")[2] + "==")
    )


@given(st.text(max_size=200))
@example("..")
@example("\ud800.\ud800.\ud800")
@example(TOKEN.replace(".", "\x00"))
def test_no_text_is_more_than_refused(text):
    assert not accepts(text)


@given(
    st.sampled_from(ALGORITHMS),
    st.sampled_from([SIGNING_KEY, b"", b"x" * 64, TOKEN.encode()]),
    ODD_HEADERS,
)
def test_no_other_algorithm_is_taken_whatever_key_it_is_signed_with(algorithm, key, odd):
    head = part({"alg": algorithm, "typ": "JWT"} | odd)
    payload = TOKEN.split(".")[1]
    signed = f"{head}.{payload}"
    hash_name = {"HS384": "HS384", "HS512": "HS512"}.get(algorithm, "HS256")
    mac = jwt.get_algorithm_by_name(hash_name)
    signature = part(mac.sign(signed.encode(), key))
    assert not accepts(f"{signed}.{signature}")
    assert not accepts(f"{signed}.")


@given(st.sampled_from(["nbf", "iat"]), st.integers(FAR_FUTURE_S, 2**53))
def test_a_token_of_the_future_does_not_count_yet(claim, begins_s):
    later = claims_of(TOKEN) | {claim: begins_s}
    assert not accepts(jwt.encode(later, SIGNING_KEY, algorithm="HS256"))


@given(st.sampled_from(["nbf", "iat"]), JSON.filter(lambda value: not isinstance(value, int)))
def test_a_beginning_that_is_no_time_is_refused_or_ignored(claim, value):
    odd = claims_of(TOKEN) | {claim: value}
    assert accepts(jwt.encode(odd, SIGNING_KEY, algorithm="HS256")) in {True, False}


@given(st.binary(min_size=32, max_size=64).filter(lambda key: key != SIGNING_KEY))
def test_no_other_key_is_taken(key):
    assert not accepts(jwt.encode(claims_of(TOKEN), key, algorithm="HS256"))


@given(JSON, JSON)
def test_claims_of_any_type_under_the_right_signature_are_a_caller_or_a_refusal(exp, user):
    token = jwt.api_jws.encode(
        json.dumps({"exp": exp, "user": user}).encode(), SIGNING_KEY, algorithm="HS256"
    )
    assert not accepts(token)


FIELDS = ("id", "role", "project_id", "is_admin", "is_project_admin")


@given(st.sampled_from(FIELDS), JSON)
def test_a_signed_user_with_any_other_field_is_refused(name, value):
    claims = claims_of(TOKEN)
    user = json.loads(claims["user"])
    assume(user[name] != value or type(user[name]) is not type(value))
    user[name] = value
    token = jwt.encode(claims | {"user": json.dumps(user)}, SIGNING_KEY, algorithm="HS256")
    assert not accepts(token)


@given(st.integers(-(2**62), 2**62))
@example(0)
@example(1)
def test_a_token_counts_until_its_second_and_not_longer(offset_s):
    now_s = GATEWAY.clock.now_us() // 1_000_000
    token = jwt.encode(claims_of(TOKEN) | {"exp": now_s + offset_s}, SIGNING_KEY, algorithm="HS256")
    assert accepts(token) == (offset_s > 0)


@pytest.mark.parametrize("size", [8_193, 100_000, 1_000_000])
def test_a_huge_token_is_refused_before_it_is_decoded(size):
    padded = jwt.encode(claims_of(TOKEN) | {"pad": "x" * size}, SIGNING_KEY, algorithm="HS256")
    for token in (padded, "x" * size, ".".join(["e" * (size // 3)] * 3)):
        assert not accepts(token)
    # None of them takes the room of a token that counts.
    assert all(len(known) < 8_193 for known in KEEPER._cache)


def test_what_is_refused_is_never_remembered():
    _, keeper, token = fresh()
    for number in range(50):
        with pytest.raises(UnauthorizedError):
            keeper.verify(f"{token[:-8]}{number:08}", GATEWAY.tables)
    assert keeper._cache == {}
