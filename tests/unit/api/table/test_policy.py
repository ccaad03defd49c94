import dataclasses

import pytest

from hanami_actors.api.endpoints.all import ENDPOINTS
from hanami_actors.api.table.policy import LEFTOVERS, default_policy_text, parse_policy
from hanami_actors.errors import SettingsError

ROW = next(row for row in ENDPOINTS if row.name == "get_cluster")
OURS = dataclasses.replace(ROW, path="cluster/extra", in_contract=False)

# The table of the contract (section 3.2): path, then roles by method. a = admin, b = both.
CONTRACT = {
    "auth": {"GET": "b"},
    "token": {"PUT": "b"},
    "user": {"GET": "a", "POST": "a", "DELETE": "a"},
    "user/project": {"GET": "b", "POST": "b", "DELETE": "b"},
    "user/all": {"GET": "a"},
    "project": {"GET": "a", "POST": "a", "DELETE": "a"},
    "project/all": {"GET": "a"},
    "host/all": {"GET": "b"},
    "dataset/upload/mnist": {"POST": "b", "PUT": "b"},
    "dataset/upload/csv": {"POST": "b", "PUT": "b"},
    "dataset/check": {"GET": "b"},
    "dataset/progress": {"GET": "b"},
    "dataset/content": {"GET": "b"},
    "dataset/all": {"GET": "b"},
    "dataset": {"GET": "b", "POST": "b", "PUT": "b", "DELETE": "b"},
    "checkpoint": {"GET": "b", "POST": "b", "PUT": "b", "DELETE": "b"},
    "checkpoint/all": {"GET": "b"},
    "audit_log": {"GET": "b"},
    "error_log": {"GET": "a"},
    "system_info": {"GET": "b"},
    "threading": {"GET": "b"},
    "power_consumption": {"GET": "b"},
    "temperature_production": {"GET": "b"},
    "speed": {"GET": "b"},
    "cluster": {"GET": "b", "POST": "b", "DELETE": "b"},
    "cluster/save": {"POST": "b"},
    "cluster/load": {"POST": "b"},
    "cluster/set_mode": {"PUT": "b"},
    "cluster/switch_host": {"PUT": "b"},
    "cluster/all": {"GET": "b"},
    "task/train": {"POST": "b"},
    "task/request": {"POST": "b"},
    "task": {"GET": "b", "DELETE": "b"},
    "task/all": {"GET": "b"},
}
ROLES = {"a": {"admin"}, "b": {"admin", "member"}}


def test_the_default_policy_is_the_table_of_the_contract():
    entries = parse_policy(default_policy_text(ENDPOINTS)).entries
    ours = {row.canonical_path for row in ENDPOINTS if not row.in_contract}
    assert {path: dict(rules) for path, rules in entries.items() if path not in ours} == {
        f"v1.0alpha/{path}": {method: ROLES[who] for method, who in rules.items()}
        for path, rules in CONTRACT.items()
    }


def test_leftovers_have_no_row():
    rows = {(row.path, row.method) for row in ENDPOINTS}
    leftovers = {(path, method) for path, rules in LEFTOVERS.items() for method in rules}
    assert rows & leftovers == set()


def test_blanks_and_line_breaks_are_free():
    policy = parse_policy("v1/a - GET:x,y\t-\n POST  : z v1/b\n\n-\tDELETE :\n x\n")
    assert policy.entries == {
        "v1/a": {"GET": {"x", "y"}, "POST": {"z"}},
        "v1/b": {"DELETE": {"x"}},
    }


def test_a_path_listed_twice_counts_as_listed_first():
    policy = parse_policy("a\n- GET: x\n\na\n- GET: y\n- POST: y\n")
    assert policy.entries == {"a": {"GET": {"x"}}}


def test_paths_may_have_dashes_dots_and_a_leading_slash():
    policy = parse_policy("/v1.0alpha/some-path_x.y\n- GET: x")
    assert list(policy.entries) == ["v1.0alpha/some-path_x.y"]


@pytest.mark.parametrize(
    ("text", "line", "expected"),
    [
        ("", 1, "an endpoint path"),
        ("\n\n", 3, "an endpoint path"),
        ("a", 1, "'- ' and a method"),
        ("a\nb\n- GET: x", 2, "'- ' and a method"),
        ("a\n-GET: x", 2, "'- ' and a method"),
        ("a\n- PATCH: x", 2, "one of GET, POST, PUT, DELETE"),
        ("a\n- get: x", 2, "one of GET, POST, PUT, DELETE"),
        ("a\n- GET x", 2, "':'"),
        ("a\n- GET, x", 2, "':'"),
        ("a\n- GET:\n", 3, "a role"),
        ("a\n- GET: x,\n- POST: y", 3, "a role"),
        ("a\n- GET: x y\n", 3, "'- ' and a method"),
        ("a\n- GET: x/y\n", 2, "a role of letters"),
        ("a\n- GET: x\n- GET: y\n", 3, "every method at most once"),
        ("# comment\na\n- GET: x", 1, "comments"),
        ("a\r\n- GET: x", 1, "comments"),
        ("ä\n- GET: x", 1, "a path"),
        ("a\n- GET: x\n-", 3, "'- ' and a method"),
    ],
)
def test_a_policy_that_cannot_be_read_names_line_and_expectation(text, line, expected):
    with pytest.raises(SettingsError) as caught:
        parse_policy(text, source="policies.txt")
    assert caught.value.message.startswith(f"policies.txt, line {line}: expected ")
    assert expected in caught.value.message


def test_a_path_that_a_file_does_not_name_is_closed_unless_it_is_ours():
    policy = parse_policy("v1.0alpha/token\n- PUT: admin")
    assert policy.roles_for(ROW) == frozenset()
    assert policy.roles_for(OURS) == {"admin", "member"}


def test_a_method_that_a_file_does_not_name_is_closed_also_if_it_is_ours():
    policy = parse_policy("v1.0alpha/cluster\n- POST: x\nv1.0alpha/cluster/extra\n- POST: x")
    assert policy.roles_for(ROW) == frozenset()
    assert policy.roles_for(OURS) == frozenset()
