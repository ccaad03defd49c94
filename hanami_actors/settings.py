"""Every setting of the server, in one table: the annotated fields of ``Settings``.

The configuration file, the environment variables, the flags, ``--help`` and ``docs/settings.md``
are derived from it. The order of precedence is flag, environment, file, default. To add a setting,
add a field and run ``scripts/generate``.
"""

import argparse
import difflib
import os
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Annotated, Any, get_args, get_type_hints

from hanami_actors import __version__
from hanami_actors.errors import SettingsError
from hanami_actors.settings_rules import Rule, Setting, Value

__all__ = [
    "FILE_NAME",
    "SETTINGS",
    "Rule",
    "Setting",
    "Settings",
    "add_flags",
    "defaults",
    "load",
    "render_markdown",
]

FILE_NAME = "hanami.toml"
"""Name of the configuration file that is looked for in the data directory."""

MIB = 1024 * 1024
GIB = 1024 * MIB


def _usable_cores(_: Mapping[str, Value]) -> Value:
    return len(os.sched_getaffinity(0))


def _kernel_cache_dir(_: Mapping[str, Value]) -> Value:
    # One cache per user and version, not per data directory: compiling takes ten seconds and more.
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / "hanami_actors" / f"kernels-{__version__}"


@dataclass(frozen=True, kw_only=True)
class Settings:
    """The settings of a running server; made by `load`, in tests by `defaults`."""

    data_dir: Annotated[
        Path, Rule(default=Path("hanami-data"), meaning="Directory of everything the server keeps.")
    ]
    host: Annotated[
        str, Rule(default="127.0.0.1", meaning="Address to listen on; 0.0.0.0 for all of them.")
    ]
    port: Annotated[
        int, Rule(default=11418, minimum=0, maximum=65535, meaning="Port; 0 takes a free one.")
    ]
    token_expire_s: Annotated[
        int,
        Rule(
            default=3600, unit="s", minimum=1, maximum=31_536_000, meaning="How long a login holds."
        ),
    ]
    policy_file: Annotated[
        Path | None,
        Rule(default=None, meaning="Which role may call what. Without it the built-in policy."),
    ]
    enforce_admin_rules: Annotated[
        bool,
        Rule(
            default=True,
            meaning="Whether users and projects are managed by admins only, whatever the policy says. "
            "With no, the policy alone decides; the built-in one lets members assign projects.",
        ),
    ]
    login_failures_max: Annotated[
        int,
        Rule(
            default=10,
            minimum=0,
            maximum=100_000,
            meaning="Failed logins a minute of one user from one address, and ten times as many of "
            "all users from one address; more are refused with 429. 0 counts nothing.",
        ),
    ]
    body_size_max_bytes: Annotated[
        int,
        Rule(
            default=16 * MIB,
            unit="bytes",
            minimum=MIB,
            maximum=GIB,
            meaning="Largest body of a request.",
        ),
    ]
    websocket_message_size_max_bytes: Annotated[
        int,
        Rule(
            default=16 * MIB,
            unit="bytes",
            minimum=MIB,
            maximum=GIB,
            meaning="Largest message of a websocket.",
        ),
    ]
    websocket_count_max: Annotated[
        int,
        Rule(
            default=1024,
            unit="websockets",
            minimum=1,
            maximum=1_000_000,
            meaning="Websockets that may be open at the same time; more are refused with 429.",
        ),
    ]
    upload_size_max_bytes: Annotated[
        int,
        Rule(
            default=10_000_000_000,
            unit="bytes",
            minimum=1,
            maximum=10_000_000_000,
            meaning="Largest file that may be uploaded.",
        ),
    ]
    upload_expiry_s: Annotated[
        float,
        Rule(
            default=86_400.0,
            unit="s",
            minimum=0,
            maximum=31_536_000,
            meaning="An upload that gets no bytes for so long is given up; 0 waits for ever.",
        ),
    ]
    project_size_max_bytes: Annotated[
        int,
        Rule(
            default=0,
            unit="bytes",
            minimum=0,
            maximum=1024 * 1024 * GIB,
            meaning="What the datasets and uploads of a project may take; 0 for any size.",
        ),
    ]
    disk_free_min_bytes: Annotated[
        int,
        Rule(
            default=256 * MIB,
            unit="bytes",
            minimum=0,
            maximum=1024 * 1024 * GIB,
            meaning="Disk space that uploads leave free for everything else.",
        ),
    ]
    slice_ms: Annotated[
        int,
        Rule(
            default=15,
            unit="ms",
            minimum=1,
            maximum=1000,
            meaning="How long a cluster trains before the next one has its turn.",
        ),
    ]
    snapshot_interval_s: Annotated[
        float,
        Rule(
            default=10.0,
            unit="s",
            minimum=0.1,
            maximum=86_400,
            meaning="Time of training between two snapshots; after a crash this much is computed again.",
        ),
    ]
    host_threads: Annotated[
        int,
        Rule(
            default=_usable_cores,
            default_text="one per usable core",
            minimum=1,
            maximum=1024,
            meaning="Worker threads of the CPU host; each trains one cluster at a time.",
        ),
    ]
    inbox_len_max: Annotated[
        int,
        Rule(
            default=1024,
            unit="messages",
            minimum=8,
            maximum=1_000_000,
            meaning="Messages that may wait at an actor; more are refused with 503.",
        ),
    ]
    network_memory_max_bytes: Annotated[
        int,
        Rule(
            default=GIB,
            unit="bytes",
            minimum=16 * MIB,
            maximum=1024 * GIB,
            meaning="Networks kept in memory; beyond it the longest unused ones are put away.",
        ),
    ]
    map_size_bytes: Annotated[
        int,
        Rule(
            default=16 * GIB,
            unit="bytes",
            minimum=MIB,
            maximum=16 * 1024 * GIB,
            meaning="Address space of the event log at the start, not disk space; it grows.",
        ),
    ]
    kernel_cache_dir: Annotated[
        Path,
        Rule(
            default=_kernel_cache_dir,
            default_text="~/.cache/hanami_actors/kernels-VERSION",
            meaning="Directory of the compiled kernels; may be shared by servers of one user.",
        ),
    ]
    log_level: Annotated[
        str,
        Rule(
            default="info",
            choices=("debug", "info", "warning", "error"),
            meaning="What is written to standard error.",
        ),
    ]
    access_log: Annotated[
        bool, Rule(default=True, meaning="Whether every request is written to standard error.")
    ]
    audit_retention_days: Annotated[
        int,
        Rule(
            default=90,
            unit="days",
            minimum=1,
            maximum=36_500,
            meaning="How long the audit and the errors are kept.",
        ),
    ]
    audit_size_max_bytes: Annotated[
        int,
        Rule(
            default=GIB,
            unit="bytes",
            minimum=16 * MIB,
            maximum=1024 * GIB,
            meaning="What they may take on the disk; beyond it the oldest go before their time.",
        ),
    ]
    shutdown_timeout_s: Annotated[
        float,
        Rule(
            default=10.0,
            unit="s",
            minimum=0.1,
            maximum=3600,
            meaning="How long a stop waits for running requests and slices.",
        ),
    ]

    def shown(self) -> dict[str, str]:
        """Return all values as text, secret ones hidden; for the log."""
        return {
            setting.name: "(secret)" if setting.rule.secret else str(getattr(self, setting.name))
            for setting in SETTINGS
        }


