"""``hanamictl dataset``."""

import click

from hanami_sdk import calls
from hanami_sdk.cli.command_line import Command, Flag, Group
from hanami_sdk.cli.results import DOWNLOAD, REPORT
from hanami_sdk.cli.session import open_session
from hanami_sdk.cli.show import delete, show_answer, show_content, show_listing
from hanami_sdk.cli.uploads import CREATE, DATASET_FIELDS, RESUME

__all__ = ["GROUP"]

LIST_FIELDS = ("uuid", "name", "visibility", "owner_id", "project_id", "created_at")


def _get(ctx: click.Context, uuid: str) -> None:
    show_answer(ctx, calls.datasets.get_dataset(uuid), DATASET_FIELDS)


def _list(ctx: click.Context) -> None:
    show_listing(ctx, calls.datasets.list_datasets(), LIST_FIELDS)


def _delete(ctx: click.Context, uuid: str) -> None:
    delete(ctx, calls.datasets.delete_dataset(uuid), "dataset", uuid)


def _check(ctx: click.Context, uuid: str, reference: str) -> None:
    show_answer(ctx, calls.datasets.check_dataset(uuid, reference), ("accuracy",))


def _content(ctx: click.Context, uuid: str, column: str, rows: int, offset: int) -> None:
    session = open_session(ctx)
    answer = session.ask(calls.datasets.get_content(uuid, column, offset, rows))
    show_content(session, answer, offset)


GROUP = Group(
    "dataset",
    summary="Upload, look at, download, compare and delete datasets",
    commands=[
        CREATE,
        RESUME,
        DOWNLOAD,
        REPORT,
        Command("get", _get, summary="Show one dataset", argument="DATASET_UUID"),
        Command("list", _list, summary="List all datasets"),
        Command("delete", _delete, summary="Delete a dataset", argument="DATASET_UUID"),
        Command(
            "check",
            _check,
            summary="Compare the result of a request with the labels of a reference",
            argument="DATASET_UUID",
            flags=[
                Flag("-r", "--reference", summary="UUID of the reference dataset", mandatory=True)
            ],
        ),
        Command(
            "content",
            _content,
            summary="Show values of a column",
            argument="DATASET_UUID",
            flags=[
                Flag("-c", "--column", summary="name of the column", mandatory=True),
                Flag(
                    "-n",
                    "--rows",
                    kind="int",
                    default=1,
                    summary="number of rows",
                    mandatory=True,
                ),
                Flag("-o", "--offset", kind="int", default=0, summary="first row, counted from 0"),
            ],
        ),
    ],
)
