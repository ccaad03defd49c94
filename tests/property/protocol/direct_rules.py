"""Samples one by one over websockets: rules of the machine."""

from typing import Any

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule

from tests.property.protocol.account_rules import WHO
from tests.property.protocol.dataset_rules import INDEX
from tests.property.protocol.model import Cluster, Token
from tests.property.protocol.work_rules import WorkRules
from tests.protocol.direct_client import (
    ACKNOWLEDGED,
    EXPECTED,
    TRAINED,
    ClosedError,
    DirectClient,
    message,
)

__all__ = ["DirectRules"]

NOT_THE_WRITER = 4409
BAD_MESSAGE = 4400


class DirectRules(WorkRules):
    """Readers at any time; a writer in direct mode, while no task is there."""

    def connect(self, token: Token, cluster: Cluster) -> DirectClient | None:
        client = DirectClient(self.world.server.address, token.text, cluster.uuid)
        may = token.is_valid and self.sees(token, cluster) and token.role in {"admin", "member"}
        assert client.answer["success"] is may, client.answer
        if may:
            return client
        client.close()
        return None

    def set_mode(self, token: Token, cluster: Cluster, mode: str, expected: int) -> bool:
        if not self.sees(token, cluster):
            expected = 404
        body = {"uuid": cluster.uuid, "new_state": mode}
        answer = self.world.call_as(token, "PUT", "cluster/set_mode", expected, json=body)
        return answer.status_code == 200

    @precondition(WorkRules.has_clusters)
    @rule(who=WHO, index=INDEX, count=st.integers(0, 5), is_right=st.booleans())
    def train_directly(self, who: int, index: int, count: int, is_right: bool) -> None:
        cluster = self.cluster(index)
        token = self.who_for(who, cluster)
        self.settle(cluster)
        is_free = not cluster.open_tasks()
        if not self.set_mode(token, cluster, "DIRECT", 200 if is_free else 409):
            return
        client = self.connect(token, cluster)
        if client is not None and cluster.inputs:
            self._train(client, cluster, count)
            if is_right:
                self._ask(client, cluster)
            else:
                self._say_nonsense(client)
        if client is not None:
            client.close()
        assert self.set_mode(self.admin, cluster, "TASK", 200)

    def _train(self, client: DirectClient, cluster: Cluster, count: int) -> None:
        before = self.stats(cluster)["trained_cycles"]
        width = cluster.width or 4
        (inputs,), (output,) = cluster.inputs, cluster.outputs
        for number in range(count):
            values = [float((number * 37 + at * 11) % 256) for at in range(width)]
            first = message(inputs, values, last=False, train=True)
            assert client.exchange(first) == ACKNOWLEDGED
            last = message(output, [1.0], last=True, train=True, target=EXPECTED)
            assert client.exchange(last) == TRAINED
        if count:
            cluster.trained.add(output)
            cluster.width = width
        assert self.stats(cluster)["trained_cycles"] == before + count

    def _ask(self, client: DirectClient, cluster: Cluster) -> None:
        (inputs,), (output,) = cluster.inputs, cluster.outputs
        values = [1.0] * (cluster.width or 4)
        name, answer = client.ask(message(inputs, values, last=True))
        assert name == output
        assert bool(answer) == (output in cluster.trained)
        assert all(0.0 <= value <= 1.0 for value in answer)

    def _say_nonsense(self, client: DirectClient) -> None:
        with pytest.raises(ClosedError) as caught:
            client.exchange(message("nowhere", [1.0], last=True))
        assert caught.value.code == BAD_MESSAGE

    @precondition(WorkRules.has_clusters)
    @rule(who=WHO, index=INDEX, trains=st.booleans())
    def ask_directly(self, who: int, index: int, trains: bool) -> None:
        """In every mode, also while a task trains; but nobody trains beside the tasks."""
        cluster = self.cluster(index)
        token = self.who_for(who, cluster)
        self.settle(cluster)
        client = self.connect(token, cluster)
        if client is None:
            return
        paused = cluster.paused()
        if cluster.inputs and trains:
            data: Any = message(cluster.inputs[0], [1.0], last=False, train=True)
            with pytest.raises(ClosedError) as caught:
                client.exchange(data)
            assert caught.value.code == NOT_THE_WRITER
        elif cluster.inputs and not cluster.open_tasks() and paused is None:
            self._ask(client, cluster)
        client.close()

    @precondition(WorkRules.has_clusters)
    @rule(who=WHO, index=INDEX)
    def come_to_a_cluster_with_a_token_that_has_run_out(self, who: int, index: int) -> None:
        cluster = self.cluster(index)
        token = self.expired(self.who_for(who, cluster))
        client = DirectClient(self.world.server.address, token.text, cluster.uuid)
        assert client.answer["success"] is False
        client.close()
