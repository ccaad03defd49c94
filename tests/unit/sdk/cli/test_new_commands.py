"""The commands that the original program does not have."""

import json
import subprocess
import threading
from urllib.parse import parse_qs

import pytest

from tests.unit.sdk.cli.test_failures import CHILD
from tests.unit.sdk.stub_server import TOKEN

ROLE = {"project_id": "proj", "role": "member", "is_project_admin": False}
USER = {"id": "usr", "name": "n", "is_admin": False, "projects": [ROLE], "creator_id": "asdf"}
LISTING = {"header": ["uuid", "type"], "body": [["h", "cpu"]]}
CLUSTER = {"uuid": "c", "name": "n", "visibility": "private", "trained_cycles": 17}


def sent(server, path):
    return [call for call in server.calls if call.path == path]


def test_a_project_is_given_to_a_user_and_taken_away(server, hanamictl):
    server.answer("POST", "user/project", USER)
    server.answer("DELETE", "user/project", USER | {"projects": []})
    outcome = hanamictl("user", "project", "add", "usr", "-p", "proj", "--is_project_admin")
    assert outcome.status == 0
    assert "| PROJECTS   | [map[is_project_admin:false" in outcome.out
    assert server.call("POST", "user/project").json == {
        "id": "usr", "project_id": "proj", "role": "member", "is_project_admin": True,
    }  # fmt: skip
    outcome = hanamictl("user", "project", "remove", "usr", "-p", "proj")
    assert "| PROJECTS   | []" in outcome.out
    assert server.call("DELETE", "user/project").query == "project_id=proj&id=usr"


@pytest.mark.parametrize(("flags", "query"), [([], ""), (["-u", "usr"], "user_id=usr")])
def test_projects_of_a_user_are_a_table_or_the_answer_as_json(server, hanamictl, flags, query):
    server.answer("GET", "user/project", {"projects": [ROLE]})
    assert hanamictl("user", "project", "list", *flags).out == (
        "+------------+--------+------------------+\n"
        "| PROJECT ID |  ROLE  | IS PROJECT ADMIN |\n"
        "+------------+--------+------------------+\n"
        "| proj       | member | false            |\n"
        "+------------+--------+------------------+\n"
    )
    assert json.loads(hanamictl("user", "project", "list", "-j", *flags).out) == {
        "projects": [ROLE]
    }
    assert {call.query for call in sent(server, "user/project")} == {query}


def test_switching_prints_what_the_shell_has_to_do(server, hanamictl):
    server.answer("PUT", "token", {"id": "asdf", "token": "new.token"})
    assert hanamictl("project", "switch", "proj") == (0, "export HANAMI_PROJECT=proj\n", "")
    assert server.call("PUT", "token").json == {"project_id": "proj"}
    assert json.loads(hanamictl("project", "switch", "proj", "-j").out)["token"] == "new.token"


def test_switching_with_a_token_prints_the_next_one(server, hanamictl, environment):
    environment(TOKEN="given.token")
    server.answer("PUT", "token", {"id": "asdf", "token": "new.token"})
    assert hanamictl("project", "switch", "proj").out == "export HANAMI_TOKEN=new.token\n"
    assert server.call("PUT", "token").headers["X-Auth-Token"] == "given.token"


def test_a_project_that_is_not_assigned_cannot_be_switched_to(server, hanamictl):
    server.answer("PUT", "token", "user asdf is not assigned to proj", status=401)
    outcome = hanamictl("project", "switch", "proj")
    assert outcome == (1, "status 401: err user asdf is not assigned to proj\n", "")


def test_commands_work_in_the_project_of_the_environment(server, hanamictl, environment):
    environment(PROJECT="proj")
    server.answer("PUT", "token", {"id": "asdf", "token": "token.of.proj"})
    server.answer("GET", "host/all", LISTING)
    assert hanamictl("host", "list").status == 0
    assert server.call("GET", "host/all").headers["X-Auth-Token"] == "token.of.proj"


