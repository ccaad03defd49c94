"""Every command: what it asks the server for, and what it prints."""

import base64
import json
from typing import Any, NamedTuple
from urllib.parse import parse_qs

import pytest

from tests.unit.sdk.stub_server import TOKEN

LISTING = {"header": ["created_at", "uuid", "name"], "body": [["now", "u1", "first"]]}
PROJECT = {"id": "proj", "name": "My Project", "creator_id": "asdf", "created_at": "now"}
USER = PROJECT | {"is_admin": True, "projects": []}
CLUSTER = {
    "uuid": "c",
    "name": "n",
    "visibility": "private",
    "owner_id": "asdf",
    "project_id": "admin",
    "created_at": "now",
}
TASK = {
    "uuid": "t",
    "name": "task",
    "state": "queued",
    "current_cycle": 0,
    "total_number_of_cycles": 1000000,
    "queue_timestamp": "now",
    "start_timestamp": "-",
    "end_timestamp": "-",
}
LINK = {"dataset_uuid": "d", "dataset_column": "col", "hexagon_name": "hex"}


class Row(NamedTuple):
    """A command line, the request it must make, the answer and the fields it must print."""

    line: str
    method: str
    path: str
    answer: dict[str, Any]
    titles: tuple[str, ...]
    query: dict[str, str] = {}  # noqa: RUF012  # never changed
    body: dict[str, Any] | None = None


TASK_TITLES = (
    "UUID",
    "STATE",
    "CURRENT CYCLE",
    "TOTAL NUMBER OF CYCLES",
    "QUEUE TIMESTAMP",
    "START TIMESTAMP",
    "END TIMESTAMP",
)
CLUSTER_TITLES = ("UUID", "NAME", "VISIBILITY", "OWNER ID", "PROJECT ID", "CREATED AT")
CLUSTER_GET_TITLES = (
    "UUID",
    "NAME",
    "VISIBILITY",
    "OWNER ID",
    "NUMBER OF BLOCKS",
    "NUMBER OF SECTIONS",
    "PROJECT ID",
    "CREATED AT",
)
DATASET_TITLES = (
    "UUID",
    "NAME",
    "VERSION",
    "NUMBER OF COLUMNS",
    "NUMBER OF ROWS",
    "DESCRIPTION",
    "VISIBILITY",
    "OWNER ID",
    "PROJECT ID",
    "CREATED AT",
)
PROJECT_TITLES = ("ID", "NAME", "CREATOR ID", "CREATED AT")
USER_TITLES = ("ID", "NAME", "IS ADMIN", "PROJECTS", "CREATOR ID", "CREATED AT")
LIST_TITLES = ("UUID", "NAME", "CREATED AT")
TRAIN = {
    "name": "task",
    "cluster_uuid": "c",
    "inputs": [LINK],
    "outputs": [LINK],
    "time_length": 1,
}
REQUEST = {
    "name": "task",
    "cluster_uuid": "c",
    "inputs": [LINK],
    "results": [{"hexagon_name": "hex", "dataset_column": "out"}],
    "time_length": 1,
}

