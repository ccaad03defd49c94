"""The Python examples of the original's documentation, call for call, against the real server.

Names, order of the arguments and the use of the results are those of its pages; where a page
contradicts itself, the reading is the one that makes the example work.
"""

import asyncio
import json
import threading

import pytest

from hanami_sdk import hanami_token
from tests.journey import write_idx
from tests.server import ADMIN_ID, ADMIN_PASSPHRASE

ROWS = 300
TEMPLATE = (
    "version: 1\n"
    "settings:\n"
    "    neuron_cooldown: 10000000.0\n"
    "    refractory_time: 1\n"
    "    max_connection_distance: 1\n"
    "    enable_reduction: false\n"
    "hexagons:\n"
    "    1,1,1\n"
    "    2,1,1\n"
    "    3,1,1\n"
    "    \n"
    "inputs:\n"
    "    picture_hex: 1,1,1\n"
    "\n"
    "outputs:\n"
    "    label_hex: 3,1,1\n"
)


@pytest.fixture
def address(warm_server):
    return warm_server.address


@pytest.fixture
def token(address):
    test_user = ADMIN_ID
    test_pw = ADMIN_PASSPHRASE
    return hanami_token.request_token(address, test_user, test_pw)


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    return write_idx(tmp_path_factory.mktemp("idx"), ROWS)


@pytest.fixture
def dataset_uuid(token, address, files):
    from hanami_sdk import dataset

    train_inputs, train_labels = (str(path) for path in files)
    uuid = dataset.upload_mnist_files(
        token, address, "train_test_dataset", train_inputs, train_labels
    )
    yield uuid
    dataset.delete_dataset(token, address, uuid)


@pytest.fixture
def cluster_uuid(token, address):
    from hanami_sdk import cluster

    result = cluster.create_cluster(token, address, "test_cluster", TEMPLATE)
    uuid = json.loads(result)["uuid"]
    yield uuid
    cluster.delete_cluster(token, address, uuid)


def test_example_of_the_exceptions(token, address):
    from hanami_sdk import hanami_exceptions, project

    caught = []
    try:
        project.get_project(token, address, "fail_project")
    except hanami_exceptions.NotFoundException as e:
        caught.append(str(e))
    except hanami_exceptions.UnauthorizedException as e:
        caught.append(f"wrong one: {e}")
    except hanami_exceptions.BadRequestException as e:
        caught.append(f"wrong one: {e}")
    except hanami_exceptions.ConflictException as e:
        caught.append(f"wrong one: {e}")
    except hanami_exceptions.InternalServerErrorException:
        caught.append("internal error")
    assert len(caught) == 1
    assert "fail_project" in caught[0]


def test_example_of_an_insecure_connection(address):
    from hanami_sdk import hosts

    token = hanami_token.request_token(address, ADMIN_ID, ADMIN_PASSPHRASE, verify_connection=False)
    assert json.loads(hosts.list_hosts(token, address, verify_connection=False))["body"]


def test_examples_of_projects(token, address):
    from hanami_sdk import hanami_exceptions, project

    projet_id = "test_project_of_examples"
    project_name = "Test Project"
    result = json.loads(project.create_project(token, address, projet_id, project_name))
    assert {key: result[key] for key in ("creator_id", "id", "name")} == {
        "creator_id": ADMIN_ID,
        "id": projet_id,
        "name": "Test Project",
    }
    assert json.loads(project.get_project(token, address, projet_id)) == result
    listed = json.loads(project.list_projects(token, address))
    assert listed["header"] == ["created_at", "id", "name", "creator_id"]
    assert [projet_id, "Test Project", ADMIN_ID] in [row[1:] for row in listed["body"]]
    project.delete_project(token, address, projet_id)
    with pytest.raises(hanami_exceptions.NotFoundException):
        project.get_project(token, address, projet_id)


def test_examples_of_users(token, address):
    from hanami_sdk import hanami_exceptions, user

    new_user = "new_user"
    new_id = "new_user_of_examples"
    new_pw = "asdfasdf"
    is_admin = True
    result = json.loads(user.create_user(token, address, new_id, new_user, new_pw, is_admin))
    shown = {key: result[key] for key in ("creator_id", "id", "is_admin", "name", "projects")}
    assert shown == {
        "creator_id": ADMIN_ID,
        "id": new_id,
        "is_admin": True,
        "name": "new_user",
        "projects": [],
    }
    assert json.loads(user.get_user(token, address, new_id)) == result
    listed = json.loads(user.list_users(token, address))
    assert listed["header"] == ["created_at", "id", "name", "creator_id", "projects", "is_admin"]
    assert [new_id, "new_user", ADMIN_ID, [], True] in [row[1:] for row in listed["body"]]
    assert hanami_token.request_token(address, new_id, new_pw)
    user.delete_user(token, address, new_id)
    with pytest.raises(hanami_exceptions.NotFoundException):
        user.get_user(token, address, new_id)


def test_nobody_deletes_himself(token, address):
    from hanami_sdk import hanami_exceptions, user

    with pytest.raises(hanami_exceptions.ConflictException):
        user.delete_user(token, address, ADMIN_ID)


