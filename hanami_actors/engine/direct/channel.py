"""The door between one connection and the network of a cluster."""

import threading
from collections import deque
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from hanami_actors.domain.cluster.template import Template

__all__ = [
    "Answer",
    "CloseCode",
    "Closing",
    "DirectChannel",
    "Ports",
    "Step",
    "StepTaker",
    "ports_of",
]


class CloseCode:
    """Why a connection is closed by the server."""

    BAD_MESSAGE = 4400
    TOKEN_EXPIRED = 4401
    GONE = 4404
    CONFLICT = 4409
    LIMIT = 4429
    FAULT = 1011
    RESTART = 1012


class Closing(NamedTuple):
    """Instead of an answer: the connection is over."""

    code: int
    reason: str


Answer = bytes | Closing


class Ports(NamedTuple):
    """The names that a connection may use.

    Attributes
    ----------
    inputs, outputs : frozenset of str
    first_output : bytes
        UTF-8 name of the first output in alphabetical order; empty when there is none.
    """

    inputs: frozenset[str]
    outputs: frozenset[str]
    first_output: bytes


def ports_of(template: "Template") -> Ports:
    """Return the names that connections may use."""
    outputs = sorted({port.name for port in template.outputs})
    return Ports(
        inputs=frozenset(port.name for port in template.inputs),
        outputs=frozenset(outputs),
        first_output=outputs[0].encode() if outputs else b"",
    )


class Step(NamedTuple):
    """One step of a connection: a request, or a sample to be learned.

    Attributes
    ----------
    channel : DirectChannel
    is_training : bool
    inputs, expected : mapping of name to float32 vector
        Not to be changed afterwards.
    """

    channel: "DirectChannel"
    is_training: bool
    inputs: "Mapping[str, NDArray[np.float32]]"
    expected: "Mapping[str, NDArray[np.float32]]"


class StepTaker(Protocol):
    """What a connection needs of the queue that computes its steps."""

    @property
    def ports(self) -> Ports:
        """The names of the cluster as it is now."""
        ...

    @property
    def writer(self) -> "DirectChannel | None":
        """The connection that may train."""
        ...

    def submit(self, step: Step) -> None:
        """Have a step computed."""
        ...


class DirectChannel:
    """Made by the cluster's actor, used by one connection; every method is thread-safe.

    Answers come in the order of the steps, one for each, or a `Closing`.

    Parameters
    ----------
    steps : StepTaker
    connection_uuid : str
    is_durable : bool
        Whether the answer to a training step waits until it is on the disk.
    on_close : callable
        Tells the actor that the connection has gone.

    Attributes
    ----------
    notify : callable
        Set by the connection; called from compute threads when answers have come.
    """

    def __init__(
        self,
        steps: StepTaker,
        connection_uuid: str,
        *,
        is_durable: bool,
        on_close: Callable[["DirectChannel"], Any],
    ) -> None:
        self.connection_uuid = connection_uuid
        self.is_durable = is_durable
        self.notify: Callable[[], None] = _nobody
        self._steps = steps
        self._on_close = on_close
        self._answers: deque[Answer] = deque()
        self._is_told = False
        self._lock = threading.Lock()
        self._held: deque[tuple[int, Answer]] = deque()
        self._durable_step = 0

    @property
    def ports(self) -> Ports:
        """The names of the cluster as it is now."""
        return self._steps.ports

    @property
    def is_writer(self) -> bool:
        """Whether this connection may train."""
        return self._steps.writer is self

    def submit(self, step: Step) -> None:
        """Have a step computed."""
        self._steps.submit(step)

    def take(self) -> list[Answer]:
        """Return the answers that have come since the last time."""
        self._is_told = False
        taken = []
        while self._answers:
            taken.append(self._answers.popleft())
        return taken

    def close(self) -> None:
        """Let go: the connection is over."""
        self.notify = _nobody
        self._on_close(self)

    def answer(self, answer: Answer) -> None:
        """Give the answer to the next step; called by whoever computes."""
        if not self.is_durable:
            self._put(answer)
            return
        # One that waits for the disk, or is just being given, keeps those behind it back.
        with self._lock:
            if self._held:
                self._held.append((0, answer))
            else:
                self._put(answer)

    def answer_when_durable(self, answer: Answer, step: int) -> None:
        """Give the answer once so many training steps of the session are on the disk."""
        with self._lock:
            if self._held or step > self._durable_step:
                self._held.append((step, answer))
                return
        self._put(answer)

    def durable(self, step: int) -> None:
        """Hear that so many training steps of the session are on the disk."""
        with self._lock:
            self._durable_step = step
            while self._held and self._held[0][0] <= step:
                self._put(self._held.popleft()[1])

    def begin_session(self) -> None:
        """Count durable steps from the beginning again."""
        with self._lock:
            self._durable_step = 0

    def fail(self, code: int, reason: str) -> None:
        """End the connection with a reason; answers that still wait are not given."""
        with self._lock:
            self._held.clear()
        self._put(Closing(code, reason))

    def _put(self, answer: Answer) -> None:
        self._answers.append(answer)
        if not self._is_told:
            self._is_told = True
            self.notify()


def _nobody() -> None:
    """Stand in for a connection that does not listen."""
