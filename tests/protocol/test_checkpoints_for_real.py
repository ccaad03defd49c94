"""Saving, loading, copying, pausing and moving through the real server; and what a kill does to it."""

import json
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from hanami_sdk import checkpoint, cluster, hanami_exceptions, hosts
from tests.journey import Journey, write_idx

ROWS = 400
TEST_ROWS = 60


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    directory = tmp_path_factory.mktemp("idx")
    return write_idx(directory, ROWS, seed=1), write_idx(directory, TEST_ROWS, seed=2)


class User(Journey):
    """A user who also saves, loads and moves."""

    def call(self, method: str, path: str, **values: Any) -> Any:
        where = {"params": values} if method in {"GET", "DELETE"} else {"json": values}
        answer = self.server.request(method, f"/v1/{path}", token=self.token, **where)
        assert answer.status_code == 200, (path, answer.status_code, answer.text)
        return answer.json()

    def save(self, network: str, name: str = "saved") -> str:
        return str(
            json.loads(cluster.save_cluster(self.token, self.address, name, network))["uuid"]
        )

    def load(self, network: str, saved: str) -> str:
        answer = cluster.restore_cluster(self.token, self.address, saved, network)
        return str(json.loads(answer)["uuid"])

    def stats(self, network: str) -> Any:
        return self.call("GET", "cluster/stats", uuid=network)

    def asked(self, network: str, data: str) -> tuple[str, list[list[float]]]:
        """Return the digest and the answers of a request task."""
        request = self.request(network, data)
        return self.finished(request, network)["digest"], self.answers(request, TEST_ROWS)


def test_the_sequence_of_the_originals_test_save_delete_create_load_delete_request(
    warm_server, files
):
    user = User(warm_server)
    train_data, test_data = user.upload(*files[0]), user.upload(*files[1])
    network = user.create_cluster("cluster name")
    digest = user.finished(user.train(network, train_data), network)["digest"]
    expected = user.asked(network, test_data)
    saved = user.save(network, "test_checkpoint")
    listed = json.loads(checkpoint.list_checkpoints(user.token, user.address))
    assert listed["header"] == [
        "created_at", "uuid", "project_id", "owner_id", "visibility", "name",
    ]  # fmt: skip
    assert [row[1] for row in listed["body"] if row[-1] == "test_checkpoint"] == [saved]
    shown = json.loads(checkpoint.get_checkpoint(user.token, user.address, saved))
    assert (shown["name"], shown["digest"], shown["visibility"]) == (
        "test_checkpoint", digest, "private",
    )  # fmt: skip
    cluster.delete_cluster(user.token, user.address, network)
    again = user.create_cluster("cluster name", seed=99)
    task = user.load(again, saved)
    checkpoint.delete_checkpoint(user.token, user.address, saved)
    with pytest.raises(hanami_exceptions.NotFoundException):
        checkpoint.delete_checkpoint(user.token, user.address, saved)
    view = user.task(task, again)
    assert (view["state"], view["current_cycle"], view["total_number_of_cycles"]) == (
        "finished", 0, 1,
    )  # fmt: skip
    assert user.asked(again, test_data) == expected
    tasks = user.call("GET", "task/all", cluster_uuid=again)["body"]
    assert {(row[0] == task, row[2]) for row in tasks} == {(True, "0.000000"), (False, "1.000000")}
    cluster.delete_cluster(user.token, user.address, again)


def test_clusters_begin_from_checkpoints_and_any_cycle_of_others(warm_server, files):
    user = User(warm_server)
    train_data, test_data = user.upload(*files[0]), user.upload(*files[1])
    network = user.create_cluster("origin")
    trained = user.train(network, train_data, epochs=2)
    user.finished(trained, network)
    whole = user.asked(network, test_data)
    saved = user.save(network)
    from_checkpoint = user.call("POST", "cluster", name="from checkpoint", checkpoint_uuid=saved)
    copied = user.call("POST", "cluster/copy", name="copied", cluster_uuid=network)
    early = user.call(
        "POST",
        "cluster",
        name="early",
        source_cluster_uuid=network,
        source_task_uuid=trained,
        source_cycle=ROWS,
    )
    assert user.asked(from_checkpoint["uuid"], test_data) == whole
    assert user.asked(copied["uuid"], test_data) == whole
    assert user.asked(early["uuid"], test_data)[0] != whole[0]
    # The second epoch makes up for it.
    user.finished(user.train(early["uuid"], train_data), early["uuid"])
    assert user.stats(early["uuid"])["trained_cycles"] == 2 * ROWS
    refused: dict[tuple[str, ...], dict[str, Any]] = {
        ("checkpoint_uuid", "source_cluster_uuid"): {
            "checkpoint_uuid": saved,
            "source_cluster_uuid": network,
        },
        ("source_cluster_uuid",): {"source_task_uuid": trained},
        ("source_task_uuid",): {"source_cluster_uuid": network, "source_cycle": 3},
    }
    for named, values in refused.items():
        answer = warm_server.request(
            "POST", "/v1/cluster", token=user.token, json={"name": "refused", **values}
        )
        assert answer.status_code == 400
        assert all(name in answer.text for name in named)
    beyond: dict[str, Any] = {
        "source_cluster_uuid": network,
        "source_task_uuid": trained,
        "source_cycle": 9999,
    }
    answer = warm_server.request(
        "POST", "/v1/cluster", token=user.token, json={"name": "refused", **beyond}
    )
    assert (answer.status_code, "9999" in answer.text) == (404, True)
    for uuid in (network, from_checkpoint["uuid"], copied["uuid"], early["uuid"]):
        cluster.delete_cluster(user.token, user.address, uuid)


