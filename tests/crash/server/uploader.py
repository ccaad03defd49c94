"""An upload chunk by chunk, to a server that may die in between."""

import httpx

from hanami_actors.wire.hanami_messages_pb2 import FileUpload_Message
from tests.protocol.raw_clients import RawWebSocket
from tests.server import ServerProcess
from tests.unit.actors.harness import idx_files

__all__ = ["Uploader", "csv_bytes"]

CHUNK_BYTES = 131_072
ACCEPTED = b"\x08\x01"


def csv_bytes(row_count: int) -> bytes:
    rows = b"".join(b"%d,%d.5,%d\n" % (row, row % 7, -row) for row in range(row_count))
    return b"a,b,c\n" + rows


class Uploader:
    """A dataset on its way in; ``files`` are its bytes by the field that names their uuid."""

    def __init__(self, server: ServerProcess, kind: str, *files: bytes) -> None:
        self.server = server
        self.kind = kind
        self.files = dict(zip(("uuid_input_file", "uuid_label_file"), files, strict=False))
        self.token = server.token()
        sizes = dict(zip(("input_data_size", "label_data_size"), map(len, files), strict=False))
        answer = self.call("POST", f"/v1/dataset/upload/{kind}", json={"name": "data", **sizes})
        assert answer.status_code == 200, answer.text
        self.answer = answer.json()
        self.uuid = self.answer["uuid"]

    @classmethod
    def of_pictures(cls, server: ServerProcess, row_count: int) -> "Uploader":
        return cls(server, "mnist", *idx_files(row_count, side=28))

    def call(self, method: str, path: str, **kwargs: object) -> httpx.Response:
        return self.server.request(method, path, token=self.token, **kwargs)

    def send(self, field: str, start: int = 0, stop: int | None = None) -> None:
        """Send a range of chunks; return when every one of them is acknowledged."""
        data = self.files[field]
        positions = range(0, len(data), CHUNK_BYTES)[start:stop]
        port = int(self.server.address.rsplit(":", 1)[1])
        with RawWebSocket(port) as socket:
            shaken = socket.handshake(self.token, "file_upload", self.answer[field])
            assert shaken["success"], shaken
            for position in positions:
                socket.send(encode_chunk(position, data[position : position + CHUNK_BYTES]))
                assert socket.receive() == ACCEPTED

    def send_all(self) -> None:
        for field in self.files:
            self.send(field)

    def is_complete(self) -> bool:
        answer = self.call("GET", f"/v1/dataset/progress?uuid={self.uuid}")
        assert answer.status_code == 200, answer.text
        return bool(answer.json()["complete"])

    def finalize(self) -> httpx.Response:
        body = {"uuid": self.uuid, **{field: self.answer[field] for field in self.files}}
        return self.call("PUT", f"/v1/dataset/upload/{self.kind}", json=body)

    def shown(self) -> dict[str, object]:
        answer = self.call("GET", f"/v1/dataset?uuid={self.uuid}")
        assert answer.status_code == 200, answer.text
        return dict(answer.json())

    def leftovers(self) -> list[str]:
        return sorted(path.name for path in (self.server.data_dir / "uploads").iterdir())


def encode_chunk(position: int, data: bytes) -> bytes:
    message = FileUpload_Message(position=position, data=data)
    return bytes(message.SerializeToString())
