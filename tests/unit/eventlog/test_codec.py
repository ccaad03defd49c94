"""Records as bytes, and every way in which they can fail to hold."""

from typing import Any, ClassVar

import msgpack  # type: ignore[import-untyped]
import msgspec
import pytest

from hanami_actors.domain import catalogue
from hanami_actors.domain.base import Event
from hanami_actors.domain.cluster.events import CyclesTrained, Task, TaskQueued
from hanami_actors.errors import LogCorruptError, LogError, NewerSchemaError, UnknownTagError
from hanami_actors.eventlog.codec import EMPTY_HEAD, Codec, SealedRecord, chain_hash_of
from hanami_actors.eventlog.port import Head
from hanami_actors.types import StreamId, StreamVersion
from tests.unit.eventlog.builders import TestCatalogue, cycles, stamp, started

A = StreamId("cluster/a")

GOLDEN = (
    "00000000000000000000000000000000"
    "2c10c355cdf54a21cb80797223d736b3"
    "89a3746167aa746573742e6e6f746564a6736368656d6101a673747265616da9636c75737465722f"
    "61a776657273696f6e01a774696d655f7573cf00060a24181e4000a7757365725f6964a5616c6963"
    "65aa70726f6a6563745f6964a6646967697473ae636f7272656c6174696f6e5f6964a97265717565"
    "73742d31a46461746183a474657874a174a7636f6e74656e74c40200ffa76e756d626572739201ff"
    "f773aef3"
)


class Noted(Event, frozen=True, kw_only=True):
    """An event of these tests alone, so that the domain may change its own."""

    TAG: ClassVar[str] = "test.noted"

    text: str
    content: bytes
    numbers: tuple[int, ...] = ()


class NotedCatalogue:
    CATALOGUE_VERSION = 1

    def encode(self, event: Event) -> tuple[str, int, dict[str, Any]]:
        data: dict[str, Any] = msgspec.to_builtins(event, builtin_types=(bytes,))
        return event.TAG, event.SCHEMA, data

    def decode(self, tag: str, schema: int, data: dict[str, Any]) -> Event:
        return msgspec.convert(data, Noted)


NOTED = Noted(text="t", content=b"\x00\xff", numbers=(1, -1))


def seal_all(codec: Codec, *events: Event) -> list[SealedRecord]:
    head, sealed = EMPTY_HEAD, []
    for version, event in enumerate(events, start=1):
        item = codec.seal(head, codec.prepare(A, StreamVersion(version), stamp(), event))
        sealed.append(item)
        head = Head(position=item.record.position, chain_hash=chain_hash_of(item.value))
    return sealed


def test_a_record_is_a_msgpack_map_between_hashes_and_checksum() -> None:
    (item,) = seal_all(Codec(NotedCatalogue()), NOTED)
    assert item.value[:16] == bytes(16)
    assert msgpack.unpackb(item.value[32:-4]) == {
        "stream": "cluster/a",
        "version": 1,
        "tag": "test.noted",
        "schema": 1,
        "time_us": 1_700_000_000_000_000,
        "user_id": "alice",
        "project_id": "digits",
        "correlation_id": "request-1",
        "data": {"text": "t", "content": b"\x00\xff", "numbers": [1, -1]},
    }


def test_the_bytes_of_a_record_are_what_they_were() -> None:
    """Old logs must stay readable: if this fails, the format version has to rise."""
    (item,) = seal_all(Codec(NotedCatalogue()), NOTED)
    assert item.value.hex() == GOLDEN
    assert Codec(NotedCatalogue()).decode(1, item.value).event == NOTED


@pytest.mark.parametrize("bit", range(8))
def test_every_flipped_bit_is_found_and_the_position_is_named(bit: int) -> None:
    codec = Codec()
    values = [item.value for item in seal_all(codec, *cycles(3))]
    for index in range(len(values[1])):
        damaged = bytearray(values[1])
        damaged[index] ^= 1 << bit
        with pytest.raises(LogCorruptError, match="record 2"):
            codec.decode_page(1, [values[0], bytes(damaged), values[2]])


