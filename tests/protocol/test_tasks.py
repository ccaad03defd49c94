"""Tasks over REST: what clients see of them."""

import pytest

from hanami_actors.actors.gateway import GetTask, ListTasks
from hanami_actors.domain.cluster.messages import CreateTrainTask, InputBinding
from hanami_actors.errors import NotFoundError
from tests.fakes import task_view
from tests.protocol.api_server import ADMIN

DATASET = "11111111-1111-4111-8111-111111111111"
TASK = "22222222-2222-4222-8222-222222222222"
SOURCE = {"hexagon_name": "in", "dataset_uuid": DATASET, "dataset_column": "picture"}


@pytest.fixture
def cluster(api):
    return api.gateway.add_cluster(ADMIN)


def create(api, cluster, **fields):
    body = {"name": "some_task", "cluster_uuid": cluster, "inputs": [SOURCE], "outputs": [SOURCE]}
    return api.request("POST", "/v1/task/train", json=body | fields, token=api.token())


def test_a_created_task_is_shown_as_queued(api, cluster):
    assert create(api, cluster).json() == {
        "current_cycle": 0,
        "digest": "",
        "end_timestamp": "-",
        "estimated_end_timestamp": "-",
        "name": "some_task",
        "percentage_finished": 0.0,
        "queue_timestamp": "2026-11-21 18:57:20",
        "reason": "",
        "start_timestamp": "-",
        "state": "queued",
        "total_number_of_cycles": 1000,
        "uuid": "00000000-0000-4000-8000-00000000aaaa",
    }


def test_the_cluster_gets_the_bindings_and_the_numbers(api, cluster):
    create(api, cluster, time_length=3, number_of_epochs=4)
    binding = InputBinding(dataset_uuid=DATASET, dataset_column="picture", hexagon_name="in")
    assert api.gateway.messages == [
        CreateTrainTask(
            name="some_task",
            inputs=(binding,),
            outputs=(binding,),
            time_length=3,
            epoch_count=4,
        )
    ]
    assert api.gateway.commands[0][0].key == cluster


@pytest.mark.parametrize("key", ["hexagon_name", "dataset_uuid", "dataset_column"])
@pytest.mark.parametrize("field", ["inputs", "outputs"])
def test_a_binding_without_a_key_is_400_and_names_it(api, cluster, field, key):
    source = {name: value for name, value in SOURCE.items() if name != key}
    answer = create(api, cluster, **{field: [SOURCE, source]})
    assert (answer.status_code, answer.text) == (400, f"field '{field}[1].{key}' is missing")
    assert api.gateway.commands == []


def test_bindings_as_a_map_are_400(api, cluster):
    assert create(api, cluster, inputs={"in": SOURCE}).status_code == 400


def test_a_task_shows_how_far_it_is(api, cluster):
    params = {"uuid": TASK, "cluster_uuid": cluster}
    reply = api.request("GET", "/v1/task", params=params, token=api.token()).json()
    assert (reply["state"], reply["current_cycle"], reply["total_number_of_cycles"]) == (
        "active", 169, 1000,
    )  # fmt: skip
    assert reply["percentage_finished"] == 0.169


def test_an_unknown_task_is_404_with_the_text_of_the_cluster(api, cluster):
    api.gateway.answers[GetTask] = NotFoundError("Task with UUID 'x' not found")
    params = {"uuid": TASK, "cluster_uuid": cluster}
    answer = api.request("GET", "/v1/task", params=params, token=api.token())
    assert (answer.status_code, answer.text) == (404, "Task with UUID 'x' not found")


def test_the_list_is_sorted_by_uuid_and_all_cells_are_texts(api, cluster):
    api.gateway.answers[ListTasks] = (task_view(uuid="b"), task_view(uuid="a"))
    params = {"cluster_uuid": cluster}
    reply = api.request("GET", "/v1/task/all", params=params, token=api.token()).json()
    assert reply["header"] == ["uuid", "state", "percentage", "queued", "start", "end"]
    assert [row[0] for row in reply["body"]] == ["a", "b"]
    times = ["2026-11-21 18:57:20", "2026-11-21 18:57:21", "-"]
    assert reply["body"][0] == ["a", "active", "0.169000", *times]
