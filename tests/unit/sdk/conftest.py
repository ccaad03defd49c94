"""Fixtures: a recording server per test, and no connection left open behind it."""

import socket

import pytest

from hanami_sdk.hanami_request import close_connections
from tests.unit.sdk.stub_server import StubServer


@pytest.fixture
def stub():
    server = StubServer().start()
    yield server
    close_connections()
    server.stop()


@pytest.fixture
def script(stub):
    return stub.script


@pytest.fixture
def free_port():
    """Return a port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]
