"""Reading the settings: flag, environment, file, default, in this order of precedence.

The table of all settings is in ``table.py``.
"""

import argparse
import difflib
import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from hanami_actors import __version__
from hanami_actors.errors import SettingsError
from hanami_actors.settings.setting import SettingValue
from hanami_actors.settings.table import SETTINGS, Settings

__all__ = [
    "FILE_NAME",
    "add_flags",
    "defaults",
    "load",
    "render_markdown",
]

FILE_NAME = "hanami.toml"
"""Name of the configuration file that is looked for in the data directory."""


def defaults(**values: SettingValue) -> Settings:
    """Return the defaults with some values changed; for tests and tools.

    Parameters
    ----------
    **values
        Values by name; only the names are checked.
    """
    return _complete(values)


def add_flags(parser: argparse.ArgumentParser) -> None:
    """Add a flag for every setting; a flag that is not given leaves None."""
    for setting in SETTINGS:
        text = f"{setting.rule.meaning} {setting.kind_text}"
        text += f", {setting.limits_text}" if setting.limits_text else ""
        text += f"; default: {setting.default_text} [{setting.variable}]"
        if setting.kind is bool:
            parser.add_argument(
                setting.flag, default=None, help=text, action=argparse.BooleanOptionalAction
            )
        else:
            metavar = setting.kind.__name__.upper()
            parser.add_argument(setting.flag, default=None, help=text, metavar=metavar)


def load(argv: Sequence[str], environ: Mapping[str, str]) -> Settings:
    """Read the settings from flags, environment and file.

    Parameters
    ----------
    argv : sequence of str
        The command line without the program's name. ``--help`` and ``--version`` print and exit.
    environ : mapping
        The environment; a variable that is empty counts as not set.

    Raises
    ------
    SettingsError
        When a file cannot be read, names an unknown setting, or a value is not allowed.
    """
    flags = vars(_parser().parse_args(argv))
    given: dict[str, SettingValue] = {}
    for setting in SETTINGS:
        if environ.get(setting.variable):
            source = f"environment variable {setting.variable}"
            given[setting.name] = setting.check(environ[setting.variable], source)
        if flags[setting.name] is not None:
            given[setting.name] = setting.check(flags[setting.name], f"flag {setting.flag}")
    return _complete(_read_file(flags["config"] or environ.get("HANAMI_CONFIG"), given) | given)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="hanami-server",
        usage="hanami-server [options]",
        description="Serve growing neural networks. Precedence: flag, environment, file, default.",
        epilog="The first administrator comes from HANAMI_ADMIN_USER_ID, HANAMI_ADMIN_USER_NAME "
        "and HANAMI_ADMIN_PASSPHRASE; see docs/settings.md.",
        allow_abbrev=False,
    )
    parser.add_argument("--version", action="version", version=f"hanami-server {__version__}")
    parser.add_argument(
        "--config",
        metavar="FILE",
        help=f"TOML file with settings; default: DATA_DIR/{FILE_NAME} if it exists [HANAMI_CONFIG]",
    )
    add_flags(parser)
    return parser


def _read_file(named: str | None, given: Mapping[str, SettingValue]) -> dict[str, SettingValue]:
    """Return what the configuration file says; nothing when there is none and none is named."""
    if named:
        path = Path(named).expanduser()
    else:
        path = Path(str(given.get("data_dir", SETTINGS[0].rule.default))) / FILE_NAME
        if not path.exists():
            return {}
    try:
        table: dict[str, Any] = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise SettingsError(f"file {path} cannot be read: {error.strerror}.") from error
    except ValueError as error:
        raise SettingsError(f"file {path} is not valid TOML: {error}.") from error
    if "data_dir" in table and not named:
        raise SettingsError(
            f"file {path}: data_dir cannot be set here, because the file is found through it; "
            "use --data-dir or HANAMI_DATA_DIR."
        )
    return _checked_table(path, table)


def _checked_table(path: Path, table: Mapping[str, Any]) -> dict[str, SettingValue]:
    known = {setting.name: setting for setting in SETTINGS}
    values: dict[str, SettingValue] = {}
    for name, value in table.items():
        if name not in known:
            near = difflib.get_close_matches(name, known, n=1)
            hint = f"did you mean {near[0]}? " if near else ""
            raise SettingsError(
                f"file {path}: unknown setting {name!r}; {hint}Known settings: "
                + ", ".join(sorted(known))
                + "."
            )
        checked = known[name].check(value, f"file {path}")
        # A path in a file is meant from where the file is, wherever the server is started.
        values[name] = path.parent / checked if isinstance(checked, Path) else checked
    return values


def _complete(given: Mapping[str, SettingValue]) -> Settings:
    values: dict[str, Any] = dict(given)
    for setting in SETTINGS:
        value = given.get(setting.name, setting.rule.default)
        if callable(value):
            value = value()
        values[setting.name] = value.absolute() if isinstance(value, Path) else value
    return Settings(**values)


def render_markdown() -> str:
    """Return ``docs/settings.md``."""
    lines = [_DOCUMENT_HEAD]
    lines += ["| setting | type | default | limits | meaning |", "|---|---|---|---|---|"]
    lines += [
        f"| `{setting.name}` | {setting.kind_text} | {setting.default_text} "
        f"| {setting.limits_text or '-'} | {setting.rule.meaning} |"
        for setting in SETTINGS
    ]
    return "\n".join(lines) + "\n" + _DOCUMENT_TAIL


_DOCUMENT_HEAD = """\
# Settings of hanami-server

<!-- Generated from hanami_actors/settings/table.py by scripts/generate. -->

Every setting can be given in three ways. The first that says something counts:

1. a flag: `--token-expire-s 600`
2. an environment variable: `HANAMI_TOKEN_EXPIRE_S=600` (empty counts as not set)
3. a line of a TOML file: `token_expire_s = 600`

The file is the one that `--config FILE` or `HANAMI_CONFIG` names, otherwise `hanami.toml` in the
data directory. A path in it is meant from where the file is. An unknown name in the file is an
error. A yes/no setting has two flags: `--access-log` and `--no-access-log`.
"""

_DOCUMENT_TAIL = """
## The first administrator

A new data directory gets one administrator, from `HANAMI_ADMIN_USER_ID`, `HANAMI_ADMIN_USER_NAME`
and `HANAMI_ADMIN_PASSPHRASE` (or `HANAMI_ADMIN_PASSWORD`). These are read at the first start only.
Without them the server makes up a passphrase, prints it once if a terminal is attached, and writes
it into the data directory, readable by its owner only.
"""
