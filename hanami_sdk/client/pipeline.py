"""Direct IO without sockets: which messages to send, which answers to wait for.

Every message gets exactly one answer, in order. The methods of `Pipeline` are generators that
yield a message to send, or None to receive one; both clients drive them. Training does not wait
for each answer: a window of messages may be on the way.
"""

import json
from collections import deque
from collections.abc import Generator, Mapping, Sequence
from enum import Enum
from functools import lru_cache
from typing import Any, TypeVar

from hanami_sdk._varint import varint
from hanami_sdk.client.arrays import Values, as_rows, float_bytes, floats_of, matrix_of
from hanami_sdk.hanami_exceptions import UnauthorizedException, UnreadableAnswerException

__all__ = ["WINDOW_STEPS", "Exchange", "Pipeline", "Rows", "Samples"]

T = TypeVar("T")

Exchange = Generator[bytes | str | None, bytes | str, T]

Samples = Mapping[str, Values]
"""Values for inputs or outputs, by the name of the hexagon."""

Rows = Mapping[str, Any]
"""A row of values for each sample, by the name of the hexagon: arrays of numpy, lists of lists."""

WINDOW_STEPS = 64

REQUEST, TRAIN = 0, 1
INPUT, EXPECTED = 0, 2
FLOAT_BYTES = 4

# Fields of the message: number * 8 + kind of value, see protos/hanami_messages.proto.
NAME, IS_LAST, PROCESS, TARGET, COUNT, VALUES = 0x0A, 0x10, 0x18, 0x20, 0x28, 0x32
NUMBERS = frozenset({IS_LAST, PROCESS, TARGET, COUNT})


class _Waiting(Enum):
    """What an answer that is still to come belongs to."""

    PART = 1
    """A message that was not the last of its step."""
    STEP = 2
    REQUEST = 3
    RENEWAL = 4


@lru_cache(maxsize=1024)
def _header(name: str, is_last: bool, process: int, target: int, count: int) -> bytes:
    """Return what stands before the values; the same for every step of a training."""
    text = name.encode()
    parts = [bytes([NAME]), varint(len(text)), text] if text else []
    if is_last:
        parts.append(bytes([IS_LAST, 1]))
    if process:
        parts.append(bytes([PROCESS, process]))
    if target:
        parts.append(bytes([TARGET, target]))
    if count:
        parts += [bytes([COUNT]), varint(count)]
        parts += [bytes([VALUES]), varint(count * FLOAT_BYTES)]
    return b"".join(parts)


