"""Goal: thousands of bad requests, sockets and logins leave a server as it was.

``scripts/fuzz`` does the same a hundred thousand times.
"""

import itertools
import os
import threading

import pytest

from tests.protocol.hostile.bad_requests import bad_requests, send_bad
from tests.protocol.hostile.disturbances import disturb
from tests.protocol.hostile.figures import figures_of
from tests.protocol.raw_clients import RawHttp
from tests.server import ServerProcess

BATCH = 1500
MEMORY_GROWTH_MAX_KIB = 8 * 1024
WAIT_S = 10.0


@pytest.fixture(scope="module")
def quiet_server(tmp_path_factory):
    process = ServerProcess(tmp_path_factory.mktemp("growth") / "data", "--no-access-log")
    try:
        yield process.start(wait_until_ready=False)
        assert process.terminate() == 0
        assert "Traceback" not in process.log
        assert " ERROR " not in process.log
    finally:
        process.close()


def port_of(server):
    return int(server.address.rpartition(":")[2])


def send_many(server, token, seed):
    statuses = set()
    with RawHttp(port_of(server)) as client:
        for bad in itertools.islice(bad_requests(seed), BATCH):
            statuses.add(send_bad(client, token, bad))
    return statuses


def settled(server):
    """Look again until idle connections and threads of the moment are gone."""
    least = figures_of(server.pid)
    for _ in range(10):
        threading.Event().wait(WAIT_S / 200)
        now = figures_of(server.pid)
        least = least._replace(
            threads=min(least.threads, now.threads), files=min(least.files, now.files)
        )
    return least


def assert_not_grown(before, after):
    assert after.memory_kib - before.memory_kib < MEMORY_GROWTH_MAX_KIB
    assert after.threads <= before.threads
    assert after.files <= before.files


def test_bad_requests_are_all_blamed_on_the_client_and_leave_nothing(quiet_server):
    token = quiet_server.token()
    assert send_many(quiet_server, token, seed=1) >= {400, 401, 404, 405}
    before = settled(quiet_server)
    send_many(quiet_server, token, seed=2)
    assert_not_grown(before, settled(quiet_server))


def test_broken_connections_and_sockets_leave_nothing(quiet_server):
    for number in range(300):
        disturb(port_of(quiet_server), number)
    before = settled(quiet_server)
    for number in range(300):
        disturb(port_of(quiet_server), number)
    assert_not_grown(before, settled(quiet_server))


def test_logins_that_fail_leave_nothing(quiet_server):
    def fail(number):
        body = {"id": f"user{number}", "password": os.urandom(8).hex()}
        answer = quiet_server.request("POST", "/v1/token", json=body)
        assert answer.status_code in {401, 429}

    for number in range(20):
        fail(number)
    before = settled(quiet_server)
    for number in range(20, 80):
        fail(number)
    assert_not_grown(before, settled(quiet_server))
