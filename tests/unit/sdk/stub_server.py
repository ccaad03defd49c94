"""A small server that records what clients send and answers what a test tells it.

It is real HTTP and real websockets (tornado in a thread), but it knows nothing of clusters: REST
answers come from a table, uploads are collected in memory.
"""

import asyncio
import json
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import tornado.httpserver
import tornado.netutil
import tornado.web
import tornado.websocket

from hanami_sdk.hanami_messages.proto3_pb2 import (
    TRAIN_TYPE,
    ClusterIO_Message,
    FileUpload_Message,
    FileUploadResponse_Message,
)

TOKEN = "stub.token.text"


@dataclass(frozen=True)
class Call:
    """One recorded request."""

    method: str
    path: str
    query: str
    body: bytes
    headers: dict[str, str]
    peer: tuple[str, int]

    @property
    def json(self) -> Any:
        return json.loads(self.body)


@dataclass
class Script:
    """What the server answers, and what it has seen."""

    calls: list[Call] = field(default_factory=list)
    answers: dict[tuple[str, str], list[tuple[int, Any, dict[str, str]]]] = field(
        default_factory=dict
    )
    files: dict[str, bytearray] = field(default_factory=dict)
    first_messages: list[dict[str, str]] = field(default_factory=list)
    cluster_messages: list[ClusterIO_Message] = field(default_factory=list)
    lost_answers: dict[str, int] = field(default_factory=dict)
    """How often a path gets no answer but the end of its connection."""
    handshake_error: str | None = None
    handshake_answer: Any = None
    """What the first message is answered with, whatever it says."""
    new_tokens: list[str] = field(default_factory=list)
    new_token_error: str | None = None
    cluster_close: tuple[int, str] | None = None
    cluster_held: int = 0
    """Messages that are answered only when this many wait."""
    cluster_waiting_max: int = 0
    chunk_error: str = ""
    close_after_chunks: int | None = None
    chunk_count: int = 0
    chunks_outstanding_max: int = 0
    hold_acknowledgements_until: int = 0
    on_chunk: Callable[[], None] = lambda: None
    on_call: Callable[[Call], None] = lambda _call: None

    def answer(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        status: int = 200,
        headers: dict[str, str] | None = None,
    ) -> None:
        """Answer a request; told several times, one after another, the last one for ever."""
        self.answers.setdefault((method, path), []).append(
            (status, {} if body is None else body, headers or {})
        )

    def next_answer(self, method: str, path: str) -> tuple[int, Any, dict[str, str]]:
        queue = self.answers.get((method, path))
        if queue is None:
            return 404, f"the stub knows no {method} {path}", {}
        return queue.pop(0) if len(queue) > 1 else queue[0]

    def call(self, method: str, path: str) -> Call:
        """Return the only recorded request of this kind."""
        found = [call for call in self.calls if (call.method, call.path) == (method, path)]
        assert len(found) == 1, [(call.method, call.path) for call in self.calls]
        return found[0]


class _Rest(tornado.web.RequestHandler):
    def initialize(self, script: Script) -> None:
        self.script = script

    def _respond(self) -> None:
        request = self.request
        path = request.path.removeprefix("/v1.0alpha/")
        method = request.method or ""
        headers_seen = dict(request.headers)
        call = Call(method, path, request.query, request.body, headers_seen, self._peer())
        self.script.calls.append(call)
        self.script.on_call(call)
        if self.script.lost_answers.get(path, 0) > 0:
            self.script.lost_answers[path] -= 1
            request.connection.stream.close()  # type: ignore[union-attr]
            return
        status, body, headers = self.script.next_answer(method, path)
        self.set_status(status)
        for name, value in headers.items():
            self.set_header(name, value)
        _ = self.finish(body if isinstance(body, str | bytes) else json.dumps(body))

    def _peer(self) -> tuple[str, int]:
        stream = self.request.connection.stream  # type: ignore[union-attr]
        address: tuple[str, int] = stream.socket.getpeername()
        return address

    get = post = put = delete = _respond


