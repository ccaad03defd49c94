"""Goal: what clients send never becomes a path, a file name or a line of a head."""

import urllib.parse
from typing import Any

import pytest

TRICKS = [
    "../../etc/passwd",
    "some/../../name",
    "....",
    "/etc/passwd",
    "file:///etc/passwd",
    "~root",
    "name\0.csv",
    "name\r\nX-Injected: yes",
    'name"; filename="other',
    "C:\\..\\name",
    "%2e%2e%2f%2e%2e%2f",
    "name\u202egnp",
]
CREATIONS: list[tuple[str, dict[str, Any]]] = [
    ("cluster", {}),
    ("dataset/upload/csv", {"input_data_size": 10}),
    ("dataset/upload/mnist", {"input_data_size": 10, "label_data_size": 10}),
    ("project", {"id": "some_project"}),
    ("user", {"id": "some_user", "password": "some passphrase", "is_admin": False}),
]
BY_UUID = [
    "cluster",
    "dataset",
    "dataset/progress",
    "dataset/upload",
    "dataset/download",
    "checkpoint",
]


@pytest.mark.parametrize("trick", TRICKS)
def test_a_name_with_a_path_in_it_is_refused(shared_api, trick):
    shared_api.gateway.commands.clear()
    for path, more in CREATIONS:
        for field in ("name", "id"):
            if field == "id" and field not in more:
                continue
            body = {"name": "Some Name", **more, field: trick}
            answer = shared_api.request("POST", f"/v1/{path}", token=shared_api.token(), json=body)
            assert answer.status_code == 400, (path, field, answer.text)
            assert "x-injected" not in answer.headers
    assert shared_api.gateway.commands == []


@pytest.mark.parametrize("path", BY_UUID)
@pytest.mark.parametrize("trick", TRICKS)
def test_a_uuid_with_a_path_in_it_is_refused(shared_api, path, trick):
    query = urllib.parse.urlencode({"uuid": trick})
    answer = shared_api.request("GET", f"/v1/{path}?{query}", token=shared_api.token())
    assert answer.status_code == 400, answer.text
    assert "x-injected" not in answer.headers


@pytest.mark.parametrize("trick", TRICKS)
def test_a_path_of_a_url_leads_to_no_file(shared_api, trick):
    for path in (f"/{trick}", f"/v1/{trick}", f"/v1/../{trick}", f"/v1/cluster/{trick}"):
        quoted = urllib.parse.quote(path, safe="/%")
        answer = shared_api.request("GET", quoted, token=shared_api.token())
        assert answer.status_code in {400, 404, 405}, (path, answer.text)
        assert "root:" not in answer.text
