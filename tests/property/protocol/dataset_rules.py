"""Datasets and their uploads, byte by byte: rules of the machine."""

import struct
from typing import Any, NamedTuple

from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule

from hanami_actors.wire.hanami_messages_pb2 import FileUpload_Message, FileUploadResponse_Message
from tests.property.protocol.account_rules import SOMETIMES, WHO, AccountRules
from tests.property.protocol.model import Dataset, Token, Upload
from tests.protocol.raw_clients import RawWebSocket

__all__ = ["DatasetRules"]

INDEX = st.integers(0, 99)
CELLS = st.integers(-999, 999)
SOCKETS_MAX = 6
DATASETS_MAX = 8


class Line(NamedTuple):
    """An open socket and what was promised to it."""

    socket: RawWebSocket
    upload: Upload


class DatasetRules(AccountRules):
    """Uploads over several sockets, in pieces that overlap, repeat, or are wrong."""

    def __init__(self, world: Any) -> None:
        self.lines: list[Line] = []
        super().__init__(world)

    def dataset(self, index: int) -> Dataset:
        datasets = list(self.model.datasets.values())
        return datasets[index % len(datasets)]

    def has_datasets(self) -> bool:
        return bool(self.model.datasets)

    def has_lines(self) -> bool:
        return bool(self.lines)

    # Announcing.

    @rule(
        who=WHO,
        columns=st.integers(1, 3),
        rows=st.lists(st.lists(CELLS, min_size=3, max_size=3), min_size=1, max_size=4),
    )
    def announce_csv(self, who: int, columns: int, rows: list[list[int]]) -> None:
        names = [f"column {index}" for index in range(columns)]
        lines = [",".join(names), *(",".join(map(str, row[:columns])) for row in rows)]
        made = {name: [[float(row[index])] for row in rows] for index, name in enumerate(names)}
        self.announce(self.who(who), "csv", made, "\n".join(lines).encode())

    @rule(who=WHO, side=st.integers(1, 2), rows=st.lists(st.integers(0, 9), min_size=1, max_size=4))
    def announce_mnist(self, who: int, side: int, rows: list[int]) -> None:
        self.announce_digits(self.who(who), side, rows)

    def announce_digits(self, token: Token, side: int, rows: list[int]) -> None:
        pixels = [[(17 * row + 29 * at) % 256 for at in range(side * side)] for row in rows]
        images = struct.pack(">IIII", 0x803, len(rows), side, side)
        images += b"".join(bytes(row) for row in pixels)
        labels = struct.pack(">II", 0x801, len(rows)) + bytes(rows)
        made = {
            "picture": [[float(value) for value in row] for row in pixels],
            "label": [[float(at == row) for at in range(10)] for row in rows],
        }
        self.announce(token, "mnist", made, images, labels)

    def announce(
        self, token: Token, kind: str, made: dict[str, list[list[float]]], *files: bytes
    ) -> None:
        if len(self.model.datasets) >= DATASETS_MAX:
            return
        sizes = dict(zip(("input_data_size", "label_data_size"), map(len, files), strict=False))
        body = {"name": "some data", **sizes}
        answer = self.world.call_as(token, "POST", f"dataset/upload/{kind}", 200, json=body)
        if answer.status_code != 200:
            return
        reply = answer.json()
        uuids = [reply.pop("uuid_input_file")]
        uuids += [reply.pop("uuid_label_file")] if kind == "mnist" else []
        dataset = Dataset(
            uuid=reply["uuid"],
            name="some data",
            owner_id=token.person.id,
            project_id=token.project_id,
            created_at=reply["created_at"],
            kind=kind,
            uploads=[Upload(uuid, truth) for uuid, truth in zip(uuids, files, strict=True)],
            made=made,
        )
        assert reply == dataset.shown()
        self.model.datasets[dataset.uuid] = dataset

    # Sending.

    @precondition(has_datasets)
    @rule(who=WHO, index=INDEX, which=st.booleans())
    def open_a_socket(self, who: int, index: int, which: bool) -> None:
        dataset = self.dataset(index)
        token = self.who_for(who, dataset)
        if not dataset.uploads or len(self.lines) >= SOCKETS_MAX:
            return
        upload = dataset.uploads[which and len(dataset.uploads) > 1]
        self.open_line(token, dataset, upload)

    def open_line(self, token: Token, dataset: Dataset, upload: Upload) -> None:
        socket = RawWebSocket(self.world.port)
        answer = socket.handshake(token.text, "file_upload", upload.uuid)
        may = (
            token.is_valid
            and not upload.is_closed
            and (token.person.id, token.project_id) == (dataset.owner_id, dataset.project_id)
        )
        assert answer["success"] is may, answer
        if may:
            self.lines.append(Line(socket, upload))
        else:
            assert answer["error"]
            socket.__exit__()

    @precondition(has_datasets)
    @rule(index=INDEX, backwards=st.booleans(), size=st.integers(1, 40))
    def send_what_is_missing(self, index: int, backwards: bool, size: int) -> None:
        dataset = self.dataset(index)
        owners = [
            token
            for token in self.model.valid_tokens()
            if (token.person.id, token.project_id) == (dataset.owner_id, dataset.project_id)
        ]
        if not owners or dataset.state != "waiting" or dataset.kind == "result":
            return
        for upload in dataset.uploads:
            if upload.is_closed:
                continue
            pieces = [
                (at, min(at + size, end))
                for start, end in upload.missing()
                for at in range(start, end, size)
            ]
            self.open_line(owners[0], dataset, upload)
            line = self.lines.pop()
            for start, end in reversed(pieces) if backwards else pieces:
                self.send(line, start, upload.truth[start:end])
            line.socket.__exit__()

    @precondition(has_lines)
    @rule(
        index=INDEX,
        start=st.integers(0, 60),
        size=st.integers(0, 60),
        wrong=st.sampled_from([False, False, False, True]),
        fragment=st.sampled_from([0, 0, 1, 5]),
    )
    def send_a_chunk(self, index: int, start: int, size: int, wrong: bool, fragment: int) -> None:
        line = self.lines[index % len(self.lines)]
        data = line.upload.truth[start : start + size]
        if wrong:
            data = bytes(byte ^ 0x55 for byte in data) or b"beyond"
        self.send(line, start, data, fragment)

    def send(self, line: Line, start: int, data: bytes, fragment: int = 0) -> None:
        upload = line.upload
        message = FileUpload_Message(position=start, data=data).SerializeToString()
        if fragment:
            line.socket.send_fragmented(message, fragment)
        else:
            line.socket.send(message)
        reply = FileUploadResponse_Message.FromString(line.socket.receive())
        assert reply.success == (reply.errorMessage == "")
        assert reply.success is self.takes(upload, start, data), (start, data, reply.errorMessage)
        if reply.success and data:
            upload.write(start, data)

    def takes(self, upload: Upload, start: int, data: bytes) -> bool:
        end = start + len(data)
        if not data:
            return True
        if upload.is_closed or end > len(upload.truth):
            return False
        return not upload.is_complete or upload.stored[start:end] == data

    @precondition(has_lines)
    @rule(index=INDEX)
    def drop_a_socket(self, index: int) -> None:
        self.lines.pop(index % len(self.lines)).socket.__exit__()

    # Looking and finishing.

    @precondition(has_datasets)
    @rule(who=WHO, index=INDEX)
    def ask_for_the_progress(self, who: int, index: int) -> None:
        dataset = self.dataset(index)
        token = self.who_for(who, dataset)
        expected = 404
        if self.sees(token, dataset):
            expected = 409 if dataset.state == "failed" else 200
        query = {"uuid": dataset.uuid}
        answer = self.world.call_as(token, "GET", "dataset/progress", expected, params=query)
        if answer.status_code == 200 and dataset.kind != "result":
            complete = all(upload.is_complete for upload in dataset.uploads)
            assert answer.json()["complete"] is complete
            waiting = dataset.uploads if dataset.state == "waiting" else []
            assert [file["received_bytes"] for file in answer.json()["files"]] == [
                len(upload.has) for upload in waiting
            ]

    @SOMETIMES
    @precondition(has_datasets)
    @rule(who=WHO, index=INDEX)
    def ask_for_the_gaps(self, who: int, index: int) -> None:
        dataset = self.dataset(index)
        token = self.who_for(who, dataset)
        may = (token.person.id, token.project_id) == (dataset.owner_id, dataset.project_id)
        for upload in dataset.uploads:
            expected = 200 if may and not upload.is_closed else 404
            query = {"uuid": upload.uuid}
            answer = self.world.call_as(token, "GET", "dataset/upload", expected, params=query)
            if answer.status_code == 200:
                assert answer.json()["missing"] == upload.missing()
                assert answer.json()["complete"] is upload.is_complete

    @precondition(has_datasets)
    @rule(who=WHO, index=INDEX)
    def finalize(self, who: int, index: int) -> None:
        dataset = self.dataset(index)
        token = self.who_for(who, dataset)
        if not dataset.uploads:
            return
        fields = ("uuid_input_file", "uuid_label_file")
        uuids = (upload.uuid for upload in dataset.uploads)
        body = {"uuid": dataset.uuid, **dict(zip(fields, uuids, strict=False))}
        answer = self.world.call_as(
            token, "PUT", f"dataset/upload/{dataset.kind}", self._end(token, dataset), json=body
        )
        if answer.status_code not in {200, 400} or dataset.state != "waiting":
            return
        for upload in dataset.uploads:
            upload.is_closed = True
        dataset.state = "filled" if answer.status_code == 200 else "failed"
        is_true = all(upload.stored == upload.truth for upload in dataset.uploads)
        if dataset.state == "filled":
            dataset.columns = dataset.made if is_true else self._read_back(token, dataset)

    def _end(self, token: Token, dataset: Dataset) -> int | set[int]:
        if not self.sees(token, dataset):
            return 404
        if dataset.state == "filled":
            return 200
        if dataset.state == "failed":
            return 409
        if not all(upload.is_complete for upload in dataset.uploads):
            return 409
        is_true = all(upload.stored == upload.truth for upload in dataset.uploads)
        return 200 if is_true else {200, 400}

    def _read_back(self, token: Token, dataset: Dataset) -> dict[str, list[list[float]]]:
        """Accept what wrong bytes have become, as long as it stays so from now on."""
        query = {"uuid": dataset.uuid}
        shown = self.world.call_as(token, "GET", "dataset", 200, params=query).json()
        columns = sorted(
            shown["description"], key=lambda name: shown["description"][name]["column_start"]
        )
        widths = {
            name: place["column_end"] - place["column_start"]
            for name, place in shown["description"].items()
        }
        rows = shown["number_of_rows"]
        dataset.kind = "damaged"
        return {name: [[0.0] * widths[name]] * rows for name in columns}

    @precondition(has_datasets)
    @rule(who=WHO, index=INDEX)
    def look_at_a_dataset(self, who: int, index: int) -> None:
        dataset = self.dataset(index)
        token = self.who_for(who, dataset)
        query = {"uuid": dataset.uuid}
        expected = 200 if self.sees(token, dataset) else 404
        answer = self.world.call_as(token, "GET", "dataset", expected, params=query)
        # The result of a task that runs may be there or not.
        if answer.status_code == 200 and (dataset.kind != "result" or dataset.state != "waiting"):
            assert answer.json() == dataset.shown() | {
                "description": dataset.description(),
                "number_of_columns": sum(len(rows[0]) for rows in dataset.columns.values() if rows),
                "number_of_rows": dataset.row_count,
                "version": "v1.0alpha",
            }

    @precondition(has_datasets)
    @rule(who=WHO, index=INDEX, column=INDEX, offset=st.integers(0, 4), count=st.integers(1, 4))
    def read_a_column(self, who: int, index: int, column: int, offset: int, count: int) -> None:
        dataset = self.dataset(index)
        token = self.who_for(who, dataset)
        if dataset.kind in {"result", "damaged"}:
            return
        names = [*dataset.made, "no such column"]
        name = names[column % len(names)]
        query = {
            "uuid": dataset.uuid,
            "column_name": name,
            "row_offset": offset,
            "number_of_rows": count,
        }
        expected = 200
        if not self.sees(token, dataset):
            expected = 404
        elif dataset.state != "filled":
            expected = 409
        elif name not in dataset.columns:
            expected = 404
        elif offset + count > dataset.row_count:
            expected = 400
        answer = self.world.call_as(token, "GET", "dataset/content", expected, params=query)
        if answer.status_code == 200:
            assert answer.json() == {"data": dataset.columns[name][offset : offset + count]}

    @SOMETIMES
    @precondition(has_datasets)
    @rule(who=WHO, index=INDEX)
    def delete_a_dataset(self, who: int, index: int) -> None:
        dataset = self.dataset(index)
        token = self.who_for(who, dataset)
        if dataset.kind == "result" and dataset.state == "waiting":
            return
        query = {"uuid": dataset.uuid}
        expected = 200 if self.sees(token, dataset) else 404
        answer = self.world.call_as(token, "DELETE", "dataset", expected, params=query)
        if answer.status_code == 200:
            self.forget_dataset(dataset.uuid)

    def forget_dataset(self, uuid: str) -> None:
        for upload in self.model.datasets.pop(uuid).uploads:
            upload.is_closed = True
