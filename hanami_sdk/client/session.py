"""Who calls which server, and the token that is valid now; sends nothing itself."""

import json
import time
from base64 import urlsafe_b64decode
from typing import TYPE_CHECKING, Any

from hanami_sdk.calls import accounts
from hanami_sdk.calls.call import Call
from hanami_sdk.calls.results import Login
from hanami_sdk.client.retry import Retry
from hanami_sdk.hanami_exceptions import UnauthorizedException

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["Session", "claims_of"]

RENEW_BEFORE_END_S = 30.0
# Tokens that live short are renewed in the last quarter of their life.
RENEW_BEFORE_END_SHARE = 0.25


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
            self.keep(token)

    @property
    def token(self) -> str | None:
        """The present token, None before the first login."""
        return self._token

    def keep(self, token: str) -> None:
        """Take a new token."""
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

    @property
    def needs_token(self) -> bool:
        """Whether another token has to be fetched before the next call."""
        return self._token is None or self.is_due

    @property
    def has_passphrase(self) -> bool:
        """Whether a token that is refused can be replaced."""
        return self._passphrase is not None

    def change_passphrase(self, passphrase: str, token: str) -> None:
        """Go on with a new passphrase and the token that came with it."""
        if self._passphrase is not None:
            self._passphrase = passphrase
        self.keep(token)

    def login(self) -> Call[Login]:
        """Return the call for a login.

        Raises
        ------
        UnauthorizedException
            When there is no passphrase.
        """
        if self._user_id is None or self._passphrase is None:
            raise UnauthorizedException(b"the token has run out and there is no passphrase")
        return accounts.log_in(self._user_id, self._passphrase)

    @property
    def project_to_enter(self) -> str:
        """The project in which a token without passphrase is renewed."""
        return self.project_id or self._project_of_token()

    def _project_of_token(self) -> str:
        try:
            return str(json.loads(claims_of(self._token or "")["user"])["project_id"])
        except (KeyError, TypeError, ValueError):
            raise UnauthorizedException(b"the token does not say which project it is for") from None
