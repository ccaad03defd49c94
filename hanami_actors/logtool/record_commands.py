"""Commands that print records: list, show, tail, export, streams."""

import json
import threading
from collections import deque
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click

from hanami_actors.errors import BadRequestError, NotFoundError
from hanami_actors.eventlog.directory import storage_errors
from hanami_actors.eventlog.port import Record
from hanami_actors.logtool.directory_reader import Source
from hanami_actors.logtool.filters import RecordFilter, filter_options
from hanami_actors.logtool.output import Output, json_option
from hanami_actors.logtool.plain_values import plain_record
from hanami_actors.logtool.progress import Bar
from hanami_actors.logtool.times import parse_time
from hanami_actors.ports import SystemClock

__all__ = ["export", "list_records", "show", "streams", "tail"]

FOLLOW_INTERVAL_S = 0.2
EXPORT_STEP = 1_000


@click.command("list")
@filter_options
@click.option("-n", "--limit", type=click.IntRange(min=1), help="Only the newest N of these.")
@json_option
@click.pass_obj
def list_records(source: Source, /, *, limit: int | None, as_json: bool, **choice: Any) -> None:
    """List records, oldest first."""
    output = Output(as_json=as_json)
    for record in _newest(source, _filter(**choice), limit):
        output.record(record)


@click.command()
@click.argument("position", type=click.IntRange(min=1))
@json_option
@click.pass_obj
def show(source: Source, position: int, *, as_json: bool) -> None:
    """Show one record with everything it holds."""
    record = next(source.log.read_all(after_position=position - 1), None)
    if record is None:
        newest = source.log.head().position
        raise NotFoundError(f"there is no record {position}; the newest is {newest}")
    Output(as_json=as_json).document(plain_record(record))


@click.command()
@filter_options
@click.option("-n", "--limit", type=click.IntRange(min=0), default=10, help="Begin N records ago.")
@click.option("-f", "--follow", is_flag=True, help="Go on with what is appended, until Ctrl-C.")
@json_option
@click.pass_obj
def tail(source: Source, /, *, limit: int, follow: bool, as_json: bool, **choice: Any) -> None:
    """Show the newest records."""
    output = Output(as_json=as_json)
    wanted = _filter(**choice)
    position = source.log.head().position
    for record in _newest(source, wanted, limit) if limit else ():
        output.record(record)
        position = max(position, record.position)
    pause = threading.Event()
    while follow:
        for record in source.log.read_all(after_position=position):
            position = record.position
            if wanted.wants(record):
                output.record(record)
        pause.wait(FOLLOW_INTERVAL_S)


@click.command()
@filter_options
@click.option("-o", "--output", "path", type=click.Path(path_type=Path), help="Into this new file.")
@json_option
@click.pass_obj
def export(source: Source, /, *, path: Path | None, as_json: bool, **choice: Any) -> None:
    """Write records as JSON lines, one object a record."""
    wanted = _filter(**choice)
    head = source.log.head()
    lines = _lines(source, wanted, head.position)
    if path is None:
        for line in lines:
            click.echo(line)
        return
    count = 0
    if path.exists():
        raise BadRequestError(f"the file {path} exists; name a new one")
    with storage_errors(f"the file {path}"), path.open("x", encoding="utf-8") as file:
        for line in lines:
            file.write(line + "\n")
            count += 1
    output = Output(as_json=as_json)
    if as_json:
        output.document({"records": count, "path": str(path)})
    output.line(f"{count} records are in {path}")


@click.command()
@click.argument("prefix", default="")
@json_option
@click.pass_obj
def streams(source: Source, prefix: str, *, as_json: bool) -> None:
    """List the streams whose names begin with PREFIX."""
    output = Output(as_json=as_json)
    found = source.log.streams(prefix)
    if as_json:
        for stream, version in found:
            click.echo(json.dumps({"stream": stream, "version": version}))
        return
    rows = ([stream, str(version)] for stream, version in found)
    output.table("", ("stream", "version"), rows, numbers=1)


def _filter(*, since: str | None, until: str | None, **others: Any) -> RecordFilter:
    clock = SystemClock()
    return RecordFilter(
        since_us=None if since is None else parse_time(since, clock),
        until_us=None if until is None else parse_time(until, clock),
        **others,
    )


def _newest(source: Source, wanted: RecordFilter, limit: int | None) -> Iterator[Record]:
    if limit is None:
        return wanted.read(source.log)
    if wanted.is_open:
        after = max(wanted.after, source.log.head().position - limit)
        return source.log.read_all(after_position=after)
    return iter(deque(wanted.read(source.log), maxlen=limit))


def _lines(source: Source, wanted: RecordFilter, last: int) -> Iterator[str]:
    with Bar("exporting", last) as bar:
        for record in wanted.read(source.log):
            yield json.dumps(plain_record(record), sort_keys=True, ensure_ascii=False)
            if record.position % EXPORT_STEP == 0:
                bar.reached(record.position)
