"""Goal: no bad request of any row leaves anything behind.

Method: every row of the table is called wrongly in every way that the table allows to think of,
over the real actors and a real log. The answer is checked each time, the log after every row.
"""

import dataclasses
import re
from types import SimpleNamespace
from typing import Any

import msgspec
import pytest

from hanami_actors import settings
from hanami_actors.actors.gateway import Command, Target, TargetKind
from hanami_actors.api.endpoints.all import ENDPOINTS
from hanami_actors.api.login.passphrases import hash_passphrase
from hanami_actors.api.table.endpoint import Endpoint
from hanami_actors.app import Backend, running_backend
from hanami_actors.domain.base import Who
from hanami_actors.domain.user.messages import AssignProject, CreateUser
from tests.fakes import FakeGateway
from tests.protocol.api_server import ADMIN, MEMBER, TESTER, ServedApi
from tests.protocol.samples import bad_values, good_requests, required_fields, send
from tests.server import KERNEL_CACHE_DIR

DIRECTORY = Target(kind=TargetKind.DIRECTORY)
ROWS = pytest.mark.parametrize("row", ENDPOINTS, ids=lambda row: row.name)
TIMEOUT_S = 30.0

# Another way to ask for what anybody may: not for admins only, whatever is wrong with the rest.
RENEWALS = {"assign_project"}


@dataclasses.dataclass
class Walk:
    """A server with real actors, the values that would be right, and tokens."""

    backend: Backend
    api: ServedApi
    good: dict[str, dict[str, Any]]
    tokens: dict[str, str]
    owned: dict[str, str]

    def position(self) -> int:
        return self.backend.system.log.head().position

    def refused(self, row: Endpoint, values: dict[str, Any], token: str, status: int) -> str:
        """Send a request that is refused; return the text of the answer."""
        answer = send(self.api, row, values, token)
        assert answer.status_code == status, (row.name, values, answer.text)
        assert answer.headers["Content-Type"] == "text/plain; charset=utf-8"
        assert re.fullmatch(r"[0-9a-f-]{36}", answer.headers["X-Request-Id"])
        assert 0 < len(answer.text) < 1000
        return str(answer.text)


def ask(backend: Backend, message: Any) -> Any:
    future = backend.gateway.ask(DIRECTORY, Command(message=message, who=ADMIN))
    assert future.wait(TIMEOUT_S)
    return future.outcome()


def add_user(backend: Backend, who: Who) -> None:
    ask(
        backend,
        CreateUser(
            id=who.user_id,
            name=who.user_id,
            passphrase_hash=hash_passphrase("some secret"),
            is_admin=who.is_admin,
        ),
    )
    if not who.is_admin:
        ask(backend, AssignProject(id=who.user_id, project_id=who.project_id, role=who.role))


def create_owned(api: ServedApi, token: str) -> dict[str, str]:
    """Create what the admin owns; return the uuids by the word that paths and fields begin with."""

    def create(path: str, **body: Any) -> str:
        answer = api.request("POST", f"/v1/{path}", json=body, token=token)
        assert answer.status_code == 200, answer.text
        return str(answer.json()["uuid"])

    cluster = create("cluster", name="some_cluster", template="")
    dataset = create("dataset/upload/csv", name="some_data", input_data_size=10)
    owned = {"cluster": cluster, "dataset": dataset}
    if any(row.path == "cluster/save" for row in ENDPOINTS):
        owned["checkpoint"] = create("cluster/save", name="saved", cluster_uuid=cluster)
    return owned


@pytest.fixture(scope="module")
def walk(tmp_path_factory):
    directory = tmp_path_factory.mktemp("bad-input")
    values = settings.defaults(
        data_dir=directory / "data", kernel_cache_dir=KERNEL_CACHE_DIR, host_threads=1
    )
    with running_backend(values) as backend:
        for who in (ADMIN, MEMBER, TESTER):
            add_user(backend, who)
        api = ServedApi(backend.gateway, login_failures_max=0)
        try:
            tokens = {who.user_id: api.token(who) for who in (ADMIN, MEMBER, TESTER)}
            samples = good_requests(SimpleNamespace(gateway=FakeGateway()))
            owned = create_owned(api, tokens[ADMIN.user_id])
            yield Walk(backend, api, samples, tokens, owned)
        finally:
            api.close()


