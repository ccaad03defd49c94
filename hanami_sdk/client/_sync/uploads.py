# Generated from ../_async/uploads.py by scripts/generate.
"""Uploads: a window of chunks for each file, and only what is missing after a break."""

import io
import logging
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack

from hanami_sdk._progress import Report
from hanami_sdk._upload import FilePart, FilePath, Ranges, check_plain, send_files_blocking
from hanami_sdk._websocket import HandshakeRefusedError
from hanami_sdk.calls import datasets
from hanami_sdk.calls.results import UploadStarted
from hanami_sdk.client._sync.polling import answer_when
from hanami_sdk.client._sync.sender import Caller
from hanami_sdk.client.files import checksum_of
from hanami_sdk.hanami_exceptions import (
    BadRequestException,
    ConflictException,
    ConnectionFailedException,
    HanamiException,
    NotFoundException,
    UnauthorizedException,
    UploadInterruptedException,
)

__all__ = ["Started", "Upload", "resume_upload", "wait_until_uploaded"]

# Usually the first question is answered with yes, because every chunk was acknowledged.
POLL_FIRST_S = 0.01

IMPORTING, FINISHED = "importing", "finished"

Started = Callable[[str], None]
"""Called with the uuid of the dataset."""

AllRanges = Mapping[str, Ranges]
"""What to send of each file, by its role."""

_log = logging.getLogger("hanami_sdk")


class _CannotResumeError(Exception):
    """The server cannot say what is missing; everything has to be sent again.

    Parameters
    ----------
    reason : HanamiException
        Why something is missing.
    answer : HanamiException
        What the server said instead.
    """

    def __init__(self, reason: HanamiException, answer: HanamiException) -> None:
        super().__init__(str(reason))
        self.reason = reason
        self.answer = answer


def wait_until_uploaded(client: Caller, dataset_uuid: str) -> None:
    """Ask until the server has all bytes of a dataset."""
    call = datasets.get_upload_progress(dataset_uuid)
    answer_when(client, call, lambda known: known.complete, first_s=POLL_FIRST_S)


def resume_upload(
    client: Caller, dataset_uuid: str, paths: Sequence[FilePath], report: Report | None
) -> None:
    """Go on with an upload; an import that somebody has begun already comes to its end first."""
    known = answer_when(
        client,
        datasets.get_upload_progress(dataset_uuid),
        lambda known: known.state != IMPORTING,
        first_s=POLL_FIRST_S,
    )
    if known.state == FINISHED:
        return
    roles = {file.role: file for file in known.files}
    if len(paths) != len(roles):
        raise ValueError(f"the dataset waits for {len(roles)} files, got {len(paths)}")
    files = dict(zip(sorted(roles), paths, strict=True))  # input comes before label
    upload = Upload(client, "mnist" if len(files) == 2 else "csv", files, report)
    for role, file in roles.items():
        if upload.sizes_bytes[role] != file.size_bytes:
            raise ValueError(
                f"{files[role]} has {upload.sizes_bytes[role]} bytes, the upload"
                f" was started with {file.size_bytes}; it must be the same file"
            )
    upload.resume(dataset_uuid, {role: file.uuid for role, file in roles.items()})


