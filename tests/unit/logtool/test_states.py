"""States at any moment, and what changed between two."""

import pytest

from hanami_actors.domain.cluster.events import TaskFailed, TaskQueued, TaskStarted
from tests.unit.domain.builders import train_task, uuid
from tests.unit.logtool.conftest import CLUSTER


@pytest.mark.parametrize(
    ("moment", "version", "phase"),
    [
        ("0", 0, "absent"),
        ("1", 1, "alive"),
        ("@12", 2, "alive"),
        ("@3", 0, "absent"),
        ("2023-11-14 22:13:31", 2, "alive"),
        ("2023-11-15", 5, "alive"),
    ],
)
def test_a_state_is_shown_as_it_was(hanami_log, moment, version, phase):
    run = hanami_log("state", CLUSTER, "--at", moment, "--json")
    assert run.code == 0
    assert (run.json["version"], run.json["state"]["phase"]) == (version, phase)


def test_the_newest_state_is_shown_for_people(hanami_log):
    run = hanami_log("state", CLUSTER)
    assert run.lines[0].endswith(
        "version 5, after cluster.task_finished at 2023-11-14 22:13:34.000"
    )
    assert "name: digits" in run.lines
    assert "    blocks: 2.0" in run.lines
    assert f"    [{uuid(60)}]:" in run.lines


def test_the_beginning_of_a_name_is_enough(hanami_log):
    assert hanami_log("state", "user/a", "--json").json["stream"] == "user/anna"
    several = hanami_log("state", "user/")
    assert several.code == 2
    assert "user/anna, user/bert" in several.err
    none = hanami_log("state", "user/zoe")
    assert none.code == 2
    assert "user/anna, user/bert" in none.err


def test_a_version_that_is_not_there_is_named(hanami_log):
    run = hanami_log("state", CLUSTER, "--at", "6")
    assert run.code == 2
    assert "versions 0 to 5" in run.err


def test_diff_names_what_changed_and_the_records_in_between(hanami_log):
    run = hanami_log("diff", CLUSTER, "3", "5", "--json")
    assert run.code == 1
    changed = {
        change["path"]: (change["before"], change["after"]) for change in run.json["changes"]
    }
    task = f"tasks[{uuid(60)}]"
    assert changed[f"{task}.phase"] == ("active", "finished")
    assert changed[f"{task}.cycle"] == (0, 10)
    assert [record["version"] for record in run.json["records"]] == [4, 5]


def test_diff_is_for_people_too(hanami_log):
    run = hanami_log("diff", CLUSTER, "3")
    assert run.code == 1
    assert f"- tasks[{uuid(60)}].phase: active" in run.lines
    assert f"+ tasks[{uuid(60)}].phase: finished" in run.lines
    assert "+ figures.blocks: 2.0" in run.lines
    assert run.lines[-1].split()[0] == "15"


def test_equal_states_have_no_diff(hanami_log):
    run = hanami_log("diff", CLUSTER, "@11", "1")
    assert run.code == 0
    assert "equal" in run.out


def test_an_entry_that_moved_up_in_a_list_is_not_a_change(hanami_log, data):
    second = train_task(61)
    data.append(
        CLUSTER,
        TaskQueued(task=second),
        TaskStarted(task_uuid=second.uuid, kernel_version=1),
        TaskFailed(task_uuid=second.uuid, cycle=0, reason="no disk"),
    )
    run = hanami_log("diff", CLUSTER, "5", "8", "--json")
    paths = [change["path"] for change in run.json["changes"]]
    assert paths == [f"tasks[{uuid(61)}]"]


def test_two_moments_before_which_nothing_happened_are_equal(hanami_log):
    assert hanami_log("diff", CLUSTER, "@1", "@2").code == 0
