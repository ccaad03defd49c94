"""Datasets: upload, look, compare, delete."""

import io
import json
import logging
import time
from contextlib import ExitStack

from hanami_sdk._arguments import one_of
from hanami_sdk._upload import (
    FilePart,
    FilePath,
    Progress,
    check_plain,
    run,
    send_file,
    send_files,
)
from hanami_sdk._websocket import HandshakeRefusedError
from hanami_sdk.calls import datasets
from hanami_sdk.hanami_exceptions import HanamiException, InternalServerErrorException
from hanami_sdk.hanami_request import send_call, strict_statuses

__all__ = [
    "check_mnist_dataset",
    "delete_dataset",
    "download_dataset_content",
    "get_dataset",
    "get_upload_progress",
    "list_datasets",
    "report_dataset",
    "send_data",
    "upload_csv_files",
    "upload_mnist_files",
    "wait_until_upload_complete",
]

_log = logging.getLogger("hanami_sdk")

# Usually the first question is answered with yes, because every chunk was acknowledged.
POLL_FIRST_S = 0.01
POLL_MAX_S = 0.5


def list_datasets(token: str, address: str, verify_connection: bool = True) -> bytes:
    """Return all visible datasets as JSON with ``header`` and ``body``."""
    return send_call(token, address, datasets.list_datasets(), verify_connection)


def get_dataset(
    token: str, address: str, dataset_uuid: str, verify_connection: bool = True
) -> bytes:
    """Return one dataset with its columns as JSON."""
    return send_call(token, address, datasets.get_dataset(dataset_uuid), verify_connection)


def delete_dataset(
    token: str,
    address: str,
    checkpoint_uuid: str | None = None,
    verify_connection: bool = True,
    *,
    dataset_uuid: str | None = None,
) -> bytes:
    """Delete a dataset; the third argument is its uuid, under either name."""
    uuid = one_of("delete_dataset", dataset_uuid=dataset_uuid, checkpoint_uuid=checkpoint_uuid)
    return send_call(token, address, datasets.delete_dataset(uuid), verify_connection)


def check_mnist_dataset(
    token: str,
    address: str,
    dataset_uuid: str,
    reference_dataset_uuid: str,
    verify_connection: bool = True,
) -> bytes:
    """Compare a result with the labels of a reference; return ``{"accuracy": percent}``."""
    call = datasets.check_dataset(dataset_uuid, reference_dataset_uuid)
    return send_call(token, address, call, verify_connection)


def download_dataset_content(
    token: str,
    address: str,
    dataset_uuid: str,
    column_name: str,
    number_of_rows: int,
    row_offset: int = 0,
    verify_connection: bool = True,
) -> bytes:
    """Return rows of one column as JSON: ``{"data": [[value, ...], ...]}``."""
    call = datasets.get_content(dataset_uuid, column_name, row_offset, number_of_rows)
    return send_call(token, address, call, verify_connection)


def report_dataset(
    token: str,
    address: str,
    dataset_uuid: str,
    reference_dataset_uuid: str,
    verify_connection: bool = True,
    *,
    column: str | None = None,
    reference_column: str | None = None,
) -> bytes:
    """Compare a result with a reference: accuracy, every class, errors; return JSON.

    The columns may be left out where there is only one that fits.
    """
    call = datasets.report_dataset(dataset_uuid, reference_dataset_uuid, column, reference_column)
    return send_call(token, address, call, verify_connection)


def get_upload_progress(
    token: str, address: str, dataset_uuid: str, verify_connection: bool = True
) -> bytes:
    """Return how much of a dataset is uploaded and imported, as JSON."""
    return send_call(token, address, datasets.get_upload_progress(dataset_uuid), verify_connection)


def wait_until_upload_complete(
    token: str, address: str, uuid: str, verify_connection: bool = True
) -> bool:
    """Return True once the server has all bytes of a dataset.

    Raises
    ------
    ConflictException
        When the upload has failed and will never be complete.
    """
    pause_s = POLL_FIRST_S
    while True:
        with strict_statuses():
            answer = get_upload_progress(token, address, uuid, verify_connection)
        if json.loads(answer)["complete"]:
            return True
        time.sleep(pause_s)
        pause_s = min(2 * pause_s, POLL_MAX_S)