def test_a_token_of_the_environment_saves_the_login(server, hanamictl, environment, monkeypatch):
    environment(TOKEN="given.token")
    monkeypatch.delenv("HANAMI_USER")
    monkeypatch.delenv("HANAMI_PASSPHRASE")
    server.answer("GET", "host/all", LISTING)
    assert hanamictl("host", "list").status == 0
    assert sent(server, "token") == []
    assert server.call("GET", "host/all").headers["X-Auth-Token"] == "given.token"


def test_a_project_with_resources_is_deleted_with_force(server, hanamictl):
    server.answer("DELETE", "project", {})
    outcome = hanamictl("project", "delete", "proj", "--force")
    assert outcome.out == "successfully deleted project 'proj'\n"
    assert server.call("DELETE", "project").query == "id=proj&force=true"


def test_the_own_passphrase_is_changed(server, hanamictl, environment, monkeypatch):
    server.answer("PUT", "user/passphrase", {"token": "new.token"})
    outcome = hanamictl("user", "passphrase", "-n", "new secret")
    assert (outcome.status, outcome.out) == (0, "successfully changed passphrase of 'asdf'\n")
    assert server.call("PUT", "user/passphrase").json == {
        "passphrase": "YXNkZmFzZGY=", "new_passphrase": "bmV3IHNlY3JldA==",
    }  # fmt: skip
    environment(TOKEN="given.token")
    outcome = hanamictl("user", "passphrase", "-n", "new secret")
    assert outcome.out == "Error: HANAMI_PASSPHRASE is needed, HANAMI_TOKEN is not enough\n"


@pytest.mark.parametrize(
    ("line", "path", "row", "query"),
    [
        ("logs audit", "audit_log", ["now", "asdf", "v1.0alpha/project", "POST"], "page=0"),
        ("logs audit -p 3 -u usr", "audit_log", ["now", "usr", "x", "PUT"], "user_id=usr&page=3"),
        ("logs errors", "error_log", ["now", "asdf", {"a": 1}, "broken"], "page=0"),
    ],
)
def test_logs_are_tables(server, hanamictl, line, path, row, query):
    last = ["input_values", "message"] if path == "error_log" else ["endpoint", "request_type"]
    server.answer("GET", path, {"header": ["created_at", "user_id", *last], "body": [row]})
    outcome = hanamictl(*line.split())
    assert outcome.status == 0
    titles = [name.upper().replace("_", " ") for name in last]
    assert all(title in outcome.out for title in ["CREATED AT", "USER ID", *titles])
    assert server.call("GET", path).query == query


def test_a_cluster_is_moved_and_its_mode_changed(server, hanamictl):
    server.answer("PUT", "cluster/switch_host", CLUSTER)
    server.answer("PUT", "cluster/set_mode", CLUSTER | {"new_state": "DIRECT"})
    assert hanamictl("cluster", "host", "c", "-H", "h").status == 0
    assert server.call("PUT", "cluster/switch_host").json == {"cluster_uuid": "c", "host_uuid": "h"}
    assert "| NEW STATE | DIRECT |" in hanamictl("cluster", "mode", "c", "-m", "direct").out
    assert server.call("PUT", "cluster/set_mode").json == {"uuid": "c", "new_state": "DIRECT"}
    outcome = hanamictl("cluster", "mode", "c", "-m", "fast")
    assert outcome == (1, "Error: mode is 'fast'; it must be task or direct\n", "")


def test_the_figures_of_a_cluster_are_all_plain_ones_that_the_server_has(server, hanamictl):
    stats = {"mode": "TASK", "uuid": "c", "trained_cycles": 17, "sessions": []}
    server.answer("GET", "cluster/stats", stats)
    assert hanamictl("cluster", "stats", "c").out == (
        "+----------------+------+\n"
        "| UUID           | c    |\n"
        "| MODE           | TASK |\n"
        "| TRAINED CYCLES | 17   |\n"
        "+----------------+------+\n"
    )
    assert json.loads(hanamictl("cluster", "stats", "c", "-j").out) == stats


