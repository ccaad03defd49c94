"""Who calls which server: login, renewal of the token, and when an attempt is repeated."""

import json
import time
from base64 import urlsafe_b64decode
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

from hanami_sdk._arguments import base64_text
from hanami_sdk._transport import Answer
from hanami_sdk.client.flow import Call, Download, Exclusive, Flow, Pause, Request, object_of
from hanami_sdk.client.results import Login
from hanami_sdk.hanami_exceptions import ConnectionFailedException, UnauthorizedException
from hanami_sdk.hanami_request import API_PREFIX, error_of, json_bytes, query_text

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from hanami_sdk._progress import Report

__all__ = ["Retry", "Session"]

T = TypeVar("T")

RENEW_BEFORE_END_S = 30.0
# Tokens that live short are renewed in the last quarter of their life.
RENEW_BEFORE_END_SHARE = 0.25
REPEATABLE_STATUSES = frozenset({429, 503})

_read_login = object_of(Login)


@dataclass(frozen=True, slots=True, kw_only=True)
class Retry:
    """When and how often an attempt is repeated.

    Repeated are attempts that did not reach the server, and reading calls that got no answer or
    one that says "not now" (429, 503). Everything else might be done twice.

    Attributes
    ----------
    attempts : int
        How often a call is tried, at least 1.
    pause_first_s, pause_max_s : float
        The first pause; each further one is twice as long, up to the longest.
    """

    attempts: int = 4
    pause_first_s: float = 0.1
    pause_max_s: float = 2.0

    def __post_init__(self) -> None:
        if self.attempts < 1:
            raise ValueError(f"attempts is {self.attempts}; it must be at least 1")
        if self.pause_first_s < 0 or self.pause_max_s < 0:
            raise ValueError("pauses cannot be negative")

    def pause_s(self, attempt: int) -> float:
        """Return the pause after a failed attempt; the first one is number 1."""
        return float(min(self.pause_first_s * 2 ** (attempt - 1), self.pause_max_s))


def _query_value(value: object) -> object:
    return str(value).lower() if isinstance(value, bool) else value


def claims_of(token: str) -> dict[str, Any]:
    """Return what a token says, unchecked: the server checks, this side only wants to know."""
    try:
        middle = token.split(".")[1]
        claims = json.loads(urlsafe_b64decode(middle + "=" * (-len(middle) % 4)))
    except (IndexError, ValueError):
        return {}
    return claims if isinstance(claims, dict) else {}


