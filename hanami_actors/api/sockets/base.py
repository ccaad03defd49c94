"""What websockets have like every other answer: the server's name, an id, one shape of errors."""

from types import TracebackType
from typing import Any

from tornado.httputil import HTTPServerRequest
from tornado.web import Application, HTTPError, RequestHandler

from hanami_actors.api.answers import SERVER_NAME
from hanami_actors.api.error_responses import error_response_of, log_fault
from hanami_actors.api.services import Services
from hanami_actors.errors import (
    BadRequestError,
    FaultError,
    HanamiError,
    MethodNotAllowedError,
    NotFoundError,
)

__all__ = ["SocketHandler"]


class SocketHandler(RequestHandler):
    """Base of the handler of websockets.

    Parameters
    ----------
    application : Application
    request : HTTPServerRequest
    services : Services
    **arguments
        What tornado passes on to ``initialize``.

    Attributes
    ----------
    request_id : str
        Made by the server, never taken from the client; also the correlation id of what the
        request causes.
    user_id : str
        For the access log; empty while nobody is known.
    """

    request_id = ""
    user_id = ""

    def __init__(
        self,
        application: Application,
        request: HTTPServerRequest,
        *,
        services: Services,
        **arguments: Any,
    ) -> None:
        # Before tornado's own, which already asks for the default headers.
        self.services = services
        super().__init__(application, request, **arguments)

    def set_default_headers(self) -> None:
        """Name server and request; tornado calls this before anything else."""
        if not self.request_id:
            self.request_id = self.services.gateway.entropy.uuid()
        self._headers["Server"] = SERVER_NAME
        self._headers["X-Request-Id"] = self.request_id
        if self.services.is_draining:
            self._headers["Connection"] = "close"

    def write_error(self, status_code: int, **kwargs: Any) -> None:
        """Write the one shape that all errors have."""
        exception = kwargs["exc_info"][1] if "exc_info" in kwargs else None
        error = self._as_error(exception, status_code)
        response = error_response_of(error, self.request, self.request_id, self.services.routes)
        self.set_status(response.status)
        for name, value in response.headers.items():
            self.set_header(name, value)
        self.write(response.body)

    def log_exception(
        self,
        typ: type[BaseException] | None,
        value: BaseException | None,
        tb: TracebackType | None,
    ) -> None:
        """Log faults with the request's id; refusals are in the access log already."""
        log_fault(value, self.request, self.request_id)

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
            self.services.routes.find(str(self.request.method), self.request.path)
        except (NotFoundError, BadRequestError, MethodNotAllowedError) as error:
            return error
        return MethodNotAllowedError("this method is not allowed")
