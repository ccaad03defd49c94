"""Pausing, saving, loading, copying and moving clusters: rules of the machine."""

from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule

from tests.property.protocol.account_rules import SOMETIMES, WHO
from tests.property.protocol.cluster_rules import ClusterRules
from tests.property.protocol.dataset_rules import INDEX
from tests.property.protocol.model import Checkpoint, Cluster, Task, Token

__all__ = ["WorkRules"]

NOBODY = "00000000-0000-4000-8000-000000000000"
SAVED_MAX = 6
CLUSTERS_MAX = 8
NAMES = st.sampled_from(["net a", "net b", "net c", "net d"])
STOPS = st.sampled_from(["pause", "pause", "resume", "save", "abort"])


class WorkRules(ClusterRules):
    """What can be done with a cluster besides giving it tasks."""

    def has_checkpoints(self) -> bool:
        return bool(self.model.checkpoints)

    def checkpoint(self, index: int) -> Checkpoint:
        checkpoints = list(self.model.checkpoints.values())
        return checkpoints[index % len(checkpoints)]

    def stats(self, cluster: Cluster) -> Any:
        query = {"uuid": cluster.uuid}
        return self.world.call_as(self.admin, "GET", "cluster/stats", 200, params=query).json()

    # Tasks that are stopped.

    @precondition(lambda self: self.has_clusters() and self.has_datasets())
    @rule(index=INDEX, data=INDEX, what=st.lists(STOPS, min_size=1, max_size=5))
    def train_for_long(self, index: int, data: int, what: list[str]) -> None:
        """Begin what does not end by itself, and stop it in some way; often it goes on after that."""
        cluster = self.cluster(index)
        self.train(index, index, data, long=True, port=True)
        for each in what:
            if each == "save":
                self.save(index, index)
            elif cluster.uuid in self.model.clusters:
                self.stop_or_go_on(index, index, 0, each)

    @precondition(ClusterRules.has_clusters)
    @rule(who=WHO, index=INDEX, task=INDEX, what=st.sampled_from(["pause", "resume", "abort"]))
    def stop_or_go_on(self, who: int, index: int, task: int, what: str) -> None:
        cluster = self.cluster(index)
        self.settle(cluster)
        if not cluster.tasks:
            return
        # Mostly the one that computes, or would.
        known = cluster.tasks[task % len(cluster.tasks)]
        if task < 70 and cluster.open_tasks():
            known = cluster.open_tasks()[0]
        token = self.who_for(who, cluster)
        expected = 200 if self._may(what, cluster, known) else 409
        if not self.sees(token, cluster):
            expected = 404
        body = {"uuid": known.uuid, "cluster_uuid": cluster.uuid}
        answer = self.world.call_as(token, "PUT", f"task/{what}", expected, json=body)
        if answer.status_code != 200:
            return
        shown = answer.json()["state"]
        if what == "abort":
            self.end_early(cluster, known)
            assert shown == "aborted"
        else:
            known.is_paused = what == "pause"
            assert shown == "paused" if known.is_paused else shown in {"queued", "active"}
        self.settle(cluster)

    def _may(self, what: str, cluster: Cluster, task: Task) -> bool:
        if what == "resume":
            return task.is_paused
        # After settling only a training can be active.
        return self.is_active(cluster, task) or (what == "abort" and task.is_paused)

    # Checkpoints.

    @precondition(ClusterRules.has_clusters)
    @rule(who=WHO, index=INDEX)
    def save(self, who: int, index: int) -> None:
        cluster = self.cluster(index)
        if len(self.model.checkpoints) >= SAVED_MAX:
            return
        token = self.who_for(who, cluster)
        self.settle(cluster)
        expected = 200 if self.sees(token, cluster) else 404
        body = {"name": "some save", "cluster_uuid": cluster.uuid}
        answer = self.world.call_as(token, "POST", "cluster/save", expected, json=body)
        if answer.status_code != 200:
            return
        assert answer.json().keys() == {"name", "uuid"}
        task = Task(answer.json()["uuid"], "some save", "save", cycle_count=1, is_long=False)
        task.saver = (token.person.id, token.project_id)
        others = cluster.open_tasks()
        cluster.tasks.append(task)
        if len(others) == 1 and others[0].is_paused:
            # The one thing that does not wait for a paused task.
            assert self.wait_for(cluster, task)["state"] == "finished"
            self.keep(cluster, task)
            task.state = "finished"
        self.settle(cluster)

    @precondition(lambda self: self.has_clusters() and self.has_datasets())
    @rule(index=INDEX, data=INDEX, other=INDEX)
    def save_learn_and_go_back(self, index: int, data: int, other: int) -> None:
        """Into the same cluster or another one; there the saved state answers again."""
        self.train(index, index, data, long=False, port=True)
        self.save(index, index)
        self.train(index, index, data, long=False, port=True)
        if self.has_checkpoints():
            newest = len(self.model.checkpoints) - 1
            self.load(0, other, newest)
            self.request(0, other, data, port=True)

    @precondition(lambda self: self.has_clusters() and self.has_checkpoints())
    @rule(who=WHO, index=INDEX, saved=INDEX)
    def load(self, who: int, index: int, saved: int) -> None:
        cluster, checkpoint = self.cluster(index), self.checkpoint(saved)
        self.settle(cluster)
        if cluster.open_tasks():
            # It would wait, and what comes behind it would be judged by what it will bring.
            return
        token = self.who_for(who, cluster)
        is_seen = self.sees(token, cluster) and self.sees(token, checkpoint)
        body = {"cluster_uuid": cluster.uuid, "checkpoint_uuid": checkpoint.uuid}
        answer = self.world.call_as(
            token, "POST", "cluster/load", 200 if is_seen else 404, json=body
        )
        if answer.status_code != 200:
            return
        task = Task(answer.json()["uuid"], "some save", "load", cycle_count=1, is_long=False)
        cluster.tasks.append(task)
        self.settle(cluster)
        self.become(cluster, checkpoint)
        shown = self.world.call_as(
            self.admin, "GET", "checkpoint", 200, params={"uuid": checkpoint.uuid}
        ).json()
        stats = self.stats(cluster)
        assert stats["trained_cycles"] == shown["trained_cycles"]
        assert stats["digest"] == shown["digest"]

    def become(self, cluster: Cluster, checkpoint: Checkpoint) -> None:
        cluster.inputs, cluster.outputs = checkpoint.inputs, checkpoint.outputs
        cluster.trained, cluster.width = set(checkpoint.trained), checkpoint.width

    @precondition(has_checkpoints)
    @rule(who=WHO, saved=INDEX)
    def look_at_a_checkpoint(self, who: int, saved: int) -> None:
        checkpoint = self.checkpoint(saved)
        token = self.who_for(who, checkpoint)
        query = {"uuid": checkpoint.uuid}
        expected = 200 if self.sees(token, checkpoint) else 404
        answer = self.world.call_as(token, "GET", "checkpoint", expected, params=query)
        if answer.status_code == 200:
            assert checkpoint.shown().items() <= answer.json().items()

    @SOMETIMES
    @precondition(has_checkpoints)
    @rule(who=WHO, saved=INDEX)
    def delete_a_checkpoint(self, who: int, saved: int) -> None:
        checkpoint = self.checkpoint(saved)
        token = self.who_for(who, checkpoint)
        query = {"uuid": checkpoint.uuid}
        expected = 200 if self.sees(token, checkpoint) else 404
        answer = self.world.call_as(token, "DELETE", "checkpoint", expected, params=query)
        if answer.status_code == 200:
            del self.model.checkpoints[checkpoint.uuid]

    # Names and copies.

    def is_taken(self, token: Token, name: str) -> bool:
        clusters = self.model.clusters.values()
        return any(each.name == name and self.sees(token, each) for each in clusters)

    @precondition(ClusterRules.has_clusters)
    @rule(who=WHO, index=INDEX, name=NAMES)
    def rename(self, who: int, index: int, name: str) -> None:
        cluster, name = self.cluster(index), f"{self.prefix} {name}"
        token = self.who_for(who, cluster)
        expected = 409 if name != cluster.name and self.is_taken(token, name) else 200
        if not self.sees(token, cluster):
            expected = 404
        body = {"uuid": cluster.uuid, "name": name}
        answer = self.world.call_as(token, "PUT", "cluster/rename", expected, json=body)
        if answer.status_code == 200:
            cluster.name = name
            assert answer.json() == cluster.shown()

    @precondition(ClusterRules.has_clusters)
    @rule(who=WHO, index=INDEX, name=NAMES, repeated=st.booleans())
    def copy(self, who: int, index: int, name: str, repeated: bool) -> None:
        """Often twice with the same key: it is done once, and answered twice."""
        cluster, name = self.cluster(index), f"{self.prefix} {name}"
        self.settle(cluster)
        token = self.who_for(who, cluster)
        if cluster.open_tasks() or len(self.model.clusters) >= CLUSTERS_MAX:
            return
        expected = 409 if self.is_taken(token, name) else 200
        if not self.sees(token, cluster):
            expected = 404
        body = {"name": name, "cluster_uuid": cluster.uuid}
        key = {"Idempotency-Key": f"{self.prefix}-{self.step_count}"}
        answer = self.world.call_as(token, "POST", "cluster/copy", expected, json=body, headers=key)
        if repeated:
            again = self.world.call_as(
                token, "POST", "cluster/copy", expected, json=body, headers=key
            )
            assert again.status_code != 200 or again.content == answer.content
        if answer.status_code == 200:
            self.take_copy(token, cluster, answer.json())

    def take_copy(self, token: Token, cluster: Cluster, shown: dict[str, Any]) -> None:
        copied = Cluster(
            uuid=shown["uuid"],
            name=shown["name"],
            owner_id=token.person.id,
            project_id=token.project_id,
            created_at=shown["created_at"],
            inputs=cluster.inputs,
            outputs=cluster.outputs,
            trained=set(cluster.trained),
            width=cluster.width,
            host=self.world.hosts[0],
        )
        assert shown == copied.shown()
        self.model.clusters[copied.uuid] = copied
        assert self.stats(copied)["trained_cycles"] == self.stats(cluster)["trained_cycles"]

    # Hosts.

    @precondition(ClusterRules.has_clusters)
    @rule(who=WHO, index=INDEX, host=st.integers(0, 5))
    def move(self, who: int, index: int, host: int) -> None:
        cluster = self.cluster(index)
        token = self.who_for(who, cluster)
        uuid = [*self.world.hosts, NOBODY][min(host, len(self.world.hosts))]
        known = self.sees(token, cluster) and uuid != NOBODY
        body = {"cluster_uuid": cluster.uuid, "host_uuid": uuid}
        answer = self.world.call_as(
            token, "PUT", "cluster/switch_host", 200 if known else 404, json=body
        )
        if answer.status_code == 200:
            cluster.host = uuid
        assert self.stats(cluster)["host_uuid"] == cluster.host
