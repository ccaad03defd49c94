"""`Client` and `AsyncClient` against the real server: what a user of them does in a day."""

import asyncio
import json

import numpy as np
import pytest

from hanami_sdk import AsyncClient, Client, hanami_exceptions
from hanami_sdk._upload import FilePart, send_file
from hanami_sdk._websocket import HandshakeRefusedError, open_websocket
from hanami_sdk.hanami_request import send_post_request
from tests.journey import TEMPLATE, write_idx
from tests.server import ADMIN_ID, ADMIN_PASSPHRASE

ROWS = 400
TEST_ROWS = 120


@pytest.fixture
def client(warm_server):
    with Client(warm_server.address, ADMIN_ID, ADMIN_PASSPHRASE) as opened:
        yield opened


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    directory = tmp_path_factory.mktemp("idx")
    return write_idx(directory, ROWS, seed=1), write_idx(directory, TEST_ROWS, seed=2)


def labels_of(path):
    return np.frombuffer(path.read_bytes()[8:], dtype=np.uint8)


def test_a_network_is_trained_asked_and_judged(client, files, tmp_path):
    train_data = client.datasets.upload_mnist("train data", *files[0])
    test_data = client.datasets.upload_mnist("test data", *files[1])
    assert train_data.description["picture"].width == 36
    network = client.clusters.create("sdk learner", TEMPLATE.format(seed=7))
    seen = []
    training = client.train(
        network,
        inputs={"picture": (train_data, "picture")},
        outputs={"label": (train_data, "label")},
        epochs=3,
    )
    done = training.wait(progress=lambda *numbers: seen.append(numbers))
    assert done.current_cycle == done.total_number_of_cycles == 3 * ROWS
    assert seen[-1] == (3 * ROWS, 3 * ROWS)
    question = client.request(network, inputs={"picture": (test_data, "picture")}, results="label")
    answers = question.result()
    assert answers.shape == (TEST_ROWS, 10)
    assert answers.dtype == np.float32
    hits = float(np.mean(answers.argmax(axis=1) == labels_of(files[1][1])))
    assert hits >= 0.95
    assert client.datasets.check(question.uuid, test_data) == pytest.approx(100 * hits, abs=1e-4)
    report = client.datasets.report(question.uuid, test_data)
    assert report.accuracy == pytest.approx(100 * hits)
    assert sum(map(sum, report.confusion_matrix)) == TEST_ROWS
    assert client.datasets.read(question.uuid, "label", offset=5, rows=3).tolist() == (
        answers[5:8].tolist()
    )
    path = client.datasets.download(question.uuid, tmp_path / "answers.npy")
    assert np.load(path).tolist() == answers.tolist()
    figures = client.clusters.get(network)
    assert (figures.seed, figures.trained_cycles) == (7, 3 * ROWS)
    assert [row.state for row in client.tasks.list(network)] == ["finished"] * 2
    training.delete()
    with pytest.raises(hanami_exceptions.NotFoundException) as caught:
        training.refresh()
    assert (caught.value.status, caught.value.request_id is not None) == (404, True)
    client.clusters.delete(network)


def test_a_csv_file_goes_in_and_comes_out_the_same(client, tmp_path):
    path = tmp_path / "data.csv"
    path.write_text("a,b\n1.0,0.5\n2.0,-3.0\n")
    uploaded = client.datasets.upload_csv("table", path)
    assert client.datasets.download(uploaded, tmp_path / "all.csv").read_text() == path.read_text()
    only_b = client.datasets.download(uploaded, tmp_path / "b.csv", columns=["b"], rows=1)
    assert only_b.read_text() == "b\n0.5\n"
    client.datasets.delete(uploaded)


def test_an_upload_that_broke_off_goes_on_where_it_was(client, tmp_path):
    path = tmp_path / "data.csv"
    path.write_text("a,b\n" + "1,2\n" * 100_000)
    size_bytes = path.stat().st_size
    token, address = client.log_in().token, client.session.address
    body = {"name": "broken", "input_data_size": size_bytes}
    path_of_uploads = "/v1.0alpha/dataset/upload/csv"
    answer = json.loads(send_post_request(token, address, path_of_uploads, body))
    part = (130_000, 270_000)

    async def send_a_part() -> None:
        with path.open("rb", buffering=0) as source:
            await send_file(
                token,
                address,
                answer["uuid_input_file"],
                FilePart(source, [part]),
                verify=True,
                advance=lambda _size: None,
            )

    asyncio.run(send_a_part())
    known = client.datasets.get_upload(answer["uuid_input_file"])
    assert known.missing == [(0, part[0]), (part[1], size_bytes)]
    other_file = tmp_path / "other.csv"
    other_file.write_text("a\n")
    with pytest.raises(ValueError, match="it must be the same file"):
        client.datasets.resume_upload(answer["uuid"], other_file)
    seen = []
    done = client.datasets.resume_upload(
        answer["uuid"], path, progress=lambda *numbers: seen.append(numbers)
    )
    assert done.number_of_rows == 100_000
    # Only the rest was sent.
    assert seen[0][0] == part[1] - part[0]
    assert seen[-1] == (size_bytes, size_bytes)
    client.datasets.delete(done)


