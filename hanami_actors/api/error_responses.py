"""How a request that fails is answered, and which failures are for the log."""

import logging
from typing import NamedTuple

from tornado.httputil import HTTPServerRequest
from tornado.web import HTTPError

from hanami_actors.api.answers import (
    CONTENT_TYPE_PROBLEM,
    CONTENT_TYPE_TEXT,
    error_text,
    problem_document,
    wants_problem,
)
from hanami_actors.api.table.routes import Routes
from hanami_actors.errors import (
    BusyError,
    FaultError,
    HanamiError,
    LimitError,
    MethodNotAllowedError,
    StorageFullError,
)

__all__ = ["ErrorResponse", "error_response_of", "log_fault"]

RETRY_AFTER_S = 1
RETRY_AFTER_FULL_S = 60

_logger = logging.getLogger(__name__)


class ErrorResponse(NamedTuple):
    """The one shape that all errors have."""

    status: int
    headers: dict[str, str]
    body: bytes


def error_response_of(
    error: HanamiError, request: HTTPServerRequest, request_id: str, routes: Routes
) -> ErrorResponse:
    """Return the answer to a request that failed.

    Parameters
    ----------
    error : HanamiError
    request : HTTPServerRequest
    request_id : str
    routes : Routes
        Knows the methods that the path has.
    """
    headers = {}
    if error.status == MethodNotAllowedError.status:
        headers["Allow"] = routes.allowed(request.path)
    if isinstance(error, LimitError):
        headers["Retry-After"] = str(error.retry_after_s)
    elif isinstance(error, BusyError):
        headers["Retry-After"] = str(RETRY_AFTER_S)
    elif isinstance(error, StorageFullError):
        headers["Retry-After"] = str(RETRY_AFTER_FULL_S)
    if wants_problem(request.headers.get("Accept", "")):
        headers["Content-Type"] = CONTENT_TYPE_PROBLEM
        return ErrorResponse(error.status, headers, problem_document(error, request_id))
    headers["Content-Type"] = f"{CONTENT_TYPE_TEXT}; charset=utf-8"
    return ErrorResponse(error.status, headers, error_text(error).encode())


def log_fault(error: BaseException | None, request: HTTPServerRequest, request_id: str) -> None:
    """Log a fault with the request's id; refusals are in the access log already."""
    if not isinstance(error, HTTPError | HanamiError) or isinstance(error, FaultError):
        _logger.error(
            "request %s: %s %s failed", request_id, request.method, request.path, exc_info=error
        )
