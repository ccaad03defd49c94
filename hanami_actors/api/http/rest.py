"""Requests of the endpoint table: find the row, check the caller, decode, call, answer."""

import asyncio
from functools import partial

import msgspec
from tornado import httputil
from tornado.iostream import StreamClosedError

from hanami_actors.api.access_log import AccessEntry
from hanami_actors.api.answers import FileReply, RawReply, encode_json
from hanami_actors.api.call_log import Call
from hanami_actors.api.context import Context
from hanami_actors.api.http.exchange import DateLine, Exchange
from hanami_actors.api.http.idempotency import IdempotencyService
from hanami_actors.api.http.streaming import send_body, send_file
from hanami_actors.api.services import Services
from hanami_actors.api.table.routes import Route
from hanami_actors.domain.base import Who
from hanami_actors.errors import (
    BusyError,
    HanamiError,
    PayloadTooLargeError,
    RejectedError,
)

__all__ = ["SMALL_BODY_SIZE_BYTES", "RestExchange"]

SMALL_BODY_SIZE_BYTES = 64 * 1024
"""A larger body is read only after the caller is known; one to log in is never larger."""


class RestExchange(Exchange):
    """Serves every row of the endpoint table. Runs in the event loop's thread, never blocks.

    With a body that is large or of unknown length the caller is checked before the body is read.
    What is refused, or too large, is read and dropped before the answer: the client, which sends
    before it reads, gets the answer and no broken connection.

    Parameters
    ----------
    services : Services
    date_line : DateLine
    idempotency : IdempotencyService
    request : HTTPServerRequest
    """

    _call: Call | None = None
    _message: msgspec.Struct | None = None
    _admitted: tuple[Route, Who | None] | None = None
    _refusal: HanamiError | None = None
    _body: bytes | bytearray = b""
    _is_small = False
    _size_bytes = _held_bytes = 0

    def __init__(
        self,
        services: Services,
        date_line: DateLine,
        idempotency: IdempotencyService,
        request: httputil.HTTPServerRequest,
    ) -> None:
        super().__init__(services, date_line, request)
        self._idempotency = idempotency

    def headers_received(
        self,
        start_line: httputil.RequestStartLine | httputil.ResponseStartLine,
        headers: httputil.HTTPHeaders,
    ) -> None:
        """Check the caller now, unless the body is small."""
        del start_line
        size_bytes = _announced_size(headers)
        self._limit_bytes = self.services.settings.body_size_max_bytes
        small_bytes = min(SMALL_BODY_SIZE_BYTES, self._limit_bytes)
        self._is_small = size_bytes is not None and size_bytes <= small_bytes
        if self._is_small:
            return
        try:
            self._admitted = self._admit()
        except HanamiError as error:
            self._refusal = error
        if self._admitted is None or self._admitted[1] is None:
            self._limit_bytes = min(self._limit_bytes, SMALL_BODY_SIZE_BYTES)

    def data_received(self, chunk: bytes) -> None:
        """Keep the bytes while they fit."""
        self._size_bytes += len(chunk)
        if self._is_small:
            self._body += chunk
        elif self._size_bytes <= self._limit_bytes and self._refusal is None:
            self._hold(chunk)
        else:
            self._let_go()

    def finish(self) -> None:
        """Answer: the request is there."""
        self.services.in_flight_count += 1
        self._task = asyncio.ensure_future(self._answer())
        self._task.add_done_callback(self._answered)

    def on_connection_close(self) -> None:
        """Let go of the body: the client left before its end."""
        self._let_go()

    async def _answer(self) -> None:
        if self._refusal is not None:
            raise self._refusal
        if self._size_bytes > self._limit_bytes:
            raise PayloadTooLargeError(
                f"the body has {self._size_bytes} bytes; at most {self._limit_bytes} are allowed "
                "(setting body_size_max_bytes; without a token less)"
            )
        route, who = self._admitted or self._admit()
        request, body = self.request, bytes(self._body)
        row = route.row
        message = route.decoder.decode(request.query, body if route.has_body else None)
        self._message = message
        address = request.remote_ip or ""
        context = Context(self.services, who, self.request_id, row.timeout_s, address)
        idempotency = self._idempotency
        key = idempotency.key_of(row, request.headers)
        if key is None:
            reply = await row.handler(context, message)
        else:
            call = partial(row.handler, context, message)
            reply = await idempotency.carry_out(context, row, key, (body, request.query), call)
        if isinstance(reply, FileReply):
            await send_file(self, context, reply)
            return
        if isinstance(reply, RawReply):
            for name, value in reply.headers:
                self.set_header(name, value)
            await send_body(self, context, reply.body)
            return
        await send_body(self, context, encode_json(reply))

    def _answered(self, task: "asyncio.Task[None]") -> None:
        """Tell the client of an error, and the access log of everything."""
        self.services.in_flight_count -= 1
        self._let_go()
        if task.cancelled():
            return
        error = task.exception()
        # A client that left needs no answer; what it asked for is done.
        if error is not None and not isinstance(error, StreamClosedError):
            self.fail(error)
            if not isinstance(error, RejectedError | BusyError):
                self._note_failure(error)
        request = self.request
        entry = AccessEntry(
            str(request.method),
            request.path,
            self.status,
            request.request_time() * 1e3,
            self.user_id,
            self.request_id,
        )
        self.services.note(self.endpoint_name, entry)

    def _admit(self) -> tuple[Route, Who | None]:
        """Find the row and the caller; raises if the caller may not call it."""
        services = self.services
        request = self.request
        route = services.routes.find(str(request.method), request.path)
        row = route.row
        self.endpoint_name = row.name
        if row.access.is_open:
            return route, None
        token = request.headers.get("X-Auth-Token")
        who = services.tokens.verify(token, services.gateway.tables)
        self.user_id = who.user_id
        route.check_policy(who)
        self._call = Call(
            who=who, request_id=self.request_id, endpoint=row.canonical_path, method=row.method
        )
        if row.method != "GET":
            services.call_log.note_call(self._call)
        route.check_admin(who)
        return route, who

    def _note_failure(self, error: BaseException) -> None:
        """Note a fault that a known caller met."""
        if self._call is not None and self._message is not None:
            self.services.call_log.note_failure(self._call, self._message, error)

    def _hold(self, chunk: bytes) -> None:
        budget = self.services.received
        # One body alone always fits, or none ever would.
        if not budget.has_room and budget.used_bytes > self._held_bytes:
            self._refusal = BusyError(
                f"the bodies of other requests take all of the {budget.limit_bytes} bytes that they "
                "may have together (setting received_max_bytes); try again in a moment"
            )
            self._let_go()
            return
        if not self._body:
            self._body = bytearray()
        self._body += chunk
        self._held_bytes += len(chunk)
        budget.take(len(chunk))

    def _let_go(self) -> None:
        self._body = b""
        if self._held_bytes:
            self.services.received.give_back(self._held_bytes)
            self._held_bytes = 0


def _announced_size(headers: httputil.HTTPHeaders) -> int | None:
    """Return the announced size of the body; None when it is not announced."""
    if "Transfer-Encoding" in headers:
        return None
    length = headers.get("Content-Length", "0")
    return int(length) if length.isdecimal() else 0
