"""Users, projects, audit and force over the real actors and a real log, which is opened again."""

import contextlib
from collections.abc import Iterator
from pathlib import Path

import pytest

from hanami_actors import settings
from hanami_actors.app import running_backend
from tests.protocol.api_server import ServedApi
from tests.server import ADMIN_ID, ADMIN_PASSPHRASE, KERNEL_CACHE_DIR

ENVIRON = {
    "HANAMI_ADMIN_USER_ID": ADMIN_ID,
    "HANAMI_ADMIN_USER_NAME": "Admin",
    "HANAMI_ADMIN_PASSPHRASE": ADMIN_PASSPHRASE,
}
SECRET = "a secret of somebody"


@contextlib.contextmanager
def serving(data_dir: Path) -> Iterator[ServedApi]:
    values = settings.defaults(data_dir=data_dir, kernel_cache_dir=KERNEL_CACHE_DIR, host_threads=1)
    with running_backend(values) as backend:
        backend.create_first_admin(ENVIRON, None)
        api = ServedApi(backend.gateway)
        try:
            yield api
        finally:
            api.close()


@pytest.fixture
def data_dir(tmp_path):
    return tmp_path / "data"


def log_in(api, user_id=ADMIN_ID, secret=ADMIN_PASSPHRASE):
    answer = api.request("POST", "/v1/token", json={"id": user_id, "password": secret})
    assert answer.status_code == 200, answer.text
    return answer.json()["token"]


def ok(answer):
    assert answer.status_code == 200, answer.text
    return answer.json()


def post(api, path, token, **body):
    return api.request("POST", f"/v1/{path}", json=body, token=token)


def create_member(api, admin, user_id, project_id):
    ok(post(api, "user", admin, id=user_id, name="Some Member", password=SECRET))
    body = {"id": user_id, "project_id": project_id, "role": "member", "is_project_admin": False}
    ok(post(api, "user/project", admin, **body))


def test_accounts_live_on_when_the_server_starts_again(data_dir):
    with serving(data_dir) as api:
        admin = log_in(api)
        ok(post(api, "project", admin, id="some_project", name="Some Project"))
        create_member(api, admin, "some_member", "some_project")
        member = log_in(api, "some_member", SECRET)
        body = {"password": SECRET, "new_password": "another secret"}
        ok(api.request("PUT", "/v1/user/passphrase", json=body, token=member))
    with serving(data_dir) as api:
        member = log_in(api, "some_member", "another secret")
        who = ok(api.request("GET", "/v1/auth", token=member))
        assert (who["project_id"], who["role"]) == ("some_project", "member")
        old = {"id": "some_member", "password": SECRET}
        assert api.request("POST", "/v1/token", json=old).status_code == 401
        rows = ok(api.request("GET", "/v1/audit_log", params={"page": 0}, token=log_in(api)))[
            "body"
        ]
        assert [row[1:] for row in rows] == [
            [ADMIN_ID, f"v1.0alpha/{path}", "POST"] for path in ("project", "user", "user/project")
        ]


def test_a_project_goes_with_everything_in_it_and_nothing_of_others(data_dir):
    with serving(data_dir) as api:
        admin = log_in(api)
        for project_id in ("some_project", "kept_project"):
            ok(post(api, "project", admin, id=project_id, name="A Project"))
            create_member(api, admin, f"in_{project_id}", project_id)
        doomed, kept = (log_in(api, f"in_{name}_project", SECRET) for name in ("some", "kept"))
        saved = []
        for token in (doomed, kept):
            made = ok(post(api, "cluster", token, name="some_cluster", template=""))
            body = {"name": "some_checkpoint", "cluster_uuid": made["uuid"]}
            saved.append(ok(post(api, "cluster/save", token, **body))["uuid"])
            # A checkpoint outlives its cluster, and a project is not empty without either.
            other = ok(post(api, "cluster", token, name="other_cluster", template=""))
            ok(
                post(
                    api,
                    "cluster/load",
                    token,
                    cluster_uuid=other["uuid"],
                    checkpoint_uuid=saved[-1],
                )
            )
            ok(api.request("DELETE", "/v1/cluster", params={"uuid": made["uuid"]}, token=token))
            ok(post(api, "dataset/upload/csv", token, name="some_data", input_data_size=10))
        query = {"id": "some_project"}
        refused = api.request("DELETE", "/v1/project", params=query, token=admin)
        assert refused.status_code == 409
        assert all(named in refused.text for named in ("in_some_project", saved[0]))
        assert saved[1] not in refused.text
        ok(api.request("DELETE", "/v1/project", params=query | {"force": "true"}, token=admin))
        assert api.request("GET", "/v1/cluster/all", token=doomed).status_code == 401
        for kind in ("cluster", "dataset", "checkpoint"):
            listed = ok(api.request("GET", f"/v1/{kind}/all", token=admin))["body"]
            assert [row[2] for row in listed] == ["kept_project"]
        assert [
            row[1] for row in ok(api.request("GET", "/v1/project/all", token=admin))["body"]
        ] == ["kept_project"]
