"""Commands and groups that behave like those of the original program.

Click does the parsing; order of checks, texts, streams and exit statuses are those of the cobra
library, because scripts depend on them: global flags anywhere on the line, a group without a
command shows its help and succeeds, faults go to stdout as well.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import click
from click.core import ParameterSource

from hanami_sdk.cli.config import ENVIRONMENT_HELP
from hanami_sdk.cli.failures import UsageFaultError

__all__ = ["PROGRAM", "Command", "Flag", "Globals", "Group"]

PROGRAM = "hanamictl"

_TRUE = {"1", "t", "T", "true", "TRUE", "True"}
_FALSE = {"0", "f", "F", "false", "FALSE", "False"}


@dataclass
class Globals:
    """The flags that every command takes."""

    json_output: bool = False
    insecure: bool = False


def _whole_number(ctx: click.Context, param: click.Parameter, value: Any) -> int | None:
    if value is None or ctx.resilient_parsing:
        return None
    try:
        return int(value)
    except ValueError:
        text = (
            f'invalid argument "{value}" for "{", ".join(param.opts)}" flag:'
            " it must be a whole number"
        )
        raise UsageFaultError(text, ctx.command.get_usage(ctx)) from None


_VALUE_TYPES: dict[str, Any] = {
    "": None,
    "int": click.UNPROCESSED,
    "path": click.Path(),
    "string": str,
    "strings": str,
}


class Flag(click.Option):
    """A flag of a command.

    Parameters
    ----------
    *names : str
        Short and long spellings.
    summary : str
        For the help.
    kind : str
        ``string``, ``path`` (completed with the names of files), ``int``, ``strings`` (repeatable)
        or empty for a switch.
    mandatory : bool
        Whether the command needs it.
    default : object
        What it is when not given.
    """

    def __init__(
        self,
        *names: str,
        summary: str,
        kind: str = "string",
        mandatory: bool = False,
        default: object = None,
        **more: Any,
    ) -> None:
        self.kind = "string" if kind == "path" else kind
        self.mandatory = mandatory
        if kind == "":
            more["is_flag"] = True
            default = False
        elif kind == "strings":
            more["multiple"] = True
        elif kind == "int":
            more["callback"] = _whole_number
        if default is not None:
            more["default"] = default
        super().__init__(list(names), help=summary, type=_VALUE_TYPES[kind], **more)

    @property
    def long_name(self) -> str:
        """The first long spelling, without dashes."""
        return next(name for name in self.opts if name.startswith("--")).removeprefix("--")

    def help_row(self) -> tuple[str, str]:
        """Return the two columns of the help."""
        short = next((name for name in self.opts if not name.startswith("--")), None)
        longs = [name for name in self.opts if name.startswith("--")]
        left = f"  {short}, " if short else "      "
        left += f"{', '.join(longs)} {self.kind}".rstrip()
        return left, f"{self.help}{' (mandatory)' if self.mandatory else ''}"


def _keep(name: str) -> Callable[[click.Context, click.Parameter, bool], None]:
    def callback(ctx: click.Context, _param: click.Parameter, value: bool) -> None:
        if value:
            setattr(ctx.ensure_object(Globals), name, True)

    return callback


def _global_flags() -> list[click.Parameter]:
    return [
        Flag(
            "--insecure",
            kind="",
            summary="accept any certificate of a https server",
            expose_value=False,
            callback=_keep("insecure"),
        ),
        Flag(
            "-j",
            "--json_output",
            kind="",
            summary="print JSON instead of tables",
            expose_value=False,
            callback=_keep("json_output"),
        ),
    ]


GLOBAL_NAMES = ("insecure", "json_output")


def _plain_arguments(arguments: Sequence[str], flags: Sequence[click.Parameter]) -> list[str]:
    """Rewrite ``--switch=true`` and ``-x=value``, which click does not know."""
    switches = {name for flag in flags if getattr(flag, "is_flag", False) for name in flag.opts}
    takers = {name for flag in flags if isinstance(flag, Flag) and flag.kind for name in flag.opts}
    plain: list[str] = []
    rest = iter(arguments)
    for argument in rest:
        name, equals, value = argument.partition("=")
        if argument == "--":
            return [*plain, argument, *rest]
        if equals and name in switches and value in _TRUE | _FALSE:
            plain += [name] if value in _TRUE else []
        elif equals and name in takers and re.fullmatch("-[a-zA-Z]", name):
            plain += [name, value]
        else:
            plain.append(argument)
            if argument in takers:
                following = next(rest, None)
                plain += [] if following is None else [following]
    return plain


def _flag_rows(flags: Sequence[tuple[str, str]]) -> list[str]:
    width = max(len(left) for left, _ in flags)
    return [f"{left.ljust(width)}   {right}" for left, right in flags]


class _Cobra(click.Command):
    """What commands and groups have in common."""

    summary: str

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Parse, with the texts of cobra for whatever is wrong."""
        try:
            return super().parse_args(ctx, _plain_arguments(args, self.params))
        except click.NoSuchOption as error:
            name = error.option_name
            if name.startswith("--"):
                text = f"unknown flag: {name}"
            else:
                text = f"unknown shorthand flag: '{name[1:2]}' in {_containing(args, name)}"
            raise UsageFaultError(text, self.get_usage(ctx)) from None
        except click.BadOptionUsage as error:
            name = error.option_name
            if not name.startswith("--"):
                name = f"'{name[1:2]}' in {name}"
            text = f"flag needs an argument: {name}"
            raise UsageFaultError(text, self.get_usage(ctx)) from None

    def _usage_lines(self, ctx: click.Context) -> list[str]:
        raise AssertionError("commands and groups say how they are used")

    def get_usage(self, ctx: click.Context) -> str:
        """Return how the command is used, with all flags."""
        own = [flag for flag in self.params if isinstance(flag, Flag)]
        rows = {flag.long_name: flag.help_row() for flag in own}
        rows["help"] = ("  -h, --help", f"help for {self.name}")
        is_root = ctx.parent is None
        shown = [rows[name] for name in sorted(rows) if is_root or name not in GLOBAL_NAMES]
        lines = [*self._usage_lines(ctx), "", "Flags:", *_flag_rows(shown)]
        if not is_root:
            lines += ["", "Global Flags:", *_flag_rows([rows[name] for name in GLOBAL_NAMES])]
        return "\n".join(lines) + "\n"

    def get_help(self, ctx: click.Context) -> str:
        """Return the summary and the usage."""
        return f"{self.summary}\n\n{self.get_usage(ctx)}".rstrip("\n")


