"""A server with a certificate of its own making: who checks it, and who is told not to."""

import asyncio
import json
import os
import subprocess
import sys

import pytest

from hanami_sdk import (
    AsyncClient,
    Client,
    cluster,
    dataset,
    hanami_exceptions,
    hanami_token,
    hosts,
)
from hanami_sdk.hanami_request import close_connections
from tests.certificates import CERTIFICATE, KEY
from tests.server import ADMIN_ID, ADMIN_PASSPHRASE, ServerProcess

HANAMICTL = [sys.executable, "-m", "hanami_sdk.cli.main"]


@pytest.fixture(scope="module")
def tls_server(tmp_path_factory):
    data_dir = tmp_path_factory.mktemp("tls") / "data"
    server = ServerProcess(data_dir, "--tls-certificate", str(CERTIFICATE), "--tls-key", str(KEY))
    yield server.start()
    close_connections()
    server.close()


@pytest.fixture
def csv_file(tmp_path):
    path = tmp_path / "data.csv"
    path.write_text("a,b\n1,2\n")
    return path


def test_the_server_says_that_it_speaks_https(tls_server):
    assert tls_server.address.startswith("https://127.0.0.1:")
    plain = tls_server.address.replace("https", "http")
    with pytest.raises(hanami_exceptions.ConnectionFailedException):
        hanami_token.request_token(plain, ADMIN_ID, ADMIN_PASSPHRASE)


def test_functions_refuse_the_certificate_unless_verify_connection_is_false(tls_server, csv_file):
    address = tls_server.address
    with pytest.raises(hanami_exceptions.ConnectionFailedException, match="certificate"):
        hanami_token.request_token(address, ADMIN_ID, ADMIN_PASSPHRASE)
    token = hanami_token.request_token(address, ADMIN_ID, ADMIN_PASSPHRASE, verify_connection=False)
    with pytest.raises(hanami_exceptions.ConnectionFailedException, match="certificate"):
        hosts.list_hosts(token, address)
    assert json.loads(hosts.list_hosts(token, address, verify_connection=False))["header"]
    uuid = dataset.upload_csv_files(token, address, "over tls", csv_file, verify_connection=False)
    shown = json.loads(dataset.get_dataset(token, address, uuid, False))
    assert shown["number_of_rows"] == 1
    created = json.loads(cluster.create_cluster(token, address, "over tls", None, False))
    cluster.delete_cluster(token, address, created["uuid"], verify_connection=False)


def test_a_websocket_refuses_the_certificate_unless_it_is_told_not_to(tls_server):
    token = hanami_token.request_token(
        tls_server.address, ADMIN_ID, ADMIN_PASSPHRASE, verify_connection=False
    )
    work = dataset.send_data(token, tls_server.address, "d", "f", b"x")
    with pytest.raises(hanami_exceptions.ConnectionFailedException, match="certificate"):
        asyncio.run(work)
    # Accepted, and then refused by the server because there is no such file.
    work = dataset.send_data(token, tls_server.address, "d", "f", b"x", verify_connection=False)
    assert asyncio.run(work) is False


def test_clients_refuse_the_certificate_unless_verify_is_false(tls_server, csv_file):
    address = tls_server.address
    with (
        Client(address, ADMIN_ID, ADMIN_PASSPHRASE) as client,
        pytest.raises(hanami_exceptions.ConnectionFailedException, match="certificate") as caught,
    ):
        client.hosts.list()
    assert not caught.value.is_transient
    with Client(address, ADMIN_ID, ADMIN_PASSPHRASE, verify=False) as client:
        uploaded = client.datasets.upload_csv("over tls", csv_file)
        assert client.datasets.read(uploaded, "b").tolist() == [[2.0]]

    async def awaited() -> int:
        async with AsyncClient(address, ADMIN_ID, ADMIN_PASSPHRASE, verify=False) as client:
            return len(await client.hosts.list())

    assert asyncio.run(awaited()) == 1


def hanamictl(server, *arguments, **environ):
    known = {
        "HANAMI_ADDRESS": server.address,
        "HANAMI_USER": ADMIN_ID,
        "HANAMI_PASSPHRASE": ADMIN_PASSPHRASE,
    }
    return subprocess.run(
        [*HANAMICTL, *arguments],
        env=os.environ | known | environ,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


def test_hanamictl_refuses_the_certificate_unless_it_is_insecure(tls_server, csv_file):
    done = hanamictl(tls_server, "host", "list")
    assert done.returncode == 1
    assert "certificate" in done.stdout
    done = hanamictl(tls_server, "host", "list", "--insecure")
    assert (done.returncode, done.stderr) == (0, "")
    assert "| UUID" in done.stdout.replace("|                 UUID", "| UUID")
    done = hanamictl(
        tls_server, "--insecure", "dataset", "create", "csv", "-i", str(csv_file), "over tls", "-j"
    )
    assert json.loads(done.stdout)["number_of_rows"] == 1


def test_a_certificate_that_the_environment_names_is_trusted(tls_server, csv_file):
    done = hanamictl(
        tls_server, "dataset", "create", "csv", "-i", str(csv_file), "trusted", "-j",
        SSL_CERT_FILE=str(CERTIFICATE),
    )  # fmt: skip
    assert done.returncode == 0, done.stdout
    assert json.loads(done.stdout)["name"] == "trusted"


def test_half_of_the_tls_settings_ends_the_start_with_a_sentence(tmp_path):
    command = [sys.executable, "-m", "hanami_actors.main", "--data-dir", str(tmp_path / "data")]
    done = subprocess.run(
        [*command, "--tls-key", str(KEY)], capture_output=True, text=True, check=False, timeout=60
    )
    assert done.returncode == 1
    assert done.stderr == (
        "hanami-server: tls_key is set, but tls_certificate is not; TLS needs both\n"
    )
    assert not (tmp_path / "data").exists()
