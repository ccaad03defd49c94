"""What a setting may be: its type, limits and texts, and how a value is checked."""

from collections.abc import Callable
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import TypeVar, cast, get_args, get_type_hints

from hanami_actors.errors import SettingsError

__all__ = [
    "Rule",
    "Setting",
    "SettingValue",
    "choice",
    "computed",
    "limit",
    "number",
    "rows_of",
    "value",
]

SettingValue = str | int | float | bool | Path | None
Compute = Callable[[], SettingValue]
V = TypeVar("V", bound=SettingValue)
N = TypeVar("N", int, float)

RULE = "rule"
"""Where a field of the table keeps its `Rule`, among its metadata."""


@dataclass(frozen=True, kw_only=True)
class Rule:
    """What may be given for a setting, and its texts.

    Attributes
    ----------
    meaning : str
        One or two sentences for ``--help`` and the documentation.
    default : value, or a function
        A function is called when the settings are read.
    default_text : str
        How to show a default that is a function.
    unit : str
        Shown beside the type.
    minimum, maximum : number, optional
        Both inclusive.
    choices : tuple of str
        The allowed texts; empty when any text is allowed.
    secret : bool
        Whether the value is never shown.
    is_limit : bool
        Whether it bounds what clients may take; docs/security.md names these.
    """

    meaning: str
    default: SettingValue | Compute
    default_text: str = ""
    unit: str = ""
    minimum: float | None = None
    maximum: float | None = None
    choices: tuple[str, ...] = ()
    secret: bool = False
    is_limit: bool = False


@dataclass(frozen=True, kw_only=True)
class Setting:
    """One row of the table: a field of `Settings` and its rule."""

    name: str
    kind: type[str] | type[int] | type[float] | type[bool] | type[Path]
    rule: Rule

    @property
    def flag(self) -> str:
        """The flag on the command line."""
        return "--" + self.name.replace("_", "-")

    @property
    def variable(self) -> str:
        """The environment variable."""
        return "HANAMI_" + self.name.upper()

    @property
    def kind_text(self) -> str:
        """The type in words, with its unit."""
        words = {str: "text", int: "whole number", float: "number", bool: "yes/no", Path: "path"}
        return f"{words[self.kind]} ({self.rule.unit})" if self.rule.unit else words[self.kind]

    @property
    def limits_text(self) -> str:
        """What values are allowed, in words; empty when there is no limit."""
        if self.rule.choices:
            return "one of " + ", ".join(self.rule.choices)
        if self.rule.minimum is None or self.rule.maximum is None:
            return ""
        return f"{_plain(self.rule.minimum)} to {_plain(self.rule.maximum)}"

    @property
    def default_text(self) -> str:
        """The default as it is written in a file."""
        if self.rule.default_text:
            return self.rule.default_text
        default = self.rule.default
        if default is None:
            return "none"
        if isinstance(default, bool):
            return str(default).lower()
        return f"{default:_}" if isinstance(default, int) else str(default)

    def check(self, value: object, source: str) -> SettingValue:
        """Return a value of the setting's type.

        Parameters
        ----------
        value : object
            A text from the command line or the environment, or a value from a file.
        source : str
            Where it was found, for the error.

        Raises
        ------
        SettingsError
            When the value has another type or is beyond the limits.
        """
        checked = self._converted(value)
        if checked is None or not self._within_limits(checked):
            rule = f"{self.kind_text}, {self.limits_text}" if self.limits_text else self.kind_text
            shown = "not allowed" if self.rule.secret else repr(value)
            raise SettingsError(f"{source}: {self.name} is {shown}, but has to be: {rule}.")
        return checked

    def _converted(self, value: object) -> SettingValue:
        if isinstance(value, str):
            return self._parsed(value)
        if isinstance(value, bool):
            return value if self.kind is bool else None
        if isinstance(value, int) and self.kind in (int, float):
            return self.kind(value)
        return value if isinstance(value, float) and self.kind is float else None

    def _parsed(self, text: str) -> SettingValue:
        text = text.strip()
        if self.kind is bool:
            words = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}
            return words.get(text.lower())
        if not text:
            return None
        try:
            return Path(text).expanduser() if self.kind is Path else self.kind(text)
        except ValueError:
            return None

    def _within_limits(self, value: str | float | Path) -> bool:
        if self.rule.choices:
            return value in self.rule.choices
        if isinstance(value, str | Path) or self.rule.minimum is None or self.rule.maximum is None:
            return True
        return self.rule.minimum <= value <= self.rule.maximum


def _plain(number: float) -> str:
    return f"{int(number):_}" if number == int(number) else str(number)


def value(default: V, meaning: str) -> V:
    """Declare a setting that may be anything of its type; these functions return dataclass fields.

    Parameters
    ----------
    default : value
    meaning : str
        One or two sentences for ``--help`` and the documentation.
    """
    return cast("V", _field(Rule(meaning=meaning, default=default)))


def choice(default: str, meaning: str, choices: tuple[str, ...]) -> str:
    """Declare a setting that is one of a few texts."""
    return cast("str", _field(Rule(meaning=meaning, default=default, choices=choices)))


def number(default: N, meaning: str, minimum: float, maximum: float, unit: str = "") -> N:
    """Declare a setting that is a number between two others, both inclusive."""
    rule = Rule(meaning=meaning, default=default, minimum=minimum, maximum=maximum, unit=unit)
    return cast("N", _field(rule))


def limit(default: N, meaning: str, minimum: float, maximum: float, unit: str = "") -> N:
    """Declare a number that bounds what clients may take."""
    rule = Rule(
        meaning=meaning,
        default=default,
        minimum=minimum,
        maximum=maximum,
        unit=unit,
        is_limit=True,
    )
    return cast("N", _field(rule))


def computed(
    compute: Callable[[], V],
    default_text: str,
    meaning: str,
    minimum: float | None = None,
    maximum: float | None = None,
) -> V:
    """Declare a setting whose default is found when the settings are read.

    Parameters
    ----------
    compute : callable
        Returns the default.
    default_text : str
        How the documentation shows it.
    meaning : str
    minimum, maximum : number, optional
    """
    rule = Rule(
        meaning=meaning,
        default=compute,
        default_text=default_text,
        minimum=minimum,
        maximum=maximum,
    )
    return cast("V", _field(rule))


def _field(rule: Rule) -> object:
    # Without a default of the dataclass: `load` gives every value, computed and absolute.
    return field(metadata={RULE: rule})


def rows_of(table: type) -> tuple[Setting, ...]:
    """Return the rows of a table: the fields of a dataclass that were declared as settings."""
    hints = get_type_hints(table)
    rows = []
    for each in fields(table):
        kind = hints[each.name]
        kinds = [part for part in get_args(kind) or (kind,) if part is not type(None)]
        rows.append(Setting(name=each.name, kind=kinds[0], rule=each.metadata[RULE]))
    return tuple(rows)
