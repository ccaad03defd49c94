"""What every answer has: the server's name, the request's id, and one shape of errors."""

import logging
from types import TracebackType
from typing import TYPE_CHECKING, Any

from tornado.web import HTTPError, RequestHandler

from hanami_actors.api.answers import (
    CONTENT_TYPE_PROBLEM,
    CONTENT_TYPE_TEXT,
    error_text,
    problem_document,
    wants_problem,
)
from hanami_actors.errors import (
    BadRequestError,
    BusyError,
    FaultError,
    HanamiError,
    LimitError,
    MethodNotAllowedError,
    NotFoundError,
    StorageFullError,
)

if TYPE_CHECKING:
    from hanami_actors.api.application import HanamiApplication

__all__ = ["Identified"]

SERVER_NAME = "Hanami"
RETRY_AFTER_S = 1
RETRY_AFTER_FULL_S = 60

_logger = logging.getLogger(__name__)


class Identified(RequestHandler):
    """Base of our handlers.

    Attributes
    ----------
    request_id : str
        Made by the server, never taken from the client; also the correlation id of what the
        request causes.
    user_id : str
        For the access log; empty while nobody is known.
    """

    application: "HanamiApplication"
    request_id = ""
    user_id = ""

    def set_default_headers(self) -> None:
        """Name server and request; tornado calls this before anything else."""
        if not self.request_id:
            self.request_id = self.application.gateway.entropy.uuid()
        self._headers["Server"] = SERVER_NAME
        self._headers["X-Request-Id"] = self.request_id
        if self.application.is_draining:
            self._headers["Connection"] = "close"

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
        elif isinstance(error, StorageFullError):
            self.set_header("Retry-After", str(RETRY_AFTER_FULL_S))
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
