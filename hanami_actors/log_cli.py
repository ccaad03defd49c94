"""The command ``hanami-log``: looks at the event log of a data directory, also of a running server."""

import datetime as dt
import json
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import click
import msgspec
from rich.console import Console
from rich.table import Table

from hanami_actors.domain.tables import EMPTY, fold
from hanami_actors.errors import HanamiError
from hanami_actors.eventlog.directory import DataDirectory
from hanami_actors.eventlog.lmdb_log import LmdbEventLog
from hanami_actors.eventlog.port import EventLog, Record
from hanami_actors.types import StreamId

__all__ = ["cli", "main"]

DATA_SHOWN_LEN_MAX = 100
HIDDEN_FIELDS = ("passphrase_hash",)


def main() -> int:
    """Run ``hanami-log``; return the exit code.

    Returns
    -------
    int
        0 when all is well, 1 when the log does not hold or cannot be read, 2 for a wrong usage.
    """
    try:
        cli.main(prog_name="hanami-log", standalone_mode=False)
    except click.exceptions.Exit as exit_request:
        return exit_request.exit_code
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except HanamiError as error:
        click.echo(f"hanami-log: {error.message}", err=True)
        return 1
    return 0


@click.group()
@click.option(
    "--data-dir",
    type=click.Path(path_type=Path),
    default=Path("hanami-data"),
    envvar="HANAMI_DATA_DIR",
    show_default=True,
    help="Data directory of a server; it may run meanwhile.",
)
@click.pass_context
def cli(context: click.Context, data_dir: Path) -> None:
    """Look at the event log of hanami-server. Nothing is ever changed."""
    log = LmdbEventLog(DataDirectory(data_dir).log, readonly=True)
    context.obj = log
    context.call_on_close(log.close)


@cli.command("list")
@click.option("--stream", help="Only this stream, for example cluster/UUID.")
@click.option("--tag", help="Only events with this tag, for example cluster.task_queued.")
@click.option("--user", help="Only what this user caused.")
@click.option("--after", default=0, help="Only records after this position.")
@click.option("-n", "--limit", type=click.IntRange(min=1), help="Only the newest N of these.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line.")
@click.pass_obj
def list_records(  # noqa: PLR0913 - one parameter an option
    log: EventLog,
    stream: str | None,
    tag: str | None,
    user: str | None,
    after: int,
    limit: int | None,
    *,
    as_json: bool,
) -> None:
    """List records, oldest first."""
    chosen = [
        record
        for record in _records(log, stream, after)
        if (tag is None or record.tag == tag) and (user is None or record.user_id == user)
    ]
    _print_records(chosen[-limit:] if limit else chosen, as_json=as_json)


@cli.command()
@click.argument("position", type=click.IntRange(min=1))
@click.pass_obj
def show(log: EventLog, position: int) -> None:
    """Show one record as JSON."""
    record = next(log.read_all(after_position=position - 1), None)
    if record is None:
        raise click.UsageError(
            f"there is no record {position}; the newest is {log.head().position}"
        )
    click.echo(json.dumps(_plain(record), indent=4, sort_keys=True))


@cli.command()
@click.option("--json", "as_json", is_flag=True, help="For programs.")
@click.pass_obj
def stats(log: EventLog, *, as_json: bool) -> None:
    """Count the records by tag."""
    counts = Counter(record.tag for record in log.read_all())
    if as_json:
        click.echo(json.dumps(counts, sort_keys=True))
        return
    table = Table("tag", "records")
    for tag, count in sorted(counts.items()):
        table.add_row(tag, str(count))
    Console(file=sys.stdout).print(table)


@cli.command()
@click.pass_obj
def verify(log: LmdbEventLog) -> None:
    """Check every checksum, the chain of hashes and the folds; name the first record that fails."""
    head = log.check_chain()
    tables = EMPTY
    for record in log.read_all():
        tables = fold(
            tables, record.stream, record.version, record.position, record.time_us, record.event
        )
    click.echo(f"{head.position} records hold: checksums, chain and folds are right")


def _records(log: EventLog, stream: str | None, after: int) -> Iterator[Record]:
    if stream is None:
        yield from log.read_all(after_position=after)
        return
    for record in log.read_stream(StreamId(stream)):
        if record.position > after:
            yield record


def _print_records(records: list[Record], *, as_json: bool) -> None:
    if as_json:
        for record in records:
            click.echo(json.dumps(_plain(record), sort_keys=True))
        return
    for record in records:
        data = json.dumps(_plain(record)["event"])
        if len(data) > DATA_SHOWN_LEN_MAX:
            data = data[: DATA_SHOWN_LEN_MAX - 1] + "…"
        time = _time(record).strftime("%Y-%m-%d %H:%M:%S")
        place = f"{record.stream} v{record.version}"
        click.echo(
            f"{record.position:>8}  {time}  {record.tag:<24}{place}  {record.user_id}  {data}"
        )


def _plain(record: Record) -> dict[str, object]:
    plain: dict[str, object] = msgspec.to_builtins(record)
    plain["time"] = _time(record).isoformat()
    event = plain["event"]
    if isinstance(event, dict):
        # Hashes may be stored, but nobody needs to see them on a screen.
        event.update({name: "(hidden)" for name in HIDDEN_FIELDS if name in event})
    return plain


def _time(record: Record) -> dt.datetime:
    return dt.datetime.fromtimestamp(record.time_us / 1e6, tz=dt.UTC)


if __name__ == "__main__":
    sys.exit(main())