@pytest.mark.parametrize(
    ("flags", "query"),
    [
        ([], "uuid=c&number_of_rows=1000"),
        (["-t", "t", "-n", "5"], "uuid=c&number_of_rows=5&task_uuid=t"),
    ],
)
def test_the_learning_of_a_cluster_is_a_table(server, hanamictl, flags, query):
    listing = {"header": ["time", "running_error"], "body": [["now", 0.25]]}
    server.answer("GET", "cluster/history", listing)
    outcome = hanamictl("cluster", "history", "c", *flags)
    assert "| TIME | RUNNING ERROR |" in outcome.out
    assert server.call("GET", "cluster/history").query == query


@pytest.mark.parametrize(
    ("line", "method", "path", "body"),
    [
        ("cluster rename c -n other", "PUT", "cluster/rename", {"uuid": "c", "name": "other"}),
        ("cluster copy c -n twin", "POST", "cluster/copy", {"cluster_uuid": "c", "name": "twin"}),
        ("cluster copy c -n twin -t t --cycle 7", "POST", "cluster",
         {"name": "twin", "source_cluster_uuid": "c", "source_task_uuid": "t", "source_cycle": 7}),
        ("cluster create n -c k", "POST", "cluster", {"name": "n", "checkpoint_uuid": "k"}),
    ],
)  # fmt: skip
def test_clusters_are_renamed_copied_and_made_of_checkpoints(
    server, hanamictl, line, method, path, body
):
    server.answer(method, path, CLUSTER)
    assert "| VISIBILITY | private |" in hanamictl(*line.split()).out
    assert server.call(method, path).json == body


def test_a_cluster_does_not_begin_with_two_things(server, hanamictl):
    outcome = hanamictl("cluster", "create", "n", "-c", "k", "-t", "t")
    assert outcome.status == 1
    assert outcome.out == "a cluster begins with a template or a checkpoint, not with both\n"
    assert server.calls == []


def task(state, **more):
    return {"uuid": "t", "state": state, "current_cycle": 4, "total_number_of_cycles": 9} | more


def test_a_task_is_waited_for(server, hanamictl):
    server.answer("GET", "task", task("active"))
    server.answer("GET", "task", task("finished"))
    outcome = hanamictl("task", "wait", "t", "-c", "c")
    assert outcome.status == 0
    assert "| STATE                  | finished" in outcome.out
    server.answers[("GET", "task")] = [(200, task("failed", reason="no column"), {})]
    outcome = hanamictl("task", "wait", "t", "-c", "c")
    assert (outcome.status, outcome.err) == (1, "task failed: no column\n")


@pytest.mark.parametrize(
    ("shown", "said"),
    [
        (task("failed", reason="no column"), "task failed: no column\n"),
        (task("queued", reason="no kernels"), "task queued: no kernels\n"),
        (
            task("active", estimated_end_timestamp="2026-11-22 00:25:18"),
            "estimated end: 2026-11-22 00:25:18\n",
        ),
        (task("finished", reason="", estimated_end_timestamp="-"), ""),
        (task("finished"), ""),
    ],
)
def test_a_task_tells_its_reason_and_end_beside_the_table(server, hanamictl, shown, said):
    server.answer("GET", "task", shown)
    outcome = hanamictl("task", "get", "t", "-c", "c")
    assert (outcome.status, outcome.err) == (0, said)
    assert [line[2:7] for line in outcome.out.split("\n")[1:3]] == ["UUID ", "STATE"]
    server.answers[("GET", "task")] = [(200, shown, {})]
    outcome = hanamictl("task", "get", "t", "-c", "c", "-j")
    assert (json.loads(outcome.out), outcome.err) == (shown, "")


