"""A lean client of direct IO: bytes made by hand, one raw websocket."""

import struct
from typing import Any, Self

from tests.protocol.raw_clients import CLOSE, TEXT, RawWebSocket

__all__ = [
    "ACKNOWLEDGED",
    "EXPECTED",
    "INPUT",
    "OUTPUT",
    "TRAINED",
    "ClosedError",
    "DirectClient",
    "message",
]

INPUT, OUTPUT, EXPECTED = 0, 1, 2

ACKNOWLEDGED = bytes.fromhex("18012801320400000000")
TRAINED = bytes.fromhex("100118012801320400000000")


class ClosedError(Exception):
    """The server closed the connection."""

    def __init__(self, code: int, reason: str) -> None:
        super().__init__(f"{code}: {reason}")
        self.code, self.reason = code, reason


def varint(value: int) -> bytes:
    encoded = bytearray()
    while value >= 0x80:
        encoded.append(value & 0x7F | 0x80)
        value >>= 7
    encoded.append(value)
    return bytes(encoded)


def message(
    name: str, values: Any, *, last: bool, train: bool = False, target: int = INPUT
) -> bytes:
    """As the original's schema writes it."""
    data = struct.pack(f"<{len(values)}f", *values)
    parts = [b"\x0a", varint(len(name.encode())), name.encode()]
    parts += [b"\x10\x01"] * last + [b"\x18\x01"] * train
    if target:
        parts += [b"\x20", varint(target)]
    if data:
        parts += [b"\x28", varint(len(values)), b"\x32", varint(len(data)), data]
    return b"".join(parts)


def read_values(answer: bytes) -> tuple[str, list[float]]:
    """Return name and values of the answer to a request; it has nothing else."""
    name = values = b""
    at = 0
    while at < len(answer):
        tag, at = answer[at], at + 1
        size = shift = 0
        while True:
            byte, at = answer[at], at + 1
            size |= (byte & 0x7F) << shift
            shift += 7
            if byte < 0x80:
                break
        if tag == 0x28:
            continue
        assert tag in (0x0A, 0x32), answer.hex()
        if tag == 0x0A:
            name = answer[at : at + size]
        else:
            values = answer[at : at + size]
        at += size
    return name.decode(), list(struct.unpack(f"<{len(values) // 4}f", values))


class DirectClient:
    """A connection to a cluster."""

    def __init__(self, address: str, token: str, cluster: str, **first: Any) -> None:
        self.socket = RawWebSocket(int(address.rpartition(":")[2]))
        self.answer = self.socket.handshake(token, "cluster", cluster, **first)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def uuid(self) -> str:
        return str(self.answer["uuid"])

    def close(self) -> None:
        """Drop the connection without a close frame, as the Go client does."""
        self.socket.__exit__()

    def send(self, data: bytes) -> None:
        self.socket.send(data)

    def send_text(self, text: str) -> None:
        self.socket.send_frame(TEXT, text.encode())

    def receive(self) -> bytes:
        frame = self.socket.receive_frame()
        if frame.opcode == CLOSE:
            raise ClosedError(frame.close_code, frame.payload[2:].decode())
        return frame.payload

    def exchange(self, data: bytes) -> bytes:
        self.send(data)
        return self.receive()

    def train(
        self, values: Any, label: Any, *, inputs: str = "picture", output: str = "label"
    ) -> None:
        """One step, two messages, each answered before the next."""
        assert self.exchange(message(inputs, values, last=False, train=True)) == ACKNOWLEDGED
        last = message(output, label, last=True, train=True, target=EXPECTED)
        assert self.exchange(last) == TRAINED

    def request(self, values: Any, name: str = "picture") -> list[float]:
        return self.ask(message(name, values, last=True))[1]

    def ask(self, data: bytes) -> tuple[str, list[float]]:
        return read_values(self.exchange(data))
