"""Send files over websockets: a window of outstanding chunks, memory of one chunk per file."""

import asyncio
import io
import os
from collections import deque
from collections.abc import Callable, Coroutine, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

from websockets.asyncio.client import ClientConnection
from websockets.exceptions import ConnectionClosed

from hanami_sdk._varint import varint
from hanami_sdk._websocket import close_websocket, open_websocket
from hanami_sdk.hanami_exceptions import BadRequestException, ConnectionFailedException

__all__ = [
    "CHUNK_BYTES",
    "WINDOW_CHUNKS",
    "FilePart",
    "FilePath",
    "Progress",
    "Source",
    "check_plain",
    "run",
    "send_file",
    "send_files",
    "send_files_blocking",
]

CHUNK_BYTES = 128 * 1024
WINDOW_CHUNKS = 16

GZIP_MAGIC = b"\x1f\x8b"
# Two field tags and two numbers of at most ten bytes.
HEADER_MAX_BYTES = 22
ACCEPTED = b"\x08\x01"

Progress = Callable[[int, int], None]
"""Called with the bytes done and the bytes in total."""

Source = io.FileIO | io.BytesIO

FilePath = str | os.PathLike[str]

Ranges = Sequence[tuple[int, int]]
"""First byte and the one behind the last, of every part that has to be sent."""

T = TypeVar("T")


class FilePart(NamedTuple):
    """What to send of a file: the whole, or some ranges of it."""

    source: Source
    ranges: Ranges | None = None


def check_plain(path: FilePath) -> int:
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


def chunk_header(position: int, size_bytes: int) -> bytes:
    """Return what stands before the data in a serialized ``FileUpload_Message``.

    Writing it by hand lets the file be read straight behind it, without copies of each chunk.
    """
    header = b"\x08" + varint(position) if position else b""
    return header + b"\x12" + varint(size_bytes) if size_bytes else header


def _check_acknowledgement(message: str | bytes, position: int) -> None:
    if message == ACCEPTED:
        return
    from hanami_sdk.hanami_messages.proto3_pb2 import FileUploadResponse_Message

    answer = FileUploadResponse_Message()
    answer.ParseFromString(message if isinstance(message, bytes) else message.encode())
    if not answer.success:
        text = answer.errorMessage or f"the chunk at byte {position} was refused"
        raise BadRequestException(text.encode("utf-8"))


def _chunks(source: Source, ranges: Ranges | None) -> Iterator[tuple[int, int]]:
    """Yield position and size of every chunk."""
    if ranges is None:
        ranges = [(0, source.seek(0, os.SEEK_END))]
    for start, end in ranges:
        for position in range(start, end, CHUNK_BYTES):
            yield position, min(CHUNK_BYTES, end - position)


async def _stream(
    websocket: ClientConnection, part: FilePart, advance: Callable[[int], None]
) -> None:
    """Send the part of the file; at most a window of chunks waits for its answer."""
    source = part.source
    message = bytearray(HEADER_MAX_BYTES + CHUNK_BYTES)
    view = memoryview(message)
    waiting: deque[tuple[int, int]] = deque()

    async def acknowledged() -> None:
        acknowledgement = await websocket.recv()
        position, size_bytes = waiting.popleft()
        _check_acknowledgement(acknowledgement, position)
        advance(size_bytes)

    for position, wanted_bytes in _chunks(source, part.ranges):
        if len(waiting) >= WINDOW_CHUNKS:
            await acknowledged()
        source.seek(position)
        size_bytes = source.readinto(view[HEADER_MAX_BYTES : HEADER_MAX_BYTES + wanted_bytes])
        if size_bytes != wanted_bytes:
            raise ValueError(
                f"a file changed while it was uploaded: there are no {wanted_bytes} bytes at"
                f" {position} any more; upload it again"
            )
        header = chunk_header(position, size_bytes)
        start = HEADER_MAX_BYTES - len(header)
        view[start:HEADER_MAX_BYTES] = header
        await websocket.send(view[start : HEADER_MAX_BYTES + size_bytes])
        waiting.append((position, size_bytes))
    while waiting:
        await acknowledged()


async def send_file(
    token: str,
    address: str,
    file_uuid: str,
    part: FilePart,
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
    ValueError
        When the file has become shorter meanwhile.
    """
    websocket = await open_websocket(
        address, token, target="file_upload", uuid=file_uuid, verify=verify
    )
    try:
        await _stream(websocket, part, advance)
    except ConnectionClosed as error:
        raise ConnectionFailedException(
            f"the upload of file {file_uuid} broke off: {error}"
        ) from error
    except asyncio.CancelledError:
        websocket.transport.abort()
        raise
    finally:
        await close_websocket(websocket)


async def send_files(
    token: str,
    address: str,
    parts: Mapping[str, FilePart],
    *,
    verify: bool,
    advance: Callable[[int], None],
) -> None:
    """Send files at the same time, each over a websocket of its own.

    Parameters
    ----------
    token, address : str
        As everywhere.
    parts : mapping
        What to send, by the uuid of the file.
    verify : bool
        Whether certificates are checked.
    advance : callable
        Called with the bytes of every acknowledged chunk.

    Raises
    ------
    HandshakeRefusedError, BadRequestException, ConnectionFailedException, ValueError
        As `send_file`; the first one counts, the other files are cancelled.
    """
    try:
        async with asyncio.TaskGroup() as group:
            for uuid, part in parts.items():
                work = send_file(token, address, uuid, part, verify=verify, advance=advance)
                group.create_task(work)
    except BaseExceptionGroup as errors:
        # One cause is enough: the other file is only cancelled because of it.
        raise errors.exceptions[0] from None


def send_files_blocking(
    token: str,
    address: str,
    parts: Mapping[str, FilePart],
    *,
    verify: bool,
    advance: Callable[[int], None],
) -> None:
    """Send files as `send_files` and return when that is done."""
    run(send_files(token, address, parts, verify=verify, advance=advance))


def run(work: Coroutine[Any, Any, T]) -> T:
    """Run a coroutine to its end, also where an event loop is already running (notebooks)."""
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return asyncio.run(work)
    with ThreadPoolExecutor(max_workers=1) as pool:
        return pool.submit(asyncio.run, work).result()
