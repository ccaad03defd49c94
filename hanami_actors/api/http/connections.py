"""How many connections there may be, and how long each may keep us waiting."""

import asyncio
import contextlib
import resource
import socket
from dataclasses import dataclass
from typing import Any

from tornado.httpserver import HTTPServer
from tornado.iostream import IOStream

__all__ = ["BoundedServer", "ConnectionLimits", "raise_file_limit"]

FILES_BESIDE_MAX = 1024
"""Files of our own: log, blobs, uploads, sockets of the loop."""

REFUSED_MAX = 64
"""So many are told why they are refused; under more the connection is closed without a word."""

REFUSAL_TIMEOUT_S = 1.0
REFUSED_READ_BYTES = 64 * 1024

_REFUSAL = (
    b"HTTP/1.1 503 Service Unavailable\r\n"
    b"Server: Hanami\r\n"
    b"Content-Type: text/plain; charset=utf-8\r\n"
    b"Content-Length: %d\r\n"
    b"Retry-After: 5\r\n"
    b"Connection: close\r\n"
    b"\r\n"
    b"%b"
)


@dataclass(frozen=True, kw_only=True)
class ConnectionLimits:
    """Bounds of the listening socket.

    Attributes
    ----------
    count_max : int
        Connections at the same time, websockets among them; further ones are refused with 503.
    idle_timeout_s : float
        How long a connection may be idle, and how long the head of a request may take.
    body_timeout_s : float
        How long the body of a request may take.
    """

    count_max: int = 10_000
    idle_timeout_s: float = 600.0
    body_timeout_s: float = 600.0


class BoundedServer(HTTPServer):
    """Refuses connections beyond a limit, in words as long as that costs little.

    ``limits`` and ``socket_count`` (a function: how many connections have become websockets) are
    set before it listens.
    """

    limits = ConnectionLimits()
    socket_count: Any = staticmethod(lambda: 0)
    _refused_count = 0

    def handle_stream(self, stream: IOStream, address: tuple[Any, ...]) -> None:
        """Take a connection, or refuse it."""
        if len(self._connections) + self.socket_count() < self.limits.count_max:
            super().handle_stream(stream, address)
        elif self._refused_count < REFUSED_MAX:
            self._refused_count += 1
            asyncio.ensure_future(self._refuse(stream)).add_done_callback(self._was_refused)
        else:
            stream.close()

    async def _refuse(self, stream: IOStream) -> None:
        text = (
            f"{self.limits.count_max} connections are open, the limit (setting "
            "connection_count_max); try again later"
        ).encode()
        with contextlib.suppress(OSError, TimeoutError):
            async with asyncio.timeout(REFUSAL_TIMEOUT_S):
                await asyncio.shield(stream.write(_REFUSAL % (len(text), text)))
                # Without reading, closing would reset the connection and take the text with it.
                stream.socket.shutdown(socket.SHUT_WR)
                await asyncio.shield(stream.read_bytes(REFUSED_READ_BYTES))
        stream.close()

    def _was_refused(self, refusal: "asyncio.Future[None]") -> None:
        self._refused_count -= 1
        refusal.result()


def raise_file_limit(count_max: int) -> int:
    """Raise the soft limit of open files so far as the connections need it.

    Parameters
    ----------
    count_max : int
        Connections that are wanted.

    Returns
    -------
    int
        Connections that are possible: less than wanted when the hard limit is too low.
    """
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = count_max + FILES_BESIDE_MAX
    if soft == resource.RLIM_INFINITY or soft >= wanted:
        return count_max
    possible = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, possible), hard))
    # With very few files half of them are for connections.
    return min(count_max, max(possible - FILES_BESIDE_MAX, possible // 2))