def test_examples_of_projects_of_users(token, address):
    from hanami_sdk import project, user
    from hanami_sdk.user import (
        add_roject_to_user,
        list_projects_of_user,
        remove_project_fromUser,
        switch_project,
    )

    user_id = "member_of_examples"
    project_id = "project_of_member"
    project.create_project(token, address, project_id, "Project of a member")
    user.create_user(token, address, user_id, "Member", "asdfasdf", False)
    role = "member"
    is_project_admin = True
    result = add_roject_to_user(token, address, user_id, project_id, role, is_project_admin)
    assignment = {"project_id": project_id, "role": "member", "is_project_admin": True}
    assert json.loads(result)["projects"] == [assignment]
    member = hanami_token.request_token(address, user_id, "asdfasdf")
    assert json.loads(list_projects_of_user(member, address)) == {"projects": [assignment]}
    switched = json.loads(switch_project(member, address, project_id))
    assert switched["id"] == user_id
    assert json.loads(list_projects_of_user(switched["token"], address))["projects"]
    result = remove_project_fromUser(token, address, user_id, project_id)
    assert json.loads(result)["projects"] == []
    user.delete_user(token, address, user_id)
    project.delete_project(token, address, project_id)


def test_examples_of_datasets(token, address, files, tmp_path):
    from hanami_sdk import dataset, hanami_exceptions

    train_inputs, train_labels = (str(path) for path in files)
    dataset_uuid = dataset.upload_mnist_files(
        token, address, "train_test_dataset", train_inputs, train_labels
    )
    assert isinstance(dataset_uuid, str)
    result = json.loads(dataset.get_dataset(token, address, dataset_uuid))
    assert (result["name"], result["number_of_rows"]) == ("train_test_dataset", ROWS)
    assert result["description"] == {
        "label": {"column_end": 46, "column_start": 36},
        "picture": {"column_end": 36, "column_start": 0},
    }
    listed = json.loads(dataset.list_datasets(token, address))
    owned = ["uuid", "project_id", "owner_id", "visibility", "name"]
    assert listed["header"] == ["created_at", *owned]
    row = [dataset_uuid, "admin", ADMIN_ID, "private", "train_test_dataset"]
    assert row in [listed_row[1:] for listed_row in listed["body"]]
    csv_path = tmp_path / "test-file.csv"
    csv_path.write_text("test_input,test_output\n1.0,2.0\n")
    csv_uuid = dataset.upload_csv_files(token, address, "train_test_dataset", str(csv_path))
    for uuid in (dataset_uuid, csv_uuid):
        dataset.delete_dataset(token, address, uuid)
        with pytest.raises(hanami_exceptions.NotFoundException):
            dataset.get_dataset(token, address, uuid)


def test_examples_of_clusters(token, address):
    from hanami_sdk import cluster, hanami_exceptions

    result = json.loads(cluster.create_cluster(token, address, "test_cluster", TEMPLATE))
    owned = {
        "name": "test_cluster",
        "owner_id": ADMIN_ID,
        "project_id": "admin",
        "visibility": "private",
    }
    assert {key: result[key] for key in owned} == owned
    cluster_uuid = result["uuid"]
    shown = json.loads(cluster.get_cluster(token, address, cluster_uuid))
    assert {key: shown[key] for key in result} == result
    listed = json.loads(cluster.list_clusters(token, address))
    owned_header = ["uuid", "project_id", "owner_id", "visibility", "name"]
    assert listed["header"] == ["created_at", *owned_header]
    row = [cluster_uuid, "admin", ADMIN_ID, "private", "test_cluster"]
    assert row in [listed_row[1:] for listed_row in listed["body"]]
    cluster.delete_cluster(token, address, cluster_uuid)
    with pytest.raises(hanami_exceptions.NotFoundException):
        cluster.get_cluster(token, address, cluster_uuid)


def wait_until_finished(token, address, result, cluster_uuid):
    from hanami_sdk import task

    task_uuid = json.loads(result)["uuid"]
    finished = False
    while not finished:
        result = task.get_task(token, address, task_uuid, cluster_uuid)
        finished = json.loads(result)["state"] == "finished"
        threading.Event().wait(0.05)
    return task_uuid


