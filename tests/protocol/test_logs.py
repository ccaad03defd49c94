"""What the audit and the error log say about calls."""

import base64

from hanami_actors.domain.cluster.messages import CreateCluster, DeleteCluster
from hanami_actors.domain.cluster.template_parser import default_template
from hanami_actors.domain.user.messages import CreateUser
from hanami_actors.errors import BusyError, FaultError, StorageFullError
from tests.protocol.api_server import MEMBER, OTHER, TESTER

AUDIT = "/v1.0alpha/audit_log"
ERRORS = "/v1.0alpha/error_log"
CLUSTER = "/v1.0alpha/cluster"
NEW = {"name": "some_cluster"}
UNKNOWN = {"uuid": "99999999-9999-4999-8999-999999999999"}


def audit(api, who=MEMBER, page=0, **query):
    return api.request("GET", AUDIT, params={"page": page} | query, token=api.token(who))


def errors(api, **query):
    answer = api.request("GET", ERRORS, params={"page": 0} | query, token=api.token())
    assert answer.status_code == 200, answer.text
    return answer.json()["body"]


def test_every_call_that_may_change_something_is_noted_also_when_it_is_refused(api):
    token = api.token(MEMBER)
    api.request("POST", CLUSTER, json=NEW, token=token)
    api.request("POST", "/v1/cluster", json={"nonsense": 1}, token=token)
    api.request("POST", CLUSTER, content=b"nonsense", token=token)
    api.request("DELETE", CLUSTER, params=UNKNOWN, token=token)
    api.request("POST", CLUSTER, content=b"x" * 100_000, token=token)
    answer = audit(api).json()
    assert answer["header"] == ["created_at", "user_id", "endpoint", "request_type"]
    assert [row[1:] for row in answer["body"]] == [
        ["some_member", "v1.0alpha/cluster", method]
        for method in ("POST", "POST", "POST", "DELETE", "POST")
    ]
    assert answer["body"][0][0].startswith("2023-11-14 ")


def test_what_only_looks_and_what_has_no_valid_token_is_not_noted(api):
    api.request("GET", f"{CLUSTER}/all", token=api.token(MEMBER))
    api.request("GET", CLUSTER, params=UNKNOWN, token=api.token(MEMBER))
    api.request("POST", CLUSTER, json=NEW)
    api.request("POST", CLUSTER, json=NEW, token=api.token(MEMBER) + "x")
    api.request("POST", CLUSTER, json=NEW, token=api.token(TESTER))
    api.request("POST", "/v1/nonsense", json=NEW, token=api.token(MEMBER))
    api.request("PATCH", CLUSTER, token=api.token(MEMBER))
    api.request("POST", "/v1/token", json={"id": "asdf", "password": "asdfasdf"})
    api.application.services.call_log.flush()
    assert api.gateway.notes == []


def test_pages_have_a_hundred_entries_and_end_empty(api):
    token = api.token(MEMBER)
    for _ in range(130):
        api.request("POST", CLUSTER, json={}, token=token)
    assert [len(audit(api, page=page).json()["body"]) for page in (0, 1, 2, 10**9)] == [
        100, 30, 0, 0,
    ]  # fmt: skip


def test_only_admins_see_the_calls_of_others(api):
    api.request("POST", CLUSTER, json=NEW, token=api.token(OTHER))
    assert audit(api, user_id=OTHER.user_id).status_code == 401
    own = [["some_member"]] * 0
    assert audit(api, user_id=MEMBER.user_id).json()["body"] == own
    assert audit(api, user_id="None").json()["body"] == own
    query = {"page": 0, "user_id": OTHER.user_id}
    shown = api.request("GET", AUDIT, params=query, token=api.token()).json()["body"]
    assert [row[1] for row in shown] == ["other_member"]
    assert api.request("GET", AUDIT, params={"page": 0}, token=api.token()).json()["body"] == []


def test_a_fault_is_in_the_error_log_with_what_was_asked_and_why(api):
    fault = FaultError("the disk is on fire")
    fault.__cause__ = OSError("too hot")
    api.gateway.answers[CreateCluster] = fault
    template = base64.b64encode(default_template().encode() + b" " * 500).decode()
    body = NEW | {"template": template}
    answer = api.request("POST", CLUSTER, json=body, token=api.token(MEMBER))
    assert (answer.status_code, answer.text) == (500, "")
    ((created_at, user_id, component, context, values, message),) = errors(api)
    assert created_at.startswith("2023-11-14 ")
    assert (user_id, component, context) == ("some_member", "", "")
    assert values == {"name": "some_cluster", "template": f"{template[:200]}…"}
    assert answer.headers["X-Request-Id"] in message
    assert "FaultError: the disk is on fire" in message
    assert "OSError: too hot" in message
    assert message.startswith("+--")
    assert errors(api, user_id="some_member") == errors(api)
    assert errors(api, user_id="other_member") == []


def test_a_full_disk_is_an_error_of_the_server_and_refusals_and_busy_parts_are_not(api):
    api.gateway.answers[CreateCluster] = BusyError("busy")
    assert api.request("POST", CLUSTER, json=NEW, token=api.token()).status_code == 503
    assert api.request("POST", CLUSTER, json={}, token=api.token()).status_code == 400
    uuid = api.gateway.add_cluster(MEMBER)
    api.gateway.answers[DeleteCluster] = StorageFullError("no room")
    answer = api.request("DELETE", CLUSTER, params={"uuid": uuid}, token=api.token())
    assert answer.status_code == 507
    (row,) = errors(api)
    assert "no room" in row[-1]


def test_no_log_ever_holds_a_passphrase(api):
    api.gateway.answers[CreateUser] = FaultError("broken")
    secret = "very secret passphrase"
    encoded = base64.b64encode(secret.encode()).decode()
    for credential in ({"password": secret}, {"passphrase": encoded}):
        body = {"id": "new_user", "name": "New User"} | credential
        answer = api.request("POST", "/v1/user", json=body, token=api.token())
        assert answer.status_code == 500
    rows = errors(api)
    assert [row[4] for row in rows] == [
        {"id": "new_user", "is_admin": False, "name": "New User"}
    ] * 2
    for text in (str(rows), str(api.gateway.notes), str(api.flush_access_log())):
        assert secret not in text
        assert encoded not in text
        assert api.token() not in text


def test_the_error_log_is_for_admins_whatever_the_policy_says(api):
    boss = MEMBER
    answer = api.request("GET", ERRORS, params={"page": 0}, token=api.token(boss))
    assert answer.status_code == 401