class Upload:
    """One dataset on its way.

    Parameters
    ----------
    client : Caller
        Sends the calls.
    kind : str
        ``mnist`` or ``csv``.
    files : mapping
        Paths by role, ``input`` and ``label``.
    report : callable or None
        Called with the bytes done and the bytes in total.
    """

    def __init__(
        self,
        client: Caller,
        kind: str,
        files: Mapping[str, FilePath],
        report: Report | None,
    ) -> None:
        self._client = client
        self._kind = kind
        self._files = files
        self._report = report
        self.sizes_bytes = {role: check_plain(path) for role, path in files.items()}
        self._total_bytes = sum(self.sizes_bytes.values())
        self._done_bytes = 0

    def run(self, name: str, *, on_start: Started | None, checksum: bool) -> str:
        """Start, send, finish; where the server cannot resume, from the start again.

        Returns the uuid of the dataset.
        """
        checksums = self._checksums() if checksum else {}
        attempts = self._client.session.retry.attempts
        for attempt in range(1, attempts + 1):
            started = self._start(name, checksums)
            if on_start is not None:
                on_start(started.uuid)
            try:
                self._complete(started.uuid, self._file_uuids(started), ranges=None)
            except (BadRequestException, ConflictException, ValueError):
                self._discard(started.uuid)
                raise
            except _CannotResumeError as error:
                self._discard(started.uuid)
                if attempt == attempts:
                    raise error.reason from error
            else:
                return started.uuid
        raise AssertionError("the last attempt returns or raises")

    def run_once(self, name: str) -> str:
        """Start, send, finish, all of it once; return the uuid of the dataset.

        Whatever goes wrong after the start, the unfinished dataset is deleted again.
        """
        started = self._start(name, {})
        uuids = self._file_uuids(started)
        try:
            self._send(uuids, None)
            self._finalize(started.uuid, uuids)
        except BaseException:
            self._discard(started.uuid)
            raise
        return started.uuid

    def resume(self, dataset_uuid: str, uuids: Mapping[str, str]) -> None:
        """Send what is missing, and finish."""
        ranges = self._ranges(uuids)
        try:
            self._complete(dataset_uuid, uuids, ranges)
        except _CannotResumeError as error:
            raise error.answer from None

    def _file_uuids(self, started: UploadStarted) -> dict[str, str]:
        uuids = {"input": started.uuid_input_file, "label": started.uuid_label_file}
        return {role: uuids[role] for role in self._files}

    def _checksums(self) -> dict[str, str]:
        checksums = {}
        for role, path in self._files.items():
            checksums[role] = checksum_of(path)
        return checksums

    def _start(self, name: str, checksums: Mapping[str, str]) -> UploadStarted:
        call = datasets.start_upload(self._kind, name, self.sizes_bytes, checksums)
        try:
            return self._client.do(call)
        except BadRequestException as error:
            # A server of the original interface knows no checksums.
            if not checksums or "checksum" not in error.text:
                raise
        return self._client.do(datasets.start_upload(self._kind, name, self.sizes_bytes, {}))

    def _complete(
        self, dataset_uuid: str, uuids: Mapping[str, str], ranges: AllRanges | None
    ) -> None:
        self._send_all(dataset_uuid, uuids, ranges)
        try:
            self._finalize(dataset_uuid, uuids)
        except ConflictException as error:
            # Bytes that changed on their way are forgotten by the server and can be sent again.
            if "checksum" not in error.text:
                raise
            self._send_all(dataset_uuid, uuids, self._ranges(uuids))
            self._finalize(dataset_uuid, uuids)

    def _finalize(self, dataset_uuid: str, uuids: Mapping[str, str]) -> None:
        wait_until_uploaded(self._client, dataset_uuid)
        self._client.do(datasets.finish_upload(self._kind, dataset_uuid, uuids))

    def _send_all(
        self, dataset_uuid: str, uuids: Mapping[str, str], ranges: AllRanges | None
    ) -> None:
        """Send until nothing is missing; patience ends when that does not become less."""
        retry = self._client.session.retry
        failures = 0
        while ranges is None or any(ranges.values()):
            left_bytes = self._count(ranges)
            broken: ConnectionFailedException | None = None
            try:
                self._send(uuids, ranges)
                if ranges is None:
                    return
            except HandshakeRefusedError as error:
                raise ConflictException(str(error).encode()) from error
            except ConnectionFailedException as error:
                broken = error
                time.sleep(retry.pause_s(failures + 1))
            ranges = self._ranges_after(dataset_uuid, uuids, broken)
            failures = 0 if self._count(ranges) < left_bytes else failures + 1
            if failures >= retry.attempts:
                reason = str(broken) if broken else "the server does not keep what is sent"
                raise UploadInterruptedException(dataset_uuid, reason) from broken

    def _ranges_after(
        self,
        dataset_uuid: str,
        uuids: Mapping[str, str],
        broken: ConnectionFailedException | None,
    ) -> AllRanges:
        try:
            return self._ranges(uuids)
        except ConnectionFailedException as error:
            raise UploadInterruptedException(dataset_uuid, str(error)) from error
        except (NotFoundException, UnauthorizedException, BadRequestException) as error:
            raise _CannotResumeError(broken or error, error) from error

    def _ranges(self, uuids: Mapping[str, str]) -> AllRanges:
        """Ask what is missing of each file."""
        ranges: dict[str, Ranges] = {}
        for role in self._files:
            ranges[role] = (self._client.do(datasets.get_upload(uuids[role]))).missing
        return ranges

    def _count(self, ranges: AllRanges | None) -> int:
        """Take the server's word for what has arrived; return the bytes that are left."""
        left_bytes = self._total_bytes
        if ranges is not None:
            left_bytes = sum(end - start for part in ranges.values() for start, end in part)
        self._done_bytes = self._total_bytes - left_bytes
        # Also what was stored while its acknowledgement got lost is progress.
        self._advance(0)
        return left_bytes

    def _advance(self, size_bytes: int) -> None:
        self._done_bytes += size_bytes
        if self._report is not None:
            self._report(self._done_bytes, self._total_bytes)

    def _send(self, uuids: Mapping[str, str], ranges: AllRanges | None) -> None:
        """Send what the ranges say, or the files as they are."""
        token, session = self._client.valid_token(), self._client.session
        with ExitStack() as stack:
            parts = {}
            for role, path in self._files.items():
                part = None if ranges is None else ranges[role]
                if part is None or part:
                    # Unbuffered: every read is as large as a chunk and goes into the message.
                    source = stack.enter_context(io.FileIO(path))
                    parts[uuids[role]] = FilePart(source, part)
            send_files_blocking(
                token, session.address, parts, verify=session.verify, advance=self._advance
            )
        if ranges is None and self._done_bytes != self._total_bytes:
            # The server would wait for the rest for ever.
            raise ValueError(
                f"a file changed while it was uploaded: {self._total_bytes} bytes were announced,"
                f" there are {self._done_bytes} now; upload it again"
            )

    def _discard(self, dataset_uuid: str) -> None:
        """Delete what is not finished; why it is not matters more than whether this works."""
        try:
            self._client.do(datasets.delete_dataset(dataset_uuid))
        except HanamiException as error:
            _log.warning("the unfinished dataset %s is still there: %s", dataset_uuid, error)
