"""``hanamictl checkpoint``."""

import click

from hanami_sdk.cli.command_line import Command, Group
from hanami_sdk.cli.session import open_session
from hanami_sdk.cli.show import show_deleted, show_list, show_object

__all__ = ["GROUP"]

FIELDS = ("uuid", "name", "visibility", "owner_id", "project_id", "created_at")


def _get(ctx: click.Context, uuid: str) -> None:
    from hanami_sdk import checkpoint

    session = open_session(ctx)
    show_object(session, session.ask(checkpoint.get_checkpoint, uuid), FIELDS)


def _list(ctx: click.Context) -> None:
    from hanami_sdk import checkpoint

    session = open_session(ctx)
    show_list(session, session.ask(checkpoint.list_checkpoints), FIELDS)


def _delete(ctx: click.Context, uuid: str) -> None:
    from hanami_sdk import checkpoint

    session = open_session(ctx)
    session.call(checkpoint.delete_checkpoint, uuid)
    show_deleted("checkpoint", uuid)


GROUP = Group(
    "checkpoint",
    summary="Look at and delete saved states of clusters",
    commands=[
        Command("get", _get, summary="Show one checkpoint", argument="CHECKPOINT_UUID"),
        Command("list", _list, summary="List all checkpoints"),
        Command("delete", _delete, summary="Delete a checkpoint", argument="CHECKPOINT_UUID"),
    ],
)
