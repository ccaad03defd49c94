"""Goal: no row of the endpoint table is forgotten. Every test walks the table itself."""

import re

import msgspec
import pytest

from hanami_actors.api.answers import Document, FileContent
from hanami_actors.api.endpoints.all import ENDPOINTS
from tests.protocol.api_server import MEMBER, TESTER, ApiServer
from tests.protocol.samples import bad_values, good_requests, required_fields, send

ROWS = pytest.mark.parametrize("row", ENDPOINTS, ids=lambda row: row.name)
GUARDED = pytest.mark.parametrize(
    "row", [row for row in ENDPOINTS if not row.access.is_open], ids=lambda row: row.name
)
WITH_BODY = pytest.mark.parametrize(
    "row", [row for row in ENDPOINTS if row.method in {"POST", "PUT"}], ids=lambda row: row.name
)
METHODS = ("GET", "POST", "PUT", "DELETE", "PATCH", "OPTIONS", "FOO")
ALLOWED = {
    row.canonical_path: {other.method for other in ENDPOINTS if other.path == row.path}
    for row in ENDPOINTS
}


@pytest.fixture(scope="module")
def samples(shared_api):
    return good_requests(shared_api)


@pytest.fixture
def refused(shared_api):
    """Check an answer: the status, the shape of errors, and that no actor heard of it."""
    before = len(shared_api.gateway.commands)

    def check(answer, status):
        assert answer.status_code == status, answer.text
        assert answer.headers["Content-Type"] == "text/plain; charset=utf-8"
        assert re.fullmatch(r"[0-9a-f-]{36}", answer.headers["X-Request-Id"])
        assert answer.text != ""
        assert not answer.text.startswith(("{", "<"))
        assert shared_api.gateway.commands[before:] == []

    return check


def test_every_row_has_a_sample(samples):
    assert sorted(samples) == sorted(row.name for row in ENDPOINTS)


def test_no_two_rows_share_a_name_or_a_method_and_path():
    places = [(row.method, path) for row in ENDPOINTS for path in row.paths]
    assert len(set(places)) == len(places)
    assert len({row.name for row in ENDPOINTS}) == len(ENDPOINTS)


@ROWS
def test_a_good_request_is_answered_with_the_reply_of_the_row(row):
    api = ApiServer()
    try:
        for path in row.paths:
            values = good_requests(api)[row.name]
            answer = send(api, row, values, api.token(), path)
            assert answer.status_code == 200
            assert answer.headers["Content-Type"].partition(";")[0] in {
                content_type.partition(";")[0] for content_type in row.content_types
            }
            assert answer.headers["X-Request-Id"]
            if row.reply is Document:
                continue
            if row.reply is FileContent:
                assert answer.headers["Content-Disposition"].startswith("attachment; filename=")
                continue
            fields = {field.name for field in msgspec.structs.fields(row.reply)}
            assert set(answer.json()) == fields
            sorted_again = msgspec.json.encode(msgspec.json.decode(answer.content), order="sorted")
            assert answer.content == sorted_again
    finally:
        api.close()


@GUARDED
def test_without_a_token_it_is_401(row, shared_api, samples, refused):
    refused(send(shared_api, row, samples[row.name], token=""), 401)


@GUARDED
def test_with_a_bad_token_it_is_401(row, shared_api, samples, refused):
    refused(send(shared_api, row, samples[row.name], shared_api.token() + "x"), 401)


@GUARDED
def test_a_role_that_the_policy_does_not_name_is_401(row, shared_api, samples, refused):
    answer = send(shared_api, row, samples[row.name], shared_api.token(TESTER))
    refused(answer, 401)
    assert answer.text == "Access denied by policy"


@ROWS
def test_an_unknown_field_is_400_and_named(row, shared_api, samples, refused):
    answer = send(shared_api, row, samples[row.name] | {"nonsense": "x"}, shared_api.token())
    refused(answer, 400)
    assert '"nonsense"' in answer.text


@ROWS
def test_every_missing_field_is_400_and_named(row, shared_api, samples, refused):
    for name in required_fields(row):
        values = {key: value for key, value in samples[row.name].items() if key != name}
        answer = send(shared_api, row, values, shared_api.token())
        refused(answer, 400)
        assert f"'{name}'" in answer.text


@ROWS
def test_every_bad_value_is_400_and_names_the_field(row, shared_api, samples, refused):
    for name, value in bad_values(row):
        answer = send(shared_api, row, samples[row.name] | {name: value}, shared_api.token())
        refused(answer, 400)
        assert f"'{name}" in answer.text, (name, value, answer.text)


@pytest.mark.parametrize(
    ("method", "path"),
    [
        (method, path)
        for path in sorted({row.canonical_path for row in ENDPOINTS})
        for method in METHODS
        if method not in ALLOWED[path]
    ],
)
def test_a_method_that_no_row_has_is_405_and_lists_the_others(method, path, shared_api, refused):
    answer = shared_api.request(method, f"/{path}", token=shared_api.token())
    refused(answer, 405)
    assert answer.headers["Allow"] == ", ".join(sorted(ALLOWED[path]))


@ROWS
def test_head_is_405_without_a_body(row, shared_api):
    answer = shared_api.request("HEAD", f"/{row.canonical_path}")
    assert (answer.status_code, answer.content) == (405, b"")


@ROWS
@pytest.mark.parametrize("change", ["{}/", "{}%2F", "{}x", "/x{}", "{}/../x"])
def test_a_path_that_is_not_exactly_right_is_not_served(row, change, shared_api, refused):
    path = change.format(f"/{row.canonical_path}")
    answer = shared_api.request(row.method, path, token=shared_api.token())
    refused(answer, 404)


@WITH_BODY
@pytest.mark.parametrize(
    "body",
    [b"", b"{", b"[]", b"[1]", b'"text"', b"7", b"null", b"\xff", b"[" * 60_000, b'{"a":1e999}'],
    ids=lambda body: repr(body[:8]),
)
def test_a_body_that_is_no_json_object_is_400(row, body, shared_api, refused):
    path = f"/{row.canonical_path}"
    answer = shared_api.request(row.method, path, token=shared_api.token(), content=body)
    refused(answer, 400)
    assert "body" in answer.text


def test_a_member_gets_404_for_what_others_own(shared_api, samples, refused):
    token = shared_api.token(MEMBER)
    owned = [row for row in ENDPOINTS if {"uuid", "cluster_uuid"} & set(required_fields(row))]
    assert owned != []
    for row in owned:
        refused(send(shared_api, row, samples[row.name], token), 404)
