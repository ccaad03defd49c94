"""Tokens: issued at a login, verified on every request."""

import functools
import math
from collections import OrderedDict
from typing import NamedTuple

import jwt
import msgspec

from hanami_actors.domain.access import ADMIN_PROJECT_ID
from hanami_actors.domain.base import Who, format_timestamp
from hanami_actors.domain.tables import Tables
from hanami_actors.domain.user.aggregate import UserState
from hanami_actors.errors import SettingsError, UnauthorizedError
from hanami_actors.ports import Clock

__all__ = ["TokenKeeper", "caller_after_login", "caller_in_project"]

TOKEN_LENGTH_MAX = 8192
SHOWN_LENGTH_MAX = 80
KEY_SIZE_MIN_BYTES = 32
TOKEN_CACHE_S = 5.0
"""How long a verified token is remembered, so that not every request computes a signature. Expiry
and deletion of the user are looked at on every request."""
ADMIN_ROLE = "admin"

# The same few users call again and again.
_timestamp = functools.lru_cache(maxsize=1024)(format_timestamp)


def caller_after_login(user: UserState) -> Who | None:
    """Return who the user is right after a login; None when no project is assigned.

    Admins start in the project ``admin``, which has no row of its own, others in their first.
    """
    if user.is_admin:
        return caller_in_project(user, ADMIN_PROJECT_ID)
    return caller_in_project(user, user.projects[0].project_id) if user.projects else None


def caller_in_project(user: UserState, project_id: str) -> Who | None:
    """Return who the user is in a project; None when he may not work in it."""
    if user.is_admin and project_id == ADMIN_PROJECT_ID:
        return Who(
            user_id=user.id,
            project_id=ADMIN_PROJECT_ID,
            role=ADMIN_ROLE,
            is_admin=True,
            is_project_admin=True,
        )
    assignment = user.assignment(project_id)
    if assignment is None:
        return None
    return Who(
        user_id=user.id,
        project_id=project_id,
        role=assignment.role,
        is_admin=user.is_admin,
        is_project_admin=assignment.is_project_admin,
    )


class UserClaim(msgspec.Struct, kw_only=True):
    """The claim ``user`` of a token: a text that holds this as JSON.

    ``secret_since_us`` is ours: when the passphrase was set that the token was given for. It ties
    the token to one life of the id and to one passphrase, which whole seconds cannot. Tokens that
    somebody else makes with our key may do without.
    """

    id: str
    role: str
    project_id: str = ""
    name: str = ""
    is_admin: bool = False
    is_project_admin: bool = False
    creator_id: str = ""
    created_at: str = ""
    secret_since_us: int = 0


class _Verified(NamedTuple):
    """What a token says, and the newest state of its user that it was held against."""

    who: Who
    created_at: str
    secret_since_us: int
    expires_s: float
    known_until_s: float
    user: UserState | None = None


