"""Histories that must be refused: something was done to a good one."""

import zlib
from collections.abc import Callable
from typing import Any

from hanami_actors.eventlog.port import Head
from hanami_actors.types import Position
from tests.replay.container import Container, reseal, seal_body
from tests.replay.good_histories import Record, training
from tests.replay.history import uuid_of

Spoil = Callable[[Container], Container]

BAD: dict[str, tuple[Record, Spoil]] = {}


def bad(of: Record) -> Callable[[Spoil], Spoil]:
    def register(spoil: Spoil) -> Spoil:
        BAD[spoil.__name__] = (of, spoil)
        return spoil

    return register


@bad(training)
def changed_record(container: Container) -> Container:
    """Record 5 was changed together with its checksum: the chain of hashes finds it."""
    position, value = container.records[4]
    body = value[32:-4].replace(b"alice", b"malic")
    sealed = value[:32] + body
    changed = sealed + _crc(sealed, position)
    container.records[4] = (position, changed)
    return _expecting(container, "log", "record 5 was changed: its chain hash does not hold")


@bad(training)
def flipped_bit(container: Container) -> Container:
    """One bit of record 7 is another one: its checksum finds it."""
    position, value = container.records[6]
    changed = bytearray(value)
    changed[90] ^= 16
    container.records[6] = (position, bytes(changed))
    return _expecting(container, "log", "record 7 is damaged: its checksum does not hold")


@bad(training)
def gap(container: Container) -> Container:
    """Record 4 is missing."""
    del container.records[3]
    return _expecting(container, "log", "record 4 is missing")


@bad(training)
def foreign_record(container: Container) -> Container:
    """Record 6 was replaced by a well-made one: the record behind it does not follow."""
    position, value = container.records[5]
    (_, before) = container.records[4]
    head = Head(position=Position(5), chain_hash=before[16:32])
    container.records[5] = (position, seal_body(head, value[32:-4].replace(b"alice", b"malic")))
    return _expecting(container, "log", "record 7 does not follow record 6")


@bad(training)
def cut_tail(container: Container) -> Container:
    """The last three records are gone, but the log says how many there were."""
    position, value = container.records[-1]
    del container.records[-3:]
    expect = {"head": [position, value[16:32].hex()]}
    return _expecting(container, "open", f"is {position - 3}, but {position} was written", **expect)


@bad(training)
def unknown_tag(container: Container) -> Container:
    """Record 6 has a tag that no version has known yet: it is named, never skipped."""

    def edit(position: int, envelope: dict[str, Any]) -> dict[str, Any]:
        return {**envelope, "tag": "cluster.teleported"} if position == 6 else envelope

    text = "record 6: event tag 'cluster.teleported' is not known to this version"
    return _expecting(reseal(container, edit), "read", text)


@bad(training)
def newer_schema(container: Container) -> Container:
    """Record 6 was written by a newer version."""

    def edit(position: int, envelope: dict[str, Any]) -> dict[str, Any]:
        return {**envelope, "schema": 99} if position == 6 else envelope

    return _expecting(
        reseal(container, edit), "read", "record 6: event 'cluster.cycles_trained' has schema 99"
    )


@bad(training)
def missing_field(container: Container) -> Container:
    """Record 4 lacks a field that has no default."""

    def edit(position: int, envelope: dict[str, Any]) -> dict[str, Any]:
        if position == 4:
            del envelope["data"]["task"]["uuid"]
        return envelope

    return _expecting(reseal(container, edit), "read", "record 4")


@bad(training)
def impossible_event(container: Container) -> Container:
    """Record 5 ends a task that record 4 has only queued: no fold accepts it."""

    def edit(position: int, envelope: dict[str, Any]) -> dict[str, Any]:
        if position != 5:
            return envelope
        data = {"task_uuid": uuid_of(60), "cycle": 40, "digest": "0" * 64}
        return {**envelope, "tag": "cluster.task_finished", "data": data}

    text = "event 'cluster.task_finished' cannot happen in phase 'queued'"
    return _expecting(reseal(container, edit), "fold", text)


@bad(training)
def wrong_digest(container: Container) -> Container:
    """The digest of a finished task is not what its training gives."""

    def edit(position: int, envelope: dict[str, Any]) -> dict[str, Any]:
        if position == 7:
            envelope["data"]["digest"] = "0" * 64
        return envelope

    return _expecting(reseal(container, edit), "digest", "computed again it is")


@bad(training)
def missing_blob(container: Container) -> Container:
    """A column that a living history names is not there."""
    del container.blobs[0]
    return _expecting(container, "blob", "is not in")


def _crc(sealed: bytes, position: int) -> bytes:
    return zlib.crc32(sealed, position).to_bytes(4, "little")


def _expecting(container: Container, what: str, text: str, **more: Any) -> Container:
    return container._replace(expect={"what": what, "text": text, **more})
