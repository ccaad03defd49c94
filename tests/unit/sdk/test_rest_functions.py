"""Every REST function sends what the contract says, and returns bytes."""

import base64
import inspect
import json
from typing import Any, NamedTuple
from urllib.parse import parse_qs

import pytest

from hanami_sdk import (
    checkpoint,
    cluster,
    dataset,
    hanami_request,
    hanami_token,
    hosts,
    logs,
    project,
    request_result,
    task,
    user,
)
from tests.unit.sdk.stub_server import TOKEN


class Row(NamedTuple):
    """A function, its arguments after (token, address), and the request it must make."""

    function: Any
    arguments: tuple[Any, ...]
    method: str
    path: str
    query: dict[str, str] | None = None
    body: dict[str, Any] | None = None
    keywords: dict[str, Any] = {}  # noqa: RUF012  # never changed


LINK = [{"dataset_uuid": "d", "dataset_column": "picture", "hexagon_name": "in"}]
RESULT = [{"dataset_column": "col", "hexagon_name": "out"}]
SECRET = base64.b64encode("pässword".encode()).decode()
USER = {"id": "u", "name": "User", "passphrase": SECRET, "is_admin": True}
ASSIGNED = {"id": "u", "project_id": "p", "role": "member", "is_project_admin": True}
TRAIN = {"name": "t", "cluster_uuid": "c", "inputs": LINK, "outputs": LINK, "time_length": 1}
REQUEST = {"name": "t", "cluster_uuid": "c", "inputs": LINK, "results": RESULT, "time_length": 1}
CONTENT = {"uuid": "d", "column_name": "col", "row_offset": "100", "number_of_rows": "2"}

# What the original SDK does not have.
PASSPHRASES = {"passphrase": SECRET, "new_passphrase": SECRET}
REPORT = {"uuid": "d", "reference_uuid": "r"}
COLUMNS = {"column": "a", "reference_column": "b"}
TASK = {"uuid": "t", "cluster_uuid": "c"}
ORIGIN = {"source_cluster_uuid": "s", "source_task_uuid": "t", "source_cycle": 7}
HISTORY = {"uuid": "c", "number_of_rows": "1000"}
OURS = [
    Row(user.change_passphrase, ("pässword",) * 2, "PUT", "user/passphrase", body=PASSPHRASES),
    Row(project.delete_project, ("p",), "DELETE", "project", {"id": "p", "force": "true"},
        keywords={"force": True}),
    Row(dataset.get_upload_progress, ("d",), "GET", "dataset/progress", {"uuid": "d"}),
    Row(dataset.report_dataset, ("d", "r"), "GET", "dataset/report", REPORT),
    Row(dataset.report_dataset, ("d", "r"), "GET", "dataset/report", REPORT | COLUMNS,
        keywords=COLUMNS),
    Row(cluster.create_cluster, ("n",), "POST", "cluster",
        body={"name": "n", "checkpoint_uuid": "k"}, keywords={"checkpoint_uuid": "k"}),
    Row(cluster.create_cluster, ("n",), "POST", "cluster", body={"name": "n"} | ORIGIN,
        keywords=ORIGIN),
    Row(cluster.copy_cluster, ("c", "n"), "POST", "cluster/copy",
        body={"cluster_uuid": "c", "name": "n"}),
    Row(cluster.rename_cluster, ("c", "n"), "PUT", "cluster/rename",
        body={"uuid": "c", "name": "n"}),
    Row(cluster.set_mode, ("c", "DIRECT"), "PUT", "cluster/set_mode",
        body={"uuid": "c", "new_state": "DIRECT"}),
    Row(cluster.get_cluster_stats, ("c",), "GET", "cluster/stats", {"uuid": "c"}),
    Row(cluster.get_cluster_history, ("c",), "GET", "cluster/history", HISTORY),
    Row(cluster.get_cluster_history, ("c",), "GET", "cluster/history", HISTORY | {"task_uuid": "t"},
        keywords={"task_uuid": "t"}),
    Row(checkpoint.download_checkpoint, ("k",), "GET", "checkpoint/download", {"uuid": "k"}),
    Row(checkpoint.upload_checkpoint, ("n", b"\x00file"), "POST", "checkpoint/upload",
        body={"name": "n", "data": "AGZpbGU="}),
    Row(task.pause_task, ("t", "c"), "PUT", "task/pause", body=TASK),
    Row(task.resume_task, ("t", "c"), "PUT", "task/resume", body=TASK),
    Row(task.abort_task, ("t", "c"), "PUT", "task/abort", body=TASK),
]  # fmt: skip

