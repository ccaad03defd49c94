"""Logs on disk that somebody, or something, has changed."""

import struct
from collections.abc import Callable
from pathlib import Path

import lmdb
import pytest

from hanami_actors.errors import LogCorruptError
from hanami_actors.eventlog.codec import EMPTY_HEAD, Codec
from hanami_actors.eventlog.lmdb_log import LmdbEventLog
from hanami_actors.eventlog.port import Head
from hanami_actors.types import Position, StreamId, StreamVersion
from tests.unit.eventlog.builders import append, batch, cycles, open_log, stamp

A, B = StreamId("cluster/a"), StreamId("cluster/b")


def key(position: int) -> bytes:
    return struct.pack(">Q", position)


def edit(path: Path, name: bytes, change: Callable[["lmdb.Transaction[bytes]"], object]) -> None:
    with lmdb.open(str(path), map_size=2**24, max_dbs=16, lib_version=0) as environment:
        database = environment.open_db(name, create=False)
        with environment.begin(db=database, write=True) as txn:
            change(txn)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Return a closed log: 8 records of A at 1 to 8, 4 of B at 9 to 12."""
    log = open_log(tmp_path / "log")
    log.append([batch(append(A, 0, *cycles(8)))])
    log.append([batch(append(B, 0, *cycles(4)))])
    log.close()
    return tmp_path / "log"


def read_everything(path: Path) -> None:
    log = LmdbEventLog(path, readonly=True)
    try:
        list(log.read_all())
    finally:
        log.close()


def assert_found(path: Path, words: str) -> None:
    with pytest.raises(LogCorruptError, match=words):
        read_everything(path)


def test_an_untouched_log_holds(path: Path) -> None:
    read_everything(path)
    log = open_log(path)
    assert log.check_chain().position == 12
    log.close()


@pytest.mark.parametrize("position", [1, 5, 12])
def test_a_flipped_bit_is_found_at_its_record(path: Path, position: int) -> None:
    def flip(txn: "lmdb.Transaction[bytes]") -> None:
        value = bytearray(txn.get(key(position)) or b"")
        value[60] ^= 4
        txn.put(key(position), bytes(value))

    edit(path, b"records", flip)
    assert_found(path, f"record {position} is damaged")
    log = open_log(path)
    with pytest.raises(LogCorruptError, match=f"record {position} is damaged"):
        log.check_chain()
    if position <= 8:
        with pytest.raises(LogCorruptError, match=f"record {position} is damaged"):
            list(log.read_stream(A))
        assert len(list(log.read_stream(B))) == 4
    log.close()


def test_the_records_before_a_damaged_one_are_still_read(path: Path) -> None:
    def flip(txn: "lmdb.Transaction[bytes]") -> None:
        txn.put(key(7), (txn.get(key(7)) or b"") + b"x")

    edit(path, b"records", flip)
    log = LmdbEventLog(path, readonly=True)
    read: list[int] = []
    with pytest.raises(LogCorruptError, match="record 7 is damaged"):
        read.extend(record.position for record in log.read_all())
    assert read == [1, 2, 3, 4, 5, 6]
    log.close()


@pytest.mark.parametrize("position", [1, 5, 11])
def test_a_missing_record_is_found(path: Path, position: int) -> None:
    edit(path, b"records", lambda txn: txn.delete(key(position)))
    assert_found(path, f"record {position} is missing")
    log = open_log(path)
    with pytest.raises(LogCorruptError, match=f"record {position} is missing"):
        log.check_chain()
    with pytest.raises(LogCorruptError, match=f"record {position} is missing"):
        list(log.read_stream(A if position <= 8 else B))
    log.close()


@pytest.mark.parametrize("kept", [0, 1, 11])
def test_a_cut_tail_is_found_on_opening(path: Path, kept: int) -> None:
    def cut(txn: "lmdb.Transaction[bytes]") -> None:
        for position in range(kept + 1, 13):
            txn.delete(key(position))

    edit(path, b"records", cut)
    with pytest.raises(LogCorruptError, match=f"newest record of .* is {kept}, but 12"):
        LmdbEventLog(path, readonly=True)


def test_a_tail_of_another_history_is_found_on_opening(path: Path) -> None:
    codec = Codec()
    before = Head(position=Position(11), chain_hash=bytes(16))
    foreign = codec.seal(before, codec.prepare(B, StreamVersion(4), stamp(), cycles(1)[0]))
    edit(path, b"records", lambda txn: txn.put(key(12), foreign.value))
    with pytest.raises(LogCorruptError, match="record 12 is not the record"):
        LmdbEventLog(path, readonly=True)


def test_a_record_that_was_replaced_by_a_well_made_one_is_found(path: Path) -> None:
    codec = Codec()

    def replace(txn: "lmdb.Transaction[bytes]") -> None:
        before = codec.check_chain(EMPTY_HEAD, txn.get(key(1)) or b"")
        forged = codec.seal(
            before, codec.prepare(A, StreamVersion(2), stamp(), cycles(1, first=99)[0])
        )
        txn.put(key(2), forged.value)

    edit(path, b"records", replace)
    assert_found(path, "record 3 does not follow record 2")


def test_a_record_behind_the_newest_is_found(path: Path) -> None:
    codec = Codec()

    def add(txn: "lmdb.Transaction[bytes]") -> None:
        head = EMPTY_HEAD
        for position in range(1, 13):
            head = codec.check_chain(head, txn.get(key(position)) or b"")
        extra = codec.seal(head, codec.prepare(B, StreamVersion(5), stamp(), cycles(1)[0]))
        txn.put(key(13), extra.value)

    edit(path, b"records", add)
    with pytest.raises(LogCorruptError, match="is 13, but 12"):
        LmdbEventLog(path, readonly=True)


def test_an_index_that_points_to_the_wrong_record_is_found(path: Path) -> None:
    index_key = b"cluster/a\0" + key(3)
    edit(path, b"streams", lambda txn: txn.put(index_key, key(10)))
    log = open_log(path)
    with pytest.raises(LogCorruptError, match="index of streams says 'cluster/a' version 3"):
        list(log.read_stream(A))
    log.close()


def test_a_hole_in_the_index_is_found(path: Path) -> None:
    edit(path, b"streams", lambda txn: txn.delete(b"cluster/a\0" + key(3)))
    log = open_log(path)
    with pytest.raises(LogCorruptError, match="'cluster/a' has no version 3"):
        list(log.read_stream(A))
    log.close()


@pytest.mark.parametrize("entry", [b"head", b"format_version", b"catalogue_version"])
def test_a_missing_entry_about_the_log_itself_is_found(path: Path, entry: bytes) -> None:
    edit(path, b"meta", lambda txn: txn.delete(entry))
    with pytest.raises(LogCorruptError, match="restore"):
        LmdbEventLog(path, readonly=True)
