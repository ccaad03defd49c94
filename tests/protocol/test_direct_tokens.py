"""Direct IO ends with its token: the transport in this process, by a clock that tests move."""

import json
from typing import Any

import pytest

from hanami_actors.actors.cluster.connections import OpenChannel
from hanami_actors.api.sockets import direct as cluster_socket
from hanami_actors.engine.direct.channel import DirectChannel, Ports
from tests.protocol.api_server import MEMBER, OTHER
from tests.protocol.direct_client import ACKNOWLEDGED, ClosedError, DirectClient, message

PART = message("picture", [1.0, 2.0], last=False)
HOUR_S = 3600


class Lane:
    """Names only; nothing is computed here."""

    ports = Ports(frozenset({"picture"}), frozenset({"label"}), b"label")
    writer = None


@pytest.fixture
def connect(api, monkeypatch):
    """Open connections of a member to his cluster; the server looks at their tokens all the time."""
    monkeypatch.setattr(cluster_socket, "RECHECK_S", 0.01)
    network = api.gateway.add_cluster(MEMBER)
    lane: Any = Lane()
    api.gateway.answers[OpenChannel] = lambda _target, command: DirectChannel(
        lane, command.message.connection_uuid, is_durable=False, on_close=lambda _: None
    )
    opened = []

    def open_one():
        client = DirectClient(api.address, api.token(MEMBER), network)
        opened.append(client)
        assert client.answer["success"] is True
        assert client.exchange(PART) == ACKNOWLEDGED
        return client

    yield open_one
    for client in opened:
        client.close()


def renew(client, token):
    client.send_text(json.dumps({"token": token}))
    return json.loads(client.receive())


def close_code(client):
    with pytest.raises(ClosedError) as caught:
        client.receive()
    return caught.value.code


def test_an_expired_token_closes_with_4401_unless_it_was_renewed(api, connect):
    renewed, expiring = connect(), connect()
    api.gateway.clock.advance(HOUR_S - 1)
    assert renew(renewed, api.token(MEMBER)) == {"success": True, "uuid": renewed.uuid}
    assert expiring.exchange(PART) == ACKNOWLEDGED
    api.gateway.clock.advance(1)
    assert close_code(expiring) == 4401
    assert renewed.exchange(PART) == ACKNOWLEDGED
    # From now on it is bound to the new one.
    api.gateway.clock.advance(HOUR_S)
    assert close_code(renewed) == 4401


def test_a_token_that_does_not_hold_renews_nothing_and_harms_nothing(api, connect):
    client = connect()
    for token in ("nonsense", 7, api.token(OTHER)):
        answer = renew(client, token)
        assert (answer["success"], bool(answer["error"])) == (False, True)
    assert client.exchange(PART) == ACKNOWLEDGED
    api.gateway.clock.advance(HOUR_S)
    assert close_code(client) == 4401


def test_a_deleted_cluster_closes_with_4404(api, connect):
    client = connect()
    uuid = next(iter(api.gateway.tables.clusters))
    answer = api.request("DELETE", "/v1/cluster", params={"uuid": uuid}, token=api.token(MEMBER))
    assert answer.status_code == 200
    assert close_code(client) == 4404
