"""Users, projects and who may work where, over the wire."""

import base64

import pytest

from hanami_actors.domain.base import Who
from hanami_actors.domain.cluster.events import ClusterDeleted
from hanami_actors.domain.cluster.messages import DeleteCluster
from hanami_actors.domain.dataset.messages import DeleteDataset
from hanami_actors.errors import ConflictError, NotFoundError
from tests.protocol.api_server import ADMIN, MEMBER, OTHER

USER = "/v1.0alpha/user"
PROJECT = "/v1.0alpha/project"
ASSIGN = "/v1.0alpha/user/project"
TOKEN = "/v1.0alpha/token"
LIST = "/v1.0alpha/cluster/all"
SECRET = "some secret"


def encoded(text):
    return base64.b64encode(text.encode()).decode()


def create_user(api, user_id="new_user", **changes):
    body = {"id": user_id, "name": "New User", "password": SECRET} | changes
    return api.request("POST", USER, json=body, token=api.token())


def assign(api, user_id="new_user", project_id="some_project", role="member", **more):
    body = {"id": user_id, "project_id": project_id, "role": role} | more
    return api.request("POST", ASSIGN, json=body, token=api.token())


def log_in(api, user_id="new_user", secret=SECRET):
    return api.request("POST", TOKEN, json={"id": user_id, "password": secret})


def caller(api, token):
    return api.request("GET", "/v1.0alpha/auth", token=token).json()


@pytest.mark.parametrize("credential", [{"password": SECRET}, {"passphrase": encoded(SECRET)}])
def test_a_created_user_is_shown_and_logs_in_once_he_has_a_project(api, credential):
    body = {"id": "new_user", "name": "New User", "is_admin": False} | credential
    answer = api.request("POST", USER, json=body, token=api.token())
    assert answer.status_code == 200, answer.text
    shown = answer.json()
    assert shown.pop("created_at").startswith("2023-11-14 ")
    assert shown == {
        "creator_id": "asdf",
        "id": "new_user",
        "is_admin": False,
        "name": "New User",
        "projects": [],
    }
    refused = log_in(api)
    assert (refused.status_code, refused.text) == (
        401,
        "User with id 'new_user' has no project assigned.",
    )
    assigned = assign(api, is_project_admin=True).json()
    assert assigned["projects"] == [
        {"is_project_admin": True, "project_id": "some_project", "role": "member"}
    ]
    assert api.request("GET", USER, params={"id": "new_user"}, token=api.token()).json() == assigned
    token = log_in(api).json()["token"]
    assert caller(api, token) == {
        "id": "new_user",
        "name": "New User",
        "is_admin": False,
        "project_id": "some_project",
        "role": "member",
        "is_project_admin": True,
    }


def test_users_are_listed_with_their_projects_oldest_first(api):
    create_user(api)
    assign(api)
    answer = api.request("GET", f"{USER}/all", token=api.token()).json()
    assert answer["header"] == ["created_at", "id", "name", "creator_id", "projects", "is_admin"]
    assert answer["body"][0][1] == "asdf"
    project = {"is_project_admin": False, "project_id": "some_project", "role": "member"}
    assert answer["body"][-1][1:] == ["new_user", "New User", "asdf", [project], False]


def test_a_user_that_exists_is_a_conflict_and_one_that_does_not_is_not_found(api):
    assert create_user(api).status_code == 200
    assert create_user(api).status_code == 409
    for method in ("GET", "DELETE"):
        answer = api.request(method, USER, params={"id": "nobody"}, token=api.token())
        assert (answer.status_code, answer.text) == (404, "User with id 'nobody' not found")


def test_a_deleted_user_is_out_at_once_and_his_id_is_free(api):
    create_user(api)
    assign(api)
    token = log_in(api).json()["token"]
    gone = api.request("DELETE", USER, params={"id": "new_user"}, token=api.token())
    assert (gone.status_code, gone.json()) == (200, {})
    assert api.request("GET", LIST, token=token).status_code == 401
    assert create_user(api).json()["projects"] == []


def test_nobody_deletes_himself(api):
    answer = api.request("DELETE", USER, params={"id": "asdf"}, token=api.token())
    assert answer.status_code == 409
    assert "himself" in answer.text


def test_only_admins_make_admins_also_when_the_rules_are_lifted(make_api):
    api = make_api(enforce_admin_rules=False)
    boss = Who(user_id=MEMBER.user_id, project_id="managers", role="admin")
    api.gateway.assign(boss)
    body = {"id": "new_user", "name": "New User", "password": SECRET, "is_admin": True}
    assert api.request("POST", USER, json=body, token=api.token(boss)).status_code == 401
    body["is_admin"] = False
    assert api.request("POST", USER, json=body, token=api.token(boss)).status_code == 200
    body = {"id": "new_user", "project_id": "some_project", "role": "member"}
    assert api.request("POST", ASSIGN, json=body, token=api.token(MEMBER)).status_code == 200


