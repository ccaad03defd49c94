"""The steps of the original's page about websockets, with its paths, one after another."""

import base64
import threading

import pytest

from tests.journey import write_idx
from tests.protocol.contract_client import (
    EXPECTED_BUFFER_TYPE,
    INPUT_BUFFER_TYPE,
    REQUEST_TYPE,
    TRAIN_TYPE,
    ContractClient,
    RefusedError,
)
from tests.server import ADMIN_ID, ADMIN_PASSPHRASE

POLLS_MAX = 500
TEMPLATE = (
    "version: 1\nsettings:\n    seed: 3\nhexagons:\n    1,1,1\n    2,1,1\n    3,1,1\n"
    "inputs:\n    picture: 1,1,1\noutputs:\n    label: 3,1,1\n"
)


@pytest.fixture
def client(warm_server):
    opened = ContractClient(warm_server.address, prefix="/v1/")
    opened.log_in(ADMIN_ID, ADMIN_PASSPHRASE)
    yield opened
    opened.close()


def wait_until_complete(client, uuid):
    for _ in range(POLLS_MAX):
        answer = client.send("GET", "dataset/progress", {"uuid": uuid})
        if answer["complete"] is True:
            return
        threading.Event().wait(0.02)
    raise AssertionError("the upload does not become complete")


def test_mnist_files_are_uploaded_as_the_page_says(client, tmp_path):
    images, labels = write_idx(tmp_path, 50)
    started = client.send(
        "POST",
        "mnist/dataset",
        {
            "name": "from the page",
            "input_data_size": images.stat().st_size,
            "label_data_size": labels.stat().st_size,
        },
    )
    client.upload(started["uuid_input_file"], images)
    client.upload(started["uuid_label_file"], labels)
    wait_until_complete(client, started["uuid"])
    files = {key: started[key] for key in ("uuid", "uuid_input_file", "uuid_label_file")}
    assert client.send("PUT", "mnist/dataset", files) == {"uuid": started["uuid"]}
    assert client.send("GET", "dataset", {"uuid": started["uuid"]})["number_of_rows"] == 50
    client.send("DELETE", "dataset", {"uuid": started["uuid"]})


def test_a_csv_file_is_uploaded_as_the_page_says(client, tmp_path):
    path = tmp_path / "data.csv"
    path.write_text("a,b\n" + "1,2\n" * 50_000)
    body = {"name": "from the page", "input_data_size": path.stat().st_size}
    started = client.send("POST", "csv/dataset", body)
    assert "uuid_label_file" not in started
    client.upload(started["uuid_input_file"], path)
    wait_until_complete(client, started["uuid"])
    files = {key: started[key] for key in ("uuid", "uuid_input_file")}
    client.send("PUT", "csv/dataset", files)
    assert client.send("GET", "dataset", {"uuid": started["uuid"]})["number_of_rows"] == 50_000
    client.send("DELETE", "dataset", {"uuid": started["uuid"]})


def test_a_websocket_for_something_that_is_not_there_is_refused_with_a_reason(client):
    uuid = "99999999-9999-4999-8999-999999999999"
    with pytest.raises(RefusedError, match=uuid), client.websocket("file_upload", uuid):
        pass
    client.token = "no.token.atall"
    with pytest.raises(RefusedError), client.websocket("file_upload", uuid):
        pass


@pytest.mark.parametrize("has_target", [True, False], ids=["with target type", "as on the page"])
def test_a_cluster_is_trained_and_asked_directly_as_the_page_says(client, has_target):
    template = base64.b64encode(TEMPLATE.encode()).decode()
    body = {"name": f"page {has_target}", "template": template}
    uuid = client.send("POST", "cluster", body)["uuid"]
    switched = client.send("PUT", "cluster/set_mode", {"uuid": uuid, "new_state": "DIRECT"})
    assert switched["new_state"] == "DIRECT"
    pictures, labels = [[1.0, 0.0, 5.0], [0.0, 3.0, 0.0]], [[1.0, 0.0], [0.0, 1.0]]
    with client.websocket("cluster", uuid) as websocket:
        for step in range(120):
            picture, label = pictures[step % 2], labels[step % 2]
            answer = client.exchange(
                websocket, "picture", picture, process=TRAIN_TYPE, is_last=False,
                target=INPUT_BUFFER_TYPE if has_target else None,
            )  # fmt: skip
            assert answer.SerializeToString().hex() == "18012801320400000000"
            answer = client.exchange(
                websocket, "label", label, process=TRAIN_TYPE, is_last=True,
                target=EXPECTED_BUFFER_TYPE if has_target else None,
            )  # fmt: skip
            assert answer.SerializeToString().hex() == "100118012801320400000000"
        for picture, label in zip(pictures, labels, strict=True):
            answer = client.exchange(
                websocket, "picture", picture, process=REQUEST_TYPE, is_last=True,
                target=INPUT_BUFFER_TYPE if has_target else None,
            )  # fmt: skip
            # The same type, with the values of the output.
            assert (answer.bufferName, answer.processType, answer.numberOfValues) == ("label", 0, 2)
            values = list(answer.values)
            assert values.index(max(values)) == label.index(1.0)
    client.send("PUT", "cluster/set_mode", {"uuid": uuid, "new_state": "TASK"})
    client.send("DELETE", "cluster", {"uuid": uuid})
