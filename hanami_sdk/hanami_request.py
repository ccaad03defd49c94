"""The four kinds of REST request, the level below the functions of the other modules.

All of them return the body of a 200 as bytes and raise an exception of `hanami_exceptions` for
400, 401, 404, 409 and 500. For any other status they log a warning and return None, as programs
written for the original SDK expect; inside ``with strict_statuses():`` they raise
`UnexpectedStatusException` instead.
"""

import json
import logging
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any
from urllib.parse import quote

from hanami_sdk._transport import Answer, close_connections, send
from hanami_sdk.calls.call import Call
from hanami_sdk.hanami_exceptions import (
    BadRequestException,
    ConflictException,
    HanamiException,
    InternalServerErrorException,
    NotFoundException,
    UnauthorizedException,
    UnexpectedStatusException,
)

__all__ = [
    "API_PREFIX",
    "close_connections",
    "content_of",
    "error_of",
    "json_bytes",
    "query_text",
    "send_call",
    "send_delete_request",
    "send_get_request",
    "send_post_request",
    "send_put_request",
    "strict_statuses",
    "url_of",
]

API_PREFIX = "/v1.0alpha/"

_REFUSALS = {
    400: BadRequestException,
    401: UnauthorizedException,
    404: NotFoundException,
    409: ConflictException,
}

_log = logging.getLogger("hanami_sdk")
_strict: ContextVar[bool] = ContextVar("hanami_sdk_strict_statuses", default=False)

QueryValues = str | Mapping[str, object] | None


@contextmanager
def strict_statuses() -> Iterator[None]:
    """Raise `UnexpectedStatusException` for every status without an exception of its own."""
    before = _strict.set(True)
    try:
        yield
    finally:
        _strict.reset(before)


def query_text(values: QueryValues) -> str:
    """Return the query with its leading ``?``; a text is taken as it is."""
    if not values:
        return ""
    if isinstance(values, str):
        return f"?{values}"
    # quote, not urlencode: a blank must be %20, a plus sign is a plus sign to the server.
    pairs = (f"{quote(key)}={quote(str(value), safe='')}" for key, value in values.items())
    return f"?{'&'.join(pairs)}"


def json_bytes(body: str | bytes | Mapping[str, object]) -> bytes:
    """Return a body as sent; a mapping is written as JSON with sorted keys."""
    if isinstance(body, bytes):
        return body
    text = body if isinstance(body, str) else json.dumps(body, sort_keys=True, ensure_ascii=False)
    return text.encode("utf-8")


def url_of(address: str, call: Call[Any]) -> str:
    """Return where a call goes to."""
    return f"{address}{API_PREFIX}{call.path}{query_text(call.query)}"


def content_of(call: Call[Any]) -> bytes | None:
    """Return the body that a call has as sent."""
    return None if call.body is None else json_bytes(call.body)


def error_of(answer: Answer) -> HanamiException:
    """Return the exception for an answer that is not 200."""
    refusal = _REFUSALS.get(answer.status)
    if refusal is not None:
        return refusal(answer.body, answer.request_id)
    if answer.status == 500:
        return InternalServerErrorException(answer.request_id)
    return UnexpectedStatusException(answer.status, answer.body, answer.request_id)


def _call(
    method: str,
    token: str | None,
    url: str,
    body: bytes | None,
    verify: bool,
) -> bytes:
    answer = send(method, url, token=token, body=body, verify=verify)
    if answer.status == 200:
        return answer.body
    error = error_of(answer)
    if isinstance(error, UnexpectedStatusException) and not _strict.get():
        _log.warning("%s %s: %s", method, url.partition("?")[0], error)
        # The declared type is the one that callers work with; see the text of the module.
        return None  # type: ignore[return-value]
    raise error


def send_call(token: str | None, address: str, call: Call[Any], verify: bool = True) -> bytes:
    """Send a call once and return the body of its answer."""
    return _call(call.method, token, url_of(address, call), content_of(call), verify)


def send_post_request(
    token: str,
    address: str,
    path: str,
    body: str | bytes | Mapping[str, object],
    verify: bool = True,
) -> bytes:
    """Send a POST with a JSON body (text, or a mapping to be written as JSON)."""
    return _call("POST", token, f"{address}{path}", json_bytes(body), verify)


def send_put_request(
    token: str,
    address: str,
    path: str,
    body: str | bytes | Mapping[str, object],
    verify: bool = True,
) -> bytes:
    """Send a PUT with a JSON body (text, or a mapping to be written as JSON)."""
    return _call("PUT", token, f"{address}{path}", json_bytes(body), verify)


def send_get_request(
    token: str,
    address: str,
    path: str,
    values: QueryValues = None,
    verify: bool = True,
) -> bytes:
    """Send a GET; ``values`` is the query, a ready text or a mapping to be escaped."""
    return _call("GET", token, f"{address}{path}{query_text(values)}", None, verify)


def send_delete_request(
    token: str,
    address: str,
    path: str,
    values: QueryValues = None,
    verify: bool = True,
) -> bytes:
    """Send a DELETE; ``values`` is the query, a ready text or a mapping to be escaped."""
    return _call("DELETE", token, f"{address}{path}{query_text(values)}", None, verify)
