"""Direct sessions of the clients with the real server."""

import asyncio
import json

import numpy as np
import pytest

from hanami_sdk import AsyncClient, Client, hanami_exceptions
from hanami_sdk.cli.main import main
from tests.journey import TEMPLATE, write_idx
from tests.server import ADMIN_ID, ADMIN_PASSPHRASE

ROWS = 400


@pytest.fixture
def client(warm_server):
    with Client(warm_server.address, ADMIN_ID, ADMIN_PASSPHRASE) as opened:
        yield opened


@pytest.fixture(scope="module")
def samples():
    """Pictures of three classes, each bright in its own third, and one-hot labels."""
    generator = np.random.default_rng(3)
    labels = generator.integers(0, 3, ROWS)
    pictures = generator.integers(0, 60, (ROWS, 30)).astype("f4")
    for row, label in enumerate(labels):
        pictures[row, 10 * label : 10 * label + 10] += 150
    return pictures, np.eye(3, dtype="f4")[labels]


@pytest.fixture
def network(client, request):
    made = client.clusters.create(f"direct {request.node.name[:40]}", TEMPLATE.format(seed=4))
    yield made
    client.clusters.delete(made)


def share_of_hits(answers, labels):
    return float(np.mean(answers.argmax(axis=1) == labels.argmax(axis=1)))


def test_a_fresh_cluster_is_trained_and_asked_with_arrays(client, network, samples):
    pictures, labels = samples
    with client.direct(network) as direct:
        for _ in range(3):
            assert direct.train_many({"picture": pictures}, {"label": labels}) == ROWS
        answers = direct.request_many({"picture": pictures})
        one = direct.request({"picture": pictures[0]})
        assert direct.steps_accepted == 3 * ROWS
        assert client.clusters.stats(network).mode == "DIRECT"
    assert answers.shape == (ROWS, 3)
    assert share_of_hits(answers, labels) >= 0.95
    assert one.tolist() == answers[0].tolist()
    stats = client.clusters.stats(network)
    assert (stats.mode, stats.trained_cycles) == ("TASK", 3 * ROWS)


def test_the_window_changes_nothing_but_the_speed(client, samples):
    pictures, labels = samples[0][:60], samples[1][:60]
    answers = []
    for window in (1, 7, 256):
        made = client.clusters.create(f"window {window}", TEMPLATE.format(seed=9))
        with client.direct(made, window=window, durability="committed") as direct:
            direct.train_many({"picture": pictures}, {"label": labels})
            answers.append(direct.request_many({"picture": pictures}).tolist())
        client.clusters.delete(made)
    assert answers[0] == answers[1] == answers[2]


def test_requests_are_answered_while_a_task_trains(client, network, tmp_path):
    data = client.datasets.upload_mnist("direct data", *write_idx(tmp_path, ROWS))
    training = client.train(
        network,
        inputs={"picture": (data, "picture")},
        outputs={"label": (data, "label")},
        epochs=1_000_000,
    )
    while training.refresh().current_cycle < ROWS:
        pass
    pictures = client.datasets.read(data, "picture", rows=20)
    with client.direct(network, switch_mode=False) as direct:
        assert direct.request_many({"picture": pictures}).shape == (20, 10)
    assert training.refresh().state == "active"
    with pytest.raises(hanami_exceptions.ConflictException), client.direct(network):
        pass
    training.abort()


def test_a_second_writer_is_refused_and_any_number_may_ask(client, network, samples):
    pictures, labels = samples
    with client.direct(network) as writer:
        writer.train({"picture": pictures[0]}, {"label": labels[0]})
        writer.flush()
        with client.direct(network) as reader:
            assert len(reader.request({"picture": pictures[0]})) == 3
        with (
            pytest.raises(hanami_exceptions.DirectClosedException) as caught,
            client.direct(network) as other,
        ):
            other.train_many({"picture": pictures[:1]}, {"label": labels[:1]})
        assert caught.value.code == 4409
        assert writer.train_many({"picture": pictures[:5]}, {"label": labels[:5]}) == 5


def test_a_name_that_the_cluster_does_not_have_closes_with_a_reason(client, network):
    with (
        pytest.raises(hanami_exceptions.DirectClosedException, match="nowhere") as caught,
        client.direct(network, switch_mode=False) as direct,
    ):
        direct.request({"nowhere": [1.0]})
    assert caught.value.code == 4400


def test_a_long_session_outlives_its_token(make_server, samples):
    server = make_server("--token-expire-s", "3")
    pictures, labels = samples
    with Client(server.address, ADMIN_ID, ADMIN_PASSPHRASE) as client:
        made = client.clusters.create("long session", TEMPLATE.format(seed=4))
        count = 0
        with client.direct(made) as direct:
            first = client.session.token
            # Calls of many steps, in which the token runs out more than once.
            steps = np.resize(pictures, (20_000, 30)), np.resize(labels, (20_000, 3))
            end_s = client.session.now_s() + 7
            while client.session.now_s() < end_s:
                count += direct.train_many({"picture": steps[0]}, {"label": steps[1]})
            assert client.session.token != first
        assert client.clusters.stats(made).trained_cycles == count


def test_a_direct_session_is_awaited_as_well(warm_server, samples):
    pictures, labels = samples

    async def work():
        async with AsyncClient(warm_server.address, ADMIN_ID, ADMIN_PASSPHRASE) as client:
            made = await client.clusters.create("direct awaited", TEMPLATE.format(seed=4))
            async with client.direct(made) as direct:
                await direct.train_many({"picture": pictures}, {"label": labels})
                answers = await direct.request_many({"picture": pictures})
            await client.clusters.delete(made)
            return answers

    assert share_of_hits(asyncio.run(work()), labels) >= 0.9


def test_hanamictl_trains_and_asks_with_files(
    client, network, samples, tmp_path, monkeypatch, capfd
):
    for name, value in {
        "ADDRESS": client.session.address, "USER": ADMIN_ID, "PASSPHRASE": ADMIN_PASSPHRASE,
    }.items():  # fmt: skip
        monkeypatch.setenv(f"HANAMI_{name}", value)
    pictures, labels = samples[0][:100], samples[1][:100]
    np.savetxt(tmp_path / "pictures.csv", pictures, delimiter=",")
    np.savetxt(tmp_path / "labels.csv", labels, delimiter=",")
    line = ["-i", f"picture:@{tmp_path}/pictures.csv", network.uuid, "-j"]
    labels_of = ["-o", f"label:@{tmp_path}/labels.csv", "--epochs", "5"]
    assert main(["direct", "train", *labels_of, *line]) == 0
    assert json.loads(capfd.readouterr().out)["trained_steps"] == 500
    assert main(["direct", "request", *line]) == 0
    answers = np.array(json.loads(capfd.readouterr().out))
    assert share_of_hits(answers, labels) >= 0.9
