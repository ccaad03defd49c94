"""``hanamictl direct``: values from the command line, files and stdin."""

import io
import json
import sys

import pytest


def sent(server, path):
    return [call for call in server.calls if call.path == path]


@pytest.fixture
def direct(server):
    server.answer("PUT", "cluster/set_mode", {})
    return server


def values_of(server):
    return [(m.bufferName, m.targetBufferType, list(m.values)) for m in server.cluster_messages]


def test_a_cluster_is_trained_with_values_of_the_command_line(direct, hanamictl):
    line = ["direct", "train", "c", "-i", "in:0,2,0.5", "-o", "out:1,0", "--epochs", "2"]
    outcome = hanamictl(*line)
    assert (outcome.status, outcome.err) == (0, "")
    assert "| TRAINED STEPS     | 2 |" in outcome.out
    assert values_of(direct) == [("in", 0, [0, 2, 0.5]), ("out", 2, [1, 0])] * 2
    modes = [call.json["new_state"] for call in sent(direct, "cluster/set_mode")]
    assert modes == ["DIRECT", "TASK"]
    assert json.loads(hanamictl(*line, "-j").out) == {
        "uuid": "c", "number_of_samples": 1, "trained_steps": 2,
    }  # fmt: skip


def test_a_cluster_is_asked_with_the_lines_of_a_file(direct, hanamictl, tmp_path):
    path = tmp_path / "samples"
    path.write_text("1,2\n3 4\n")
    outcome = hanamictl("direct", "request", "c", "-i", f"in:@{path}")
    assert outcome.out == (
        "+---+----------+----------+\n"
        "|   |    0     |    1     |\n"
        "+---+----------+----------+\n"
        "| 0 | 0.250000 | 3.000000 |\n"
        "| 1 | 0.250000 | 7.000000 |\n"
        "+---+----------+----------+\n"
    )
    assert sent(direct, "cluster/set_mode") == []
    path.write_text("[[1, 2], [3, 4]]")
    outcome = hanamictl("direct", "request", "c", "-i", f"in:@{path}", "-j")
    assert json.loads(outcome.out) == [[0.25, 3], [0.25, 7]]


def test_values_come_from_stdin(direct, hanamictl, monkeypatch):
    monkeypatch.setattr(sys, "stdin", io.StringIO("1\n2\n"))
    assert hanamictl("direct", "train", "c", "-i", "in:@-", "-o", "out:1").status == 1
    monkeypatch.setattr(sys, "stdin", io.StringIO("[1, 2]"))
    assert json.loads(hanamictl("direct", "request", "c", "-i", "in:@-", "-j").out) == [[0.25, 3]]


@pytest.mark.parametrize(
    ("values", "text"),
    [
        (["in"], "Required separators ':' are missing"),
        (["in:"], "Invalid format before or after ':'"),
        ([":1"], "Invalid format before or after ':'"),
        (["in:1", "in:2"], "in is given twice"),
        (["in:1,x"], "in: could not convert string to float: 'x'"),
        (["in:@EMPTY"], "there are no values"),
        (["in:@BROKEN"], "no valid JSON"),
        (["in:@WORDS"], "it must be a list of lists of numbers"),
        (["in:1", "more:@TWO"], "the same number of samples: in has 1, more has 2"),
    ],
)
def test_values_that_make_no_sense_are_named(direct, hanamictl, tmp_path, values, text):
    for name, content in {
        "EMPTY": "\n", "BROKEN": "[1", "WORDS": '["a"]', "TWO": "1\n2\n",
    }.items():  # fmt: skip
        (tmp_path / name).write_text(content)
        values = [value.replace(f"@{name}", f"@{tmp_path / name}") for value in values]
    flags = [word for value in values for word in ("-i", value)]
    outcome = hanamictl("direct", "request", "c", *flags)
    assert (outcome.status, outcome.err) == (1, "")
    assert outcome.out.startswith("Error: ")
    assert text in outcome.out
    assert direct.cluster_messages == []


def test_a_file_of_values_that_is_not_there_is_named(direct, hanamictl, tmp_path):
    outcome = hanamictl("direct", "request", "c", "-i", "in:@/nowhere/x")
    assert outcome.out == "open /nowhere/x: no such file or directory\n"
    path = tmp_path / "binary"
    path.write_bytes(b"1\xff")
    outcome = hanamictl("direct", "request", "c", "-i", f"in:@{path}")
    assert outcome.out == f"Error: {path} is not a text file; byte 1 is not UTF-8\n"


def test_a_close_of_the_server_is_shown_with_its_reason(direct, hanamictl):
    direct.cluster_close = (4409, "not the writer")
    outcome = hanamictl("direct", "train", "c", "-i", "in:1", "-o", "out:1")
    assert outcome == (1, "direct session closed with 4409: not the writer\n", "")
