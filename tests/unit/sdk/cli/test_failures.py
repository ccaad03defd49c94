"""What a shell sees when the work cannot be done."""

import os
import pty
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from tests.unit.sdk.stub_server import TOKEN


@pytest.mark.parametrize("status", [400, 401, 404, 409, 413, 429, 503, 507])
@pytest.mark.parametrize("flags", [[], ["-j"]])
def test_an_error_of_the_server_is_one_line_on_stdout(server, hanamictl, status, flags):
    server.answer("GET", "cluster", "Cluster 'x' is\nnot there.", status=status)
    outcome = hanamictl("cluster", "get", "x", *flags)
    assert outcome.status == 1
    assert outcome.out == f"status {status}: err Cluster 'x' is\nnot there.\n"
    assert outcome.err == ""


def test_an_internal_error_has_no_text_but_its_request_id_on_stderr(server, hanamictl):
    server.answer("GET", "cluster", "", status=500, headers={"X-Request-Id": "r-17"})
    assert hanamictl("cluster", "get", "x") == (1, "status 500: err \n", "request id: r-17\n")


def test_a_failed_login_shows_the_text_of_the_server_and_asks_nothing_more(server, hanamictl):
    server.answers[("POST", "token")] = [(401, "User or passphrase is incorrect.", {})]
    outcome = hanamictl("host", "list")
    assert outcome == (1, "status 401: err User or passphrase is incorrect.\n", "")
    assert [call.path for call in server.calls] == ["token"]


@pytest.mark.parametrize("name", ["PASSPHRASE", "PW"])
def test_both_names_of_the_passphrase_are_read_from_the_environment(
    stub, environment, hanamictl, name
):
    environment(**{"ADDRESS": f"{stub.address}/", "USER": "asdf", name: "asdfasdf"})
    stub.script.answer("POST", "token", {"token": TOKEN})
    stub.script.answer("GET", "host/all", {"header": ["uuid", "type"], "body": []})
    assert hanamictl("host", "list").status == 0
    assert stub.script.call("POST", "token").json["passphrase"] == "YXNkZmFzZGY="


def test_a_server_that_is_not_there_is_one_clear_line(hanamictl, environment, free_port):
    environment(ADDRESS=f"http://127.0.0.1:{free_port}", USER="asdf", PASSPHRASE="asdfasdf")
    assert hanamictl("host", "list") == (
        1,
        f'Post "http://127.0.0.1:{free_port}/v1.0alpha/token": Connection refused\n',
        "",
    )


@pytest.mark.parametrize("address", ["127.0.0.1:11418", "localhost", "ftp://x"])
def test_an_address_without_http_is_explained(hanamictl, environment, address):
    environment(ADDRESS=address, USER="asdf", PASSPHRASE="asdfasdf")
    outcome = hanamictl("host", "list")
    assert (outcome.status, outcome.err) == (1, "")
    assert "must start with http:// or https://" in outcome.out


@pytest.mark.parametrize(
    "line",
    [
        "cluster create n -t /nowhere/template",
        "dataset create csv -i /nowhere/template n",
        "dataset create mnist -l /nowhere/template -i /nowhere/template n",
    ],
)
def test_a_file_that_is_not_there_is_named(server, hanamictl, line):
    outcome = hanamictl(*line.split(" "))
    assert outcome == (1, "open /nowhere/template: no such file or directory\n", "")
    assert [call.path for call in server.calls] == ["token"]


def test_a_template_that_is_no_text_is_refused_with_its_name(server, hanamictl, tmp_path):
    path = tmp_path / "template"
    path.write_bytes(b"version\xff")
    outcome = hanamictl("cluster", "create", "-t", str(path), "name")
    assert outcome.status == 1
    assert outcome.out == f"Error: {path} is not a text file; byte 7 is not UTF-8\n"


