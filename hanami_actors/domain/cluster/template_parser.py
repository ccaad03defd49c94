"""From the text of a template to its value, or to an error that says where and what is wrong."""

from functools import cache, lru_cache
from importlib import resources
from itertools import pairwise
from typing import Final

from lark import Lark, Token, Tree
from lark.exceptions import UnexpectedCharacters, UnexpectedInput, UnexpectedToken

from hanami_actors.domain.cluster.settings_table import TEMPLATE_SETTINGS as SETTINGS
from hanami_actors.domain.cluster.settings_table import (
    SettingValue,
    check_setting,
    default_settings,
    unknown_setting,
)
from hanami_actors.domain.cluster.template import Axon, Coordinates, Template, TemplatePort
from hanami_actors.domain.cluster.topology import unreachable_output
from hanami_actors.errors import TemplateError

__all__ = [
    "COORDINATE_MAX",
    "HEXAGON_COUNT_MAX",
    "INPUT_KINDS",
    "NAME_LEN_MAX",
    "OUTPUT_KINDS",
    "default_template",
    "parse_template",
]

COORDINATE_MAX: Final = 2**31 - 1
HEXAGON_COUNT_MAX: Final = 1000
PORT_COUNT_MAX: Final = 1000
NAME_LEN_MAX: Final = 254
INPUT_KINDS: Final = ("binary", "match")
OUTPUT_KINDS: Final = ("bool", "int", "float")

_EXPECTED: Final = {
    "VERSION": "'version: 1'",
    "SETTINGS": "'settings:'",
    "HEXAGONS": "'hexagons:'",
    "AXONS": "'axons:'",
    "INPUTS": "'inputs:'",
    "OUTPUTS": "'outputs:'",
    "WORD": "a name",
    "INT": "a whole number",
    "FLOAT": "a number",
    "_ARROW": "'->'",
    "COLON": "':'",
    "COMMA": "','",
    "LPAR": "'('",
    "RPAR": "')'",
    "$END": "the end of the template",
}

_DEFAULT_TEMPLATE: Final = """\
version: 1
settings:
    max_connection_distance: 1
hexagons:
    1,1,1
    2,1,1
    3,1,1
inputs:
    input: 1,1,1
outputs:
    output: 3,1,1
"""


def default_template() -> str:
    """Return the text that stands for an omitted template: input, hidden, output in a row."""
    return _DEFAULT_TEMPLATE


@lru_cache(maxsize=64)
def parse_template(text: str) -> Template:
    """Return the template that a text describes; the empty text has no hexagons.

    The last ones are remembered: the transport reads a template in a thread of its own, so that the
    directory, which has it read again, does not keep everybody waiting.

    Raises
    ------
    TemplateError
        With line and column of the first fault and what was expected there.
    """
    if text == "":
        return Template(hexagons=(), settings=_sorted(default_settings()))
    try:
        tree = _parser().parse(text)
    except UnexpectedInput as error:
        raise _misspelt_section(error) or _syntax_error(text, error) from error
    return _Reader(tree).template()


@cache
def _parser() -> Lark:
    grammar = resources.files(__package__).joinpath("template.lark").read_text(encoding="utf-8")
    return Lark(grammar, parser="lalr", lexer="contextual", maybe_placeholders=True)


class _Reader:
    """Walks the tree of one template; raises at the first thing that has no meaning."""

    def __init__(self, tree: Tree[Token]) -> None:
        self._sections = {
            str(section.data): section for section in tree.children if isinstance(section, Tree)
        }
        self._index_of: dict[Coordinates, int] = {}
        self._token_of: dict[tuple[str, str], Token] = {}

    def template(self) -> Template:
        settings, seed = self._settings()
        self._read_hexagons()
        axons = self._axons()
        inputs = self._ports("inputs", INPUT_KINDS)
        outputs = self._ports("outputs", OUTPUT_KINDS)
        template = Template(
            hexagons=tuple(self._index_of),
            axons=axons,
            inputs=inputs,
            outputs=outputs,
            settings=_sorted(settings),
            seed=seed,
        )
        fault = unreachable_output(template)
        if fault is not None:
            port, sentence = fault
            raise _at(self._token_of["outputs", port.name], sentence)
        return template

    def _rows(self, section: str) -> list[Tree[Token]]:
        if section not in self._sections:
            return []
        return [child for child in self._sections[section].children if isinstance(child, Tree)]

    def _settings(self) -> tuple[dict[str, SettingValue], int | None]:
        settings = default_settings()
        for row in self._rows("settings"):
            name, value = _tokens(row)
            if name not in SETTINGS:
                raise unknown_setting(str(name), line=name.line or 0, column=name.column or 0)
            settings[str(name)] = check_setting(
                str(name), _setting_value(value), line=value.line or 0, column=value.column or 0
            )
        seed = settings.pop("seed", None)
        return settings, None if seed is None else int(seed)

    def _read_hexagons(self) -> None:
        for row in self._rows("hexagons"):
            first, position = _position(row)
            if position in self._index_of:
                raise _at(first, f"Hexagon with the position {_shown(position)} already exists.")
            if len(self._index_of) == HEXAGON_COUNT_MAX:
                raise _at(first, f"A template has at most {HEXAGON_COUNT_MAX} hexagons.")
            self._index_of[position] = len(self._index_of)

    def _axons(self) -> tuple[Axon, ...]:
        target_of: dict[int, int] = {}
        for row in self._rows("axons"):
            source, target = (child for child in row.children if isinstance(child, Tree))
            source_index = self._hexagon(source, "Source hexagon of the axon")
            target_of[source_index] = self._hexagon(target, "Target hexagon of the axon")
        return tuple(Axon(source=source, target=target_of[source]) for source in sorted(target_of))

    def _ports(self, section: str, kinds: tuple[str, ...]) -> tuple[TemplatePort, ...]:
        what = section.removesuffix("s").capitalize()
        ports: dict[str, TemplatePort] = {}
        for row in self._rows(section):
            name, position, kind = row.children
            if not isinstance(name, Token) or not isinstance(position, Tree):
                raise TypeError("the grammar gives a name and a position for every port")
            if len(name) > NAME_LEN_MAX:
                raise _at(
                    name,
                    f"Name '{name[:20]}...' has {len(name)} characters; at most {NAME_LEN_MAX} are "
                    "allowed.",
                )
            index = self._hexagon(position, f"Hexagon of {what.lower()} '{name}'")
            shown_kind = _kind(kind, kinds, f"{what} '{name}'")
            if str(name) not in ports and len(ports) == PORT_COUNT_MAX:
                raise _at(name, f"A template has at most {PORT_COUNT_MAX} {section}.")
            # A repeated name is accepted and the first one wins, as original servers have it.
            self._token_of.setdefault((section, str(name)), name)
            ports.setdefault(
                str(name), TemplatePort(name=str(name), hexagon=index, kind=shown_kind)
            )
        return tuple(ports.values())

    def _hexagon(self, row: Tree[Token], what: str) -> int:
        first, position = _position(row)
        index = self._index_of.get(position)
        if index is None:
            raise _at(
                first,
                f"{what} with the position {_shown(position)} does not exist; list it in the "
                "hexagons section.",
                ("a position of the hexagons section",),
            )
        return index