def test_examples_of_tasks_and_their_results(token, address, dataset_uuid, cluster_uuid):
    from hanami_sdk import dataset, hanami_exceptions, request_result, task

    task_name = "test_task"
    inputs = [
        {
            "dataset_uuid": dataset_uuid,
            "dataset_column": "picture",
            "hexagon_name": "picture_hex",
        }
    ]
    outputs = [
        {"dataset_uuid": dataset_uuid, "dataset_column": "label", "hexagon_name": "label_hex"}
    ]
    result = task.create_train_task(token, address, task_name, cluster_uuid, inputs, outputs)
    task_uuid = wait_until_finished(token, address, result, cluster_uuid)
    result = json.loads(task.get_task(token, address, task_uuid, cluster_uuid))
    assert result["percentage_finished"] == 1.0
    assert result["current_cycle"] == result["total_number_of_cycles"] == ROWS
    assert "-" not in {result[f"{name}_timestamp"] for name in ("queue", "start", "end")}

    results = [{"dataset_column": "test_output", "hexagon_name": "label_hex"}]
    result = task.create_request_task(token, address, task_name, cluster_uuid, inputs, results)
    result_uuid = wait_until_finished(token, address, result, cluster_uuid)
    listed = json.loads(task.list_tasks(token, address, cluster_uuid))
    assert listed["header"] == ["uuid", "state", "percentage", "queued", "start", "end"]
    assert sorted(row[0] for row in listed["body"]) == sorted([task_uuid, result_uuid])
    assert {tuple(row[1:3]) for row in listed["body"]} == {("finished", "1.000000")}

    result = request_result.check_mnist_dataset(token, address, result_uuid, dataset_uuid)
    assert json.loads(result)["accuracy"] > 80.0
    column_name = "test_output"
    result = dataset.download_dataset_content(
        token,
        address,
        result_uuid,
        column_name,
        2,  # number of rows
        100,  # offset
    )
    data = json.loads(result)["data"]
    assert [len(row) for row in data] == [10, 10]
    assert all(0.0 <= value <= 1.0 for row in data for value in row)

    task.delete_task(token, address, task_uuid, cluster_uuid)
    with pytest.raises(hanami_exceptions.NotFoundException):
        task.get_task(token, address, task_uuid, cluster_uuid)
    # The result is not deleted with its task.
    task.delete_task(token, address, result_uuid, cluster_uuid)
    assert json.loads(dataset.get_dataset(token, address, result_uuid))["number_of_rows"] == ROWS


def test_example_of_the_hosts(token, address):
    from hanami_sdk import hosts

    result = json.loads(hosts.list_hosts(token, address))
    assert result["header"] == ["uuid", "type"]
    assert [row[1] for row in result["body"]] == ["cpu"]


def test_examples_of_checkpoints(token, address, cluster_uuid):
    from hanami_sdk import checkpoint, cluster, hanami_exceptions

    checkpoint_name = "test_checkpoint"
    result = json.loads(cluster.save_cluster(token, address, checkpoint_name, cluster_uuid))
    assert result["name"] == "test_checkpoint"
    checkpoint_uuid = result["uuid"]
    listed = json.loads(checkpoint.list_checkpoints(token, address))
    owned = ["uuid", "project_id", "owner_id", "visibility", "name"]
    assert listed["header"] == ["created_at", *owned]
    row = [checkpoint_uuid, "admin", ADMIN_ID, "private", "test_checkpoint"]
    assert row in [listed_row[1:] for listed_row in listed["body"]]
    result = cluster.restore_cluster(token, address, checkpoint_uuid, cluster_uuid)
    assert len(json.loads(result)["uuid"]) == 36
    checkpoint.delete_checkpoint(token, address, checkpoint_uuid)
    with pytest.raises(hanami_exceptions.NotFoundException):
        checkpoint.delete_checkpoint(token, address, checkpoint_uuid)


def test_example_of_switching_the_host(token, address, cluster_uuid):
    from hanami_sdk import cluster, hosts

    host_uuid = json.loads(hosts.list_hosts(token, address))["body"][0][0]
    result = json.loads(cluster.switch_host(token, address, cluster_uuid, host_uuid))
    assert (result["uuid"], result["name"]) == (cluster_uuid, "test_cluster")


DIRECT_TEMPLATE = (
    "version: 1\nsettings:\n    seed: 3\nhexagons:\n    1,1,1\n    2,1,1\n    3,1,1\n"
    "inputs:\n    test_input: 1,1,1\noutputs:\n    test_output: 3,1,1\n"
)


@pytest.fixture
def direct_uuid(token, address):
    from hanami_sdk import cluster

    result = cluster.create_cluster(token, address, "direct_cluster", DIRECT_TEMPLATE)
    uuid = json.loads(result)["uuid"]
    yield uuid
    cluster.delete_cluster(token, address, uuid)


def test_examples_of_direct_io_on_a_fresh_cluster(token, address, direct_uuid):
    from hanami_sdk import cluster, direct_io

    input_values = [0.0, 2.0, 0.0, 10.0, 0.5]
    exprected_values = [1.0, 0.0]

    async def train():
        ws = await cluster.switch_to_direct_mode(token, address, direct_uuid)
        assert ws is not None
        for _ in range(60):
            await direct_io.send_train_input(ws, "test_input", input_values, False)
            await direct_io.send_train_input(ws, "test_output", exprected_values, True)
        await ws.close()
        cluster.switch_to_task_mode(token, address, direct_uuid)

    async def request():
        ws = await cluster.switch_to_direct_mode(token, address, direct_uuid)
        assert ws is not None
        output_values = await direct_io.send_request_input(ws, "test_input", input_values, True)
        await ws.close()
        cluster.switch_to_task_mode(token, address, direct_uuid)
        return output_values

    asyncio.run(train())
    output_values = asyncio.run(request())
    assert output_values is not None
    assert len(output_values) == 2
    assert output_values[0] > 0.5 > output_values[1]
