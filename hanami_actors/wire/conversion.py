"""Bytes of websocket messages to plain values and back."""

from google.protobuf.message import DecodeError

from hanami_actors.wire.hanami_messages_pb2 import FileUpload_Message, FileUploadResponse_Message

__all__ = ["UPLOAD_ACCEPTED", "decode_upload", "encode_upload_refusal"]

UPLOAD_ACCEPTED = FileUploadResponse_Message(success=True).SerializeToString()
"""The answer to a stored chunk; it is always the same."""


def decode_upload(message: bytes) -> tuple[int, bytes] | None:
    """Return position and data of a ``FileUpload_Message``; None if it is not one."""
    try:
        chunk = FileUpload_Message.FromString(message)
    except DecodeError:
        return None
    return chunk.position, chunk.data


def encode_upload_refusal(reason: str) -> bytes:
    """Return the answer to a chunk that was not stored."""
    return FileUploadResponse_Message(success=False, errorMessage=reason).SerializeToString()
