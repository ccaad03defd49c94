"""The one table of template settings: parser, error texts and documentation derive from it."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from hanami_actors.domain.base import Value
from hanami_actors.errors import TemplateError

__all__ = [
    "TEMPLATE_SETTINGS",
    "SettingValue",
    "TemplateSetting",
    "check_setting",
    "default_settings",
    "render_markdown",
    "unknown_setting",
]

SettingValue = float | int | bool


class TemplateSetting(Value, frozen=True, kw_only=True):
    """A setting that a template may name.

    Attributes
    ----------
    name : str
    type : str
        ``float``, ``int`` or ``bool``.
    default : number, bool or None
        None: drawn when the cluster is created (``seed`` alone).
    min, max : float or int
        Limits; both are allowed values unless ``above_min``.
    above_min : bool
        The value must be larger than ``min``.
    meaning : str
    """

    name: str
    type: str
    default: SettingValue | None
    min: float | int = 0
    max: float | int = 1
    above_min: bool = False
    meaning: str

    @property
    def rule(self) -> str:
        """The allowed values for a person."""
        if self.type == "bool":
            return "true or false"
        kind = "a whole number" if self.type == "int" else "a number"
        if self.above_min:
            return f"{kind} larger than {self.min} and at most {self.max}"
        return f"{kind} in {self.min}..{self.max}"


_COUNT_MAX: Final = 2**31 - 1

_ROWS = (
    TemplateSetting(
        name="neuron_cooldown",
        type="float",
        default=1_000_000_000.0,
        min=1.0,
        max=1e30,
        above_min=True,
        meaning="A neuron's potential is divided by it before the next cycle; from 1e6 on nothing "
        "is left.",
    ),
    TemplateSetting(
        name="refractory_time",
        type="int",
        default=1,
        min=1,
        max=_COUNT_MAX,
        meaning="After a neuron was active it ignores its input for one cycle less than this.",
    ),
    TemplateSetting(
        name="max_connection_distance",
        type="int",
        default=1,
        min=1,
        max=_COUNT_MAX,
        meaning="How many forward steps connections of a hexagon reach.",
    ),
    TemplateSetting(
        name="enable_reduction",
        type="bool",
        default=False,
        meaning="Remove weak sections while training.",
    ),
    TemplateSetting(
        name="seed",
        type="int",
        default=None,
        min=0,
        max=2**63 - 1,
        meaning="Start of all random choices: the same seed and samples give the same network. "
        "Without it one is drawn when the cluster is created.",
    ),
    TemplateSetting(
        name="hidden_blocks_max",
        type="int",
        default=2,
        min=1,
        max=1024,
        meaning="Blocks of 128 neurons to which a hexagon may grow.",
    ),
    TemplateSetting(
        name="input_levels",
        type="int",
        default=0,
        min=0,
        max=16,
        meaning="Levels that tell small and large values of an input apart; 0 chooses by the "
        "width of the input.",
    ),
    TemplateSetting(
        name="replay_memory",
        type="int",
        default=4000,
        min=0,
        max=1_000_000,
        meaning="Samples that the cluster keeps and trains again so that it does not forget; 0 "
        "turns it off. They stay in the cluster when their dataset is deleted.",
    ),
    TemplateSetting(
        name="replay_memory_bytes",
        type="int",
        default=16_000_000,
        min=0,
        max=1_000_000_000,
        meaning="Most bytes that the kept samples may take.",
    ),
    TemplateSetting(
        name="replays_per_cycle",
        type="int",
        default=1,
        min=0,
        max=100,
        meaning="Kept samples that are trained again in each cycle.",
    ),
)

TEMPLATE_SETTINGS: Final[Mapping[str, TemplateSetting]] = MappingProxyType(
    {row.name: row for row in _ROWS}
)


def default_settings() -> dict[str, SettingValue]:
    """Return a value for every setting except ``seed``."""
    return {row.name: row.default for row in _ROWS if row.default is not None}


def unknown_setting(
    name: str, *, line: int = 0, column: int = 0, sections: bool = False
) -> TemplateError:
    """Return the error for a name that is not in the table; it lists those that are.

    With ``sections`` it adds that the name could also be a misspelt section.
    """
    known = tuple(sorted(TEMPLATE_SETTINGS))
    hint = " The section after the settings is called 'hexagons:'." if sections else ""
    return TemplateError(
        f"Setting '{name}' is not known. Known settings are: {', '.join(known)}.{hint}",
        line=line,
        column=column,
        expected=known,
    )


def check_setting(
    name: str, value: SettingValue, *, line: int = 0, column: int = 0
) -> SettingValue:
    """Return the value in the type of the setting.

    Whole numbers are taken where the setting is a float; nothing else is converted.

    Raises
    ------
    TemplateError
        The name is unknown, or the value has another type or is outside the limits.
    """
    row = TEMPLATE_SETTINGS.get(name)
    if row is None:
        raise unknown_setting(name, line=line, column=column)
    if row.type == "bool":
        if isinstance(value, bool):
            return value
    elif not isinstance(value, bool) and (row.type == "float" or isinstance(value, int)):
        low = value > row.min if row.above_min else value >= row.min
        if low and value <= row.max:
            return float(value) if row.type == "float" else value
    shown = str(value).lower() if isinstance(value, bool) else value
    raise TemplateError(
        f"Setting '{name}' is {shown}; it must be {row.rule}.",
        line=line,
        column=column,
        expected=(row.rule,),
    )


def render_markdown() -> str:
    """Return the table for ``docs/templates.md``."""
    lines = [
        "| setting | type | default | allowed | meaning |",
        "| --- | --- | --- | --- | --- |",
    ]
    for row in _ROWS:
        default = "drawn" if row.default is None else str(row.default).lower()
        lines.append(f"| `{row.name}` | {row.type} | {default} | {row.rule} | {row.meaning} |")
    return "\n".join(lines) + "\n"
