"""``hanamictl checkpoint``."""

from pathlib import Path

import click

from hanami_sdk import calls
from hanami_sdk.cli.command_line import Command, Flag, Group
from hanami_sdk.cli.progress import upload_bar
from hanami_sdk.cli.session import open_failure, open_session
from hanami_sdk.cli.show import delete, show_answer, show_listing, show_object

__all__ = ["GROUP"]

FIELDS = ("uuid", "name", "visibility", "owner_id", "project_id", "created_at")


def _get(ctx: click.Context, uuid: str) -> None:
    show_answer(ctx, calls.clusters.get_checkpoint(uuid), FIELDS)


def _list(ctx: click.Context) -> None:
    show_listing(ctx, calls.clusters.list_checkpoints(), FIELDS)


def _delete(ctx: click.Context, uuid: str) -> None:
    delete(ctx, calls.clusters.delete_checkpoint(uuid), "checkpoint", uuid)


def _download(ctx: click.Context, uuid: str, path: str) -> None:
    session = open_session(ctx)
    try:
        with upload_bar(session.settings, "download") as report:
            written = session.use(
                lambda client: client.checkpoints.download(uuid, path, progress=report)
            )
    except OSError as error:
        raise open_failure(error) from error
    shown = {"uuid": uuid, "path": str(written), "size_bytes": written.stat().st_size}
    show_object(session, shown, tuple(shown))


def _upload(ctx: click.Context, name: str, path: str) -> None:
    session = open_session(ctx)
    try:
        data = Path(path).read_bytes()
    except OSError as error:
        raise open_failure(error) from error
    show_object(session, session.ask(calls.clusters.upload_checkpoint(name, data)), FIELDS)


GROUP = Group(
    "checkpoint",
    summary="Look at, copy and delete saved states of clusters",
    commands=[
        Command("get", _get, summary="Show one checkpoint", argument="CHECKPOINT_UUID"),
        Command("list", _list, summary="List all checkpoints"),
        Command("delete", _delete, summary="Delete a checkpoint", argument="CHECKPOINT_UUID"),
        Command(
            "download",
            _download,
            summary="Write a checkpoint to a file that another server can restore",
            argument="CHECKPOINT_UUID",
            flags=[
                Flag("path", "-f", "--file", kind="path", summary="path to write", mandatory=True)
            ],
        ),
        Command(
            "upload",
            _upload,
            summary="Create a checkpoint from such a file (admins only)",
            argument="CHECKPOINT_NAME",
            flags=[
                Flag(
                    "path", "-f", "--file", kind="path", summary="path of the file", mandatory=True
                )
            ],
        ),
    ],
)