def message_of(name: str, values: Values, *, is_last: bool, process: int, target: int) -> bytes:
    """Return one serialized ``ClusterIO_Message``; the values are copied once."""
    packed = float_bytes(values)
    return _header(name, is_last, process, target, len(packed) // FLOAT_BYTES) + packed


def _read_varint(message: bytes, at: int) -> tuple[int, int]:
    number = shift = 0
    while True:
        byte = message[at]
        at += 1
        number |= (byte & 0x7F) << shift
        if byte < 0x80:
            return number, at
        shift += 7


def _scanned(message: bytes) -> bytes:
    """Return the packed values, b"" if there are none."""
    values = b""
    at = 0
    while at < len(message):
        tag, (number, at) = message[at], _read_varint(message, at + 1)
        if tag in NUMBERS:
            continue
        if tag not in (NAME, VALUES) or at + number > len(message):
            raise ValueError(f"tag {tag} at byte {at}")
        if tag == VALUES:
            values = message[at : at + number]
        at += number
    if len(values) % FLOAT_BYTES:
        raise ValueError(f"{len(values)} bytes of values")
    return values


def packed_values(message: bytes | str) -> bytes:
    """Return the packed values of a serialized ``ClusterIO_Message``.

    Raises
    ------
    UnreadableAnswerException
        When the message is something else.
    """
    if isinstance(message, str):
        raise UnreadableAnswerException(f"the answer is no ClusterIO_Message but {message[:80]!r}")
    try:
        return _scanned(message)
    except (IndexError, ValueError) as error:
        raise UnreadableAnswerException(f"the answer is no ClusterIO_Message: {error}") from error


def _parts(samples: Samples, expected: Samples | None) -> list[tuple[str, Values, int]]:
    parts = [(name, values, INPUT) for name, values in samples.items()]
    if expected is not None:
        parts += [(name, values, EXPECTED) for name, values in expected.items()]
    return parts


def _columns(samples: Rows) -> dict[str, Sequence[Values]]:
    return {name: as_rows(values) for name, values in samples.items()}


def _row_count(*groups: Mapping[str, Sequence[Values]]) -> int:
    counts = {name: len(rows) for group in groups for name, rows in group.items()}
    if len(set(counts.values())) != 1:
        raise ValueError(f"every hexagon needs the same number of samples, got {counts}")
    return next(iter(counts.values()))


def _checked(samples: Rows, what: str) -> None:
    if not samples:
        raise ValueError(f"{what} is empty; name at least one hexagon")


class Pipeline:
    """One direct session.

    Parameters
    ----------
    window_steps : int
        How many steps of training may be without an answer.

    Attributes
    ----------
    steps_sent, steps_accepted : int
        Steps of training so far.
    """

    def __init__(self, window_steps: int = WINDOW_STEPS) -> None:
        if window_steps < 1:
            raise ValueError(f"window is {window_steps}; it must be at least 1")
        self._window_steps = window_steps
        self._waiting: deque[_Waiting] = deque()
        self.steps_sent = 0
        self.steps_accepted = 0

    def _take(self, message: bytes | str) -> Any:
        """Handle the next answer; return the values if it answers a request."""
        what = self._waiting.popleft()
        if what is _Waiting.STEP:
            self.steps_accepted += 1
        elif what is _Waiting.REQUEST:
            return floats_of(packed_values(message))
        elif what is _Waiting.RENEWAL:
            answer = json.loads(message)
            if not answer.get("success"):
                text = answer.get("error") or "the new token was refused"
                raise UnauthorizedException(str(text).encode())
        return None

    def _send(self, samples: Samples, expected: Samples | None, end: _Waiting) -> Exchange[None]:
        process = REQUEST if expected is None else TRAIN
        parts = _parts(samples, expected)
        last = len(parts) - 1
        for index, (name, values, target) in enumerate(parts):
            is_last = index == last
            yield message_of(name, values, is_last=is_last, process=process, target=target)
            self._waiting.append(end if is_last else _Waiting.PART)

    def train(self, inputs: Samples, expected: Samples) -> Exchange[None]:
        """Send one step; wait only when the window is full."""
        _checked(inputs, "inputs")
        _checked(expected, "expected")
        yield from self._send(inputs, expected, _Waiting.STEP)
        self.steps_sent += 1
        while self.steps_sent - self.steps_accepted >= self._window_steps:
            self._take((yield None))

    def train_many(self, inputs: Rows, expected: Rows) -> Exchange[int]:
        """Send a step for every row and wait for all of them; return how many there were."""
        sources, targets = _columns(inputs), _columns(expected)
        count = _row_count(sources, targets)
        for row in range(count):
            yield from self.train(
                {name: rows[row] for name, rows in sources.items()},
                {name: rows[row] for name, rows in targets.items()},
            )
        yield from self.flush()
        return count

    def request(self, inputs: Samples) -> Exchange[Any]:
        """Return the values of all outputs, one after another in the order of their names."""
        _checked(inputs, "inputs")
        yield from self.flush()
        yield from self._send(inputs, None, _Waiting.REQUEST)
        values = None
        while self._waiting:
            values = self._take((yield None))
        return values

    def request_many(self, inputs: Rows) -> Exchange[Any]:
        """Return one row of values for every row of the inputs."""
        _checked(inputs, "inputs")
        sources = _columns(inputs)
        yield from self.flush()
        answers: list[Any] = []
        for row in range(_row_count(sources)):
            sample = {name: rows[row] for name, rows in sources.items()}
            yield from self._send(sample, None, _Waiting.REQUEST)
            while len(self._waiting) >= self._window_steps * len(sources):
                yield from self._collect(answers)
        while self._waiting:
            yield from self._collect(answers)
        return matrix_of(answers)

    def _collect(self, answers: list[Any]) -> Exchange[None]:
        values = self._take((yield None))
        if values is not None:
            answers.append(values)

    def flush(self) -> Exchange[int]:
        """Wait until everything sent is answered; return how many steps were accepted."""
        while self._waiting:
            self._take((yield None))
        return self.steps_accepted

    def renewal(self, token: str) -> str:
        """Return the message that lets the session go on with a new token, to be sent at once."""
        self._waiting.append(_Waiting.RENEWAL)
        return json.dumps({"token": token})
