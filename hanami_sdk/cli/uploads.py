"""``hanamictl dataset create`` and ``resume``: files on their way to the server."""

from collections.abc import Callable
from typing import TYPE_CHECKING

import click

from hanami_sdk import calls
from hanami_sdk.cli.command_line import PROGRAM, Command, Flag, Group
from hanami_sdk.cli.failures import EXIT_INTERRUPTED, CommandFailedError
from hanami_sdk.cli.progress import Report, upload_bar
from hanami_sdk.cli.session import Session, open_failure, open_session
from hanami_sdk.cli.show import show_object

if TYPE_CHECKING:
    from hanami_sdk import Client

__all__ = ["CREATE", "DATASET_FIELDS", "RESUME"]

DATASET_FIELDS = (
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

Upload = Callable[["Client", "Report | None", Callable[[str], None]], str]
"""Uploads with a client, a function for progress and one for the uuid; returns the uuid."""


def _upload(session: Session, text: str, upload: Upload, flags: str) -> None:
    """Upload files and show the dataset that they have become."""
    from hanami_sdk.hanami_exceptions import UploadInterruptedException

    started: list[str] = []

    def hint() -> str:
        return f"go on with `{PROGRAM} dataset resume {flags} {started[-1]}`" if started else ""

    try:
        with upload_bar(session.settings, text) as report:
            uuid = session.use(lambda client: upload(client, report, started.append))
    except OSError as error:
        raise open_failure(error) from error
    except ValueError as error:
        raise CommandFailedError(f"Error: {error}") from error
    except KeyboardInterrupt:
        raise CommandFailedError("", hint=hint(), status=EXIT_INTERRUPTED) from None
    except CommandFailedError as failure:
        if isinstance(failure.__cause__, UploadInterruptedException):
            raise CommandFailedError(failure.text, hint=hint()) from failure
        raise
    show_object(session, session.ask(calls.datasets.get_dataset(uuid)), DATASET_FIELDS)


def _create_mnist(ctx: click.Context, name: str, input_path: str, label_path: str) -> None:
    def upload(client: "Client", report: Report | None, on_start: Callable[[str], None]) -> str:
        return client.datasets.upload_mnist(
            name, input_path, label_path, progress=report, on_start=on_start
        ).uuid

    _upload(open_session(ctx), f"upload {name}", upload, f"-i {input_path} -l {label_path}")


def _create_csv(ctx: click.Context, name: str, input_path: str) -> None:
    def upload(client: "Client", report: Report | None, on_start: Callable[[str], None]) -> str:
        return client.datasets.upload_csv(name, input_path, progress=report, on_start=on_start).uuid

    _upload(open_session(ctx), f"upload {name}", upload, f"-i {input_path}")


def _resume(ctx: click.Context, uuid: str, input_path: str, label_path: str | None) -> None:
    paths = [input_path] if label_path is None else [input_path, label_path]

    def upload(client: "Client", report: Report | None, on_start: Callable[[str], None]) -> str:
        on_start(uuid)
        return client.datasets.resume_upload(uuid, *paths, progress=report).uuid

    flags = f"-i {input_path}" + ("" if label_path is None else f" -l {label_path}")
    _upload(open_session(ctx), f"resume {uuid}", upload, flags)


def _input_flag(summary: str) -> Flag:
    return Flag("input_path", "-i", "--input", kind="path", summary=summary, mandatory=True)


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
                _input_flag("path of the images"),
                Flag(
                    "label_path",
                    "-l",
                    "--label",
                    kind="path",
                    summary="path of the labels",
                    mandatory=True,
                ),
            ],
        ),
        Command(
            "csv",
            _create_csv,
            summary="Upload a CSV file with a header line",
            argument="DATASET_NAME",
            flags=[_input_flag("path of the CSV file")],
        ),
    ],
)

RESUME = Command(
    "resume",
    _resume,
    summary="Go on with an upload that was interrupted; only what is missing is sent",
    argument="DATASET_UUID",
    flags=[
        _input_flag("the same file as before"),
        Flag(
            "label_path",
            "-l",
            "--label",
            kind="path",
            summary="for MNIST the same labels as before",
        ),
    ],
)
