"""Goal: the bytes are those of the original schema. The vectors are the contract's (15.3)."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hanami_actors.wire.conversion import UPLOAD_ACCEPTED, decode_upload, encode_upload_refusal
from hanami_actors.wire.hanami_messages_pb2 import (
    EXPECTED_BUFFER_TYPE,
    TRAIN_TYPE,
    ClusterIO_Message,
    FileUpload_Message,
)


@pytest.mark.parametrize(
    ("fields", "vector"),
    [
        (
            {
                "bufferName": "in",
                "processType": TRAIN_TYPE,
                "numberOfValues": 2,
                "values": [1.0, 0.5],
            },
            "0a02696e1801280232080000803f0000003f",
        ),
        (
            {
                "bufferName": "out",
                "isLast": True,
                "processType": TRAIN_TYPE,
                "targetBufferType": EXPECTED_BUFFER_TYPE,
                "numberOfValues": 1,
                "values": [1.0],
            },
            "0a036f7574100118012002280132040000803f",
        ),
        (
            {"bufferName": "in", "isLast": True, "numberOfValues": 2, "values": [1.0, 0.5]},
            "0a02696e1001280232080000803f0000003f",
        ),
        (
            {"bufferName": "out", "numberOfValues": 2, "values": [0.25, 0.75]},
            "0a036f7574280232080000803e0000403f",
        ),
        (
            {"processType": TRAIN_TYPE, "numberOfValues": 1, "values": [0.0]},
            "18012801320400000000",
        ),
        (
            {"isLast": True, "processType": TRAIN_TYPE, "numberOfValues": 1, "values": [0.0]},
            "100118012801320400000000",
        ),
    ],
    ids=["train input", "train expected", "request input", "request answer", "ack", "train end"],
)
def test_cluster_messages_have_the_bytes_of_the_contract(fields, vector):
    message = ClusterIO_Message(**fields)
    assert message.SerializeToString().hex() == vector
    assert ClusterIO_Message.FromString(bytes.fromhex(vector)) == message


@pytest.mark.parametrize(
    ("vector", "chunk"),
    [("088080081203616263", (131072, b"abc")), ("1203616263", (0, b"abc")), ("", (0, b""))],
)
def test_upload_messages_are_read_as_the_contract_has_them(vector, chunk):
    assert decode_upload(bytes.fromhex(vector)) == chunk


def test_answers_of_an_upload_have_the_bytes_of_the_contract():
    assert UPLOAD_ACCEPTED.hex() == "0801"
    assert encode_upload_refusal("x").hex() == "120178"


@given(st.integers(0, 2**64 - 1), st.binary())
def test_every_chunk_survives_the_wire(position, data):
    message = FileUpload_Message(position=position, data=data).SerializeToString()
    assert decode_upload(message) == (position, data)


@pytest.mark.parametrize("garbage", [b"nonsense", b"\xff", b"\x08", b"\x12\x05abc"])
def test_what_is_no_upload_message_is_none(garbage):
    assert decode_upload(garbage) is None
