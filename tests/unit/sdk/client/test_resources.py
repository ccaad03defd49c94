"""Every call of the clients: what it sends, and what it makes of the answer."""

import base64
import importlib
import inspect
from typing import Any, NamedTuple
from urllib.parse import parse_qs

import pytest

from hanami_sdk import Client
from hanami_sdk.calls.measured import Caller, Core, HardwareThread, Machine, Package, Series
from hanami_sdk.client._sync import client as sync_client
from hanami_sdk.client._sync import direct, resources, tasks
from hanami_sdk.client.results import (
    AuditEntry,
    Checkpoint,
    Cluster,
    ClusterStats,
    ColumnRange,
    Dataset,
    DirectSteps,
    ErrorEntry,
    Host,
    ImportProgress,
    LearningPoint,
    Project,
    ProjectRole,
    Saved,
    Task,
    TaskRow,
    UploadedFile,
    UploadProgress,
    User,
)

OWNED: dict[str, Any] = {
    "uuid": "u", "name": "n", "owner_id": "o", "project_id": "p", "visibility": "private",
    "created_at": "now",
}  # fmt: skip
ROLE = {"project_id": "p", "role": "member", "is_project_admin": False}
USER = {"id": "u1", "name": "N", "is_admin": False, "projects": [ROLE], "creator_id": "asdf"}
TASK = {"uuid": "t", "state": "active", "current_cycle": 3, "total_number_of_cycles": 12}
SERIES: dict[str, list[float]] = {"seconds": [1.0], "minutes": [2], "hours": [3], "days": [4]}
DESCRIPTION = {"label": {"column_start": 4, "column_end": 6}}


def listed(*rows: dict[str, Any]) -> dict[str, Any]:
    return {"header": list(rows[0]), "body": [list(row.values()) for row in rows]}


class Row(NamedTuple):
    """A call, the request it must make, the answer, and what must come back."""

    name: str
    arguments: tuple[Any, ...]
    method: str
    path: str
    sent: dict[str, Any]
    answer: dict[str, Any]
    result: Any
    keywords: dict[str, Any] = {}  # noqa: RUF012  # never changed


