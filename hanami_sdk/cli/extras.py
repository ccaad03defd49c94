"""``hanamictl completion`` and ``hanamictl help``."""

import click

from hanami_sdk.cli.command_line import PROGRAM, Command, Group

__all__ = ["COMPLETION", "COMPLETION_VARIABLE", "HELP"]

COMPLETION_VARIABLE = f"_{PROGRAM.upper()}_COMPLETE"


def _print_script(ctx: click.Context) -> None:
    from click.shell_completion import get_completion_class

    shell = ctx.command.name or ""
    completion = get_completion_class(shell)
    assert completion is not None, f"click knows {shell}"
    root = ctx.find_root().command
    click.echo(completion(root, {}, PROGRAM, COMPLETION_VARIABLE).source())


def _install_hint(shell: str) -> str:
    if shell == "fish":
        return f"{PROGRAM} completion fish > ~/.config/fish/completions/{PROGRAM}.fish"
    return f'eval "$({PROGRAM} completion {shell})"'


COMPLETION = Group(
    "completion",
    summary="Print a script that completes commands in a shell",
    commands=[
        Command(shell, _print_script, summary=f"For {shell}: {_install_hint(shell)}")
        for shell in ("bash", "zsh", "fish")
    ],
)


def _help(ctx: click.Context, *words: str) -> None:
    """Show the help of the command that the words name, as far as they name one."""
    target = ctx.find_root()
    for word in words:
        command = target.command
        found = command.get_command(target, word) if isinstance(command, click.Group) else None
        if found is None:
            break
        target = click.Context(found, parent=target, info_name=word)
    click.echo(target.get_help())


HELP = Command("help", _help, summary="Help about any command", usage="[command]")
