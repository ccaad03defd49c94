"""Target ``cluster``: direct IO, one answer for each message, in the order of arrival."""

import asyncio
import logging
import threading
from collections import deque
from collections.abc import Awaitable

import msgspec
import numpy as np
from numpy.typing import NDArray

from hanami_actors.actors.cluster.connections import OpenChannel, TakeWriter
from hanami_actors.actors.gateway import Command, Gateway, Target, TargetKind
from hanami_actors.api.answers import encode_json
from hanami_actors.api.bridge import ask
from hanami_actors.api.sockets.close_codes import close_code_of
from hanami_actors.api.sockets.frames import binary_frame
from hanami_actors.api.sockets.handshake import HanamiSocket
from hanami_actors.domain.base import Message, Who
from hanami_actors.domain.tables import find_visible
from hanami_actors.engine.direct.channel import Closing, DirectChannel, Ports, Step
from hanami_actors.errors import (
    BadRequestError,
    ConflictError,
    FaultError,
    HanamiError,
    LimitError,
    NotFoundError,
    UnauthorizedError,
)
from hanami_actors.wire.cluster_io import (
    ACKNOWLEDGED,
    EXPECTED,
    INPUT,
    REQUEST,
    TRAIN,
    TRAINED,
    ClusterIO,
    decode_cluster_io,
)

__all__ = ["ClusterSocket", "open_cluster"]

ACK_FRAME = binary_frame(ACKNOWLEDGED)
TRAINED_FRAME = binary_frame(TRAINED)

ACTOR_TIMEOUT_S = 60.0
STEPS_IN_FLIGHT_MAX = 1024
"""Steps that one session may have on their way before nothing more is read."""
VALUES_MAX = 1_000_000
"""Values of one message."""
RECHECK_S = 5.0
RECHECK_MIN_S = 0.01
REASON_BYTES_MAX = 120
NAMES_SHOWN_MAX = 20
NO_VECTORS: dict[str, NDArray[np.float32]] = {}

_logger = logging.getLogger(__name__)


def open_cluster(socket: HanamiSocket, who: Who, uuid: str) -> "ClusterSocket":
    """Open the session of a cluster.

    Raises
    ------
    NotFoundError
        The caller sees no such cluster.
    BadRequestError
        The first message asks for an unknown durability.
    """
    row = find_visible(socket.services.gateway.tables.clusters, who, uuid)
    if row is None:
        raise NotFoundError(f"Cluster with UUID '{uuid[:64]}' not found")
    durability = socket.first.get("durability", "accepted")
    if durability not in ("accepted", "committed"):
        raise BadRequestError(
            "field 'durability' of the first message must be 'accepted' (answered once trained) or "
            "'committed' (answered once it is on the disk)"
        )
    return ClusterSocket(socket, who, row.uuid, is_durable=durability == "committed")


