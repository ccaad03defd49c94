"""The page about the library and the command line runs: its Python blocks and its commands."""

import json
import os
import re
import shlex
from pathlib import Path

import pytest

from hanami_sdk.cli.main import main
from hanami_sdk.hanami_request import close_connections
from tests.journey import write_idx
from tests.server import ADMIN_ID, ADMIN_PASSPHRASE, ServerProcess

DOCUMENT = Path(__file__).parents[2] / "docs" / "sdk_cli.md"
TEXT = DOCUMENT.read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```(\w*)\n(.*?)^```$", TEXT, re.DOTALL | re.MULTILINE)
PYTHON = [block for language, block in BLOCKS if language == "python"]
SHELL = "".join(block for language, block in BLOCKS if not language).replace("\\\n", "")
COMMANDS = [line for line in SHELL.split("\n") if "hanamictl " in line]

DOCUMENT_ADDRESS = "http://127.0.0.1:11418"
TEMPLATE = (
    "version: 1\nsettings:\n    seed: 3\nhexagons:\n    1,1,1\n    2,1,1\n    3,1,1\n"
    "inputs:\n    input: 1,1,1\noutputs:\n    output: 3,1,1\n"
)


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A directory with the files of the page."""
    images, labels = write_idx(tmp_path, 150)
    images.rename(tmp_path / "train-images-idx3-ubyte")
    labels.rename(tmp_path / "train-labels-idx1-ubyte")
    (tmp_path / "measurements.csv").write_text("a,b\n1.0,2.0\n")
    (tmp_path / "template.txt").write_text(TEMPLATE)
    (tmp_path / "samples.csv").write_text("0,2,0,10,0.5\n1,0,0,0,0\n")
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def own_server(tmp_path_factory):
    """An empty server: the page creates things under fixed names."""
    server = ServerProcess(tmp_path_factory.mktemp("document") / "data")
    yield server.start()
    close_connections()
    server.close()


def test_the_python_blocks_run_from_the_first_to_the_last(own_server, folder, capsys):
    assert len(PYTHON) >= 10
    names: dict[str, object] = {}
    for block in PYTHON:
        code = block.replace(DOCUMENT_ADDRESS, own_server.address)
        exec(compile(code, str(DOCUMENT), "exec"), names)
    names["client"].close()  # type: ignore[attr-defined]
    assert names["state"] == "finished"
    assert (folder / "everything.npy").exists()
    printed = capsys.readouterr().out
    assert f"404 Cluster with uuid '00000000-0000-4000-8000-{'0' * 12}' not found" in printed


class Shell:
    """Runs the commands one after another and keeps the uuids that their placeholders mean."""

    def __init__(self, capfd):
        self._capfd = capfd
        self._known = {"UNFINISHED_DATASET_UUID": "", "DIRECT_CLUSTER_UUID": ""}

    def run(self, line):
        for name in sorted(self._known, key=len, reverse=True):
            line = line.replace(name, self._known[name])
        words = shlex.split(line)[1:]
        assert not re.search(r"[A-Z]+_UUID", line), line
        self._capfd.readouterr()
        status = main([*words, "-j"])
        out, _ = self._capfd.readouterr()
        assert status == 0, (line, out)
        self._keep(words, out)

    def know(self, name, uuid):
        self._known[name] = uuid

    def _keep(self, words, out):
        kinds = {
            ("dataset", "create", "mnist"): "DATASET_UUID",
            ("cluster", "create", "-t"): "CLUSTER_UUID",
            ("task", "create"): "TASK_UUID",
            ("cluster", "save"): "CHECKPOINT_UUID",
        }
        for prefix, name in kinds.items():
            if tuple(words[: len(prefix)]) == prefix:
                self.know(name, json.loads(out)["uuid"])
        if words[:2] == ["host", "list"]:
            self.know("HOST_UUID", json.loads(out)["body"][0][0])


def unfinished_dataset(server, path):
    """Announce a file and send nothing of it."""
    body = {"name": "unfinished", "input_data_size": path.stat().st_size}
    answer = server.request("POST", "/v1/csv/dataset", json=body, token=server.token())
    return str(answer.json()["uuid"])


def test_the_commands_run_from_the_first_to_the_last(own_server, folder, capfd, monkeypatch):
    for name in [name for name in os.environ if name.startswith("HANAMI_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("HANAMI_ADDRESS", own_server.address)
    monkeypatch.setenv("HANAMI_USER", ADMIN_ID)
    monkeypatch.setenv("HANAMI_PASSPHRASE", ADMIN_PASSPHRASE)
    shell = Shell(capfd)
    shell.know(
        "UNFINISHED_DATASET_UUID", unfinished_dataset(own_server, folder / "measurements.csv")
    )
    body = {"name": "direct_cluster"}
    made = own_server.request("POST", "/v1/cluster", json=body, token=own_server.token())
    shell.know("DIRECT_CLUSTER_UUID", made.json()["uuid"])
    ran = 0
    for line in COMMANDS:
        if line.startswith("hanamictl "):
            shell.run(line)
            ran += 1
    assert ran >= 40
