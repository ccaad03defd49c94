"""Goal: what is secret is nowhere: not in the log, the data, the answers; and nobody else reads.

Method: a server is used in every way that touches a secret, well and badly, and everything that it
has written or said is searched for every form of every secret.
"""

import base64
import json
import os
import stat
import urllib.parse
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.protocol.raw_clients import RawHttp, RawWebSocket
from tests.server import ADMIN_PASSPHRASE, ServerProcess

SECRET = "correct horse battery"
NEXT_SECRET = "staple of the next day"
WRONG_SECRET = "a guess that is wrong"
USER = "some_user"


def encoded(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


class Said:
    """Everything that came back from a server, and every token of it."""

    def __init__(self, server: ServerProcess) -> None:
        self.server = server
        self.answers: list[bytes] = []
        self.tokens: list[str] = []

    def ask(self, method: str, path: str, **kwargs: Any) -> None:
        answer = self.server.request(method, path, **kwargs)
        if answer.status_code == 200 and "token" in answer.json():
            self.tokens.append(answer.json()["token"])
        else:
            self.answers.append(answer.content + str(answer.headers).encode())


def journey(server: ServerProcess) -> Said:
    """Use every way in which a passphrase or a token is sent."""
    said = Said(server)
    for user, secret in (("asdf", ADMIN_PASSPHRASE), ("asdf", WRONG_SECRET), ("nobody", SECRET)):
        said.ask("POST", "/v1/token", json={"id": user, "password": secret})
        said.ask("POST", "/v1/token", json={"id": user, "passphrase": encoded(secret)})
    admin = said.tokens[0]
    new = {"id": USER, "name": "Some User", "password": SECRET}
    said.ask("POST", "/v1/user", token=admin, json=new)
    said.ask("POST", "/v1/user", token=admin, json=new)
    said.ask("POST", "/v1/user", token=admin, json=new | {"nonsense": SECRET})
    said.ask("POST", "/v1/user", token=admin, json=new | {"password": [SECRET]})
    said.ask("POST", "/v1/user", token=admin, json=new | {"passphrase": SECRET})
    said.ask("POST", "/v1/user", token=admin, content=json.dumps(new)[:-5])
    assign = {"id": USER, "project_id": "some_project", "role": "member"}
    said.ask("POST", "/v1/user/project", token=admin, json=assign)
    query = urllib.parse.urlencode({"id": USER, "passphrase": encoded(SECRET)})
    said.ask("POST", f"/v1/token?{query}", content=b"{}")
    user = said.tokens[-1]
    assert user != admin
    change = {"password": WRONG_SECRET, "new_password": NEXT_SECRET}
    said.ask("PUT", "/v1/user/passphrase", token=user, json=change)
    said.ask("PUT", "/v1/user/passphrase", token=user, json=change | {"password": SECRET})
    said.ask("GET", "/v1/cluster/all", token=user)
    said.ask("GET", f"/v1/cluster/all?token={user}&x={admin}", token=admin)
    said.ask("GET", f"/v1/{admin}", token=admin)
    said.ask("GET", "/v1/cluster/all", token=admin + "x")
    said.ask("GET", "/v1/audit_log?page=0", token=admin)
    said.ask("GET", "/v1/error_log?page=0", token=admin)
    said.ask("GET", "/v1/user/all", token=admin)
    sockets(server, said)
    return said


def sockets(server: ServerProcess, said: Said) -> None:
    port = int(server.address.rpartition(":")[2])
    for token in said.tokens:
        with RawWebSocket(port) as client:
            said.answers.append(json.dumps(client.handshake(token, "nowhere", "x")).encode())
        with RawWebSocket(port) as client:
            client.send(b'{"token": "%b", ' % token.encode())
            said.answers.append(client.receive())
    with RawHttp(port) as client:
        said.answers.append(client.send(b"GET /%b\r\n\r\n" % SECRET.encode())._file.readline())


@pytest.fixture(scope="module")
def used(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Said]:
    """A server after all that, stopped in order; started where nobody thought of modes."""
    process = ServerProcess(tmp_path_factory.mktemp("secrets") / "data", "--log-level", "debug")
    before = os.umask(0)
    try:
        process.start(wait_until_ready=False)
    finally:
        os.umask(before)
    try:
        said = journey(process)
        assert process.terminate() == 0
        yield said
    finally:
        process.close()


def forms(secret: str) -> list[bytes]:
    """All the ways to write it down that something might have used."""
    raw = secret.encode()
    return [
        raw,
        base64.b64encode(raw),
        base64.urlsafe_b64encode(raw).rstrip(b"="),
        urllib.parse.quote(secret).encode(),
        urllib.parse.quote_plus(secret).encode(),
        urllib.parse.quote(encoded(secret), safe="").encode(),
        raw.hex().encode(),
    ]


def files_of(server: ServerProcess) -> list[Path]:
    return [path for path in server.data_dir.rglob("*") if path.is_file()]


def secrets(said: Said) -> list[bytes]:
    passphrases = (SECRET, NEXT_SECRET, WRONG_SECRET, ADMIN_PASSPHRASE)
    found = [form for secret in passphrases for form in forms(secret)]
    # A token is secret by its signature; the rest of it is not.
    return found + [token.rpartition(".")[2].encode() for token in said.tokens]


def test_no_secret_is_in_the_data_directory(used):
    files = files_of(used.server)
    assert {path.relative_to(used.server.data_dir).parts[0] for path in files} >= {
        "log",
        "audit",
        "token.key",
    }
    for path in files:
        content = path.read_bytes()
        assert [secret for secret in secrets(used) if secret in content] == [], path


def test_no_secret_is_in_what_the_server_prints(used):
    printed = used.server.log.encode()
    assert b"POST /v1/token" in printed
    assert [secret for secret in secrets(used) if secret in printed] == []


def test_no_secret_is_in_any_answer_but_the_token_that_was_asked_for(used):
    assert len(used.answers) > 20
    for answer in used.answers:
        assert [secret for secret in secrets(used) if secret in answer] == [], answer


def test_hashes_of_passphrases_leave_the_server_in_no_answer(used):
    for answer in used.answers:
        assert b"argon2" not in answer
        assert b"passphrase_hash" not in answer


def test_nobody_but_the_owner_reads_or_writes_the_data(used):
    for path in [used.server.data_dir, *used.server.data_dir.rglob("*")]:
        mode = stat.S_IMODE(path.stat().st_mode)
        allowed = 0o700 if path.is_dir() else 0o600
        assert mode & ~allowed == 0, f"{path} has the mode {mode:o}"


def test_every_start_of_a_new_directory_has_another_key(used, make_server):
    other = make_server()
    keys = [(each.data_dir / "token.key").read_bytes() for each in (used.server, other)]
    assert keys[0] != keys[1]
    assert min(len(key) for key in keys) >= 32
    answer = other.request("GET", "/v1/cluster/all", token=used.tokens[0])
    assert answer.status_code == 401
