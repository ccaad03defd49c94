"""How answers travel: error shapes, request ids, bodies, queries, kept connections, the log."""

import base64
import json
import logging

import pytest

from hanami_actors.actors.gateway import GetClusterFigures
from hanami_actors.domain.cluster.messages import CreateCluster, CreateTrainTask
from hanami_actors.domain.cluster.template_parser import default_template
from hanami_actors.errors import BusyError, FaultError, StorageFullError, TemplateError
from tests.protocol.api_server import ADMIN, MEMBER, OTHER
from tests.protocol.raw_clients import RawHttp

LIST = "/v1.0alpha/cluster/all"
CLUSTER = "/v1.0alpha/cluster"
GIVEN = base64.b64encode(default_template().encode()).decode()
PROBLEM = "application/problem+json"
UNKNOWN_UUID = "99999999-9999-4999-8999-999999999999"


@pytest.mark.parametrize(
    ("accept", "content_type"),
    [
        ("", "text/plain; charset=utf-8"),
        ("*/*", "text/plain; charset=utf-8"),
        ("text/html, */*;q=0.8", "text/plain; charset=utf-8"),
        ("application/jsonlines", "text/plain; charset=utf-8"),
        ("application/json;q=0", "text/plain; charset=utf-8"),
        ("application/json", PROBLEM),
        ("text/html, Application/JSON;q=0.5", PROBLEM),
        ("application/problem+json", PROBLEM),
    ],
)
def test_an_error_is_a_problem_document_only_for_who_accepts_json(shared_api, accept, content_type):
    answer = shared_api.request("GET", "/v1.0alpha/nonsense", headers={"Accept": accept})
    assert (answer.status_code, answer.headers["Content-Type"]) == (404, content_type)


def test_a_problem_document_has_the_members_of_rfc_9457_and_ours(shared_api):
    answer = shared_api.request("GET", LIST, headers={"Accept": "application/json"})
    problem = answer.json()
    assert problem.pop("detail").startswith("no token")
    assert problem == {
        "type": "about:blank",
        "title": "Unauthorized",
        "status": 401,
        "code": "unauthorized",
        "request_id": answer.headers["X-Request-Id"],
    }


def test_the_request_id_is_the_servers_and_always_another(shared_api):
    headers = {"X-Request-Id": "mine"}
    first = shared_api.request("GET", "/health/live", headers=headers).headers["X-Request-Id"]
    second = shared_api.request("GET", "/health/live", headers=headers).headers["X-Request-Id"]
    assert "mine" not in {first, second}
    assert first != second


def test_the_actor_gets_the_request_id_and_the_caller(api):
    uuid = api.gateway.add_cluster(MEMBER)
    answer = api.request("GET", CLUSTER, params={"uuid": uuid}, token=api.token(MEMBER))
    ((target, command),) = api.gateway.commands
    assert (target.kind, target.key) == ("cluster", uuid)
    assert command.correlation_id == answer.headers["X-Request-Id"]
    assert command.who == MEMBER


def test_a_fault_has_an_empty_body_and_stands_in_the_servers_log(api, caplog):
    uuid = api.gateway.add_cluster(ADMIN)
    api.gateway.answers[GetClusterFigures] = FaultError("secret detail")
    with caplog.at_level(logging.ERROR):
        answer = api.request("GET", CLUSTER, params={"uuid": uuid}, token=api.token())
    assert (answer.status_code, answer.content) == (500, b"")
    assert answer.headers["X-Request-Id"] in caplog.text
    assert "secret detail" in caplog.text


def test_a_fault_as_a_problem_document_tells_nothing_either(api, caplog):
    uuid = api.gateway.add_cluster(ADMIN)
    api.gateway.answers[GetClusterFigures] = FaultError("secret detail")
    headers = {"Accept": "application/json"}
    with caplog.at_level(logging.CRITICAL):
        answer = api.request("GET", f"{CLUSTER}?uuid={uuid}", token=api.token(), headers=headers)
    assert answer.status_code == 500
    assert "secret" not in answer.text
    assert answer.json()["request_id"] == answer.headers["X-Request-Id"]


