"""What one user does with the server, over and over, and what he expects to find in the end."""

import asyncio
import base64
import random
import struct
from typing import Any

from load_client import Connection, Figures, Socket, random_name

from hanami_actors.wire.hanami_messages_pb2 import ClusterIO_Message, FileUpload_Message

__all__ = ["TEMPLATE", "User", "idx_files"]

ACCEPTED = b"\x08\x01"
DATASETS_MAX = 6
TASKS_MAX = 8
SIDE = 8
ROWS = 40
DIRECT_STEPS = 10

TEMPLATE = base64.b64encode(
    b"version: 1\nsettings:\n    seed: 7\nhexagons:\n    1,1,1\n    2,1,1\n    3,1,1\n"
    b"inputs:\n    picture: 1,1,1\noutputs:\n    label: 3,1,1\n"
).decode()


def idx_files(row_count: int, side: int) -> tuple[bytes, bytes]:
    """Return pictures whose brightest row is their label, and the labels."""
    labels = bytes(row % min(side, 10) for row in range(row_count))
    pictures = bytearray(row_count * side * side)
    for row, label in enumerate(labels):
        start = (row * side + label) * side
        pictures[start : start + side] = bytes([200]) * side
    head = struct.pack(">IIII", 0x803, row_count, side, side)
    return head + bytes(pictures), struct.pack(">II", 0x801, row_count) + labels


