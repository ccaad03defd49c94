"""``hanamictl host``."""

import click

from hanami_sdk.cli.command_line import Command, Group
from hanami_sdk.cli.session import open_session
from hanami_sdk.cli.show import show_list

__all__ = ["GROUP"]


def _list(ctx: click.Context) -> None:
    from hanami_sdk import hosts

    session = open_session(ctx)
    show_list(session, session.ask(hosts.list_hosts), ("uuid", "type"))


GROUP = Group(
    "host",
    summary="Look at the hosts that clusters compute on",
    commands=[Command("list", _list, summary="List all hosts")],
)
