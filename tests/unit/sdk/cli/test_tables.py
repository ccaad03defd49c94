"""Tables and JSON byte for byte as in the contract and in the examples of its documents."""

import json

import pytest

from hanami_sdk.cli.output import (
    cell_text,
    content_table,
    json_text,
    list_table,
    number_text,
    object_table,
)

PROJECT_FIELDS = ("id", "name", "creator_id", "created_at")
PROJECT = {
    "id": "cli_test_project",
    "name": "cli test project",
    "creator_id": "asdf",
    "created_at": "2024-07-12 20:52:21",
}


def test_one_project_is_the_table_of_the_example():
    assert object_table(PROJECT, PROJECT_FIELDS) == (
        "+------------+---------------------+\n"
        "| ID         | cli_test_project    |\n"
        "| NAME       | cli test project    |\n"
        "| CREATOR ID | asdf                |\n"
        "| CREATED AT | 2024-07-12 20:52:21 |\n"
        "+------------+---------------------+"
    )


def test_a_list_of_projects_is_the_table_of_the_example():
    listing = {
        "header": ["created_at", "id", "name", "creator_id"],
        "body": [["2024-07-12 20:52:21", "cli_test_project", "cli test project", "asdf"]],
    }
    assert list_table(listing, PROJECT_FIELDS) == (
        "+------------------+------------------+------------+---------------------+\n"
        "|        ID        |       NAME       | CREATOR ID |     CREATED AT      |\n"
        "+------------------+------------------+------------+---------------------+\n"
        "| cli_test_project | cli test project | asdf       | 2024-07-12 20:52:21 |\n"
        "+------------------+------------------+------------+---------------------+"
    )


def test_an_empty_list_is_a_header_between_borders():
    listing = {"header": ["created_at", "id", "name", "creator_id"], "body": []}
    assert list_table(listing, PROJECT_FIELDS) == (
        "+----+------+------------+------------+\n"
        "| ID | NAME | CREATOR ID | CREATED AT |\n"
        "+----+------+------------+------------+\n"
        "+----+------+------------+------------+"
    )


def test_one_user_without_projects_is_the_table_of_the_example():
    user = {
        "id": "cli_test_user",
        "name": "cli test user",
        "is_admin": False,
        "projects": [],
        "creator_id": "asdf",
        "created_at": "2024-07-12 20:52:21",
    }
    fields = ("id", "name", "is_admin", "projects", "creator_id", "created_at")
    assert object_table(user, fields) == (
        "+------------+---------------------+\n"
        "| ID         | cli_test_user       |\n"
        "| NAME       | cli test user       |\n"
        "| IS ADMIN   | false               |\n"
        "| PROJECTS   | []                  |\n"
        "| CREATOR ID | asdf                |\n"
        "| CREATED AT | 2024-07-12 20:52:21 |\n"
        "+------------+---------------------+"
    )


def test_a_list_of_users_is_the_table_of_the_example():
    header = ["created_at", "id", "name", "creator_id", "projects", "is_admin"]
    body = [
        ["2024-06-26 16:57:35", "asdf", "asdf", "HANAMI_INIT", [], True],
        ["2024-07-12 20:52:21", "cli_test_user", "cli test user", "asdf", [], False],
    ]
    fields = ("id", "name", "is_admin", "projects", "creator_id", "created_at")
    border = "+---------------+---------------+----------+----------+-------------+-"
    border += "--------------------+"
    assert list_table({"header": header, "body": body}, fields) == "\n".join(
        [
            border,
            "|      ID       |     NAME      | IS ADMIN | PROJECTS | CREATOR ID  |     CREATED AT      |",
            border,
            "| asdf          | asdf          | true     | []       | HANAMI_INIT | 2024-06-26 16:57:35 |",
            "| cli_test_user | cli test user | false    | []       | asdf        | 2024-07-12 20:52:21 |",
            border,
        ]
    )


def test_projects_of_a_user_are_wrapped_at_thirty_characters():
    project = {"project_id": "test_project", "role": "member", "is_project_admin": False}
    assert object_table({"projects": [project]}, ("projects",)) == (
        "+----------+--------------------------------+\n"
        "| PROJECTS | [map[is_project_admin:false    |\n"
        "|          | project_id:test_project        |\n"
        "|          | role:member]]                  |\n"
        "+----------+--------------------------------+"
    )


