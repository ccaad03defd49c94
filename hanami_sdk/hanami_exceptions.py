"""What the functions of the SDK raise.

::

    HanamiException
    +-- BadRequestException           400, the request itself is wrong
    +-- UnauthorizedException         401, no valid token, or not allowed
    +-- NotFoundException             404
    +-- ConflictException             409, not possible in the present state
    +-- InternalServerErrorException  500, or an upload that the server refused
    +-- UnexpectedStatusException     any other status, where a result cannot be None
    +-- UnreadableAnswerException     200, but not what this version of the SDK understands
    +-- TaskFailedException           a task that was waited for has failed or was aborted
    +-- UploadInterruptedException    an upload that can be resumed
    +-- ConnectionFailedException     no answer at all; also a ConnectionError
        +-- DirectClosedException     the server has closed a direct session and said why
"""

__all__ = [
    "BadRequestException",
    "ConflictException",
    "ConnectionFailedException",
    "DirectClosedException",
    "HanamiException",
    "InternalServerErrorException",
    "NotFoundException",
    "TaskFailedException",
    "UnauthorizedException",
    "UnexpectedStatusException",
    "UnreadableAnswerException",
    "UploadInterruptedException",
]

# The names end in Exception, not in Error, because client programs catch them by these names.


class HanamiException(Exception):  # noqa: N818
    """Base of everything the SDK raises on its own.

    Attributes
    ----------
    status : int or None
        The HTTP status, when there was an answer.
    text : str
        What went wrong, for a person.
    request_id : str or None
        The ``X-Request-Id`` of the answer; the server log has the same id.
    """

    status: int | None = None
    request_id: str | None = None

    @property
    def text(self) -> str:
        """What went wrong, for a person."""
        return str(self)


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

    @property
    def text(self) -> str:
        """The body of the answer as text."""
        return self.message.decode("utf-8", "replace")

    def __str__(self) -> str:
        return self.text


class BadRequestException(_RefusedException):
    """Status 400: the request itself is wrong; the text names what."""

    status = 400


class UnauthorizedException(_RefusedException):
    """Status 401: the token or the login is refused, or the role may not do this."""

    status = 401


class NotFoundException(_RefusedException):
    """Status 404: nothing with this id exists for the user of the token."""

    status = 404


class ConflictException(_RefusedException):
    """Status 409: not possible now, for instance a name that is taken."""

    status = 409


class InternalServerErrorException(HanamiException):
    """Status 500. The reason is in the log of the server, under the request id.

    Parameters
    ----------
    request_id : str or None
        The id to look for in the log of the server.
    reason : str or None
        What is known on this side, for instance why an upload was refused.
    """

    status = 500

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


class UnreadableAnswerException(HanamiException):
    """The server said 200, but the answer is not what this version of the SDK understands."""

    status = 200


class TaskFailedException(HanamiException):
    """A task that was waited for did not finish.

    Parameters
    ----------
    uuid : str
        The task.
    state : str
        ``failed`` or ``aborted``.
    reason : str
        What the server says about it, may be empty.
    """

    def __init__(self, uuid: str, state: str, reason: str = "") -> None:
        super().__init__(f"task {uuid} is {state}{f': {reason}' if reason else ''}")
        self.uuid = uuid
        self.state = state
        self.reason = reason


class UploadInterruptedException(HanamiException):
    """The connection is gone, but what has arrived stays on the server for a while.

    Parameters
    ----------
    dataset_uuid : str
        The unfinished dataset; resume the upload with the same files, or delete it.
    reason : str
        Why it stopped.
    """

    def __init__(self, dataset_uuid: str, reason: str) -> None:
        super().__init__(f"the upload of dataset {dataset_uuid} was interrupted: {reason}")
        self.dataset_uuid = dataset_uuid
        self.reason = reason


class ConnectionFailedException(HanamiException, ConnectionError):  # noqa: N818
    """No answer: refused, timed out, broken off, or the address is no address.

    Parameters
    ----------
    text : str
        What was tried, and the reason.
    was_sent : bool
        Whether the server may have got the request, and done what it says.
    is_transient : bool
        Whether the same attempt may succeed a moment later.
    """

    def __init__(self, text: str, *, was_sent: bool = True, is_transient: bool = True) -> None:
        super().__init__(text)
        self.was_sent = was_sent
        self.is_transient = is_transient


class DirectClosedException(ConnectionFailedException):
    """The server has closed a direct session.

    Parameters
    ----------
    code : int
        The websocket close code: 4400 bad message, 4401 token expired, 4404 the cluster is gone,
        4409 not the writer or not in direct mode, 4429 a limit.
    reason : str
        The text of the server.
    """

    def __init__(self, code: int, reason: str) -> None:
        super().__init__(f"direct session closed with {code}: {reason or 'no reason given'}")
        self.code = code
        self.reason = reason
