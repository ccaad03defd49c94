"""From the bytes of a request to its typed struct, with errors that name field, value and rule."""

import re
from typing import Any
from urllib.parse import unquote

import msgspec
from msgspec.inspect import (
    BoolType,
    FloatType,
    IntType,
    LiteralType,
    Type,
    UnionType,
    type_info,
)

from hanami_actors.api.table.fields import PATTERN_RULES, SECRET_FIELDS
from hanami_actors.errors import BadRequestError

__all__ = ["RequestDecoder", "parse_query"]

INT64_MAX = 2**63 - 1
INTEGER = re.compile(r"-?[0-9]{1,19}")
DIGITS = re.compile(r"-?[0-9]+")
NUMBER = re.compile(r"-?[0-9]{1,40}(?:\.[0-9]{1,40})?")
SHOWN_LENGTH_MAX = 80
QUERY_PAIRS_MAX = 100

_PLACE = re.compile(r"^(?P<rule>.*?)(?: - at `\$(?P<path>.*)`)?$", re.DOTALL)
_STEP = re.compile(r"\.(\w+)|\[(\d+)\]")
_NAMED = re.compile(r"^Object (?P<what>missing required|contains unknown) field `(?P<name>.*)`$")
_PATTERN = re.compile(r"^Expected `str` matching regex (?P<pattern>'.*')$", re.DOTALL)
_TYPE_NAMES = {
    "int": "an integer",
    "float": "a number",
    "str": "a text",
    "bool": "true or false",
    "array": "an array",
    "object": "an object",
    "null": "null",
}


class RequestDecoder:
    """Decodes the requests of one row.

    Parameters
    ----------
    request : type
        A struct that forbids unknown fields; limits and patterns stand in its annotations.
    """

    def __init__(self, request: type[msgspec.Struct]) -> None:
        fields = msgspec.structs.fields(request)
        self._request = request
        self._kinds = {field.encode_name: _kind(type_info(field.type)) for field in fields}
        self._choices = {
            field.encode_name: choices
            for field in fields
            if (choices := _choices(type_info(field.type)))
        }
        self._required = frozenset(field.encode_name for field in fields if field.required)
        self._blank = request() if not self._required else None

    def decode(self, query: str, body: bytes | None) -> msgspec.Struct:
        """Merge the query over the body and check the result.

        Parameters
        ----------
        query : str
            Without the question mark, still percent-encoded.
        body : bytes or None
            None for methods without a body.

        Raises
        ------
        BadRequestError
        """
        if body is None and not query and self._blank is not None:
            return self._blank
        values = _parse_body(body) if body is not None else {}
        if query:
            values.update((name, self._typed(name, text)) for name, text in parse_query(query))
        # The contract's clients may repeat the token here; only the header counts.
        values.pop("token", None)
        self._check_names(values)
        try:
            return msgspec.convert(values, type=self._request)
        except msgspec.ValidationError as error:
            raise _explain(str(error), values, self._choices) from None

    def _check_names(self, values: dict[str, Any]) -> None:
        unknown = values.keys() - self._kinds.keys()
        if unknown:
            known = ", ".join(sorted(self._kinds)) or "none"
            raise BadRequestError(
                f"field {_shown(min(unknown))} is not known here; known fields: {known}"
            )
        missing = self._required - values.keys()
        if missing:
            raise BadRequestError(f"field '{min(missing)}' is required, but is not set")

    def _typed(self, name: str, text: str) -> Any:
        """Convert by the declared type, not by look: a text of digits stays a text."""
        kind = self._kinds.get(name, str)
        if kind is int and DIGITS.fullmatch(text):
            value = int(text) if INTEGER.fullmatch(text) else INT64_MAX + 1
            if abs(value) > INT64_MAX:
                raise BadRequestError(
                    f"field '{name}': expected an integer of at most 64 bits, got {_shown(text)}"
                )
            return value
        if kind is float and NUMBER.fullmatch(text):
            return float(text)
        if kind is bool and text in {"true", "false"}:
            return text == "true"
        return text


