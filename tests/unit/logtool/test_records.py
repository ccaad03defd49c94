"""Records are listed, shown, followed and exported; nothing secret is shown."""

import json
import os
import pty
import subprocess
import sys
import threading

import pytest

from hanami_actors.domain.user.events import UserDeleted
from tests.unit.logtool.conftest import BEGIN_US, CLUSTER, user_created

TOOL = [sys.executable, "-m", "hanami_actors.logtool.cli"]


def tags(run):
    return [record["tag"] for record in run.json_lines]


def test_list_shows_every_record_in_order(hanami_log):
    run = hanami_log("list")
    assert run.code == 0
    assert [int(line.split()[0]) for line in run.lines] == list(range(1, 16))
    assert run.lines[0].split()[1:5] == ["2023-11-14", "22:13:20.000", "user.created", "user/anna"]


@pytest.mark.parametrize(
    ("choice", "positions"),
    [
        (["--stream", "user/bert"], [2, 3]),
        (["--stream", "user/*"], [1, 2, 3]),
        (["--tag", "*.created"], [1, 2, 4, 6, 11]),
        (["--tag", "user.*", "--tag", "*.created"], [1, 2, 3, 4, 6, 11]),
        (["--user", "root"], [1, 2, 3]),
        (["--request", "request-4"], [5]),
        (["--after", "13"], [14, 15]),
        (["--since", "2023-11-14T22:13:33", "--until", "2023-11-14T23:13:34+01:00"], [14]),
        (["--stream", "cluster/*", "-n", "2"], [14, 15]),
        (["-n", "1"], [15]),
    ],
)
def test_records_are_chosen(hanami_log, choice, positions):
    for command in ("list", "export"):
        if command == "export" and "-n" in choice:
            continue
        run = hanami_log(command, *choice, "--json")
        assert [record["position"] for record in run.json_lines] == positions


def test_a_time_that_is_none_says_how_to_write_one(hanami_log):
    run = hanami_log("list", "--since", "yesterday")
    assert (run.code, run.out) == (2, "")
    assert "2026-08-01T12:30:00" in run.err


def test_show_prints_one_record(hanami_log):
    run = hanami_log("show", "14")
    assert run.json["event"] == {
        "task_uuid": run.json["event"]["task_uuid"], "cycle": 4, "figures": [["blocks", 1.0]],
    }  # fmt: skip
    assert run.json["time_us"] == BEGIN_US + 13_000_000
    run = hanami_log("show", "16")
    assert run.code == 2
    assert "the newest is 15" in run.err


def test_no_hash_of_a_passphrase_is_shown(hanami_log):
    for words in (["list"], ["list", "--json"], ["show", "1"], ["state", "user/anna"], ["export"]):
        run = hanami_log(*words)
        assert run.code == 0
        assert "anna" in run.out
        assert "$secret" not in run.out


def test_tail_shows_the_newest(hanami_log):
    assert [r["position"] for r in hanami_log("tail", "-n", "2", "--json").json_lines] == [14, 15]
    chosen = hanami_log("tail", "--tag", "user.*", "-n", "2", "--json")
    assert tags(chosen) == ["user.created", "user.deleted"]
    assert hanami_log("tail", "-n", "0").out == ""


def test_tail_follows_a_log_that_grows(data):
    child = subprocess.Popen(
        [*TOOL, "--data-dir", data.path, "tail", "-n", "1", "--follow", "--json"],
        stdout=subprocess.PIPE,
        text=True,
    )
    stop = threading.Timer(60, child.kill)
    stop.start()
    with child:
        assert child.stdout is not None
        assert json.loads(child.stdout.readline())["position"] == 15
        data.append("user/carl", user_created("carl"), UserDeleted())
        assert json.loads(child.stdout.readline())["stream"] == "user/carl"
        assert json.loads(child.stdout.readline())["tag"] == "user.deleted"
        child.send_signal(2)
        assert child.wait(60) == 130
    stop.cancel()


def test_export_writes_a_new_file_and_never_over_an_old_one(hanami_log, tmp_path):
    path = tmp_path / "records.jsonl"
    run = hanami_log("export", "-o", path, "--json")
    assert run.json == {"path": str(path), "records": 15}
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    assert [line["position"] for line in lines] == list(range(1, 16))
    again = hanami_log("export", "-o", path)
    assert again.code == 2
    assert "exists" in again.err
    assert len(path.read_text().splitlines()) == 15


def test_streams_are_listed(hanami_log):
    assert hanami_log("streams", "user/").lines == ["user/anna\t1", "user/bert\t2"]
    assert hanami_log("streams", "cluster", "--json").json == {"stream": CLUSTER, "version": 5}


def test_on_a_terminal_records_have_colours_and_tables_have_frames(data):
    for words, sign in ((["list"], "\x1b["), (["streams"], "│")):
        command = [*TOOL, "--data-dir", data.path]
        ours, theirs = pty.openpty()
        environ = {**os.environ, "TERM": "xterm-256color", "COLUMNS": "100"}
        environ.pop("NO_COLOR", None)
        with subprocess.Popen([*command, *words], stdout=theirs, env=environ) as child:
            os.close(theirs)
            shown = b""
            while True:
                try:
                    chunk = os.read(ours, 4096)
                except OSError:  # the other side is closed
                    break
                if not chunk:
                    break
                shown += chunk
        os.close(ours)
        assert child.returncode == 0
        assert sign in shown.decode()


def test_a_reader_that_has_seen_enough_is_no_failure(data):
    done = subprocess.run(
        f"{sys.executable} -m hanami_actors.logtool.cli --data-dir {data.path} list | head -n 1",
        shell=True,
        check=False,
        capture_output=True,
        text=True,
    )
    assert len(done.stdout.splitlines()) == 1
    assert done.stderr == ""