def _containing(args: Sequence[str], name: str) -> str:
    """Return the short flag with what was written behind it, as ``-xyz`` for ``-x``."""
    letter = name[1:2]
    groups = [arg for arg in args if re.match(r"-[^-]", arg) and letter in arg]
    return f"-{groups[0][groups[0].index(letter) :]}" if groups else name


class Command(_Cobra):
    """A command that does something.

    Parameters
    ----------
    name : str
        The last word of the command.
    work : callable
        Called with the context, the argument if there is one, and the flags by their names; its
        result is the exit status, None for 0.
    summary : str
        One line for the help.
    argument : str or None
        The name of the one positional argument; without it extra arguments are ignored.
    flags : sequence of Flag
        Its flags.
    usage : str
        Written after the name in the help instead of the argument.
    """

    def __init__(
        self,
        name: str,
        work: Callable[..., int | None],
        *,
        summary: str,
        argument: str | None = None,
        flags: Sequence[Flag] = (),
        usage: str = "",
    ) -> None:
        self.summary = summary
        self.argument = argument
        self.usage_arguments = usage or argument or ""
        self._work = work
        super().__init__(
            name,
            params=[
                *flags,
                *_global_flags(),
                click.Argument(["arguments"], nargs=-1, type=click.UNPROCESSED),
            ],
            callback=click.pass_context(self._run),
            short_help=summary,
            context_settings={"help_option_names": ["-h", "--help"]},
        )

    def _run(self, ctx: click.Context, /, arguments: tuple[str, ...], **flags: Any) -> int | None:
        if self.usage_arguments and self.argument is None:
            return self._work(ctx, *arguments, **flags)
        return self._work(ctx, *arguments[: 1 if self.argument else 0], **flags)

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Parse, then check the arguments, then the mandatory flags."""
        rest = super().parse_args(ctx, args)
        if ctx.resilient_parsing:
            return rest
        count = len(ctx.params["arguments"])
        if self.argument is not None and count != 1:
            text = f"accepts 1 arg(s), received {count}"
            raise UsageFaultError(text, self.get_usage(ctx))
        missing = sorted(
            flag.long_name
            for flag in self.params
            if isinstance(flag, Flag)
            and flag.mandatory
            and ctx.get_parameter_source(flag.name or "") is not ParameterSource.COMMANDLINE
        )
        if missing:
            names = ", ".join(f'"{name}"' for name in missing)
            raise UsageFaultError(f"required flag(s) {names} not set", self.get_usage(ctx))
        return rest

    def _usage_lines(self, ctx: click.Context) -> list[str]:
        words = [ctx.command_path, self.usage_arguments, "[flags]"]
        return ["Usage:", f"  {' '.join(word for word in words if word)}"]


class Group(_Cobra, click.Group):
    """A noun, or a verb with several objects; shows its help when no command follows.

    Parameters
    ----------
    name : str
        The word.
    summary : str
        One line for the help.
    commands : sequence of Command or Group
        What belongs to it.
    flags : sequence of click.Parameter
        Flags of the group itself.
    """

    def __init__(
        self,
        name: str,
        *,
        summary: str,
        commands: Sequence[click.Command],
        flags: Sequence[click.Parameter] = (),
    ) -> None:
        self.summary = summary
        super().__init__(
            name,
            commands=list(commands),
            params=[*flags, *_global_flags()],
            callback=click.pass_context(self._show_help),
            short_help=summary,
            invoke_without_command=True,
            context_settings={"help_option_names": ["-h", "--help"]},
        )

    def _show_help(self, ctx: click.Context, /) -> None:
        if ctx.invoked_subcommand is None:
            click.echo(self.get_help(ctx))

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the command; an unknown one is an error at the top and shows the help below."""
        if args and self.get_command(ctx, args[0]) is None and not ctx.resilient_parsing:
            if ctx.parent is None:
                text = f'unknown command "{args[0]}" for "{PROGRAM}"'
                raise UsageFaultError(text, f"Run '{PROGRAM} --help' for usage.\n")
            click.echo(self.get_help(ctx))
            ctx.exit(0)
        return super().resolve_command(ctx, args)

    def _usage_lines(self, ctx: click.Context) -> list[str]:
        commands = [(name, self.commands[name].get_short_help_str(200)) for name in self.commands]
        width = max(len(name) for name, _ in commands)
        return [
            "Usage:",
            f"  {ctx.command_path} [command]",
            "",
            "Available Commands:",
            *(f"  {name.ljust(width)}   {summary}" for name, summary in sorted(commands)),
        ]

    def get_help(self, ctx: click.Context) -> str:
        """Return the summary, the commands and, at the top, the environment."""
        more = f"{ENVIRONMENT_HELP}\n\n" if ctx.parent is None else ""
        path = ctx.command_path
        last = f'Use "{path} [command] --help" for more information about a command.'
        return f"{super().get_help(ctx)}\n\n{more}{last}"
