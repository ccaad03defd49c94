"""Every error of the server, in one tree.

::

    HanamiError
    ├── RejectedError              the caller asked for something that is not possible
    │   ├── BadRequestError        400  a field, row or rule is violated
    │   │   ├── TemplateError           a cluster template, with line and column
    │   │   └── DatasetFormatError      an uploaded file, with row and column
    │   ├── UnauthorizedError      401  no valid token, or the role may not do this
    │   ├── NotFoundError          404  no such resource, or not visible to the caller
    │   ├── MethodNotAllowedError  405
    │   ├── ConflictError          409  the resource is not in a state that allows this
    │   ├── PayloadTooLargeError   413
    │   └── LimitError             429  a configured limit is reached
    ├── BusyError                  503  an inbox is full or an actor is being restarted; try again
    ├── StorageFullError           507  the disk, the map or a project is full; nothing was written
    ├── SettingsError                   the server does not start with these settings
    └── FaultError                 500  the server's own fault
        ├── WrongVersionError           a stream was not at the expected version
        ├── ImpossibleEventError        an event that the aggregate's transition table forbids
        ├── LogError                    the log cannot be opened, read or written
        │   ├── LogCorruptError         a record does not hold (checksum, chain, gap)
        │   ├── UnknownTagError         an event this version does not know
        │   ├── NewerSchemaError        an event written by a newer version
        │   └── LogLockedError          another server uses the directory
        ├── BlobMissingError            bytes that an event names are not there
        ├── StateDiffersError           what was computed again is not what was recorded
        └── SnapshotDamagedError        a snapshot does not hold; it is a cache and is skipped

Each class has a stable ``code`` and an HTTP ``status``; the message is a sentence that names the
field, the value and the rule, and says what to do.
"""

from typing import ClassVar

__all__ = [
    "BadRequestError",
    "BlobMissingError",
    "BusyError",
    "ConflictError",
    "DatasetFormatError",
    "FaultError",
    "HanamiError",
    "ImpossibleEventError",
    "LimitError",
    "LogCorruptError",
    "LogError",
    "LogLockedError",
    "MethodNotAllowedError",
    "NewerSchemaError",
    "NotFoundError",
    "PayloadTooLargeError",
    "RejectedError",
    "SettingsError",
    "SnapshotDamagedError",
    "StateDiffersError",
    "StorageFullError",
    "TemplateError",
    "UnauthorizedError",
    "UnknownTagError",
    "WrongVersionError",
]


class HanamiError(Exception):
    """Root of all errors of the server.

    Attributes
    ----------
    message : str
        A sentence for the person who gets it.
    """

    code: ClassVar[str] = "error"
    status: ClassVar[int] = 500

    def __init__(self, message: str = "") -> None:
        super().__init__(message)
        self.message = message


class RejectedError(HanamiError):
    """The request is refused; state and log are unchanged."""

    code = "rejected"
    status = 400


class BadRequestError(RejectedError):
    """A field, row or rule is violated."""

    code = "bad_request"
    status = 400


class TemplateError(BadRequestError):
    """A cluster template is not valid.

    Attributes
    ----------
    line, column : int
        1-based place in the text, 0 when the whole template is meant.
    expected : tuple of str
        What would have been right there, may be empty.
    """

    code = "template.invalid"

    def __init__(
        self, message: str, *, line: int = 0, column: int = 0, expected: tuple[str, ...] = ()
    ) -> None:
        super().__init__(message)
        self.line = line
        self.column = column
        self.expected = expected


class DatasetFormatError(BadRequestError):
    """An uploaded file is not what it is said to be.

    Attributes
    ----------
    row : int
        1-based line or record of the file, 0 when the whole file is meant.
    column : str
        Name of the column, may be empty.
    """

    code = "dataset.format"

    def __init__(self, message: str, *, row: int = 0, column: str = "") -> None:
        super().__init__(message)
        self.row = row
        self.column = column


class UnauthorizedError(RejectedError):
    """No valid token, or the caller's role may not do this."""

    code = "unauthorized"
    status = 401


class NotFoundError(RejectedError):
    """No such resource, or it is not visible to the caller."""

    code = "not_found"
    status = 404


class MethodNotAllowedError(RejectedError):
    """The path exists, but not with this method."""

    code = "method_not_allowed"
    status = 405


class ConflictError(RejectedError):
    """The resource is not in a state that allows this."""

    code = "conflict"
    status = 409


class PayloadTooLargeError(RejectedError):
    """The body is larger than the configured limit."""

    code = "payload_too_large"
    status = 413


class LimitError(RejectedError):
    """A configured limit is reached.

    Attributes
    ----------
    retry_after_s : int
        When it is worth trying again.
    """

    code = "limit"
    status = 429

    def __init__(self, message: str = "", *, retry_after_s: int = 1) -> None:
        super().__init__(message)
        self.retry_after_s = retry_after_s


class BusyError(HanamiError):
    """An inbox is full or an actor is being restarted; the same request may succeed later.

    Attributes
    ----------
    may_be_done : bool
        Whether what was asked may have been done, or may still be.
    """

    code = "busy"
    status = 503

    def __init__(self, message: str = "", *, may_be_done: bool = False) -> None:
        super().__init__(message)
        self.may_be_done = may_be_done


class StorageFullError(HanamiError):
    """The disk, the map or what a project may take is full; nothing was written."""

    code = "storage_full"
    status = 507


class FaultError(HanamiError):
    """The server's own fault; the caller can do nothing about it."""

    code = "fault"
    status = 500


class SettingsError(HanamiError):
    """A setting is unknown or has a value that is not allowed; the server does not start."""

    code = "settings"


class WrongVersionError(FaultError):
    """A stream was not at the version the writer expected.

    Attributes
    ----------
    stream : str
    expected, actual : int
    """

    code = "log.wrong_version"

    def __init__(self, stream: str, expected: int, actual: int) -> None:
        super().__init__(
            f"stream {stream!r} is at version {actual}, the writer expected {expected}"
        )
        self.stream = stream
        self.expected = expected
        self.actual = actual


class ImpossibleEventError(FaultError):
    """An event that the transition table of its aggregate forbids; it must not be stored."""

    code = "event.impossible"


class LogError(FaultError):
    """The log cannot be opened, read or written."""

    code = "log"


class LogCorruptError(LogError):
    """A record does not hold: wrong checksum, broken chain or a gap."""

    code = "log.corrupt"


class UnknownTagError(LogError):
    """An event has a tag that this version does not know."""

    code = "log.unknown_tag"


class NewerSchemaError(LogError):
    """An event was written by a newer version of the software."""

    code = "log.newer_schema"


class LogLockedError(LogError):
    """Another server uses the data directory."""

    code = "log.locked"


class BlobMissingError(FaultError):
    """Bytes that an event names are not in the blob store."""

    code = "blob.missing"


class StateDiffersError(FaultError):
    """What was computed again is not what was recorded."""

    code = "state.differs"


class SnapshotDamagedError(FaultError):
    """A snapshot does not hold; snapshots are caches and a damaged one is skipped."""

    code = "snapshot.damaged"