def test_assigning_and_removing_is_for_admins(shared_api):
    body = {"id": OTHER.user_id, "project_id": "some_project", "role": "member"}
    query = {"id": OTHER.user_id, "project_id": OTHER.project_id}
    token = shared_api.token(MEMBER)
    for answer in (
        shared_api.request("POST", ASSIGN, json=body, token=token),
        shared_api.request("DELETE", ASSIGN, params=query, token=token),
        shared_api.request("GET", ASSIGN, params={"user_id": OTHER.user_id}, token=token),
    ):
        assert answer.status_code == 401
        assert "for admins only" in answer.text


def test_a_project_is_assigned_once_and_taken_once(api):
    create_user(api)
    assert assign(api).status_code == 200
    assert assign(api).status_code == 409
    assert assign(api, user_id="nobody").status_code == 404
    query = {"id": "new_user", "project_id": "some_project"}
    answer = api.request("DELETE", ASSIGN, params=query, token=api.token())
    assert (answer.status_code, answer.json()["projects"]) == (200, [])
    again = api.request("DELETE", ASSIGN, params=query, token=api.token())
    assert again.status_code == 404
    assert "is not assigned to the user" in again.text or "is not assigned to user" in again.text


def test_a_token_ends_with_the_assignment_or_the_role_it_was_made_for(api):
    create_user(api)
    assign(api)
    token = log_in(api).json()["token"]
    assert api.request("GET", LIST, token=token).status_code == 200
    query = {"id": "new_user", "project_id": "some_project"}
    api.request("DELETE", ASSIGN, params=query, token=api.token())
    answer = api.request("GET", LIST, token=token)
    assert answer.status_code == 401
    assert "'some_project' any more" in answer.text
    assign(api, role="admin")
    assert api.request("GET", LIST, token=token).status_code == 401
    assert caller(api, log_in(api).json()["token"])["role"] == "admin"


def test_projects_of_a_user_are_his_own_without_a_name(api):
    own = api.request("GET", ASSIGN, token=api.token(MEMBER)).json()
    project = {"is_project_admin": False, "project_id": "test_project", "role": "member"}
    assert own == {"projects": [project]}
    everywhere = {"is_project_admin": True, "project_id": "admin", "role": "admin"}
    assert api.request("GET", ASSIGN, token=api.token()).json() == {"projects": [everywhere]}
    query = {"user_id": MEMBER.user_id}
    assert api.request("GET", ASSIGN, params=query, token=api.token()).json() == own
    query = {"user_id": "nobody"}
    assert api.request("GET", ASSIGN, params=query, token=api.token()).status_code == 404


@pytest.mark.parametrize(("method", "path"), [("PUT", TOKEN), ("POST", ASSIGN)])
def test_a_member_switches_between_his_projects_and_to_no_other(api, method, path):
    second = Who(user_id=MEMBER.user_id, project_id="second", role="tester", is_project_admin=True)
    api.gateway.assign(second)
    answer = api.request(method, path, json={"project_id": "second"}, token=api.token(MEMBER))
    assert answer.json().keys() == {"id", "is_admin", "name", "token"}
    there = api.application.services.tokens.verify(answer.json()["token"], api.gateway.tables)
    assert there == second
    for other in ("admin", "third"):
        answer = api.request(method, path, json={"project_id": other}, token=api.token(MEMBER))
        assert (answer.status_code, answer.text) == (
            401,
            f"User with id 'some_member' is not assigned to the project with id '{other}'.",
        )


def test_an_admin_goes_into_a_project_of_his_and_back(api):
    api.gateway.assign(Who(user_id="asdf", project_id="some_project", role="member"))
    there = api.request("PUT", TOKEN, json={"project_id": "some_project"}, token=api.token())
    token = there.json()["token"]
    shown = caller(api, token)
    assert (shown["project_id"], shown["role"], shown["is_admin"]) == (
        "some_project",
        "member",
        True,
    )
    back = api.request("PUT", TOKEN, json={"project_id": "admin"}, token=token).json()["token"]
    assert api.application.services.tokens.verify(back, api.gateway.tables) == ADMIN


def test_a_token_is_asked_what_it_is_good_for(shared_api):
    def status(who, endpoint, http_type):
        query = {"endpoint": endpoint, "http_type": http_type}
        answer = shared_api.request(
            "GET", "/v1.0alpha/auth", params=query, token=shared_api.token(who)
        )
        return answer.status_code

    assert status(MEMBER, "v1.0alpha/cluster", 4) == 200
    assert status(MEMBER, "v1.0alpha/user", 4) == 401
    assert status(ADMIN, "v1.0alpha/user", 4) == 200
    assert status(ADMIN, "v1.0alpha/user", 3) == 401
    assert status(ADMIN, "v1.0alpha/nonsense", 2) == 401
    assert status(MEMBER, "v1.0alpha/token", 4) == 200
    answer = shared_api.request(
        "GET", "/v1.0alpha/auth", params={"http_type": 2}, token=shared_api.token()
    )
    assert answer.status_code == 400


