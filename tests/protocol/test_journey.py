"""The main job through a real server: upload, train, request; and what a kill does to it."""

import json

import numpy as np
import pytest

from hanami_sdk import cluster, dataset, hanami_exceptions, hosts, task
from tests.journey import Journey, write_idx

ROWS = 400
TEST_ROWS = 120


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    directory = tmp_path_factory.mktemp("idx")
    return write_idx(directory, ROWS, seed=1), write_idx(directory, TEST_ROWS, seed=2)


def accuracy(answers, label_path):
    labels = np.frombuffer(label_path.read_bytes()[8:], dtype=np.uint8)
    return float(np.mean(np.argmax(np.array(answers), axis=1) == labels))


def test_a_network_learns_three_classes_through_the_running_server(warm_server, files):
    user = Journey(warm_server)
    train_data, test_data = user.upload(*files[0]), user.upload(*files[1])
    network = user.create_cluster("learner")
    trained = user.finished(user.train(network, train_data, epochs=3), network)
    assert trained["current_cycle"] == trained["total_number_of_cycles"] == 3 * ROWS
    assert trained["percentage_finished"] == 1.0
    assert len(trained["digest"]) == 64
    request = user.request(network, test_data, name="my answers")
    assert user.finished(request, network)["current_cycle"] == TEST_ROWS
    assert accuracy(user.answers(request, TEST_ROWS), files[1][1]) >= 0.95
    shown = json.loads(dataset.get_dataset(user.token, user.address, request))
    assert shown["name"] == "my answers"
    assert shown["description"] == {"answer": {"column_start": 0, "column_end": 10}}
    figures = json.loads(cluster.get_cluster(user.token, user.address, network))
    assert figures["number_of_blocks"] >= 1
    assert figures["seed"] == 7
    listed = json.loads(task.list_tasks(user.token, user.address, network))
    assert [row[1] for row in listed["body"]] == ["finished", "finished"]
    assert len(json.loads(hosts.list_hosts(user.token, user.address))["body"]) == 1
    task.delete_task(user.token, user.address, request, network)
    with pytest.raises(hanami_exceptions.NotFoundException):
        task.get_task(user.token, user.address, request, network)
    # The result stays.
    assert len(user.answers(request, TEST_ROWS)) == TEST_ROWS
    cluster.delete_cluster(user.token, user.address, network)


def test_two_servers_with_the_same_seed_and_samples_have_the_same_digest(
    warm_server, make_server, files
):
    digests = []
    for server in (warm_server, make_server("--slice-ms", "1", "--host-threads", "2")):
        user = Journey(server)
        network = user.create_cluster("twin", seed=11)
        data = user.upload(*files[0])
        digests.append(user.finished(user.train(network, data, epochs=2), network)["digest"])
        cluster.delete_cluster(user.token, user.address, network)
    assert digests[0] == digests[1]


def test_after_a_kill_everything_acknowledged_is_there_and_answers_are_the_same_bytes(
    server, files
):
    user = Journey(server)
    train_data, test_data = user.upload(*files[0]), user.upload(*files[1])
    network = user.create_cluster("survivor")
    digest = user.finished(user.train(network, train_data), network)["digest"]
    before_request = user.request(network, test_data)
    user.finished(before_request, network)
    before = user.answers(before_request, TEST_ROWS)
    lists = [
        function(user.token, user.address)
        for function in (dataset.list_datasets, cluster.list_clusters, hosts.list_hosts)
    ]
    server.kill()
    server.start()
    user.log_in()
    assert lists == [
        function(user.token, user.address)
        for function in (dataset.list_datasets, cluster.list_clusters, hosts.list_hosts)
    ]
    tasks = json.loads(task.list_tasks(user.token, user.address, network))["body"]
    assert [row[1] for row in tasks] == ["finished", "finished"]
    after_request = user.request(network, test_data)
    after = user.finished(after_request, network)
    assert after["digest"] == digest
    assert user.answers(after_request, TEST_ROWS) == before


@pytest.mark.parametrize("how", ["kill", "terminate"])
def test_a_training_interrupted_in_the_middle_ends_with_the_undisturbed_digest(server, files, how):
    user = Journey(server)
    data = user.upload(*files[0])
    undisturbed = user.create_cluster("undisturbed", seed=5)
    expected = user.finished(user.train(undisturbed, data, epochs=30), undisturbed)["digest"]
    network = user.create_cluster("interrupted", seed=5)
    training = user.train(network, data, epochs=30)
    user.wait_for(training, network, lambda shown: shown["current_cycle"] > ROWS)
    getattr(server, how)()
    server.start()
    user.log_in()
    assert user.finished(training, network)["digest"] == expected
    assert "Traceback" not in server.log


def test_an_aborted_training_stops_at_a_recorded_cycle_and_the_next_task_runs(warm_server, files):
    user = Journey(warm_server)
    data = user.upload(*files[0])
    network = user.create_cluster("aborted")
    long_task = user.train(network, data, epochs=1_000_000)
    waiting = user.train(network, data)
    user.wait_for(long_task, network, lambda shown: shown["current_cycle"] > 0)
    assert user.task(waiting, network)["state"] == "queued"
    task.delete_task(user.token, user.address, long_task, network)
    aborted = user.task(long_task, network)
    assert aborted["state"] == "aborted"
    assert 0 < aborted["current_cycle"] < aborted["total_number_of_cycles"]
    user.finished(waiting, network)
    task.delete_task(user.token, user.address, long_task, network)
    with pytest.raises(hanami_exceptions.NotFoundException):
        user.task(long_task, network)
    cluster.delete_cluster(user.token, user.address, network)


def test_a_cluster_that_trains_can_be_deleted_and_its_name_is_free_at_once(warm_server, files):
    user = Journey(warm_server)
    data = user.upload(*files[0])
    network = user.create_cluster("short lived")
    training = user.train(network, data, epochs=1_000_000)
    user.wait_for(training, network, lambda shown: shown["state"] == "active")
    cluster.delete_cluster(user.token, user.address, network)
    with pytest.raises(hanami_exceptions.NotFoundException):
        user.task(training, network)
    again = user.create_cluster("short lived")
    assert again != network
    cluster.delete_cluster(user.token, user.address, again)


def test_a_dataset_may_be_deleted_while_a_task_learns_from_it(warm_server, files):
    user = Journey(warm_server)
    data = user.upload(*files[0])
    network = user.create_cluster("orphan")
    training = user.train(network, data, epochs=20)
    dataset.delete_dataset(user.token, user.address, data)
    user.finished(training, network)
    with pytest.raises(hanami_exceptions.NotFoundException, match=data):
        user.train(network, data)
    cluster.delete_cluster(user.token, user.address, network)