def test_a_mistake_in_a_handler_is_a_500_and_the_connection_goes_on(api, caplog):
    uuid = api.gateway.add_cluster(ADMIN)
    api.gateway.answers[GetClusterFigures] = "not figures"
    with caplog.at_level(logging.CRITICAL):
        answer = api.request("GET", f"{CLUSTER}?uuid={uuid}", token=api.token())
    assert (answer.status_code, answer.content) == (500, b"")
    assert api.request("GET", LIST, token=api.token()).status_code == 200


def test_a_busy_actor_is_a_503_that_says_when_to_try_again(api):
    api.gateway.answers[CreateCluster] = BusyError("the inbox is full")
    answer = api.request("POST", CLUSTER, json={"name": "some_name"}, token=api.token())
    assert (answer.status_code, answer.text) == (503, "the inbox is full")
    assert answer.headers["Retry-After"] == "1"


def test_a_full_disk_is_a_507(api):
    api.gateway.answers[CreateCluster] = StorageFullError("the disk is full")
    answer = api.request("POST", CLUSTER, json={"name": "some_name"}, token=api.token())
    assert (answer.status_code, answer.text) == (507, "the disk is full")


def test_requests_go_on_while_an_actor_takes_its_time(api):
    uuid = api.gateway.add_cluster(ADMIN)
    token = api.token()
    api.gateway.hold()
    with RawHttp(api.port) as waiting:
        waiting.request("GET", f"{CLUSTER}?uuid={uuid}", X_Auth_Token=token)
        api.gateway.wait_for_commands(1)
        assert api.request("GET", LIST, token=token).status_code == 200
        api.gateway.release()
        assert waiting.answer()[0] == 200


def test_a_client_that_leaves_before_its_answer_harms_nobody(api):
    uuid = api.gateway.add_cluster(ADMIN)
    token = api.token()
    api.gateway.hold()
    with RawHttp(api.port) as leaving:
        leaving.request("GET", f"{CLUSTER}?uuid={uuid}", X_Auth_Token=token)
        api.gateway.wait_for_commands(1)
    api.gateway.release()
    assert api.request("GET", LIST, token=token).status_code == 200


def test_a_template_error_comes_as_a_table_with_line_and_position(api):
    error = TemplateError("unexpected 'x'", line=3, column=7, expected=("a number", "':'"))
    api.gateway.answers[CreateCluster] = error
    answer = api.request("POST", CLUSTER, json={"name": "some_name"}, token=api.token())
    assert answer.status_code == 400
    first, *table = answer.text.splitlines()
    assert first == "Uploaded template is not a valid cluster-template: "
    assert len({len(line) for line in table}) == 1
    assert "| Error-Message Nr. 0 | ERROR" in table[1]
    assert "line-number: 3 " in answer.text
    assert "position in line: 7 " in answer.text
    assert "expected: a number, ':' " in answer.text


@pytest.mark.parametrize("template", ["%%%", "YQ", "/w==", "YQ==\n"])
def test_a_template_that_is_no_base64_text_is_400_but_a_taken_name_comes_first(api, template):
    body = {"name": "some_name", "template": template}
    answer = api.request("POST", CLUSTER, json=body, token=api.token())
    assert (answer.status_code, "base64" in answer.text) == (400, True)
    api.gateway.add_cluster(ADMIN, "some_name")
    assert api.request("POST", CLUSTER, json=body, token=api.token()).status_code == 409
    assert api.gateway.commands == []


@pytest.mark.parametrize(
    ("body", "text"),
    [({}, None), ({"template": ""}, ""), ({"template": GIVEN}, default_template())],
)
def test_an_omitted_an_empty_and_a_given_template_are_three_things(api, body, text):
    answer = api.request("POST", CLUSTER, json={"name": "some_name"} | body, token=api.token())
    assert answer.status_code == 200
    assert api.gateway.messages == [CreateCluster(name="some_name", template_text=text)]


def test_one_connection_serves_many_requests_and_survives_errors(shared_api):
    token = shared_api.token()
    with RawHttp(shared_api.port) as http:
        for path, status in [(LIST, 200), ("/v1/nonsense", 404), (LIST, 200)]:
            answered, headers, _ = http.request("GET", path, X_Auth_Token=token).answer()
            assert (answered, headers.get("connection", "")) == (status, "")


def test_requests_may_be_pipelined(shared_api):
    with RawHttp(shared_api.port) as http:
        http.request("GET", "/health/live").request("GET", "/v1/nonsense")
        assert [http.answer()[0], http.answer()[0]] == [200, 404]