class User:
    """A user of one project, with a network, a dataset to learn from and some tables."""

    def __init__(self, number: int, port: int, figures: Figures) -> None:
        self.id = f"load_user_{number}"
        self.passphrase = f"passphrase {number}"
        self.figures = figures
        self.http = Connection(port, figures)
        self._port = port
        self._dice = random.Random(number)  # noqa: S311 - the same user does the same each time
        self._cluster = self._pictures = ""
        self._tables: dict[str, list[list[float]]] = {}
        self._tasks: list[str] = []
        self._results: list[str] = []
        actions = (
            *((self._list, 30), (self._look, 25), (self._read, 15), (self._whoami, 5)),
            *((self._upload, 6), (self._train, 6), (self._ask, 5), (self._direct, 8)),
        )
        self._actions = [action for action, weight in actions for _ in range(weight)]

    async def begin(self) -> bool:
        """Log in, make a network and something to learn from; return whether all of it worked."""
        body = {"id": self.id, "password": self.passphrase}
        answer = await self.http.call("log in", "POST", "token", body)
        if answer is None:
            return False
        self.http.token = answer["token"]
        new = {"name": random_name("net"), "template": TEMPLATE}
        cluster = await self.http.call("create cluster", "POST", "cluster", new)
        self._cluster = cluster["uuid"] if cluster else ""
        self._pictures = await self._store("mnist", *idx_files(ROWS, SIDE))
        return bool(self._cluster and self._pictures)

    async def work(self, end_s: float, think_s: float) -> None:
        """Do one thing after the other until the time is over, with pauses."""
        loop = asyncio.get_running_loop()
        while loop.time() < end_s:
            await asyncio.sleep(self._dice.uniform(0, 2 * think_s))
            if loop.time() < end_s:
                await self._dice.choice(self._actions)()

    async def check(self) -> list[str]:
        """Look for everything that was acknowledged; return what is not there."""
        lost = []
        for uuid, rows in self._tables.items():
            query = f"uuid={uuid}&column_name=a&row_offset=0&number_of_rows={len(rows)}"
            content = await self.http.call("check", "GET", f"dataset/content?{query}")
            if content is None or content["data"] != [[row[0]] for row in rows]:
                lost.append(f"data of {self.id}: dataset {uuid}")
        listed = await self.http.call("check", "GET", "dataset/all")
        found = {row[1] for row in listed["body"]} if listed else set()
        expected = {self._pictures, *self._tables, *self._results}
        lost += [f"a dataset of {self.id}: {uuid}" for uuid in expected - found]
        for task in self._tasks:
            shown = await self._task(task)
            if shown is None or shown["state"] not in {"finished", "queued", "active"}:
                lost.append(f"a task of {self.id}: {task} {shown}")
        return lost

    # Small requests.

    async def _list(self) -> None:
        kind = self._dice.choice(("dataset", "cluster"))
        await self.http.call("list", "GET", f"{kind}/all")

    async def _look(self) -> None:
        if self._tasks and self._dice.random() < 0.5:
            await self._task(self._dice.choice(self._tasks))
        else:
            await self.http.call("get cluster", "GET", f"cluster?uuid={self._cluster}")

    async def _read(self) -> None:
        offset = self._dice.randrange(ROWS - 10)
        query = f"column_name=picture&row_offset={offset}&number_of_rows=10"
        path = f"dataset/content?uuid={self._pictures}&{query}"
        await self.http.call("read content", "GET", path)

    async def _whoami(self) -> None:
        await self.http.call("who am i", "GET", "auth")

    async def _task(self, uuid: str) -> dict[str, Any] | None:
        path = f"task?uuid={uuid}&cluster_uuid={self._cluster}"
        return await self.http.call("get task", "GET", path)

    # Work.

    async def _upload(self) -> None:
        rows = [[float(self._dice.randrange(1000)), 0.5] for _ in range(200)]
        text = "a,b\n" + "".join(f"{int(a)},{b}\n" for a, b in rows)
        uuid = await self._store("csv", text.encode())
        if uuid:
            self._tables[uuid] = rows
        if len(self._tables) > DATASETS_MAX:
            oldest = next(iter(self._tables))
            if await self._delete_dataset(oldest):
                del self._tables[oldest]

    async def _delete_dataset(self, uuid: str) -> bool:
        path = f"dataset?uuid={uuid}"
        return await self.http.call("delete dataset", "DELETE", path) is not None

    async def _store(self, kind: str, *files: bytes) -> str:
        fields = ("input_data_size", "label_data_size")
        sizes = dict(zip(fields, map(len, files), strict=False))
        path = f"dataset/upload/{kind}"
        body = {"name": random_name("data"), **sizes}
        announced = await self.http.call("announce", "POST", path, body)
        if announced is None:
            return ""
        names = ("uuid_input_file", "uuid_label_file")
        uuids = {name: announced[name] for name, _ in zip(names, files, strict=False)}
        for uuid, data in zip(uuids.values(), files, strict=True):
            if not await self._send(uuid, data):
                return ""
        done = await self.http.call(
            f"finalize {kind}", "PUT", path, uuids | {"uuid": announced["uuid"]}
        )
        return str(announced["uuid"]) if done is not None else ""

    async def _send(self, uuid: str, data: bytes) -> bool:
        loop = asyncio.get_running_loop()
        start_s = loop.time()
        try:
            socket = await Socket.open(self._port, self.http.token, "file_upload", uuid)
            message = FileUpload_Message(position=0, data=data).SerializeToString()
            accepted = await socket.ask(message) == ACCEPTED
            socket.close()
        except (OSError, asyncio.IncompleteReadError, TimeoutError) as error:
            self.figures.fail("send file", f"{type(error).__name__} {error}")
            return False
        self.figures.bytes_sent += len(data)
        self.figures.durations_ms["send file"].append((loop.time() - start_s) * 1e3)
        if not accepted:
            self.figures.fail("send file", "refused")
        return accepted

    async def _train(self) -> None:
        await self._queue("train", {"outputs": [self._bound("label")]})

    async def _ask(self) -> None:
        if self._tasks:
            result = {"dataset_column": "answer", "hexagon_name": "label"}
            uuid = await self._queue("request", {"results": [result]})
            if uuid:
                self._results.append(uuid)
        if len(self._results) > DATASETS_MAX:
            await self._forget_result(self._results[0])

    async def _queue(self, kind: str, more: dict[str, Any]) -> str:
        body: dict[str, Any] = {"name": random_name("task"), "cluster_uuid": self._cluster}
        body |= {"inputs": [self._bound("picture")], **more}
        task = await self.http.call(f"create {kind}", "POST", f"task/{kind}", body)
        if task is None:
            return ""
        self._tasks.append(task["uuid"])
        if len(self._tasks) > TASKS_MAX:
            await self._forget(self._tasks[0])
        return str(task["uuid"])

    async def _forget(self, uuid: str) -> None:
        shown = await self._task(uuid)
        if shown is not None and shown["state"] == "finished":
            path = f"task?uuid={uuid}&cluster_uuid={self._cluster}"
            if await self.http.call("delete task", "DELETE", path) is not None:
                self._tasks.remove(uuid)

    async def _forget_result(self, uuid: str) -> None:
        """Only one whose task is over: the server keeps what is still being written."""
        progress = await self.http.call("progress", "GET", f"dataset/progress?uuid={uuid}")
        if progress and progress["complete"] and await self._delete_dataset(uuid):
            self._results.remove(uuid)

    def _bound(self, column: str) -> dict[str, str]:
        return {"dataset_uuid": self._pictures, "dataset_column": column, "hexagon_name": column}

    async def _direct(self) -> None:
        if not self._tasks:
            return
        message = ClusterIO_Message(
            bufferName="picture",
            isLast=True,
            numberOfValues=SIDE * SIDE,
            values=[float(self._dice.randrange(256)) for _ in range(SIDE * SIDE)],
        ).SerializeToString()
        loop = asyncio.get_running_loop()
        try:
            socket = await Socket.open(self._port, self.http.token, "cluster", self._cluster)
            for _ in range(DIRECT_STEPS):
                start_s = loop.time()
                await socket.ask(message)
                self.figures.durations_ms["direct request"].append((loop.time() - start_s) * 1e3)
            socket.close()
        except (OSError, asyncio.IncompleteReadError, TimeoutError) as error:
            self.figures.fail("direct request", f"{type(error).__name__} {error}")
