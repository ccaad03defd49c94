"""The published tables on disk, so that a start need not fold the whole log.

A cache like every snapshot: it is taken when it holds, was written by the same program, and
belongs to this very log (the hash of the record at its position is in it); otherwise everything is
folded again.
"""

import hashlib
import logging
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from types import GenericAlias
from typing import Any, Final, get_args, get_type_hints

import msgspec
from immutables import Map

from hanami_actors import __version__, domain
from hanami_actors.domain.base import Value
from hanami_actors.domain.tables import EMPTY, Tables
from hanami_actors.errors import HanamiError, SnapshotDamagedError
from hanami_actors.eventlog.port import EventLog
from hanami_actors.eventlog.snapshots import SnapshotStore, version_snapshot_name
from hanami_actors.types import StreamId

__all__ = ["STREAM", "TableImage", "TableSnapshots", "decode_tables", "encode_tables"]

STREAM: Final = StreamId("tables")
KEPT_COUNT = 2
CHUNK_LEN = 500
"""Rows encoded in one call: encoding holds the interpreter's lock, others wait that long."""

logger = logging.getLogger(__name__)


class TableImage(Value, frozen=True, kw_only=True):
    """What is known after a record.

    Attributes
    ----------
    tables : Tables
    open_tasks : mapping of str to str
        Cluster of every task that waits or computes, both by uuid.
    """

    tables: Tables = EMPTY
    open_tasks: Mapping[str, str] = {}


class _File(msgspec.Struct, frozen=True):
    fingerprint: str
    position: int
    chain_hash: bytes
    open_tasks: dict[str, str]
    tables: dict[str, list[bytes]]


_encode = msgspec.msgpack.Encoder().encode
_decode_file = msgspec.msgpack.Decoder(_File).decode


class TableSnapshots:
    """Snapshots of the published tables of one log.

    Parameters
    ----------
    store : SnapshotStore
    log : EventLog
    """

    def __init__(self, store: SnapshotStore, log: EventLog) -> None:
        self._store = store
        self._log = log

    def newest(self) -> TableImage:
        """Return the newest image that holds; an empty one if there is none.

        What does not hold is reported and removed.
        """
        for name in reversed(self._store.names(STREAM)):
            try:
                return self._load(name)
            except SnapshotDamagedError as error:
                logger.warning("the tables are folded from further back: %s", error)
                self._remove(name)
        return TableImage()

    def save(self, image: TableImage) -> None:
        """Store an image and remove older ones; for any one thread at a time.

        Raises
        ------
        HanamiError
            It cannot be stored; older ones are still there.
        """
        position = image.tables.position
        chain_hash = self._log.hash_at(position)
        payload = encode_tables(image, chain_hash)
        self._store.put(STREAM, version_snapshot_name(position), payload)
        for name in self._store.names(STREAM)[:-KEPT_COUNT]:
            self._remove(name)

    def _load(self, name: str) -> TableImage:
        image, chain_hash = decode_tables(self._store.load(STREAM, name))
        position = image.tables.position
        if position > self._log.head().position or self._log.hash_at(position) != chain_hash:
            raise SnapshotDamagedError(
                f"the tables at record {position} belong to another log, or to a later state of it"
            )
        return image

    def _remove(self, name: str) -> None:
        try:
            self._store.delete(STREAM, name)
        except HanamiError as error:
            logger.warning("tables %s cannot be removed: %s", name, error)


def encode_tables(image: TableImage, chain_hash: bytes) -> bytes:
    """Return the bytes of an image.

    Parameters
    ----------
    image : TableImage
    chain_hash : bytes
        Of the record at its position.
    """
    tables = {name: list(_chunks(getattr(image.tables, name))) for name in _decoders()}
    file = _File(_fingerprint(), image.tables.position, chain_hash, dict(image.open_tasks), tables)
    return _encode(file)


def decode_tables(payload: bytes) -> tuple[TableImage, bytes]:
    """Return an image and the hash of the record at its position.

    Raises
    ------
    SnapshotDamagedError
        The bytes are none of `encode_tables` of this program.
    """
    try:
        file = _decode_file(payload)
        if file.fingerprint != _fingerprint():
            raise SnapshotDamagedError("they were written by another version of the program")
        tables: dict[str, Any] = {"position": file.position}
        for name, decode in _decoders().items():
            rows: dict[str, Any] = {}
            for chunk in file.tables[name]:
                rows.update(decode(chunk))
            tables[name] = Map(rows)
    except (msgspec.MsgspecError, KeyError) as error:
        raise SnapshotDamagedError(f"they cannot be decoded: {error}") from error
    return TableImage(tables=Tables(**tables), open_tasks=file.open_tasks), file.chain_hash


def _chunks(rows: Mapping[str, Any]) -> Iterator[bytes]:
    chunk: dict[str, Any] = {}
    for key, row in rows.items():
        chunk[key] = row
        if len(chunk) == CHUNK_LEN:
            yield _encode(chunk)
            chunk = {}
    if chunk:
        yield _encode(chunk)


@cache
def _decoders() -> Mapping[str, Any]:
    """Return a decoder of ``dict[str, row]`` for every field of `Tables` that is a table."""
    decoders = {}
    for name, annotation in get_type_hints(Tables).items():
        if name != "position":
            table_type: Any = GenericAlias(dict, (str, get_args(annotation)[1]))
            decoders[name] = msgspec.msgpack.Decoder(table_type).decode
    return decoders


@cache
def _fingerprint() -> str:
    """Return what changes whenever a fold or a state could: version and sources of the domain."""
    hasher = hashlib.blake2b(__version__.encode(), digest_size=16)
    (directory,) = domain.__path__
    for path in sorted(Path(directory).rglob("*.py")):
        hasher.update(path.name.encode() + path.read_bytes())
    return hasher.hexdigest()
