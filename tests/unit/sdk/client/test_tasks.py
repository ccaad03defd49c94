"""Handles of tasks: wait, give up, read the answers."""

import importlib
from urllib.parse import parse_qs

import numpy as np
import pytest

from hanami_sdk import hanami_exceptions
from hanami_sdk.client import columns


def state(name, cycle=0, **fields):
    return {
        "uuid": "t", "name": "train", "state": name, "current_cycle": cycle,
        "total_number_of_cycles": 10, **fields,
    }  # fmt: skip


@pytest.fixture
def training(client, script):
    """A task that is queued, runs, and has then finished."""
    script.answer("POST", "task/train", state("queued"))
    for answer in (state("queued"), state("active", 4), state("finished", 10, digest="d1")):
        script.answer("GET", "task", answer)
    return client.call("train", "c", inputs={"in": ("d", "x")}, outputs={"out": ("d", "y")})


def test_waiting_returns_the_finished_task_and_reports_on_the_way(client, training):
    seen = []
    done = client.end(training.wait(progress=lambda *numbers: seen.append(numbers)))
    assert (done.state, done.digest) == ("finished", "d1")
    assert training.last is done
    assert seen == [(0, 10), (4, 10), (10, 10)]


def test_a_bar_is_shown_only_to_a_terminal(client, training, capfd):
    client.end(training.wait(progress=True))
    assert capfd.readouterr().err == ""


@pytest.mark.parametrize(("name", "reason"), [("failed", "no such column"), ("aborted", "")])
def test_a_task_that_does_not_finish_is_an_exception_with_its_reason(
    client, script, training, name, reason
):
    script.answers[("GET", "task")] = [(200, state(name, 5, reason=reason), {})]
    with pytest.raises(hanami_exceptions.TaskFailedException, match=f"task t is {name}") as caught:
        client.end(training.wait())
    assert (caught.value.uuid, caught.value.state, caught.value.reason) == ("t", name, reason)
    assert training.last.state == name


def test_waiting_ends_after_the_given_time_and_the_task_goes_on(client, script, training):
    script.answers[("GET", "task")] = [(200, state("active", 4), {})]
    now_s = iter(range(1000))
    client.session.clock_s = lambda: float(next(now_s))
    with pytest.raises(TimeoutError, match="task t is active after 2 s, at cycle 4 of 10"):
        client.end(training.wait(timeout_s=2))
    assert not [call for call in script.calls if call.method == "DELETE"]


def test_a_handle_pauses_resumes_and_aborts_its_task(client, script, training):
    for change, name in (("pause", "paused"), ("resume", "active"), ("abort", "aborted")):
        script.answer("PUT", f"task/{change}", state(name))
        assert client.end(getattr(training, change)()).state == name
        assert training.last.state == name
        assert script.call("PUT", f"task/{change}").json == {"uuid": "t", "cluster_uuid": "c"}


def test_a_handle_refreshes_and_deletes_its_task(client, script, training):
    script.answer("DELETE", "task", {})
    assert client.end(training.refresh()).state == "queued"
    client.end(training.delete())
    assert script.call("DELETE", "task").query == "uuid=t&cluster_uuid=c"


ROWS = [[float(row), row + 0.5] for row in range(25)]


@pytest.fixture
def asked(client, script):
    """A request with one result of 25 rows."""
    script.answer("POST", "task/request", state("queued"))
    script.answer("GET", "task", state("finished", 10))
    description = {"out": {"column_start": 0, "column_end": 2}}
    script.answer("GET", "dataset", {"uuid": "t", "name": "r", "number_of_rows": 25,
                                     "description": description})  # fmt: skip
    script.answer("GET", "dataset/content", {"data": ROWS})
    return client.call("request", "c", inputs={"in": ("d", "x")}, results="out")


def test_the_result_is_an_array_of_single_floats(client, script, asked):
    result = client.end(asked.result())
    assert isinstance(result, np.ndarray)
    assert result.dtype == np.float32
    assert result.tolist() == ROWS
    assert script.call("GET", "dataset/content").query == (
        "uuid=t&column_name=out&row_offset=0&number_of_rows=25"
    )


def test_a_large_result_is_read_in_pages(client, script, asked, monkeypatch):
    monkeypatch.setattr(columns, "PAGE_VALUES_MAX", 20)
    script.answers[("GET", "dataset/content")] = [
        (200, {"data": ROWS[start : start + 10]}, {}) for start in (0, 10, 20)
    ]
    assert client.end(asked.result()).tolist() == ROWS
    queries = [parse_qs(call.query) for call in script.calls if call.path == "dataset/content"]
    assert [(q["row_offset"], q["number_of_rows"]) for q in queries] == [
        (["0"], ["10"]), (["10"], ["10"]), (["20"], ["5"]),
    ]  # fmt: skip


def test_without_numpy_the_result_is_a_list(client, asked, monkeypatch):
    def import_module(name):
        raise ImportError(name)

    monkeypatch.setattr(importlib, "import_module", import_module)
    assert client.end(asked.result()) == ROWS


def test_a_result_is_read_a_second_time_without_waiting(client, script, asked):
    client.end(asked.result())
    client.end(asked.result())
    assert len([call for call in script.calls if call.path == "task"]) == 1


def test_one_of_several_results_must_be_named(client, script):
    script.answer("POST", "task/request", state("queued"))
    asked = client.call("request", "c", inputs={"in": ("d", "x")}, results=["a", "b"])
    assert asked.columns == ["a", "b"]
    with pytest.raises(ValueError, match="several results, name one: a, b"):
        client.end(asked.result())


def test_a_column_that_is_not_there_is_named_with_those_that_are(client, asked):
    with pytest.raises(ValueError, match="no column 'other'; it has out"):
        client.end(asked.result("other"))


def test_part_of_a_column_is_read(client, script, asked):
    script.answers[("GET", "dataset/content")] = [(200, {"data": ROWS[3:5]}, {})]
    part = client.call("datasets.read", "t", "out", offset=3, rows=2)
    assert part.tolist() == ROWS[3:5]
    assert "row_offset=3&number_of_rows=2" in script.call("GET", "dataset/content").query
