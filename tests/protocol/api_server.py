"""The transport on a real port: tornado in a thread of its own, before whatever gateway."""

import asyncio
import threading
from typing import Any

import httpx

from hanami_actors.api.login.passphrases import hash_passphrase
from hanami_actors.api.server import make_application, start_http_server
from hanami_actors.domain.base import Who
from hanami_actors.settings import defaults
from tests.fakes import FakeGateway
from tests.server import ADMIN_ID, ADMIN_PASSPHRASE

__all__ = ["ADMIN", "MEMBER", "OTHER", "SIGNING_KEY", "TESTER", "ApiServer", "ServedApi"]

SIGNING_KEY = bytes(range(32))
START_TIMEOUT_S = 20.0

ADMIN = Who(
    user_id=ADMIN_ID, project_id="admin", role="admin", is_admin=True, is_project_admin=True
)
MEMBER = Who(user_id="some_member", project_id="test_project", role="member")
OTHER = Who(user_id="other_member", project_id="test_project", role="member")
TESTER = Who(user_id="some_tester", project_id="test_project", role="tester")


class ServedApi:
    """An application served from a thread of its own; the requests of ``ServerProcess``."""

    def __init__(self, gateway: Any, **settings: Any) -> None:
        self.gateway = gateway
        self.ready = True
        self.access_lines: list[str] = []
        self.address = ""
        self.port = 0
        self._settings = defaults(**settings)
        self._client = httpx.Client(timeout=30)
        self._started = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._serve()))
        self._thread.start()
        assert self._started.wait(START_TIMEOUT_S), "the server did not start"
        self._client.base_url = httpx.URL(self.address)

    def request(self, method: str, path: str, *, token: str = "", **kwargs: Any) -> httpx.Response:
        """Send one request; the connection is kept."""
        headers = dict(kwargs.pop("headers", {}))
        if token:
            headers["X-Auth-Token"] = token
        return self._client.request(method, path, headers=headers, **kwargs)

    def token(self, who: Who = ADMIN) -> str:
        """Issue a token without a login."""
        user = self.gateway.tables.users[who.user_id].state
        return self.application.services.tokens.issue(user, who)

    def flush_access_log(self) -> list[str]:
        """Return the lines so far."""
        done = threading.Event()
        self._loop.call_soon_threadsafe(self.application.services.access_log.flush)
        self._loop.call_soon_threadsafe(done.set)
        assert done.wait(START_TIMEOUT_S)
        return "\n".join(self.access_lines).splitlines()

    def task_names(self) -> set[str]:
        """Return what runs in the event loop besides requests that are being looked at."""

        async def look() -> set[str]:
            coroutines = (task.get_coro() for task in asyncio.all_tasks())
            return {getattr(each, "__qualname__", repr(each)) for each in coroutines}

        return asyncio.run_coroutine_threadsafe(look(), self._loop).result(START_TIMEOUT_S)

    def close(self) -> None:
        """Stop; everything it started ends. A second time does nothing."""
        if not self._thread.is_alive():
            return
        self._client.close()
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join(START_TIMEOUT_S)
        assert not self._thread.is_alive(), "the server did not stop"

    async def _serve(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._stop = asyncio.Event()
        self.application = make_application(
            self.gateway, self._settings, SIGNING_KEY, ready=lambda: self.ready
        )
        self.application.services.access_log._write = self.access_lines.append
        server, self.port = start_http_server(self.application, "127.0.0.1", 0)
        self.address = f"http://127.0.0.1:{self.port}"
        self._started.set()
        await self._stop.wait()
        server.stop()
        self.application.close()
        await server.close_all_connections()


class ApiServer(ServedApi):
    """A `FakeGateway` with an admin, three users in one project, and the transport before it."""

    gateway: FakeGateway

    def __init__(self, **settings: Any) -> None:
        gateway = FakeGateway()
        gateway.add_user(ADMIN_ID, hash_passphrase(ADMIN_PASSPHRASE), is_admin=True)
        for who in (MEMBER, OTHER, TESTER):
            gateway.add_user(who.user_id, is_admin=False)
            gateway.assign(who)
        super().__init__(gateway, **settings)