@pytest.fixture
def unchanged(walk):
    """Check that the log is as it was before the test."""
    before = walk.position()
    yield
    assert walk.position() == before


def owned_values(walk: Walk, row: Endpoint) -> dict[str, Any]:
    """The good values with the uuids of what the admin really owns, where there is such a thing."""
    values = dict(walk.good[row.name])
    for name in values:
        if name == "uuid":
            kind = row.path.partition("/")[0]
        elif name.endswith("_uuid"):
            kind = name.removesuffix("_uuid")
        else:
            continue
        values[name] = walk.owned.get(kind, values[name])
    return values


@pytest.mark.usefixtures("unchanged")
@ROWS
def test_unknown_and_missing_fields_are_refused_without_a_trace(row, walk):
    good, token = walk.good[row.name], walk.tokens[ADMIN.user_id]
    text = walk.refused(row, good | {"nonsense": "x"}, token, 400)
    assert '"nonsense"' in text
    for name in required_fields(row):
        values = {key: value for key, value in good.items() if key != name}
        assert f"'{name}'" in walk.refused(row, values, token, 400)


@pytest.mark.usefixtures("unchanged")
@ROWS
def test_values_of_the_wrong_type_form_or_size_are_refused_without_a_trace(row, walk):
    good, token = walk.good[row.name], walk.tokens[ADMIN.user_id]
    for name, value in bad_values(row):
        assert f"'{name}" in walk.refused(row, good | {name: value}, token, 400)


@pytest.mark.usefixtures("unchanged")
@pytest.mark.parametrize(
    "row", [row for row in ENDPOINTS if not row.access.is_open], ids=lambda row: row.name
)
def test_callers_who_may_not_are_refused_without_a_trace(row, walk):
    values = owned_values(walk, row)
    admin, tester = (walk.tokens[who.user_id] for who in (ADMIN, TESTER))
    for token in ("", "x", f"{admin}x", f"{admin[:-1]}", tester):
        walk.refused(row, values, token, 401)
    if row.requires_admin or row.name in RENEWALS:
        walk.refused(row, values, walk.tokens[MEMBER.user_id], 401)


@pytest.mark.usefixtures("unchanged")
@pytest.mark.parametrize(
    "row",
    [
        row
        for row in ENDPOINTS
        if any(name == "uuid" or name.endswith("_uuid") for name in required_fields(row))
    ],
    ids=lambda row: row.name,
)
def test_what_belongs_to_others_is_not_there(row, walk):
    walk.refused(row, owned_values(walk, row), walk.tokens[MEMBER.user_id], 404)


@pytest.mark.usefixtures("unchanged")
@pytest.mark.parametrize(
    "row", [row for row in ENDPOINTS if row.method in {"POST", "PUT"}], ids=lambda row: row.name
)
def test_bodies_that_are_no_objects_are_refused_without_a_trace(row, walk):
    for body in (b"", b"{", b"[]", b"null", b"\xff", b"[" * 60_000, b'{"a":1e999}'):
        answer = walk.api.request(
            row.method, f"/{row.canonical_path}", token=walk.tokens[ADMIN.user_id], content=body
        )
        assert (answer.status_code, "body" in answer.text) == (400, True)


def test_the_audit_knows_these_calls_and_the_log_does_not(walk):
    answer = walk.api.request(
        "GET", "/v1/audit_log", params={"page": 0}, token=walk.tokens[ADMIN.user_id]
    )
    assert answer.status_code == 200
    assert len(answer.json()["body"]) > 2
    tags = {record.tag.partition(".")[0] for record in walk.backend.system.log.read_all()}
    assert "audit" not in tags


def test_every_row_was_walked(walk):
    assert set(walk.good) == {row.name for row in ENDPOINTS}
    for row in ENDPOINTS:
        assert set(walk.good[row.name]) <= {
            field.encode_name for field in msgspec.structs.fields(row.request)
        }
