"""The sequence of the original's own test programs, with a client that knows only its interface.

Every step is one test and stands on the one before, as in those programs; both versions of the
original are played, which differ in a few fields.
"""

import base64
import os
import threading
from pathlib import Path

import pytest

from tests.journey import write_idx
from tests.protocol.contract_client import (
    EXPECTED_BUFFER_TYPE,
    INPUT_BUFFER_TYPE,
    REQUEST_TYPE,
    TRAIN_TYPE,
    ContractClient,
    RefusedError,
)
from tests.server import ADMIN_ID, ADMIN_PASSPHRASE, ServerProcess

POLLS_MAX = 2000
TEMPLATES = {
    "96c2dc89": "hexagons:\n    1,1,1\n    2,1,1\n    3,1,1\n"
    "\ninputs:\n    picture_hex: 1,1,1\n\noutputs:\n    label_hex: 3,1,1\n",
    "HEAD": "hexagons:\n    1,1,1\n    3,1,1\n    4,1,1\n\naxons:\n    1,1,1 -> 3,1,1\n"
    "\ninputs:\n    picture_hex: 1,1,1\n\noutputs:\n    label_hex: 4,1,1\n",
}
SETTINGS = (
    "version: 1\nsettings:\n    neuron_cooldown: 10000000.0\n    refractory_time: 1\n"
    "    max_connection_distance: 1\n    enable_reduction: false\n"
)
SECRETS = {"96c2dc89": "new password", "HEAD": "asdfasdf"}


class Played:
    """One version of the original at a server of its own, and what it has made so far."""

    def __init__(self, version: str, server: ServerProcess, folder: Path) -> None:
        self.version = version
        self.client = ContractClient(server.address, version)
        self.client.log_in(ADMIN_ID, ADMIN_PASSPHRASE)
        named = os.environ.get("HANAMI_MNIST_DIR")
        if named:
            files = sorted(Path(named).iterdir())
            self.request_files = (files[0], files[1])
            self.train_files = (files[2], files[3])
        else:
            self.train_files = write_idx(folder, 600, seed=1)
            self.request_files = write_idx(folder, 200, seed=2)
        self.train_data = ""
        self.request_data = ""
        self.cluster = ""
        self.checkpoint = ""
        self.request_task = ""

    @property
    def template(self) -> str:
        text = SETTINGS + TEMPLATES[self.version]
        return base64.b64encode(text.encode("ascii")).decode()

    def upload(self, files: tuple[Path, Path], name: str) -> str:
        sizes = [path.stat().st_size for path in files]
        body = {"name": name, "input_data_size": sizes[0], "label_data_size": sizes[1]}
        started = self.client.send("POST", "dataset/upload/mnist", body)
        for role, path in zip(("input", "label"), files, strict=True):
            self.client.upload(started[f"uuid_{role}_file"], path)
        for _ in range(POLLS_MAX):
            if self.client.send("GET", "dataset/progress", {"uuid": started["uuid"]})["complete"]:
                break
            threading.Event().wait(0.02)
        files_of = {key: started[key] for key in ("uuid", "uuid_input_file", "uuid_label_file")}
        return str(self.client.send("PUT", "dataset/upload/mnist", files_of)["uuid"])

    def create_cluster(self) -> str:
        body = {"name": "test_cluster", "template": self.template}
        return str(self.client.send("POST", "cluster", body)["uuid"])

    def wait_for(self, task_uuid: str) -> dict[str, object]:
        values = {"uuid": task_uuid, "cluster_uuid": self.cluster}
        task: dict[str, object] = {}
        for _ in range(POLLS_MAX):
            task = self.client.send("GET", "task", values)
            assert task["total_number_of_cycles"] != 0
            assert "current_cycle" in task
            if task["state"] == "finished":
                return task
            threading.Event().wait(0.05)
        raise AssertionError(f"the task does not finish: {task}")


@pytest.fixture(scope="module", params=["96c2dc89", "HEAD"])
def played(request, tmp_path_factory):
    folder = tmp_path_factory.mktemp("sequence")
    server = ServerProcess(folder / "data")
    server.start()
    playing = Played(request.param, server, folder)
    yield playing
    playing.client.close()
    server.close()


