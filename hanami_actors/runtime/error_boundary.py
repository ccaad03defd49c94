"""Where an error of one part must not take another part down."""

import logging
from types import TracebackType
from typing import Self

from hanami_actors.errors import RejectedError

__all__ = ["Boundary"]

logger = logging.getLogger(__name__)


class Boundary:
    """A block whose errors end at its border: they are logged, faults with their trace, and kept.

    For code that runs in somebody else's thread (callbacks, the end of a job) or in a thread that
    nobody joins (loading the kernels). ``KeyboardInterrupt`` and ``SystemExit`` pass through.

    Parameters
    ----------
    what : str
        What was being done, for the log.

    Attributes
    ----------
    error : Exception or None
        What happened inside.
    """

    def __init__(self, what: str) -> None:
        self._what = what
        self.error: Exception | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        error_type: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> bool:
        if not isinstance(error, Exception):
            return False
        self.error = error
        if isinstance(error, RejectedError):
            # What a user asked for was not possible; he is told, and nobody has to look for it.
            logger.info("%s was refused: %s", self._what, error.message)
        else:
            logger.error("%s failed", self._what, exc_info=error)
        return True