ROWS = [
    Row(
        "users.create", ("u1", "N", "säcret"), "POST", "user",
        {"id": "u1", "name": "N", "is_admin": False,
         "passphrase": base64.b64encode("säcret".encode()).decode()},
        USER, User(id="u1", name="N", is_admin=False, creator_id="asdf",
                   projects=[ProjectRole(**ROLE)]),  # type: ignore[arg-type]
    ),
    Row("users.get", ("u1",), "GET", "user", {"id": "u1"}, {**USER, "projects": []},
        User(id="u1", name="N", is_admin=False, creator_id="asdf")),
    Row("users.list", (), "GET", "user/all", {}, listed({"id": "u", "name": "N", "is_admin": True}),
        [User(id="u", name="N", is_admin=True)]),
    Row("users.delete", ("u1",), "DELETE", "user", {"id": "u1"}, {}, None),
    Row("users.add_project", ("u1", "p"), "POST", "user/project",
        {"id": "u1", "project_id": "p", "role": "admin", "is_project_admin": True},
        {**USER, "projects": []}, User(id="u1", name="N", is_admin=False, creator_id="asdf"),
        {"role": "admin", "is_project_admin": True}),
    Row("users.remove_project", ("u1", "p"), "DELETE", "user/project",
        {"id": "u1", "project_id": "p"}, {**USER, "projects": []},
        User(id="u1", name="N", is_admin=False, creator_id="asdf")),
    Row("users.list_projects", (), "GET", "user/project", {}, {"projects": [ROLE]},
        [ProjectRole(project_id="p", role="member", is_project_admin=False)]),
    Row("users.list_projects", ("u1",), "GET", "user/project", {"user_id": "u1"},
        {"projects": []}, []),
    Row("projects.create", ("p", "P"), "POST", "project", {"id": "p", "name": "P"},
        {"id": "p", "name": "P", "creator_id": "asdf"}, Project(id="p", name="P", creator_id="asdf")),
    Row("projects.get", ("p",), "GET", "project", {"id": "p"}, {"id": "p", "name": "P"},
        Project(id="p", name="P")),
    Row("projects.list", (), "GET", "project/all", {}, listed({"id": "p", "name": "P"}),
        [Project(id="p", name="P")]),
    Row("projects.delete", ("p",), "DELETE", "project", {"id": "p"}, {}, None),
    Row("projects.delete", ("p",), "DELETE", "project", {"id": "p", "force": "true"}, {}, None,
        {"force": True}),
    Row("logs.audit", (2,), "GET", "audit_log", {"page": "2"},
        listed({"created_at": "t", "user_id": "u", "endpoint": "e", "request_type": "POST"}),
        [AuditEntry(created_at="t", user_id="u", endpoint="e", request_type="POST")]),
    Row("logs.errors", (), "GET", "error_log", {"page": "0", "user_id": "u"},
        listed({"created_at": "t", "user_id": "u", "component": "", "context": "",
                "input_values": {"a": 1}, "message": "m"}),
        [ErrorEntry(created_at="t", user_id="u", message="m", input_values={"a": 1})],
        {"user_id": "u"}),
    Row("datasets.get", ("u",), "GET", "dataset", {"uuid": "u"},
        OWNED | {"description": DESCRIPTION, "number_of_rows": 7, "number_of_columns": 6,
                 "version": "v1.0alpha", "field_of_a_newer_server": [1]},
        Dataset(**OWNED, description={"label": ColumnRange(
            column_start=4, column_end=6)}, number_of_rows=7, number_of_columns=6,
            version="v1.0alpha")),
    Row("datasets.list", (), "GET", "dataset/all", {}, listed(OWNED), [Dataset(**OWNED)]),
    Row("datasets.delete", (Dataset(**OWNED),), "DELETE", "dataset", {"uuid": "u"}, {}, None),
    Row("datasets.check", ("d", "r"), "GET", "dataset/check", {"uuid": "d", "reference_uuid": "r"},
        {"accuracy": 92.02}, 92.02),
    Row("datasets.upload_progress", ("d",), "GET", "dataset/progress", {"uuid": "d"},
        {"complete": True, "uuid": "d", "state": "importing", "files": [],
         "importing": {"read_bytes": 1, "size_bytes": 2}},
        UploadProgress(complete=True, uuid="d", state="importing",
                       importing=ImportProgress(read_bytes=1, size_bytes=2))),
    Row("datasets.get_upload", ("f",), "GET", "dataset/upload", {"uuid": "f"},
        {"uuid": "f", "complete": False, "size_bytes": 9, "received_bytes": 4,
         "missing": [[4, 9]]},
        UploadedFile(uuid="f", complete=False, size_bytes=9, received_bytes=4, missing=[(4, 9)])),
    Row("clusters.create", ("n", "tämplate"), "POST", "cluster",
        {"name": "n", "template": base64.b64encode("tämplate".encode()).decode()}, OWNED,
        Cluster(**OWNED)),
    Row("clusters.create", ("n",), "POST", "cluster", {"name": "n"}, OWNED, Cluster(**OWNED)),
    Row("clusters.create", ("n",), "POST", "cluster", {"name": "n", "checkpoint_uuid": "k"}, OWNED,
        Cluster(**OWNED), {"checkpoint": Saved(uuid="k", name="point")}),
    Row("clusters.create", ("n",), "POST", "cluster",
        {"name": "n", "source_cluster_uuid": "u", "source_task_uuid": "t", "source_cycle": 7},
        OWNED, Cluster(**OWNED),
        {"source": Cluster(**OWNED), "source_task": "t", "source_cycle": 7}),
    Row("clusters.rename", ("u", "m"), "PUT", "cluster/rename", {"uuid": "u", "name": "m"}, OWNED,
        Cluster(**OWNED)),
    Row("clusters.copy", ("u", "m"), "POST", "cluster/copy", {"cluster_uuid": "u", "name": "m"},
        OWNED, Cluster(**OWNED)),
    Row("clusters.stats", ("u",), "GET", "cluster/stats", {"uuid": "u"},
        {"uuid": "u", "mode": "TASK", "running_error_history": [[4, 0.5]],
         "sessions": [{"uuid": "s", "steps": 3}]},
        ClusterStats(uuid="u", mode="TASK", running_error_history=[(4, 0.5)],
                     sessions=[DirectSteps(uuid="s", steps=3)])),
    Row("clusters.history", ("u",), "GET", "cluster/history",
        {"uuid": "u", "task_uuid": "t", "number_of_rows": "5"},
        listed({"time": "now", "task_uuid": "t", "cycle": 3, "running_error": 0.25}),
        [LearningPoint(time="now", task_uuid="t", cycle=3, running_error=0.25)],
        {"task": "t", "rows": 5}),
    Row("clusters.get", ("u",), "GET", "cluster", {"uuid": "u"}, OWNED | {"number_of_blocks": 5},
        Cluster(**OWNED, number_of_blocks=5)),
    Row("clusters.list", (), "GET", "cluster/all", {}, listed(OWNED, OWNED),
        [Cluster(**OWNED), Cluster(**OWNED)]),
    Row("clusters.delete", (Cluster(**OWNED),), "DELETE", "cluster", {"uuid": "u"}, {}, None),
    Row("clusters.save", ("u", "point"), "POST", "cluster/save",
        {"cluster_uuid": "u", "name": "point"}, {"uuid": "c", "name": "point"},
        Saved(uuid="c", name="point")),
    Row("clusters.restore", (Cluster(**OWNED), Saved(uuid="c", name="point")), "POST",
        "cluster/load", {"cluster_uuid": "u", "checkpoint_uuid": "c"}, {"uuid": "t"}, "t"),
    Row("clusters.set_mode", ("u", "DIRECT"), "PUT", "cluster/set_mode",
        {"uuid": "u", "new_state": "DIRECT"}, {"new_state": "DIRECT"}, None),
    Row("clusters.switch_host", ("u", Host(uuid="h", type="cpu")), "PUT", "cluster/switch_host",
        {"cluster_uuid": "u", "host_uuid": "h"}, OWNED, Cluster(**OWNED)),
    Row("checkpoints.get", ("u",), "GET", "checkpoint", {"uuid": "u"}, OWNED, Checkpoint(**OWNED)),
    Row("checkpoints.list", (), "GET", "checkpoint/all", {}, listed(OWNED), [Checkpoint(**OWNED)]),
    Row("checkpoints.delete", ("u",), "DELETE", "checkpoint", {"uuid": "u"}, {}, None),
    Row("hosts.list", (), "GET", "host/all", {}, listed({"uuid": "h", "type": "cpu"}),
        [Host(uuid="h", type="cpu")]),
    Row("system.caller", (), "GET", "auth", {},
        {"id": "asdf", "name": "A", "is_admin": True, "project_id": "admin", "role": "admin",
         "is_project_admin": True},
        Caller(id="asdf", name="A", is_admin=True, project_id="admin", role="admin",
               is_project_admin=True)),
    Row("system.info", (), "GET", "system_info", {},
        {"info": {"hostname": "vm", "has_hyperthreading": False,
                  "packages": [{"id": 0, "cores": [{"id": 1, "threads": [{"id": 2}]}]}]}},
        Machine(hostname="vm", has_hyperthreading=False, packages=[
            Package(id=0, cores=[Core(id=1, threads=[HardwareThread(id=2)])])])),
    Row("system.threads", (), "GET", "threading", {}, {"thread_map": {"main": [0]}}, {"main": [0]}),
    Row("system.power", (), "GET", "power_consumption", {}, {"power": SERIES}, Series(**SERIES)),
    Row("system.speed", (), "GET", "speed", {}, {"current_speed": SERIES}, Series(**SERIES)),
    Row("system.temperature", (), "GET", "temperature_production", {}, {"temperature": SERIES},
        Series(**SERIES)),
    Row("tasks.create_train", ("c",), "POST", "task/train",
        {"name": "train", "cluster_uuid": "c", "number_of_epochs": 2,
         "inputs": [{"hexagon_name": "in", "dataset_uuid": "d", "dataset_column": "picture"}],
         "outputs": [{"hexagon_name": "out", "dataset_uuid": "d", "dataset_column": "label"}]},
        TASK, Task(uuid="t", state="active", current_cycle=3, total_number_of_cycles=12),
        {"inputs": {"in": ("d", "picture")}, "outputs": {"out": "d:label"}, "epochs": 2}),
    Row("tasks.create_request", (Cluster(**OWNED),), "POST", "task/request",
        {"name": "ask", "cluster_uuid": "u", "time_length": 3,
         "inputs": [{"hexagon_name": "in", "dataset_uuid": "d", "dataset_column": "picture"}],
         "results": [{"hexagon_name": "out", "dataset_column": "answer"}]},
        TASK, Task(uuid="t", state="active", current_cycle=3, total_number_of_cycles=12),
        {"inputs": [{"hexagon": "in", "dataset_uuid": "d", "dataset_column": "picture"}],
         "results": {"out": "answer"}, "name": "ask", "time_length": 3}),
    Row("tasks.get", ("c", "t"), "GET", "task", {"uuid": "t", "cluster_uuid": "c"}, TASK,
        Task(uuid="t", state="active", current_cycle=3, total_number_of_cycles=12)),
    Row("tasks.list", ("c",), "GET", "task/all", {"cluster_uuid": "c"},
        listed({"uuid": "t", "state": "active", "percentage": "0.250000", "queued": "q",
                "start": "s", "end": "-"}),
        [TaskRow(uuid="t", state="active", percentage=0.25, queued="q", start="s")]),
    Row("tasks.pause", ("c", "t"), "PUT", "task/pause", {"uuid": "t", "cluster_uuid": "c"},
        {"uuid": "t", "state": "paused"}, Task(uuid="t", state="paused")),
    Row("tasks.resume", ("c", "t"), "PUT", "task/resume", {"uuid": "t", "cluster_uuid": "c"},
        {"uuid": "t", "state": "active"}, Task(uuid="t", state="active")),
    Row("tasks.abort", ("c", "t"), "PUT", "task/abort", {"uuid": "t", "cluster_uuid": "c"},
        {"uuid": "t", "state": "aborted"}, Task(uuid="t", state="aborted")),
    Row("tasks.delete", ("c", "t"), "DELETE", "task", {"uuid": "t", "cluster_uuid": "c"}, {}, None),
]  # fmt: skip


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_a_call_sends_what_the_interface_has_and_returns_typed_results(client, script, row):
    script.answer(row.method, row.path, row.answer)
    assert client.call(row.name, *row.arguments, **row.keywords) == row.result
    call = script.call(row.method, row.path)
    if row.method in {"POST", "PUT"}:
        assert (call.json, call.query) == (row.sent, "")
    else:
        sent = {name: values[0] for name, values in parse_qs(call.query).items()}
        assert (sent, call.body) == (row.sent, b"")


