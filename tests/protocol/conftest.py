"""The transport in this process; the real server comes from ``tests/conftest.py``."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest

from tests.protocol.api_server import ApiServer

MakeApi = Callable[..., ApiServer]


@pytest.fixture
def make_api() -> Iterator[MakeApi]:
    """Start transports with settings of their own."""
    with ExitStack() as stack:

        def make(**settings: Any) -> ApiServer:
            server = ApiServer(**settings)
            stack.callback(server.close)
            return server

        yield make


@pytest.fixture
def api(make_api: MakeApi) -> ApiServer:
    """Return a transport of its own."""
    return make_api()


@pytest.fixture(scope="module")
def shared_api() -> Iterator[ApiServer]:
    """Share one transport with the tests of a module that only read."""
    server = ApiServer()
    yield server
    server.close()
