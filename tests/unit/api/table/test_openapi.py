"""The documentation that follows from the endpoint table."""

import json
import re
from importlib.resources import files

import msgspec
import pytest

from hanami_actors.api.endpoints.all import ENDPOINTS
from hanami_actors.api.table.html_page import render_markdown_table, render_page
from hanami_actors.api.table.openapi import errors_of_row, openapi_document
from hanami_actors.api.table.policy import default_policy_text, parse_policy

ROWS = pytest.mark.parametrize("row", ENDPOINTS, ids=lambda row: row.name)


@pytest.fixture(scope="module")
def document():
    # Through JSON: nothing in it is anything but JSON.
    return json.loads(json.dumps(openapi_document(ENDPOINTS)))


def operation_of(document, row):
    return document["paths"][f"/{row.path}"][row.method.lower()]


def references(part):
    if isinstance(part, dict):
        if isinstance(part.get("$ref"), str):
            yield part["$ref"]
        for value in part.values():
            yield from references(value)
    elif isinstance(part, list):
        for value in part:
            yield from references(value)


def test_the_document_says_what_it_is(document):
    assert document["openapi"] == "3.1.0"
    assert [server["url"] for server in document["servers"]] == ["/v1.0alpha", "/v1"]
    assert document["components"]["securitySchemes"]["token"]["name"] == "X-Auth-Token"


def test_there_are_exactly_the_rows_of_the_table(document):
    operations = [each for path in document["paths"].values() for each in path.values()]
    assert sorted(each["operationId"] for each in operations) == sorted(
        row.name for row in ENDPOINTS
    )


def test_every_reference_leads_somewhere(document):
    found = set(references(document))
    assert found != set()
    for reference in found:
        part = document
        for step in reference.removeprefix("#/").split("/"):
            part = part[step]


@ROWS
def test_every_error_status_of_a_row_is_listed(row, document):
    responses = operation_of(document, row)["responses"]
    assert set(responses) == {"200"} | {str(error.status) for error in errors_of_row(row)}
    assert {"200", "400", "500", "503"} <= set(responses)
    assert ("401" in responses) or row.access.is_open
    assert ("413" in responses) == (row.method in {"POST", "PUT"})


@ROWS
def test_every_field_of_a_request_is_described(row, document):
    operation = operation_of(document, row)
    fields = {field.encode_name: field for field in msgspec.structs.fields(row.request)}
    if row.method in {"POST", "PUT"}:
        reference = operation["requestBody"]["content"]["application/json"]["schema"]["$ref"]
        schema = document["components"]["schemas"][reference.rpartition("/")[2]]
        assert set(schema["properties"]) == set(fields)
        required = set(schema.get("required", ()))
    else:
        parameters = operation.get("parameters", [])
        assert {each["name"] for each in parameters} == set(fields)
        required = {each["name"] for each in parameters if each["required"]}
    assert required == {name for name, field in fields.items() if field.required}


@ROWS
def test_a_row_names_its_roles_or_needs_no_token(row, document):
    operation = operation_of(document, row)
    assert (operation["security"] == []) == row.access.is_open
    assert operation.get("x-roles", []) == list(row.access.roles)


def test_both_spellings_of_a_passphrase_are_there_and_exclude_each_other(document):
    schemas = document["components"]["schemas"]
    one_of = {"oneOf": [{"required": ["passphrase"]}, {"required": ["password"]}]}
    for name in ("LogIn", "NewUser"):
        assert {"passphrase", "password"} <= set(schemas[name]["properties"])
        assert schemas[name]["allOf"] == [one_of]
    assert len(schemas["NewPassphrase"]["allOf"]) == 2


def test_the_page_names_every_row_and_needs_no_other_host():
    page = render_page(ENDPOINTS)
    for row in ENDPOINTS:
        assert f'id="{row.name}"' in page
    assert not re.search(r"https?:|//\w|<script|src=|@import|url\(", page)
    assert "a letter, then letters, digits" in page


def test_the_table_in_markdown_has_a_line_for_every_row():
    lines = render_markdown_table(ENDPOINTS).splitlines()
    assert len(lines) == len(ENDPOINTS) + 2
    assert all(line.count(" | ") == 4 for line in lines if not line.startswith("|---"))


def test_the_packaged_default_policy_is_the_one_that_counts():
    text = files("hanami_actors.api").joinpath("default_policies.txt").read_text(encoding="utf-8")
    assert text == default_policy_text(ENDPOINTS)
    assert parse_policy(text).entries
