"""Slows down guessing of passphrases: counts failed logins by user and address."""

import math
from collections import OrderedDict
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
    logins are never counted.

    Parameters
    ----------
    clock : Clock
    failures_max : int
        Failures a minute of one user from one address; 0 counts nothing.
    len_max : int
        Users and addresses that are remembered; the longest unused is forgotten first.
    """

    def __init__(self, clock: Clock, *, failures_max: int, len_max: int = 10_000) -> None:
        self._clock = clock
        self._failures_max = failures_max
        self._len_max = len_max
        self._levels: OrderedDict[tuple[str, ...], _Level] = OrderedDict()

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
