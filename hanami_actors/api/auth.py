"""Who is calling: passphrases are checked once, tokens on every request."""

import asyncio
import functools
import math
from collections import OrderedDict
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple

import argon2
import jwt
import msgspec

from hanami_actors.api.endpoint import LoginAnswer
from hanami_actors.domain.base import Who, format_timestamp
from hanami_actors.domain.tables import Tables
from hanami_actors.domain.user.aggregate import UserState
from hanami_actors.errors import LimitError, SettingsError, UnauthorizedError
from hanami_actors.ports import Clock, Entropy

__all__ = ["LoginDesk", "PassphraseChecker", "TokenKeeper", "assignment_of", "hash_passphrase"]

TOKEN_LENGTH_MAX = 8192
KEY_SIZE_MIN_BYTES = 32
CHECK_THREADS = 2

# The same few users call again and again.
_timestamp = functools.lru_cache(maxsize=1024)(format_timestamp)

_hasher = argon2.PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1)


def hash_passphrase(passphrase: str | bytes) -> str:
    """Return the argon2id hash that is kept instead of a passphrase. Takes about 20 ms."""
    return _hasher.hash(passphrase)


def assignment_of(user: UserState) -> Who | None:
    """Return who the user is right after a login; None when no project is assigned.

    Admins start in the project ``admin``, which has no row of its own.
    """
    if user.is_admin:
        return Who(
            user_id=user.id,
            project_id="admin",
            role="admin",
            is_admin=True,
            is_project_admin=True,
        )
    return None


class UserClaim(msgspec.Struct, kw_only=True):
    """The claim ``user`` of a token: a text that holds this as JSON."""

    id: str
    role: str
    project_id: str = ""
    name: str = ""
    is_admin: bool = False
    is_project_admin: bool = False
    creator_id: str = ""
    created_at: str = ""


class _Verified(NamedTuple):
    who: Who
    created_at: str
    expires_s: float
    known_until_s: float


class TokenKeeper:
    """Issues and verifies tokens. Runs in the thread of the event loop.

    Parameters
    ----------
    signing_key : bytes
        At least 32 bytes.
    clock : Clock
    expire_s : int
        How long a token holds.
    cache_s : float
        How long a verified token is remembered, so that not every request computes a signature.
        Expiry and deletion of the user are looked at on every request.
    cache_len_max : int
        Tokens that are remembered; the longest unused goes first.
    """

    def __init__(
        self,
        signing_key: bytes,
        clock: Clock,
        *,
        expire_s: int,
        cache_s: float = 5.0,
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
        self._cache_s = cache_s
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
            The token is missing, not ours, expired, or its user is gone.
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
        if row is None or not row.state.alive:
            raise UnauthorizedError("the user of the token does not exist any more")
        if known.created_at and known.created_at != _timestamp(row.state.created_us):
            raise UnauthorizedError("the user of the token was deleted and created anew")
        return known.who

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
        verified = _Verified(who, claim.created_at, expires_s, now_s + self._cache_s)
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


class PassphraseChecker:
    """Checks passphrases in its own threads: argon2 is slow and hungry by design.

    Parameters
    ----------
    entropy : Entropy
        For the hash that stands in for unknown users.
    waiting_max : int
        Logins that may wait at the same time; more are refused with 429.
    """

    def __init__(self, entropy: Entropy, *, waiting_max: int = 64) -> None:
        self._pool = ThreadPoolExecutor(CHECK_THREADS, thread_name_prefix="login")
        self._waiting = 0
        self._waiting_max = waiting_max
        # Made at once, or the first unknown user would be recognised by a slower answer.
        self._nobody = self._pool.submit(hash_passphrase, entropy.secret_bytes(32))

    async def check(self, user: UserState | None, passphrase: bytes) -> bool:
        """Tell whether the passphrase is the user's; unknown users take as long as known ones."""
        if self._waiting >= self._waiting_max:
            raise LimitError(
                f"{self._waiting} logins are waiting already, at most {self._waiting_max} may; "
                "try again in a second"
            )
        stored = user.passphrase_hash if user is not None else None
        self._waiting += 1
        try:
            loop = asyncio.get_running_loop()
            return await loop.run_in_executor(self._pool, self._matches, stored, passphrase)
        finally:
            self._waiting -= 1

    def close(self) -> None:
        """Let go of the threads."""
        self._pool.shutdown(wait=False, cancel_futures=True)

    def _matches(self, stored: str | None, passphrase: bytes) -> bool:
        try:
            _hasher.verify(stored or self._nobody.result(), passphrase)
        except argon2.exceptions.VerifyMismatchError:
            return False
        return stored is not None


class LoginDesk:
    """Answers logins.

    Parameters
    ----------
    checker : PassphraseChecker
    tokens : TokenKeeper
    """

    def __init__(self, checker: PassphraseChecker, tokens: TokenKeeper) -> None:
        self._checker = checker
        self._tokens = tokens

    async def log_in(self, tables: Tables, user_id: str, passphrase: bytes) -> LoginAnswer:
        """Return a token.

        Raises
        ------
        UnauthorizedError
            Unknown user, wrong passphrase (the same text for both), or no project.
        """
        row = tables.users.get(user_id)
        user = row.state if row is not None and row.state.alive else None
        fits = await self._checker.check(user, passphrase)
        if user is None or not fits:
            raise UnauthorizedError("ACCESS DENIED!\nUser or passphrase is incorrect.")
        who = assignment_of(user)
        if who is None:
            raise UnauthorizedError(f"User with id '{user_id}' has no project assigned.")
        return LoginAnswer(
            id=user.id, is_admin=user.is_admin, name=user.name, token=self._tokens.issue(user, who)
        )