def test_one_dataset_is_the_table_of_the_example():
    dataset = {
        "uuid": "146bacb3-b5bf-485b-a2e8-d1812b57eb63",
        "name": "cli_test_dataset",
        "version": "v1.0alpha",
        "number_of_columns": 794,
        "number_of_rows": 60000,
        "description": {
            "picture": {"column_start": 0, "column_end": 784},
            "label": {"column_start": 784, "column_end": 794},
        },
        "visibility": "private",
        "owner_id": "asdf",
        "project_id": "admin",
    }
    fields = (
        "uuid",
        "name",
        "version",
        "number_of_columns",
        "number_of_rows",
        "description",
        "visibility",
        "owner_id",
        "project_id",
        "created_at",
    )
    description = (
        '{"label":{"column_end":794,"column_start":784},'
        '"picture":{"column_end":784,"column_start":0}}'
    )
    width = len(description)
    border = f"+-------------------+{'-' * (width + 2)}+"
    values = [
        ("UUID", "146bacb3-b5bf-485b-a2e8-d1812b57eb63"),
        ("NAME", "cli_test_dataset"),
        ("VERSION", "v1.0alpha"),
        ("NUMBER OF COLUMNS", "794"),
        ("NUMBER OF ROWS", "60000"),
        ("DESCRIPTION", description),
        ("VISIBILITY", "private"),
        ("OWNER ID", "asdf"),
        ("PROJECT ID", "admin"),
        ("CREATED AT", "<nil>"),
    ]
    rows = [f"| {title:<17} | {value:<{width}} |" for title, value in values]
    assert object_table(dataset, fields) == "\n".join([border, *rows, border])
    assert width + len("| NUMBER OF COLUMNS |  |") == 117


def test_a_list_of_datasets_is_the_table_of_the_example():
    header = ["created_at", "uuid", "project_id", "owner_id", "visibility", "name"]
    body = [
        [
            "2024-07-12 20:46:02",
            "140356ef-aebc-4069-9ef8-1c0e6d13d85f",
            "admin",
            "asdf",
            "private",
            "cli_test_dataset_train",
        ],
        [
            "2024-07-12 20:52:21",
            "146bacb3-b5bf-485b-a2e8-d1812b57eb63",
            "admin",
            "asdf",
            "private",
            "cli_test_dataset",
        ],
    ]
    fields = ("uuid", "name", "visibility", "owner_id", "project_id", "created_at")
    border = (
        "+--------------------------------------+------------------------+------------+----------+"
        "------------+---------------------+"
    )
    assert list_table({"header": header, "body": body}, fields) == "\n".join(
        [
            border,
            "|                 UUID                 |          NAME          | VISIBILITY | OWNER ID |"
            " PROJECT ID |     CREATED AT      |",
            border,
            "| 140356ef-aebc-4069-9ef8-1c0e6d13d85f | cli_test_dataset_train | private    | asdf     |"
            " admin      | 2024-07-12 20:46:02 |",
            "| 146bacb3-b5bf-485b-a2e8-d1812b57eb63 | cli_test_dataset       | private    | asdf     |"
            " admin      | 2024-07-12 20:52:21 |",
            border,
        ]
    )


def test_fields_that_the_listing_does_not_have_are_left_out():
    listing = {"header": ["uuid", "state", "percentage"], "body": [["u1", "active", "0.1"]]}
    assert list_table(listing, ("uuid", "state", "name")) == (
        "+------+--------+\n"
        "| UUID | STATE  |\n"
        "+------+--------+\n"
        "| u1   | active |\n"
        "+------+--------+"
    )


def test_the_accuracy_is_the_table_of_the_example():
    assert object_table({"accuracy": 91.22999572753906}, ("accuracy",)) == (
        "+----------+-------------------+\n"
        "| ACCURACY | 91.22999572753906 |\n"
        "+----------+-------------------+"
    )


def test_a_task_shows_large_numbers_as_numbers():
    task = {
        "uuid": "2e28e3bb-af45-4fbc-8ce3-c0c9a8e704bc",
        "current_cycle": 60000,
        "total_number_of_cycles": 1000000,
        "end_timestamp": "-",
    }
    fields = ("uuid", "current_cycle", "total_number_of_cycles", "end_timestamp")
    assert object_table(task, fields) == (
        "+------------------------+--------------------------------------+\n"
        "| UUID                   | 2e28e3bb-af45-4fbc-8ce3-c0c9a8e704bc |\n"
        "| CURRENT CYCLE          | 60000                                |\n"
        "| TOTAL NUMBER OF CYCLES | 1000000                              |\n"
        "| END TIMESTAMP          | -                                    |\n"
        "+------------------------+--------------------------------------+"
    )


