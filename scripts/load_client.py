"""A client that costs little, so that what is measured is the server: HTTP and websocket by hand."""

import asyncio
import json
import os
import struct
import time
from collections import defaultdict
from dataclasses import dataclass, field
from typing import Any

__all__ = ["Connection", "Figures", "Socket"]

BINARY, TEXT, CLOSE = 2, 1, 8
TIMEOUT_S = 60.0


@dataclass
class Figures:
    """What happened: milliseconds by operation, and what went wrong."""

    durations_ms: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    errors: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    bytes_sent: int = 0
    _is_over: bool = False

    def stop_noting(self) -> None:
        """Take durations no more; errors still count."""
        self._is_over = True

    def note(self, operation: str, start_s: float) -> None:
        """Take note of an operation that has just ended."""
        if self._is_over:
            return
        self.durations_ms[operation].append((time.perf_counter() - start_s) * 1e3)

    def fail(self, operation: str, why: object) -> None:
        """Take note of one that went wrong."""
        self.errors[f"{operation}: {why}"] += 1


class Connection:
    """One connection of one user, kept open; a lost one is an error and is opened again."""

    def __init__(self, port: int, figures: Figures) -> None:
        self.port = port
        self.figures = figures
        self.token = ""
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def call(
        self, operation: str, method: str, path: str, body: Any = None
    ) -> dict[str, Any] | None:
        """Send a request; return the answer, None when it was not 200."""
        start_s = time.perf_counter()
        try:
            status, data = await asyncio.wait_for(self._exchange(method, path, body), TIMEOUT_S)
        except (OSError, asyncio.IncompleteReadError, TimeoutError) as error:
            self.figures.fail(operation, type(error).__name__)
            self.close()
            return None
        self.figures.note(operation, start_s)
        if status != 200:
            self.figures.fail(operation, f"{status} {data[:120].decode(errors='replace')}")
            return None
        answer: dict[str, Any] = json.loads(data)
        return answer

    async def _exchange(self, method: str, path: str, body: Any) -> tuple[int, bytes]:
        if self._streams is None:
            self._streams = await asyncio.open_connection("127.0.0.1", self.port)
        reader, writer = self._streams
        content = b"" if body is None else json.dumps(body).encode()
        token = f"X-Auth-Token: {self.token}\r\n" if self.token else ""
        head = (
            f"{method} /v1/{path} HTTP/1.1\r\nHost: load\r\n{token}"
            f"Content-Length: {len(content)}\r\n\r\n"
        )
        writer.write(head.encode() + content)
        self.figures.bytes_sent += len(head) + len(content)
        lines = (await reader.readuntil(b"\r\n\r\n")).split(b"\r\n")
        length = next(
            int(line.split(b":")[1]) for line in lines if line.lower().startswith(b"content-length")
        )
        return int(lines[0].split()[1]), await reader.readexactly(length)

    def close(self) -> None:
        """Let go of the connection."""
        if self._streams is not None:
            self._streams[1].close()
            self._streams = None


class Socket:
    """A websocket after its handshake."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    @classmethod
    async def open(cls, port: int, token: str, target: str, uuid: str) -> "Socket":
        """Connect and shake hands; raises ConnectionError when it is refused."""
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(
            b"GET / HTTP/1.1\r\nHost: load\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
        )
        head = await reader.readuntil(b"\r\n\r\n")
        if b" 101 " not in head.splitlines()[0]:
            raise ConnectionError(head.splitlines()[0].decode())
        socket = cls(reader, writer)
        first = {"token": token, "target": target, "uuid": uuid}
        answer = json.loads(await socket.ask(json.dumps(first).encode(), opcode=TEXT))
        if not answer["success"]:
            raise ConnectionError(answer["error"])
        return socket

    async def ask(self, message: bytes, *, opcode: int = BINARY) -> bytes:
        """Send a message and return its answer; raises ConnectionError at a close."""
        size = len(message)
        head = bytes([0x80 | opcode])
        if size < 126:
            head += bytes([0x80 | size])
        elif size < 65_536:
            head += bytes([0x80 | 126]) + struct.pack("!H", size)
        else:
            head += bytes([0x80 | 127]) + struct.pack("!Q", size)
        self._writer.write(head + bytes(4) + message)
        await self._writer.drain()
        return await asyncio.wait_for(self._receive(), TIMEOUT_S)

    async def _receive(self) -> bytes:
        while True:
            first, size = await self._reader.readexactly(2)
            if size == 126:
                size = struct.unpack("!H", await self._reader.readexactly(2))[0]
            elif size == 127:
                size = struct.unpack("!Q", await self._reader.readexactly(8))[0]
            payload = await self._reader.readexactly(size)
            if first & 0x0F == CLOSE:
                raise ConnectionError(payload[2:].decode(errors="replace"))
            if first & 0x0F in (TEXT, BINARY):
                return payload
            # A ping: answered, masked as clients have to.
            self._writer.write(bytes([0x8A, 0x80 | len(payload)]) + bytes(4) + payload)

    def close(self) -> None:
        """Drop the connection, as the original's Go client does."""
        self._writer.close()


def random_name(prefix: str) -> str:
    """Return a name that nobody else has."""
    return f"{prefix}_{os.urandom(6).hex()}"
