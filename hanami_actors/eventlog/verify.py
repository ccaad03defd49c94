"""Checks of a whole data directory: chain, checksums, index, folds, blobs, snapshots."""

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from hanami_actors.domain.aggregates import AGGREGATES, kind_of
from hanami_actors.domain.references import Holdings
from hanami_actors.domain.tables import EMPTY, Tables, fold
from hanami_actors.errors import FaultError, HanamiError
from hanami_actors.eventlog.blobs import BlobStore
from hanami_actors.eventlog.journal import journal_segments
from hanami_actors.eventlog.lmdb_log import LmdbEventLog
from hanami_actors.eventlog.page_check import check_pages
from hanami_actors.eventlog.port import Record
from hanami_actors.eventlog.snapshots import SnapshotStore
from hanami_actors.types import Digest, StreamId

__all__ = [
    "Finding",
    "Folded",
    "Progress",
    "check_blobs",
    "check_chain",
    "check_index",
    "check_journals",
    "check_snapshots",
    "fold_all",
]

Progress = Callable[[int], None]
"""Told how many units of a piece of work are done."""

_PROGRESS_STEP = 1_000


class Finding(NamedTuple):
    """Something that does not hold.

    Attributes
    ----------
    what : str
        ``page``, ``log``, ``journal``, ``fold``, ``index``, ``blob``, ``snapshot`` or ``digest``.
    where : str
        The record, stream, blob or snapshot.
    text : str
        A sentence.
    """

    what: str
    where: str
    text: str


class Folded(NamedTuple):
    """What a log comes to.

    Attributes
    ----------
    tables : Tables
    states : dict
        State and version of every stream that has one, by its name.
    holdings : Holdings
        Who names which blobs.
    versions : dict
        How many records every stream has.
    record_count : int
    """

    tables: Tables
    states: dict[str, tuple[Any, int]]
    holdings: Holdings
    versions: dict[str, int]
    record_count: int


def check_chain(log: LmdbEventLog) -> Iterator[Finding]:
    """Yield the first record whose sums do not hold, or that is missing.

    After it nothing more can be said about those behind it.

    Parameters
    ----------
    log : LmdbEventLog
    """
    try:
        log.check_chain()
    except HanamiError as error:
        yield Finding("log", _place(error), error.message)


def check_journals(data_dir: Path) -> Iterator[Finding]:
    """Yield the journals whose pages or records do not hold.

    Parameters
    ----------
    data_dir : Path
    """
    for path in journal_segments(data_dir):
        try:
            check_pages(path)
            log = LmdbEventLog(path, readonly=True)
            try:
                log.check_chain()
                for _ in log.read_all():
                    pass
            finally:
                log.close()
        except HanamiError as error:
            # One that is beyond its retention goes while it is looked at.
            if path.exists():
                yield Finding("journal", str(path), f"{path}: {error.message}")


def check_index(
    log: LmdbEventLog, versions: Mapping[str, int], progress: Progress = lambda _: None
) -> Iterator[Finding]:
    """Yield the streams whose index does not lead to their records.

    Parameters
    ----------
    log : LmdbEventLog
        Whose records can all be read.
    versions : mapping
        How many records every stream has.
    progress : callable
        Told the number of streams that were compared.
    """
    for count, (name, version) in enumerate(versions.items(), 1):
        stream = StreamId(name)
        try:
            found = sum(1 for _ in log.read_stream(stream))
        except HanamiError as error:
            yield Finding("index", stream, error.message)
            continue
        if found != version:
            yield Finding(
                "index", stream, f"{stream} has {found} records, its index says {version}"
            )
        progress(count)


def fold_all(log: LmdbEventLog, progress: Progress = lambda _: None) -> Folded:
    """Fold every record into the published tables and into the state of its stream.

    Parameters
    ----------
    log : LmdbEventLog
    progress : callable
        Told the position reached.

    Raises
    ------
    HanamiError
        A record cannot be read or applied; a note names it.
    """
    tables = EMPTY
    states: dict[str, tuple[Any, int]] = {}
    holdings = Holdings()
    versions: dict[str, int] = {}
    position = 0
    for record in log.read_all():
        position = record.position
        try:
            tables = fold(
                tables, record.stream, record.version, position, record.time_us, record.event
            )
            _count(versions, record)
            _fold_stream(states, record)
            holdings.add(record.stream, record.event)
        except HanamiError as error:
            error.add_note(
                f"while applying {record.tag} at position {position}, "
                f"{record.stream} version {record.version}"
            )
            raise
        if position % _PROGRESS_STEP == 0:
            progress(position)
    return Folded(tables, states, holdings, versions, position)


def check_blobs(
    blobs: BlobStore, holdings: Holdings, progress: Progress = lambda _: None
) -> Iterator[Finding]:
    """Yield blobs that are damaged, and blobs that are named but missing.

    Parameters
    ----------
    blobs : BlobStore
    holdings : Holdings
    progress : callable
        Told the number of blobs that were read.
    """
    holders = holdings.holders()
    for count, digest in enumerate(sorted({*holders, *blobs.iterate()}), 1):
        named_by = ", ".join(holders.get(digest, ["nobody"]))
        try:
            blobs.check(Digest(digest))
        except FaultError as error:
            yield Finding("blob", digest, f"{error.message} (named by {named_by})")
        progress(count)


def check_snapshots(
    snapshots: SnapshotStore, progress: Progress = lambda _: None
) -> Iterator[Finding]:
    """Yield snapshots whose bytes are not those that were written.

    Parameters
    ----------
    snapshots : SnapshotStore
    progress : callable
        Told the number of snapshots that were read.
    """
    count = 0
    for stream in snapshots.streams():
        for name in snapshots.names(stream):
            try:
                snapshots.load(stream, name)
            except HanamiError as error:
                text = f"{error.message}; it is only a cache: it is skipped and computed again"
                yield Finding("snapshot", f"{stream} {name}", text)
            count += 1
            progress(count)


def _count(versions: dict[str, int], record: Record) -> None:
    version = versions.get(record.stream, 0)
    if record.version != version + 1:
        raise FaultError(
            f"stream {record.stream!r} goes from version {version} to version {record.version}"
        )
    versions[record.stream] = record.version


def _fold_stream(states: dict[str, tuple[Any, int]], record: Record) -> None:
    aggregate = AGGREGATES.get(kind_of(record.stream))
    if aggregate is None:
        return
    before = states[record.stream][0] if record.stream in states else aggregate.initial()
    after = aggregate.apply(before, record.event, record.time_us)
    states[record.stream] = (after, record.version)


def _place(error: HanamiError) -> str:
    words = error.message.split()
    if "record" in words[:-1]:
        number = words[words.index("record") + 1]
        return f"record {number}" if number.isdecimal() else "log"
    return "log"
