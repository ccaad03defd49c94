"""Uploads CSV files in chunks, goes on after a crash where bytes are missing, and reads them back."""

from dataclasses import dataclass
from typing import Any

from hanami_actors.wire.hanami_messages_pb2 import FileUpload_Message
from tests.crash.soak.api import CutOffError
from tests.crash.soak.worker import Worker
from tests.protocol.raw_clients import RawWebSocket

__all__ = ["UploadWorker"]

CHUNK_BYTES = 20_000
ACCEPTED = b"\x08\x01"
KEPT_MAX = 4
ROWS_SHOWN = 50


@dataclass
class Upload:
    """A dataset of this worker."""

    uuid: str
    file_uuid: str
    data: bytes
    rows: int
    is_filled: bool = False
    is_maybe_filled: bool = False
    is_maybe_gone: bool = False


class UploadWorker(Worker):
    """One user who uploads tables of numbers."""

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self._uploads: list[Upload] = []
        self._gone: set[str] = set()
        self._count = 0

    def step(self) -> None:
        begun = [upload for upload in self._uploads if not upload.is_filled]
        if begun:
            self._send(begun[0])
            self._finalize(begun[0])
        elif len(self._uploads) < KEPT_MAX:
            self._begin()
        else:
            self._delete(self.source.choice(self._uploads))
        self.pause()

    def compare(self) -> None:
        rows = {row["uuid"] for row in self.api.table("dataset/all")}
        for uuid in self._gone & rows:
            self.ledger.report(f"dataset {uuid} was deleted and is back")
        for upload in list(self._uploads):
            if upload.uuid in rows:
                upload.is_maybe_gone = False
                self._compare_upload(upload)
                continue
            if not upload.is_maybe_gone:
                self.ledger.report(f"dataset {upload.uuid} is lost")
            self._uploads.remove(upload)
            self._gone.add(upload.uuid)

    def settle(self) -> None:
        for upload in self._uploads:
            if not upload.is_filled:
                self._send(upload)
                self._finalize(upload)

    def _begin(self) -> None:
        self._count += 1
        row_count = self.source.randrange(1, 20_000)
        lines = [f"{number},{number % 7}.5" for number in range(row_count)]
        data = ("a,b\n" + "\n".join(lines) + "\n").encode()
        # A dataset whose creation is not acknowledged is nobody's; it stays behind, empty.
        answer = self.api.post(
            "dataset/upload/csv", name=f"{self.name}-{self._count}", input_data_size=len(data)
        )
        self.acknowledged()
        self._uploads.append(Upload(answer["uuid"], answer["uuid_input_file"], data, row_count))

    def _send(self, upload: Upload) -> None:
        missing = self.api.get("dataset/upload", uuid=upload.file_uuid)["missing"]
        if not missing:
            return
        try:
            with RawWebSocket(self.api.port) as socket:
                shaken = socket.handshake(self.api.token, "file_upload", upload.file_uuid)
                assert shaken["success"], shaken
                for start, end in missing:
                    for position in range(start, end, CHUNK_BYTES):
                        data = upload.data[position : min(end, position + CHUNK_BYTES)]
                        message = FileUpload_Message(position=position, data=data)
                        socket.send(message.SerializeToString())
                        answer = socket.receive()
                        if answer != ACCEPTED:
                            self.ledger.report(f"a chunk was answered with {answer!r}")
        except (OSError, ValueError, IndexError, AssertionError) as error:
            # The raw client asserts that there is an answer.
            raise CutOffError(str(error)) from error
        self.acknowledged()

    def _finalize(self, upload: Upload) -> None:
        upload.is_maybe_filled = True
        self.api.put("dataset/upload/csv", uuid=upload.uuid, uuid_input_file=upload.file_uuid)
        self.acknowledged()
        upload.is_filled = True

    def _delete(self, upload: Upload) -> None:
        upload.is_maybe_gone = True
        self.api.delete("dataset", uuid=upload.uuid)
        self.acknowledged()
        self._uploads.remove(upload)
        self._gone.add(upload.uuid)

    def _compare_upload(self, upload: Upload) -> None:
        shown = self.api.get("dataset/progress", uuid=upload.uuid)
        if shown["state"] != "finished":
            if upload.is_filled:
                self.ledger.report(f"dataset {upload.uuid} was filled and is {shown['state']}")
            return
        if not upload.is_maybe_filled:
            self.ledger.report(f"dataset {upload.uuid} is filled, but nobody has finalized it")
        upload.is_filled = True
        count = min(ROWS_SHOWN, upload.rows)
        first = self.source.randrange(upload.rows - count + 1)
        content = self.api.get(
            "dataset/content",
            uuid=upload.uuid,
            column_name="a",
            row_offset=first,
            number_of_rows=count,
        )
        expected = [[float(row)] for row in range(first, first + count)]
        if content["data"] != expected:
            self.ledger.report(f"dataset {upload.uuid} holds other values at row {first}")
        self.ledger.count("checked")
