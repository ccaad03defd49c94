import json
import struct

import pytest

from hanami_actors.api.answers import (
    box_table,
    encode_json,
    error_text,
    problem_document,
    wants_problem,
)
from hanami_actors.errors import ConflictError, FaultError, LogCorruptError, TemplateError


def test_the_table_of_the_contract():
    assert box_table(["Invalid request-method 'PATCH'"]) == (
        "+---------------------+--------------------------------+\n"
        "| Error-Message Nr. 0 | Invalid request-method 'PATCH' |\n"
        "+---------------------+--------------------------------+\n"
    )


def test_several_messages_stand_with_the_newest_first_and_long_cells_are_split():
    lines = box_table(["first\nsecond", "x" * 250]).splitlines()
    assert [line[:23] for line in lines] == [
        "+---------------------+",
        "| Error-Message Nr. 1 |",
        "|                     |",
        "+---------------------+",
        "| Error-Message Nr. 0 |",
        "|                     |",
        "+---------------------+",
    ]
    assert {len(line) for line in lines} == {19 + 200 + 7}


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.0, b"0.0"),
        (1.0, b"1.0"),
        (92.0199966430664, b"92.0199966430664"),
        (struct.unpack("<f", struct.pack("<f", 0.0035933552))[0], b"0.0035933551844209433"),
        ({"b": 1, "a": {"d": "ä", "c": [True, None]}}, '{"a":{"c":[true,null],"d":"ä"},"b":1}'),
    ],
)
def test_json_is_compact_sorted_and_floats_look_like_floats(value, text):
    assert encode_json(value) == (text if isinstance(text, bytes) else text.encode())


@pytest.mark.parametrize("accept", ["", "*/*", "text/plain", "application/*", "application/xml"])
def test_who_does_not_name_json_gets_text(accept):
    assert not wants_problem(accept)


def test_faults_tell_nothing():
    for error in (FaultError("detail"), LogCorruptError("detail")):
        assert error_text(error) == ""
        assert json.loads(problem_document(error, "id"))["detail"] == ""
        assert json.loads(problem_document(error, "id"))["code"] == "fault"


def test_refusals_tell_everything():
    assert error_text(ConflictError("taken")) == "taken"
    problem = json.loads(problem_document(ConflictError("taken"), "some id"))
    assert problem["title"] == "Conflict"
    assert (problem["detail"], problem["request_id"]) == ("taken", "some id")


def test_a_template_problem_has_the_place_as_members():
    error = TemplateError("bad", line=2, column=3, expected=("a number",))
    problem = json.loads(problem_document(error, "id"))
    assert (problem["line"], problem["column"], problem["expected"]) == (2, 3, ["a number"])


def test_a_template_error_without_a_place_has_no_empty_lines():
    text = error_text(TemplateError("the template is empty"))
    assert "line-number" not in text
    assert "position" not in text