class ClusterSocket:
    """One connection to one cluster; runs in the event loop's thread.

    Messages fill the buffers of the connection; the last one of a step hands them to the cluster's
    channel, whose answers come back from compute threads. Messages that are not the last one are
    answered here. Nothing is read while too many steps are on their way, or while the client does
    not take its answers.

    Parameters
    ----------
    socket : HanamiSocket
    who : Who
    uuid : str
        Of the cluster.
    is_durable : bool
        Whether training is answered only once it is on the disk.
    """

    def __init__(self, socket: HanamiSocket, who: Who, uuid: str, *, is_durable: bool) -> None:
        self._socket = socket
        self._gateway: Gateway = socket.services.gateway
        self._who = who
        self._token = socket.token
        self._target = Target(kind=TargetKind.CLUSTER, key=uuid)
        self._loop = asyncio.get_running_loop()
        self._channel: DirectChannel | None = None
        self._inputs: dict[str, NDArray[np.float32]] = {}
        self._expected: dict[str, NDArray[np.float32]] = {}
        # What is to be sent behind the answer of each step that is still on its way.
        self._tails: deque[bytes] = deque()
        self._out: list[bytes] = []
        self._is_flushing = False
        self._written: asyncio.Future[None] | None = None
        self._room = asyncio.Event()
        self._ending: Closing | None = None
        self._is_over = self._is_submitting = self._is_answered = False
        self._thread = threading.get_ident()
        self._opening = asyncio.ensure_future(self._open(is_durable=is_durable))
        self._opening.add_done_callback(self._opened)
        self._timer = self._loop.call_soon(self._check_caller)

    def on_message(self, message: bytes | str) -> Awaitable[None] | None:
        """Handle a message; what is returned must be awaited before the next one is read."""
        if self._is_over or self._ending is not None:
            return None
        if self._channel is None or isinstance(message, str):
            return self._on_rare(message)
        return self._on_step(message, self._channel)

    def on_close(self) -> None:
        """Let go; what was sent is still trained and recorded."""
        self._is_over = True
        self._timer.cancel()
        self._room.set()
        self._opening.cancel()
        if self._channel is not None:
            self._channel.close()

    # Messages.

    def _on_step(self, message: bytes, channel: DirectChannel) -> Awaitable[None] | None:
        decoded = decode_cluster_io(message)
        try:
            if decoded is None:
                raise BadRequestError("the message is not a ClusterIO_Message in protobuf")
            if decoded.process == TRAIN:
                if not channel.is_writer:
                    return self._become_writer(message, channel)
            elif decoded.process != REQUEST:
                raise BadRequestError(f"processType is {decoded.process}; it must be 0 or 1")
            self._store(decoded, channel.ports)
        except HanamiError as error:
            self._end(error)
            return None
        if not decoded.is_last:
            self._send(ACK_FRAME)
        else:
            self._submit(channel, is_training=decoded.process == TRAIN)
        if len(self._tails) >= STEPS_IN_FLIGHT_MAX or self._written:
            return self._wait_for_room()
        return None

    def _store(self, message: ClusterIO, ports: Ports) -> None:
        """Put the values of a message into the buffer that it names."""
        name, count = message.name, message.announced or message.value_count
        if count > message.value_count:
            raise BadRequestError(
                f"numberOfValues is {count}, but the message has {message.value_count} values"
            )
        if count > VALUES_MAX:
            raise LimitError(f"{count} values are too many; at most {VALUES_MAX} are allowed")
        target = message.target
        if target == INPUT and name not in ports.inputs and name in ports.outputs:
            target = EXPECTED
        if target == INPUT:
            _require_name(name, ports.inputs, "input")
            if count:
                vector = np.frombuffer(message.data, "<f4", count, message.offset)
                self._inputs[name] = self._over_previous(name, vector)
        elif target == EXPECTED:
            _require_name(name, ports.outputs, "output")
            if count:
                self._expected[name] = np.frombuffer(message.data, "<f4", count, message.offset)
            else:
                self._expected.pop(name, None)
        else:
            raise BadRequestError(
                f"targetBufferType is {target}; it must be 0 (input) or 2 (expected)"
            )

    def _over_previous(self, name: str, vector: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return the values with those of the last message behind them, if that was longer."""
        previous = self._inputs.get(name)
        if previous is None or previous.shape[0] <= vector.shape[0]:
            return vector
        whole = previous.copy()
        whole[: vector.shape[0]] = vector
        return whole

    def _submit(self, channel: DirectChannel, *, is_training: bool) -> None:
        expected = dict(self._expected) if is_training else NO_VECTORS
        self._tails.append(b"")
        self._is_submitting = True
        channel.submit(Step(channel, is_training, dict(self._inputs), expected))
        self._is_submitting = False
        if self._is_answered:
            self._is_answered = False
            self._drain()

    async def _on_rare(self, message: bytes | str) -> None:
        """Handle a message before the channel is open, or a text."""
        if self._channel is None:
            await self._opening
        if self._channel is None or self._is_over:
            return
        if isinstance(message, str):
            self._renew(message)
            return
        further = self._on_step(message, self._channel)
        if further is not None:
            await further

    async def _open(self, *, is_durable: bool) -> None:
        message = OpenChannel(connection_uuid=self._socket.connection_uuid, is_durable=is_durable)
        try:
            channel: DirectChannel = await self._ask(message)
        except HanamiError as error:
            self._end(error)
            return
        if self._is_over:
            channel.close()
            return
        channel.notify = self._on_answers
        self._channel = channel

    def _opened(self, opening: "asyncio.Future[None]") -> None:
        if opening.cancelled() or opening.exception() is None:
            return
        _logger.error(
            "request %s: direct IO failed", self._socket.request_id, exc_info=opening.exception()
        )
        self._end(FaultError("internal error"))

    async def _become_writer(self, message: bytes, channel: DirectChannel) -> None:
        """Ask the cluster's actor for the right to train, then go on with the message."""
        # What is on its way was sent as a reader or under a right that is taken by now.
        while self._tails and not self._is_over:
            await self._wait_for(0)
        try:
            await self._ask(TakeWriter(channel=channel))
        except HanamiError as error:
            self._end(error)
            return
        further = self._on_step(message, channel) if channel.is_writer else None
        if further is not None:
            await further
        elif not channel.is_writer and not self._is_over:
            self._end(ConflictError("the cluster is not in direct mode any more"))

    async def _ask(self, message: Message) -> DirectChannel:
        command = Command(message=message, who=self._who, correlation_id=self._socket.request_id)
        answer: DirectChannel = await ask(
            self._gateway, self._target, command, timeout_s=ACTOR_TIMEOUT_S
        )
        return answer

    # Answers.

    def _on_answers(self) -> None:
        """Hear that answers have come: in a compute thread, or while a step is submitted."""
        if self._is_submitting and threading.get_ident() == self._thread:
            self._is_answered = True
        elif not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._drain)

    def _drain(self) -> None:
        if self._channel is None or self._is_over:
            return
        for answer in self._channel.take():
            if isinstance(answer, Closing):
                self._ending = answer
                self._tails.clear()
                break
            self._out.append(TRAINED_FRAME if answer is TRAINED else binary_frame(answer))
            tail = self._tails.popleft()
            if tail:
                self._out.append(tail)
        if self._ending is not None and not self._tails:
            self._flush()
            self._close(self._ending)
        else:
            self._flush_soon()
        self._room.set()

    def _send(self, frame: bytes) -> None:
        """Send a frame behind the answers of all steps that are on their way."""
        if self._tails:
            self._tails[-1] += frame
            return
        self._out.append(frame)
        self._flush_soon()

    def _flush_soon(self) -> None:
        if not self._is_flushing:
            # Messages that have come together are answered together.
            self._is_flushing = True
            self._loop.call_soon(self._flush)

    def _flush(self) -> None:
        self._is_flushing = False
        if self._out and not self._is_over:
            self._written = self._socket.send_frames(b"".join(self._out))
        self._out.clear()

    async def _wait_for_room(self) -> None:
        await self._wait_for(STEPS_IN_FLIGHT_MAX // 2)

    async def _wait_for(self, count: int) -> None:
        """Wait until at most so many steps are on their way and the client has read its answers."""
        while len(self._tails) > count and not self._is_over:
            self._room.clear()
            await self._room.wait()
        if self._written is not None and not self._is_over:
            written, self._written = self._written, None
            # The stream's own errors end the socket, which lets go of this session.
            await asyncio.wait([written])

    # The caller, and the end.

    def _check_caller(self) -> None:
        """Look whether the token still holds and the cluster is still there for its user."""
        services = self._socket.services
        try:
            who = services.tokens.verify(self._token, self._gateway.tables)
            if find_visible(self._gateway.tables.clusters, who, self._target.key) is None:
                raise NotFoundError(f"Cluster with UUID '{self._target.key}' not found")
        except HanamiError as error:
            self._end(error)
            return
        left_s = services.tokens.seconds_left(self._token)
        self._timer = self._loop.call_later(
            min(max(left_s, RECHECK_MIN_S), RECHECK_S), self._check_caller
        )

    def _renew(self, text: str) -> None:
        try:
            fields = msgspec.json.decode(text)
            token = fields["token"]
        except (msgspec.MsgspecError, KeyError, TypeError, UnicodeError, RecursionError):
            self._end(BadRequestError('the text is not {"token": "<a new token>"}'))
            return
        try:
            who = self._socket.services.tokens.verify(
                token if isinstance(token, str) else None, self._gateway.tables
            )
            if who.user_id != self._who.user_id:
                raise UnauthorizedError("the token is of another user")
        except HanamiError as error:
            self._send(binary_frame(encode_json({"error": error.message, "success": False})))
            return
        self._token, self._who = token, who
        self._timer.cancel()
        self._send(
            binary_frame(encode_json({"success": True, "uuid": self._socket.connection_uuid}))
        )
        self._check_caller()

    def _end(self, error: HanamiError) -> None:
        """Close with a reason, behind the answers to the messages before."""
        if isinstance(error, FaultError):
            _logger.error("request %s: direct IO failed: %s", self._socket.request_id, error)
        if self._ending is None:
            self._ending = Closing(close_code_of(error), error.message)
        if not self._tails:
            self._flush()
            self._close(self._ending)

    def _close(self, closing: Closing) -> None:
        if self._is_over:
            return
        self._is_over = True
        reason = closing.reason.encode()[:REASON_BYTES_MAX].decode(errors="ignore")
        self._socket.close(closing.code, reason)


def _require_name(name: str, known: frozenset[str], what: str) -> None:
    if name not in known:
        listed = ", ".join(sorted(known)[:NAMES_SHOWN_MAX]) or "none"
        raise BadRequestError(f"no {what} is called '{name[:40]}'; there are: {listed}")
