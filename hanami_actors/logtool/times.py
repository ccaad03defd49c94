"""Times on the command line and on the screen: always UTC."""

import datetime as dt
import re

from hanami_actors.errors import BadRequestError
from hanami_actors.ports import Clock

__all__ = ["parse_time", "show_time"]

_UNITS_S = {"s": 1, "m": 60, "h": 3_600, "d": 86_400}
_AGO = re.compile(r"(\d+)([smhd])")


def show_time(time_us: int) -> str:
    """Return a time for people, with milliseconds."""
    moment = dt.datetime.fromtimestamp(time_us // 1_000_000, tz=dt.UTC)
    return f"{moment:%Y-%m-%d %H:%M:%S}.{time_us // 1000 % 1000:03d}"


def parse_time(text: str, clock: Clock) -> int:
    """Return a point in time in microseconds.

    Parameters
    ----------
    text : str
        ISO 8601, UTC unless it says otherwise (``2026-08-01``, ``2026-08-01 12:30:00.5``,
        ``2026-08-01T12:30+02:00``), or how long ago (``90s``, ``15m``, ``2h``, ``3d``).
    clock : Clock

    Raises
    ------
    BadRequestError
        It is neither.
    """
    ago = _AGO.fullmatch(text)
    if ago is not None:
        return clock.now_us() - int(ago[1]) * _UNITS_S[ago[2]] * 1_000_000
    try:
        moment = dt.datetime.fromisoformat(text)
    except ValueError:
        raise BadRequestError(
            f"'{text}' is no time; write it like 2026-08-01, 2026-08-01T12:30:00 (UTC) or 15m (ago)"
        ) from None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=dt.UTC)
    return int(moment.timestamp() * 1_000_000)
