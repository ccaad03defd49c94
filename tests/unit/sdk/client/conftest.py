"""A stub server with a login, and both clients for it behind one face."""

import asyncio
import base64
import inspect
import json
import time
from typing import Any

import pytest

from hanami_sdk import AsyncClient, Client, Retry

NO_PAUSE = Retry(attempts=3, pause_first_s=0)


def token_text(life_s: float | None = 3600, project_id: str = "admin", mark: str = "") -> str:
    """Return a token as the server makes it, with a signature that nobody checks here."""
    claims: dict[str, Any] = {
        "user": json.dumps({"id": "asdf", "project_id": project_id}),
        "mark": mark,
    }
    if life_s is not None:
        claims["exp"] = time.time() + life_s
    body = base64.urlsafe_b64encode(json.dumps(claims).encode()).decode().rstrip("=")
    return f"head.{body}.signature"


def login(token: str) -> dict[str, object]:
    return {"id": "asdf", "name": "Asdf", "is_admin": True, "token": token}


class Both:
    """Calls one of the clients; the async one is awaited to its end."""

    def __init__(self, client: Client | AsyncClient) -> None:
        self.client = client
        self._loop = asyncio.new_event_loop() if isinstance(client, AsyncClient) else None

    @property
    def session(self):
        return self.client.session

    def call(self, path: str, *args, **kwargs):
        target: Any = self.client
        for name in path.split("."):
            target = getattr(target, name)
        return self.end(target(*args, **kwargs))

    def end(self, result):
        """Return a result; of the async client after awaiting it."""
        if self._loop is None or not inspect.isawaitable(result):
            return result

        async def main():
            return await result

        return self._loop.run_until_complete(main())

    def close(self) -> None:
        self.call("close")
        if self._loop is not None:
            self._loop.close()


@pytest.fixture(params=[Client, AsyncClient], ids=["blocking", "awaiting"])
def make_client(request, stub):
    """Make clients of one kind; without other arguments they log in to the stub."""
    made = []

    def make(*args, **kwargs) -> Both:
        if not args:
            args = (stub.address,) if "token" in kwargs else (stub.address, "asdf", "asdfasdf")
        kwargs.setdefault("retry", NO_PAUSE)
        both = Both(request.param(*args, **kwargs))
        made.append(both)
        return both

    yield make
    for both in made:
        both.close()


@pytest.fixture
def script(stub):
    """A server whose first login gives a token for an hour."""
    stub.script.answer("POST", "token", login(token_text(mark="first")))
    return stub.script


@pytest.fixture
def client(make_client, script):
    return make_client()