class TokenKeeper:
    """Issues and verifies tokens. Runs in the thread of the event loop.

    Parameters
    ----------
    signing_key : bytes
        At least 32 bytes.
    clock : Clock
    expire_s : int
        How long a token holds.
    cache_len_max : int
        Tokens that are remembered; the longest unused goes first.
    """

    def __init__(
        self,
        signing_key: bytes,
        clock: Clock,
        *,
        expire_s: int,
        cache_len_max: int = 4096,
    ) -> None:
        if len(signing_key) < KEY_SIZE_MIN_BYTES:
            raise SettingsError(
                f"the signing key has {len(signing_key)} bytes; at least {KEY_SIZE_MIN_BYTES} "
                "random ones are needed"
            )
        self._key = signing_key
        self._clock = clock
        self._expire_s = expire_s
        self._cache_len_max = cache_len_max
        self._cache: OrderedDict[str, _Verified] = OrderedDict()

    def issue(self, user: UserState, who: Who) -> str:
        """Return a token for the user in the project and role of ``who``."""
        claim = UserClaim(
            id=user.id,
            name=user.name,
            role=who.role,
            project_id=who.project_id,
            is_admin=who.is_admin,
            is_project_admin=who.is_project_admin,
            creator_id=user.creator_id,
            created_at=format_timestamp(user.created_us),
            secret_since_us=_secret_since_us(user),
        )
        payload = {
            "exp": self._clock.now_us() // 1_000_000 + self._expire_s,
            "user": msgspec.json.encode(claim, order="sorted").decode(),
        }
        return jwt.encode(payload, self._key, algorithm="HS256", sort_headers=True)

    def verify(self, token: str | None, tables: Tables) -> Who:
        """Return the caller.

        Raises
        ------
        UnauthorizedError
            The token is missing, not ours, expired, or not what its user may have any more: the
            user is deleted, the project was taken from him, or his passphrase is another now.
        """
        if not token:
            raise UnauthorizedError(
                "no token: send the header 'X-Auth-Token' with the token of POST token"
            )
        now_s = self._clock.now_us() / 1e6
        known = self._cache.get(token)
        if known is None or known.known_until_s <= now_s:
            known = self._verify_anew(token, now_s)
        if known.expires_s <= now_s:
            raise UnauthorizedError("the token is expired; log in again")
        row = tables.users.get(known.who.user_id)
        # States are immutable: the same object has been looked at before.
        if row is None or row.state is not known.user:
            user = row.state if row is not None else None
            self._check_user(known, user)
            self._cache[token] = known._replace(user=user)
        return known.who

    def seconds_left(self, token: str) -> float:
        """Return how long a token that was just verified still holds."""
        known = self._cache.get(token)
        return known.expires_s - self._clock.now_us() / 1e6 if known is not None else 0.0

    def _check_user(self, known: _Verified, user: UserState | None) -> None:
        who = known.who
        if user is None or not user.alive:
            raise UnauthorizedError("the user of the token does not exist any more")
        if known.created_at and known.created_at != _timestamp(user.created_us):
            raise UnauthorizedError("the user of the token was deleted and created anew")
        if known.secret_since_us not in {0, _secret_since_us(user)}:
            raise UnauthorizedError("the passphrase was changed after this token; log in again")
        # The role in the project of all admins is free: only this server signs.
        in_admin_project = user.is_admin and who.project_id == ADMIN_PROJECT_ID
        if not in_admin_project and caller_in_project(user, who.project_id) != who:
            raise UnauthorizedError(
                f"User with id '{who.user_id}' does not have the token's role in the project with "
                f"id '{who.project_id[:SHOWN_LENGTH_MAX]}' any more; log in again"
            )

    def _verify_anew(self, token: str, now_s: float) -> _Verified:
        if len(token) > TOKEN_LENGTH_MAX:
            raise UnauthorizedError(
                f"the token has {len(token)} characters, tokens of this server are shorter"
            )
        expires_s, claim = self._read(token)
        who = Who(
            user_id=claim.id,
            project_id=claim.project_id,
            role=claim.role,
            is_admin=claim.is_admin,
            is_project_admin=claim.is_project_admin,
        )
        verified = _Verified(
            who, claim.created_at, claim.secret_since_us, expires_s, now_s + TOKEN_CACHE_S
        )
        self._cache[token] = verified
        self._cache.move_to_end(token)
        if len(self._cache) > self._cache_len_max:
            self._cache.popitem(last=False)
        return verified

    def _read(self, token: str) -> tuple[float, UserClaim]:
        """Check the signature and the shape of the claims, not yet the time."""
        options: jwt.types.Options = {"verify_exp": False}
        try:
            claims = jwt.decode(token, self._key, algorithms=["HS256"], options=options)
        except jwt.InvalidAlgorithmError:
            raise UnauthorizedError("the token is not valid: wrong algorithm") from None
        except jwt.InvalidSignatureError:
            raise UnauthorizedError("the token is not valid: wrong signature") from None
        except (jwt.PyJWTError, ValueError, RecursionError):
            raise UnauthorizedError("the token is not valid: not a token of this server") from None
        expires = claims.get("exp", float("inf"))
        user = claims.get("user")
        if isinstance(expires, bool) or not isinstance(expires, int | float):
            raise UnauthorizedError(
                "the token is not valid: claim 'exp' is not a number of seconds"
            )
        if not isinstance(user, str):
            raise UnauthorizedError("the token is not valid: claim 'user' is not a text")
        try:
            claim = msgspec.json.decode(user, type=UserClaim)
        except (msgspec.MsgspecError, ValueError, RecursionError):
            raise UnauthorizedError(
                "the token is not valid: claim 'user' does not hold a user as JSON"
            ) from None
        # NaN is neither before nor after anything: such a token would hold for ever.
        holds = isinstance(expires, int) or not math.isnan(expires)
        return expires if holds else float("-inf"), claim


def _secret_since_us(user: UserState) -> int:
    return max(user.created_us, user.passphrase_changed_us)
