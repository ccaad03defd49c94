"""The shell script of the original's command line test, line for line, with our hanamictl.

Every step is one test and stands on the one before; the answers are read as ``jq`` reads them
there.
"""

import json
import os
import shlex
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from tests.journey import write_idx
from tests.protocol.test_contract_sequence import SETTINGS, TEMPLATES
from tests.server import ADMIN_ID, ADMIN_PASSPHRASE, ServerProcess

HANAMICTL = Path(sys.executable).with_name("hanamictl")
POLLS_MAX = 300


class Shell:
    """Runs hanamictl as a script does, and keeps what the script keeps in variables."""

    def __init__(self, variable: str, server: ServerProcess, folder: Path) -> None:
        known = {
            "HANAMI_ADDRESS": server.address,
            "HANAMI_USER": ADMIN_ID,
            variable: ADMIN_PASSPHRASE,
        }
        kept = {key: text for key, text in os.environ.items() if not key.startswith("HANAMI_")}
        self._environ = kept | known
        self.folder = folder
        self.template = folder / "cluster_template"
        self.template.write_text(SETTINGS + TEMPLATES["96c2dc89"])
        self.train_files = write_idx(folder, 400, seed=1)
        self.request_files = write_idx(folder, 150, seed=2)
        self.uuids: dict[str, str] = {}

    def run(self, line: str, *arguments: str) -> tuple[int, str]:
        """Return exit status and stdout; ``{name}`` in the line is a uuid kept before."""
        words = [word.format(**self.uuids) for word in shlex.split(line)]
        done = subprocess.run(
            [str(HANAMICTL), *words, *arguments],
            env=self._environ,
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )
        return done.returncode, done.stdout

    def ask(self, line: str, *arguments: str) -> dict[str, str]:
        """Return the JSON of a command that must succeed."""
        status, out = self.run(line, "-j", *arguments)
        assert status == 0, out
        shown: dict[str, str] = json.loads(out)
        return shown

    def rows(self, line: str) -> list[list[str]]:
        """Return ``.body`` of a list."""
        status, out = self.run(line, "-j")
        assert status == 0, out
        body: list[list[str]] = json.loads(out)["body"]
        return body

    def wait_for(self, name: str) -> None:
        for _ in range(POLLS_MAX):
            if self.ask(f"task get -c {{cluster}} {{{name}}}")["state"] == "finished":
                return
            threading.Event().wait(0.1)
        raise AssertionError(f"{name} does not finish")

    def upload(self, files: tuple[Path, Path], name: str) -> str:
        flags = ["-i", str(files[0]), "-l", str(files[1])]
        return self.ask("dataset create mnist", *flags, name)["uuid"]


@pytest.fixture(scope="module", params=["HANAMI_PASSPHRASE", "HANAMI_PW"])
def shell(request, tmp_path_factory):
    folder = tmp_path_factory.mktemp("cli-sequence")
    server = ServerProcess(folder / "data")
    server.start()
    yield Shell(request.param, server, folder)
    server.close()


def test_step_1_deleting_what_is_not_there_prints_404_and_fails(shell):
    for kind in ("project", "user"):
        status, out = shell.run(f"{kind} delete cli_test_{kind}")
        assert (status, out[:16]) == (1, "status 404: err ")
        assert f"cli_test_{kind}" in out


def test_step_2_projects(shell):
    created = shell.ask("project create cli_test_project -n 'cli test project'")
    assert created["name"] == "cli test project"
    assert shell.ask("project get cli_test_project")["id"] == "cli_test_project"
    assert [row[1] for row in shell.rows("project list")] == ["cli_test_project"]
    assert shell.run("project delete cli_test_project") == (
        0, "successfully deleted project 'cli_test_project'\n",
    )  # fmt: skip


def test_step_3_users(shell):
    created = shell.ask("user create -n 'cli test user' -p asdfasdfasdf cli_test_user")
    assert (created["id"], created["is_admin"]) == ("cli_test_user", False)
    assert shell.ask("user get cli_test_user")["name"] == "cli test user"
    assert "cli_test_user" in [row[1] for row in shell.rows("user list")]
    assert shell.run("user delete cli_test_user") == (
        0, "successfully deleted user 'cli_test_user'\n",
    )  # fmt: skip


