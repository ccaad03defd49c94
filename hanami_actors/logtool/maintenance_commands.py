"""Commands about the whole directory: verify, stats, backup."""

from collections.abc import Iterator
from pathlib import Path

import click

from hanami_actors import settings
from hanami_actors.errors import HanamiError, LogCorruptError
from hanami_actors.eventlog.backup import back_up
from hanami_actors.eventlog.page_check import check_pages
from hanami_actors.eventlog.usage import Usage, usage_of
from hanami_actors.eventlog.verify import (
    Finding,
    Folded,
    check_blobs,
    check_chain,
    check_index,
    check_journals,
    check_snapshots,
    fold_all,
)
from hanami_actors.logtool.directory_reader import Source
from hanami_actors.logtool.exits import Verdict
from hanami_actors.logtool.output import Output, json_option, show_bytes
from hanami_actors.logtool.plain_values import plain_state
from hanami_actors.logtool.progress import Bar
from hanami_actors.ports import SystemClock

__all__ = ["backup", "stats", "verify"]


@click.command()
@click.option("--recompute", is_flag=True, help="Run all training again and compare the digests.")
@click.option("--fast", is_flag=True, help="Only the log, not the files it names.")
@json_option
@click.pass_obj
def verify(source: Source, *, recompute: bool, fast: bool, as_json: bool) -> None:
    """Check that everything holds; name the first record, stream or file that does not.

    Checked are the checksum of every record and the chain of hashes, the index of streams, that
    every record can be applied, the bytes of all blobs and snapshots, and that every blob that
    something living names is there. The exit code is 1 if anything does not hold.
    """
    output = Output(as_json=as_json)
    findings: list[Finding] = []
    done: dict[str, object] = {}
    for finding in _findings(source, output, done, recompute=recompute, fast=fast):
        findings.append(finding)
        output.line(f"{finding.what}: {finding.text}", style="red")
    if as_json:
        shown = [finding._asdict() for finding in findings]
        output.document({**done, "holds": not findings, "findings": shown})
    if findings:
        count = len(findings)
        output.line(f"{count} thing{'s' if count > 1 else ''} did not hold", style="bold red")
        raise Verdict


def _findings(
    source: Source, output: Output, done: dict[str, object], *, recompute: bool, fast: bool
) -> Iterator[Finding]:
    try:
        with Bar("pages", source.page_count()) as bar:
            check_pages(source.directory.log, bar.reached)
    except LogCorruptError as error:
        yield Finding("page", "", error.message)
        return
    head = source.log.head().position
    broken = list(check_chain(source.log))
    yield from broken
    if broken:
        return
    try:
        with Bar("folding", head) as bar:
            folded = fold_all(source.log, bar.reached)
    except HanamiError as error:
        yield Finding("fold", "", ": ".join([error.message, *getattr(error, "__notes__", ())]))
        return
    with Bar("streams", len(folded.versions)) as bar:
        broken = list(check_index(source.log, folded.versions, bar.reached))
    yield from broken
    if not broken:
        output.line(f"{head} records hold: checksums, chain, folds and index are right")
    done.update(records=folded.record_count, streams=len(folded.versions))
    yield from check_journals(source.directory.path)
    if not fast:
        yield from _files(source, output, folded, done)
    if recompute:
        # Imported late: numpy and the kernels take a second to load.
        from hanami_actors.logtool.replay_commands import recompute_all

        yield from recompute_all(source, output, folded, done)


def _files(
    source: Source, output: Output, folded: Folded, done: dict[str, object]
) -> Iterator[Finding]:
    digests = {*source.blobs.iterate(), *folded.holdings.holders()}
    with Bar("blobs", len(digests)) as bar:
        broken = list(check_blobs(source.blobs, folded.holdings, bar.reached))
    yield from broken
    output.line(f"{len(digests) - len(broken)} of {len(digests)} blobs hold")
    names = [
        name for stream in source.snapshots.streams() for name in source.snapshots.names(stream)
    ]
    with Bar("snapshots", len(names)) as bar:
        damaged = list(check_snapshots(source.snapshots, bar.reached))
    yield from damaged
    output.line(f"{len(names) - len(damaged)} of {len(names)} snapshots hold")
    done.update(blobs=len(digests), snapshots=len(names))


@click.command()
@click.option(
    "--grace-s",
    type=click.FloatRange(min=0),
    default=lambda: settings.defaults().cleanup_grace_s,
    show_default="as a server without configuration",
    help="The server's setting cleanup_grace_s.",
)
@json_option
@click.pass_obj
def stats(source: Source, *, grace_s: float, as_json: bool) -> None:
    """Say what uses how much, why it is kept, and what the server may remove of it."""
    older_than_s = SystemClock().now_us() / 1e6 - grace_s
    with Bar("reading", source.log.head().position) as bar:
        usage = usage_of(source.directory, source.log, older_than_s, bar.reached)
    output = Output(as_json=as_json)
    if as_json:
        output.document(plain_state(usage))
        return
    _print_usage(output, usage)


def _print_usage(output: Output, usage: Usage) -> None:
    output.line(
        f"log: {usage.record_count} records in {usage.stream_count} streams,"
        f" {show_bytes(usage.log_used_bytes)} in use of a file of"
        f" {show_bytes(usage.log_file_bytes)} (map {show_bytes(usage.map_size_bytes)})",
        style="bold",
    )
    output.table(
        "records",
        ("tag", "records", "size"),
        ([use.tag, str(use.record_count), show_bytes(use.size_bytes)] for use in usage.tags),
        numbers=2,
    )
    output.table(
        "blobs",
        ("what", "kept by", "blobs", "size", "removable"),
        (
            [
                *(use.kind, use.kept_by, str(use.blob_count)),
                *(show_bytes(use.size_bytes), show_bytes(use.removable_bytes)),
            ]
            for use in usage.blobs
        ),
        numbers=3,
    )
    output.table(
        "snapshots (a cache: all of it may be deleted)",
        ("stream", "name", "kept because", "snapshots", "size", "removable"),
        (
            [
                *(use.stream, use.name, use.kept_by, str(use.snapshot_count)),
                *(show_bytes(use.size_bytes), show_bytes(use.removable_bytes)),
            ]
            for use in usage.snapshots
        ),
        numbers=3,
    )
    rows = [[name, show_bytes(size_bytes)] for name, size_bytes in usage.other]
    rows.append(["free on the disk", show_bytes(usage.free_bytes)])
    output.table("other", ("what", "size"), rows, numbers=1)


@click.command()
@click.argument("directory", type=click.Path(path_type=Path))
@json_option
@click.pass_obj
def backup(source: Source, directory: Path, *, as_json: bool) -> None:
    """Copy the data directory, also of a running server, into a new DIRECTORY.

    The copy is what the server held at one moment. A server can be started on it, and all commands
    of hanami-log work on it, also on another machine.
    """
    source.log.close()
    with Bar("copying", 1) as bar:
        report = back_up(source.directory, directory, bar.describe)
    output = Output(as_json=as_json)
    if as_json:
        output.document({"path": str(directory), **report._asdict()})
    output.line(
        f"{directory} holds the log up to record {report.position}, {report.blob_count} blobs,"
        f" {report.snapshot_count} snapshots and {report.upload_count} open uploads"
        f" ({show_bytes(report.size_bytes)})"
    )
    for text in report.damaged:
        output.line(f"not whole in the original: {text}", style="red")
    if report.damaged:
        raise Verdict
