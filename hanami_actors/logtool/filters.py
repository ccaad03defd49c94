"""Which records are wanted: by stream, tag, user, time and position."""

import fnmatch
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, TypeVar

import click

from hanami_actors.eventlog.port import EventLog, Record
from hanami_actors.types import StreamId

__all__ = ["RecordFilter", "filter_options"]

Command = TypeVar("Command", bound=Callable[..., Any])

_WILD = frozenset("*?[")

_OPTIONS = (
    click.option("--stream", help="Only this stream, or a pattern: cluster/UUID, 'dataset/*'."),
    click.option(
        "--tag",
        "tags",
        multiple=True,
        help="Only this tag, or a pattern: 'cluster.task_*'. Repeated: any of them.",
    ),
    click.option("--user", help="Only what this user caused."),
    click.option("--request", help="Only what the request with this X-Request-Id caused."),
    click.option("--since", help="Only from this time on: ISO 8601 in UTC, or 15m, 2h, 3d ago."),
    click.option("--until", help="Only before this time."),
    click.option("--after", default=0, help="Only records after this position."),
)


def filter_options(command: Command) -> Command:
    """Give a command the options that choose records."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


@dataclass(frozen=True, kw_only=True)
class RecordFilter:
    """What a record must be.

    Attributes
    ----------
    stream : str or None
        A name or a pattern with ``*``, ``?``, ``[…]``.
    tags : tuple of str
        Names and patterns, of which one must fit; empty for any tag.
    user, request : str or None
    since_us, until_us : int or None
        From ``since_us`` on, before ``until_us``.
    after : int
        Position that every record lies behind.
    """

    stream: str | None = None
    tags: tuple[str, ...] = ()
    user: str | None = None
    request: str | None = None
    since_us: int | None = None
    until_us: int | None = None
    after: int = 0

    @property
    def is_open(self) -> bool:
        """Whether every record after the position is wanted."""
        return self == RecordFilter(after=self.after)

    def read(self, log: EventLog) -> Iterator[Record]:
        """Yield the wanted records in order."""
        if self.stream is not None and _WILD.isdisjoint(self.stream):
            records = log.read_stream(StreamId(self.stream))
        else:
            records = log.read_all(after_position=self.after)
        return filter(self.wants, records)

    def wants(self, record: Record) -> bool:
        """Return whether a record is wanted."""
        return (
            record.position > self.after
            and _fits(self.stream, record.stream)
            and (not self.tags or any(_fits(tag, record.tag) for tag in self.tags))
            and (self.user is None or self.user == record.user_id)
            and (self.request is None or self.request == record.correlation_id)
            and (self.since_us is None or record.time_us >= self.since_us)
            and (self.until_us is None or record.time_us < self.until_us)
        )


def _fits(pattern: str | None, text: str) -> bool:
    return pattern is None or fnmatch.fnmatchcase(text, pattern)
