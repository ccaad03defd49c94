"""The steps of the original's page about websockets, with its paths, one after another."""

import threading

import pytest

from tests.journey import write_idx
from tests.protocol.contract_client import ContractClient, RefusedError
from tests.server import ADMIN_ID, ADMIN_PASSPHRASE

POLLS_MAX = 500


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