class Session:
    """A server, a user and the token that is valid now.

    Parameters
    ----------
    address : str
        Of the server.
    user_id, passphrase : str or None
        For the login, and for another one when the token has run out.
    token : str or None
        A token to start with; without passphrase it is renewed while it is valid.
    project_id : str or None
        The project to work in; None for the one that the server chooses.
    verify : bool
        Whether certificates are checked.
    retry : Retry
        When attempts are repeated.
    """

    def __init__(
        self,
        address: str,
        *,
        user_id: str | None,
        passphrase: str | None,
        token: str | None,
        project_id: str | None,
        verify: bool,
        retry: Retry,
    ) -> None:
        if token is None and (user_id is None or passphrase is None):
            raise TypeError("give user_id and passphrase, or a token")
        self.address = address.rstrip("/")
        self.verify = verify
        self.retry = retry
        self.project_id = project_id
        self._user_id = user_id
        self._passphrase = passphrase
        self._token: str | None = None
        self._renew_at_s: float | None = None
        self.clock_s: Callable[[], float] = time.monotonic
        self.now_s: Callable[[], float] = time.time
        if token is not None:
            self._keep(token)

    @property
    def token(self) -> str | None:
        """The present token, None before the first login."""
        return self._token

    def _keep(self, token: str) -> None:
        self._token = token
        self._renew_at_s = None
        end_s = claims_of(token).get("exp")
        if isinstance(end_s, int | float):
            # Measured from now on this side's own clock: only the difference must be right.
            life_s = end_s - self.now_s()
            margin_s = min(RENEW_BEFORE_END_S, life_s * RENEW_BEFORE_END_SHARE)
            if life_s > 0:
                self._renew_at_s = self.clock_s() + life_s - margin_s

    @property
    def is_due(self) -> bool:
        """Whether the token will run out soon."""
        return self._renew_at_s is not None and self.clock_s() >= self._renew_at_s

    def valid_token(self) -> Flow[str]:
        """Return a token that is good for a while; log in or renew it if need be."""
        if self._token is None or self.is_due:
            yield Exclusive(self._refresh)
        assert self._token is not None, "a login ends with a token or an exception"
        return self._token

    def _refresh(self) -> Flow[None]:
        # Somebody else may have been faster.
        if self._token is None:
            yield from self.log_in()
        elif self.is_due:
            yield from self._renew()

    def _replace(self, refused: str) -> Flow[None]:
        if self._token == refused:
            yield from self.log_in()

    def log_in(self) -> Flow[Login]:
        """Log in, and enter the chosen project."""
        if self._user_id is None or self._passphrase is None:
            raise UnauthorizedException(b"the token has run out and there is no passphrase")
        body = {"id": self._user_id, "passphrase": base64_text(self._passphrase)}
        call = Call(method="POST", path="token", decode=_read_login, body=body)
        login = yield from self._sent(call, None)
        self._keep(login.token)
        if self.project_id is not None:
            login = yield from self._enter(self.project_id)
        return login

    def switch_project(self, project_id: str) -> Flow[Login]:
        """Work in another project of the same user from now on."""
        yield from self.valid_token()
        login = yield from self._enter(project_id)
        self.project_id = project_id
        return login

    def change_passphrase(self, passphrase: str, new_passphrase: str) -> Flow[None]:
        """Change the passphrase of this user and go on with the new one."""
        token = yield from self.valid_token()
        body = {
            "passphrase": base64_text(passphrase),
            "new_passphrase": base64_text(new_passphrase),
        }
        call = Call(method="PUT", path="user/passphrase", decode=_read_login, body=body)
        login = yield from self._sent(call, token)
        if self._passphrase is not None:
            self._passphrase = new_passphrase
        self._keep(login.token)

    def _enter(self, project_id: str) -> Flow[Login]:
        body = {"project_id": project_id}
        call = Call(method="PUT", path="token", decode=_read_login, body=body)
        login = yield from self._sent(call, self._token)
        self._keep(login.token)
        return login

    def _renew(self) -> Flow[Login]:
        if self._passphrase is not None:
            return (yield from self.log_in())
        return (yield from self._enter(self.project_id or self._project_of_token()))

    def _project_of_token(self) -> str:
        try:
            return str(json.loads(claims_of(self._token or "")["user"])["project_id"])
        except (KeyError, TypeError, ValueError):
            raise UnauthorizedException(b"the token does not say which project it is for") from None

    def do(self, call: Call[T]) -> Flow[T]:
        """Send a call with a valid token; a token that is refused is replaced once."""
        token = yield from self.valid_token()
        try:
            return (yield from self._sent(call, token))
        except UnauthorizedException:
            if self._passphrase is None:
                raise
        yield Exclusive(partial(self._replace, token))
        return (yield from self._sent(call, self._token))

    def download(self, call: Call[None], path: "Path", report: "Report | None") -> Flow[None]:
        """Write the answer of a call to a file; the file is complete or not there.

        Raises
        ------
        OSError
            When it cannot be written.
        """
        token = yield from self.valid_token()
        values = {k: _query_value(v) for k, v in (call.query or {}).items() if v is not None}
        url = f"{self.address}{API_PREFIX}{call.path}{query_text(values)}"
        request = Request(call.method, url, token, None, call.timeout_s)
        answer = yield from self._answered(Download(request, path, report), is_safe=True)
        if answer.status != 200:
            raise error_of(answer)

    def _sent(self, call: Call[T], token: str | None) -> Flow[T]:
        """Send a call, repeat it where that is safe, and read its answer."""
        body = call.raw_body
        if body is None and call.body is not None:
            body = json_bytes({k: v for k, v in call.body.items() if v is not None})
        values = {k: _query_value(v) for k, v in (call.query or {}).items() if v is not None}
        url = f"{self.address}{API_PREFIX}{call.path}{query_text(values)}"
        request = Request(call.method, url, token, body, call.timeout_s)
        answer = yield from self._answered(request, is_safe=call.is_safe)
        if answer.status != 200:
            raise error_of(answer)
        return call.decode(answer.body)

    def _answered(self, request: Request | Download, *, is_safe: bool) -> Flow[Answer]:
        attempt = 0
        while True:
            attempt += 1
            is_last = attempt >= self.retry.attempts
            try:
                answer: Answer = yield request
            except ConnectionFailedException as error:
                if is_last or not error.is_transient or (error.was_sent and not is_safe):
                    raise
            else:
                if is_last or not is_safe or answer.status not in REPEATABLE_STATUSES:
                    return answer
            yield Pause(self.retry.pause_s(attempt))