def test_step_4_datasets(shell):
    uuid = shell.upload(shell.train_files, "cli_test_dataset")
    assert shell.ask(f"dataset get {uuid}")["name"] == "cli_test_dataset"
    # jq takes the name from the end of a row and the uuid from its second place.
    assert [(row[-1], row[1]) for row in shell.rows("dataset list")] == [("cli_test_dataset", uuid)]
    assert shell.run(f"dataset delete {uuid}") == (0, f"successfully deleted dataset '{uuid}'\n")


def test_step_5_clusters(shell):
    uuid = shell.ask(f"cluster create -t {shell.template} cli_test_cluster")["uuid"]
    assert shell.ask(f"cluster get {uuid}")["name"] == "cli_test_cluster"
    assert [(row[-1], row[1]) for row in shell.rows("cluster list")] == [("cli_test_cluster", uuid)]
    assert shell.run(f"cluster delete {uuid}") == (0, f"successfully deleted cluster '{uuid}'\n")


def test_step_6_training(shell):
    shell.uuids["train"] = shell.upload(shell.train_files, "cli_test_dataset_train")
    shell.uuids["request"] = shell.upload(shell.request_files, "cli_test_dataset_req")
    created = shell.ask(f"cluster create -t {shell.template} cli_test_cluster")
    shell.uuids["cluster"] = created["uuid"]
    links = "-i {train}:picture:picture_hex -o {train}:label:label_hex"
    created = shell.ask(f"task create train {links} -c {{cluster}} cli_train_test_task")
    assert (created["state"], created["uuid"] != "") == ("queued", True)
    shell.uuids["train_task"] = created["uuid"]
    shell.wait_for("train_task")
    assert [row[0] for row in shell.rows("task list -c {cluster}")] == [created["uuid"]]


def test_hosts_are_listed(shell):
    assert [row[1] for row in shell.rows("host list")] == ["cpu"]


def test_step_7_checkpoints(shell):
    first = shell.ask("cluster save -n cli_test_checkpoint {cluster}")["uuid"]
    shell.uuids["checkpoint"] = shell.ask("cluster save -n cli_test_checkpoint {cluster}")["uuid"]
    rows = [(row[-1], row[1]) for row in shell.rows("checkpoint list")]
    assert rows == [
        ("cli_test_checkpoint", first),
        ("cli_test_checkpoint", shell.uuids["checkpoint"]),
    ]
    assert shell.ask("checkpoint get {checkpoint}")["name"] == "cli_test_checkpoint"
    shell.run("cluster delete {cluster}")
    created = shell.ask(f"cluster create -t {shell.template} cli_test_cluster")
    shell.uuids["cluster"] = created["uuid"]
    assert shell.ask("cluster restore -c {checkpoint} {cluster}")["uuid"]


def test_a_task_of_the_deleted_cluster_is_not_found_in_the_new_one(shell):
    status, out = shell.run("task delete -c {cluster} {train_task}")
    assert (status, out[:16]) == (1, "status 404: err ")
    assert shell.uuids["train_task"] in out
    assert shell.uuids["cluster"] in out


def test_step_8_requests_to_the_restored_cluster(shell):
    links = "-i {request}:picture:picture_hex -r label_hex:test_output"
    created = shell.ask(f"task create request {links} -c {{cluster}} cli_request_test_task")
    shell.uuids["request_task"] = created["uuid"]
    shell.wait_for("request_task")
    # The script finds the result by the name of the task.
    found = [row[1] for row in shell.rows("dataset list") if row[-1] == "cli_request_test_task"]
    assert found == [created["uuid"]]
    assert float(shell.ask("dataset check -r {request} {request_task}")["accuracy"]) > 80
    status, out = shell.run("dataset content -j -c test_output -o 100 -n 10 {request_task}")
    assert (status, len(json.loads(out))) == (0, 10)


def test_step_9_everything_is_deleted(shell):
    for kind, name in (
        ("checkpoint", "checkpoint"), ("dataset", "request_task"), ("dataset", "train"),
        ("dataset", "request"), ("cluster", "cluster"),
    ):  # fmt: skip
        uuid = shell.uuids[name]
        assert shell.run(f"{kind} delete {uuid}") == (0, f"successfully deleted {kind} '{uuid}'\n")
    assert shell.rows("dataset list") == shell.rows("cluster list") == []
