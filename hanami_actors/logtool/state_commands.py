"""Commands that fold: the state of a stream at a version, and what changed between two."""

from typing import Any

import click

from hanami_actors.domain.aggregates import aggregate_of
from hanami_actors.errors import BadRequestError
from hanami_actors.eventlog.port import Record
from hanami_actors.eventlog.replay import state_at
from hanami_actors.logtool.directory_reader import Source
from hanami_actors.logtool.exits import Verdict
from hanami_actors.logtool.output import Output, json_option
from hanami_actors.logtool.plain_values import (
    Change,
    Plain,
    changes_between,
    compact,
    plain_record,
    plain_state,
    tree_lines,
)
from hanami_actors.logtool.times import parse_time, show_time
from hanami_actors.ports import SystemClock
from hanami_actors.types import StreamId

__all__ = ["diff", "find_version", "state"]

AT_HELP = "A version of the stream, @POSITION of the log, or a time (ISO 8601 in UTC, or 15m ago)."


@click.command()
@click.argument("stream")
@click.option("--at", "moment", help=AT_HELP + " Default: now.")
@json_option
@click.pass_obj
def state(source: Source, stream: str, moment: str | None, *, as_json: bool) -> None:
    """Show the state of STREAM as it was at a moment.

    The beginning of a name is enough when only one stream begins so.
    """
    found = source.stream(stream)
    version = find_version(source, found, moment)
    shown = _state(source, found, version)
    output = Output(as_json=as_json)
    if as_json:
        output.document({"stream": found, "version": version, "state": shown})
        return
    last = _record_at(source, found, version)
    when = f", after {last.tag} at {show_time(last.time_us)}" if last else ""
    output.line(f"{found} version {version}{when}", style="bold")
    for name, value in shown.items():
        for line in tree_lines(value, name):
            output.line(line)


@click.command()
@click.argument("stream")
@click.argument("moment_1")
@click.argument("moment_2", default="")
@json_option
@click.pass_obj
def diff(source: Source, stream: str, moment_1: str, moment_2: str, *, as_json: bool) -> None:
    """Show what changed in STREAM between two moments, and the records in between.

    A moment is a version, @POSITION or a time; the second one is now if it is not given. The exit
    code is 1 if the states differ.
    """
    found = source.stream(stream)
    before, after = (find_version(source, found, each or None) for each in (moment_1, moment_2))
    changes = list(changes_between(_state(source, found, before), _state(source, found, after)))
    low, high = sorted((before, after))
    records = [
        record
        for record in source.log.read_stream(found, after_version=low)
        if record.version <= high
    ]
    output = Output(as_json=as_json)
    if as_json:
        output.document(
            {
                "stream": found,
                "versions": [before, after],
                "changes": [change._asdict() for change in changes],
                "records": [plain_record(record) for record in records],
            }
        )
    else:
        _print_diff(output, f"{found} version {before} → {after}", changes, records)
    if changes:
        raise Verdict


def find_version(source: Source, stream: StreamId, moment: str | None) -> int:
    """Return the version of a stream at a moment.

    Raises
    ------
    BadRequestError
        The text is neither a version, a position nor a time.
    """
    if moment is None:
        return source.log.stream_version(stream)
    if moment.isdecimal():
        return int(moment)
    if moment.startswith("@") and moment[1:].isdecimal():
        position = int(moment[1:])
        return _count(source, stream, lambda record: record.position <= position)
    if moment[:1] in {"@", "-"}:
        raise BadRequestError(f"'{moment}' is no moment. {AT_HELP}")
    time_us = parse_time(moment, SystemClock())
    return _count(source, stream, lambda record: record.time_us <= time_us)


def _count(source: Source, stream: StreamId, is_in: Any) -> int:
    # The last record that fits, not the first that does not: a clock may have been set back.
    fitting = [record.version for record in source.log.read_stream(stream) if is_in(record)]
    return fitting[-1] if fitting else 0


def _state(source: Source, stream: StreamId, version: int) -> Plain:
    initial, apply = aggregate_of(stream)
    return plain_state(state_at(source.log, stream, version, initial(), apply))


def _record_at(source: Source, stream: StreamId, version: int) -> Record | None:
    if version == 0:
        return None
    return next(source.log.read_stream(stream, after_version=version - 1), None)


def _print_diff(output: Output, title: str, changes: list[Change], records: list[Record]) -> None:
    output.line(title, style="bold")
    if not changes:
        output.line("the states are equal")
    for change in changes:
        if change.before is not None:
            output.line(f"- {change.path}: {compact(change.before, change.path)}", style="red")
        if change.after is not None:
            output.line(f"+ {change.path}: {compact(change.after, change.path)}", style="green")
    if records:
        output.line("")
    for record in records:
        output.record(record)
