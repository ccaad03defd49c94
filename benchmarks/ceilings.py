"""Servers that do nothing: what the same machine allows at the same moment, for the benchmarks."""

import asyncio
import contextlib
import itertools
import multiprocessing
import os
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from tornado.httpserver import HTTPServer
from tornado.netutil import bind_sockets
from tornado.web import Application, RequestHandler
from tornado.websocket import WebSocketHandler

if TYPE_CHECKING:
    from multiprocessing.connection import Connection

__all__ = ["Nothing", "fsync_ms", "server_of_nothing"]

BLOCK_BYTES = 4096


class Nothing(NamedTuple):
    """A server that answers with bytes it has."""

    address: str
    pid: int


class _EmptyHandler(RequestHandler):
    """Answers every GET with the same bytes."""

    def get(self) -> None:
        """Answer."""
        self.write(self.settings["answer"])


class _EchoHandler(WebSocketHandler):
    """Answers every message with the next of a few answers."""

    def open(self, *_args: str, **_kwargs: str) -> None:
        """Begin with the first answer."""
        self.set_nodelay(True)
        self._answers = itertools.cycle(self.settings["answers"])

    def check_origin(self, origin: str) -> bool:
        """Let everybody in."""
        return True

    async def on_message(self, message: str | bytes) -> None:
        """Answer."""
        del message
        await self.write_message(next(self._answers), binary=True)


@contextlib.contextmanager
def server_of_nothing(answer: bytes, answers: Sequence[bytes] = ()) -> Iterator[Nothing]:
    """Run an empty tornado server in a process of its own.

    Parameters
    ----------
    answer : bytes
        To every GET.
    answers : sequence of bytes
        To the messages of a websocket, one after the other.
    """
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=_serve, args=(theirs, answer, list(answers)), daemon=True)
    process.start()
    try:
        yield Nothing(f"http://127.0.0.1:{ours.recv()}", int(process.pid or 0))
    finally:
        process.terminate()
        process.join()


def fsync_ms(directory: Path, count: int = 100) -> list[float]:
    """Return the milliseconds of writing a block and waiting until it is on the disk, many times."""
    took_ms = []
    with (directory / "fsync").open("wb", buffering=0) as file:
        for _ in range(count):
            started_s = time.perf_counter()
            file.write(bytes(BLOCK_BYTES))
            os.fsync(file.fileno())
            took_ms.append((time.perf_counter() - started_s) * 1000)
    return took_ms


def _serve(pipe: "Connection[Any, Any]", answer: bytes, answers: list[bytes]) -> None:
    async def run() -> None:
        application = Application(
            [("/socket", _EchoHandler), ("/.*", _EmptyHandler)],
            answer=answer,
            answers=answers,
            log_function=lambda _handler: None,
        )
        sockets = bind_sockets(0, "127.0.0.1")
        HTTPServer(application).add_sockets(sockets)
        pipe.send(sockets[0].getsockname()[1])
        await asyncio.Event().wait()

    asyncio.run(run())
