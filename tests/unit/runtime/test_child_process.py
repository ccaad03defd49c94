"""Work in a child process, which may die and must end."""

import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from hanami_actors.errors import BusyError
from hanami_actors.runtime.child_process import ChildProcess
from tests.unit.actors.harness import TIMEOUT_S, wait_until

PARENT = """
import os, sys
from hanami_actors.runtime.child_process import ChildProcess

if __name__ == "__main__":
    print(ChildProcess("the child").run(os.getpid), flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def child():
    made = ChildProcess("the process that works")
    yield made
    made.close(TIMEOUT_S)


@pytest.fixture
def endless_file(tmp_path):
    """A file nobody ever finishes reading, and an event that tells when somebody began."""
    path = tmp_path / "endless"
    os.mkfifo(path)
    opened = threading.Event()
    ends: list[int] = []

    def hold():
        ends.append(os.open(path, os.O_WRONLY))
        opened.set()

    threading.Thread(target=hold, daemon=True).start()
    yield path, opened
    for end in ends:
        os.close(end)


def run_later(child, path):
    """Read a file in a thread; return the thread and the list that its error goes to."""
    errors: list[BusyError] = []

    def run():
        try:
            child.run(Path.read_bytes, path)
        except BusyError as error:
            errors.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    return thread, errors


def test_all_work_is_done_in_one_other_process_and_errors_come_back(child, tmp_path):
    assert child.run(os.getpid) == child.run(os.getpid) != os.getpid()
    with pytest.raises(FileNotFoundError):
        child.run(Path.read_bytes, tmp_path / "nothing")


def test_a_killed_child_says_try_again_and_the_next_call_has_a_new_one(child, endless_file):
    path, opened = endless_file
    pid = child.run(os.getpid)
    thread, errors = run_later(child, path)
    assert opened.wait(TIMEOUT_S)
    os.kill(pid, signal.SIGKILL)
    thread.join(TIMEOUT_S)
    assert "try again" in str(errors[0])
    assert child.run(os.getpid) != pid


def test_a_child_that_died_while_idle_costs_at_most_one_attempt(child):
    pid = child.run(os.getpid)
    os.kill(pid, signal.SIGKILL)

    def worked():
        try:
            return child.run(os.getpid)
        except BusyError:
            return None

    assert wait_until(worked) != pid


def test_closing_ends_a_child_that_does_not_end_by_itself(child, endless_file):
    path, opened = endless_file
    pid = child.run(os.getpid)
    running, errors = run_later(child, path)
    assert opened.wait(TIMEOUT_S)
    waiting, more_errors = run_later(child, path)
    wait_until(lambda: len(child._pool._pending_work_items) == 2)
    child.close(0.01)
    for thread in (running, waiting):
        thread.join(TIMEOUT_S)
        assert not thread.is_alive()
    assert len(errors + more_errors) == 2
    assert not is_running(pid)
    with pytest.raises(BusyError):
        child.run(os.getpid)


def test_closing_waits_for_work_that_ends_in_time(child, tmp_path):
    path = tmp_path / "slow"
    os.mkfifo(path)
    read: list[bytes] = []
    reader = threading.Thread(target=lambda: read.append(child.run(Path.read_bytes, path)))
    reader.start()
    with path.open("wb") as file:
        closer = threading.Thread(target=child.close, args=(TIMEOUT_S,))
        closer.start()
        wait_until(lambda: child._pool is None)
        file.write(b"done")
    closer.join(TIMEOUT_S)
    reader.join(TIMEOUT_S)
    assert read == [b"done"]


def test_closing_without_any_work_is_no_error():
    child = ChildProcess("the process that works")
    child.close(0)
    child.close(0)
    with pytest.raises(BusyError):
        child.run(os.getpid)


def test_the_child_of_a_killed_server_ends_too(tmp_path):
    script = tmp_path / "parent.py"
    script.write_text(PARENT, encoding="utf-8")
    parent = subprocess.Popen(
        [sys.executable, str(script)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    assert parent.stdout is not None
    pid = int(parent.stdout.readline())
    parent.send_signal(signal.SIGKILL)
    parent.communicate()
    wait_until(lambda: not is_running(pid))


def is_running(pid):
    try:
        state = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rsplit(")", 1)[1].split()[0]
    except FileNotFoundError:
        return False
    # Where there is no init, a child whose parent is gone stays as a zombie.
    return state != "Z"