async def send_data(
    token: str,
    address: str,
    dataset_uuid: str,
    file_uuid: str,
    data: bytes | bytearray | memoryview,
    verify_connection: bool = True,
    *,
    progress: Progress | None = None,
) -> bool:
    """Send the content of one file of an upload; return False if the server refuses the file.

    Parameters
    ----------
    token, address : str
        As everywhere.
    dataset_uuid : str
        The dataset; only the file uuid is sent.
    file_uuid : str
        ``uuid_input_file`` or ``uuid_label_file`` of the started upload.
    data : bytes-like
        The whole content.
    verify_connection : bool
        False accepts any certificate of a https server.
    progress : callable, optional
        Called with the acknowledged bytes and the total.

    Raises
    ------
    BadRequestException
        When a chunk is refused.
    ConnectionFailedException
        When the connection breaks.
    """
    done_bytes = 0

    def advance(size_bytes: int) -> None:
        nonlocal done_bytes
        done_bytes += size_bytes
        if progress is not None:
            progress(done_bytes, len(data))

    part = FilePart(io.BytesIO(data))
    try:
        await send_file(token, address, file_uuid, part, verify=verify_connection, advance=advance)
    except HandshakeRefusedError:
        return False
    return True


class _Upload:
    """One dataset on its way: init, the files in parallel, finalize."""

    def __init__(
        self, token: str, address: str, kind: str, *, verify: bool, progress: Progress | None
    ) -> None:
        self._token = token
        self._address = address
        self._kind = kind
        self._verify = verify
        self._progress = progress
        self._done_bytes = 0
        self._total_bytes = 0

    def upload(self, name: str, files: dict[str, FilePath]) -> str:
        """Upload files, given by their role ``input`` or ``label``; return the dataset uuid.

        Whatever goes wrong after the start, the unfinished dataset is deleted again.
        """
        sizes_bytes = {role: check_plain(path) for role, path in files.items()}
        self._total_bytes = sum(sizes_bytes.values())
        call = datasets.start_upload(self._kind, name, sizes_bytes, {})
        with strict_statuses():
            answer = send_call(self._token, self._address, call, self._verify)
            started: dict[str, str] = json.loads(answer)
            try:
                self._send_and_finalize(started, files)
            except BaseException:
                self._delete(started["uuid"])
                raise
        return started["uuid"]

    def _delete(self, uuid: str) -> None:
        """Clean up; the reason for it matters more than whether it works."""
        try:
            delete_dataset(self._token, self._address, uuid, self._verify)
        except HanamiException as error:
            _log.warning("the unfinished dataset %s is still there: %s", uuid, error)

    def _send_and_finalize(self, started: dict[str, str], files: dict[str, FilePath]) -> None:
        uuids = {role: started[f"uuid_{role}_file"] for role in files}
        with ExitStack() as stack:
            # Unbuffered: every read is as large as a chunk and goes straight into the message.
            sources = {
                uuids[role]: stack.enter_context(io.FileIO(path)) for role, path in files.items()
            }
            parts = {uuid: FilePart(source) for uuid, source in sources.items()}
            work = send_files(
                self._token,
                self._address,
                parts,
                verify=self._verify,
                advance=self._advance,
            )
            try:
                run(work)
            except HandshakeRefusedError as error:
                raise InternalServerErrorException(reason=str(error)) from error
        if self._done_bytes != self._total_bytes:
            raise ValueError(
                f"a file changed while it was uploaded: {self._total_bytes} bytes were announced,"
                f" there are {self._done_bytes} now; upload it again"
            )
        wait_until_upload_complete(self._token, self._address, started["uuid"], self._verify)
        call = datasets.finish_upload(self._kind, started["uuid"], uuids)
        send_call(self._token, self._address, call, self._verify)

    def _advance(self, size_bytes: int) -> None:
        self._done_bytes += size_bytes
        if self._progress is not None:
            self._progress(self._done_bytes, self._total_bytes)


def upload_mnist_files(
    token: str,
    address: str,
    name: str,
    input_file_path: FilePath,
    label_file_path: FilePath,
    verify_connection: bool = True,
    *,
    progress: Progress | None = None,
) -> str:
    """Upload images and labels in the IDX format of MNIST; return the uuid of the dataset.

    Parameters
    ----------
    token, address : str
        As everywhere.
    name : str
        A name for the dataset.
    input_file_path, label_file_path : path
        Plain files, not compressed. They are read while they are sent.
    verify_connection : bool
        False accepts any certificate of a https server.
    progress : callable, optional
        Called with the bytes done and the bytes in total of both files.

    Raises
    ------
    OSError, ValueError
        When a file cannot be read, is empty or compressed.
    InternalServerErrorException
        When the server refuses the websocket; ``reason`` says why.
    BadRequestException
        When the content is no MNIST data.
    """
    upload = _Upload(token, address, "mnist", verify=verify_connection, progress=progress)
    return upload.upload(name, {"input": input_file_path, "label": label_file_path})


def upload_csv_files(
    token: str,
    address: str,
    name: str,
    input_file_path: FilePath,
    verify_connection: bool = True,
    *,
    progress: Progress | None = None,
) -> str:
    """Upload a CSV file with a header line; return the uuid of the dataset.

    Parameters and exceptions as for `upload_mnist_files`, with one file.
    """
    upload = _Upload(token, address, "csv", verify=verify_connection, progress=progress)
    return upload.upload(name, {"input": input_file_path})
