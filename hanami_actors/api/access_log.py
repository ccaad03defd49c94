"""One line per request, written in batches so that the log costs a request next to nothing."""

import asyncio
import sys
from collections.abc import Callable
from typing import NamedTuple

from hanami_actors.domain.base import format_timestamp
from hanami_actors.ports import Clock

__all__ = ["AccessEntry", "AccessLog"]

FLUSH_AFTER_S = 0.25
BATCH_LEN_MAX = 512
PATH_LENGTH_MAX = 200


def write_to_stderr(text: str) -> None:
    """Write lines in one call, so that they stay together."""
    sys.stderr.write(f"{text}\n")


class AccessEntry(NamedTuple):
    """What is written about a request; never a query, a body or a token."""

    method: str
    path: str
    status: int
    duration_ms: float
    user_id: str
    request_id: str


class AccessLog:
    """Collects lines and writes them a few times a second. Runs in the event loop's thread.

    Parameters
    ----------
    clock : Clock
    enabled : bool
    write : callable
        Takes whole lines without the final line break; by default standard error, past the
        logging module, which would take as long as the request.
    """

    def __init__(
        self, clock: Clock, *, enabled: bool = True, write: Callable[[str], None] = write_to_stderr
    ) -> None:
        self._clock = clock
        self._enabled = enabled
        self._write = write
        self._waiting: list[tuple[int, AccessEntry]] = []
        self._timer: asyncio.TimerHandle | None = None

    def record(self, entry: AccessEntry) -> None:
        """Take note of a finished request."""
        if not self._enabled:
            return
        self._waiting.append((self._clock.now_us(), entry))
        if len(self._waiting) >= BATCH_LEN_MAX:
            self.flush()
        elif self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(FLUSH_AFTER_S, self.flush)

    def flush(self) -> None:
        """Write what was collected."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        waiting, self._waiting = self._waiting, []
        if waiting:
            self._write("\n".join(_line(time_us, entry) for time_us, entry in waiting))


def _line(time_us: int, entry: AccessEntry) -> str:
    path = entry.path[:PATH_LENGTH_MAX].encode("unicode_escape").decode()
    return (
        f"{format_timestamp(time_us)} {entry.method} {path} {entry.status} "
        f"{entry.duration_ms:.1f} ms user={entry.user_id or '-'} request={entry.request_id}"
    )