def test_a_body_that_is_announced_too_large_is_413_and_the_connection_goes_on(make_api):
    api = make_api(body_size_max_bytes=1000)
    with RawHttp(api.port) as http:
        http.request("POST", CLUSTER, b"x" * 1_000_000, X_Auth_Token=api.token())
        status, headers, text = http.answer()
        assert (status, headers["content-type"]) == (413, "text/plain; charset=utf-8")
        assert b"1000000 bytes" in text
        assert http.request("GET", "/health/live").answer()[0] == 200


@pytest.mark.parametrize(("method", "path"), [("POST", CLUSTER), ("PUT", "/v1/nonsense")])
def test_a_large_body_is_dropped_while_it_arrives_when_the_caller_is_refused(api, method, path):
    refused = {CLUSTER: 401, "/v1/nonsense": 404}
    with RawHttp(api.port) as http:
        http.request(method, path, b"x" * 1_000_000)
        assert http.answer()[0] == refused[path]
        assert http.request("GET", "/health/live").answer()[0] == 200
        assert api.gateway.commands == []


def test_a_large_body_of_a_known_caller_is_read_as_a_whole(api):
    uuid = api.gateway.add_cluster(ADMIN)
    source = {"hexagon_name": "x" * 254, "dataset_uuid": uuid, "dataset_column": "y" * 254}
    task = {"name": "some_task", "cluster_uuid": uuid, "inputs": [source] * 900}
    body = json.dumps(task | {"outputs": [source]}).encode()
    assert len(body) > 500_000
    with RawHttp(api.port) as http:
        http.request("POST", "/v1/task/train", body, X_Auth_Token=api.token())
        assert http.answer()[0] == 200
    (message,) = api.gateway.messages
    assert isinstance(message, CreateTrainTask)
    assert len(message.inputs) == 900


def test_without_a_token_a_body_is_never_large(api):
    body = json.dumps({"id": "asdf", "password": "x" * 100_000}).encode()
    with RawHttp(api.port) as http:
        assert http.request("POST", "/v1/token", body).answer()[0] == 413


def test_while_the_server_stops_answers_ask_clients_to_close_their_connections(api):
    with RawHttp(api.port) as http:
        assert "connection" not in http.request("GET", "/health/live").answer()[1]
        api.application.services.is_draining = True
        status, headers, _ = http.request("GET", "/health/live").answer()
        assert (status, headers["connection"]) == (200, "close")


def test_requests_in_flight_are_counted_until_they_are_answered(api):
    assert api.application.services.in_flight_count == 0
    api.gateway.hold()
    with RawHttp(api.port) as http:
        http.request("POST", CLUSTER, b'{"name":"some_name"}', X_Auth_Token=api.token())
        api.gateway.wait_for_commands(1)
        assert api.application.services.in_flight_count == 1
        api.gateway.release()
        assert http.answer()[0] == 200
    api.flush_access_log()
    assert api.application.services.in_flight_count == 0


def test_a_chunked_body_is_taken_and_counted(make_api):
    api = make_api(body_size_max_bytes=1000)
    token = api.token()
    head = f"POST {CLUSTER} HTTP/1.1\r\nHost: t\r\nX-Auth-Token: {token}\r\n"
    head += "Transfer-Encoding: chunked\r\n\r\n"
    good = json.dumps({"name": "some_name"}).encode()
    with RawHttp(api.port) as http:
        chunk = b"%x\r\n%s\r\n" % (len(good), good)
        assert http.send(head.encode() + chunk + b"0\r\n\r\n").answer()[0] == 200
        chunk = b"%x\r\n%s\r\n" % (700, b"x" * 700)
        assert http.send(head.encode() + chunk * 3 + b"0\r\n\r\n").answer()[0] == 413
        assert http.request("GET", "/health/live").answer()[0] == 200


def test_no_content_type_is_needed_and_none_changes_the_meaning(api):
    body = json.dumps({"name": "some_name"})
    for content_type in ("application/x-www-form-urlencoded", "multipart/form-data", "text/xml"):
        headers = {"Content-Type": content_type}
        answer = api.request("POST", CLUSTER, content=body, headers=headers, token=api.token())
        assert answer.status_code == 200, answer.text