def test_step_1_everything_left_over_is_deleted_but_not_the_caller(played):
    send = played.client.send
    for kind in ("dataset", "cluster", "project", "user"):
        for row in send("GET", f"{kind}/all")["body"]:
            key = "id" if kind in {"project", "user"} else "uuid"
            status = played.client.status_of("DELETE", kind, {key: row[1]})
            assert status == (409 if (kind, row[1]) == ("user", ADMIN_ID) else 200)
    assert [row[1] for row in send("GET", "user/all")["body"]] == [ADMIN_ID]


def test_step_2_projects(played):
    send, status_of = played.client.send, played.client.status_of
    body = {"id": "test_project", "name": "Test Project"}
    assert send("POST", "project", body)["id"] == "test_project"
    assert status_of("POST", "project", body) == 409
    assert [row[1] for row in send("GET", "project/all")["body"]] == ["test_project"]
    assert send("GET", "project", {"id": "test_project"})["name"] == "Test Project"
    assert status_of("GET", "project", {"id": "fail_project"}) == 404
    assert send("DELETE", "project", {"id": "test_project"}) == {}
    assert status_of("DELETE", "project", {"id": "test_project"}) == 404


def test_step_3_users(played):
    send, status_of = played.client.send, played.client.status_of
    body = {"id": "new_user", "name": "new_user", "is_admin": True}
    body |= played.client.secret(SECRETS[played.version])
    assert send("POST", "user", body)["is_admin"] is True
    assert status_of("POST", "user", body) == 409
    assert [row[1] for row in send("GET", "user/all")["body"]] == [ADMIN_ID, "new_user"]
    assert send("GET", "user", {"id": "new_user"})["name"] == "new_user"
    assert status_of("GET", "user", {"id": "fail_user"}) == 404
    assert send("DELETE", "user", {"id": "new_user"}) == {}
    assert status_of("DELETE", "user", {"id": "new_user"}) == 404


def test_step_4_datasets(played):
    send, status_of = played.client.send, played.client.status_of
    uuid = played.upload(played.request_files, "test_dataset")
    assert [row[1] for row in send("GET", "dataset/all")["body"]] == [uuid]
    assert send("GET", "dataset", {"uuid": uuid})["uuid"] == uuid
    assert status_of("GET", "dataset", {"uuid": "fail_dataset"}) == 400
    assert send("DELETE", "dataset", {"uuid": uuid}) == {}
    assert status_of("DELETE", "dataset", {"uuid": uuid}) == 404


def test_step_5_clusters(played):
    send, status_of = played.client.send, played.client.status_of
    uuid = played.create_cluster()
    assert [row[1] for row in send("GET", "cluster/all")["body"]] == [uuid]
    assert send("GET", "cluster", {"uuid": uuid})["uuid"] == uuid
    assert status_of("GET", "cluster", {"uuid": "fail_cluster"}) == 400
    assert send("DELETE", "cluster", {"uuid": uuid}) == {}
    assert status_of("DELETE", "cluster", {"uuid": uuid}) == 404


def test_step_6_training(played):
    send = played.client.send
    played.cluster = played.create_cluster()
    played.train_data = played.upload(played.train_files, "train_test_dataset")
    played.request_data = played.upload(played.request_files, "request_test_dataset")
    assert len(send("GET", "host/all")["body"]) == 1
    column = {"dataset_uuid": played.train_data, "dataset_column": "picture"}
    label = {"dataset_uuid": played.train_data, "dataset_column": "label"}
    body = {
        "name": "test_task",
        "cluster_uuid": played.cluster,
        "inputs": [column | {"hexagon_name": "picture_hex"}],
        "outputs": [label | {"hexagon_name": "label_hex"}],
        "time_length": 1,
    }
    created = send("POST", "task/train", body)
    assert (created["state"], created["current_cycle"], created["end_timestamp"]) == (
        "queued", 0, "-",
    )  # fmt: skip
    played.wait_for(created["uuid"])
    assert send("GET", "cluster", {"uuid": played.cluster})["name"] == "test_cluster"
    values = {"uuid": created["uuid"], "cluster_uuid": played.cluster}
    assert send("DELETE", "task", values) == {}
    with pytest.raises(RefusedError, match=created["uuid"]):
        send("GET", "task", values)


