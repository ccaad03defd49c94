"""Slows down guessing of passphrases: counts failed logins by user and address."""

import asyncio
import math
from collections import Counter, OrderedDict
from typing import NamedTuple

from hanami_actors.errors import LimitError
from hanami_actors.ports import Clock

__all__ = ["Login", "LoginLimits"]

WINDOW_S = 60.0
ADDRESS_FACTOR = 10
"""An address may fail this many times more often than one user from it: people share addresses."""


class Login(NamedTuple):
    """An attempt; never shown or stored as a whole."""

    user_id: str
    passphrase: bytes
    address: str


class _Level(NamedTuple):
    failures: float
    time_s: float


class LoginLimits:
    """Counts failures; they are forgiven evenly over a minute. Runs in the event loop's thread.

    A user is counted together with the address, so that nobody can lock out another one from
    elsewhere; an address is also counted alone, over all users that are tried from it. Successful
    logins are never counted. Attempts at the same time are let in as far as all of them might fail;
    the others wait for their outcome.

    Parameters
    ----------
    clock : Clock
    failures_max : int
        Failures a minute of one user from one address; 0 counts nothing.
    len_max : int
        Users and addresses that are remembered; the longest unused is forgotten first.
    waiting_max : int
        Attempts that may wait for others; more are refused.
    """

    def __init__(
        self,
        clock: Clock,
        *,
        failures_max: int,
        len_max: int = 10_000,
        waiting_max: int = 256,
    ) -> None:
        self._clock = clock
        self._failures_max = failures_max
        self._len_max = len_max
        self._waiting_max = waiting_max
        self._levels: OrderedDict[tuple[str, ...], _Level] = OrderedDict()
        self._running: Counter[tuple[str, ...]] = Counter()
        self._waiting: list[asyncio.Future[None]] = []

    async def begin(self, login: Login) -> None:
        """Let an attempt in; `end` must follow.

        Raises
        ------
        LimitError
            As `check`, or too many wait already.
        """
        self.check(login)
        while self._might_be_too_many(login):
            if len(self._waiting) >= self._waiting_max:
                raise LimitError(
                    f"{self._waiting_max} logins wait for others already; try again in a second"
                )
            outcome: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            self._waiting.append(outcome)
            await outcome
            self.check(login)
        self._running.update(key for key, _ in self._limits(login))

    def end(self, login: Login, *, failed: bool) -> None:
        """Take note of the outcome of an attempt that was let in."""
        for key, _ in self._limits(login):
            self._running[key] -= 1
            if not self._running[key]:
                del self._running[key]
        if failed:
            self.count_failure(login)
        waiting, self._waiting = self._waiting, []
        for outcome in waiting:
            if not outcome.done():
                outcome.set_result(None)

    def check(self, login: Login) -> None:
        """Refuse an attempt after too many failures.

        Raises
        ------
        LimitError
            Says when the next attempt is let in.
        """
        now_s = self._clock.monotonic_s()
        for key, failures_max in self._limits(login):
            excess = self._level(key, failures_max, now_s) - (failures_max - 1)
            if excess > 0:
                wait_s = max(1, math.ceil(excess * WINDOW_S / failures_max))
                raise LimitError(
                    f"too many failed logins; try again in {wait_s} s", retry_after_s=wait_s
                )

    def count_failure(self, login: Login) -> None:
        """Take note of a failed attempt."""
        now_s = self._clock.monotonic_s()
        for key, failures_max in self._limits(login):
            level = self._level(key, failures_max, now_s) + 1
            self._levels[key] = _Level(min(level, 2 * failures_max), now_s)
            self._levels.move_to_end(key)
        while len(self._levels) > self._len_max:
            self._levels.popitem(last=False)

    def _might_be_too_many(self, login: Login) -> bool:
        now_s = self._clock.monotonic_s()
        return any(
            self._running[key]
            and self._level(key, failures_max, now_s) + self._running[key] > failures_max - 1
            for key, failures_max in self._limits(login)
        )

    def _limits(self, login: Login) -> tuple[tuple[tuple[str, ...], int], ...]:
        if self._failures_max == 0:
            return ()
        return (
            ((login.address, login.user_id), self._failures_max),
            ((login.address,), self._failures_max * ADDRESS_FACTOR),
        )

    def _level(self, key: tuple[str, ...], failures_max: int, now_s: float) -> float:
        known = self._levels.get(key)
        if known is None:
            return 0.0
        forgiven = (now_s - known.time_s) * failures_max / WINDOW_S
        return max(0.0, known.failures - forgiven)