def test_a_body_of_get_is_ignored(shared_api):
    with RawHttp(shared_api.port) as http:
        http.request("GET", LIST, b"[nonsense", X_Auth_Token=shared_api.token())
        assert http.answer()[0] == 200


def test_the_query_counts_more_than_the_body_and_token_is_not_a_field(api):
    body = {"name": "from_body", "input_data_size": 5, "token": 7}
    path = "/v1.0alpha/dataset/upload/csv?name=from%20query&input_data_size=9&token=x"
    answer = api.request("POST", path, json=body, token=api.token())
    assert answer.status_code == 200, answer.text
    (message,) = api.gateway.messages
    assert (message.name, message.input_size_bytes) == ("from query", 9)


def test_a_text_of_digits_in_a_query_stays_a_text(api):
    for name in ("true", "null", "e10"):
        path = f"/v1.0alpha/dataset/upload/csv?name={name}&input_data_size=9"
        answer = api.request("POST", path, json={}, token=api.token())
        assert answer.status_code == (200 if len(name) >= 4 else 400), answer.text
    path = "/v1.0alpha/token?id=1234&password=12345678"
    answer = api.request("POST", path, json={})
    assert (answer.status_code, answer.text[:10]) == (400, "field 'id'")


def test_a_whole_login_fits_into_the_query(api):
    assert api.request("POST", "/v1/token?id=asdf&password=asdfasdf", json={}).status_code == 200


def test_an_integer_in_the_query_beyond_64_bits_is_400(shared_api):
    path = f"/v1/dataset/content?uuid={UNKNOWN_UUID}&column_name=a&row_offset={'9' * 5000}"
    answer = shared_api.request("GET", path, token=shared_api.token())
    assert (answer.status_code, len(answer.text) < 300) == (400, True)


@pytest.mark.parametrize("query", ["uuid=%ff", "uuid=a&" * 200, "uuid", "=&="])
def test_a_broken_query_is_400(shared_api, query):
    answer = shared_api.request("GET", f"{CLUSTER}?{query}", token=shared_api.token())
    assert answer.status_code == 400


def test_lists_show_what_the_caller_may_see_in_order_of_creation(api):
    mine = [api.gateway.add_cluster(MEMBER, f"mine_{index}") for index in range(3)]
    other = api.gateway.add_cluster(OTHER, "other")
    answer = api.request("GET", LIST, token=api.token(MEMBER)).json()
    assert answer["header"] == [
        "created_at", "uuid", "project_id", "owner_id", "visibility", "name",
    ]  # fmt: skip
    assert [row[1] for row in answer["body"]] == mine
    assert answer["body"][0] == [
        "2023-11-14 22:13:20", mine[0], "test_project", "some_member", "private", "mine_0",
    ]  # fmt: skip
    everything = api.request("GET", LIST, token=api.token()).json()["body"]
    assert [row[1] for row in everything] == [*mine, other]


def test_a_list_without_rows_has_its_header(api):
    answer = api.request("GET", "/v1/host/all", token=api.token())
    assert answer.content == b'{"body":[],"header":["uuid","type"]}'


def test_readiness_follows_the_kernels_and_liveness_does_not(api):
    api.ready = False
    assert api.request("GET", "/health/live").status_code == 200
    answer = api.request("GET", "/health/ready")
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "1")
    api.ready = True
    assert api.request("GET", "/health/ready").status_code == 200


def test_the_access_log_has_one_line_per_request_and_no_secret(api):
    token = api.token(MEMBER)
    first = api.request("GET", LIST, token=token)
    second = api.request("POST", "/v1/token?password=verysecret&id=asdf", json={})
    lines = api.flush_access_log()
    assert len(lines) == 2
    assert f" GET {LIST} 200 " in lines[0]
    assert lines[0].endswith(f"user=some_member request={first.headers['X-Request-Id']}")
    assert " POST /v1/token 401 " in lines[1]
    assert lines[1].endswith(f"user=- request={second.headers['X-Request-Id']}")
    assert "secret" not in "".join(lines)
    assert token not in "".join(lines)


def test_errors_never_repeat_a_passphrase(shared_api):
    for body in ({"passphrase": "very secret!"}, {"password": 123456789}, {"password": "short"}):
        answer = shared_api.request("POST", "/v1/token", json={"id": "asdf"} | body)
        assert answer.status_code == 400
        assert not any(str(value) in answer.text for value in body.values())
