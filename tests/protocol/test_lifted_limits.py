"""What the documentation of the original says does not work, by the command that shows it here."""

import json
import re
from pathlib import Path

import numpy as np
import pytest

from hanami_sdk.cli.main import main
from tests.journey import write_idx
from tests.server import ADMIN_ID, ADMIN_PASSPHRASE, ServerProcess

ROWS = 120
TEMPLATE = (
    "version: 1\nsettings:\n    seed: 3\nhexagons:\n    1,1,1\n    2,1,1\n    3,1,1\n"
    "inputs:\n    input: 1,1,1\noutputs:\n    output: 3,1,1\n"
)


@pytest.fixture(scope="module")
def own_server(tmp_path_factory):
    server = ServerProcess(tmp_path_factory.mktemp("limits") / "data", "--cpu-hosts", "2")
    yield server.start()
    server.close()


@pytest.fixture
def run(own_server, monkeypatch, capfd, tmp_path):
    """Run a command and return its exit status and what it prints."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HANAMI_ADDRESS", own_server.address)
    monkeypatch.setenv("HANAMI_USER", ADMIN_ID)
    monkeypatch.setenv("HANAMI_PASSPHRASE", ADMIN_PASSPHRASE)
    for name in ("PW", "TOKEN", "PROJECT"):
        monkeypatch.delenv(f"HANAMI_{name}", raising=False)

    def call(*words):
        capfd.readouterr()
        status = main(words)
        return status, capfd.readouterr().out

    return call


@pytest.fixture
def ask(run):
    """Run a command that must succeed and return its JSON."""

    def call(*words):
        status, out = run(*words, "-j")
        assert status == 0, (words, out)
        return json.loads(out)

    return call


@pytest.fixture
def cluster(ask):
    """A cluster of five inputs or more and three outputs."""
    Path("template").write_text(TEMPLATE)
    uuid = ask("cluster", "create", "-t", "template", "limits")["uuid"]
    yield uuid
    assert main(["cluster", "delete", uuid]) == 0


@pytest.fixture
def data(ask, tmp_path):
    """Pictures of three classes."""
    images, labels = write_idx(tmp_path, ROWS)
    return ask("dataset", "create", "mnist", "-i", str(images), "-l", str(labels), "pictures")[
        "uuid"
    ]


def test_a_project_with_something_in_it_is_only_deleted_by_force(run, ask, monkeypatch):
    ask("project", "create", "-n", "Some Project", "some_project")
    ask("user", "project", "add", ADMIN_ID, "-p", "some_project")
    monkeypatch.setenv("HANAMI_PROJECT", "some_project")
    Path("template").write_text(TEMPLATE)
    made = ask("cluster", "create", "-t", "template", "in_it")["uuid"]
    saved = ask("cluster", "save", "-n", "also_in_it", made)["uuid"]
    monkeypatch.delenv("HANAMI_PROJECT")
    status, out = run("project", "delete", "some_project")
    assert (status, out.startswith("status 409: err "), made in out, saved in out) == (
        1, True, True, True,
    )  # fmt: skip
    assert run("project", "delete", "--force", "some_project") == (
        0, "successfully deleted project 'some_project'\n",
    )  # fmt: skip
    assert run("cluster", "get", made)[0] == run("checkpoint", "get", saved)[0] == 1


def test_files_that_are_not_what_they_are_said_to_be_break_nothing(run, ask):
    Path("bad.csv").write_text("a,b\n1.0,2.0\n3.0,four\n")
    status, out = run("dataset", "create", "csv", "-i", "bad.csv", "some_data")
    assert (status, "row 2" in out or "line 3" in out, "four" in out) == (1, True, True), out
    Path("bad.idx").write_bytes(b"\0" * 100)
    status, out = run("dataset", "create", "mnist", "-i", "bad.idx", "-l", "bad.idx", "some_data")
    assert (status, out.startswith("status 400: err ")) == (1, True), out
    assert ask("host", "list")["body"] != []


def test_a_whole_dataset_is_downloaded(run, data):
    assert run("dataset", "download", "-f", "all.npy", data)[0] == 0
    assert np.load("all.npy").shape == (ROWS, 36 + 10)
    assert run("dataset", "download", "-f", "all.csv", data)[0] == 0
    assert len(Path("all.csv").read_text().splitlines()) == ROWS + 1


def test_a_cluster_shows_its_figures_and_moves(run, ask, cluster, data):
    train = ["-i", f"{data}:picture:input", "-o", f"{data}:label:output", "-c", cluster]
    trained = ask("task", "create", "train", "learning", *train, "--wait")
    stats = ask("cluster", "stats", cluster)
    assert (stats["trained_cycles"], stats["digest"]) == (ROWS, trained["digest"])
    assert min(stats["number_of_synapses"], stats["size_bytes"], stats["number_of_blocks"]) > 0
    hosts = [row[0] for row in ask("host", "list")["body"]]
    assert (len(hosts), stats["host_uuid"]) == (2, hosts[0])
    assert run("cluster", "host", "-H", hosts[1], cluster)[0] == 0
    moved = ask("cluster", "stats", cluster)
    assert (moved["host_uuid"], moved["digest"]) == (hosts[1], trained["digest"])


def test_a_new_cluster_begins_with_a_checkpoint(ask, cluster, data):
    train = ["-i", f"{data}:picture:input", "-o", f"{data}:label:output", "-c", cluster]
    trained = ask("task", "create", "train", "learning", *train, "--wait")
    saved = ask("cluster", "save", "-n", "some_point", cluster)["uuid"]
    made = ask("cluster", "create", "-c", saved, "out_of_it")["uuid"]
    assert ask("cluster", "stats", made)["digest"] == trained["digest"]
    assert main(["cluster", "delete", made]) == main(["checkpoint", "delete", saved]) == 0


def test_direct_training_and_requests_have_commands(run, ask, cluster):
    trained = ask(
        "direct", "train", "-i", "input:0,2,0,10,0.5", "-o", "output:1,0", "--epochs", "50", cluster
    )
    assert trained["trained_steps"] == 50
    (values,) = ask("direct", "request", "-i", "input:0,2,0,10,0.5", cluster)
    assert values[0] > 0.5 > values[1]
    assert ask("cluster", "stats", cluster)["mode"] == "TASK"


def test_the_projects_of_a_user_have_commands(run, ask, monkeypatch):
    for name in ("first_one", "second_one"):
        ask("project", "create", "-n", "A Project", name)
    ask("user", "create", "-n", "Some User", "-p", "some secret", "some_user")
    for name in ("first_one", "second_one"):
        ask("user", "project", "add", "some_user", "-p", name)
    monkeypatch.setenv("HANAMI_USER", "some_user")
    monkeypatch.setenv("HANAMI_PASSPHRASE", "some secret")
    Path("template").write_text(TEMPLATE)
    assert [role["project_id"] for role in ask("user", "project", "list")["projects"]] == [
        "first_one", "second_one",
    ]  # fmt: skip
    assert ask("cluster", "create", "-t", "template", "here")["project_id"] == "first_one"
    status, out = run("project", "switch", "second_one")
    found = re.fullmatch(r"export HANAMI_PROJECT=(\w+)\n", out)
    assert status == 0
    assert found is not None
    monkeypatch.setenv("HANAMI_PROJECT", found[1])
    assert ask("cluster", "create", "-t", "template", "there")["project_id"] == "second_one"
    assert [row[-1] for row in ask("cluster", "list")["body"]] == ["there"]
    monkeypatch.setenv("HANAMI_USER", ADMIN_ID)
    monkeypatch.setenv("HANAMI_PASSPHRASE", ADMIN_PASSPHRASE)
    monkeypatch.delenv("HANAMI_PROJECT")
    ask("user", "project", "remove", "some_user", "-p", "second_one")
    for name in ("first_one", "second_one"):
        assert run("project", "delete", "--force", name)[0] == 0
    assert run("user", "delete", "some_user")[0] == 0


def test_any_result_has_a_report(ask):
    rows = ["right,wrong", "1,0", "0,1", "0,1", "1,0"]
    Path("truth.csv").write_text("\n".join(rows) + "\n")
    rows[1] = "0,1"
    Path("guess.csv").write_text("\n".join(rows) + "\n")
    truth, guess = (
        ask("dataset", "create", "csv", "-i", f"{name}.csv", name)["uuid"]
        for name in ("truth", "guess")
    )
    names = ["-c", "right", "--reference_column", "right"]
    report = ask("dataset", "report", guess, "-r", truth, *names)
    assert (report["accuracy"], report["number_of_rows"]) == (75.0, 4)
    assert report["confusion_matrix"] == [[2, 0], [1, 1]]