def test_an_empty_file_is_refused_with_its_name(server, hanamictl, tmp_path):
    path = tmp_path / "empty.csv"
    path.touch()
    outcome = hanamictl("dataset", "create", "csv", "-i", str(path), "n")
    assert outcome.status == 1
    assert outcome.out == f"Error: {path} is empty; there is nothing to upload\n"


def test_a_refused_upload_says_why(server, hanamictl, tmp_path):
    path = tmp_path / "data.csv"
    path.write_text("a,b\n")
    server.answer("POST", "dataset/upload/csv", {"uuid": "d", "uuid_input_file": "i"})
    server.answer("DELETE", "dataset", {})
    server.handshake_error = "Token invalid"
    outcome = hanamictl("dataset", "create", "csv", "-i", str(path), "n")
    assert outcome == (1, "status 409: err Token invalid\n", "")


@pytest.mark.parametrize(
    ("flags", "text"),
    [
        (["-i", "nothing", "-o", "d:c:h"], "Error: Required separators ':' are missing"),
        (["-i", "d:c", "-o", "d:c:h"], "Error: Invalid format before or after ':'"),
        (["-i", "d:c:h", "-o", "d:c:h:x"], "Error: Invalid format before or after ':'"),
        (["-i", "d:c:h,x", "-o", "d:c:h"], "Error: Required separators ':' are missing"),
    ],
)
def test_a_link_of_the_wrong_form_is_refused_before_a_task_exists(server, hanamictl, flags, text):
    outcome = hanamictl("task", "create", "train", "-c", "c", "task", *flags)
    assert outcome == (1, f"{text}\n", "")
    assert [call.path for call in server.calls] == ["token"]


def test_a_result_needs_two_parts(server, hanamictl):
    line = "task create request -c c task -i d:c:h -r a:b:c"
    assert hanamictl(*line.split(" ")).out == "Error: Invalid format before or after ':'\n"


def test_a_passphrase_cannot_be_asked_for_without_a_terminal(server, hanamictl, monkeypatch):
    with Path(os.devnull).open() as nothing:
        monkeypatch.setattr(sys, "stdin", nothing)
        outcome = hanamictl("user", "create", "usr", "-n", "Name")
    assert outcome.status == 1
    assert outcome.out == "Failed to read passphrase input\n"
    assert "-p" in outcome.err


CHILD = [sys.executable, "-W", "error", "-m", "hanami_sdk.cli.main"]


class Terminal:
    """A child with a terminal of its own, as a person has it."""

    def __init__(self, *arguments: str) -> None:
        self._fd, other_end = pty.openpty()
        # A new session: the child must not find the terminal of whoever runs the tests.
        self._child = subprocess.Popen(
            [*CHILD, *arguments],
            stdin=other_end,
            stdout=other_end,
            stderr=other_end,
            start_new_session=True,
            env=os.environ | {"TERM": "xterm", "COLUMNS": "120"},
        )
        os.close(other_end)
        self.seen = b""

    def wait_for(self, text: bytes) -> None:
        while text not in self.seen:
            self.seen += os.read(self._fd, 4096)

    def write(self, text: str) -> None:
        os.write(self._fd, text.encode())

    def finish(self) -> int:
        try:
            while block := os.read(self._fd, 4096):
                self.seen += block
        except OSError:
            pass  # Linux tells the end of a terminal in this way.
        os.close(self._fd)
        return self._child.wait(20)


@pytest.mark.parametrize("again", ["secret99", "secret98"])
def test_a_passphrase_is_asked_for_twice_and_not_shown(server, again):
    server.answer("POST", "user", {"id": "usr"})
    terminal = Terminal("user", "create", "usr", "-n", "Name")
    terminal.wait_for(b"Enter Passphrase: ")
    terminal.write(" secret99 \n")
    terminal.wait_for(b"Enter Passphrase again: ")
    terminal.write(f"{again}\n")
    status = terminal.finish()
    assert b"secret" not in terminal.seen
    if again == "secret99":
        assert status == 0
        assert server.call("POST", "user").json["passphrase"] == "c2VjcmV0OTk="
    else:
        assert status == 1
        assert b"Mismatch between the two entered passphrases" in terminal.seen


