"""The endpoint table as an OpenAPI 3.1 document."""

from collections.abc import Iterable, Sequence
from typing import Any

import msgspec

from hanami_actors import __version__
from hanami_actors.api.answers import (
    CONTENT_TYPE_JSON,
    CONTENT_TYPE_PROBLEM,
    CONTENT_TYPE_TEXT,
    Document,
    FileContent,
)
from hanami_actors.api.table.effects import IDEMPOTENCY_HEADER
from hanami_actors.api.table.endpoint import PREFIXES, Endpoint
from hanami_actors.errors import (
    BadRequestError,
    BusyError,
    FaultError,
    HanamiError,
    PayloadTooLargeError,
    StorageFullError,
    UnauthorizedError,
)

__all__ = ["BODY_METHODS", "errors_of_row", "openapi_document", "schemas_of"]

BODY_METHODS = frozenset({"POST", "PUT"})
WITHOUT_SCHEMA = (Document, FileContent)
REF = "#/components/schemas/{name}"
REF_PREFIX = REF.format(name="")

ABOUT = """\
Growing neural networks as a service.

Log in with `POST token` and send the token as the header `X-Auth-Token`. Bodies are JSON objects; \
no `Content-Type` is needed. Fields of the query are merged over those of the body.

Errors are plain text that names the field, the value and the rule; `Accept: application/json` \
turns them into `application/problem+json`. A 500 has an empty body. Every answer has an \
`X-Request-Id`, by which the error log knows it.

Passphrases are sent as `passphrase` (base64 of the UTF-8 text) or as `password` (the text itself).
"""


IDEMPOTENCY_PARAMETER: dict[str, Any] = {
    "name": IDEMPOTENCY_HEADER,
    "in": "header",
    "required": False,
    "description": "Repeated with the same key, the call does nothing twice and gets its first answer.",
    "schema": {"type": "string", "minLength": 1, "maxLength": 255},
}


def openapi_document(rows: Sequence[Endpoint]) -> dict[str, Any]:
    """Return the document as plain builtins.

    Parameters
    ----------
    rows : sequence of Endpoint
    """
    schemas = schemas_of(rows)
    paths: dict[str, dict[str, Any]] = {}
    for row in rows:
        paths.setdefault(f"/{row.path}", {})[row.method.lower()] = _operation(row, schemas)
    used = {error for row in rows for error in errors_of_row(row)}
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "hanami_actors",
            "version": __version__,
            "description": ABOUT,
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": prefix.rstrip("/")} for prefix in PREFIXES],
        "paths": dict(sorted(paths.items())),
        "tags": [{"name": name} for name in sorted({_tag(row) for row in rows})],
        "components": {
            "schemas": schemas | {"Problem": PROBLEM},
            "responses": {
                error.__name__: _error_response(error)
                for error in sorted(used, key=lambda error: (error.status, error.__name__))
            },
            "securitySchemes": {
                "token": {"type": "apiKey", "in": "header", "name": "X-Auth-Token"}
            },
        },
    }


def schemas_of(rows: Iterable[Endpoint]) -> dict[str, Any]:
    """Return the JSON schemas of all requests and replies by name."""
    types = {
        kind
        for row in rows
        for kind in (row.request, row.reply, *row.other_replies)
        if kind not in WITHOUT_SCHEMA
    }
    ordered = sorted(types, key=lambda kind: kind.__name__)
    _, schemas = msgspec.json.schema_components(ordered, ref_template=REF)
    for schema in schemas.values():
        _add_credential_rule(schema)
    return dict(sorted(schemas.items()))


def errors_of_row(row: Endpoint) -> tuple[type[HanamiError], ...]:
    """Return the errors of a row: its own and those that the way to it has."""
    common: list[type[HanamiError]] = [BadRequestError, FaultError, BusyError]
    if not row.access.is_open:
        common.append(UnauthorizedError)
    if row.method in BODY_METHODS:
        common.append(PayloadTooLargeError)
    if row.method != "GET" and not row.access.is_open:
        common.append(StorageFullError)
    return tuple(sorted({*common, *row.errors}, key=lambda kind: (kind.status, kind.__name__)))


