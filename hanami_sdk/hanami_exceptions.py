"""What the functions of the SDK raise.

::

    HanamiException
    +-- BadRequestException           400, the request itself is wrong
    +-- UnauthorizedException         401, no valid token, or not allowed
    +-- NotFoundException             404
    +-- ConflictException             409, not possible in the present state
    +-- InternalServerErrorException  500, or an upload that the server refused
    +-- UnexpectedStatusException     any other status, where a result cannot be None
    +-- ConnectionFailedException     no answer at all; also a ConnectionError
"""

__all__ = [
    "BadRequestException",
    "ConflictException",
    "ConnectionFailedException",
    "HanamiException",
    "InternalServerErrorException",
    "NotFoundException",
    "UnauthorizedException",
    "UnexpectedStatusException",
]

# The names end in Exception, not in Error, because client programs catch them by these names.


class HanamiException(Exception):  # noqa: N818
    """Base of everything the SDK raises on its own.

    Attributes
    ----------
    request_id : str or None
        The ``X-Request-Id`` of the answer; the server log has the same id.
    """

    request_id: str | None = None


class _RefusedException(HanamiException):
    """The server answered with an error status and a text.

    Parameters
    ----------
    message : bytes
        The body of the answer, as it came.
    request_id : str or None
        The id of the request, when the server named it.
    """

    def __init__(self, message: bytes, request_id: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.request_id = request_id

    def __str__(self) -> str:
        return self.message.decode("utf-8", "replace")


class BadRequestException(_RefusedException):
    """Status 400: the request itself is wrong; the text names what."""


class UnauthorizedException(_RefusedException):
    """Status 401: the token or the login is refused, or the role may not do this."""


class NotFoundException(_RefusedException):
    """Status 404: nothing with this id exists for the user of the token."""


class ConflictException(_RefusedException):
    """Status 409: not possible now, for instance a name that is taken."""


class InternalServerErrorException(HanamiException):
    """Status 500. The reason is in the log of the server, under the request id.

    Parameters
    ----------
    request_id : str or None
        The id to look for in the log of the server.
    reason : str or None
        What is known on this side, for instance why an upload was refused.
    """

    def __init__(self, request_id: str | None = None, reason: str | None = None) -> None:
        super().__init__("Server internal error appeared.")
        self.request_id = request_id
        self.reason = reason


class UnexpectedStatusException(_RefusedException):
    """The server answered with a status that has no exception of its own.

    Parameters
    ----------
    status : int
        The HTTP status.
    message : bytes
        The body of the answer.
    request_id : str or None
        The id of the request, when the server named it.
    """

    def __init__(self, status: int, message: bytes, request_id: str | None = None) -> None:
        super().__init__(message, request_id)
        self.status = status

    def __str__(self) -> str:
        return f"unexpected status {self.status}: {super().__str__()}"


class ConnectionFailedException(HanamiException, ConnectionError):  # noqa: N818
    """No answer: refused, timed out, broken off, or the address is no address."""
