"""Datasets: upload, look, compare, delete."""

import io

from hanami_sdk._arguments import one_of
from hanami_sdk._upload import FilePart, FilePath, Progress, send_file
from hanami_sdk._websocket import HandshakeRefusedError
from hanami_sdk.calls import datasets
from hanami_sdk.client._sync.uploads import Upload, wait_until_uploaded
from hanami_sdk.client.plain import PlainCaller
from hanami_sdk.hanami_exceptions import InternalServerErrorException
from hanami_sdk.hanami_request import send_call

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
    wait_until_uploaded(PlainCaller(token, address, verify_connection), uuid)
    return True


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


def _upload_files(
    caller: PlainCaller,
    kind: str,
    name: str,
    files: dict[str, FilePath],
    progress: Progress | None,
) -> str:
    try:
        return Upload(caller, kind, files, progress).run_once(name)
    except HandshakeRefusedError as error:
        raise InternalServerErrorException(reason=str(error)) from error


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
    files = {"input": input_file_path, "label": label_file_path}
    caller = PlainCaller(token, address, verify_connection)
    return _upload_files(caller, "mnist", name, files, progress)


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
    caller = PlainCaller(token, address, verify_connection)
    return _upload_files(caller, "csv", name, {"input": input_file_path}, progress)
