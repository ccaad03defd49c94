"""A data directory as a small text file: JSON lines with the records and blobs as they are.

The first line says what the history pins and what is expected of it; each line after it holds the
bytes of one blob or one record, in base64.
"""

import base64
import json
import struct
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import lmdb
import msgpack  # type: ignore[import-untyped]

from hanami_actors.eventlog import codec
from hanami_actors.eventlog.blobs import BlobStore
from hanami_actors.eventlog.codec import EMPTY_HEAD, chain_hash_of
from hanami_actors.eventlog.directory import DataDirectory
from hanami_actors.eventlog.lmdb_env import pack_head
from hanami_actors.eventlog.lmdb_log import LmdbEventLog
from hanami_actors.eventlog.port import Head
from hanami_actors.types import Position

NUMBER = struct.Struct(">Q")
BODY = slice(32, -4)


class Container(NamedTuple):
    """The content of a file."""

    about: str
    expect: dict[str, Any]
    blobs: list[bytes]
    records: list[tuple[int, bytes]]

    @property
    def envelopes(self) -> list[dict[str, Any]]:
        return [msgpack.unpackb(value[BODY]) for _, value in self.records]


def write_container(path: Path, container: Container) -> None:
    lines: list[dict[str, Any]] = [{"about": container.about, "expect": container.expect}]
    lines += [{"blob": base64.b64encode(blob).decode()} for blob in container.blobs]
    lines += [
        {"position": position, "record": base64.b64encode(value).decode()}
        for position, value in container.records
    ]
    text = "".join(json.dumps(line, sort_keys=True) + "\n" for line in lines)
    path.write_text(text, encoding="utf-8")


def read_container(path: Path) -> Container:
    first, *rest = (json.loads(line) for line in path.read_text(encoding="utf-8").splitlines())
    return Container(
        about=first["about"],
        expect=first["expect"],
        blobs=[base64.b64decode(line["blob"]) for line in rest if "blob" in line],
        records=[
            (line["position"], base64.b64decode(line["record"]))
            for line in rest
            if "record" in line
        ],
    )


def pack_directory(directory: DataDirectory, about: str) -> Container:
    """Take a data directory; what is expected of it is filled in later."""
    log = LmdbEventLog(directory.log, readonly=True)
    values = [value for _, page in log._pages(0) for value in page]
    log.close()
    blobs = BlobStore(directory.blobs, readonly=True)
    return Container(
        about=about,
        expect={},
        blobs=[blobs.path(digest).read_bytes() for digest in blobs.iterate()],
        records=list(enumerate(values, 1)),
    )


def unpack_directory(container: Container, path: Path) -> DataDirectory:
    """Make a data directory of it, whatever its records are worth."""
    directory = DataDirectory(path)
    directory.create()
    blobs = BlobStore(directory.blobs)
    for blob in container.blobs:
        blobs.put(blob)
    LmdbEventLog(directory.log, map_size_bytes=2**22, sync=False).close()
    with lmdb.open(str(directory.log), map_size=2**24, max_dbs=16, lib_version=0) as env:
        records, streams, meta = (
            env.open_db(name, create=False) for name in (b"records", b"streams", b"meta")
        )
        head = EMPTY_HEAD
        with env.begin(write=True) as txn:
            for (position, value), envelope in zip(
                container.records, container.envelopes, strict=True
            ):
                key = NUMBER.pack(position)
                txn.put(key, value, db=records)
                index = envelope["stream"].encode() + b"\0" + NUMBER.pack(envelope["version"])
                txn.put(index, key, db=streams)
                head = Head(position=Position(position), chain_hash=chain_hash_of(value))
            if "head" in container.expect:
                position, text = container.expect["head"]
                head = Head(position=Position(position), chain_hash=bytes.fromhex(text))
            txn.put(b"head", pack_head(head), db=meta)
    return directory


def seal_body(before: Head, body: bytes) -> bytes:
    """Return the bytes of the record after another, whatever its body says."""
    position = before.position + 1
    chain = codec._chain_hash(before.chain_hash, position, body)
    sealed = before.chain_hash + chain + body
    return sealed + zlib.crc32(sealed, position).to_bytes(4, "little")


def reseal(
    container: Container, edit: Callable[[int, dict[str, Any]], dict[str, Any]]
) -> Container:
    """Change the maps of records and give all of them new, valid sums."""
    head = EMPTY_HEAD
    records: list[tuple[int, bytes]] = []
    for (position, _), envelope in zip(container.records, container.envelopes, strict=True):
        value = seal_body(head, msgpack.packb(edit(position, envelope)))
        head = Head(position=Position(position), chain_hash=chain_hash_of(value))
        records.append((position, value))
    return container._replace(records=records)
