"""Goal: who has too much of something is told what and which setting, and has room again at once."""

from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from tests.server import ServerProcess

CSV_BYTES = 100


class Client:
    """The admin of a server where everything is small."""

    def __init__(self, server: ServerProcess) -> None:
        self._server = server
        self._token = server.token()

    def send(self, method: str, path: str, **values: Any) -> httpx.Response:
        where = {"params": values} if method in {"GET", "DELETE"} else {"json": values}
        return self._server.request(method, f"/v1/{path}", token=self._token, **where)

    def done(self, method: str, path: str, **values: Any) -> Any:
        answer = self.send(method, path, **values)
        assert answer.status_code == 200, (path, answer.text)
        return answer.json()

    def refused(self, status: int, setting: str, path: str, **values: Any) -> None:
        """Send it twice: it must be refused in a way that people and programs understand."""
        for _ in range(2):
            answer = self.send("POST", path, **values)
            assert (answer.status_code, setting in answer.text) == (status, True), answer.text
            assert int(answer.headers["Retry-After"]) >= 1

    def announce(self, size: int = CSV_BYTES) -> str:
        body = {"name": "table", "input_data_size": size}
        return str(self.done("POST", "dataset/upload/csv", **body)["uuid"])

    def announce_in_vain(self, status: int, setting: str, size: int = CSV_BYTES) -> None:
        body = {"name": "table", "input_data_size": size}
        self.refused(status, setting, "dataset/upload/csv", **body)

    def create(self, name: str) -> str:
        return str(self.done("POST", "cluster", name=name)["uuid"])

    def save(self, network: str) -> str:
        return str(self.done("POST", "cluster/save", name="saved", cluster_uuid=network)["uuid"])


@pytest.fixture(scope="module")
def small_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    process = ServerProcess(
        tmp_path_factory.mktemp("quotas") / "data",
        *("--project-size-max-bytes", str(10 * CSV_BYTES)),
        *("--datasets-per-project-max", "3"),
        *("--clusters-per-project-max", "2"),
        *("--checkpoints-per-project-max", "1"),
        *("--queued-tasks-max", "2"),
        *("--uploads-per-user-max", "2"),
    )
    try:
        yield process.start(wait_until_ready=False)
        assert process.terminate() == 0
        assert "Traceback" not in process.log
    finally:
        process.close()


@pytest.fixture
def client(small_server: ServerProcess) -> Iterator[Client]:
    """Return a client; it deletes what it has made."""
    client = Client(small_server)
    yield client
    for kind in ("dataset", "cluster", "checkpoint"):
        for row in client.done("GET", f"{kind}/all")["body"]:
            client.done("DELETE", kind, uuid=row[1])


def test_files_that_a_user_has_announced_are_bounded(client):
    first, _ = client.announce(), client.announce()
    client.announce_in_vain(429, "uploads_per_user_max")
    client.done("DELETE", "dataset", uuid=first)
    client.announce()


def test_bytes_of_a_project_are_bounded(client):
    first = client.announce(6 * CSV_BYTES)
    client.announce_in_vain(507, "project_size_max_bytes", 5 * CSV_BYTES)
    client.announce(4 * CSV_BYTES)
    client.done("DELETE", "dataset", uuid=first)
    client.announce(5 * CSV_BYTES)


def test_clusters_of_a_project_are_bounded(client):
    first, _ = client.create("net one"), client.create("net two")
    client.refused(429, "clusters_per_project_max", "cluster", name="net three")
    client.refused(
        429, "clusters_per_project_max", "cluster/copy", name="net three", cluster_uuid=first
    )
    client.done("DELETE", "cluster", uuid=first)
    client.create("net three")


def test_tasks_that_wait_are_bounded(client):
    network = client.create("net one")
    # Nothing starts in this mode.
    client.done("PUT", "cluster/set_mode", uuid=network, new_state="DIRECT")
    first, _ = client.save(network), client.save(network)
    client.refused(429, "queued_tasks_max", "cluster/save", name="more", cluster_uuid=network)
    client.done("DELETE", "task", uuid=first, cluster_uuid=network)
    client.save(network)


def test_checkpoints_of_a_project_are_bounded(client):
    network = client.create("net one")
    saved = client.save(network)
    while not client.done("GET", "checkpoint/all")["body"]:
        pass
    client.refused(
        429, "checkpoints_per_project_max", "cluster/save", name="more", cluster_uuid=network
    )
    client.done("DELETE", "checkpoint", uuid=saved)
    client.save(network)