class _Socket(tornado.websocket.WebSocketHandler):
    def initialize(self, script: Script) -> None:
        self.script = script
        self.first: dict[str, str] = {}
        self.held: list[bytes] = []

    def on_message(self, message: str | bytes) -> None:
        if not self.first:
            self._handshake(message)
        elif self.first["target"] == "file_upload":
            assert isinstance(message, bytes)
            self._chunk(message)
        else:
            self._cluster(message)

    def _send(self, answer: bytes) -> None:
        # A client may be gone before its answer; asking for the exception says that this is fine.
        sent = self.write_message(answer, binary=True)
        sent.add_done_callback(lambda future: future.cancelled() or future.exception())

    def _handshake(self, message: str | bytes) -> None:
        first = json.loads(message)
        self.script.first_messages.append(first)
        error = self.script.handshake_error
        if error is not None:
            answer: dict[str, object] = {"success": False, "error": error}
        else:
            self.first = first
            answer = {"success": True, "uuid": "c0ffee00-0000-4000-8000-000000000000"}
        if self.script.handshake_answer is not None:
            answer = self.script.handshake_answer
        self._send(json.dumps(answer).encode())

    def _chunk(self, raw: bytes) -> None:
        script = self.script
        script.chunk_count += 1
        script.on_chunk()
        if script.close_after_chunks is not None and script.chunk_count > script.close_after_chunks:
            self.close(1011, "out of order")
            return
        message = FileUpload_Message.FromString(raw)
        file = script.files.setdefault(self.first["uuid"], bytearray())
        end = message.position + len(message.data)
        if len(file) < end:
            file.extend(bytes(end - len(file)))
        file[message.position : end] = message.data
        response = FileUploadResponse_Message(
            success=not script.chunk_error, errorMessage=script.chunk_error
        )
        self.held.append(response.SerializeToString())
        script.chunks_outstanding_max = max(script.chunks_outstanding_max, len(self.held))
        if script.chunk_count >= script.hold_acknowledgements_until:
            for answer in self.held:
                self._send(answer)
            self.held.clear()

    def _cluster(self, raw: str | bytes) -> None:
        script = self.script
        if isinstance(raw, str):
            script.new_tokens.append(json.loads(raw)["token"])
            error = script.new_token_error
            answer = {"success": error is None} | ({"error": error} if error else {})
            self.held.append(json.dumps(answer).encode())
        elif script.cluster_close is not None:
            self.close(*script.cluster_close)
            return
        else:
            self.held.append(self._cluster_answer(ClusterIO_Message.FromString(raw)))
        script.cluster_waiting_max = max(script.cluster_waiting_max, len(self.held))
        if len(self.held) >= script.cluster_held:
            for message in self.held:
                self._send(message)
            self.held.clear()

    def _cluster_answer(self, message: ClusterIO_Message) -> bytes:
        self.script.cluster_messages.append(message)
        if message.isLast and message.processType == 0:
            # The sum tells which question it answers.
            total = sum(message.values)
            answer = ClusterIO_Message(bufferName="out", numberOfValues=2, values=[0.25, total])
        else:
            answer = ClusterIO_Message(
                isLast=message.isLast, processType=TRAIN_TYPE, numberOfValues=1, values=[0.0]
            )
        return answer.SerializeToString()


class StubServer:
    """Runs in a thread of its own between ``start`` and ``stop``."""

    def __init__(self, **server_options: Any) -> None:
        self.script = Script()
        self._server_options = server_options
        self._ready = threading.Event()
        self._thread = threading.Thread(target=self._run, name="stub-server", daemon=True)
        self.port = 0

    @property
    def address(self) -> str:
        scheme = "https" if "ssl_options" in self._server_options else "http"
        return f"{scheme}://127.0.0.1:{self.port}"

    def start(self) -> "StubServer":
        self._thread.start()
        assert self._ready.wait(10)
        return self

    def stop(self) -> None:
        self._loop.call_soon_threadsafe(self._stopped.set)
        self._thread.join(10)
        assert not self._thread.is_alive()

    def _run(self) -> None:
        asyncio.run(self._serve())

    async def _serve(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._stopped = asyncio.Event()
        arguments = {"script": self.script}
        application = tornado.web.Application(
            [("/", _Socket, arguments), ("/.*", _Rest, arguments)],
            websocket_max_message_size=16 * 1024 * 1024,
            log_function=lambda _handler: None,
        )
        server = tornado.httpserver.HTTPServer(application, **self._server_options)
        sockets = tornado.netutil.bind_sockets(0, "127.0.0.1")
        self.port = sockets[0].getsockname()[1]
        server.add_sockets(sockets)
        self._ready.set()
        await self._stopped.wait()
        server.stop()
        await server.close_all_connections()
