"""The one HTTP handler: find the row, check the caller, decode, call, answer."""

import logging
from types import TracebackType
from typing import Any

from tornado import httputil
from tornado.web import HTTPError, stream_request_body

from hanami_actors.api.answers import (
    CONTENT_TYPE_JSON,
    CONTENT_TYPE_PROBLEM,
    CONTENT_TYPE_TEXT,
    encode_json,
    error_text,
    problem_document,
    wants_problem,
)
from hanami_actors.api.endpoint import Context
from hanami_actors.api.identified import Identified
from hanami_actors.api.streaming import FileReply, send_file
from hanami_actors.errors import (
    BadRequestError,
    BusyError,
    FaultError,
    HanamiError,
    LimitError,
    MethodNotAllowedError,
    NotFoundError,
    PayloadTooLargeError,
)

__all__ = ["RestHandler", "StreamedRestHandler"]

RETRY_AFTER_S = 1

_logger = logging.getLogger(__name__)


class RestHandler(Identified):
    """Serves every row of the endpoint table. Runs in the event loop's thread, never blocks."""

    def compute_etag(self) -> None:
        """Answers have no ETag: hashing them would cost more than it saves."""

    async def _serve(self) -> None:
        application = self.application
        request = self.request
        route = application.routes.find(str(request.method), request.path)
        row = route.row
        who = None
        if not row.access.is_open:
            tables = application.gateway.tables
            who = application.tokens.verify(request.headers.get("X-Auth-Token"), tables)
            self.user_id = who.user_id
            route.check_policy(who)
            route.check_admin(who)
        body = request.body if route.has_body else None
        message = route.decoder.decode(request.query, body)
        address = request.remote_ip or ""
        context = Context(application, who, self.request_id, row.timeout_s, address)
        reply = await row.handler(context, message)
        if isinstance(reply, FileReply):
            await send_file(self, context, reply)
            return
        body = encode_json(reply)
        self._headers["Content-Type"] = CONTENT_TYPE_JSON
        self.write(body)

    get = post = put = delete = head = options = patch = _serve

    def write_error(self, status_code: int, **kwargs: Any) -> None:
        """Write the one shape that all errors have."""
        exception = kwargs["exc_info"][1] if "exc_info" in kwargs else None
        error = self._as_error(exception, status_code)
        self.set_status(error.status)
        if error.status == MethodNotAllowedError.status:
            self.set_header("Allow", self.application.routes.allowed(self.request.path))
        if isinstance(error, LimitError):
            self.set_header("Retry-After", str(error.retry_after_s))
        elif isinstance(error, BusyError):
            self.set_header("Retry-After", str(RETRY_AFTER_S))
        if wants_problem(self.request.headers.get("Accept", "")):
            self.set_header("Content-Type", CONTENT_TYPE_PROBLEM)
            self.write(problem_document(error, self.request_id))
        else:
            self.set_header("Content-Type", f"{CONTENT_TYPE_TEXT}; charset=utf-8")
            self.write(error_text(error))

    def log_exception(
        self,
        typ: type[BaseException] | None,
        value: BaseException | None,
        tb: TracebackType | None,
    ) -> None:
        """Log faults with the request's id; refusals are in the access log already."""
        expected = isinstance(value, HTTPError | HanamiError) and not isinstance(value, FaultError)
        if not expected:
            _logger.error(
                "request %s: %s %s failed",
                self.request_id,
                self.request.method,
                self.request.path,
                exc_info=(typ, value, tb) if typ and value else None,
            )

    def _as_error(self, exception: BaseException | None, status: int) -> HanamiError:
        if isinstance(exception, HanamiError):
            return exception
        if status == MethodNotAllowedError.status:
            return self._unknown_method()
        if isinstance(exception, HTTPError) and status < FaultError.status:
            return BadRequestError(exception.get_message() or "the request is not valid HTTP")
        return FaultError()

    def _unknown_method(self) -> HanamiError:
        """Tornado refuses methods it does not know before they reach a row."""
        try:
            self.application.routes.find(str(self.request.method), self.request.path)
        except (NotFoundError, BadRequestError, MethodNotAllowedError) as error:
            return error
        return MethodNotAllowedError("this method is not allowed")


@stream_request_body
class StreamedRestHandler(RestHandler):
    """For bodies that are too large or of unknown length: they are counted while they arrive.

    A body beyond the limit is read and dropped before the answer, so that the client, which sends
    before it reads, gets a 413 and no broken connection.
    """

    def prepare(self) -> None:
        """Start counting."""
        self._body = bytearray()
        self._size_bytes = 0

    def data_received(self, chunk: bytes) -> None:
        """Keep the bytes while they fit."""
        self._size_bytes += len(chunk)
        if self._size_bytes <= self.application.settings_api.body_size_max_bytes:
            self._body += chunk
        else:
            self._body.clear()

    async def _serve(self) -> None:
        limit_bytes = self.application.settings_api.body_size_max_bytes
        if self._size_bytes > limit_bytes:
            raise PayloadTooLargeError(
                f"the body has {self._size_bytes} bytes; at most {limit_bytes} are allowed "
                "(setting body_size_max_bytes)"
            )
        self.request.body = bytes(self._body)
        await super()._serve()

    get = post = put = delete = head = options = patch = _serve


def announced_size(headers: httputil.HTTPHeaders) -> int | None:
    """Return the announced size of the body; None when it is not announced."""
    if "Transfer-Encoding" in headers:
        return None
    length = headers.get("Content-Length", "0")
    return int(length) if length.isdecimal() else 0
