"""The one HTTP handler: find the row, check the caller, decode, call, answer."""

from functools import partial
from types import TracebackType

import msgspec
from tornado import httputil
from tornado.iostream import StreamClosedError
from tornado.web import stream_request_body

from hanami_actors.api.answers import CONTENT_TYPE_JSON, RawReply, encode_json
from hanami_actors.api.call_log import Call
from hanami_actors.api.endpoint import Context
from hanami_actors.api.identified import Identified
from hanami_actors.api.routes import Route
from hanami_actors.api.streaming import FileReply, send_body, send_file
from hanami_actors.domain.base import Who
from hanami_actors.errors import (
    BusyError,
    HanamiError,
    PayloadTooLargeError,
    RejectedError,
)

__all__ = ["SMALL_BODY_SIZE_BYTES", "RestHandler", "StreamedRestHandler", "announced_size"]

SMALL_BODY_SIZE_BYTES = 64 * 1024
"""A larger body is read only after the caller is known; one to log in is never larger."""


class RestHandler(Identified):
    """Serves every row of the endpoint table. Runs in the event loop's thread, never blocks.

    Attributes
    ----------
    endpoint_name : str
        Of the row; empty while none was found.
    """

    endpoint_name = ""
    _call: Call | None = None
    _message: msgspec.Struct | None = None

    def compute_etag(self) -> None:
        """Answers have no ETag: hashing them would cost more than it saves."""

    async def _serve(self) -> None:
        self.application.in_flight_count += 1
        try:
            await self._answer()
        except StreamClosedError:
            # The client left; what it asked for is done.
            return
        finally:
            self.application.in_flight_count -= 1

    get = post = put = delete = head = options = patch = _serve

    async def _answer(self) -> None:
        route, who = self._admit()
        request = self.request
        row = route.row
        body = request.body if route.has_body else None
        message = route.decoder.decode(request.query, body)
        self._message = message
        address = request.remote_ip or ""
        context = Context(self.application, who, self.request_id, row.timeout_s, address)
        desk = self.application.idempotency
        key = desk.key_of(row, request.headers)
        if key is None:
            reply = await row.handler(context, message)
        else:
            call = partial(row.handler, context, message)
            asked = (request.body, request.query)
            reply = await desk.carry_out(context, row, key, asked, call)
        if isinstance(reply, FileReply):
            await send_file(self, context, reply)
            return
        if isinstance(reply, RawReply):
            for name, value in reply.headers:
                self.set_header(name, value)
            await send_body(self, context, reply.body)
            return
        self._headers["Content-Type"] = CONTENT_TYPE_JSON
        await send_body(self, context, encode_json(reply))

    def _admit(self) -> tuple[Route, Who | None]:
        """Find the row and the caller; raises if the caller may not call it."""
        application = self.application
        request = self.request
        route = application.routes.find(str(request.method), request.path)
        row = route.row
        self.endpoint_name = row.name
        if row.access.is_open:
            return route, None
        token = request.headers.get("X-Auth-Token")
        who = application.tokens.verify(token, application.gateway.tables)
        self.user_id = who.user_id
        route.check_policy(who)
        self._call = Call(
            who=who, request_id=self.request_id, endpoint=row.canonical_path, method=row.method
        )
        if row.method != "GET":
            application.call_log.note_call(self._call)
        route.check_admin(who)
        return route, who

    def log_exception(
        self,
        typ: type[BaseException] | None,
        value: BaseException | None,
        tb: TracebackType | None,
    ) -> None:
        """Log faults, and note those that a known caller met."""
        super().log_exception(typ, value, tb)
        fault = value is not None and not isinstance(value, RejectedError | BusyError)
        if fault and self._call is not None and self._message is not None:
            assert value is not None, "it is a fault"
            self.application.call_log.note_failure(self._call, self._message, value)


@stream_request_body
class StreamedRestHandler(RestHandler):
    """For bodies that are large or of unknown length.

    The caller is checked before the body is read. What is refused, or too large, is read and
    dropped before the answer: the client, which sends before it reads, gets the answer and no
    broken connection.
    """

    _admitted: tuple[Route, Who | None] | None = None
    _refusal: HanamiError | None = None

    def prepare(self) -> None:
        """Check the caller and start counting."""
        self._body = bytearray()
        self._size_bytes = 0
        self._held_bytes = 0
        self._limit_bytes = self.application.settings_api.body_size_max_bytes
        try:
            self._admitted = super()._admit()
        except HanamiError as error:
            self._refusal = error
        if self._admitted is None or self._admitted[1] is None:
            self._limit_bytes = min(self._limit_bytes, SMALL_BODY_SIZE_BYTES)

    def data_received(self, chunk: bytes) -> None:
        """Keep the bytes while they fit."""
        self._size_bytes += len(chunk)
        if self._size_bytes <= self._limit_bytes and self._refusal is None:
            self._hold(chunk)
        else:
            self._let_go()

    def on_finish(self) -> None:
        """Let go of the body: it is answered."""
        self._let_go()

    def on_connection_close(self) -> None:
        """Let go of the body: nobody waits for an answer."""
        super().on_connection_close()
        self._let_go()

    def _hold(self, chunk: bytes) -> None:
        budget = self.application.received
        # One body alone always fits, or none ever would.
        if not budget.has_room and budget.used_bytes > self._held_bytes:
            self._refusal = BusyError(
                f"the bodies of other requests take all of the {budget.limit_bytes} bytes that they "
                "may have together (setting received_max_bytes); try again in a moment"
            )
            self._let_go()
            return
        self._body += chunk
        self._held_bytes += len(chunk)
        budget.take(len(chunk))

    def _let_go(self) -> None:
        self._body.clear()
        self.application.received.give_back(self._held_bytes)
        self._held_bytes = 0

    def _admit(self) -> tuple[Route, Who | None]:
        if self._refusal is not None:
            raise self._refusal
        if self._size_bytes > self._limit_bytes:
            raise PayloadTooLargeError(
                f"the body has {self._size_bytes} bytes; at most {self._limit_bytes} are allowed "
                "(setting body_size_max_bytes; without a token less)"
            )
        self.request.body = bytes(self._body)
        assert self._admitted is not None, "it is admitted or refused"
        return self._admitted


def announced_size(headers: httputil.HTTPHeaders) -> int | None:
    """Return the announced size of the body; None when it is not announced."""
    if "Transfer-Encoding" in headers:
        return None
    length = headers.get("Content-Length", "0")
    return int(length) if length.isdecimal() else 0