@pytest.mark.parametrize("delay_rows", [0, 1])
def test_saves_and_loads_that_were_answered_are_there_after_a_kill(server, files, delay_rows):
    user = User(server)
    train_data, test_data = user.upload(*files[0]), user.upload(*files[1])
    network = user.create_cluster("saved")
    user.finished(user.train(network, train_data, epochs=1 + delay_rows), network)
    expected = user.asked(network, test_data)
    answered: list[str] = []

    def save_for_ever() -> None:
        while True:
            answered.append(user.save(network, f"number {len(answered)}"))

    with ThreadPoolExecutor(1) as pool:
        saving = pool.submit(save_for_ever)
        while len(answered) < 20 and not saving.done():
            user.stats(network)
        server.kill()
        assert saving.exception(30) is not None
    server.start()
    user.log_in()
    listed = json.loads(checkpoint.list_checkpoints(user.token, user.address))["body"]
    assert set(answered) <= {row[1] for row in listed}
    cluster.delete_cluster(user.token, user.address, network)
    other = user.create_cluster("restored")
    user.load(other, answered[-1])
    server.kill()
    server.start()
    user.log_in()
    assert user.asked(other, test_data) == expected
    assert "Traceback" not in server.log


def test_a_training_pauses_over_a_kill_moves_and_ends_with_the_undisturbed_digest(
    make_server, files
):
    server = make_server("--cpu-hosts", "2", "--snapshot-interval-s", "0.1")
    user = User(server)
    data = user.upload(*files[0])
    undisturbed = user.create_cluster("undisturbed", seed=5)
    expected = user.finished(user.train(undisturbed, data, epochs=40), undisturbed)["digest"]
    network = user.create_cluster("disturbed", seed=5)
    training = user.train(network, data, epochs=40)
    user.wait_for(training, network, lambda shown: shown["current_cycle"] > ROWS)
    task = {"uuid": training, "cluster_uuid": network}
    paused = user.call("PUT", "task/pause", **task)
    assert paused["state"] == "paused"
    assert ROWS < paused["current_cycle"] < 40 * ROWS
    server.kill()
    server.start()
    user.log_in()
    again = user.task(training, network)
    assert (again["state"], again["current_cycle"]) == ("paused", paused["current_cycle"])
    first, second = (
        row[0] for row in json.loads(hosts.list_hosts(user.token, user.address))["body"]
    )
    assert user.stats(network)["host_uuid"] == first
    user.call("PUT", "task/resume", **task)
    cluster.switch_host(user.token, user.address, network, second)
    assert user.finished(training, network)["digest"] == expected
    stats = user.stats(network)
    assert (stats["host_uuid"], stats["mode"], stats["digest"]) == (second, "TASK", expected)
    assert stats["trained_cycles"] == 40 * ROWS
    history = user.call("GET", "cluster/history", uuid=network)
    errors = history["header"].index("running_error")
    assert history["body"][-1][errors] < 0.5
    assert [row[1] for row in history["body"]] == [training] * len(history["body"])


def test_names_change_and_modes_switch_as_the_contract_says(warm_server):
    user = User(warm_server)
    network = user.create_cluster("first name")
    user.call("PUT", "cluster/rename", uuid=network, name="second name")
    other = user.create_cluster("first name")
    answer = warm_server.request(
        "PUT", "/v1/cluster/rename", token=user.token, json={"uuid": other, "name": "second name"}
    )
    assert answer.status_code == 409
    reply = user.call("PUT", "cluster/set_mode", uuid=network, new_state="DIRECT")
    assert sorted(reply) == ["created_at", "name", "new_state", "uuid"]
    assert (reply["name"], reply["new_state"]) == ("second name", "DIRECT")
    for state, status in (("DIRECT", 409), ("TASK", 200), ("TASK", 409)):
        answer = warm_server.request(
            "PUT",
            "/v1/cluster/set_mode",
            token=user.token,
            json={"uuid": network, "new_state": state},
        )
        assert answer.status_code == status
    for uuid in (network, other):
        cluster.delete_cluster(user.token, user.address, uuid)
