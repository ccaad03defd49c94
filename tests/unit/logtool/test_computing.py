"""Commands that compute: replay, bisect and verify --recompute."""

import json

import numpy as np
import pytest

from hanami_actors.domain.cluster.events import TaskFinished, TaskQueued, TaskStarted
from hanami_actors.types import Digest
from tests.replay.history import History, uuid_of

CLUSTER = f"cluster/{uuid_of(50)}"


@pytest.fixture
def trained(tmp_path):
    """Return a history with two tasks of 40 and 20 cycles, a snapshot and a request."""
    history = History(tmp_path / "trained")
    content = history.dataset(1, 20)
    history.cluster(50)
    first = history.task(60, content, epochs=2)
    history.train(50, first)
    history.snapshot(50, first, 40)
    history.train(50, history.task(61, content, epochs=1))
    request = history.task(62, content, epochs=1, kind="request")
    history.append((CLUSTER, [TaskQueued(task=request)]))
    history.append((CLUSTER, [TaskStarted(task_uuid=request.uuid, kernel_version=1)]))
    history.append((CLUSTER, [TaskFinished(task_uuid=request.uuid, cycle=20, digest="")]))
    history.close()
    return history


@pytest.fixture
def tool(hanami_log, trained):
    return lambda *words: hanami_log(*words, data_dir=trained.directory.path)


def test_replay_computes_the_newest_state_and_compares_its_digest(tool):
    for cluster in (CLUSTER, uuid_of(50), uuid_of(50)[:20], "digits"):
        run = tool("replay", cluster, "--json")
        assert run.code == 0
        assert run.json["digest"] == run.json["recorded_digest"] != ""
        assert (run.json["computed_cycles"], run.json["cycles_in_all"]) == (20, 60)
    run = tool("replay", "digits", "--from-start", "--json")
    assert (run.json["computed_cycles"], run.json["metrics"]["trained_cycles"]) == (60, 60)


def test_replay_is_for_people_too(tool):
    run = tool("replay", "digits")
    assert "as recorded" in run.lines
    assert run.lines[0] == f"{CLUSTER}: task {uuid_of(61)}, cycle 20"
    assert any(line.startswith("trained_cycles\t60") for line in run.lines)


def test_replay_goes_to_any_moment_and_dumps_its_arrays(tool, tmp_path):
    path = tmp_path / "state.npz"
    run = tool("replay", "digits", "--to-task", f"{uuid_of(60)}:17", "--dump", path, "--json")
    assert run.code == 0
    assert (run.json["cycle"], run.json["recorded_digest"]) == (17, "")
    with np.load(path) as arrays:
        assert str(arrays["digest"]) == run.json["digest"]
        assert arrays["weights"].dtype == np.float32
    again = tool("replay", "digits", "--dump", path)
    assert again.code == 2
    assert "exists" in again.err
    by_version = tool("replay", "digits", "--to-version", "5", "--json")
    assert (by_version.json["task_uuid"], by_version.json["cycle"]) == (uuid_of(60), 40)


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["nothing"], "no cluster 'nothing'"),
        (["digits", "--to-task", "x"], "has started no task or session 'x'"),
        (["digits", "--to-task", f"{uuid_of(60)}:x"], "a cycle is a number"),
        (["digits", "--to-task", f"{uuid_of(60)}:41"], "no cycle 41"),
        (["digits", "--to-task", "x", "--to-version", "1"], "exclude each other"),
        (["digits", "--to-version", "99"], "versions 0 to"),
    ],
)
def test_moments_that_are_not_there_are_sentences(tool, words, sentence):
    run = tool("replay", *words)
    assert run.code == 2
    assert sentence in run.err


def test_replay_says_when_the_digest_is_another(tool, trained):
    history = History(trained.directory.path)
    task = history.task(63, history.dataset(2, 10), epochs=1)
    history.begin(50, task)
    history.append((CLUSTER, [TaskFinished(task_uuid=task.uuid, cycle=10, digest="a" * 64)]))
    history.close()
    run = tool("replay", "digits")
    assert run.code == 1
    assert f"recorded was {'a' * 64}: they differ" in run.out
    run = tool("verify", "--recompute", "--json")
    assert run.code == 1
    (finding,) = run.json["findings"]
    assert finding["what"] == "digest"
    assert "task " + task.uuid not in finding["where"]
    assert task.uuid in finding["text"]


def test_verify_recomputes_everything(tool):
    run = tool("verify", "--recompute", "--json")
    assert run.code == 0
    assert (run.json["cycles"], run.json["digests"]) == (60, 3)
    assert "60 cycles were computed again" in tool("verify", "--recompute").out


def test_verify_names_what_cannot_be_computed_any_more(tool, trained):
    digest = min(trained.blobs.iterate())
    trained.blobs.delete(Digest(digest))
    run = tool("verify", "--recompute", "--json")
    assert run.code == 1
    assert {finding["what"] for finding in run.json["findings"]} == {"blob", "digest"}


def test_bisect_finds_the_cycle_of_a_changed_answer(tool, tmp_path):
    path = tmp_path / "question.json"
    path.write_text(json.dumps({"picture": [200, 30, 20, 10]}))
    end = tool("replay", "digits", "--to-task", f"{uuid_of(60)}:1", "--json")
    assert end.code == 0
    run = tool("bisect", "digits", "--input", path, "--expect", "label[0]>0.5", "--json")
    assert run.code == 0
    assert run.json["found"]
    before, after = run.json["before"]["label"], run.json["after"]["label"]
    assert (after[0] > 0.5) == run.json["is_met"]
    assert not before or (before[0] > 0.5) != run.json["is_met"]
    assert run.json["row"] == (run.json["cycle"] - 1) % 20
    people = tool("bisect", "digits", "--input", path, "--expect", "label[0]>0.5")
    assert f"with cycle {run.json['cycle']} of train {run.json['task_uuid']}" in people.lines[0]
    assert f"--to-task {run.json['task_uuid']}:{run.json['cycle']}" in people.lines[-1]


def test_bisect_takes_a_row_of_a_request_task(tool):
    run = tool("bisect", "digits", "--request", f"{uuid_of(62)}:3", "--expect", "0", "--json")
    assert run.code in {0, 1}
    assert run.json["cycles_in_all"] == 60
    run = tool(
        "bisect", "digits", "--request", uuid_of(62), "--expect", "label[1]>9", "--every", "5"
    )
    assert run.code == 1
    assert "never as expected over 60 cycles" in run.out


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["--expect", "0"], "either --input FILE or --request"),
        (["--request", "x:y", "--expect", "0"], "a row is a number"),
        (["--request", "x", "--expect", "0"], "no request task 'x'"),
        (["--request", "x", "--expect", "what?"], "is no expectation"),
        (["--request", f"{uuid_of(62)}:20", "--expect", "0"], "rows 0 to 19"),
    ],
)
def test_questions_that_make_no_sense_are_sentences(tool, words, sentence):
    run = tool("bisect", "digits", *words)
    assert run.code == 2
    assert sentence in run.err
