"""What answers look like: JSON of a success, plain text or a problem document of an error."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, NamedTuple

import msgspec

from hanami_actors.errors import HanamiError, TemplateError

__all__ = [
    "CONTENT_TYPE_JSON",
    "CONTENT_TYPE_PROBLEM",
    "CONTENT_TYPE_TEXT",
    "SERVER_NAME",
    "Document",
    "FileContent",
    "FileReply",
    "RawReply",
    "box_table",
    "encode_json",
    "error_text",
    "problem_document",
    "wants_problem",
]

SERVER_NAME = "Hanami"

CONTENT_TYPE_JSON = "text/json"
CONTENT_TYPE_TEXT = "text/plain"
CONTENT_TYPE_PROBLEM = "application/problem+json"

CELL_WIDTH_MAX = 200
PROBLEM_TYPES = re.compile(
    r"application/(?:problem\+)?json(?![\w+.-])(?!\s*;\s*q=0(?:\.0*)?(?:,|$))"
)


class Document(msgspec.Struct, frozen=True):
    """A document; stands as ``reply`` in rows whose handlers return a `RawReply`."""


class FileContent(msgspec.Struct, frozen=True):
    """The bytes of a file."""

    # Stands as ``reply`` in rows whose handlers return a `FileReply`.


@dataclass(frozen=True, kw_only=True)
class FileReply:
    """A file to send.

    Attributes
    ----------
    content_type : str
    file_name : str
        For ``Content-Disposition``; ASCII without quotes.
    size_bytes : int or None
        Sent ahead when it is known. Without it the end of the answer is marked in the stream, so a
        client notices in both cases when the file was cut.
    blocks : iterable of bytes
        Every step may block; it runs in a worker thread. At most two blocks are in memory.
    """

    content_type: str
    file_name: str
    size_bytes: int | None
    blocks: Iterable[bytes]


class RawReply(NamedTuple):
    """An answer that is no struct: its bytes and its headers."""

    body: bytes
    headers: tuple[tuple[str, str], ...]


_encoder = msgspec.json.Encoder(order="sorted")


def encode_json(reply: Any) -> bytes:
    """Return compact JSON with sorted keys; floats always have a point or an exponent."""
    return _encoder.encode(reply)


def wants_problem(accept: str) -> bool:
    """Tell whether an ``Accept`` header names JSON; ``*/*`` alone does not."""
    return PROBLEM_TYPES.search(accept.lower()) is not None


def error_text(error: HanamiError) -> str:
    """Return the body of an error as plain text; empty for the server's own faults."""
    if error.status == HTTPStatus.INTERNAL_SERVER_ERROR:
        return ""
    if isinstance(error, TemplateError):
        return _template_text(error)
    return error.message


def problem_document(error: HanamiError, request_id: str) -> bytes:
    """Return the error as RFC 9457 describes it, with our code and the request's id."""
    fault = error.status == HTTPStatus.INTERNAL_SERVER_ERROR
    document: dict[str, Any] = {
        "type": "about:blank",
        "title": HTTPStatus(error.status).phrase,
        "status": error.status,
        "detail": "" if fault else error.message,
        "code": "fault" if fault else error.code,
        "request_id": request_id,
    }
    if isinstance(error, TemplateError):
        document |= {"line": error.line, "column": error.column, "expected": error.expected}
    return encode_json(document)


def box_table(messages: Sequence[str]) -> str:
    """Return messages as a table of text, the newest (highest number) first.

    Parameters
    ----------
    messages : sequence of str
        Cells; they are split at line breaks and at 200 characters.
    """
    rows: list[tuple[str, list[str]]] = []
    for number, message in enumerate(messages):
        lines = [
            line[start : start + CELL_WIDTH_MAX]
            for line in message.split("\n")
            for start in range(0, max(len(line), 1), CELL_WIDTH_MAX)
        ]
        rows.insert(0, (f"Error-Message Nr. {number}", lines))
    left = max((len(label) for label, _ in rows), default=0)
    right = max((len(line) for _, lines in rows for line in lines), default=0)
    border = f"+{'-' * (left + 2)}+{'-' * (right + 2)}+\n"
    text = border
    for label, lines in rows:
        for index, line in enumerate(lines):
            text += f"| {label if index == 0 else '':<{left}} | {line:<{right}} |\n"
        text += border
    return text


def _template_text(error: TemplateError) -> str:
    lines = ["ERROR while parsing the cluster template", f"parser-message: {error.message}"]
    if error.line:
        lines.append(f"line-number: {error.line}")
        lines.append(f"position in line: {error.column or 'unknown'}")
    if error.expected:
        lines.append(f"expected: {', '.join(error.expected)}")
    return "Uploaded template is not a valid cluster-template: \n" + box_table(["\n".join(lines)])
