"""Open a websocket and introduce it to the server."""

import asyncio
import json
import ssl
from collections.abc import Mapping
from contextlib import ExitStack
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, WebSocketException

from hanami_sdk._transport import LOOPBACK_HOSTS, host_of
from hanami_sdk.hanami_exceptions import ConnectionFailedException, DirectClosedException

if TYPE_CHECKING:
    from websockets.sync.client import ClientConnection as SyncConnection

__all__ = [
    "HandshakeRefusedError",
    "close_websocket",
    "closed_exception",
    "open_sync_websocket",
    "open_websocket",
    "websocket_url",
]

MESSAGE_SIZE_MAX_BYTES = 64 * 1024 * 1024
# Twice the upload window, so that reading never pauses while acknowledgements come in.
RECEIVED_MAX = 64
# asyncio waits for the network above this; a few chunks keep the server busy meanwhile.
UNSENT_MAX_BYTES = 512 * 1024
OPEN_TIMEOUT_S = 10.0
# A busy server may be late; it is gone when nothing came for this long.
PONG_TIMEOUT_S = 60.0

NO_OPTIONS: Mapping[str, str] = MappingProxyType({})


class HandshakeRefusedError(Exception):
    """The server took the connection but refused the first message; the text says why."""


def websocket_url(address: str) -> str:
    """Return the websocket address of a server: same host and port, no path."""
    scheme = "wss" if address.lower().startswith("https:") else "ws"
    parts = address.split("/")
    host = parts[2] if len(parts) > 2 else address
    return f"{scheme}://{host}"


def _ssl_context(url: str, verify: bool) -> ssl.SSLContext | None:
    if not url.startswith("wss:"):
        return None
    context = ssl.create_default_context()
    if not verify:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context


def _connect_options(url: str, verify: bool) -> dict[str, Any]:
    """Return the options that connections of both kinds have."""
    return {
        "ssl": _ssl_context(url, verify),
        "compression": None,
        "proxy": None if host_of(url) in LOOPBACK_HOSTS else True,
        "open_timeout": OPEN_TIMEOUT_S,
        "ping_timeout": PONG_TIMEOUT_S,
        "max_size": MESSAGE_SIZE_MAX_BYTES,
        "max_queue": RECEIVED_MAX,
    }


async def _connect(url: str, *, verify: bool) -> ClientConnection:
    try:
        options = _connect_options(url, verify)
        return await connect(url, write_limit=UNSENT_MAX_BYTES, **options)
    except (OSError, WebSocketException, TimeoutError) as error:
        raise ConnectionFailedException(f'websocket "{url}": {error}') from error


async def open_websocket(
    address: str,
    token: str,
    *,
    target: str,
    uuid: str,
    verify: bool,
    options: Mapping[str, str] = NO_OPTIONS,
) -> ClientConnection:
    """Return a connection that the server has accepted for one resource.

    Parameters
    ----------
    address, token : str
        As everywhere.
    target, uuid : str
        What the connection is for.
    verify : bool
        Whether certificates are checked.
    options : mapping
        Further fields of the first message.

    Raises
    ------
    HandshakeRefusedError
        With the text of the server.
    ConnectionFailedException
        When there is no connection, or it broke before the answer.
    """
    url = websocket_url(address)
    websocket = await _connect(url, verify=verify)
    try:
        await websocket.send(_first_message(token, target, uuid, options))
        refusal = _refusal(await websocket.recv(), target)
    except (WebSocketException, ValueError) as error:
        await close_websocket(websocket)
        raise ConnectionFailedException(f'websocket "{url}": {error}') from error
    except BaseException:
        # Nobody else knows this connection: it must not be left open, whatever happened.
        websocket.transport.abort()
        raise
    if refusal is None:
        return websocket
    await close_websocket(websocket)
    raise HandshakeRefusedError(refusal)


def _first_message(token: str, target: str, uuid: str, options: Mapping[str, str]) -> str:
    return json.dumps({"token": token, "target": target, "uuid": uuid, **options})


def _refusal(message: str | bytes, target: str) -> str | None:
    """Return why the server refused the first message, None if it did not."""
    answer: Any = json.loads(message)
    if not isinstance(answer, dict):
        text = f"the server answered the first message with {message[:80]!r}"
        raise ConnectionFailedException(text)
    if answer.get("success"):
        return None
    return str(answer.get("error") or f"the server refused {target!r}")


def open_sync_websocket(
    address: str,
    token: str,
    *,
    target: str,
    uuid: str,
    verify: bool,
    options: Mapping[str, str] = NO_OPTIONS,
) -> "SyncConnection":
    """Return a connection for programs without an event loop; otherwise as `open_websocket`."""
    from websockets.sync.client import connect as connect_sync

    url = websocket_url(address)
    with ExitStack() as stack:
        try:
            websocket: SyncConnection = connect_sync(url, **_connect_options(url, verify))
            stack.enter_context(websocket)
            websocket.send(_first_message(token, target, uuid, options))
            refusal = _refusal(websocket.recv(), target)
        except (OSError, WebSocketException, TimeoutError, ValueError) as error:
            raise ConnectionFailedException(f'websocket "{url}": {error}') from error
        if refusal is not None:
            raise HandshakeRefusedError(refusal)
        stack.pop_all()  # it is for the caller to close it
        return websocket


def closed_exception(error: ConnectionClosed) -> ConnectionFailedException:
    """Return the exception for a connection that ended; with code and reason if there are some."""
    if error.rcvd is not None:
        return DirectClosedException(error.rcvd.code, error.rcvd.reason)
    return ConnectionFailedException(f"the websocket broke off: {error}")


async def close_websocket(websocket: ClientConnection) -> None:
    """Close a connection politely; if there is no time left for that, at once."""
    try:
        await websocket.close()
    except asyncio.CancelledError:
        websocket.transport.abort()
        raise
