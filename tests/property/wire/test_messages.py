"""Goal: protobuf is read as the contract's clients write it, and as no client should."""

import struct

from hypothesis import given
from hypothesis import strategies as st

from hanami_actors.wire.conversion import decode_upload
from hanami_actors.wire.hanami_messages_pb2 import ClusterIO_Message, FileUpload_Message
from tests.property.wire.protobuf import FIXED32, LENGTH, VARINT, field, unknown_fields, varint

POSITIONS = st.integers(0, 2**64 - 1)
DATA = st.binary(max_size=64)
FLOATS = st.lists(st.floats(width=32, allow_nan=False), max_size=8)
NAMES = st.text(max_size=20)
CLUSTER_FIELDS = (1, 2, 3, 4, 5, 6)


def upload_bytes(position: int, data: bytes) -> bytes:
    return field(1, VARINT, position) + field(2, LENGTH, data)


def packed(values: list[float]) -> bytes:
    return field(6, LENGTH, struct.pack(f"<{len(values)}f", *values)) if values else b""


def unpacked(values: list[float]) -> bytes:
    raw = [int.from_bytes(struct.pack("<f", value), "little") for value in values]
    return b"".join(field(6, FIXED32, bits) for bits in raw)


@given(POSITIONS, DATA, unknown_fields(1, 2), unknown_fields(1, 2), unknown_fields(1, 2))
def test_unknown_fields_anywhere_change_nothing(position, data, before, between, after):
    message = before + field(1, VARINT, position) + between + field(2, LENGTH, data) + after
    assert decode_upload(message) == (position, data)


@given(POSITIONS, DATA, st.booleans())
def test_the_order_of_fields_does_not_matter_and_zero_may_be_left_out(position, data, swapped):
    parts = [field(1, VARINT, position) if position else b"", field(2, LENGTH, data)]
    assert decode_upload(b"".join(reversed(parts) if swapped else parts)) == (position, data)


@given(POSITIONS, DATA, POSITIONS, DATA)
def test_two_messages_in_one_are_the_last_of_each_field(position, data, position_2, data_2):
    both = upload_bytes(position, data) + upload_bytes(position_2, data_2)
    assert decode_upload(both) == (position_2, data_2)


@given(POSITIONS.filter(bool), st.binary(min_size=1, max_size=64), st.data())
def test_a_cut_message_is_refused_unless_whole_fields_are_left(position, data, draw):
    whole = upload_bytes(position, data)
    end = draw.draw(st.integers(0, len(whole) - 1))
    boundary = len(field(1, VARINT, position))
    expected = {0: (0, b""), boundary: (position, b"")}.get(end)
    assert decode_upload(whole[:end]) == expected


@given(st.binary(max_size=80))
def test_no_bytes_are_more_than_refused(data):
    decoded = decode_upload(data)
    if decoded is not None:
        position, chunk = decoded
        assert 0 <= position < 2**64
        # Nothing is made larger than it was sent.
        assert len(chunk) <= len(data)


@given(st.integers(0, 2**70), st.binary(max_size=8))
def test_a_length_that_is_not_there_is_refused_without_room_being_made_for_it(length, data):
    message = varint(2 << 3 | LENGTH) + varint(length) + data
    decoded = decode_upload(message)
    if length > len(data):
        assert decoded is None
    elif length == len(data):
        assert decoded == (0, data)


@given(NAMES, st.booleans(), FLOATS, unknown_fields(*CLUSTER_FIELDS))
def test_values_may_be_packed_unpacked_or_both(name, is_last, values, unknown):
    head = field(1, LENGTH, name.encode()) + field(2, VARINT, int(is_last))
    half = len(values) // 2
    forms = (
        head + packed(values) + unknown,
        head + unpacked(values) + unknown,
        unpacked(values[:half]) + unknown + head + packed(values[half:]),
    )
    for form in forms:
        message = ClusterIO_Message.FromString(form)
        assert (message.bufferName, message.isLast) == (name, is_last)
        # Bits, because minus zero is not zero.
        assert struct.pack(f"{len(values)}f", *message.values) == struct.pack(
            f"{len(values)}f", *values
        )


@given(POSITIONS, DATA)
def test_our_bytes_and_those_of_the_library_are_the_same(position, data):
    by_library = FileUpload_Message(position=position, data=data).SerializeToString()
    by_hand = (field(1, VARINT, position) if position else b"") + (
        field(2, LENGTH, data) if data else b""
    )
    assert by_library == by_hand
