"""Clients written from the description of the interface alone: nothing of our own SDK is used.

They behave on the wire as the original ones do: JSON bodies without a content type, tokens in
``X-Auth-Token``, one answer awaited for every message of a websocket, compression offered.
"""

import base64
import json
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory
from websockets.sync.client import connect
from websockets.sync.connection import Connection

__all__ = [
    "EXPECTED_BUFFER_TYPE",
    "INPUT_BUFFER_TYPE",
    "REQUEST_TYPE",
    "TRAIN_TYPE",
    "ClusterIO",
    "ContractClient",
    "FileUpload",
    "FileUploadResponse",
    "RefusedError",
]

CHUNK_BYTES = 131072
TIMEOUT_S = 60

FIELD = descriptor_pb2.FieldDescriptorProto
# name, number, type, and the enum for fields of one
MESSAGES: dict[str, list[tuple[str, int, int, str]]] = {
    "ClusterIO_Message": [
        ("bufferName", 1, FIELD.TYPE_STRING, ""),
        ("isLast", 2, FIELD.TYPE_BOOL, ""),
        ("processType", 3, FIELD.TYPE_ENUM, "ClusterProcessType"),
        ("targetBufferType", 4, FIELD.TYPE_ENUM, "TargetBufferType"),
        ("numberOfValues", 5, FIELD.TYPE_UINT64, ""),
        ("values", 6, FIELD.TYPE_FLOAT, ""),
    ],
    "FileUpload_Message": [
        ("position", 1, FIELD.TYPE_UINT64, ""),
        ("data", 2, FIELD.TYPE_BYTES, ""),
    ],
    "FileUploadResponse_Message": [
        ("success", 1, FIELD.TYPE_BOOL, ""),
        ("errorMessage", 2, FIELD.TYPE_STRING, ""),
    ],
}
ENUMS = {
    "ClusterProcessType": ["REQUEST_TYPE", "TRAIN_TYPE"],
    "TargetBufferType": ["INPUT_BUFFER_TYPE", "OUTPUT_BUFFER_TYPE", "EXPECTED_BUFFER_TYPE"],
}
REQUEST_TYPE, TRAIN_TYPE = 0, 1
INPUT_BUFFER_TYPE, EXPECTED_BUFFER_TYPE = 0, 2


def _message_types() -> dict[str, Any]:
    file = descriptor_pb2.FileDescriptorProto(name="from_the_contract.proto", syntax="proto3")
    for name, values in ENUMS.items():
        enum = file.enum_type.add(name=name)
        for number, value in enumerate(values):
            enum.value.add(name=value, number=number)
    for name, fields in MESSAGES.items():
        message = file.message_type.add(name=name)
        for field, number, kind, enum_name in fields:
            repeated = field == "values"
            message.field.add(
                name=field,
                number=number,
                type=kind,
                label=FIELD.LABEL_REPEATED if repeated else FIELD.LABEL_OPTIONAL,
                type_name=f".{enum_name}" if enum_name else None,
            )
    # A pool of its own: the generated modules have messages of the same names.
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    return {
        name: message_factory.GetMessageClass(pool.FindMessageTypeByName(name)) for name in MESSAGES
    }


_types = _message_types()
ClusterIO = _types["ClusterIO_Message"]
FileUpload = _types["FileUpload_Message"]
FileUploadResponse = _types["FileUploadResponse_Message"]


class RefusedError(Exception):
    """An answer other than 200."""

    def __init__(self, status: int, text: str) -> None:
        super().__init__(f"{status}: {text}")
        self.status = status
        self.text = text


class ContractClient:
    """One user.

    Parameters
    ----------
    address : str
    dialect : str
        ``96c2dc89`` or ``HEAD``: the two versions differ in the field of the passphrase.
    prefix : str
        Before every path.
    """

    def __init__(self, address: str, dialect: str = "HEAD", prefix: str = "/v1.0alpha/") -> None:
        self.address = address
        self.dialect = dialect
        self._prefix = prefix
        self._http = httpx.Client(timeout=TIMEOUT_S)
        self.token = ""

    def close(self) -> None:
        self._http.close()

    def secret(self, text: str) -> dict[str, str]:
        """Return the field that carries a passphrase."""
        if self.dialect == "96c2dc89":
            return {"password": text}
        return {"passphrase": base64.b64encode(text.encode()).decode()}

    def log_in(self, user_id: str, text: str) -> dict[str, Any]:
        answer = self.send("POST", "token", {"id": user_id, **self.secret(text)})
        self.token = str(answer["token"])
        return answer

    def send(self, method: str, path: str, values: dict[str, Any] | None = None) -> dict[str, Any]:
        """Send one request; the values are the body of POST and PUT, else the query.

        Raises
        ------
        RefusedError
            For every status but 200.
        """
        url, content = f"{self.address}{self._prefix}{path}", None
        if method in {"POST", "PUT"}:
            content = json.dumps(values or {}).encode()
        elif values:
            pairs = (f"{key}={quote(str(value))}" for key, value in values.items())
            url += f"?{'&'.join(pairs)}"
        headers = {"X-Auth-Token": self.token} if self.token else {}
        response = self._http.request(method, url, content=content, headers=headers)
        if response.status_code != 200:
            raise RefusedError(response.status_code, response.text)
        answer: dict[str, Any] = response.json()
        return answer

    def status_of(self, method: str, path: str, values: dict[str, Any] | None = None) -> int:
        """Return only the status."""
        try:
            self.send(method, path, values)
        except RefusedError as refused:
            return refused.status
        return 200

    @contextmanager
    def websocket(self, target: str, uuid: str) -> Iterator[Connection]:
        """Open a websocket without a path and introduce it."""
        url = self.address.replace("http", "ws", 1)
        with connect(url, proxy=None, max_size=2**20) as websocket:
            first = {"token": self.token, "target": target, "uuid": uuid}
            websocket.send(json.dumps(first))
            answer = websocket.recv()
            assert isinstance(answer, bytes)
            shown = json.loads(answer)
            if shown["success"] is False:
                raise RefusedError(0, shown["error"])
            assert shown["success"] is True
            assert len(shown["uuid"]) == 36
            yield websocket

    def upload(self, file_uuid: str, path: Path) -> None:
        """Send a file in chunks; every one is answered before the next one is sent."""
        content = path.read_bytes()
        with self.websocket("file_upload", file_uuid) as websocket:
            for position in range(0, len(content), CHUNK_BYTES):
                data = content[position : position + CHUNK_BYTES]
                message = FileUpload(position=position, data=data)
                websocket.send(message.SerializeToString())
                assert FileUploadResponse.FromString(websocket.recv()).success

    def exchange(
        self,
        websocket: Connection,
        name: str,
        values: Iterable[float],
        *,
        process: int,
        target: int | None,
        is_last: bool,
    ) -> Any:
        """Send values of a direct session and return the one answer."""
        message = ClusterIO(bufferName=name, isLast=is_last, processType=process)
        if target is not None:
            message.targetBufferType = target
        message.values.extend(values)
        message.numberOfValues = len(message.values)
        websocket.send(message.SerializeToString())
        return ClusterIO.FromString(websocket.recv())
