"""Checkpoints travel from one server to another as files."""

import base64
import hashlib
from typing import Any

import msgpack  # type: ignore[import-untyped]
import pytest

from hanami_actors.errors import BadRequestError
from hanami_actors.replay import checkpoint_file
from hanami_actors.replay.checkpoint_file import decode_checkpoint
from tests.protocol.direct_user import User, label, picture

LIMIT_BYTES = 2**30


def trained(user: User, name: str = "origin") -> tuple[str, list[float]]:
    """A checkpoint of a cluster that learned, and what it answers."""
    network = user.create_cluster(name)
    user.mode(network, "DIRECT")
    with user.connect(network) as client:
        for number in range(60):
            client.train(picture(number), label(number))
        answer = client.request(picture(1))
    user.mode(network, "TASK")
    saved = user.call("POST", "cluster/save", name="travelling", cluster_uuid=network)["uuid"]
    user.call("DELETE", "cluster", uuid=network)
    return str(saved), answer


def download(user: User, uuid: str) -> Any:
    return user.server.request(
        "GET", "/v1/checkpoint/download", token=user.token, params={"uuid": uuid}
    )


def upload(user: User, data: bytes, name: str = "arrived") -> Any:
    body = {"name": name, "data": base64.b64encode(data).decode()}
    return user.server.request("POST", "/v1/checkpoint/upload", token=user.token, json=body)


def test_a_checkpoint_of_one_server_is_restored_by_another(make_server, warm_server):
    user = User(warm_server)
    saved, expected = trained(user)
    file = download(user, saved)
    assert file.headers["Content-Type"] == "application/octet-stream"
    assert "travelling.checkpoint" in file.headers["Content-Disposition"]
    shown = user.call("GET", "checkpoint", uuid=saved)
    other = User(make_server())
    arrived = upload(other, file.content).json()
    assert (arrived["name"], arrived["digest"]) == ("arrived", shown["digest"])
    assert (arrived["cluster_uuid"], arrived["trained_cycles"]) == ("", 60)
    network = other.call("POST", "cluster", name="newer", checkpoint_uuid=arrived["uuid"])["uuid"]
    other.call("DELETE", "checkpoint", uuid=arrived["uuid"])
    with other.connect(network) as client:
        assert client.request(picture(1)) == expected
    # It goes on learning, also over a restart, and can travel again.
    other.mode(network, "DIRECT")
    with other.connect(network) as client:
        client.train(picture(2), label(2))
        learned = client.request(picture(1))
    other.mode(network, "TASK")
    again = other.call("POST", "cluster/save", name="again", cluster_uuid=network)["uuid"]
    other.server.kill()
    for path in (other.server.data_dir / "snapshots").glob("cluster%2F*/*"):
        path.unlink()
    other.server.start()
    other.log_in()
    with other.connect(network) as client:
        assert client.request(picture(1)) == learned
    assert download(other, again).status_code == 200
    back = upload(user, download(other, again).content).json()
    copy = user.call("POST", "cluster", name="back", checkpoint_uuid=back["uuid"])["uuid"]
    with user.connect(copy) as client:
        assert client.request(picture(1)) == learned


@pytest.fixture(scope="module")
def file(warm_server) -> bytes:
    user = User(warm_server)
    return bytes(download(user, trained(user, "damaged")[0]).content)


def changed_header(data: bytes, **values: Any) -> bytes:
    """A file with other values in its description, and a checksum that holds."""
    end = checkpoint_file.HEAD_BYTES + int.from_bytes(data[5 : checkpoint_file.HEAD_BYTES], "big")
    header = msgpack.unpackb(data[checkpoint_file.HEAD_BYTES : end])
    header["source"] |= values
    packed = msgpack.packb(header)
    whole = data[:5] + len(packed).to_bytes(4, "big") + packed + data[end:-32]
    check: bytes = hashlib.blake2b(whole, digest_size=32).digest()
    return bytes(whole + check)


@pytest.mark.parametrize(
    ("change", "what"),
    [
        (lambda data: b"", "no checkpoint"),
        (lambda data: b"PK\x03\x04" + bytes(100), "no checkpoint"),
        (lambda data: data[:-1], "checksum"),
        (lambda data: data[:300] + bytes([data[300] ^ 1]) + data[301:], "checksum"),
        (lambda data: data[:4] + b"\x63" + data[5:], "version 99"),
        (lambda data: changed_header(data, seed=12345), "not the one"),
        (lambda data: changed_header(data, digest="0" * 64), "not the one"),
        (lambda data: changed_header(data, stream="cluster/x"), "description"),
        (lambda data: changed_header(data, seed="seven"), "description"),
    ],
    ids=["empty", "foreign", "cut", "bit", "version", "seed", "digest", "stream", "type"],
)
def test_a_file_that_does_not_hold_is_refused_and_leaves_nothing(warm_server, file, change, what):
    user = User(warm_server)
    before = user.call("GET", "checkpoint/all")
    answer = upload(user, change(file))
    assert (answer.status_code, what in answer.text) == (400, True), answer.text
    assert user.call("GET", "checkpoint/all") == before


def test_a_network_that_would_not_fit_into_memory_is_refused_before_it_is_unpacked(file):
    decode_checkpoint(file, size_max_bytes=LIMIT_BYTES)
    with pytest.raises(BadRequestError, match="network_memory_max_bytes"):
        decode_checkpoint(file, size_max_bytes=100)


def test_only_admins_upload_because_a_network_is_taken_as_it_is(warm_server, file):
    user = User(warm_server)
    secret = {"password": "some secret"}
    user.call("POST", "user", id="some_member", name="Some Member", is_admin=False, **secret)
    user.call("POST", "project", id="some_project", name="Some Project")
    user.call(
        "POST",
        "user/project",
        id="some_member",
        project_id="some_project",
        role="member",
        is_project_admin=False,
    )
    token = warm_server.token("some_member", "some secret")
    body = {"name": "arrived", "data": base64.b64encode(file).decode()}
    answer = warm_server.request("POST", "/v1/checkpoint/upload", token=token, json=body)
    assert answer.status_code == 401
    user.call("DELETE", "user", id="some_member")
    user.call("DELETE", "project", id="some_project")
