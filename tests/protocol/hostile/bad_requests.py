"""An endless supply of requests that must be refused: for a bounded test and for scripts/fuzz."""

import random
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import msgspec

from hanami_actors.api.endpoints.all import ENDPOINTS
from hanami_actors.api.table.endpoint import Endpoint
from tests.protocol.raw_clients import RawHttp
from tests.protocol.samples import bad_values, required_fields

__all__ = ["BadRequest", "bad_requests", "send_bad"]

UUID = "00000000-0000-4000-8000-000000000000"
PATHS = (
    *("/", "/v1/", "/v1/nonsense", "/v1/../etc/passwd", "/%2e%2e/%2e%2e/etc", "//", "/v1//cluster"),
    *("/v1/cluster/", "/V1/cluster", "/v1.0alpha/cluster;x=1", "/" + "a" * 2000, "/\\..\\x"),
)
BODIES = (
    *(b"", b"{", b"[]", b"null", b"\xff", b"\0" * 1000, b'{"a":1e999}', b'{"a":"\\ud800"}'),
    *(b'{"a":' * 1000, b"[" * 60_000, b'{"a":' + b"9" * 50_000 + b"}"),
)
METHODS = ("GET", "POST", "PUT", "DELETE", "PATCH", "OPTIONS", "HEAD", "TRACE", "FOO")
CLOSED = [row for row in ENDPOINTS if not row.access.is_open]
WITH_BODY = [row for row in CLOSED if row.method in {"POST", "PUT"}]
BY_UUID = [row for row in CLOSED if {"uuid", "cluster_uuid"} & set(required_fields(row))]


class BadRequest(NamedTuple):
    """A request that is wrong."""

    method: str
    path: str
    body: bytes
    with_token: bool = True


def bad_requests(seed: int) -> Iterator[BadRequest]:
    """Yield requests without end; the same seed gives the same ones."""
    dice = random.Random(seed)
    kinds: tuple[Callable[[random.Random], BadRequest], ...] = (
        _without_token,
        _unknown_path,
        _wrong_method,
        _broken_body,
        _bad_field,
        _unknown_uuid,
        _bad_query,
    )
    while True:
        yield dice.choice(kinds)(dice)


def send_bad(client: RawHttp, token: str, bad: BadRequest) -> int:
    """Send it on a connection that stays; return the status, which must blame the client."""
    headers = {"X_Auth_Token": token} if bad.with_token else {}
    client.request(bad.method, bad.path, bad.body, **headers)
    status, answer_headers, body = client.answer(without_body=bad.method == "HEAD")
    assert 400 <= status < 500, (bad, status, body)
    assert "x-request-id" in answer_headers
    assert b"Traceback" not in body
    return status


def _path(row: Endpoint) -> str:
    return f"/{row.canonical_path}"


def _without_token(dice: random.Random) -> BadRequest:
    row = dice.choice(CLOSED)
    return BadRequest(row.method, _path(row), b"{}", with_token=False)


def _unknown_path(dice: random.Random) -> BadRequest:
    return BadRequest(dice.choice(METHODS), dice.choice(PATHS), b"", dice.random() < 0.5)


def _wrong_method(dice: random.Random) -> BadRequest:
    path = dice.choice(CLOSED).path
    allowed = {row.method for row in ENDPOINTS if row.path == path}
    method = dice.choice([method for method in METHODS if method not in allowed])
    return BadRequest(method, f"/v1/{path}", b"")


def _broken_body(dice: random.Random) -> BadRequest:
    row = dice.choice(WITH_BODY)
    return BadRequest(row.method, _path(row), dice.choice(BODIES))


def _bad_field(dice: random.Random) -> BadRequest:
    row = dice.choice(WITH_BODY)
    values: dict[str, Any] = dict.fromkeys(required_fields(row), UUID)
    name, value = dice.choice([*bad_values(row), ("nonsense", 1)])
    fits = not isinstance(value, int) or -(2**63) <= value < 2**64
    # An unknown field as well, or an optional field might be all that is wrong, and be fine.
    body = msgspec.json.encode(values | {"nonsense": 1, name: value if fits else 1.5})
    return BadRequest(row.method, _path(row), body)


def _unknown_uuid(dice: random.Random) -> BadRequest:
    row = dice.choice(BY_UUID)
    query = "&".join(f"{name}={UUID}" for name in required_fields(row))
    return BadRequest(row.method, f"{_path(row)}?{query}", b"{}")


def _bad_query(dice: random.Random) -> BadRequest:
    row = dice.choice(CLOSED)
    noise = "".join(chr(dice.randrange(33, 127)) for _ in range(dice.randrange(1, 60)))
    query = f"nonsense={noise}&%ff=%zz{'&x' * dice.randrange(200)}"
    return BadRequest(row.method, f"{_path(row)}?{query}", b"{}")
