"""What all aggregates share: events, messages, and the stamp that brings in time, ids and seeds."""

from typing import ClassVar

import msgspec

from hanami_actors.types import TimestampUs

__all__ = ["Event", "Message", "Stamp", "Value", "Who", "format_timestamp"]


class Value(msgspec.Struct, frozen=True, kw_only=True):
    """A plain value inside events, states and views."""


class Event(msgspec.Struct, frozen=True, kw_only=True):
    """Something that has happened; the only thing that is stored.

    ``TAG`` is the name on disk and outlives the class; ``SCHEMA`` counts the shapes it has had.
    Added fields need a default. Anything else is a new class, a new tag and an upcaster.
    """

    TAG: ClassVar[str] = ""
    SCHEMA: ClassVar[int] = 1


class Message(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Something that is asked for."""


class Who(Value, frozen=True, kw_only=True):
    """The caller as the token says it.

    Attributes
    ----------
    user_id, project_id, role : str
    is_admin, is_project_admin : bool
    """

    user_id: str
    project_id: str
    role: str = "member"
    is_admin: bool = False
    is_project_admin: bool = False


class Stamp(Value, frozen=True, kw_only=True):
    """Everything a decision needs from outside: time, caller, fresh ids, a fresh seed.

    Attributes
    ----------
    now_us : TimestampUs
    who : Who
    correlation_id : str
        The request's id, shown to the client as ``X-Request-Id``.
    ids : tuple of str
        Fresh UUIDs, as many as the message needs (at least 4 are always given).
    seed : int
        A fresh seed in 0 .. 2**63 - 1.
    """

    now_us: TimestampUs
    who: Who
    correlation_id: str = ""
    ids: tuple[str, ...] = ()
    seed: int = 0


def format_timestamp(time_us: int) -> str:
    """Return a time as the contract writes it: UTC, ``YYYY-MM-DD HH:MM:SS``.

    Parameters
    ----------
    time_us : int
        Microseconds since 1970 UTC.
    """
    days, second = divmod(time_us // 1_000_000, 86_400)
    # Civil-from-days (H. Hinnant, "chrono-Compatible Low-Level Date Algorithms"): no tz database,
    # no locale, and the domain needs no clock module.
    era_day = days + 719_468
    era, day_of_era = divmod(era_day, 146_097)
    year_of_era = (
        day_of_era - day_of_era // 1_460 + day_of_era // 36_524 - day_of_era // 146_096
    ) // 365
    day_of_year = day_of_era - (365 * year_of_era + year_of_era // 4 - year_of_era // 100)
    shifted_month = (5 * day_of_year + 2) // 153
    day = day_of_year - (153 * shifted_month + 2) // 5 + 1
    month = shifted_month + 3 if shifted_month < 10 else shifted_month - 9
    year = year_of_era + era * 400 + (1 if month <= 2 else 0)
    hour, rest = divmod(second, 3_600)
    minute, second = divmod(rest, 60)
    return f"{year:04d}-{month:02d}-{day:02d} {hour:02d}:{minute:02d}:{second:02d}"
