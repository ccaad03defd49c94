"""``hanamictl dataset``."""

from collections.abc import Callable

import click

from hanami_sdk.cli.command_line import Command, Flag, Group
from hanami_sdk.cli.failures import CommandFailedError
from hanami_sdk.cli.progress import upload_bar
from hanami_sdk.cli.session import Session, open_failure, open_session
from hanami_sdk.cli.show import show_content, show_deleted, show_list, show_object

__all__ = ["GROUP"]

FIELDS = (
    "uuid",
    "name",
    "version",
    "number_of_columns",
    "number_of_rows",
    "description",
    "visibility",
    "owner_id",
    "project_id",
    "created_at",
)
LIST_FIELDS = ("uuid", "name", "visibility", "owner_id", "project_id", "created_at")


def _upload(session: Session, function: Callable[..., str], name: str, *paths: str) -> None:
    """Upload files and show the dataset that they have become."""
    from hanami_sdk import dataset

    try:
        with upload_bar(session.settings, f"upload {name}") as report:
            uuid = session.call(function, name, *paths, progress=report)
    except OSError as error:
        raise open_failure(error) from error
    except ValueError as error:
        raise CommandFailedError(f"Error: {error}") from error
    show_object(session, session.ask(dataset.get_dataset, uuid), FIELDS)


def _create_mnist(ctx: click.Context, name: str, input_path: str, label_path: str) -> None:
    from hanami_sdk import dataset

    _upload(open_session(ctx), dataset.upload_mnist_files, name, input_path, label_path)


def _create_csv(ctx: click.Context, name: str, input_path: str) -> None:
    from hanami_sdk import dataset

    _upload(open_session(ctx), dataset.upload_csv_files, name, input_path)


def _get(ctx: click.Context, uuid: str) -> None:
    from hanami_sdk import dataset

    session = open_session(ctx)
    show_object(session, session.ask(dataset.get_dataset, uuid), FIELDS)


def _list(ctx: click.Context) -> None:
    from hanami_sdk import dataset

    session = open_session(ctx)
    show_list(session, session.ask(dataset.list_datasets), LIST_FIELDS)


def _delete(ctx: click.Context, uuid: str) -> None:
    from hanami_sdk import dataset

    session = open_session(ctx)
    session.call(dataset.delete_dataset, uuid)
    show_deleted("dataset", uuid)


def _check(ctx: click.Context, uuid: str, reference: str) -> None:
    from hanami_sdk import dataset

    session = open_session(ctx)
    answer = session.ask(dataset.check_mnist_dataset, uuid, reference)
    show_object(session, answer, ("accuracy",))


def _content(ctx: click.Context, uuid: str, column: str, rows: int, offset: int) -> None:
    from hanami_sdk import dataset

    session = open_session(ctx)
    answer = session.ask(dataset.download_dataset_content, uuid, column, rows, offset)
    show_content(session, answer, offset)


CREATE = Group(
    "create",
    summary="Upload files as a new dataset",
    commands=[
        Command(
            "mnist",
            _create_mnist,
            summary="Upload images and labels in the IDX format of MNIST",
            argument="DATASET_NAME",
            flags=[
                Flag("input_path", "-i", "--input", summary="path of the images", mandatory=True),
                Flag("label_path", "-l", "--label", summary="path of the labels", mandatory=True),
            ],
        ),
        Command(
            "csv",
            _create_csv,
            summary="Upload a CSV file with a header line",
            argument="DATASET_NAME",
            flags=[
                Flag("input_path", "-i", "--input", summary="path of the CSV file", mandatory=True)
            ],
        ),
    ],
)

GROUP = Group(
    "dataset",
    summary="Upload, look at, compare and delete datasets",
    commands=[
        CREATE,
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
