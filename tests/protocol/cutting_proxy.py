"""A TCP proxy that cuts connections in the middle, as bad networks do."""

import socket
import threading
from contextlib import suppress

__all__ = ["CuttingProxy"]

BLOCK_BYTES = 64 * 1024
TIMEOUT_S = 20.0


class CuttingProxy:
    """Passes connections on to a port; those that send much are cut, as often as told.

    Parameters
    ----------
    port : int
        Of the server behind it.
    cut_after_bytes : int
        How much a client may send over one connection before it is cut.
    cuts : int
        How many connections are cut in all.
    """

    def __init__(self, port: int, *, cut_after_bytes: int, cuts: int) -> None:
        self._port = port
        self._cut_after_bytes = cut_after_bytes
        self._cuts_left = cuts
        self.cuts_made = 0
        self._lock = threading.Lock()
        self._open: set[socket.socket] = set()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.address = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        self._threads = [self._started(self._accept)]

    def close(self) -> None:
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        with self._lock:
            left = list(self._open)
        for connection in left:
            self._end(connection)
        for thread in self._threads:
            thread.join(TIMEOUT_S)

    def _started(self, work, *arguments):
        thread = threading.Thread(target=work, args=arguments, daemon=True)
        thread.start()
        return thread

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            server = socket.create_connection(("127.0.0.1", self._port), TIMEOUT_S)
            with self._lock:
                self._open |= {client, server}
            self._threads.append(self._started(self._pass_on, client, server, True))
            self._threads.append(self._started(self._pass_on, server, client, False))

    def _pass_on(self, source: socket.socket, sink: socket.socket, is_client: bool) -> None:
        passed_bytes = 0
        with suppress(OSError):
            while block := source.recv(BLOCK_BYTES):
                passed_bytes += len(block)
                if is_client and passed_bytes > self._cut_after_bytes and self._may_cut():
                    break
                sink.sendall(block)
        for end in (source, sink):
            self._end(end)

    def _may_cut(self) -> bool:
        with self._lock:
            if self._cuts_left == 0:
                return False
            self._cuts_left -= 1
            self.cuts_made += 1
            return True

    def _end(self, connection: socket.socket) -> None:
        with self._lock:
            self._open.discard(connection)
        with suppress(OSError):
            connection.shutdown(socket.SHUT_RDWR)
        connection.close()