def test_a_checksum_that_does_not_fit_is_noticed(client, tmp_path, monkeypatch):
    path = tmp_path / "data.csv"
    path.write_text("a\n1\n")
    monkeypatch.setattr(
        "hanami_sdk.client._sync.uploads.checksum_of", lambda _path: f"sha256:{'0' * 64}"
    )
    with pytest.raises(hanami_exceptions.ConflictException, match="checksum"):
        client.datasets.upload_csv("wrong", path)
    assert "wrong" not in [dataset.name for dataset in client.datasets.list()]


def test_users_projects_and_logs(client):
    client.projects.create("sdk_project", "SDK project")
    client.users.create("sdk_user", "SDK user", "secret99")
    assert client.users.add_project("sdk_user", "sdk_project").projects[0].role == "member"
    with Client(client.session.address, "sdk_user", "secret99") as member:
        assert [role.project_id for role in member.users.list_projects()] == ["sdk_project"]
        made = member.clusters.create("in the project")
        assert made.project_id == "sdk_project"
        with pytest.raises(hanami_exceptions.UnauthorizedException):
            member.users.list()
        old_token = member.session.token
        member.users.change_passphrase("secret99", "secret98")
        assert member.clusters.get(made).name == "in the project"
    with (
        Client(client.session.address, token=old_token) as late,
        pytest.raises(hanami_exceptions.UnauthorizedException),
    ):
        late.clusters.list()
    with pytest.raises(hanami_exceptions.ConflictException, match=made.uuid):
        client.projects.delete("sdk_project")
    client.projects.delete("sdk_project", force=True)
    client.users.delete("sdk_user")
    assert "sdk_user" not in [user.id for user in client.users.list()]
    called = client.logs.audit(user_id="sdk_user")
    assert ("v1.0alpha/cluster", "POST") in [(c.endpoint, c.request_type) for c in called]
    assert client.logs.errors(page=1000) == []


def test_another_project_is_entered_and_stays_entered(client):
    client.projects.create("sdk_other", "other project")
    client.users.create("sdk_switch", "switcher", "secret99")
    for project in ("sdk_other", "sdk_second"):
        client.users.add_project("sdk_switch", project)
    with Client(client.session.address, "sdk_switch", "secret99", project_id="sdk_second") as user:
        first = user.clusters.create("in second")
        user.switch_project("sdk_other")
        user.log_in()
        second = user.clusters.create("in other")
        assert [first.project_id, second.project_id] == ["sdk_second", "sdk_other"]
        with pytest.raises(hanami_exceptions.UnauthorizedException):
            user.switch_project("not_assigned")
    for made in (first, second):
        client.clusters.delete(made)
    client.users.delete("sdk_switch")
    client.projects.delete("sdk_other", force=True)


def test_a_token_that_runs_out_is_renewed_without_anybody_noticing(make_server):
    server = make_server("--token-expire-s", "1")
    with Client(server.address, ADMIN_ID, ADMIN_PASSPHRASE) as client:
        first = client.log_in().token
        # Refused now, whatever this side believes about its life.
        client.session._renew_at_s = None
        expired = client.session.now_s() + 1.1
        while client.session.now_s() < expired:
            client.hosts.list()
        assert client.session.token != first


def test_a_server_that_comes_back_is_reached_again(make_server):
    server = make_server()
    with Client(server.address, ADMIN_ID, ADMIN_PASSPHRASE) as client:
        made = client.clusters.create("survivor")
        server.kill()
        server.start()
        assert client.clusters.get(made).name == "survivor"


def test_many_things_at_once_with_the_async_client(warm_server, files):
    async def main():
        async with AsyncClient(warm_server.address, ADMIN_ID, ADMIN_PASSPHRASE) as client:
            data = await client.datasets.upload_mnist("async data", *files[0])
            networks = await asyncio.gather(
                *(
                    client.clusters.create(f"async {number}", TEMPLATE.format(seed=number))
                    for number in range(3)
                )
            )
            trainings = await asyncio.gather(
                *(
                    client.train(
                        network,
                        inputs={"picture": (data, "picture")},
                        outputs={"label": (data, "label")},
                    )
                    for network in networks
                )
            )
            done = await asyncio.gather(*(training.wait(timeout_s=90) for training in trainings))
            question = await client.request(
                networks[0], inputs={"picture": (data, "picture")}, results={"label": "digit"}
            )
            answers = await question.result()
            for network in networks:
                await client.clusters.delete(network)
            return done, answers

    done, answers = asyncio.run(main())
    assert [task.state for task in done] == ["finished"] * 3
    assert len({task.digest for task in done}) == 3
    assert answers.shape == (ROWS, 10)


