"""Flows for uploads: a window of chunks for each file, and only what is missing after a break."""

import asyncio
import hashlib
import io
import logging
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from functools import partial
from pathlib import Path

from hanami_sdk._progress import Report
from hanami_sdk._upload import FilePart, FilePath, Ranges, check_plain, send_files
from hanami_sdk._websocket import HandshakeRefusedError
from hanami_sdk.client.datasets import delete_dataset, get_dataset
from hanami_sdk.client.flow import Call, Flow, Pause, Transfer, nothing, object_of
from hanami_sdk.client.references import Reference, uuid_of
from hanami_sdk.client.results import Dataset, UploadedFile, UploadProgress, UploadStarted
from hanami_sdk.client.session import Session
from hanami_sdk.hanami_exceptions import (
    BadRequestException,
    ConflictException,
    ConnectionFailedException,
    HanamiException,
    NotFoundException,
    UnauthorizedException,
    UploadInterruptedException,
)

__all__ = ["get_upload", "resume_upload", "upload_csv", "upload_mnist", "upload_progress"]

# Importing a large CSV file takes a while, and its answer comes at the end.
IMPORT_TIMEOUT_S = 3700.0
POLL_FIRST_S = 0.01
POLL_MAX_S = 0.5
POLL_GROWTH = 1.5

IMPORTING, FINISHED = "importing", "finished"

_started = object_of(UploadStarted)
_progress = object_of(UploadProgress)
_file = object_of(UploadedFile)

Started = Callable[[str], None]
AllRanges = Mapping[str, Ranges]
"""What to send of each file, by its role."""

_log = logging.getLogger("hanami_sdk")


class _CannotResumeError(Exception):
    """The server cannot say what is missing; everything has to be sent again."""

    def __init__(self, reason: HanamiException) -> None:
        super().__init__(str(reason))
        self.reason = reason


def upload_progress(session: Session, dataset: Reference) -> Flow[UploadProgress]:
    """Tell how much of a dataset is uploaded and imported."""
    query = {"uuid": uuid_of(dataset)}
    call = Call(method="GET", path="dataset/progress", decode=_progress, query=query)
    return (yield from session.do(call))


def get_upload(session: Session, file: Reference) -> Flow[UploadedFile]:
    """Tell which bytes of one file are missing."""
    call = Call(method="GET", path="dataset/upload", decode=_file, query={"uuid": uuid_of(file)})
    return (yield from session.do(call))


def upload_mnist(
    session: Session,
    name: str,
    images: FilePath,
    labels: FilePath,
    *,
    progress: Report | None = None,
    on_start: Started | None = None,
    checksum: bool = True,
) -> Flow[Dataset]:
    """Upload images and labels in the IDX format of MNIST.

    After a broken connection only what is missing is sent again.

    Parameters
    ----------
    session : Session
        The client has it.
    name : str
        For the dataset.
    images, labels : path
        Plain files; they are read while they are sent.
    progress : callable, optional
        Called with the bytes done and the bytes in total.
    on_start : callable, optional
        Called with the uuid of the dataset before anything is sent.
    checksum : bool
        Whether the server compares the bytes that arrived with the files; needs another reading.

    Raises
    ------
    OSError, ValueError
        When a file cannot be read, is empty or compressed, or changes meanwhile.
    UploadInterruptedException
        When the connection stays broken; `resume_upload` goes on.
    BadRequestException
        When the content is no MNIST data.
    """
    upload = _Upload(session, "mnist", {"input": images, "label": labels}, progress)
    return (yield from upload.run(name, on_start=on_start, checksum=checksum))


def upload_csv(
    session: Session,
    name: str,
    path: FilePath,
    *,
    progress: Report | None = None,
    on_start: Started | None = None,
    checksum: bool = True,
) -> Flow[Dataset]:
    """Upload a CSV file with a header line; otherwise as `upload_mnist`."""
    upload = _Upload(session, "csv", {"input": path}, progress)
    return (yield from upload.run(name, on_start=on_start, checksum=checksum))


