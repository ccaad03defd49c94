"""When an attempt is repeated, and how long to wait before asking again."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from hanami_sdk._transport import Answer
from hanami_sdk.calls.call import Call
from hanami_sdk.hanami_exceptions import ConnectionFailedException

__all__ = ["Retry", "pauses"]

REPEATABLE_STATUSES = frozenset({429, 503})

POLL_MAX_S = 0.5
POLL_GROWTH = 1.3


def pauses(first_s: float) -> Iterator[float]:
    """Yield what to wait between questions: what is short ends soon, the rest is asked less."""
    pause_s = first_s
    while True:
        yield pause_s
        pause_s = min(pause_s * POLL_GROWTH, POLL_MAX_S)


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

    def repeats(
        self, call: Call[Any], attempt: int, outcome: Answer | ConnectionFailedException
    ) -> bool:
        """Tell whether a call is sent again after this outcome of an attempt."""
        if attempt >= self.attempts:
            return False
        if isinstance(outcome, Answer):
            return call.is_safe and outcome.status in REPEATABLE_STATUSES
        return outcome.is_transient and (call.is_safe or not outcome.was_sent)