def _table() -> tuple[Setting, ...]:
    rows = []
    hints = get_type_hints(Settings, include_extras=True)
    for field in fields(Settings):
        kind, rule = get_args(hints[field.name])
        kinds = [part for part in get_args(kind) or (kind,) if part is not type(None)]
        rows.append(Setting(name=field.name, kind=kinds[0], rule=rule))
    return tuple(rows)


SETTINGS: tuple[Setting, ...] = _table()
"""All settings, in the order of the help and the documentation."""


def defaults(**values: Value) -> Settings:
    """Return the defaults with some values changed; for tests and tools.

    Parameters
    ----------
    **values
        Values by name; they are not checked.
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
    given: dict[str, Value] = {}
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


def _read_file(named: str | None, given: Mapping[str, Value]) -> dict[str, Value]:
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


def _checked_table(path: Path, table: Mapping[str, Any]) -> dict[str, Value]:
    known = {setting.name: setting for setting in SETTINGS}
    values: dict[str, Value] = {}
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


def _complete(given: Mapping[str, Value]) -> Settings:
    values: dict[str, Any] = {}
    for setting in SETTINGS:
        value = given.get(setting.name, setting.rule.default)
        if callable(value):
            value = value(values)
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

<!-- Generated from hanami_actors/settings.py by scripts/generate. -->

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