def resume_upload(
    session: Session, dataset: Reference, *paths: FilePath, progress: Report | None = None
) -> Flow[Dataset]:
    """Go on with an upload that was interrupted; one that is being imported is waited for.

    Parameters
    ----------
    session : Session
        The client has it.
    dataset : Dataset or str
        The unfinished dataset.
    *paths : path
        The same files in the same order: one CSV file, or images and labels.
    progress : callable, optional
        Called with the bytes done and the bytes in total.

    Raises
    ------
    ValueError
        When there are more or fewer files, or they have another size.
    NotFoundException
        When the upload has expired.
    ConflictException
        When the dataset has failed, with the reason.
    """
    known = yield from _after_import(session, dataset)
    if known.state == FINISHED:
        return (yield from get_dataset(session, dataset))
    roles = {file.role: file for file in known.files}
    if len(paths) != len(roles):
        raise ValueError(f"the dataset waits for {len(roles)} files, got {len(paths)}")
    files = dict(zip(sorted(roles), paths, strict=True))  # input comes before label
    upload = _Upload(session, "mnist" if len(files) == 2 else "csv", files, progress)
    for role, file in roles.items():
        if upload.sizes_bytes[role] != file.size_bytes:
            raise ValueError(
                f"{files[role]} has {upload.sizes_bytes[role]} bytes, the upload"
                f" was started with {file.size_bytes}; it must be the same file"
            )
    uuids = {role: file.uuid for role, file in roles.items()}
    return (yield from upload.resume(uuid_of(dataset), uuids))


def _after_import(session: Session, dataset: Reference) -> Flow[UploadProgress]:
    """Return how far it is; an import that somebody has begun already comes to its end first."""
    pause_s = POLL_FIRST_S
    while (known := (yield from upload_progress(session, dataset))).state == IMPORTING:
        yield Pause(pause_s)
        pause_s = min(pause_s * POLL_GROWTH, POLL_MAX_S)
    return known


def _checksum_of(path: FilePath) -> str:
    with Path(path).open("rb") as file:
        return f"sha256:{hashlib.file_digest(file, 'sha256').hexdigest()}"


