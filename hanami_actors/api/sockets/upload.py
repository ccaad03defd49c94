"""Target ``file_upload``: chunks of a file in any order, answered in the order of arrival."""

import asyncio
import logging
from typing import NamedTuple

from hanami_actors.actors.gateway import Command, Gateway, Target, TargetKind
from hanami_actors.api.bridge import ask_patiently
from hanami_actors.api.sockets.handshake import CLOSE_FAULT, HanamiSocket
from hanami_actors.domain.base import Who
from hanami_actors.domain.upload.messages import AppendChunk
from hanami_actors.errors import FaultError, HanamiError, NotFoundError
from hanami_actors.wire.conversion import UPLOAD_ACCEPTED, decode_upload, encode_upload_refusal

__all__ = ["UploadSocket", "open_upload"]

CHUNK_TIMEOUT_S = 60.0
CHUNKS_IN_FLIGHT_MAX = 32
BYTES_IN_FLIGHT_MAX = 16 * 1024 * 1024
"""What one upload socket may have on its way to the disk."""

_logger = logging.getLogger(__name__)


def open_upload(socket: HanamiSocket, who: Who, uuid: str) -> "UploadSocket":
    """Open the session of a file.

    Raises
    ------
    NotFoundError
        No such file, or it is somebody else's; here an admin is no exception.
    """
    gateway = socket.services.gateway
    row = gateway.tables.uploads.get(uuid)
    if (
        row is None
        or not row.state.alive
        or row.state.owner_id != who.user_id
        or row.state.project_id != who.project_id
    ):
        raise NotFoundError(f"Tempfile with UUID '{uuid[:64]}' not found")
    return UploadSocket(socket, gateway, who, uuid)


class _Pending(NamedTuple):
    answer: asyncio.Task[bytes]
    size_bytes: int


class UploadSocket:
    """One socket that uploads to one file; a file may have several.

    Many chunks may be on their way to the actor at the same time; beyond a limit in chunks or
    bytes, of this socket or of all together, nothing more is read from the socket, so the client
    waits in TCP and not in our memory.

    Parameters
    ----------
    socket : HanamiSocket
    gateway : Gateway
    who : Who
    uuid : str
        Of the file.
    """

    def __init__(self, socket: HanamiSocket, gateway: Gateway, who: Who, uuid: str) -> None:
        self._socket = socket
        self._gateway = gateway
        self._target = Target(kind=TargetKind.UPLOAD, key=uuid)
        self._who = who
        self._bytes_in_flight = 0
        self._room = asyncio.Event()
        self._room.set()
        self._pending: asyncio.Queue[_Pending] = asyncio.Queue(CHUNKS_IN_FLIGHT_MAX)
        self._sender = asyncio.create_task(self._answer_in_order())
        self._sender.add_done_callback(self._sender_done)

    async def on_message(self, message: bytes | str) -> None:
        """Pass a chunk on; returns when there is room for the next one."""
        size_bytes = len(message)
        budget = self._socket.services.received
        budget.take(size_bytes)
        answer = asyncio.create_task(self._store(message))
        answer.add_done_callback(lambda _: budget.give_back(size_bytes))
        self._bytes_in_flight += size_bytes
        if self._bytes_in_flight >= BYTES_IN_FLIGHT_MAX:
            self._room.clear()
        await self._pending.put(_Pending(answer, size_bytes))
        await self._room.wait()
        # Whoever fills the memory, all uploads wait: in TCP, and not here.
        await budget.wait_for_room()

    def on_close(self) -> None:
        """Stop answering; chunks that are on their way are still stored."""
        self._sender.cancel()
        self._room.set()

    async def _answer_in_order(self) -> None:
        while True:
            pending = await self._pending.get()
            await self._socket.send(await pending.answer)
            self._bytes_in_flight -= pending.size_bytes
            if self._bytes_in_flight < BYTES_IN_FLIGHT_MAX:
                self._room.set()

    async def _store(self, message: bytes | str) -> bytes:
        """Return the answer to a message."""
        chunk = decode_upload(message) if isinstance(message, bytes) else None
        if chunk is None:
            return encode_upload_refusal("Got invalid FileUpload-Message: not its protobuf bytes")
        position, data = chunk
        if not data:
            return UPLOAD_ACCEPTED
        command = Command(
            message=AppendChunk(position=position, data=data),
            who=self._who,
            correlation_id=self._socket.request_id,
        )
        try:
            # Clients ignore what the answer says, so a chunk refused only because the actor is
            # busy would be lost for good; storing it twice is harmless.
            await ask_patiently(self._gateway, self._target, command, timeout_s=CHUNK_TIMEOUT_S)
        except FaultError:
            _logger.exception("request %s: a chunk was not stored", self._socket.request_id)
            return encode_upload_refusal(f"internal error, request {self._socket.request_id}")
        except HanamiError as error:
            return encode_upload_refusal(error.message)
        return UPLOAD_ACCEPTED

    def _sender_done(self, sender: asyncio.Task[None]) -> None:
        if sender.cancelled():
            return
        _logger.error(
            "request %s: upload socket failed", self._socket.request_id, exc_info=sender.exception()
        )
        self._room.set()
        self._socket.close(CLOSE_FAULT, "internal error")
