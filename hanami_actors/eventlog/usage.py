"""What a data directory uses how much for, and why: records, blobs, snapshots, uploads."""

import os
from collections import Counter, defaultdict
from collections.abc import Callable
from pathlib import Path

from hanami_actors.domain.base import Value
from hanami_actors.errors import BlobMissingError
from hanami_actors.eventlog.blobs import BlobStore
from hanami_actors.eventlog.collect import Plan, Retention
from hanami_actors.eventlog.directory import DataDirectory
from hanami_actors.eventlog.journal import JOURNAL_NAMES
from hanami_actors.eventlog.lmdb_log import LmdbEventLog
from hanami_actors.eventlog.snapshots import SnapshotStore
from hanami_actors.eventlog.table_snapshots import STREAM as TABLES_STREAM
from hanami_actors.types import Digest, StreamId

__all__ = ["BlobUse", "SnapshotUse", "TagUse", "Usage", "usage_of"]

UNREFERENCED = "named by nothing that lives"
OTHER_PLACES = ("uploads", *JOURNAL_NAMES)
_PROGRESS_STEP = 1_000


class TagUse(Value, frozen=True, kw_only=True):
    """The records of one tag."""

    tag: str
    record_count: int
    size_bytes: int


class BlobUse(Value, frozen=True, kw_only=True):
    """Blobs of one kind that are kept for the same reason.

    Attributes
    ----------
    kind : str
        What they are.
    kept_by : str
        Kinds of streams that name them, or that nothing does.
    removable_bytes : int
        Of those that the next cleaning up may remove.
    """

    kind: str
    kept_by: str
    blob_count: int
    size_bytes: int
    removable_bytes: int


class SnapshotUse(Value, frozen=True, kw_only=True):
    """The snapshots of one stream.

    Attributes
    ----------
    name : str
        Of the cluster, empty if it is not known.
    kept_by : str
        Why its snapshots are there.
    removable_bytes : int
        Of those that the next cleaning up may remove.
    """

    stream: str
    name: str
    kept_by: str
    snapshot_count: int
    size_bytes: int
    removable_bytes: int


class Usage(Value, frozen=True, kw_only=True):
    """What a data directory uses.

    Attributes
    ----------
    record_count, stream_count : int
    log_file_bytes, log_used_bytes, map_size_bytes : int
        Size of the file, what of it is in use, and the address space reserved for it.
    other : tuple of (name, bytes)
        Further directories.
    free_bytes : int
        Room left on the disk.
    """

    record_count: int
    stream_count: int
    log_file_bytes: int
    log_used_bytes: int
    map_size_bytes: int
    tags: tuple[TagUse, ...]
    blobs: tuple[BlobUse, ...]
    snapshots: tuple[SnapshotUse, ...]
    other: tuple[tuple[str, int], ...]
    free_bytes: int


def usage_of(
    directory: DataDirectory,
    log: LmdbEventLog,
    older_than_s: float,
    progress: Callable[[int], None] = lambda _: None,
) -> Usage:
    """Read a whole log and look at all files.

    Parameters
    ----------
    directory : DataDirectory
    log : LmdbEventLog
        Of this directory.
    older_than_s : float
        Time of day in seconds; what changed since is not removed. See `Retention`.
    progress : callable
        Told the position reached.
    """
    counts: Counter[str] = Counter()
    sizes: Counter[str] = Counter()
    names: dict[str, str] = {}
    retention = Retention(older_than_s)
    for record, size_bytes in log.read_sized():
        counts[record.tag] += 1
        sizes[record.tag] += size_bytes
        retention.add(record)
        if record.tag in {"cluster.created", "cluster.renamed"}:
            names[record.stream] = str(getattr(record.event, "name", ""))
        if record.position % _PROGRESS_STEP == 0:
            progress(record.position)
    disk = os.statvfs(directory.path)
    plan = retention.plan(directory)
    return Usage(
        record_count=log.head().position,
        stream_count=sum(1 for _ in log.streams()),
        log_file_bytes=(directory.log / "data.mdb").stat().st_size,
        log_used_bytes=log.used_bytes(),
        map_size_bytes=log.map_size_bytes(),
        tags=tuple(
            TagUse(tag=tag, record_count=counts[tag], size_bytes=sizes[tag])
            for tag in sorted(sizes, key=lambda tag: -sizes[tag])
        ),
        blobs=_blobs(BlobStore(directory.blobs, readonly=True), retention, plan),
        snapshots=_snapshots(
            SnapshotStore(directory.snapshots, readonly=True), retention, plan, names
        ),
        other=tuple(
            (name, _tree_bytes(directory.path / name))
            for name in OTHER_PLACES
            if (directory.path / name).is_dir()
        ),
        free_bytes=disk.f_bavail * disk.f_frsize,
    )


def _blobs(store: BlobStore, retention: Retention, plan: Plan) -> tuple[BlobUse, ...]:
    holders, kinds = retention.holdings.holders(), retention.holdings.kinds()
    removable = {digest for digest, _ in plan.blobs}
    groups: defaultdict[tuple[str, str], dict[Digest, int]] = defaultdict(dict)
    for digest in store.iterate():
        named_by = sorted({stream.partition("/")[0] for stream in holders.get(digest, ())})
        kept_by = " and ".join(named_by) or UNREFERENCED
        try:
            size_bytes = store.size_bytes(digest)
        except BlobMissingError:
            continue  # removed in this moment
        groups[kinds.get(digest, "unknown"), kept_by][digest] = size_bytes
    uses = [
        BlobUse(
            kind=kind,
            kept_by=kept_by,
            blob_count=len(sizes),
            size_bytes=sum(sizes.values()),
            removable_bytes=sum(size for digest, size in sizes.items() if digest in removable),
        )
        for (kind, kept_by), sizes in groups.items()
    ]
    return tuple(sorted(uses, key=lambda use: -use.size_bytes))


def _snapshots(
    store: SnapshotStore, retention: Retention, plan: Plan, names: dict[str, str]
) -> tuple[SnapshotUse, ...]:
    found = []
    removable = set(plan.snapshots)
    for stream in store.streams():
        sizes = {name: store.size_bytes(stream, name) for name in store.names(stream)}
        found.append(
            SnapshotUse(
                stream=stream,
                name=names.get(stream, ""),
                kept_by=_reason(stream, retention),
                snapshot_count=len(sizes),
                size_bytes=sum(sizes.values()),
                removable_bytes=sum(
                    size for name, size in sizes.items() if (stream, name) in removable
                ),
            )
        )
    return tuple(sorted(found, key=lambda use: -use.size_bytes))


def _reason(stream: StreamId, retention: Retention) -> str:
    if stream == TABLES_STREAM:
        return "the server starts fast with it"
    holdings = retention.holdings
    if stream in holdings.alive:
        return "the cluster lives, or was deleted just now"
    if stream in holdings.reached():
        return "deleted, but others were restored from it"
    return UNREFERENCED


def _tree_bytes(directory: Path) -> int:
    """Return what a directory takes on the disk; uploads are files with holes."""
    return sum(_file_bytes(path) for path in directory.rglob("*"))


def _file_bytes(path: Path) -> int:
    try:
        return path.stat().st_blocks * 512 if path.is_file() else 0
    except FileNotFoundError:
        return 0  # removed in this moment