@pytest.mark.parametrize(
    ("command", "state"), [("pause", "paused"), ("resume", "active"), ("abort", "aborted")]
)
def test_a_task_is_paused_resumed_and_aborted(server, hanamictl, command, state):
    server.answer("PUT", f"task/{command}", task(state))
    outcome = hanamictl("task", command, "t", "-c", "c")
    assert f"| STATE                  | {state}" in outcome.out
    sent_body = server.call("PUT", f"task/{command}").json
    assert sent_body == {"uuid": "t", "cluster_uuid": "c"}


def test_a_dataset_is_written_to_a_file(server, hanamictl, tmp_path):
    server.answer("GET", "dataset/download", b"a\n1\n")
    path = tmp_path / "all.csv"
    outcome = hanamictl(
        "dataset",
        "download",
        "d",
        "-f",
        str(path),
        "-c",
        "a",
        "-c",
        "b",
        "-n",
        "5",
        "-o",
        "2",
        "-j",
    )
    assert json.loads(outcome.out) == {"uuid": "d", "path": str(path), "size_bytes": 4}
    assert path.read_bytes() == b"a\n1\n"
    assert parse_qs(server.call("GET", "dataset/download").query) == {
        "uuid": ["d"], "format": ["csv"], "column": ["a,b"], "row_offset": ["2"],
        "number_of_rows": ["5"],
    }  # fmt: skip
    outcome = hanamictl("dataset", "download", "d", "-f", str(path), "--format", "xls")
    assert outcome.out == "Error: format is 'xls'; it must be csv or npy\n"
    outcome = hanamictl("dataset", "download", "d", "-f", "/nowhere/x")
    assert outcome.out.startswith("open /nowhere/x.part: no such file")


def test_a_checkpoint_is_written_to_a_file_and_uploaded_again(server, hanamictl, tmp_path):
    server.answer("GET", "checkpoint/download", b"\x00file")
    server.answer("POST", "checkpoint/upload", CLUSTER)
    path = tmp_path / "point"
    outcome = hanamictl("checkpoint", "download", "k", "-f", str(path), "-j")
    assert json.loads(outcome.out) == {"uuid": "k", "path": str(path), "size_bytes": 5}
    assert "| NAME       | n" in hanamictl("checkpoint", "upload", "name", "-f", str(path)).out
    assert server.call("POST", "checkpoint/upload").json == {"name": "name", "data": "AGZpbGU="}
    outcome = hanamictl("checkpoint", "upload", "name", "-f", "/nowhere/x")
    assert outcome.out == "open /nowhere/x: no such file or directory\n"
    outcome = hanamictl("checkpoint", "download", "k", "-f", "/nowhere/x")
    assert outcome.out.startswith("open /nowhere/x.part: no such file")


def test_a_report_is_three_tables(server, hanamictl):
    figures = {"precision": 0.5, "recall": 1.0, "f1": None, "support": 3}
    report = {
        "accuracy": 75.0, "number_of_rows": 4, "number_of_rows_without_class": 0,
        "mean_absolute_error": None, "root_mean_square_error": None,
        "classes": [figures], "confusion_matrix": [[3, 1]],
    }  # fmt: skip
    server.answer("GET", "dataset/report", report)
    line = ["dataset", "report", "d", "-r", "ref", "-c", "answer"]
    assert hanamictl(*line).out == (
        "+------------------------------+----+\n"
        "| ACCURACY                     | 75 |\n"
        "| NUMBER OF ROWS               | 4  |\n"
        "| NUMBER OF ROWS WITHOUT CLASS | 0  |\n"
        "+------------------------------+----+\n"
        "+-------+-----------+----------+----+---------+\n"
        "| CLASS | PRECISION |  RECALL  | F1 | SUPPORT |\n"
        "+-------+-----------+----------+----+---------+\n"
        "| 0     | 0.500000  | 1.000000 | -  | 3       |\n"
        "+-------+-----------+----------+----+---------+\n"
        "rows: what it is, columns: what the result says\n"
        "+---+---+---+\n"
        "|   | 0 | 1 |\n"
        "+---+---+---+\n"
        "| 0 | 3 | 1 |\n"
        "+---+---+---+\n"
    )
    assert json.loads(hanamictl(*line, "-j").out) == report
    server.answers[("GET", "dataset/report")] = [
        (200, report | {"classes": [], "confusion_matrix": [], "mean_absolute_error": 0.5}, {})
    ]
    assert "| MEAN ABSOLUTE ERROR          | 0.5 |" in hanamictl(*line).out