def test_a_handshake_that_is_refused_says_why(client):
    async def open_nothing():
        await open_websocket(
            client.session.address,
            client.log_in().token,
            target="file_upload",
            uuid="f",
            verify=True,
        )

    with pytest.raises(HandshakeRefusedError, match="not found"):
        asyncio.run(open_nothing())


@pytest.fixture
def trained(client, files):
    """A cluster that has learned, its data and its training."""
    data = client.datasets.upload_mnist("some data", *files[0])
    network = client.clusters.create("sdk original", TEMPLATE.format(seed=5))
    training = learn(client, network, data)
    training.wait()
    yield network, data, training
    client.clusters.delete(network)
    client.datasets.delete(data)


def learn(client, network, data, epochs=1):
    return client.train(
        network,
        inputs={"picture": (data, "picture")},
        outputs={"label": (data, "label")},
        epochs=epochs,
    )


def answers_of(client, network, data):
    return client.request(network, inputs={"picture": (data, "picture")}, results="label").result()


def test_copies_and_clusters_of_checkpoints_answer_as_the_original(client, trained):
    network, data, training = trained
    expected = answers_of(client, network, data).tolist()
    saved = client.clusters.save(network, "sdk point")
    assert client.checkpoints.get(saved).cluster_uuid == network.uuid
    assert saved.uuid in [checkpoint.uuid for checkpoint in client.checkpoints.list()]
    twins = [
        client.clusters.copy(network, "sdk copy"),
        client.clusters.create("sdk of checkpoint", checkpoint=saved),
        client.clusters.create("sdk of moment", source=network, source_task=training),
    ]
    early = client.clusters.create(
        "sdk early", source=network, source_task=training, source_cycle=10
    )
    client.checkpoints.delete(saved)
    for twin in twins:
        assert answers_of(client, twin, data).tolist() == expected
    assert answers_of(client, early, data).tolist() != expected
    for made in (*twins, early):
        client.clusters.delete(made)


def test_a_cluster_is_renamed_looked_at_and_moved(client, trained):
    network, _data, training = trained
    assert client.clusters.rename(network, "sdk renamed").name == "sdk renamed"
    stats = client.clusters.stats(network)
    assert (stats.mode, stats.task_uuid, stats.last_task_uuid) == ("TASK", "", training.uuid)
    assert stats.host_uuid == client.hosts.list()[0].uuid
    assert client.clusters.switch_host(network, client.hosts.list()[0]).uuid == network.uuid
    history = client.clusters.history(network, task=training)
    assert history[-1].trained_cycles == stats.trained_cycles == ROWS


def test_a_training_is_paused_resumed_and_aborted(client, trained):
    network, data, _training = trained
    long_task = learn(client, network, data, epochs=1_000_000)
    while long_task.refresh().current_cycle == 0:
        pass
    assert long_task.pause().state == "paused"
    cycle = long_task.refresh().current_cycle
    assert client.clusters.stats(network).task_state == "paused"
    assert long_task.refresh().current_cycle == cycle
    assert long_task.resume().state in {"active", "queued"}
    while long_task.refresh().current_cycle <= cycle:
        pass
    with pytest.raises(TimeoutError, match="is active after 0 s"):
        long_task.wait(timeout_s=0)
    assert long_task.abort().state == "aborted"
    with pytest.raises(hanami_exceptions.TaskFailedException, match="is aborted"):
        long_task.wait()
    assert long_task.last.state == "aborted"


def test_the_server_tells_about_itself(client):
    assert client.system.caller().id == ADMIN_ID
    assert client.system.info().packages[0].cores != []
    assert len(client.system.power().seconds) == 60
    assert len(client.system.speed().days) == len(client.system.temperature().days) == 365
    assert client.system.threads() != {}


def test_a_checkpoint_is_restored_from_its_file(client, trained, tmp_path):
    network, data, _training = trained
    expected = answers_of(client, network, data).tolist()
    saved = client.clusters.save(network, "sdk file")
    path = client.checkpoints.download(saved, tmp_path / "sdk.checkpoint")
    client.checkpoints.delete(saved)
    uploaded = client.checkpoints.upload(path, "sdk uploaded")
    twin = client.clusters.create("sdk of file", checkpoint=uploaded)
    assert answers_of(client, twin, data).tolist() == expected
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(hanami_exceptions.BadRequestException):
        client.checkpoints.upload(path, "sdk damaged")
    client.checkpoints.delete(uploaded)
    client.clusters.delete(twin)
