"""Login, renewal of tokens and repeated attempts, the same for both clients."""

import asyncio
import base64
import traceback
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from hanami_sdk import AsyncClient, Client, Retry, hanami_exceptions
from hanami_sdk.client.session import Session, claims_of
from tests.unit.sdk.client.conftest import NO_PAUSE, login, token_text

HOSTS = {"header": ["uuid", "type"], "body": [["h", "cpu"]]}


def paths(script):
    return [(call.method, call.path) for call in script.calls]


def tokens_used(script, path="host/all"):
    return [
        claims_of(call.headers["X-Auth-Token"])["mark"]
        for call in script.calls
        if call.path == path
    ]


@pytest.fixture
def hosts(script):
    script.answer("GET", "host/all", HOSTS)
    return script


def test_the_first_call_logs_in_and_later_ones_use_the_same_token(client, hosts):
    assert [host.uuid for host in client.call("hosts.list")] == ["h"]
    client.call("hosts.list")
    assert paths(hosts) == [("POST", "token"), ("GET", "host/all"), ("GET", "host/all")]
    sent = hosts.calls[0].json
    assert sent == {"id": "asdf", "passphrase": base64.b64encode(b"asdfasdf").decode()}
    assert "X-Auth-Token" not in hosts.calls[0].headers
    assert tokens_used(hosts) == ["first", "first"]


def test_a_login_at_once_returns_whose_token_it_is(client):
    answer = client.call("log_in")
    assert (answer.id, answer.is_admin) == ("asdf", True)
    assert answer.token == client.session.token
    assert answer.token not in repr(answer)


def test_a_wrong_passphrase_is_an_exception_with_status_text_and_request_id(make_client, script):
    script.answers[("POST", "token")] = [(401, "ACCESS DENIED!", {"X-Request-Id": "r9"})]
    with pytest.raises(hanami_exceptions.UnauthorizedException) as caught:
        make_client().call("hosts.list")
    assert (caught.value.status, caught.value.text) == (401, "ACCESS DENIED!")
    assert caught.value.request_id == "r9"
    assert len(script.calls) == 1


def test_a_token_near_its_end_is_replaced_before_it_is_refused(client, hosts):
    hosts.answers[("POST", "token")] = [
        (200, login(token_text(100, mark="first")), {}),
        (200, login(token_text(100, mark="second")), {}),
    ]
    now_s = [0.0]
    client.session.clock_s = lambda: now_s[0]
    for now_s[0] in (0, 50, 91):
        client.call("hosts.list")
    assert tokens_used(hosts) == ["first", "first", "second"]


def test_a_refused_token_is_replaced_once_and_the_call_repeated(client, hosts):
    hosts.answers[("POST", "token")] = [
        (200, login(token_text(mark="first")), {}),
        (200, login(token_text(mark="second")), {}),
    ]
    hosts.answers[("GET", "host/all")] = [(401, "token expired", {}), (200, HOSTS, {})]
    assert len(client.call("hosts.list")) == 1
    assert tokens_used(hosts) == ["first", "second"]


def test_threads_that_start_together_log_in_once(stub, script):
    script.answer("GET", "host/all", HOSTS)
    with Client(stub.address, "asdf", "asdfasdf") as client, ThreadPoolExecutor(8) as pool:
        done = [pool.submit(client.hosts.list) for _ in range(16)]
        assert [len(one.result()) for one in done] == [1] * 16
    assert paths(script).count(("POST", "token")) == 1


def test_tasks_whose_token_is_refused_together_log_in_once_more(stub, script):
    script.answers[("POST", "token")] = [
        (200, login(token_text(mark="first")), {}),
        (200, login(token_text(mark="second")), {}),
    ]

    def refuse_the_first_token(call):
        if call.path == "host/all":
            is_first = claims_of(call.headers["X-Auth-Token"])["mark"] == "first"
            refused: tuple[int, Any, dict[str, str]] = (401, "token expired", {})
            answer = refused if is_first else (200, HOSTS, {})
            script.answers[("GET", "host/all")] = [answer]

    script.on_call = refuse_the_first_token

    async def main():
        async with AsyncClient(stub.address, "asdf", "asdfasdf") as client:
            return await asyncio.gather(*(client.hosts.list() for _ in range(8)))

    assert [len(hosts) for hosts in asyncio.run(main())] == [1] * 8
    assert paths(script).count(("POST", "token")) == 2


