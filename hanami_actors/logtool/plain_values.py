"""Records and states as plain values that may be shown: secrets are hidden, bytes are text."""

import datetime as dt
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

import msgspec

from hanami_actors.eventlog.port import Record
from hanami_actors.logtool.times import show_time

__all__ = [
    "HIDDEN",
    "Change",
    "Plain",
    "changes_between",
    "compact",
    "plain_record",
    "plain_state",
    "tree_lines",
]

Plain = dict[str, Any]

HIDDEN = "(hidden)"
SECRET_FIELDS = frozenset({"passphrase_hash"})
INLINE_LEN_MAX = 80


class Change(NamedTuple):
    """A place in a state that differs; None where there is nothing."""

    path: str
    before: Any
    after: Any


def plain_record(record: Record) -> Plain:
    """Return a record for people and programs, its event without secrets."""
    plain = plain_state(record)
    moment = dt.datetime.fromtimestamp(record.time_us / 1e6, tz=dt.UTC)
    plain["time"] = moment.isoformat()
    return plain


def plain_state(state: Any) -> Plain:
    """Return a struct without secrets."""
    # Bytes become base64; what msgspec does not know becomes its text.
    plain = _without_secrets(msgspec.to_builtins(state, enc_hook=str))
    assert isinstance(plain, dict), "a struct becomes a dictionary"
    return plain


def changes_between(before: Any, after: Any, path: str = "") -> Iterator[Change]:
    """Yield where two plain values differ.

    Entries of lists are compared by their uuid or name, not by their place; an entry that is only
    on one side is one change.
    """
    if before == after:
        return
    old, new = _as_mapping(before), _as_mapping(after)
    if old is None or new is None:
        yield Change(path, before, after)
        return
    for name in dict.fromkeys([*old, *new]):
        inner = name if name.startswith("[") or not path else f".{name}"
        yield from changes_between(old.get(name), new.get(name), path + inner)


def compact(value: Any, name: str = "") -> str:
    """Return a value on one line; a time when its name ends with ``_us``."""
    if name.endswith("_us") and isinstance(value, int):
        return show_time(value) if value else "-"
    return value if isinstance(value, str) else msgspec.json.encode(value).decode()


def tree_lines(value: Any, name: str, depth: int = 0) -> Iterator[str]:
    """Yield a plain value as indented lines for people."""
    indent = "    " * depth
    begin = f"{indent}{name}: "
    if isinstance(value, str) and "\n" in value:
        yield begin.rstrip()
        yield from (f"{indent}    {line}" for line in value.splitlines())
        return
    inner = _as_mapping(value)
    line = begin + compact(value, name)
    is_short = isinstance(value, list) and len(line) <= INLINE_LEN_MAX
    if not inner or (is_short and not _is_pair(value[0])):
        yield line
        return
    yield begin.rstrip()
    for key, each in inner.items():
        yield from tree_lines(each, key, depth + 1)


def _as_mapping(value: Any) -> Mapping[str, Any] | None:
    """Return what is inside by name; None for a plain value.

    A list of structs becomes a mapping by uuid, a list of (name, value) one by name.
    """
    if isinstance(value, Mapping):
        return value
    if not isinstance(value, list):
        return None
    if all(isinstance(each, Mapping) for each in value):
        return {f"[{_identity(each, index)}]": each for index, each in enumerate(value)}
    if all(_is_pair(each) for each in value):
        return dict(value)
    return None


def _is_pair(value: Any) -> bool:
    return isinstance(value, list) and len(value) == 2 and isinstance(value[0], str)


def _identity(entry: Mapping[str, Any], index: int) -> str:
    named = entry.get("task", entry)
    uuid = named.get("uuid") if isinstance(named, Mapping) else None
    return str(uuid) if uuid else str(index)


def _without_secrets(value: Any) -> Any:
    if isinstance(value, dict):
        return {
            name: HIDDEN if name in SECRET_FIELDS and inner else _without_secrets(inner)
            for name, inner in value.items()
        }
    if isinstance(value, list | tuple):
        return [_without_secrets(each) for each in value]
    return value
