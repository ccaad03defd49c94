"""What comes back when the answer is not 200, or when there is none."""

import logging
import shutil
import ssl
import subprocess

import pytest

from hanami_sdk import cluster, dataset, hanami_exceptions, hanami_token
from hanami_sdk.hanami_request import close_connections, strict_statuses
from tests.unit.sdk.stub_server import TOKEN, StubServer

REFUSALS = [
    (400, hanami_exceptions.BadRequestException),
    (401, hanami_exceptions.UnauthorizedException),
    (404, hanami_exceptions.NotFoundException),
    (409, hanami_exceptions.ConflictException),
]


@pytest.mark.parametrize(("status", "exception"), REFUSALS)
def test_a_refusal_carries_the_body_as_bytes_and_prints_as_text(stub, script, status, exception):
    script.answer("GET", "cluster", "no süch thing", status=status, headers={"X-Request-Id": "r1"})
    with pytest.raises(exception) as caught:
        cluster.get_cluster(TOKEN, stub.address, "c")
    assert caught.value.message == "no süch thing".encode()
    assert caught.value.args == ("no süch thing".encode(),)
    assert str(caught.value) == "no süch thing"
    assert caught.value.request_id == "r1"


def test_an_internal_error_has_a_fixed_text_no_message_and_the_request_id(stub, script):
    script.answer("GET", "cluster", "", status=500, headers={"X-Request-Id": "r2"})
    with pytest.raises(hanami_exceptions.InternalServerErrorException) as caught:
        cluster.get_cluster(TOKEN, stub.address, "c")
    assert str(caught.value) == "Server internal error appeared."
    assert not hasattr(caught.value, "message")
    assert caught.value.request_id == "r2"
    assert str(hanami_exceptions.InternalServerErrorException()) == str(caught.value)


def test_another_status_returns_none_and_leaves_a_warning_in_the_log(stub, script, caplog):
    script.answer("GET", "cluster", "too busy", status=503)
    with caplog.at_level(logging.WARNING, logger="hanami_sdk"):
        assert cluster.get_cluster(TOKEN, stub.address, "c") is None
    assert "unexpected status 503: too busy" in caplog.text


def test_another_status_raises_where_strict_statuses_are_asked_for(stub, script):
    script.answer("GET", "cluster", "too busy", status=503)
    with strict_statuses(), pytest.raises(hanami_exceptions.UnexpectedStatusException) as caught:
        cluster.get_cluster(TOKEN, stub.address, "c")
    assert caught.value.status == 503
    assert caught.value.message == b"too busy"


def test_a_login_never_returns_none(stub, script):
    script.answer("POST", "token", "slow down", status=429)
    with pytest.raises(hanami_exceptions.UnexpectedStatusException, match="429: slow down"):
        hanami_token.request_token(stub.address, "asdf", "asdfasdf")


def test_every_exception_has_the_common_base():
    for name in hanami_exceptions.__all__:
        assert issubclass(getattr(hanami_exceptions, name), hanami_exceptions.HanamiException)


def test_a_server_that_is_not_there_is_a_connection_error_with_address_and_reason(free_port):
    with pytest.raises(ConnectionError) as caught:
        cluster.list_clusters(TOKEN, f"http://127.0.0.1:{free_port}")
    assert isinstance(caught.value, hanami_exceptions.ConnectionFailedException)
    assert str(caught.value) == (
        f'Get "http://127.0.0.1:{free_port}/v1.0alpha/cluster/all": Connection refused'
    )


@pytest.mark.parametrize("address", ["127.0.0.1:11418", "", "http://", "ftp://x", "http://a:b:c"])
def test_an_address_that_is_none_is_explained(address):
    with pytest.raises(hanami_exceptions.ConnectionFailedException, match="must look like http://"):
        cluster.list_clusters(TOKEN, address)


def test_connections_are_kept_open_between_calls_and_threads(stub, script):
    script.answer("GET", "cluster/all", {})
    for _ in range(20):
        cluster.list_clusters(TOKEN, stub.address)
    assert len({call.peer for call in script.calls}) == 1


def test_a_proxy_of_the_environment_is_not_asked_for_the_loopback(stub, script, monkeypatch):
    close_connections()
    monkeypatch.setenv("HTTP_PROXY", "http://192.0.2.1:9")
    monkeypatch.setenv("http_proxy", "http://192.0.2.1:9")
    script.answer("GET", "cluster/all", {})
    assert cluster.list_clusters(TOKEN, stub.address) == b"{}"


@pytest.fixture
def tls_stub(tmp_path):
    if shutil.which("openssl") is None:
        pytest.skip("needs the openssl command to make a certificate")
    key, certificate = tmp_path / "key.pem", tmp_path / "cert.pem"
    subprocess.run(
        f"openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2"
        f" -subj /CN=stub -keyout {key} -out {certificate}".split(),
        check=True,
        capture_output=True,
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    server = StubServer(ssl_options=context).start()
    yield server
    close_connections()
    server.stop()


def test_a_self_signed_certificate_needs_verify_connection_false(tls_stub, tmp_path):
    script = tls_stub.script
    script.answer("GET", "dataset/all", {})
    script.answer("POST", "dataset/upload/csv", {"uuid": "d", "uuid_input_file": "i"})
    script.answer("GET", "dataset/progress", {"complete": True})
    script.answer("PUT", "dataset/upload/csv", {"uuid": "d"})
    with pytest.raises(hanami_exceptions.ConnectionFailedException, match="certificate"):
        dataset.list_datasets(TOKEN, tls_stub.address)
    assert dataset.list_datasets(TOKEN, tls_stub.address, verify_connection=False) == b"{}"
    path = tmp_path / "a.csv"
    path.write_text("a,b\n1,2\n")
    uuid = dataset.upload_csv_files(TOKEN, tls_stub.address, "n", path, verify_connection=False)
    assert uuid == "d"
    assert script.files["i"] == b"a,b\n1,2\n"
