"""Which code a direct session is closed with."""

from hanami_actors.engine.direct.channel import CloseCode
from hanami_actors.errors import (
    BadRequestError,
    BusyError,
    ConflictError,
    HanamiError,
    LimitError,
    NotFoundError,
    UnauthorizedError,
)

__all__ = ["close_code_of"]


def close_code_of(error: HanamiError) -> int:
    """Return the close code that tells a client what kind of failure ended its session."""
    codes: tuple[tuple[type[HanamiError], int], ...] = (
        (BadRequestError, CloseCode.BAD_MESSAGE),
        (UnauthorizedError, CloseCode.TOKEN_EXPIRED),
        (NotFoundError, CloseCode.GONE),
        (ConflictError, CloseCode.CONFLICT),
        (LimitError, CloseCode.LIMIT),
        (BusyError, CloseCode.RESTART),
    )
    for kind, code in codes:
        if isinstance(error, kind):
            return code
    return CloseCode.FAULT
