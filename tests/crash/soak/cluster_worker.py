"""Creates, trains, asks, saves, restores, renames and deletes clusters."""

import base64
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from tests.crash.soak.api import CutOffError
from tests.crash.soak.worker import Ledger, Worker
from tests.journey import TEMPLATE
from tests.server import ServerProcess

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["ClusterWorker", "Dataset"]

CLUSTERS_MAX = 3
TASKS_OPEN_MAX = 3
ENDED = {"finished", "failed", "aborted"}

History = tuple[tuple[str, int], ...]
"""All that a network has learned: (dataset, epochs)."""


@dataclass(frozen=True)
class Dataset:
    """What clusters are trained with."""

    uuid: str
    row_count: int


@dataclass
class TaskModel:
    """An acknowledged task."""

    uuid: str
    kind: str
    history: History
    is_ended: bool = False


@dataclass
class ClusterModel:
    """A cluster as this worker knows it.

    Attributes
    ----------
    history : tuple
        What it has learned once all its tasks have ended.
    """

    uuid: str
    names: set[str]
    history: History = ()
    tasks: dict[str, TaskModel] = field(default_factory=dict)
    is_maybe_gone: bool = False
    unsure: list[tuple[str, str, History]] = field(default_factory=list)


class ClusterWorker(Worker):
    """One user of clusters."""

    def __init__(
        self,
        name: str,
        server: ServerProcess,
        token: str,
        ledger: Ledger,
        datasets: list[Dataset],
    ) -> None:
        super().__init__(name, server, token, ledger)
        self._datasets = datasets
        self._clusters: list[ClusterModel] = []
        self._checkpoints: dict[str, History] = {}
        self._gone: set[str] = set()
        self._gone_checkpoints: set[str] = set()
        self._unsure_clusters: set[str] = set()
        self._unsure_checkpoints: dict[str, History] = {}
        self._maybe_gone_checkpoints: set[str] = set()
        self._count = 0

    def step(self) -> None:
        if not self._clusters:
            self._create()
            return
        cluster = self.source.choice(self._clusters)
        actions: list[tuple[int, Callable[[ClusterModel], None]]] = [
            (3, self._train),
            (2, self._ask),
            (3, self._look),
            (1, self._save),
            (1, self._load),
            (1, self._rename),
        ]
        if len(self._clusters) < CLUSTERS_MAX:
            actions.append((1, lambda cluster: self._create()))
        else:
            actions.append((1, self._delete))
        if self._checkpoints:
            actions.append((1, lambda cluster: self._delete_checkpoint()))
        weights = [weight for weight, _ in actions]
        _, action = self.source.choices(actions, weights)[0]
        action(cluster)
        self.pause()

    def compare(self) -> None:
        rows = {row["uuid"]: row for row in self.api.table("cluster/all")}
        self._settle_creations(rows)
        for uuid in self._gone & set(rows):
            self.ledger.report(f"cluster {uuid} was deleted and is back")
        for cluster in list(self._clusters):
            if cluster.uuid in rows:
                cluster.is_maybe_gone = False
                self._compare_cluster(cluster, rows[cluster.uuid]["name"])
            elif cluster.is_maybe_gone:
                self._forget(cluster)
            else:
                self.ledger.report(f"cluster {cluster.uuid} is lost")
                self._forget(cluster)
        self._compare_checkpoints()

    def settle(self) -> None:
        for cluster in list(self._clusters):
            while any(not task.is_ended for task in cluster.tasks.values()):
                self._look(cluster)
                self.pause()

    def _create(self) -> None:
        name = self._fresh_name("cluster")
        template = base64.b64encode(TEMPLATE.format(seed=7).encode()).decode()
        try:
            answer = self.api.post("cluster", name=name, template=template)
        except CutOffError:
            self._unsure_clusters.add(name)
            raise
        self.acknowledged()
        self._clusters.append(ClusterModel(answer["uuid"], {name}))

    def _train(self, cluster: ClusterModel) -> None:
        if self._open_count(cluster) >= TASKS_OPEN_MAX:
            self._look(cluster)
            return
        dataset = self.source.choice(self._datasets)
        epochs = self.source.choice([1, 2, 10, 40])
        binding = {"dataset_uuid": dataset.uuid}
        history = (*cluster.history, (dataset.uuid, epochs))
        self._queue(
            cluster,
            "train",
            history,
            inputs=[{**binding, "dataset_column": "picture", "hexagon_name": "picture"}],
            outputs=[{**binding, "dataset_column": "label", "hexagon_name": "label"}],
            number_of_epochs=epochs,
        )

    def _ask(self, cluster: ClusterModel) -> None:
        if not cluster.history or self._open_count(cluster) >= TASKS_OPEN_MAX:
            return
        binding = {"dataset_uuid": self._datasets[0].uuid, "dataset_column": "picture"}
        self._queue(
            cluster,
            "request",
            cluster.history,
            inputs=[{**binding, "hexagon_name": "picture"}],
            results=[{"dataset_column": "answer", "hexagon_name": "label"}],
        )

    def _queue(self, cluster: ClusterModel, kind: str, history: History, **fields: Any) -> None:
        name = self._fresh_name(kind)
        try:
            answer = self.api.post(f"task/{kind}", name=name, cluster_uuid=cluster.uuid, **fields)
        except CutOffError:
            cluster.unsure.append((name, kind, history))
            raise
        self.acknowledged()
        cluster.tasks[answer["uuid"]] = TaskModel(answer["uuid"], kind, history)
        cluster.history = history

    def _look(self, cluster: ClusterModel) -> None:
        """See which tasks have ended, and that they came to what they always come to."""
        for task in cluster.tasks.values():
            if task.is_ended:
                continue
            shown = self.api.get("task", uuid=task.uuid, cluster_uuid=cluster.uuid)
            if shown["state"] not in ENDED:
                return
            self._end(cluster, task, shown)

    def _end(self, cluster: ClusterModel, task: TaskModel, shown: dict[str, Any]) -> None:
        task.is_ended = True
        if shown["state"] != "finished":
            what = f"task {task.uuid} of cluster {cluster.uuid}"
            self.ledger.report(f"{what} is {shown['state']}: {shown['reason']}")
            return
        self.ledger.compare(task.history, shown["digest"], f"state after {task.kind} {task.uuid}")
        if task.kind == "request":
            dataset = self._datasets[0]
            content = self.api.get(
                "dataset/content",
                uuid=task.uuid,
                column_name="answer",
                row_offset=0,
                number_of_rows=dataset.row_count,
            )
            key = ("answers", task.history)
            self.ledger.compare(key, content["data"], f"answers of {task.uuid}")

    def _save(self, cluster: ClusterModel) -> None:
        if self._open_count(cluster):
            self._look(cluster)
            return
        name = self._fresh_name("checkpoint")
        try:
            answer = self.api.post("cluster/save", name=name, cluster_uuid=cluster.uuid)
        except CutOffError:
            self._unsure_checkpoints[name] = cluster.history
            raise
        self.acknowledged()
        self._checkpoints[answer["uuid"]] = cluster.history

    def _load(self, cluster: ClusterModel) -> None:
        if self._open_count(cluster) or not self._checkpoints:
            self._look(cluster)
            return
        uuid, history = self.source.choice(sorted(self._checkpoints.items()))
        before = cluster.history
        try:
            self.api.post("cluster/load", cluster_uuid=cluster.uuid, checkpoint_uuid=uuid)
        except CutOffError:
            cluster.history = ()
            cluster.unsure.append(("", "load", history))
            cluster.unsure.append(("", "load", before))
            raise
        self.acknowledged()
        cluster.history = history

    def _rename(self, cluster: ClusterModel) -> None:
        name = self._fresh_name("renamed")
        try:
            self.api.put("cluster/rename", uuid=cluster.uuid, name=name)
        except CutOffError:
            cluster.names.add(name)
            raise
        self.acknowledged()
        cluster.names = {name}

    def _delete(self, cluster: ClusterModel) -> None:
        try:
            self.api.delete("cluster", uuid=cluster.uuid)
        except CutOffError:
            cluster.is_maybe_gone = True
            raise
        self.acknowledged()
        self._forget(cluster)

    def _delete_checkpoint(self) -> None:
        uuid = self.source.choice(sorted(self._checkpoints))
        try:
            self.api.delete("checkpoint", uuid=uuid)
        except CutOffError:
            self._maybe_gone_checkpoints.add(uuid)
            raise
        self.acknowledged()
        del self._checkpoints[uuid]
        self._gone_checkpoints.add(uuid)

    def _settle_creations(self, rows: dict[str, dict[str, Any]]) -> None:
        known = {cluster.uuid for cluster in self._clusters}
        for uuid, row in rows.items():
            if row["name"] in self._unsure_clusters and uuid not in known:
                self._clusters.append(ClusterModel(uuid, {row["name"]}))
        self._unsure_clusters.clear()

    def _compare_cluster(self, cluster: ClusterModel, name: str) -> None:
        if name not in cluster.names:
            self.ledger.report(f"cluster {cluster.uuid} is called {name}, not {cluster.names}")
        cluster.names = {name}
        rows = {row["uuid"]: row for row in self.api.table("task/all", cluster_uuid=cluster.uuid)}
        unsure = cluster.unsure
        created = {name: (kind, history) for name, kind, history in unsure if kind != "load"}
        for uuid in set(rows) - set(cluster.tasks):
            shown = self.api.get("task", uuid=uuid, cluster_uuid=cluster.uuid)
            if "-checkpoint-" in shown["name"]:
                continue  # saving and loading are tasks too
            if shown["name"] not in created:
                self.ledger.report(f"task {uuid} of cluster {cluster.uuid} is nobody's")
                continue
            kind, cluster.history = created[shown["name"]]
            cluster.tasks[uuid] = TaskModel(uuid, kind, cluster.history)
        for uuid in set(cluster.tasks) - set(rows):
            self.ledger.report(f"task {uuid} of cluster {cluster.uuid} is lost")
            del cluster.tasks[uuid]
        if any(kind == "load" for _, kind, _ in unsure):
            # Whether it was restored or not, the digest says which of the two it is.
            self._settle_load(cluster, [history for _, kind, history in unsure if kind == "load"])
        # Only now: a server that dies while it is asked leaves all of it as unsure as before.
        cluster.unsure = []
        self._look(cluster)

    def _settle_load(self, cluster: ClusterModel, candidates: list[History]) -> None:
        digest = self.api.get("cluster/stats", uuid=cluster.uuid)["digest"]
        known = self.ledger.digests
        fitting = [history for history in candidates if known.get(history, "") == digest]
        if fitting:
            cluster.history = fitting[0]
        elif digest and all(history in known for history in candidates):
            self.ledger.report(f"cluster {cluster.uuid} has neither of two states: {digest}")
        else:
            # A history of which no digest is known yet: begin again with another cluster.
            self._delete(cluster)

    def _compare_checkpoints(self) -> None:
        rows = {row["uuid"]: row for row in self.api.table("checkpoint/all")}
        for uuid, row in rows.items():
            if row["name"] in self._unsure_checkpoints:
                self._checkpoints[uuid] = self._unsure_checkpoints[row["name"]]
        self._unsure_checkpoints.clear()
        for uuid in list(self._checkpoints):
            if uuid not in rows:
                if uuid not in self._maybe_gone_checkpoints:
                    self.ledger.report(f"checkpoint {uuid} is lost")
                del self._checkpoints[uuid]
                self._gone_checkpoints.add(uuid)
        self._maybe_gone_checkpoints.clear()
        for uuid in self._gone_checkpoints & set(rows):
            self.ledger.report(f"checkpoint {uuid} was deleted and is back")

    def _forget(self, cluster: ClusterModel) -> None:
        self._clusters.remove(cluster)
        self._gone.add(cluster.uuid)

    def _open_count(self, cluster: ClusterModel) -> int:
        return sum(not task.is_ended for task in cluster.tasks.values())

    def _fresh_name(self, kind: str) -> str:
        self._count += 1
        return f"{self.name}-{kind}-{self._count}"
