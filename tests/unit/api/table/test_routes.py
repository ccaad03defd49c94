import dataclasses

import pytest

from hanami_actors.api.endpoints.all import ENDPOINTS
from hanami_actors.api.table.policy import Policy, parse_policy
from hanami_actors.api.table.routes import Routes
from hanami_actors.domain.base import Who
from hanami_actors.errors import (
    BadRequestError,
    MethodNotAllowedError,
    NotFoundError,
    UnauthorizedError,
)

ROW = next(row for row in ENDPOINTS if row.name == "get_cluster")
ADMIN_ROW = dataclasses.replace(ROW, requires_admin=True)
POLICY = parse_policy("v1.0alpha/cluster\n- GET: admin, member\n- POST: admin")
MEMBER = Who(user_id="anna", project_id="lab", role="member")
ADMIN = Who(user_id="root", project_id="admin", role="admin", is_admin=True)


def routes_of(row, *, enforce_admin_rules=True):
    return Routes([row], POLICY, enforce_admin_rules=enforce_admin_rules)


def test_both_prefixes_and_aliases_lead_to_the_same_route():
    row = dataclasses.replace(ROW, aliases=("/v1/other/name",))
    routes = routes_of(row)
    found = {id(routes.find("GET", path)) for path in row.paths}
    assert len(row.paths) == 3
    assert len(found) == 1


def test_an_alias_has_the_roles_of_the_canonical_path():
    row = dataclasses.replace(ROW, aliases=("/v1/other/name",))
    route = routes_of(row).find("GET", "/v1/other/name")
    assert route.roles == {"admin", "member"}


@pytest.mark.parametrize(
    ("method", "path", "error"),
    [
        ("GET", "/v1/nonsense", NotFoundError),
        ("GET", "v1/cluster", NotFoundError),
        ("GET", "/V1/cluster", NotFoundError),
        ("GET", "", NotFoundError),
        ("GET", "/v1/../v1/cluster", BadRequestError),
        ("POST", "/v1/cluster", MethodNotAllowedError),
        ("get", "/v1/cluster", MethodNotAllowedError),
    ],
)
def test_what_is_not_exactly_there_is_refused(method, path, error):
    with pytest.raises(error):
        routes_of(ROW).find(method, path)


def test_the_header_allow_is_empty_for_a_path_that_is_not_there():
    assert routes_of(ROW).allowed("/v1/cluster") == "GET"
    assert routes_of(ROW).allowed("/v1/nonsense") == ""


def test_a_row_for_admins_refuses_members_whom_the_policy_lets_in():
    route = routes_of(ADMIN_ROW).find("GET", "/v1/cluster")
    route.check_policy(ADMIN)
    route.check_admin(ADMIN)
    with pytest.raises(UnauthorizedError, match="admins only"):
        route.check_admin(MEMBER)


def test_a_setting_lifts_the_rule_for_admins_but_not_the_policy():
    route = routes_of(ADMIN_ROW, enforce_admin_rules=False).find("GET", "/v1/cluster")
    route.check_admin(MEMBER)
    closed = Routes([ROW], Policy(), enforce_admin_rules=False).find("GET", "/v1/cluster")
    with pytest.raises(UnauthorizedError, match="policy"):
        closed.check_policy(ADMIN)


def test_two_rows_for_one_place_are_a_mistake_that_is_noticed():
    with pytest.raises(AssertionError, match="two rows"):
        Routes([ROW, ADMIN_ROW], POLICY, enforce_admin_rules=True)
