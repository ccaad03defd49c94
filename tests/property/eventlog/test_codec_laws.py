"""Every event type of the catalogue survives the way to bytes and back."""

from typing import Any

import msgpack  # type: ignore[import-untyped]
import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hanami_actors.domain.base import Event, Stamp, Who
from hanami_actors.domain.catalogue import CATALOGUE, encode
from hanami_actors.errors import LogCorruptError
from hanami_actors.eventlog.codec import EMPTY_HEAD, Codec, chain_hash_of
from hanami_actors.eventlog.port import Head
from hanami_actors.types import StreamId, StreamVersion, TimestampUs

CODEC = Codec()

text = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
integers = st.integers(-(2**63), 2**64 - 1)


def struct_strategy(struct: type[Any]) -> st.SearchStrategy[Any]:
    """Derive a strategy from the fields of a struct, so that a new field is tested at once."""
    fields = {
        field.name: type_strategy(field.type)
        for field in msgspec.inspect.type_info(struct).fields  # type: ignore[attr-defined]
    }
    return st.builds(struct, **fields)


def type_strategy(info: msgspec.inspect.Type) -> st.SearchStrategy[Any]:  # noqa: PLR0912
    inspect = msgspec.inspect
    match info:
        case inspect.StrType():
            return text
        case inspect.BoolType():
            return st.booleans()
        case inspect.IntType():
            return integers
        case inspect.FloatType():
            return st.floats(allow_nan=False)
        case inspect.BytesType():
            return st.binary(max_size=20)
        case inspect.NoneType():
            return st.none()
        case inspect.LiteralType():
            return st.sampled_from(info.values)
        case inspect.EnumType():
            return st.sampled_from(info.cls)
        case inspect.UnionType():
            return st.one_of([type_strategy(part) for part in info.types])
        case inspect.VarTupleType():
            return st.lists(type_strategy(info.item_type), max_size=3).map(tuple)
        case inspect.TupleType():
            return st.tuples(*[type_strategy(part) for part in info.item_types])
        case inspect.DictType():
            keys, values = type_strategy(info.key_type), type_strategy(info.value_type)
            return st.dictionaries(keys, values, max_size=3)
        case inspect.StructType():
            return struct_strategy(info.cls)
        case _:
            raise AssertionError(f"no strategy for {info}: add one")


events: st.SearchStrategy[Event] = st.one_of(
    [struct_strategy(CATALOGUE[tag]) for tag in sorted(CATALOGUE)]
)
stamps = st.builds(
    Stamp,
    now_us=st.integers(0, 2**63 - 1).map(TimestampUs),
    who=st.builds(Who, user_id=text, project_id=text),
    correlation_id=text,
)
heads = st.builds(
    Head, position=st.integers(0, 2**63), chain_hash=st.binary(min_size=16, max_size=16)
)


@given(event=events, stamp=stamps, before=heads, version=st.integers(1, 2**63))
def test_a_record_comes_back_as_it_was_written(
    event: Event, stamp: Stamp, before: Head, version: int
) -> None:
    stream = StreamId("stream")
    prepared = CODEC.prepare(stream, StreamVersion(version), stamp, event)
    item = CODEC.seal(before, prepared)
    record = CODEC.decode(before.position + 1, item.value)
    assert record == item.record
    assert record.event == event
    assert type(record.event) is type(event)
    assert (record.position, record.stream, record.version) == (
        before.position + 1,
        stream,
        version,
    )
    assert (record.tag, record.schema) == (event.TAG, event.SCHEMA)
    assert (record.time_us, record.user_id, record.project_id, record.correlation_id) == (
        stamp.now_us,
        stamp.who.user_id,
        stamp.who.project_id,
        stamp.correlation_id,
    )
    assert CODEC.check_chain(before, item.value).chain_hash == chain_hash_of(item.value)
    # A codec that has not learned this type yet goes through the catalogue: no difference.
    assert Codec().decode(before.position + 1, item.value) == record


@given(event=events, stamp=stamps, version=st.integers(1, 2**63))
def test_the_fast_way_writes_the_same_bytes_as_the_catalogue_and_msgpack(
    event: Event, stamp: Stamp, version: int
) -> None:
    fresh = Codec()
    stream = StreamId("stream")
    first = fresh.prepare(stream, StreamVersion(version), stamp, event)
    again = fresh.prepare(stream, StreamVersion(version), stamp, event)
    assert first.body == again.body
    tag, schema, data = encode(event)
    plain = {
        "tag": tag,
        "schema": schema,
        "stream": stream,
        "version": version,
        "time_us": stamp.now_us,
        "user_id": stamp.who.user_id,
        "project_id": stamp.who.project_id,
        "correlation_id": stamp.correlation_id,
        "data": data,
    }
    assert again.body == msgpack.packb(plain)


@given(event=events, data=st.data())
def test_any_changed_bytes_are_found(event: Event, data: st.DataObject) -> None:
    stamp = Stamp(now_us=TimestampUs(0), who=Who(user_id="u", project_id="p"))
    prepared = CODEC.prepare(StreamId("stream"), StreamVersion(1), stamp, event)
    item = CODEC.seal(EMPTY_HEAD, prepared)
    start = data.draw(st.integers(0, len(item.value) - 1))
    # A CRC-32 finds every burst of up to 32 bits.
    burst = data.draw(st.binary(min_size=1, max_size=4).filter(any))
    damaged = bytearray(item.value)
    for offset, flips in enumerate(burst[: len(damaged) - start]):
        damaged[start + offset] ^= flips
    if bytes(damaged) == item.value:
        return
    with pytest.raises(LogCorruptError, match="record 1"):
        CODEC.decode(1, bytes(damaged))
    with pytest.raises(LogCorruptError, match="record 1"):
        CODEC.check_chain(EMPTY_HEAD, bytes(damaged))


@given(values=st.binary(max_size=200))
def test_arbitrary_bytes_are_damage_and_nothing_worse(values: bytes) -> None:
    with pytest.raises(LogCorruptError, match="record 1"):
        CODEC.decode(1, values)