def test_a_changed_passphrase_ends_older_tokens_and_hands_out_a_new_one(api):
    create_user(api)
    assign(api)
    old = log_in(api).json()["token"]
    api.gateway.clock.advance(5)
    path = f"{USER}/passphrase"
    wrong = {"password": "not the secret", "new_password": "another secret"}
    assert api.request("PUT", path, json=wrong, token=old).status_code == 401
    body = {"password": SECRET, "new_passphrase": encoded("another secret")}
    answer = api.request("PUT", path, json=body, token=old)
    assert answer.status_code == 200, answer.text
    refused = api.request("GET", LIST, token=old)
    assert (refused.status_code, "passphrase was changed" in refused.text) == (401, True)
    assert api.request("GET", LIST, token=answer.json()["token"]).status_code == 200
    assert log_in(api).status_code == 401
    assert log_in(api, secret="another secret").status_code == 200


def test_projects_are_created_shown_listed_and_deleted(api):
    body = {"id": "some_project", "name": "Some Project"}
    answer = api.request("POST", PROJECT, json=body, token=api.token())
    assert answer.status_code == 200, answer.text
    shown = answer.json()
    assert shown.keys() == {"created_at", "creator_id", "id", "name"}
    assert api.request("POST", PROJECT, json=body, token=api.token()).status_code == 409
    query = {"id": "some_project"}
    assert api.request("GET", PROJECT, params=query, token=api.token()).json() == shown
    listed = api.request("GET", f"{PROJECT}/all", token=api.token()).json()
    assert listed["header"] == ["created_at", "id", "name", "creator_id"]
    assert listed["body"] == [[shown["created_at"], "some_project", "Some Project", "asdf"]]
    assert api.request("DELETE", PROJECT, params=query, token=api.token()).json() == {}
    for method in ("GET", "DELETE"):
        assert api.request(method, PROJECT, params=query, token=api.token()).status_code == 404


def test_the_project_admin_is_there_without_a_row(shared_api):
    body = {"id": "admin", "name": "Mine"}
    answer = shared_api.request("POST", PROJECT, json=body, token=shared_api.token())
    assert answer.status_code == 409
    query = {"id": "admin"}
    answer = shared_api.request("DELETE", PROJECT, params=query, token=shared_api.token())
    assert answer.status_code == 404


def test_after_too_many_failed_logins_a_user_waits_but_only_from_there(make_api):
    api = make_api(login_failures_max=3)
    for _ in range(3):
        assert log_in(api, "asdf", "wrong secret").status_code == 401
    answer = log_in(api, "asdf", "asdfasdf")
    assert answer.status_code == 429
    assert answer.headers["Retry-After"] == "20"
    assert "20 s" in answer.text
    assert log_in(api, "somebody", "wrong secret").status_code == 401
    api.gateway.clock.advance(20)
    assert log_in(api, "asdf", "asdfasdf").status_code == 200


def some_project(api):
    api.request("POST", PROJECT, json={"id": "test_project", "name": "Test"}, token=api.token())
    cluster = api.gateway.add_cluster(MEMBER)
    dataset = api.gateway.add_dataset(OTHER)
    kept = api.gateway.add_cluster(ADMIN)
    return cluster, dataset.uuid, kept


def delete_project(api, **query):
    query = {"id": "test_project"} | query
    return api.request("DELETE", PROJECT, params=query, token=api.token())


def test_a_project_is_deleted_with_everything_in_it_only_with_force(api):
    _, dataset, kept = some_project(api)
    token = api.token(MEMBER)
    answer = delete_project(api, force="true")
    assert (answer.status_code, answer.json()) == (200, {})
    tables = api.gateway.tables
    assert list(tables.clusters) == [kept]
    assert dataset not in tables.datasets
    assert not tables.projects["test_project"].state.alive
    assert tables.users[MEMBER.user_id].state.projects == ()
    assert api.request("GET", LIST, token=token).status_code == 401
    assert delete_project(api, force="true").status_code == 404


def test_what_is_refused_stops_the_deletion_and_the_same_call_goes_on_from_there(api):
    cluster, dataset, _ = some_project(api)
    api.gateway.answers[DeleteDataset] = ConflictError("it is being imported")
    answer = delete_project(api, force="true")
    assert (answer.status_code, answer.text) == (409, "it is being imported")
    assert cluster not in api.gateway.tables.clusters
    assert api.gateway.tables.projects["test_project"].state.alive
    del api.gateway.answers[DeleteDataset]
    assert delete_project(api, force="true").status_code == 200
    assert dataset not in api.gateway.tables.datasets


def test_what_somebody_else_deletes_meanwhile_is_no_obstacle(api):
    cluster, _, _ = some_project(api)

    def already_gone(target, command):
        api.gateway.record(f"cluster/{cluster}", ClusterDeleted())
        raise NotFoundError("gone")

    api.gateway.answers[DeleteCluster] = already_gone
    assert delete_project(api, force="true").status_code == 200


@pytest.mark.parametrize("force", ["yes", "1", "True", ""])
def test_force_is_true_or_false_and_nothing_else(shared_api, force):
    assert delete_project(shared_api, force=force).status_code == 400