class _Upload:
    """One dataset on its way."""

    def __init__(
        self, session: Session, kind: str, files: Mapping[str, FilePath], report: Report | None
    ) -> None:
        self._session = session
        self._kind = kind
        self._files = files
        self._report = report
        self.sizes_bytes = {role: check_plain(path) for role, path in files.items()}
        self._done_bytes = 0

    @property
    def _path(self) -> str:
        return f"dataset/upload/{self._kind}"

    def run(self, name: str, *, on_start: Started | None, checksum: bool) -> Flow[Dataset]:
        """Start, send, finish; where the server cannot resume, from the start again."""
        checksums = (yield from self._checksums()) if checksum else {}
        for attempt in range(1, self._session.retry.attempts + 1):
            started = yield from self._start(name, checksums)
            if on_start is not None:
                on_start(started.uuid)
            uuids = {"input": started.uuid_input_file, "label": started.uuid_label_file}
            try:
                return (yield from self._complete(started.uuid, uuids, ranges=None))
            except (BadRequestException, ConflictException, ValueError):
                yield from self._discard(started.uuid)
                raise
            except _CannotResumeError as error:
                yield from self._discard(started.uuid)
                if attempt == self._session.retry.attempts:
                    raise error.reason from error
        raise AssertionError("the last attempt returns or raises")

    def resume(self, dataset_uuid: str, uuids: Mapping[str, str]) -> Flow[Dataset]:
        """Send what is missing, and finish."""
        ranges = yield from self._ranges(uuids)
        return (yield from self._complete(dataset_uuid, uuids, ranges))

    def _checksums(self) -> Flow[dict[str, str]]:
        checksums = {}
        for role, path in self._files.items():
            # In a thread: reading a large file must not stop an event loop.
            checksums[role] = yield Transfer(partial(asyncio.to_thread, _checksum_of, path))
        return checksums

    def _start(self, name: str, checksums: Mapping[str, str]) -> Flow[UploadStarted]:
        body: dict[str, object] = {"name": name}
        body.update({f"{role}_data_size": size for role, size in self.sizes_bytes.items()})
        more = {f"{role}_checksum": text for role, text in checksums.items()}
        call = Call(method="POST", path=self._path, decode=_started, body=body | more)
        try:
            return (yield from self._session.do(call))
        except BadRequestException as error:
            # A server of the original interface knows no checksums.
            if not more or "checksum" not in error.text:
                raise
        call = Call(method="POST", path=self._path, decode=_started, body=body)
        return (yield from self._session.do(call))

    def _complete(
        self, dataset_uuid: str, uuids: Mapping[str, str], ranges: AllRanges | None
    ) -> Flow[Dataset]:
        yield from self._send_all(dataset_uuid, uuids, ranges)
        try:
            yield from self._finalize(dataset_uuid, uuids)
        except ConflictException as error:
            # Bytes that changed on their way are forgotten by the server and can be sent again.
            if "checksum" not in error.text:
                raise
            again = yield from self._ranges(uuids)
            yield from self._send_all(dataset_uuid, uuids, again)
            yield from self._finalize(dataset_uuid, uuids)
        return (yield from get_dataset(self._session, dataset_uuid))

    def _finalize(self, dataset_uuid: str, uuids: Mapping[str, str]) -> Flow[None]:
        yield from self._wait_until_complete(dataset_uuid)
        body = {"uuid": dataset_uuid, **{f"uuid_{role}_file": uuids[role] for role in self._files}}
        call = Call(
            method="PUT", path=self._path, decode=nothing, body=body, timeout_s=IMPORT_TIMEOUT_S
        )
        yield from self._session.do(call)

    def _send_all(
        self, dataset_uuid: str, uuids: Mapping[str, str], ranges: AllRanges | None
    ) -> Flow[None]:
        """Send until nothing is missing; patience ends when that does not become less."""
        failures = 0
        while ranges is None or any(ranges.values()):
            left_bytes = self._count(ranges)
            broken: ConnectionFailedException | None = None
            try:
                yield from self._send(uuids, ranges)
                if ranges is None:
                    return
            except ConnectionFailedException as error:
                broken = error
                yield Pause(self._session.retry.pause_s(failures + 1))
            ranges = yield from self._ranges_after(dataset_uuid, uuids, broken)
            failures = 0 if self._count(ranges) < left_bytes else failures + 1
            if failures >= self._session.retry.attempts:
                reason = str(broken) if broken else "the server does not keep what is sent"
                raise UploadInterruptedException(dataset_uuid, reason) from broken

    def _ranges_after(
        self,
        dataset_uuid: str,
        uuids: Mapping[str, str],
        broken: ConnectionFailedException | None,
    ) -> Flow[AllRanges]:
        try:
            return (yield from self._ranges(uuids))
        except ConnectionFailedException as error:
            raise UploadInterruptedException(dataset_uuid, str(error)) from error
        except (NotFoundException, UnauthorizedException, BadRequestException) as error:
            raise _CannotResumeError(broken or error) from error

    def _wait_until_complete(self, dataset_uuid: str) -> Flow[None]:
        pause_s = POLL_FIRST_S
        while not (yield from upload_progress(self._session, dataset_uuid)).complete:
            yield Pause(pause_s)
            pause_s = min(pause_s * POLL_GROWTH, POLL_MAX_S)

    def _ranges(self, uuids: Mapping[str, str]) -> Flow[AllRanges]:
        """Ask what is missing of each file."""
        ranges: dict[str, Ranges] = {}
        for role in self._files:
            ranges[role] = (yield from get_upload(self._session, uuids[role])).missing
        return ranges

    def _count(self, ranges: AllRanges | None) -> int:
        """Take the server's word for what has arrived; return the bytes that are left."""
        total_bytes = sum(self.sizes_bytes.values())
        left_bytes = total_bytes
        if ranges is not None:
            left_bytes = sum(end - start for part in ranges.values() for start, end in part)
        self._done_bytes = total_bytes - left_bytes
        # Also what was stored while its acknowledgement got lost is progress.
        self._advance(0)
        return left_bytes

    def _advance(self, size_bytes: int) -> None:
        self._done_bytes += size_bytes
        if self._report is not None:
            self._report(self._done_bytes, sum(self.sizes_bytes.values()))

    def _send(self, uuids: Mapping[str, str], ranges: AllRanges | None) -> Flow[None]:
        token = yield from self._session.valid_token()

        async def work() -> None:
            with ExitStack() as stack:
                parts = {}
                for role, path in self._files.items():
                    # Unbuffered: every read is as large as a chunk and goes into the message.
                    source = stack.enter_context(io.FileIO(path))
                    part = None if ranges is None else ranges[role]
                    if part is None or part:
                        parts[uuids[role]] = FilePart(source, part)
                await send_files(
                    token,
                    self._session.address,
                    parts,
                    verify=self._session.verify,
                    advance=self._advance,
                )

        try:
            yield Transfer(work)
        except HandshakeRefusedError as error:
            raise ConflictException(str(error).encode()) from error

    def _discard(self, dataset_uuid: str) -> Flow[None]:
        """Delete what is not finished; why it is not matters more than whether this works."""
        try:
            yield from delete_dataset(self._session, dataset_uuid)
        except HanamiException as error:
            _log.warning("the unfinished dataset %s is still there: %s", dataset_uuid, error)
