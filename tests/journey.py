"""What a user does with a server, in a few calls: upload, create, train, request."""

import json
import struct
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from hanami_sdk import cluster, dataset, hanami_token, task
from tests.server import ADMIN_ID, ADMIN_PASSPHRASE, ServerProcess

__all__ = ["Journey", "write_idx"]

Task = dict[str, Any]

TIMEOUT_S = 90.0
POLL_S = 0.01

TEMPLATE = """version: 1
settings:
    neuron_cooldown: 10000000.0
    seed: {seed}
hexagons:
    1,1,1
    2,1,1
    3,1,1
inputs:
    picture: 1,1,1
outputs:
    label: 3,1,1
"""


def write_idx(
    directory: Path, row_count: int, *, side: int = 6, seed: int = 1
) -> tuple[Path, Path]:
    """Write images of three classes, each bright in its own rows, and their labels."""
    generator = np.random.default_rng(seed)
    labels = generator.integers(0, 3, row_count).astype(np.uint8)
    images = generator.integers(0, 60, (row_count, side, side)).astype(np.uint8)
    for index, label in enumerate(labels):
        images[index, 2 * label : 2 * label + 2] += 150
    image_path, label_path = directory / f"images-{seed}", directory / f"labels-{seed}"
    image_path.write_bytes(struct.pack(">IIII", 0x803, row_count, side, side) + images.tobytes())
    label_path.write_bytes(struct.pack(">II", 0x801, row_count) + labels.tobytes())
    return image_path, label_path


class Journey:
    """A user of one server."""

    def __init__(self, server: ServerProcess) -> None:
        self.server = server
        self.token = ""
        self.log_in()

    @property
    def address(self) -> str:
        return self.server.address

    def log_in(self) -> None:
        self.token = hanami_token.request_token(self.address, ADMIN_ID, ADMIN_PASSPHRASE)

    def upload(self, images: Path, labels: Path, name: str = "data") -> str:
        return dataset.upload_mnist_files(self.token, self.address, name, str(images), str(labels))

    def create_cluster(self, name: str, *, seed: int = 7) -> str:
        answer = cluster.create_cluster(self.token, self.address, name, TEMPLATE.format(seed=seed))
        return str(json.loads(answer)["uuid"])

    def train(self, cluster_uuid: str, dataset_uuid: str, *, epochs: int = 1) -> str:
        binding = {"dataset_uuid": dataset_uuid}
        answer = task.create_train_task(
            self.token,
            self.address,
            "train",
            cluster_uuid,
            [{**binding, "dataset_column": "picture", "hexagon_name": "picture"}],
            [{**binding, "dataset_column": "label", "hexagon_name": "label"}],
            number_of_epochs=epochs,
        )
        return str(json.loads(answer)["uuid"])

    def request(self, cluster_uuid: str, dataset_uuid: str, name: str = "request") -> str:
        answer = task.create_request_task(
            self.token,
            self.address,
            name,
            cluster_uuid,
            [
                {
                    "dataset_uuid": dataset_uuid,
                    "dataset_column": "picture",
                    "hexagon_name": "picture",
                }
            ],
            [{"dataset_column": "answer", "hexagon_name": "label"}],
        )
        return str(json.loads(answer)["uuid"])

    def task(self, task_uuid: str, cluster_uuid: str) -> Task:
        shown: Task = json.loads(task.get_task(self.token, self.address, task_uuid, cluster_uuid))
        return shown

    def wait_for(self, task_uuid: str, cluster_uuid: str, until: Callable[[Task], bool]) -> Task:
        deadline = time.monotonic() + TIMEOUT_S
        shown: Task = {}
        while time.monotonic() < deadline:
            shown = self.task(task_uuid, cluster_uuid)
            if until(shown):
                return shown
            time_to_poll()
        raise AssertionError(f"the task did not get there: {shown}")

    def finished(self, task_uuid: str, cluster_uuid: str) -> Task:
        ended = {"finished", "failed", "aborted"}
        shown = self.wait_for(task_uuid, cluster_uuid, lambda t: t["state"] in ended)
        assert shown["state"] == "finished", shown
        return shown

    def answers(self, dataset_uuid: str, row_count: int) -> list[list[float]]:
        answer = dataset.download_dataset_content(
            self.token, self.address, dataset_uuid, "answer", row_count, 0
        )
        rows: list[list[float]] = json.loads(answer)["data"]
        return rows


def time_to_poll() -> None:
    """Give the server a moment between two looks."""
    threading.Event().wait(POLL_S)
