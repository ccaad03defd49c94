"""The cycle after which an answer changed is found exactly."""

import json

import numpy as np
import pytest

from hanami_actors.errors import BadRequestError
from hanami_actors.replay import bisect as bisect_module
from hanami_actors.replay.bisect import Expectation, find_last_change, parse_expectation
from hanami_actors.replay.probe import ask, read_question, row_of_task
from hanami_actors.replay.replayer import Walker
from hanami_actors.replay.timeline import way_to_version
from tests.replay.history import INPUT_WIDTH, uuid_of

QUESTION = {"picture": np.array([150, 30, 20, 10], dtype=np.float32)}


@pytest.fixture
def walker(history):
    content = history.dataset(1, 40)
    stream = history.cluster(50)
    history.train(50, history.task(60, content, epochs=2))
    history.train(50, history.task(61, content, epochs=1))
    return Walker(way_to_version(history.log, stream), history.blobs, history.log)


def answers_after_every_cycle(walker):
    start = walker.network.image()
    answers = [ask(walker.network, QUESTION)]
    while walker.done < walker.way.cycle_count:
        walker.walk_to(walker.done + 1)
        answers.append(ask(walker.network, QUESTION))
    walker.restore(start, 0)
    return answers


@pytest.mark.parametrize("every", [0, 1, 7, 1000])
@pytest.mark.parametrize("anchor_count", [1, 5])
def test_the_last_change_is_the_one_that_asking_after_every_cycle_finds(
    walker, monkeypatch, every, anchor_count
):
    monkeypatch.setattr(bisect_module, "ANCHOR_COUNT", anchor_count)
    answers = answers_after_every_cycle(walker)
    values = [float(answer["label"][0]) for answer in answers[1:]]
    start = walker.network.image()
    # Limits that are passed often, and one that the last answer just reaches.
    for limit in (float(np.median(values)), (max(values) + values[-1]) / 2, values[-1] - 1e-6):
        expected = Expectation("label", 0, ">", limit)
        met = [expected.is_met(answer) for answer in answers]
        changes = [cycle for cycle in range(1, len(met)) if met[cycle] != met[cycle - 1]]
        found = find_last_change(
            walker, walker.way.cycle_count, lambda net: ask(net, QUESTION), expected, every=every
        )
        walker.restore(start, 0)
        if every > 1 and met[0] == met[-1] and found is None:
            continue  # taken back between two questions
        assert found is not None
        assert found.done in changes
        assert every > 1 or found.done == changes[-1]
        assert found.is_met == met[found.done]
        assert found.after["label"].tobytes() == answers[found.done]["label"].tobytes()
        assert found.before["label"].tobytes() == answers[found.done - 1]["label"].tobytes()


def test_an_answer_that_never_changes_has_no_cycle(walker):
    expected = Expectation("label", 1, ">", 99.0)
    goal = walker.way.cycle_count
    assert find_last_change(walker, goal, lambda net: ask(net, QUESTION), expected) is None
    assert walker.done == goal


def test_asking_changes_nothing_that_is_trained(walker):
    walker.walk_to(50)
    before = walker.network.digest()
    first = ask(walker.network, QUESTION)
    assert ask(walker.network, QUESTION)["label"].tobytes() == first["label"].tobytes()
    assert walker.network.digest() == before


def test_a_network_without_sizes_answers_nothing(walker):
    assert ask(walker.network, QUESTION)["label"].shape == (0,)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("3", Expectation("", 3, "=", 0.0)),
        ("label=3", Expectation("label", 3, "=", 0.0)),
        ("label[2]>0.5", Expectation("label", 2, ">", 0.5)),
        ("label[2] < -1e-3", Expectation("label", 2, "<", -1e-3)),
        ("[0]>1", Expectation("", 0, ">", 1.0)),
    ],
)
def test_expectations_are_read(text, expected):
    assert parse_expectation(text, ("label",)) == expected


@pytest.mark.parametrize(
    ("text", "outputs", "words"),
    [
        ("label", ("label",), "no expectation"),
        ("label[a]>1", ("label",), "no expectation"),
        ("other=1", ("label",), "no output 'other'"),
        ("1", ("a", "b"), "must name an output"),
    ],
)
def test_expectations_that_make_no_sense_are_refused(text, outputs, words):
    with pytest.raises(BadRequestError, match=words):
        parse_expectation(text, outputs)


def test_the_largest_value_and_limits_are_compared():
    answer = {"label": np.array([0.1, 0.7, 0.2], dtype=np.float32)}
    assert Expectation("label", 1, "=", 0).is_met(answer)
    assert not Expectation("", 0, "=", 0).is_met(answer)
    assert Expectation("label", 1, ">", 0.6).is_met(answer)
    assert Expectation("label", 0, "<", 0.6).is_met(answer)
    assert not Expectation("label", 3, "<", 0.6).is_met(answer)


def test_questions_are_read_from_files(tmp_path):
    (tmp_path / "a.json").write_text(json.dumps({"picture": [1, 2.5]}))
    (tmp_path / "b.json").write_text("[1, 2.5]")
    (tmp_path / "c.txt").write_text("0 0\n\n1, 2.5\n")
    np.save(tmp_path / "d.npy", np.array([[0, 0], [1, 2.5]]))
    np.save(tmp_path / "e.npy", np.array([1, 2.5]))
    for name, row in (("a.json", 0), ("b.json", 0), ("c.txt", 1), ("d.npy", 1), ("e.npy", 0)):
        question = read_question(tmp_path / name, ("picture",), row)
        assert question["picture"].tolist() == [1, 2.5]
        assert question["picture"].dtype == np.float32


@pytest.mark.parametrize(
    ("name", "text", "words"),
    [
        ("a.json", '{"other": [1]}', "names 'other'"),
        ("a.json", "[]", "holds no numbers"),
        ("a.json", "{", "cannot be read"),
        ("a.txt", "1 2\n", "row 1 of .* cannot be read"),
        ("a.txt", "one", "cannot be read"),
        ("a.npy", "nonsense", "cannot be read"),
    ],
)
def test_questions_that_cannot_be_read_are_refused(tmp_path, name, text, words):
    (tmp_path / name).write_text(text)
    with pytest.raises(BadRequestError, match=words):
        read_question(tmp_path / name, ("picture",), 1)


def test_a_plain_list_is_for_the_only_input(tmp_path):
    (tmp_path / "plain.txt").write_text("1 2\n3 4\n")
    with pytest.raises(BadRequestError, match="names no input"):
        read_question(tmp_path / "plain.txt", ("a", "b"), 1)


def test_a_row_of_a_request_task_is_a_question(history):
    content = history.dataset(1, 10)
    task = history.task(60, content, epochs=1, kind="request")
    question = row_of_task(history.blobs, task, 9)
    assert question["picture"].shape == (INPUT_WIDTH,)
    with pytest.raises(BadRequestError, match=f"{uuid_of(60)} has rows 0 to 9, not 10"):
        row_of_task(history.blobs, task, 10)