ROWS = [
    Row(
        "project create -n Name proj",
        "POST",
        "project",
        PROJECT,
        PROJECT_TITLES,
        body={"id": "proj", "name": "Name"},
    ),
    Row("project get proj", "GET", "project", PROJECT, PROJECT_TITLES, {"id": "proj"}),
    Row("project list", "GET", "project/all", LISTING, ("NAME", "CREATED AT")),
    Row(
        "user create usr -n Name --is_admin -p secret99",
        "POST",
        "user",
        USER,
        USER_TITLES,
        body={
            "id": "usr",
            "name": "Name",
            "is_admin": True,
            "passphrase": base64.b64encode(b"secret99").decode(),
        },
    ),
    Row(
        "user create usr -n=Name --password=secret99 --is_admin=false",
        "POST",
        "user",
        USER,
        USER_TITLES,
        body={
            "id": "usr",
            "name": "Name",
            "is_admin": False,
            "passphrase": base64.b64encode(b"secret99").decode(),
        },
    ),
    Row("user get usr", "GET", "user", USER, USER_TITLES, {"id": "usr"}),
    Row("user list", "GET", "user/all", LISTING, ("NAME", "CREATED AT")),
    Row("dataset get d", "GET", "dataset", CLUSTER, DATASET_TITLES, {"uuid": "d"}),
    Row("dataset list ignored extra", "GET", "dataset/all", LISTING, LIST_TITLES),
    Row(
        "dataset check -r ref d",
        "GET",
        "dataset/check",
        {"accuracy": 92.5},
        ("ACCURACY",),
        {"uuid": "d", "reference_uuid": "ref"},
    ),
    Row("cluster get c", "GET", "cluster", CLUSTER, CLUSTER_GET_TITLES, {"uuid": "c"}),
    Row("cluster list", "GET", "cluster/all", LISTING, LIST_TITLES),
    Row(
        "cluster save c --name n",
        "POST",
        "cluster/save",
        CLUSTER,
        ("UUID", "NAME"),
        body={"cluster_uuid": "c", "name": "n"},
    ),
    Row(
        "cluster restore c -c k",
        "POST",
        "cluster/load",
        CLUSTER,
        ("UUID",),
        body={"cluster_uuid": "c", "checkpoint_uuid": "k"},
    ),
    Row(
        "task create train -i d:col:hex -o d:col:hex -c c task",
        "POST",
        "task/train",
        TASK,
        TASK_TITLES,
        body=TRAIN,
    ),
    Row(
        "task create train task -i d:col:hex,d:col:hex -i d:col:hex -o d:col:hex --cluster c"
        " -t 4 --epochs 3",
        "POST",
        "task/train",
        TASK,
        TASK_TITLES,
        body=TRAIN | {"inputs": [LINK] * 3, "time_length": 4, "number_of_epochs": 3},
    ),
    Row(
        "task create request -i d:col:hex -r hex:out -c c task",
        "POST",
        "task/request",
        TASK,
        TASK_TITLES,
        body=REQUEST,
    ),
    Row("task get -c c t", "GET", "task", TASK, TASK_TITLES, {"uuid": "t", "cluster_uuid": "c"}),
    Row(
        "task list -c c",
        "GET",
        "task/all",
        {"header": ["uuid", "state", "percentage"], "body": [["t", "active", "0.5"]]},
        ("UUID", "STATE"),
        {"cluster_uuid": "c"},
    ),
    Row("checkpoint get k", "GET", "checkpoint", CLUSTER, CLUSTER_TITLES, {"uuid": "k"}),
    Row("checkpoint list", "GET", "checkpoint/all", LISTING, LIST_TITLES),
    Row(
        "host list",
        "GET",
        "host/all",
        {"header": ["uuid", "type"], "body": [["h", "cpu"]]},
        ("UUID", "TYPE"),
    ),
]


def titles_in(table: str, is_list: bool) -> tuple[str, ...]:
    lines = table.split("\n")
    if is_list:
        return tuple(cell.strip() for cell in lines[1].strip("|").split("|"))
    return tuple(line.split("|")[1].strip() for line in lines[1:-2])


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.line)
def test_a_command_makes_its_request_and_prints_its_fields(server, hanamictl, row):
    server.answer(row.method, row.path, row.answer)
    outcome = hanamictl(*row.line.split(" "))
    assert (outcome.status, outcome.err) == (0, "")
    assert titles_in(outcome.out, "header" in row.answer) == row.titles
    call = server.call(row.method, row.path)
    assert call.headers["X-Auth-Token"] == TOKEN
    assert {name: values[0] for name, values in parse_qs(call.query).items()} == row.query
    if row.body is not None:
        assert call.json == row.body


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.line)
@pytest.mark.parametrize("place", ["front", "middle", "end"])
def test_the_json_flag_works_anywhere_on_the_line(server, hanamictl, row, place):
    server.answer(row.method, row.path, row.answer)
    words = row.line.split(" ")
    index = {"front": 0, "middle": 1, "end": len(words)}[place]
    words.insert(index, "--json_output" if place == "middle" else "-j")
    outcome = hanamictl(*words)
    assert (outcome.status, outcome.err) == (0, "")
    assert json.loads(outcome.out) == row.answer
    assert outcome.out.startswith('{\n    "')