def test_a_call_that_stays_refused_is_not_tried_for_ever(client, hosts):
    hosts.answers[("GET", "host/all")] = [(401, "Access denied by policy", {})]
    with pytest.raises(hanami_exceptions.UnauthorizedException, match="denied by policy"):
        client.call("hosts.list")
    assert len(tokens_used(hosts)) == 2


def test_a_given_token_is_renewed_in_its_own_project_while_it_is_valid(make_client, hosts):
    client = make_client(token=token_text(100, project_id="biology", mark="given"))
    hosts.answer("PUT", "token", login(token_text(100, mark="renewed")))
    client.call("hosts.list")
    client.session._renew_at_s = client.session.clock_s()
    client.call("hosts.list")
    assert tokens_used(hosts) == ["given", "renewed"]
    assert hosts.call("PUT", "token").json == {"project_id": "biology"}


def test_a_given_token_that_is_refused_has_nothing_to_replace_it(make_client, hosts):
    client = make_client(token=token_text())
    hosts.answers[("GET", "host/all")] = [(401, "token expired", {})]
    with pytest.raises(hanami_exceptions.UnauthorizedException, match="token expired"):
        client.call("hosts.list")
    assert len(hosts.calls) == 1


def test_a_token_that_cannot_be_read_is_used_until_it_is_refused(make_client, hosts):
    client = make_client(token="opaque")
    client.call("hosts.list")
    assert hosts.calls[0].headers["X-Auth-Token"] == "opaque"


def test_a_client_needs_a_login_or_a_token(make_client, stub):
    with pytest.raises(TypeError, match="user_id and passphrase, or a token"):
        make_client(stub.address)
    with pytest.raises(TypeError, match="user_id and passphrase, or a token"):
        make_client(stub.address, "asdf")


def test_the_chosen_project_is_entered_after_every_login(make_client, hosts):
    hosts.answer("PUT", "token", login(token_text(mark="in project")))
    client = make_client(project_id="biology")
    client.call("hosts.list")
    assert hosts.call("PUT", "token").json == {"project_id": "biology"}
    assert tokens_used(hosts) == ["in project"]


def test_a_switched_project_stays_after_the_next_login(client, hosts):
    hosts.answer("PUT", "token", login(token_text(mark="in project")))
    client.call("switch_project", "biology")
    client.call("log_in")
    client.call("hosts.list")
    assert paths(hosts) == [
        ("POST", "token"), ("PUT", "token"), ("POST", "token"), ("PUT", "token"), ("GET", "host/all"),
    ]  # fmt: skip


def test_a_refused_switch_leaves_the_client_where_it_was(client, hosts):
    hosts.answer("PUT", "token", "not assigned", status=401)
    with pytest.raises(hanami_exceptions.UnauthorizedException):
        client.call("switch_project", "biology")
    client.call("hosts.list")
    assert tokens_used(hosts) == ["first"]


@pytest.mark.parametrize("status", [429, 503])
def test_reading_calls_are_repeated_when_the_server_is_busy(client, hosts, status):
    hosts.answers[("GET", "host/all")] = [
        (status, "busy", {}),
        (status, "busy", {}),
        (200, HOSTS, {}),
    ]
    assert len(client.call("hosts.list")) == 1
    assert len(tokens_used(hosts)) == 3


def test_attempts_are_bounded(client, hosts):
    hosts.answers[("GET", "host/all")] = [(503, "busy", {})]
    with pytest.raises(hanami_exceptions.UnexpectedStatusException, match="503: busy") as caught:
        client.call("hosts.list")
    assert caught.value.status == 503
    assert len(tokens_used(hosts)) == NO_PAUSE.attempts


def test_calls_that_change_something_are_not_repeated(client, script):
    script.answer("POST", "cluster", "busy", status=503)
    with pytest.raises(hanami_exceptions.UnexpectedStatusException):
        client.call("clusters.create", "name")
    assert len([call for call in script.calls if call.path == "cluster"]) == 1


def test_reading_calls_are_repeated_when_the_answer_is_lost(client, hosts):
    hosts.lost_answers["host/all"] = 2
    assert len(client.call("hosts.list")) == 1
    assert len(tokens_used(hosts)) == 3