@pytest.fixture
def upload(server, tmp_path):
    server.answer("POST", "dataset/upload/csv", {"uuid": "d", "uuid_input_file": "i"})
    server.answer("PUT", "dataset/upload/csv", {"uuid": "d"})
    server.answer("GET", "dataset", {"uuid": "d", "name": "n"})
    path = tmp_path / "data.csv"
    path.write_bytes(b"a,b\n1,2\n")
    return path


def test_an_interrupted_upload_is_resumed(server, hanamictl, upload):
    file = {"uuid": "i", "role": "input", "size_bytes": 8, "received_bytes": 4, "complete": False}
    server.answers[("GET", "dataset/progress")] = [
        (200, {"complete": False, "files": [file]}, {}), (200, {"complete": True}, {}),
    ]  # fmt: skip
    left = {"uuid": "i", "complete": False, "size_bytes": 8, "received_bytes": 4}
    server.answers[("GET", "dataset/upload")] = [
        (200, left | {"missing": [[4, 8]]}, {}), (200, left | {"missing": []}, {}),
    ]  # fmt: skip
    outcome = hanamictl("dataset", "resume", "d", "-i", str(upload))
    assert (outcome.status, outcome.err) == (0, "")
    assert "| UUID              | d " in outcome.out
    assert server.files["i"] == bytes(4) + b"1,2\n"


def test_a_connection_that_stays_broken_says_how_to_go_on(server, hanamictl, upload):
    server.close_after_chunks = 0
    left = {"uuid": "i", "complete": False, "size_bytes": 8, "received_bytes": 0}
    server.answer("GET", "dataset/upload", left | {"missing": [[0, 8]]})
    outcome = hanamictl("dataset", "create", "csv", "-i", str(upload), "n")
    assert outcome.status == 1
    assert outcome.out.startswith("the upload of dataset d was interrupted: ")
    assert outcome.err == f"go on with `hanamictl dataset resume -i {upload} d`\n"


def test_ctrl_c_while_uploading_says_how_to_go_on(server, upload):
    # Nothing is answered before more chunks have come than there are.
    server.hold_acknowledgements_until = 99
    sending = threading.Event()
    server.on_chunk = sending.set
    child = subprocess.Popen(
        [*CHILD, "dataset", "create", "csv", "-i", str(upload), "n"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert sending.wait(20)
    child.send_signal(2)
    out, err = child.communicate(timeout=20)
    assert (child.returncode, out) == (130, b"")
    assert err.decode() == f"go on with `hanamictl dataset resume -i {upload} d`\n"
    assert not [call for call in server.calls if call.method == "DELETE"]


def test_the_token_of_a_long_upload_is_used_afterwards(server, hanamictl, upload):
    server.answer("GET", "dataset/progress", {"complete": True})
    server.answers[("POST", "token")] = [
        (200, {"token": TOKEN}, {}), (200, {"token": "second.token"}, {}),
    ]  # fmt: skip
    server.answers[("POST", "dataset/upload/csv")] = [
        (401, "token expired", {}), (200, {"uuid": "d", "uuid_input_file": "i"}, {}),
    ]  # fmt: skip
    assert hanamictl("dataset", "create", "csv", "-i", str(upload), "n").status == 0
    assert sent(server, "dataset")[-1].headers["X-Auth-Token"] == "second.token"