@pytest.mark.parametrize(
    ("line", "path", "kind", "name"),
    [
        ("project delete proj", "project", "project", "proj"),
        ("user delete usr", "user", "user", "usr"),
        ("dataset delete d", "dataset", "dataset", "d"),
        ("cluster delete c", "cluster", "cluster", "c"),
        ("task delete -c c t", "task", "task", "t"),
        ("checkpoint delete k", "checkpoint", "checkpoint", "k"),
    ],
)
@pytest.mark.parametrize("flags", [[], ["-j"]])
def test_a_deletion_is_confirmed_with_and_without_json(
    server, hanamictl, line, path, kind, name, flags
):
    server.answer("DELETE", path, {})
    outcome = hanamictl(*line.split(" "), *flags)
    assert outcome == (0, f"successfully deleted {kind} '{name}'\n", "")
    query = parse_qs(server.call("DELETE", path).query)
    assert name in (query.get("uuid") or query.get("id") or [])


def test_a_cluster_is_created_from_the_template_in_a_file(server, hanamictl, tmp_path):
    template = tmp_path / "template"
    template.write_text("version: 1\n")
    server.answer("POST", "cluster", CLUSTER)
    outcome = hanamictl("cluster", "create", "-t", str(template), "n")
    assert outcome.status == 0
    assert titles_in(outcome.out, False) == CLUSTER_TITLES
    body = server.call("POST", "cluster").json
    assert body == {"name": "n", "template": base64.b64encode(b"version: 1\n").decode()}


@pytest.mark.parametrize("kind", ["mnist", "csv"])
def test_a_dataset_is_uploaded_and_shown(server, hanamictl, tmp_path, kind):
    path = tmp_path / "file"
    path.write_bytes(b"a,b\n1,2\n")
    started = {"uuid": "d", "uuid_input_file": "i", "uuid_label_file": "l"}
    server.answer("POST", f"dataset/upload/{kind}", started)
    server.answer("GET", "dataset/progress", {"complete": True})
    server.answer("PUT", f"dataset/upload/{kind}", {"uuid": "d"})
    server.answer("GET", "dataset", CLUSTER | {"uuid": "d", "number_of_rows": 60000})
    flags = ["-i", str(path)] + (["-l", str(path)] if kind == "mnist" else [])
    outcome = hanamictl("dataset", "create", kind, *flags, "name")
    assert (outcome.status, outcome.err) == (0, "")
    assert titles_in(outcome.out, False) == DATASET_TITLES
    assert server.files["i"] == path.read_bytes()
    assert {call.query for call in server.calls if call.path == "dataset"} == {"uuid=d"}
    as_json = hanamictl("dataset", "create", kind, *flags, "name", "-j")
    assert json.loads(as_json.out)["number_of_rows"] == 60000


def test_content_is_a_table_of_values_or_only_the_rows_as_json(server, hanamictl):
    server.answer("GET", "dataset/content", {"data": [[0.25, 1.0], [0.5, 1e-9]]})
    outcome = hanamictl(*["dataset", "content", "-c", "col", "-o", "9", "-n", "2", "d"])
    assert outcome.out == (
        "+----+----------+----------+\n"
        "|    |    0     |    1     |\n"
        "+----+----------+----------+\n"
        "| 9  | 0.250000 | 1.000000 |\n"
        "| 10 | 0.500000 | 0.000000 |\n"
        "+----+----------+----------+\n"
    )
    query = parse_qs(server.call("GET", "dataset/content").query)
    assert query == {
        "uuid": ["d"],
        "column_name": ["col"],
        "number_of_rows": ["2"],
        "row_offset": ["9"],
    }
    as_json = hanamictl(*["dataset", "content", "-c", "col", "-o", "9", "-n", "2", "d", "-j"])
    assert as_json.out == (
        "[\n    [\n        0.25,\n        1\n    ],\n    [\n        0.5,\n        1e-9\n    ]\n]\n"
    )
    server.answers.clear()
    server.answer("POST", "token", {"token": TOKEN})
    server.answer("GET", "dataset/content", {"data": [[0.25]]})
    hanamictl(*["dataset", "content", "-c", "col", "-n", "1", "d"])
    assert parse_qs(server.calls[-1].query)["row_offset"] == ["0"]
