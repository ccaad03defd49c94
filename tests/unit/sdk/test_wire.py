"""The protobuf messages are bit for bit those of the contract, in both packages at once."""

import pytest

from hanami_actors.wire import hanami_messages_pb2
from hanami_sdk.hanami_messages import proto3_pb2

VECTORS = [
    (
        "ClusterIO_Message",
        {"bufferName": "in", "processType": 1, "numberOfValues": 2, "values": [1.0, 0.5]},
        "0a02696e1801280232080000803f0000003f",
    ),
    (
        "ClusterIO_Message",
        {
            "bufferName": "out",
            "isLast": True,
            "processType": 1,
            "targetBufferType": 2,
            "numberOfValues": 1,
            "values": [1.0],
        },
        "0a036f7574100118012002280132040000803f",
    ),
    (
        "ClusterIO_Message",
        {"bufferName": "in", "isLast": True, "numberOfValues": 2, "values": [1.0, 0.5]},
        "0a02696e1001280232080000803f0000003f",
    ),
    (
        "ClusterIO_Message",
        {"bufferName": "out", "numberOfValues": 2, "values": [0.25, 0.75]},
        "0a036f7574280232080000803e0000403f",
    ),
    (
        "ClusterIO_Message",
        {"processType": 1, "numberOfValues": 1, "values": [0.0]},
        "18012801320400000000",
    ),
    (
        "ClusterIO_Message",
        {"isLast": True, "processType": 1, "numberOfValues": 1, "values": [0.0]},
        "100118012801320400000000",
    ),
    ("FileUpload_Message", {"position": 131072, "data": b"abc"}, "088080081203616263"),
    ("FileUpload_Message", {"data": b"abc"}, "1203616263"),
    ("FileUploadResponse_Message", {"success": True}, "0801"),
    ("FileUploadResponse_Message", {"errorMessage": "x"}, "120178"),
]


@pytest.mark.parametrize("module", [hanami_messages_pb2, proto3_pb2], ids=["server", "sdk"])
@pytest.mark.parametrize(("name", "fields", "expected"), VECTORS)
def test_messages_have_the_bytes_of_the_contract(module, name, fields, expected):
    message = getattr(module, name)(**fields)
    assert message.SerializeToString().hex() == expected
    assert getattr(module, name).FromString(bytes.fromhex(expected)) == message


def test_enums_have_the_numbers_of_the_contract():
    assert dict(proto3_pb2.ClusterProcessType.items()) == {"REQUEST_TYPE": 0, "TRAIN_TYPE": 1}
    assert dict(proto3_pb2.TargetBufferType.items()) == {
        "INPUT_BUFFER_TYPE": 0,
        "OUTPUT_BUFFER_TYPE": 1,
        "EXPECTED_BUFFER_TYPE": 2,
    }