def test_content_counts_its_rows_from_the_offset_and_has_six_decimals():
    rows = [
        [0.0163869, 0.0021239, 0.964437],
        [0.916684, 0.002899, 1.0],
    ]
    assert content_table(rows, 100) == (
        "+-----+----------+----------+----------+\n"
        "|     |    0     |    1     |    2     |\n"
        "+-----+----------+----------+----------+\n"
        "| 100 | 0.016387 | 0.002124 | 0.964437 |\n"
        "| 101 | 0.916684 | 0.002899 | 1.000000 |\n"
        "+-----+----------+----------+----------+"
    )


def test_content_without_rows_or_columns_is_still_a_table():
    assert content_table([], 0) == "+--+\n|  |\n+--+\n+--+"
    assert content_table([[], []], 7) == "+---+\n|   |\n+---+\n| 7 |\n| 8 |\n+---+"


def test_a_text_without_blanks_is_never_broken_and_sets_the_width():
    long = "x" * 45
    assert object_table({"name": f"short words {long}"}, ("name",)) == (
        f"+------+-{'-' * 45}-+\n"
        f"| NAME | {'short words':<45} |\n"
        f"|      | {long} |\n"
        f"+------+-{'-' * 45}-+"
    )


def test_lines_of_a_wrapped_text_are_as_even_as_possible():
    # Filling each line as far as it goes would leave "ddddd" alone in the second line.
    text = "aaaaaaaaaa bbbbbbbb cccccccccc ddddd eeeeeeeeeeeeeeeeeeeeeeeeeeee f"
    assert object_table({"name": text}, ("name",)) == (
        f"+------+-{'-' * 30}-+\n"
        f"| NAME | {'aaaaaaaaaa bbbbbbbb':<30} |\n"
        f"|      | {'cccccccccc ddddd':<30} |\n"
        f"|      | {'eeeeeeeeeeeeeeeeeeeeeeeeeeee f':<30} |\n"
        f"+------+-{'-' * 30}-+"
    )


def test_wide_characters_keep_the_border_straight():
    table = object_table({"name": "花見"}, ("name",))
    assert table == "+------+------+\n| NAME | 花見 |\n+------+------+"


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "<nil>"),
        (True, "true"),
        (False, "false"),
        (60000, "60000"),
        (1000000, "1000000"),
        (1234567.5, "1234567.5"),
        (1e6, "1000000"),
        ([], "[]"),
        (["a", 1, None, True], "[a 1 <nil> true]"),
        ({}, "{}"),
        ({"b": 1, "a": [1, 2]}, '{"a":[1,2],"b":1}'),
        ([{"b": 1, "a": {"c": 2}}], "[map[a:map[c:2] b:1]]"),
    ],
)
def test_values_are_written_as_in_the_original_but_numbers_as_numbers(value, text):
    assert cell_text(value) == text


@pytest.mark.parametrize(
    ("number", "text"),
    [
        (0, "0"),
        (0.0, "0"),
        (-0.5, "-0.5"),
        (1.0, "1"),
        (92.0199966430664, "92.0199966430664"),
        (0.0035933551844209433, "0.0035933551844209433"),
        (1e-5, "0.00001"),
        (1.25e-5, "0.0000125"),
        (-1.25e-6, "-0.00000125"),
        (1e-6, "0.000001"),
        (1e-7, "1e-7"),
        (1e-9, "1e-9"),
        (-1.5e-12, "-1.5e-12"),
        (1e16, "10000000000000000"),
        (1e20, "100000000000000000000"),
        (1e21, "1e+21"),
        (1.5e300, "1.5e+300"),
        (2**70, "1180591620717411303424"),
    ],
)
def test_numbers_are_short_exact_and_go_like(number, text):
    assert number_text(number) == text
    assert float(text) == number


def test_json_has_sorted_keys_four_blanks_and_escaped_angles():
    value = {"name": "<b>&ü\n", "a": [], "z": {}, "list": [[0.5, 1.0], [True, None]]}
    assert json_text(value) == (
        "{\n"
        '    "a": [],\n'
        '    "list": [\n'
        "        [\n"
        "            0.5,\n"
        "            1\n"
        "        ],\n"
        "        [\n"
        "            true,\n"
        "            null\n"
        "        ]\n"
        "    ],\n"
        '    "name": "\\u003cb\\u003e\\u0026ü\\n",\n'
        '    "z": {}\n'
        "}"
    )
    assert json.loads(json_text(value)) == value