RESOURCES = ("users", "projects", "datasets", "clusters", "tasks", "checkpoints", "hosts", "logs",
             "system")  # fmt: skip


def methods(kind: type) -> dict[str, Any]:
    return {
        name: value
        for base in reversed(kind.__mro__)
        for name, value in vars(base).items()
        if inspect.isfunction(value) and not name.startswith("_")
    }


def test_every_method_has_a_row():
    with Client("http://127.0.0.1:1", token="t") as client:
        names = {
            f"{resource}.{name}"
            for resource in RESOURCES
            for name in methods(type(getattr(client, resource)))
        }
    elsewhere = {
        "datasets.read", "datasets.download", "datasets.upload_mnist", "datasets.upload_csv",
        "datasets.resume_upload", "datasets.report", "users.change_passphrase",
        "checkpoints.download", "checkpoints.upload",
    }  # fmt: skip
    assert names - {row.name for row in ROWS} == elsewhere


TWINS = [
    getattr(module, name)
    for module in (sync_client, direct, resources, tasks)
    for name in module.__all__
    if name[0].isupper()
]


def arguments(function: Any) -> list[tuple[Any, ...]]:
    parameters = inspect.signature(function).parameters.values()
    return [(one.name, one.kind, one.default) for one in parameters]


@pytest.mark.parametrize("kind", TWINS)
def test_both_clients_have_the_same_methods_with_the_same_arguments(kind):
    twin_module = importlib.import_module(kind.__module__.replace("_sync", "_async"))
    waiting, awaited = methods(kind), methods(getattr(twin_module, f"Async{kind.__name__}"))
    assert waiting.keys() == awaited.keys()
    for name, value in waiting.items():
        assert arguments(value) == arguments(awaited[name])


def test_both_clients_have_the_same_resources(make_client):
    client = make_client(token="t").client
    assert {name for name in vars(client) if not name.startswith("_")} == {"session", *RESOURCES}


def test_a_call_explains_itself(client):
    method = client.client.users.add_project
    assert list(inspect.signature(method).parameters) == [
        "user_id", "project_id", "role", "is_project_admin",
    ]  # fmt: skip
    assert method.__name__ == "add_project"
    assert method.__doc__.startswith("Let a user work in a project")


@pytest.mark.parametrize(
    "links", [{"in": 7}, {"in": "no colon"}, {"in": ("d",)}, {"in": (7, "column")}]
)
def test_links_that_make_no_sense_are_a_type_error_before_anything_is_sent(client, script, links):
    with pytest.raises(TypeError, match="'in' needs"):
        client.call("train", "c", inputs=links, outputs={})
    assert script.calls == []


def test_texts_in_queries_are_escaped(client, script):
    script.answer("DELETE", "project", {})
    client.call("projects.delete", "a b&c=d/ä")
    query = script.call("DELETE", "project").query
    assert query == "id=a%20b%26c%3Dd%2F%C3%A4"
