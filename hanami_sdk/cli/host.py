"""``hanamictl host``."""

import click

from hanami_sdk import calls
from hanami_sdk.cli.command_line import Command, Group
from hanami_sdk.cli.show import show_listing

__all__ = ["GROUP"]


def _list(ctx: click.Context) -> None:
    show_listing(ctx, calls.clusters.list_hosts(), ("uuid", "type"))


GROUP = Group(
    "host",
    summary="Look at the hosts that clusters compute on",
    commands=[Command("list", _list, summary="List all hosts")],
)
