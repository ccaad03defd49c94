"""The reference of all commands as a document, written from their own help."""

from collections.abc import Iterator

import click

__all__ = ["render_markdown"]

INTRODUCTION = """\
# hanamictl: all commands

Written by `scripts/generate` from the help of the commands. How to use them together is told in
[sdk_cli.md](sdk_cli.md).
"""


def _sections(context: click.Context) -> Iterator[str]:
    """Yield the help of a command, then of everything below it."""
    yield f"## {context.command_path}\n\n```\n{context.get_help()}\n```\n"
    command = context.command
    if isinstance(command, click.Group):
        for name in sorted(command.commands):
            child = command.commands[name]
            yield from _sections(click.Context(child, parent=context, info_name=name))


def render_markdown(root: click.Command) -> str:
    """Return the whole document."""
    context = click.Context(root, info_name=root.name)
    return "\n".join([INTRODUCTION, *_sections(context)])