def test_a_change_whose_answer_is_lost_is_an_error_that_says_it_was_sent(client, script):
    script.answer("POST", "cluster", {})
    script.lost_answers["cluster"] = 1
    with pytest.raises(hanami_exceptions.ConnectionFailedException) as caught:
        client.call("clusters.create", "name")
    assert caught.value.was_sent
    assert len([call for call in script.calls if call.path == "cluster"]) == 1


def test_a_server_that_is_not_there_is_tried_again_also_for_changes(make_client, free_port):
    attempts = []
    client = make_client(f"http://127.0.0.1:{free_port}", "asdf", "asdfasdf")
    retry = Retry(attempts=4, pause_first_s=0)
    client.session.retry = retry
    attempt = client.client._attempt

    def counted(call, token, file):
        attempts.append(call.path)
        return attempt(call, token, file)

    client.client._attempt = counted
    with pytest.raises(hanami_exceptions.ConnectionFailedException, match="refused") as caught:
        client.call("clusters.create", "name")
    assert not caught.value.was_sent
    assert attempts == ["token"] * 4


def test_an_address_that_is_none_is_not_tried_again(make_client):
    client = make_client("localhost:11418", "asdf", "asdfasdf")
    with pytest.raises(
        hanami_exceptions.ConnectionFailedException, match="must look like"
    ) as caught:
        client.call("hosts.list")
    assert not caught.value.is_transient


def test_pauses_double_up_to_the_longest():
    retry = Retry(pause_first_s=0.1, pause_max_s=0.5)
    assert [retry.pause_s(attempt) for attempt in (1, 2, 3, 4)] == [0.1, 0.2, 0.4, 0.5]


@pytest.mark.parametrize("options", [{"attempts": 0}, {"pause_first_s": -1}, {"pause_max_s": -1}])
def test_a_policy_that_makes_no_sense_is_refused(options):
    with pytest.raises(ValueError, match=r"attempts is 0|negative"):
        Retry(**options)


def test_an_answer_that_is_no_json_is_an_exception_of_its_own(client, script):
    script.answer("GET", "host/all", "<html>")
    with pytest.raises(hanami_exceptions.UnreadableAnswerException, match="no Host"):
        client.call("hosts.list")
    script.answer("GET", "cluster", {"name": "n"})
    with pytest.raises(hanami_exceptions.UnreadableAnswerException, match="no Cluster"):
        client.call("clusters.get", "c")


def test_the_passphrase_is_in_no_traceback(make_client, script):
    script.answers[("POST", "token")] = [(500, "", {"X-Request-Id": "r3"})]
    with pytest.raises(hanami_exceptions.InternalServerErrorException) as caught:
        make_client().call("hosts.list")
    assert caught.value.request_id == "r3"
    assert "asdfasdf" not in "".join(traceback.format_exception(caught.value))


@pytest.mark.parametrize("token", ["", "a", "a.b.c", "a.!!.c", "a.W10.c"])
def test_claims_of_something_else_are_empty(token):
    assert claims_of(token) == {}


def test_a_session_without_a_project_in_its_token_says_so():
    session = Session(
        "http://x", user_id=None, passphrase=None, token="t", project_id=None, verify=True,
        retry=Retry(),
    )  # fmt: skip
    with pytest.raises(hanami_exceptions.UnauthorizedException, match="which project"):
        session._project_of_token()


def test_a_client_takes_its_settings_from_the_environment_of_hanamictl(
    make_client, script, stub, monkeypatch
):
    kind = type(make_client().client)
    for name in ("USER", "PASSPHRASE", "PW", "PROJECT", "TOKEN", "ADDRESS"):
        monkeypatch.delenv(f"HANAMI_{name}", raising=False)
    with pytest.raises(KeyError, match="HANAMI_ADDRESS is not set"):
        kind.from_environment()
    monkeypatch.setenv("HANAMI_ADDRESS", f"{stub.address}/")
    with pytest.raises(KeyError, match="HANAMI_USER is not set"):
        kind.from_environment()
    monkeypatch.setenv("HANAMI_USER", "asdf")
    monkeypatch.setenv("HANAMI_PW", "asdfasdf")
    assert kind.from_environment().session.address == stub.address
    monkeypatch.setenv("HANAMI_TOKEN", "given")
    monkeypatch.setenv("HANAMI_PROJECT", "biology")
    session = kind.from_environment().session
    assert (session.token, session.project_id) == ("given", "biology")
