"""Clients that send exactly the bytes a test wants: a plain HTTP socket and a websocket."""

import base64
import json
import os
import socket
import struct
from contextlib import AbstractContextManager
from typing import Any, NamedTuple, Self

__all__ = [
    "BINARY",
    "CLOSE",
    "CONTINUATION",
    "PING",
    "PONG",
    "TEXT",
    "Frame",
    "RawHttp",
    "RawWebSocket",
]

TIMEOUT_S = 20.0

CONTINUATION, TEXT, BINARY, CLOSE, PING, PONG = 0, 1, 2, 8, 9, 10


class Frame(NamedTuple):
    fin: bool
    opcode: int
    payload: bytes

    @property
    def close_code(self) -> int:
        return int(struct.unpack("!H", self.payload[:2])[0])


class RawHttp(AbstractContextManager["RawHttp"]):
    """A connection on which requests are bytes and answers are parsed just enough."""

    def __init__(self, port: int) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port), TIMEOUT_S)
        self._file = self.socket.makefile("rb")

    def __exit__(self, *_: object) -> None:
        self._file.close()
        self.socket.close()

    def send(self, data: bytes) -> Self:
        self.socket.sendall(data)
        return self

    def request(self, method: str, path: str, body: bytes = b"", **headers: str) -> Self:
        lines = [f"{method} {path} HTTP/1.1", "Host: test", f"Content-Length: {len(body)}"]
        lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
        return self.send("\r\n".join(lines).encode() + b"\r\n\r\n" + body)

    def answer(self, *, without_body: bool = False) -> tuple[int, dict[str, str], bytes]:
        status = int(self._file.readline().split()[1])
        headers: dict[str, str] = {}
        while (line := self._file.readline().strip()) != b"":
            name, _, value = line.decode().partition(":")
            headers[name.lower()] = value.strip()
        length = 0 if without_body else int(headers.get("content-length", "0"))
        return status, headers, self._file.read(length)

    def is_closed(self) -> bool:
        """Wait until the server closes; False when it sends something instead."""
        return self._file.read(1) == b""


class RawWebSocket(AbstractContextManager["RawWebSocket"]):
    """A websocket client that can break every rule."""

    def __init__(self, port: int, path: str = "/", **headers: str) -> None:
        self._http = RawHttp(port)
        key = base64.b64encode(os.urandom(16)).decode()
        self._http.send(
            "\r\n".join(
                [
                    f"GET {path} HTTP/1.1",
                    "Host: test",
                    "Upgrade: websocket",
                    "Connection: Upgrade",
                    f"Sec-WebSocket-Key: {key}",
                    "Sec-WebSocket-Version: 13",
                    *(f"{name.replace('_', '-')}: {value}" for name, value in headers.items()),
                    "\r\n",
                ]
            ).encode()
        )
        try:
            self.status, self.headers, _ = self._http.answer(without_body=True)
        except (OSError, ValueError, IndexError):
            self._http.__exit__()
            raise

    def __exit__(self, *_: object) -> None:
        self._http.__exit__()

    def send_frame(self, opcode: int, payload: bytes, *, fin: bool = True) -> None:
        head = bytes([(0x80 if fin else 0) | opcode])
        size = len(payload)
        if size < 126:
            head += bytes([0x80 | size])
        elif size < 65536:
            head += bytes([0x80 | 126]) + struct.pack("!H", size)
        else:
            head += bytes([0x80 | 127]) + struct.pack("!Q", size)
        # A mask of zeros is a valid mask and leaves the payload as it is.
        self._http.send(head + bytes(4) + payload)

    def send(self, message: bytes) -> None:
        self.send_frame(BINARY, message)

    def send_fragmented(self, message: bytes, size: int = 4096) -> None:
        """As the Go client does: every message in frames of 4096 bytes."""
        pieces = [message[at : at + size] for at in range(0, len(message), size)] or [b""]
        for index, piece in enumerate(pieces):
            opcode = BINARY if index == 0 else CONTINUATION
            self.send_frame(opcode, piece, fin=index == len(pieces) - 1)

    def receive_frame(self) -> Frame:
        first, second = self._read(2)
        size = second & 0x7F
        if size == 126:
            size = struct.unpack("!H", self._read(2))[0]
        elif size == 127:
            size = struct.unpack("!Q", self._read(8))[0]
        return Frame(bool(first & 0x80), first & 0x0F, self._read(size))

    def receive(self) -> bytes:
        """Return the next message; it must be one binary frame."""
        frame = self.receive_frame()
        assert (frame.fin, frame.opcode) == (True, BINARY), frame
        return frame.payload

    def handshake(self, token: str, target: str, uuid: str, **more: Any) -> dict[str, Any]:
        """Send the first message as the SDKs do, return the answer."""
        first = {"token": token, "target": target, "uuid": uuid, **more}
        self.send_frame(TEXT, json.dumps(first).encode())
        answer = json.loads(self.receive())
        assert isinstance(answer, dict)
        return answer

    @property
    def plain_socket(self) -> socket.socket:
        """For whoever makes the frames; nothing may have been received in part."""
        return self._http.socket

    def is_closed(self) -> bool:
        return self._http.is_closed()

    def _read(self, size: int) -> bytes:
        data = self._http._file.read(size)
        assert len(data) == size, "the server closed the connection"
        return data