@pytest.mark.parametrize("size_bytes", [0, 1, 4, 31, 36, 100])
def test_a_record_that_was_cut_off_is_found(size_bytes: int) -> None:
    codec = Codec()
    (item,) = seal_all(codec, started())
    with pytest.raises(LogCorruptError, match="record 1"):
        codec.decode(1, item.value[:size_bytes])
    with pytest.raises(LogCorruptError, match="record 1"):
        codec.check_chain(EMPTY_HEAD, item.value[:size_bytes])


def test_a_record_at_another_position_is_found() -> None:
    codec = Codec()
    values = [item.value for item in seal_all(codec, *cycles(3))]
    for page in ([values[0], values[2]], [values[1], values[0]], [values[0], values[0]]):
        with pytest.raises(LogCorruptError, match=r"record [12]"):
            codec.decode_page(1, page)


def test_a_record_of_another_history_is_found() -> None:
    codec = Codec()
    values = [item.value for item in seal_all(codec, *cycles(3))]
    others = [item.value for item in seal_all(codec, *cycles(3, first=7))]
    with pytest.raises(LogCorruptError, match="record 2 does not follow record 1"):
        codec.decode_page(1, [values[0], others[1], values[2]])
    with pytest.raises(LogCorruptError, match="record 1 does not follow record 0"):
        codec.decode_page(1, values, others[0][:15] + b"x")
    with pytest.raises(LogCorruptError, match="record 2 does not follow record 1"):
        codec.check_chain(codec.check_chain(EMPTY_HEAD, values[0]), others[1])


def test_an_event_of_an_older_schema_goes_through_the_catalogue_every_time() -> None:
    calls: list[int] = []

    class Upcasting(TestCatalogue):
        def encode(self, event: Event) -> tuple[str, int, dict[str, Any]]:
            tag, _, data = super().encode(event)
            return tag, 0, {"old": data["cycle"]}

        def decode(self, tag: str, schema: int, data: dict[str, Any]) -> Event:
            calls.append(schema)
            return CyclesTrained(task_uuid="task", cycle=data["old"])

    codec = Codec(Upcasting())
    values = [item.value for item in seal_all(codec, *cycles(3))]
    calls.clear()
    records = codec.decode_page(1, values)
    assert calls == [0, 0, 0]
    assert [record.schema for record in records] == [0, 0, 0]
    assert [record.event for record in records] == list(cycles(3))


def test_unknown_tags_and_newer_schemas_name_position_and_tag() -> None:
    values = [item.value for item in seal_all(Codec(), started(), *cycles(1))]

    class Older(TestCatalogue):
        def decode(self, tag: str, schema: int, data: dict[str, Any]) -> Event:
            return catalogue.decode(tag, schema + 1, data)

    forgetful = Codec(TestCatalogue(forgotten=frozenset({"cluster.cycles_trained"})))
    with pytest.raises(UnknownTagError, match=r"record 2: .*'forgotten'"):
        forgetful.decode_page(1, values)
    with pytest.raises(NewerSchemaError, match=r"record 1: .*task_started"):
        Codec(Older()).decode_page(1, values)


def test_an_event_with_the_wrong_types_is_refused_also_after_good_ones() -> None:
    codec = Codec()
    seal_all(codec, *cycles(2))
    for cycle in (1.5, True, "1", None, 2**70):
        with pytest.raises(LogError, match="CyclesTrained cannot be stored"):
            seal_all(codec, CyclesTrained(task_uuid="t", cycle=cycle))  # type: ignore[arg-type]


def test_an_event_that_would_come_back_as_another_one_is_refused() -> None:
    task = Task(
        uuid="t",
        kind="train",
        name="n",
        inputs=[],  # type: ignore[arg-type] # a list would come back as a tuple
        row_count=1,
        user_id="u",
        project_id="p",
    )
    with pytest.raises(LogError, match="does not read back"):
        seal_all(Codec(), TaskQueued(task=task))
