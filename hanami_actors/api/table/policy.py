"""Which role may call which endpoint: the policy file and the default that the rows imply."""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from hanami_actors.api.table.endpoint import Endpoint
from hanami_actors.errors import SettingsError

__all__ = ["LEFTOVERS", "Policy", "default_policy_text", "parse_policy"]

METHODS = ("GET", "POST", "PUT", "DELETE")

# Entries of the contract's default file that have no row (yet): a file made from our default
# is complete, and an operator finds every path in it.
_EVERYBODY = ("admin", "member")
LEFTOVERS: Mapping[str, Mapping[str, tuple[str, ...]]] = {
    "dataset": {"POST": _EVERYBODY, "PUT": _EVERYBODY},
    "checkpoint": {"POST": _EVERYBODY, "PUT": _EVERYBODY},
}

_TOKEN = re.compile(
    r"(?P<blank>[ \t\n]+)|(?P<rule>-(?=[ \t\n]))|(?P<mark>[:,])|(?P<word>[a-zA-Z_0-9/\-._]+)"
)
_ROLE = re.compile(r"[a-zA-Z_0-9]+")


@dataclass(frozen=True, kw_only=True)
class Policy:
    """Roles by path and method.

    Attributes
    ----------
    entries : mapping
        ``{"v1.0alpha/cluster": {"GET": {"admin", "member"}}}``.
    """

    entries: Mapping[str, Mapping[str, frozenset[str]]] = field(default_factory=dict)

    def roles_for(self, row: Endpoint) -> frozenset[str]:
        """Return the roles that may call the row.

        A path that the file does not name: nobody for an endpoint of the contract, the row's own
        default for an endpoint that the authors of old files could not know.
        """
        rules = self.entries.get(row.canonical_path)
        if rules is None:
            return frozenset(row.access.roles) if not row.in_contract else frozenset()
        return rules.get(row.method, frozenset())


def default_policy_text(rows: Iterable[Endpoint]) -> str:
    """Return the default policy file: what the rows say, and the rest of the contract's table."""
    table: dict[str, dict[str, tuple[str, ...]]] = {}
    for row in rows:
        if not row.access.is_open:
            table.setdefault(row.path, {})[row.method] = row.access.roles
    for path, rules in LEFTOVERS.items():
        for method, roles in rules.items():
            table.setdefault(path, {}).setdefault(method, roles)
    blocks = []
    for path, methods in sorted(table.items()):
        lines = [f"- {name}: {', '.join(methods[name])}" for name in METHODS if name in methods]
        blocks.append("\n".join([f"v1.0alpha/{path}", *lines]))
    return "\n\n".join(blocks) + "\n"


def parse_policy(text: str, source: str = "policy file") -> Policy:
    """Read a policy file.

    Parameters
    ----------
    text : str
        Entries of a path and at least one ``- METHOD: role, role``; blanks and line breaks are
        free, a path listed twice counts as listed first.
    source : str
        Named in errors.

    Raises
    ------
    SettingsError
        With the line and what was expected there.
    """
    return Policy(entries=_Parser(text, source).entries())


class _Lexeme(NamedTuple):
    kind: str
    text: str
    line: int


class _Parser:
    def __init__(self, text: str, source: str) -> None:
        self._source = source
        self._lexemes = self._split(text)
        self._next = next(self._lexemes)

    def entries(self) -> dict[str, dict[str, frozenset[str]]]:
        entries: dict[str, dict[str, frozenset[str]]] = {}
        while self._next.kind != "end" or not entries:
            path = self._take("word", "an endpoint path").text.removeprefix("/")
            rules = self._rules()
            entries.setdefault(path, rules)
        return entries

    def _rules(self) -> dict[str, frozenset[str]]:
        rules: dict[str, frozenset[str]] = {}
        while not rules or self._next.kind == "rule":
            self._take("rule", "'- ' and a method")
            method = self._take("word", "a method")
            if method.text not in METHODS:
                raise self._error(method, f"one of {', '.join(METHODS)}")
            if method.text in rules:
                raise self._error(method, "every method at most once in an entry")
            self._take("mark", "':'", text=":")
            rules[method.text] = self._roles()
        return rules

    def _roles(self) -> frozenset[str]:
        roles = set()
        while True:
            role = self._take("word", "a role")
            if not _ROLE.fullmatch(role.text):
                raise self._error(role, "a role of letters, digits and '_'")
            roles.add(role.text)
            if self._next.text != ",":
                return frozenset(roles)
            self._take("mark", "','")

    def _take(self, kind: str, expected: str, text: str | None = None) -> _Lexeme:
        lexeme = self._next
        if lexeme.kind != kind or (text is not None and lexeme.text != text):
            raise self._error(lexeme, expected)
        self._next = next(self._lexemes)
        return lexeme

    def _split(self, text: str) -> Iterator[_Lexeme]:
        line, at = 1, 0
        while at < len(text):
            match = _TOKEN.match(text, at)
            if match is None:
                bad = _Lexeme("bad", text[at], line)
                raise self._error(bad, "a path, a rule or a role; comments and '\\r' are not known")
            if match.lastgroup != "blank":
                yield _Lexeme(str(match.lastgroup), match.group(), line)
            line += match.group().count("\n")
            at = match.end()
        yield _Lexeme("end", "", line)
        yield _Lexeme("end", "", line)

    def _error(self, lexeme: _Lexeme, expected: str) -> SettingsError:
        found = "the end of the file" if lexeme.kind == "end" else repr(lexeme.text)
        return SettingsError(
            f"{self._source}, line {lexeme.line}: expected {expected}, found {found}"
        )
