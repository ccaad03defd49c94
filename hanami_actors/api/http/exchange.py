"""One request and its answer on a connection: what tornado's handlers do, without what we do not use.

An empty handler of tornado takes as much time as all the rest of an answer from a published table.
"""

from http import HTTPStatus
from typing import TYPE_CHECKING, cast

from tornado.httputil import (
    HTTPHeaders,
    HTTPMessageDelegate,
    HTTPServerRequest,
    ResponseStartLine,
    format_timestamp,
)

from hanami_actors.api.answers import CONTENT_TYPE_JSON, SERVER_NAME
from hanami_actors.api.error_responses import error_response_of, log_fault
from hanami_actors.api.services import Services
from hanami_actors.errors import FaultError, HanamiError

if TYPE_CHECKING:
    from tornado.http1connection import HTTP1Connection
    from tornado.iostream import IOStream

__all__ = ["DateLine", "Exchange"]

_START_LINES = {
    status.value: ResponseStartLine("HTTP/1.1", status.value, status.phrase)
    for status in HTTPStatus
}


class DateLine:
    """The header ``Date``, made once a second."""

    def __init__(self) -> None:
        self._second = 0
        self._text = ""

    def text(self, now_us: int) -> str:
        """Return the time as HTTP writes it."""
        second = now_us // 1_000_000
        if second != self._second:
            self._second, self._text = second, format_timestamp(second)
        return self._text


class Exchange(HTTPMessageDelegate):
    """Answers one request: at once with `send`, or with `begin`, `write` and `end`.

    Runs in the event loop's thread.

    Parameters
    ----------
    services : Services
    date_line : DateLine
    request : HTTPServerRequest

    Attributes
    ----------
    request_id : str
        Made by the server, never taken from the client; also the correlation id of what the
        request causes.
    user_id : str
        For the access log; empty while nobody is known.
    endpoint_name : str
        Of the row; empty while none was found.
    status : int
        Of the answer; 0 while there is none.
    """

    user_id = ""
    endpoint_name = ""
    status = 0

    def __init__(self, services: Services, date_line: DateLine, request: HTTPServerRequest) -> None:
        self.services = services
        self._date_line = date_line
        self.request = request
        self.request_id: str = services.gateway.entropy.uuid()
        self._connection = cast("HTTP1Connection", request.connection)
        self._headers = HTTPHeaders()
        self._headers["Server"] = SERVER_NAME
        self._headers["X-Request-Id"] = self.request_id

    @property
    def stream(self) -> "IOStream":
        """The socket."""
        return self._connection.stream

    def set_header(self, name: str, value: str) -> None:
        """Set a header of the answer."""
        self._headers[name] = value

    def send(
        self, body: bytes, content_type: str = CONTENT_TYPE_JSON, status: int = HTTPStatus.OK
    ) -> None:
        """Send a whole answer.

        Parameters
        ----------
        body : bytes
        content_type : str
            Unless the header was set before.
        status : int
        """
        self._headers["Content-Length"] = str(len(body))
        # An answer to HEAD tells how long the body would be.
        self._begin(content_type, status, None if self.request.method == "HEAD" else body)
        self._connection.finish()

    def begin(self) -> None:
        """Send the head of an answer whose body follows in blocks."""
        self._begin(CONTENT_TYPE_JSON, HTTPStatus.OK, None)

    def write(self, block: bytes) -> None:
        """Send a part of the body."""
        _ = self._connection.write(block)

    def end(self) -> None:
        """Mark the end of a body that was sent in blocks."""
        self._connection.finish()

    def cut(self) -> None:
        """Close the connection, so that the client does not take a part for the whole."""
        self.stream.close()

    def fail(self, error: BaseException) -> None:
        """Answer with an error; faults are logged."""
        log_fault(error, self.request, self.request_id)
        if self.status:
            self.cut()
            return
        shown = error if isinstance(error, HanamiError) else FaultError()
        response = error_response_of(shown, self.request, self.request_id, self.services.routes)
        for name, value in response.headers.items():
            self.set_header(name, value)
        self.send(response.body, status=response.status)

    def _begin(self, content_type: str, status: int, first: bytes | None) -> None:
        headers = self._headers
        headers.setdefault("Content-Type", content_type)
        services = self.services
        headers["Date"] = self._date_line.text(services.gateway.clock.now_us())
        if services.is_draining:
            headers["Connection"] = "close"
        self.status = status
        _ = self._connection.write_headers(_START_LINES[status], headers, first)