TRAIN = ["task", "create", "train", "-i", "d:c:h", "-o", "d:c:h", "-c", "cl", "task", "--wait"]


def task(state: str, cycle: int, **more: str) -> tuple[int, dict[str, object], dict[str, str]]:
    body: dict[str, object] = {"uuid": "t", "state": state, "current_cycle": cycle}
    return 200, body | {"total_number_of_cycles": 40} | more, {}


@pytest.fixture
def training(server):
    server.answer("POST", "task/train", task("queued", 0)[1])
    server.answers[("GET", "task")] = [
        task("queued", 0),
        task("active", 20),
        task("paused", 20),
        task("finished", 40),
    ]
    return server


def test_waiting_without_a_terminal_is_silent_and_prints_the_ended_task(training, hanamictl):
    outcome = hanamictl(*TRAIN, "-j")
    assert (outcome.status, outcome.err) == (0, "")
    assert '"state": "finished"' in outcome.out
    assert outcome.out.count("uuid") == 1
    assert len([call for call in training.calls if call.method == "GET"]) == 4


@pytest.mark.parametrize("state", ["failed", "aborted"])
def test_waiting_for_a_task_that_ends_badly_exits_with_1(training, hanamictl, state):
    training.answers[("GET", "task")] = [task(state, 7, reason="a dataset is gone")]
    outcome = hanamictl(*TRAIN)
    assert outcome.status == 1
    assert f"| STATE                  | {state}" in outcome.out
    assert outcome.err == f"task {state}: a dataset is gone\n"


def test_a_token_that_runs_out_while_waiting_is_renewed(training, hanamictl):
    training.answers[("GET", "task")] = [(401, "token expired", {}), task("finished", 40)]
    assert hanamictl(*TRAIN).status == 0
    assert len([call for call in training.calls if call.path == "token"]) == 2


def test_a_connection_that_breaks_while_waiting_does_not_end_the_waiting(training, hanamictl):
    training.lost_answers["task"] = 1
    assert hanamictl(*TRAIN).status == 0
    assert len([call for call in training.calls if call.method == "GET"]) == 5


def test_a_task_that_vanishes_while_waiting_is_an_error(training, hanamictl):
    training.answers[("GET", "task")] = [(404, "no such task", {})]
    assert hanamictl(*TRAIN) == (1, "status 404: err no such task\n", "")


def test_a_person_sees_a_progress_bar_while_waiting(training):
    terminal = Terminal(*TRAIN)
    status = terminal.finish()
    assert status == 0
    assert b"40/40" in terminal.seen
    assert b"| STATE                  | finished" in terminal.seen


def test_a_person_sees_a_progress_bar_while_uploading(server, tmp_path):
    path = tmp_path / "data.csv"
    path.write_bytes(b"x" * 300_000)
    server.answer("POST", "dataset/upload/csv", {"uuid": "d", "uuid_input_file": "i"})
    server.answer("GET", "dataset/progress", {"complete": True})
    server.answer("PUT", "dataset/upload/csv", {})
    server.answer("GET", "dataset", {"uuid": "d"})
    terminal = Terminal("dataset", "create", "csv", "-i", str(path), "my data")
    assert terminal.finish() == 0
    assert b"upload my data" in terminal.seen
    assert b"293.0/293.0 KiB" in terminal.seen


def test_ctrl_c_while_waiting_leaves_the_task_and_says_so(training):
    training.answers[("GET", "task")] = [task("active", 20)]
    asked = threading.Event()
    training.on_call = lambda call: asked.set() if call.method == "GET" else None
    child = subprocess.Popen([*CHILD, *TRAIN], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert asked.wait(20)
    child.send_signal(signal.SIGINT)
    out, err = child.communicate(timeout=20)
    assert (child.returncode, out) == (130, b"")
    assert err.startswith(b"the task goes on; see `hanamictl task get -c cl t`")
    assert all(call.method != "DELETE" for call in training.calls)
