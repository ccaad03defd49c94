"""Passphrases: their hashes, and threads that check them."""

import asyncio
from concurrent.futures import ThreadPoolExecutor

import argon2

from hanami_actors.domain.user.aggregate import UserState
from hanami_actors.errors import LimitError
from hanami_actors.ports import Entropy

__all__ = ["PassphraseChecker", "hash_passphrase"]

CHECK_THREADS = 2

_hasher = argon2.PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1)


def hash_passphrase(passphrase: str | bytes) -> str:
    """Return the argon2id hash that is kept instead of a passphrase. Takes about 20 ms."""
    return _hasher.hash(passphrase)


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
        self._check_room()
        stored = user.passphrase_hash if user is not None else None
        self._waiting += 1
        try:
            loop = asyncio.get_running_loop()
            return await loop.run_in_executor(self._pool, self._matches, stored, passphrase)
        finally:
            self._waiting -= 1

    async def hash(self, passphrase: bytes) -> str:
        """Return the hash that is kept of a new passphrase."""
        self._check_room()
        self._waiting += 1
        try:
            loop = asyncio.get_running_loop()
            return await loop.run_in_executor(self._pool, hash_passphrase, passphrase)
        finally:
            self._waiting -= 1

    def close(self) -> None:
        """Let go of the threads."""
        self._pool.shutdown(wait=False, cancel_futures=True)

    def _check_room(self) -> None:
        if self._waiting >= self._waiting_max:
            raise LimitError(
                f"{self._waiting} logins are waiting already, at most {self._waiting_max} may; "
                "try again in a second"
            )

    def _matches(self, stored: str | None, passphrase: bytes) -> bool:
        try:
            _hasher.verify(stored or self._nobody.result(), passphrase)
        except argon2.exceptions.VerifyMismatchError:
            return False
        return stored is not None