def test_step_7_checkpoints(played):
    send, status_of = played.client.send, played.client.status_of
    body = {"name": "test_checkpoint", "cluster_uuid": played.cluster}
    saved = send("POST", "cluster/save", body)
    assert saved["name"] == "test_checkpoint"
    played.checkpoint = saved["uuid"]
    # Written already when the answer comes, so that the cluster may go at once.
    rows = send("GET", "checkpoint/all")["body"]
    assert [row[1] for row in rows] == [played.checkpoint]
    send("DELETE", "cluster", {"uuid": played.cluster})
    played.cluster = played.create_cluster()
    body = {"cluster_uuid": played.cluster, "checkpoint_uuid": played.checkpoint}
    assert len(send("POST", "cluster/load", body)["uuid"]) == 36
    assert send("DELETE", "checkpoint", {"uuid": played.checkpoint}) == {}
    assert status_of("DELETE", "checkpoint", {"uuid": played.checkpoint}) == 404


def test_step_8_requests_to_the_restored_cluster(played):
    send = played.client.send
    column = {"dataset_uuid": played.request_data, "dataset_column": "picture"}
    body = {
        "name": "test_task",
        "cluster_uuid": played.cluster,
        "inputs": [column | {"hexagon_name": "picture_hex"}],
        "results": [{"dataset_column": "test_output", "hexagon_name": "label_hex"}],
        "time_length": 1,
    }
    created = send("POST", "task/request", body)
    played.wait_for(created["uuid"])
    assert created["uuid"] in [
        row[0] for row in send("GET", "task/all", {"cluster_uuid": played.cluster})["body"]
    ]
    send("DELETE", "task", {"uuid": created["uuid"], "cluster_uuid": played.cluster})
    values = {"uuid": created["uuid"], "reference_uuid": played.request_data}
    assert send("GET", "dataset/check", values)["accuracy"] > 80.0
    values = {
        "uuid": created["uuid"],
        "column_name": "test_output",
        "row_offset": 100,
        "number_of_rows": 10,
    }
    data = send("GET", "dataset/content", values)["data"]
    assert [len(row) for row in data] == [10] * 10


def sample_of(files, index=0):
    """Return the pixels of one picture and its label as one-hot values."""
    images, labels = (path.read_bytes() for path in files)
    pixels = int.from_bytes(images[8:12]) * int.from_bytes(images[12:16])
    start = 16 + index * pixels
    label = labels[8 + index]
    values = [float(value) for value in images[start : start + pixels]]
    return values, [1.0 if number == label else 0.0 for number in range(10)]


def test_step_9_direct_mode(played):
    send = played.client.send
    picture, label = sample_of(played.train_files)
    body = {"uuid": played.cluster, "new_state": "DIRECT"}
    assert send("PUT", "cluster/set_mode", body)["new_state"] == "DIRECT"
    exchange = played.client.exchange
    with played.client.websocket("cluster", played.cluster) as ws:
        for _ in range(100):
            exchange(
                ws, "picture_hex", picture, process=TRAIN_TYPE, target=INPUT_BUFFER_TYPE,
                is_last=False,
            )  # fmt: skip
            exchange(
                ws, "label_hex", label, process=TRAIN_TYPE, target=EXPECTED_BUFFER_TYPE,
                is_last=True,
            )  # fmt: skip
        answer = exchange(
            ws, "picture_hex", picture, process=REQUEST_TYPE, target=INPUT_BUFFER_TYPE,
            is_last=True,
        )  # fmt: skip
    values = list(answer.values)
    assert values.index(max(values)) == label.index(1.0)
    assert len(values) == 10
    assert send("PUT", "cluster/set_mode", body | {"new_state": "TASK"})["new_state"] == "TASK"
    send("DELETE", "cluster", {"uuid": played.cluster})