ROWS = [
    Row(user.create_user, ("u", "User", "pässword", True), "POST", "user", body=USER),
    Row(user.get_user, ("u",), "GET", "user", {"id": "u"}),
    Row(user.list_users, (), "GET", "user/all"),
    Row(user.delete_user, ("u",), "DELETE", "user", {"id": "u"}),
    Row(user.add_roject_to_user, ("u", "p", "member", True), "POST", "user/project", body=ASSIGNED),
    Row(
        user.add_project_to_user, ("u", "p", "member", True), "POST", "user/project", body=ASSIGNED
    ),
    Row(
        user.remove_project_fromUser,
        ("u", "p"),
        "DELETE",
        "user/project",
        {"project_id": "p", "id": "u"},
    ),
    Row(user.list_projects_of_user, (), "GET", "user/project"),
    Row(
        user.list_projects_of_user,
        (),
        "GET",
        "user/project",
        {"user_id": "u"},
        keywords={"user_id": "u"},
    ),
    Row(user.switch_project, ("p",), "PUT", "token", body={"project_id": "p"}),
    Row(project.create_project, ("p", "P"), "POST", "project", body={"id": "p", "name": "P"}),
    Row(project.get_project, ("p",), "GET", "project", {"id": "p"}),
    Row(project.list_projects, (), "GET", "project/all"),
    Row(project.delete_project, ("p",), "DELETE", "project", {"id": "p"}),
    Row(dataset.list_datasets, (), "GET", "dataset/all"),
    Row(dataset.get_dataset, ("d",), "GET", "dataset", {"uuid": "d"}),
    Row(dataset.delete_dataset, ("d",), "DELETE", "dataset", {"uuid": "d"}),
    Row(
        dataset.delete_dataset,
        (),
        "DELETE",
        "dataset",
        {"uuid": "d"},
        keywords={"checkpoint_uuid": "d"},
    ),
    Row(
        dataset.delete_dataset,
        (),
        "DELETE",
        "dataset",
        {"uuid": "d"},
        keywords={"dataset_uuid": "d"},
    ),
    Row(
        dataset.check_mnist_dataset,
        ("d", "r"),
        "GET",
        "dataset/check",
        {"uuid": "d", "reference_uuid": "r"},
    ),
    Row(
        request_result.check_mnist_dataset,
        ("d", "r"),
        "GET",
        "dataset/check",
        {"uuid": "d", "reference_uuid": "r"},
    ),
    Row(dataset.download_dataset_content, ("d", "col", 2, 100), "GET", "dataset/content", CONTENT),
    Row(
        request_result.download_dataset_content,
        ("d", "col", 2),
        "GET",
        "dataset/content",
        CONTENT | {"row_offset": "0"},
    ),
    Row(
        cluster.create_cluster,
        ("name", "version: 1"),
        "POST",
        "cluster",
        body={"name": "name", "template": base64.b64encode(b"version: 1").decode()},
    ),
    Row(cluster.create_cluster, ("name",), "POST", "cluster", body={"name": "name"}),
    Row(
        cluster.save_cluster,
        ("n", "c"),
        "POST",
        "cluster/save",
        body={"name": "n", "cluster_uuid": "c"},
    ),
    Row(
        cluster.restore_cluster,
        ("k", "c"),
        "POST",
        "cluster/load",
        body={"checkpoint_uuid": "k", "cluster_uuid": "c"},
    ),
    Row(cluster.get_cluster, ("c",), "GET", "cluster", {"uuid": "c"}),
    Row(cluster.list_clusters, (), "GET", "cluster/all"),
    Row(cluster.delete_cluster, ("c",), "DELETE", "cluster", {"uuid": "c"}),
    Row(
        cluster.switch_to_task_mode,
        ("c",),
        "PUT",
        "cluster/set_mode",
        body={"uuid": "c", "new_state": "TASK"},
    ),
    Row(
        cluster.switch_host,
        ("c", "h"),
        "PUT",
        "cluster/switch_host",
        body={"cluster_uuid": "c", "host_uuid": "h"},
    ),
    Row(
        cluster.switch_host,
        ("c", "h"),
        "PUT",
        "cluster/switch_host",
        body={"cluster_uuid": "c", "host_uuid": "h", "hexagon_id": 1},
        keywords={"hexagon_id": 1},
    ),
    Row(task.create_train_task, ("t", "c", LINK, LINK), "POST", "task/train", body=TRAIN),
    Row(
        task.create_train_task,
        ("t", "c", LINK, LINK, 5, False),
        "POST",
        "task/train",
        body=TRAIN | {"time_length": 5},
    ),
    Row(
        task.create_train_task,
        ("t", "c", LINK, LINK),
        "POST",
        "task/train",
        body=TRAIN | {"time_length": 7, "number_of_epochs": 3},
        keywords={"time_length": 7, "number_of_epochs": 3},
    ),
    Row(
        task.create_train_task,
        ("t", "c", [{"dataset_uuid": "d", "dataset_column": "picture", "hexagon": "in"}], LINK),
        "POST",
        "task/train",
        body=TRAIN,
    ),
    Row(task.create_request_task, ("t", "c", LINK, RESULT), "POST", "task/request", body=REQUEST),
    Row(
        task.create_request_task,
        ("t", "c", LINK, RESULT),
        "POST",
        "task/request",
        body=REQUEST | {"time_length": 2},
        keywords={"timeLength": 2},
    ),
    Row(task.get_task, ("t", "c"), "GET", "task", {"uuid": "t", "cluster_uuid": "c"}),
    Row(task.list_tasks, ("c",), "GET", "task/all", {"cluster_uuid": "c"}),
    Row(task.delete_task, ("t", "c"), "DELETE", "task", {"uuid": "t", "cluster_uuid": "c"}),
    Row(checkpoint.get_checkpoint, ("k",), "GET", "checkpoint", {"uuid": "k"}),
    Row(checkpoint.list_checkpoints, (), "GET", "checkpoint/all"),
    Row(checkpoint.delete_checkpoint, ("k",), "DELETE", "checkpoint", {"uuid": "k"}),
    Row(hosts.list_hosts, (), "GET", "host/all"),
    Row(logs.list_audit_logs, ("u", 2), "GET", "audit_log", {"user_id": "u", "page": "2"}),
    Row(logs.list_audit_logs, (None, 0), "GET", "audit_log", {"page": "0"}),
    Row(logs.list_error_logs, ("u", 2), "GET", "error_log", {"user_id": "u", "page": "2"}),
    Row(logs.list_error_logs, ("", 0), "GET", "error_log", {"page": "0"}),
    *OURS,
]


