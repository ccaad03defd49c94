"""Send files over websockets: a window of outstanding chunks, memory of one chunk per file."""

import asyncio
import io
import os
from collections import deque
from collections.abc import Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, TypeVar

from websockets.asyncio.client import ClientConnection
from websockets.exceptions import ConnectionClosed

from hanami_sdk._websocket import close_websocket, open_websocket
from hanami_sdk.hanami_exceptions import BadRequestException, ConnectionFailedException

__all__ = ["CHUNK_BYTES", "WINDOW_CHUNKS", "Progress", "Source", "check_plain", "run", "send_file"]

CHUNK_BYTES = 128 * 1024
WINDOW_CHUNKS = 16

GZIP_MAGIC = b"\x1f\x8b"
# Two field tags and two numbers of at most ten bytes.
HEADER_MAX_BYTES = 22
ACCEPTED = b"\x08\x01"

Progress = Callable[[int, int], None]
"""Called with the bytes done and the bytes in total."""

Source = io.FileIO | io.BytesIO

T = TypeVar("T")


def check_plain(path: str | os.PathLike[str]) -> int:
    """Return the size of a file in bytes.

    Raises
    ------
    OSError
        When it cannot be read.
    ValueError
        When it is empty or compressed; the server takes plain files only.
    """
    with Path(path).open("rb") as file:
        magic = file.read(len(GZIP_MAGIC))
        size_bytes = os.fstat(file.fileno()).st_size
    if magic == GZIP_MAGIC:
        raise ValueError(f"{path} is compressed with gzip; unpack it first (gunzip -k {path})")
    if size_bytes == 0:
        raise ValueError(f"{path} is empty; there is nothing to upload")
    return size_bytes


def _varint(number: int) -> bytes:
    encoded = bytearray()
    while number > 0x7F:
        encoded.append(number & 0x7F | 0x80)
        number >>= 7
    encoded.append(number)
    return bytes(encoded)


def chunk_header(position: int, size_bytes: int) -> bytes:
    """Return what stands before the data in a serialized ``FileUpload_Message``.

    Writing it by hand lets the file be read straight behind it, without copies of each chunk.
    """
    header = b"\x08" + _varint(position) if position else b""
    return header + b"\x12" + _varint(size_bytes) if size_bytes else header


def _check_acknowledgement(message: str | bytes, position: int) -> None:
    if message == ACCEPTED:
        return
    from hanami_sdk.hanami_messages.proto3_pb2 import FileUploadResponse_Message

    answer = FileUploadResponse_Message()
    answer.ParseFromString(message if isinstance(message, bytes) else message.encode())
    if not answer.success:
        text = answer.errorMessage or f"the chunk at byte {position} was refused"
        raise BadRequestException(text.encode("utf-8"))


async def _stream(
    websocket: ClientConnection, source: Source, advance: Callable[[int], None]
) -> None:
    """Send everything from the source; at most a window of chunks waits for its answer."""
    message = bytearray(HEADER_MAX_BYTES + CHUNK_BYTES)
    view = memoryview(message)
    data = view[HEADER_MAX_BYTES:]
    waiting: deque[tuple[int, int]] = deque()
    position = 0
    at_end = False
    while True:
        if not at_end and len(waiting) < WINDOW_CHUNKS:
            size_bytes = source.readinto(data)
            if size_bytes:
                header = chunk_header(position, size_bytes)
                start = HEADER_MAX_BYTES - len(header)
                view[start:HEADER_MAX_BYTES] = header
                await websocket.send(view[start : HEADER_MAX_BYTES + size_bytes])
                waiting.append((position, size_bytes))
                position += size_bytes
                continue
            at_end = True
        if not waiting:
            return
        acknowledgement = await websocket.recv()
        oldest, size_bytes = waiting.popleft()
        _check_acknowledgement(acknowledgement, oldest)
        advance(size_bytes)


async def send_file(
    token: str,
    address: str,
    file_uuid: str,
    source: Source,
    *,
    verify: bool,
    advance: Callable[[int], None],
) -> None:
    """Send one file over a websocket of its own.

    Raises
    ------
    HandshakeRefusedError
        When the server does not accept the target.
    BadRequestException
        When the server refuses a chunk.
    ConnectionFailedException
        When the connection breaks; what has been acknowledged stays on the server.
    """
    websocket = await open_websocket(
        address, token, target="file_upload", uuid=file_uuid, verify=verify
    )
    try:
        await _stream(websocket, source, advance)
    except ConnectionClosed as error:
        raise ConnectionFailedException(
            f"the upload of file {file_uuid} broke off: {error}"
        ) from error
    except asyncio.CancelledError:
        websocket.transport.abort()
        raise
    finally:
        await close_websocket(websocket)


def run(work: Coroutine[Any, Any, T]) -> T:
    """Run a coroutine to its end, also where an event loop is already running (notebooks)."""
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return asyncio.run(work)
    with ThreadPoolExecutor(max_workers=1) as pool:
        return pool.submit(asyncio.run, work).result()