def parse_query(query: str) -> list[tuple[str, str]]:
    """Split a query into decoded pairs; a pair without ``=`` has its name as value.

    Raises
    ------
    BadRequestError
        It is not percent-encoded UTF-8, or has too many pairs.
    """
    pairs = [pair for pair in query.partition("?")[0].split("&") if pair]
    if len(pairs) > QUERY_PAIRS_MAX:
        raise BadRequestError(
            f"the query has {len(pairs)} fields; at most {QUERY_PAIRS_MAX} are allowed"
        )
    try:
        split = [pair.partition("=") for pair in pairs]
        return [
            (unquote(name, errors="strict"), unquote(value if sep else name, errors="strict"))
            for name, sep, value in split
        ]
    except UnicodeDecodeError:
        raise BadRequestError("the query is not percent-encoded UTF-8") from None


def _parse_body(body: bytes) -> dict[str, Any]:
    if not body:
        raise BadRequestError("the body is empty; expected a JSON object, at least {}")
    try:
        values = msgspec.json.decode(body)
    except RecursionError:
        raise BadRequestError("the body is not usable: its JSON is nested too deeply") from None
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise BadRequestError(f"the body is not valid JSON: {error}") from None
    if not isinstance(values, dict):
        raise BadRequestError(
            f"the body must be a JSON object, got {_TYPE_NAMES.get(_json_type(values), 'a value')}"
        )
    return values


def _kind(declared: Type) -> type | None:
    """Return what a text of the query is converted to; None leaves the text as it is."""
    if isinstance(declared, UnionType):
        kinds = [kind for kind in map(_kind, declared.types) if kind is not None]
        return kinds[0] if kinds else None
    if isinstance(declared, IntType):
        return int
    if isinstance(declared, FloatType):
        return float
    return bool if isinstance(declared, BoolType) else None


def _choices(declared: Type) -> str:
    """Return the only texts that are allowed, if they are listed."""
    kinds = declared.types if isinstance(declared, UnionType) else (declared,)
    listed = [kind.values for kind in kinds if isinstance(kind, LiteralType)]
    return ", ".join(f'"{value}"' for values in listed for value in values)


def _json_type(value: Any) -> str:
    names = {list: "array", dict: "object", type(None): "null"}
    return names.get(type(value), type(value).__name__)


def _explain(text: str, values: dict[str, Any], choices: dict[str, str]) -> BadRequestError:
    """Turn the text of msgspec into ours: field, rule, value."""
    place = _PLACE.match(text)
    rule, path = (place["rule"], place["path"] or "") if place else (text, "")
    named = _NAMED.match(rule)
    if named:
        field = f"{path}.{named['name']}".removeprefix(".")
        missing = named["what"].startswith("missing")
        return BadRequestError(f"field '{field}' is {'missing' if missing else 'not known here'}")
    value: Any = values
    for name, index in _STEP.findall(path):
        value = value[name] if name else value[int(index)]
    field = path.removeprefix(".")
    got = "a secret" if field in SECRET_FIELDS else _shown(value)
    if field in choices:
        return BadRequestError(f"field '{field}': expected one of {choices[field]}, got {got}")
    return BadRequestError(f"field '{field}': {_rule_text(rule)}, got {got}")


def _rule_text(rule: str) -> str:
    matched = _PATTERN.match(rule)
    if matched:
        by_repr = {repr(pattern): meaning for pattern, meaning in PATTERN_RULES.items()}
        return (
            f"expected {by_repr.get(matched['pattern'], 'a text matching ' + matched['pattern'])}"
        )
    expected = rule.partition(", got ")[0].removeprefix("Expected ")
    for name, words in _TYPE_NAMES.items():
        expected = expected.replace(f"`{name}`", words)
    return f"expected {expected}"


def _shown(value: Any) -> str:
    text = msgspec.json.encode(value).decode()
    return text if len(text) <= SHOWN_LENGTH_MAX else f"{text[:SHOWN_LENGTH_MAX]}…"