@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{row.function.__name__}{row.arguments!r}")
def test_a_function_makes_the_request_of_the_contract_and_returns_the_body_as_bytes(
    stub, script, row
):
    script.answer(row.method, row.path, {"some": "answer"})
    result = row.function(TOKEN, stub.address, *row.arguments, **row.keywords)
    assert result == b'{"some": "answer"}'
    call = script.call(row.method, row.path)
    assert call.headers["X-Auth-Token"] == TOKEN
    assert "Content-Type" not in call.headers
    assert parse_qs(call.query) == {name: [value] for name, value in (row.query or {}).items()}
    if row.body is None:
        assert call.body == b""
    else:
        assert call.json == row.body


def test_every_public_function_ends_its_positional_arguments_with_verify_connection():
    modules = [checkpoint, cluster, dataset, hanami_token, hosts, logs, project, task, user]
    for module in modules:
        for name in module.__all__:
            parameters = inspect.signature(getattr(module, name)).parameters.values()
            positional = [p for p in parameters if p.kind is p.POSITIONAL_OR_KEYWORD]
            assert positional[-1].name == "verify_connection", name
            assert positional[-1].default is True, name


@pytest.mark.parametrize(
    ("arguments", "keywords"),
    [
        (("asdf", "asdfasdf"), {}),
        (("asdf",), {"pw": "asdfasdf"}),
        (("asdf",), {"passphrase": "asdfasdf"}),
        (("asdf",), {"password": "asdfasdf"}),
        (("asdf", "asdfasdf", False), {}),
    ],
)
def test_a_login_works_with_every_name_of_the_passphrase(stub, script, arguments, keywords):
    script.answer("POST", "token", {"token": TOKEN, "id": "asdf"})
    assert hanami_token.request_token(stub.address, *arguments, **keywords) == TOKEN
    call = script.call("POST", "token")
    assert call.json == {"id": "asdf", "passphrase": "YXNkZmFzZGY="}
    assert "X-Auth-Token" not in call.headers


@pytest.mark.parametrize("name", ["passphrase", "passwort", "password"])
def test_a_user_is_created_with_every_name_of_the_passphrase(stub, script, name):
    script.answer("POST", "user", {})
    keywords: dict[str, Any] = {name: "pässword"}
    user.create_user(TOKEN, stub.address, "u", "User", is_admin=True, **keywords)
    assert script.call("POST", "user").json == USER


def test_a_missing_or_doubled_passphrase_is_a_type_error(stub):
    with pytest.raises(TypeError, match="missing the argument passphrase / pw / password"):
        hanami_token.request_token(stub.address, "asdf")
    with pytest.raises(TypeError, match="several"):
        hanami_token.request_token(stub.address, "asdf", "one", pw="two")


def test_query_values_are_escaped_so_that_the_server_gets_exactly_them(stub, script):
    script.answer("GET", "dataset/content", {"data": []})
    column = "a b&c=d+e%/ü?"
    dataset.download_dataset_content(TOKEN, stub.address, "d", column, 1)
    query = script.call("GET", "dataset/content").query
    assert "+" not in query
    assert parse_qs(query)["column_name"] == [column]


def test_the_low_level_functions_take_ready_texts_and_mappings(stub, script):
    for method in ("GET", "DELETE", "POST", "PUT"):
        script.answer(method, "x", {})
    path = "/v1.0alpha/x"
    hanami_request.send_get_request(TOKEN, stub.address, path, "a=1&b=2", True)
    hanami_request.send_delete_request(TOKEN, stub.address, path, {"a": 1}, True)
    hanami_request.send_post_request(TOKEN, stub.address, path, json.dumps({"a": 1}), True)
    hanami_request.send_put_request(TOKEN, stub.address, path, {"a": "ü"}, True)
    assert [call.query for call in script.calls] == ["a=1&b=2", "a=1", "", ""]
    assert script.calls[2].json == {"a": 1}
    assert script.calls[3].json == {"a": "ü"}