def _tokens(tree: Tree[Token]) -> list[Token]:
    return [child for child in tree.children if isinstance(child, Token)]


def _position(row: Tree[Token]) -> tuple[Token, Coordinates]:
    tokens = _tokens(row)
    for token in tokens:
        # The digits are counted first: converting a very long number is slow and refused by int().
        if len(token) > 11 or not 0 <= int(token) <= COORDINATE_MAX:
            raise _at(
                token,
                f"Coordinate {_cut(token)} is outside 0..{COORDINATE_MAX}.",
                (f"a whole number in 0..{COORDINATE_MAX}",),
            )
    x, y, z = (int(token) for token in tokens)
    return tokens[0], (x, y, z)


def _setting_value(token: Token) -> SettingValue:
    if token.type == "WORD":
        if token in {"true", "True", "false", "False"}:
            return token in {"true", "True"}
        raise _at(
            token,
            f"Value '{_cut(token)}' of a setting is neither a number nor true or false.",
            ("a number", "true", "false"),
        )
    if len(token) > 100:
        raise _at(token, f"Number {_cut(token)} has too many digits.", ("a number",))
    return float(token) if token.type == "FLOAT" else int(token)


def _kind(token: object, kinds: tuple[str, ...], what: str) -> str:
    if not isinstance(token, Token):
        return "plain"
    if token not in kinds:
        known = ", ".join(f"({kind})" for kind in kinds)
        raise _at(token, f"{what} cannot be ({_cut(token)}); known kinds are {known}.", kinds)
    return str(token)


def _at(token: Token, message: str, expected: tuple[str, ...] = ()) -> TemplateError:
    return TemplateError(message, line=token.line or 0, column=token.column or 0, expected=expected)


def _misspelt_section(error: UnexpectedInput) -> TemplateError | None:
    """Return the better error for ``hexagon: 1,1,1``, which reads like a setting up to its comma."""
    stack = error.interactive_parser.parser_state.value_stack
    if any(isinstance(item, Tree) and item.data == "settings" for item in stack):
        return None
    for item, after in pairwise(stack):
        if not isinstance(item, Token) or item.type != "WORD" or str(after) != ":":
            continue
        if item not in SETTINGS:
            return unknown_setting(
                str(item), line=item.line or 0, column=item.column or 0, sections=True
            )
    return None


def _syntax_error(text: str, error: UnexpectedInput) -> TemplateError:
    line, column = error.line, error.column
    found = "Syntax error"
    if isinstance(error, UnexpectedCharacters):
        found = f"Invalid character {error.char!r}"
    elif isinstance(error, UnexpectedToken) and error.token.type == "$END":
        found = "The template ends too early"
        line = text.count("\n") + 1
        column = len(text) - (text.rfind("\n") + 1) + 1
    elif isinstance(error, UnexpectedToken):
        found = f"Unexpected '{_cut(error.token)}'"
    # The parser's own list also has what other places of the grammar would take; this one tries.
    names: set[str] = error.interactive_parser.accepts()  # type: ignore[no-untyped-call]
    expected = tuple(shown for name, shown in _EXPECTED.items() if name in names)
    if not expected:
        return TemplateError(f"{found}.", line=line, column=column)
    wanted = " or ".join(filter(None, (", ".join(expected[:-1]), expected[-1])))
    hint = " at the beginning, with at most one blank" if "VERSION" in names else ""
    return TemplateError(
        f"{found}; expected {wanted}{hint}.", line=line, column=column, expected=expected
    )


def _cut(text: str) -> str:
    return text if len(text) <= 40 else f"{text[:40]}..."


def _shown(position: Coordinates) -> str:
    return ",".join(str(part) for part in position)


def _sorted(settings: dict[str, SettingValue]) -> tuple[tuple[str, SettingValue], ...]:
    return tuple(sorted(settings.items()))
