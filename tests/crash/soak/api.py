"""Calls to a server that may die at any moment, and what is known afterwards."""

import threading
from typing import Any

import httpx

from tests.server import ServerProcess

__all__ = ["Api", "CutOffError", "RefusedError"]

TIMEOUT_S = 60.0
BUSY_PAUSE_S = 0.05
BUSY_TRIES_MAX = 400


class CutOffError(Exception):
    """The connection broke: nobody knows whether the call was carried out."""


class RefusedError(Exception):
    """The server refused, and said why; nothing was changed."""

    def __init__(self, status: int, text: str) -> None:
        super().__init__(f"{status}: {text}")
        self.status = status


class Api:
    """The REST interface for one thread; 503 is tried again."""

    def __init__(self, server: ServerProcess, token: str) -> None:
        self._server = server
        self.token = token
        self._client = httpx.Client(timeout=TIMEOUT_S, headers={"X-Auth-Token": token})
        self._pause = threading.Event()

    @property
    def port(self) -> int:
        return int(self._server.address.rsplit(":", 1)[1])

    def close(self) -> None:
        self._client.close()

    def get(self, path: str, **fields: Any) -> Any:
        return self._call("GET", path, params=fields)

    def delete(self, path: str, **fields: Any) -> Any:
        return self._call("DELETE", path, params=fields)

    def post(self, path: str, **fields: Any) -> Any:
        return self._call("POST", path, json=fields)

    def put(self, path: str, **fields: Any) -> Any:
        return self._call("PUT", path, json=fields)

    def table(self, path: str, **fields: Any) -> list[dict[str, Any]]:
        answer = self.get(path, **fields)
        return [dict(zip(answer["header"], row, strict=True)) for row in answer["body"]]

    def _call(self, method: str, path: str, **arguments: Any) -> Any:
        for _ in range(BUSY_TRIES_MAX):
            try:
                answer = self._client.request(
                    method, f"{self._server.address}/v1/{path}", **arguments
                )
            except httpx.HTTPError as error:
                raise CutOffError(str(error)) from error
            if answer.status_code == 200:
                return answer.json()
            if answer.status_code != 503:
                raise RefusedError(answer.status_code, answer.text)
            self._pause.wait(BUSY_PAUSE_S)
        raise RefusedError(503, "the server was busy all the time")
