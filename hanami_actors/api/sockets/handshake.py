"""Websockets on any path: the handshake, and dispatch of messages to the target it names."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from types import TracebackType
from typing import Any, Protocol

import msgspec
from tornado.iostream import StreamClosedError
from tornado.websocket import WebSocketClosedError, WebSocketHandler, WebSocketProtocol13

from hanami_actors.api.access_log import AccessEntry
from hanami_actors.api.answers import encode_json
from hanami_actors.api.sockets.base import SocketHandler
from hanami_actors.domain.base import Who
from hanami_actors.errors import BadRequestError, FaultError, HanamiError, LimitError

__all__ = ["HanamiSocket", "SessionFactory", "SocketSession"]

FIRST_MESSAGE_SIZE_MAX_BYTES = 128 * 1024
CLOSE_HANDSHAKE_TIMEOUT = 4408
CLOSE_FAULT = 1011
SWITCHING_PROTOCOLS = 101

_logger = logging.getLogger(__name__)


class SocketSession(Protocol):
    """What follows a good handshake; one per socket."""

    def on_message(self, message: bytes | str) -> Awaitable[None] | None:
        """Handle a message. The next one is read when what this returns is done."""
        ...

    def on_close(self) -> None:
        """Let go; the socket is closed."""
        ...


SessionFactory = Callable[["HanamiSocket", Who, str], SocketSession]
"""Opens the session of a target for a caller and a uuid, or raises a `HanamiError`."""


class HanamiSocket(SocketHandler, WebSocketHandler):
    """A websocket. Runs in the event loop's thread.

    The first message is the handshake; a refused one is answered and another may follow.

    Attributes
    ----------
    first : dict
        The first message.
    token : str
        From it.
    connection_uuid : str
        As the client is told it.
    """

    def initialize(self, targets: Mapping[str, SessionFactory]) -> None:
        """Take what a target's name opens; tornado calls this once per connection."""
        self._targets = targets
        self._session: SocketSession | None = None
        self._timer: asyncio.TimerHandle | None = None
        self.first: dict[str, Any] = {}
        self.token = ""
        self.connection_uuid = ""

    def prepare(self) -> None:
        """Refuse a socket beyond the limit before it is one.

        Raises
        ------
        LimitError
        """
        count_max = self.services.settings.websocket_count_max
        if len(self.services.sockets) >= count_max:
            raise LimitError(
                f"{count_max} websockets are open, the limit (setting websocket_count_max); close "
                "one or try again later"
            )

    @property
    def max_message_size(self) -> int:
        """Of the first message, before anybody is known; later ones may be larger."""
        limit_bytes = self.services.settings.websocket_message_size_max_bytes
        return min(FIRST_MESSAGE_SIZE_MAX_BYTES, limit_bytes)

    def check_origin(self, origin: str) -> bool:
        """Let every origin in: the token in the first message decides, no cookie does."""
        return True

    def get_compression_options(self) -> None:
        """Never compress: chunks and floats do not shrink enough to pay for it."""

    def open(self, *_args: str, **_kwargs: str) -> None:
        """Wait for the handshake, but not for ever."""
        self.set_nodelay(True)
        self.services.sockets.add(self)
        self._timer = asyncio.get_running_loop().call_later(
            self.services.settings.websocket_handshake_timeout_s,
            self.close,
            CLOSE_HANDSHAKE_TIMEOUT,
            "no valid first message in time",
        )

    def on_message(self, message: bytes | str) -> Awaitable[None] | None:
        """Pass a message on, or take it as the handshake."""
        if self._session is not None:
            return self._session.on_message(message)
        return self._on_first(message)

    async def _on_first(self, message: bytes | str) -> None:
        try:
            self._session = self._handshake(message)
        except HanamiError as error:
            await self.send(encode_json({"error": error.message, "success": False}))
            return
        if self._timer is not None:
            self._timer.cancel()
        await self.send(encode_json({"success": True, "uuid": self.connection_uuid}))

    async def send(self, message: bytes) -> None:
        """Send a binary message; waits while the client does not read."""
        try:
            await self.write_message(message, binary=True)
        except WebSocketClosedError:
            _logger.debug("request %s: the client left before its answer", self.request_id)

    def send_frames(self, frames: bytes) -> "asyncio.Future[None] | None":
        """Send whole frames; return what to wait for if the client does not read.

        Tornado's own way makes a task of every message, which costs more than the message.
        """
        connection = self.ws_connection
        if connection is None or connection.is_closing():
            return None
        stream = connection.stream
        assert stream is not None, "an open connection has a stream"
        try:
            written: asyncio.Future[None] = stream.write(frames)
        except StreamClosedError:
            _logger.debug("request %s: the client left before its answer", self.request_id)
            return None
        return written if stream.writing() else None

    def on_close(self) -> None:
        """Let go of everything."""
        if self._timer is not None:
            self._timer.cancel()
        if self._session is not None:
            self._session.on_close()
        self.services.sockets.discard(self)
        entry = AccessEntry(
            "WEBSOCKET",
            self.request.path,
            SWITCHING_PROTOCOLS,
            self.request.request_time() * 1e3,
            self.user_id,
            self.request_id,
        )
        self.services.access_log.record(entry)

    def log_exception(
        self,
        typ: type[BaseException] | None,
        value: BaseException | None,
        tb: TracebackType | None,
    ) -> None:
        """Log a fault with the request's id; tornado then drops the connection."""
        if isinstance(value, HanamiError) and not isinstance(value, FaultError):
            return
        exc_info = (typ, value, tb) if typ and value else None
        _logger.error("request %s: websocket failed", self.request_id, exc_info=exc_info)

    def _handshake(self, message: bytes | str) -> SocketSession:
        first = _decode_first(message)
        token, target, uuid = (_text(first, name) for name in ("token", "target", "uuid"))
        tables = self.services.gateway.tables
        who = self.services.tokens.verify(token, tables)
        if target not in self._targets:
            raise BadRequestError(
                f"target '{target[:40]}' is not known; known targets: "
                f"{', '.join(sorted(self._targets))}"
            )
        self._check_count(who)
        self.first, self.token = first, token
        self.connection_uuid = self.services.gateway.entropy.uuid()
        session = self._targets[target](self, who, uuid)
        self.user_id = who.user_id
        self._allow_large_messages()
        return session

    def _check_count(self, who: Who) -> None:
        count_max = self.services.settings.websockets_per_user_max
        count = sum(socket.user_id == who.user_id for socket in self.services.sockets)
        if count >= count_max:
            raise LimitError(
                f"user '{who.user_id}' has {count} websockets open, the limit (setting "
                "websockets_per_user_max); close one first"
            )

    def _allow_large_messages(self) -> None:
        connection = self.ws_connection
        if isinstance(connection, WebSocketProtocol13):
            limit_bytes = self.services.settings.websocket_message_size_max_bytes
            connection.params.max_message_size = limit_bytes


def _decode_first(message: bytes | str) -> dict[str, Any]:
    try:
        first = msgspec.json.decode(message)
    except (msgspec.MsgspecError, UnicodeError, RecursionError) as error:
        raise BadRequestError(f"the first message is not valid JSON: {error}") from None
    if not isinstance(first, dict):
        raise BadRequestError("the first message must be a JSON object")
    return first


def _text(first: dict[str, Any], name: str) -> str:
    value = first.get(name)
    if not isinstance(value, str) or not value:
        raise BadRequestError(
            f"field '{name}' of the first message must be a text that is not empty"
        )
    return value
