"""Who talks to clusters in the tests of direct IO, and what about."""

import base64
from typing import Any

import pytest

from tests.journey import Journey
from tests.protocol.direct_client import ClosedError, DirectClient

__all__ = [
    "SAME_NAME",
    "TWO_OF_EACH",
    "WITH_MEMORY",
    "User",
    "closed_with",
    "label",
    "picture",
    "train",
]

TWO_OF_EACH = """version: 1
settings:
    seed: 3
hexagons:
    1,1,1
    2,1,1
    3,1,1
inputs:
    left: 1,1,1
    right: 1,1,1
outputs:
    zebra: 3,1,1
    apple: 3,1,1 (bool)
"""

WITH_MEMORY = """version: 1
settings:
    seed: 3
    neuron_cooldown: 1.5
hexagons:
    1,1,1
    2,1,1
    3,1,1
inputs:
    picture: 1,1,1
outputs:
    label: 3,1,1
"""

SAME_NAME = """version: 1
settings:
    seed: 3
hexagons:
    1,1,1
    2,1,1
    3,1,1
inputs:
    both: 1,1,1
outputs:
    both: 3,1,1
    other: 3,1,1
"""


class User(Journey):
    """A user who talks to clusters."""

    def call(self, method: str, path: str, **values: Any) -> Any:
        where = {"params": values} if method in {"GET", "DELETE"} else {"json": values}
        answer = self.server.request(method, f"/v1/{path}", token=self.token, **where)
        assert answer.status_code == 200, (path, answer.status_code, answer.text)
        return answer.json()

    def cluster_of(self, template: str, name: str = "direct") -> str:
        text = base64.b64encode(template.encode()).decode()
        return str(self.call("POST", "cluster", name=name, template=text)["uuid"])

    def mode(self, network: str, state: str) -> None:
        self.call("PUT", "cluster/set_mode", uuid=network, new_state=state)

    def connect(self, network: str, **first: str) -> DirectClient:
        client = DirectClient(self.address, self.token, network, **first)
        assert client.answer["success"] is True, client.answer
        return client

    def stats(self, network: str) -> Any:
        return self.call("GET", "cluster/stats", uuid=network)


def picture(number: int) -> list[float]:
    """One of three classes, each bright at its own place."""
    return [200.0 if index // 3 == number % 3 else float(index * 7 % 20) for index in range(9)]


def label(number: int) -> list[float]:
    return [1.0 if index == number % 3 else 0.0 for index in range(3)]


def train(client: DirectClient, start: int, stop: int) -> None:
    for number in range(start, stop):
        client.train(picture(number), label(number))


def closed_with(client: DirectClient, data: bytes) -> tuple[int, str]:
    with pytest.raises(ClosedError) as caught:
        client.exchange(data)
    return caught.value.code, caught.value.reason
