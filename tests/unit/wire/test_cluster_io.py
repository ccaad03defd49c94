"""The messages of direct IO: by hand and by the generated class, always the same."""

import struct

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hanami_actors.wire import cluster_io
from hanami_actors.wire.cluster_io import (
    ACKNOWLEDGED,
    EXPECTED,
    INPUT,
    REQUEST,
    TRAIN,
    TRAINED,
    decode_cluster_io,
    encode_values,
)
from hanami_actors.wire.hanami_messages_pb2 import ClusterIO_Message

# Made with the original's schema.
VECTORS = {
    "0a02696e1801280232080000803f0000003f": ("in", False, TRAIN, INPUT, 2, [1.0, 0.5]),
    "0a036f7574100118012002280132040000803f": ("out", True, TRAIN, EXPECTED, 1, [1.0]),
    "0a02696e1001280232080000803f0000003f": ("in", True, REQUEST, INPUT, 2, [1.0, 0.5]),
}


def values_of(message):
    return np.frombuffer(message.data, "<f4", message.value_count, message.offset).tolist()


def fields_of(message):
    return (*message[:5], values_of(message))


@pytest.mark.parametrize("text", VECTORS)
def test_the_messages_of_the_original_are_read_without_the_generated_class(text):
    assert fields_of(cluster_io._decode_simple(bytes.fromhex(text))) == VECTORS[text]


def test_answers_have_the_bytes_of_the_original():
    assert ACKNOWLEDGED.hex() == "18012801320400000000"
    assert TRAINED.hex() == "100118012801320400000000"
    answer = encode_values(b"out", struct.pack("<2f", 0.25, 0.75))
    assert answer.hex() == "0a036f7574280232080000803e0000403f"


@given(
    st.builds(
        ClusterIO_Message,
        bufferName=st.text(max_size=200),
        isLast=st.booleans(),
        processType=st.integers(0, 2**31 - 1),
        targetBufferType=st.integers(0, 300),
        numberOfValues=st.integers(0, 2**64 - 1),
        values=st.lists(st.floats(width=32), max_size=50),
    )
)
def test_by_hand_and_by_the_generated_class_it_is_the_same(message):
    data = message.SerializeToString()
    by_hand, generated = cluster_io._decode_simple(data), cluster_io._decode_any(data)
    assert by_hand is not None
    assert generated is not None
    assert by_hand[:5] == generated[:5]
    size = 4 * by_hand.value_count
    assert by_hand.data[by_hand.offset :][:size] == generated.data[generated.offset :][:size]


@given(st.binary(max_size=60))
def test_any_bytes_are_read_as_the_generated_class_reads_them_or_refused(data):
    decoded, expected = decode_cluster_io(data), cluster_io._decode_any(data)
    if expected is None:
        assert decoded is None
    elif decoded is not None:
        assert decoded[:5] == expected[:5]
        assert np.array_equal(values_of(decoded), values_of(expected), equal_nan=True)


UNUSUAL = {
    "unknown field": ClusterIO_Message(bufferName="in").SerializeToString() + b"\x7a\x01x",
    "floats that are not packed": b"\x0a\x02in\x35\x00\x00\x80\x3f\x35\x00\x00\x00\x3f",
    "values in two parts": bytes.fromhex("0a02696e32040000803f32040000003f"),
    "other order": bytes.fromhex("32080000803f0000003f0a02696e"),
}


@pytest.mark.parametrize("what", UNUSUAL)
def test_what_is_unusual_is_read_all_the_same(what):
    message = decode_cluster_io(UNUSUAL[what])
    assert message is not None
    assert message.name == "in"
    assert values_of(message) == ([] if what == "unknown field" else [1.0, 0.5])


@pytest.mark.parametrize(
    "text",
    ["ff", "0a05696e", "3203000000", "0a02fffe", "28ffffffffffffffffffff01", "320a0000"],
)
def test_what_is_no_message_is_refused(text):
    assert decode_cluster_io(bytes.fromhex(text)) is None


@given(st.binary(max_size=300), st.lists(st.floats(width=32), max_size=300))
def test_answers_are_read_by_the_generated_class(name, values):
    text = name.hex()
    data = encode_values(text.encode(), np.array(values, "<f4").tobytes())
    decoded = ClusterIO_Message.FromString(data)
    assert (decoded.bufferName, decoded.numberOfValues) == (text, len(values))
    assert np.array_equal(np.array(decoded.values, "f4"), np.array(values, "f4"), equal_nan=True)
    assert (decoded.isLast, decoded.processType) == (False, REQUEST)