def _operation(row: Endpoint, schemas: dict[str, Any]) -> dict[str, Any]:
    operation: dict[str, Any] = {
        "operationId": row.name,
        "summary": row.summary,
        "tags": [_tag(row)],
        "security": [] if row.access.is_open else [{"token": []}],
        "responses": {"200": _success(row)} | _failures(row),
    }
    if row.requires_admin:
        operation["description"] = "For admins only, whatever the policy file says."
    if not row.access.is_open:
        operation["x-roles"] = list(row.access.roles)
    if row.aliases:
        operation["x-aliases"] = list(row.aliases)
    schema = schemas[row.request.__name__]
    if row.method in BODY_METHODS:
        operation["requestBody"] = {
            "required": True,
            "content": {"application/json": {"schema": {"$ref": f"{REF_PREFIX}{schema['title']}"}}},
        }
        if row.first_answer is not None:
            operation["parameters"] = [IDEMPOTENCY_PARAMETER]
    elif schema["properties"]:
        operation["parameters"] = [
            {
                "name": name,
                "in": "query",
                "required": name in schema.get("required", ()),
                "schema": field,
            }
            for name, field in schema["properties"].items()
        ]
    return operation


def _success(row: Endpoint) -> dict[str, Any]:
    if row.reply in WITHOUT_SCHEMA:
        content: dict[str, Any] = {kind: {} for kind in row.content_types}
        return {"description": _first_line(row.reply), "content": content}
    refs = [{"$ref": f"{REF_PREFIX}{kind.__name__}"} for kind in (row.reply, *row.other_replies)]
    schema = refs[0] if len(refs) == 1 else {"anyOf": refs}
    return {
        "description": _first_line(row.reply),
        "content": {CONTENT_TYPE_JSON: {"schema": schema}},
    }


def _failures(row: Endpoint) -> dict[str, Any]:
    by_status: dict[str, list[type[HanamiError]]] = {}
    for error in errors_of_row(row):
        by_status.setdefault(str(error.status), []).append(error)
    responses = {}
    for status, errors in by_status.items():
        if len(errors) == 1:
            responses[status] = {"$ref": f"#/components/responses/{errors[0].__name__}"}
        else:
            texts = " Or: ".join(_first_line(error) for error in errors)
            responses[status] = _error_response(errors[0]) | {"description": texts}
    return responses


def _error_response(error: type[HanamiError]) -> dict[str, Any]:
    return {
        "description": _first_line(error),
        "content": {
            CONTENT_TYPE_TEXT: {"schema": {"type": "string"}},
            CONTENT_TYPE_PROBLEM: {"schema": {"$ref": f"{REF_PREFIX}Problem"}},
        },
    }


def _add_credential_rule(schema: dict[str, Any]) -> None:
    """Say what the struct can not: exactly one of both spellings of a passphrase."""
    names = schema.get("properties", {})
    rules = [
        {"oneOf": [{"required": [f"{prefix}{name}"]} for name in ("passphrase", "password")]}
        for prefix in ("", "new_")
        if f"{prefix}passphrase" in names and f"{prefix}password" in names
    ]
    if rules:
        schema["allOf"] = rules


def _tag(row: Endpoint) -> str:
    return row.path.partition("/")[0]


def _first_line(kind: type[object]) -> str:
    return (kind.__doc__ or "").strip().partition("\n")[0]


PROBLEM: dict[str, Any] = {
    "title": "Problem",
    "description": "An error as RFC 9457 describes it; invalid templates also have a place.",
    "type": "object",
    "properties": {
        "type": {"type": "string"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
        "code": {"type": "string"},
        "request_id": {"type": "string"},
        "line": {"type": "integer"},
        "column": {"type": "integer"},
        "expected": {"type": "array", "items": {"type": "string"}},
    },
    "required": ["type", "title", "status", "detail", "code", "request_id"],
}
