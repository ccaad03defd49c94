"""An endless supply of requests that must be refused: for a bounded test and for scripts/fuzz."""

import random
from collections.abc import Callable, Iterator
from typing import NamedTuple

import msgspec

from hanami_actors.api.endpoints.table import ENDPOINTS
from tests.protocol.samples import bad_values, required_fields

__all__ = ["BadRequest", "bad_requests"]

UUID = "00000000-0000-4000-8000-000000000000"
PATHS = (
    "/",
    "/v1/",
    "/v1/nonsense",
    "/v1/../etc/passwd",
    "/%2e%2e/%2e%2e/etc",
    "/\xff",
    "//",
    "/v1/cluster/",
    "/a" * 2000,
)
BODIES = (
    b"",
    b"{",
    b"[]",
    b"null",
    b"\xff",
    b'{"a":' * 1000,
    b"[" * 60_000,
    b'{"a":1e999}',
    b"\0" * 1000,
)
METHODS = ("GET", "POST", "PUT", "DELETE", "PATCH", "OPTIONS", "HEAD", "TRACE", "FOO")


class BadRequest(NamedTuple):
    """A request and what it must be answered with."""

    method: str
    path: str
    body: bytes
    with_token: bool


def bad_requests(seed: int) -> Iterator[BadRequest]:
    """Yield requests without end; the same seed gives the same ones."""
    dice = random.Random(seed)
    kinds: tuple[Callable[[random.Random], BadRequest], ...] = (
        _without_token,
        _unknown_path,
        _broken_body,
        _bad_field,
        _unknown_uuid,
        _bad_query,
    )
    while True:
        yield dice.choice(kinds)(dice)


def _row(dice: random.Random, *, with_body: bool = False):
    rows = [
        row
        for row in ENDPOINTS
        if not row.access.is_open and (not with_body or row.method in {"POST", "PUT"})
    ]
    return dice.choice(rows)


def _without_token(dice: random.Random) -> BadRequest:
    row = _row(dice)
    return BadRequest(row.method, f"/{row.canonical_path}", b"{}", with_token=False)


def _unknown_path(dice: random.Random) -> BadRequest:
    return BadRequest(dice.choice(METHODS), dice.choice(PATHS), b"", with_token=dice.random() < 0.5)


def _broken_body(dice: random.Random) -> BadRequest:
    row = _row(dice, with_body=True)
    return BadRequest(row.method, f"/{row.canonical_path}", dice.choice(BODIES), with_token=True)


def _bad_field(dice: random.Random) -> BadRequest:
    row = _row(dice, with_body=True)
    values = dict.fromkeys(required_fields(row), UUID)
    wrong = list(bad_values(row))
    name, value = dice.choice(wrong) if wrong else ("nonsense", 1)
    body = msgspec.json.encode(values | {name: value if abs_fits(value) else 2**63})
    return BadRequest(row.method, f"/{row.canonical_path}", body, with_token=True)


def abs_fits(value: object) -> bool:
    """Whether our encoder takes it."""
    return not isinstance(value, int) or -(2**63) <= value < 2**64


def _unknown_uuid(dice: random.Random) -> BadRequest:
    rows = [row for row in ENDPOINTS if row.method in {"GET", "DELETE"} and required_fields(row)]
    row = dice.choice(rows)
    query = "&".join(f"{name}={UUID}" for name in required_fields(row))
    return BadRequest(row.method, f"/{row.canonical_path}?{query}", b"", with_token=True)


def _bad_query(dice: random.Random) -> BadRequest:
    row = _row(dice)
    noise = "".join(chr(dice.randrange(33, 127)) for _ in range(dice.randrange(1, 60)))
    query = f"nonsense={noise}&%ff=%zz&{'x&' * dice.randrange(200)}"
    return BadRequest(row.method, f"/{row.canonical_path}?{query}", b"{}", with_token=True)
