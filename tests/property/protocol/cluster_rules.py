"""Clusters, their queues and their tasks: rules of the machine."""

import base64
import threading
import time
from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule

from tests.property.protocol.account_rules import SOMETIMES, WHO
from tests.property.protocol.dataset_rules import INDEX, DatasetRules
from tests.property.protocol.model import Checkpoint, Cluster, Dataset, Task, Token

__all__ = ["ORDER", "ClusterRules"]

TEMPLATE = """version: 1
settings:
    seed: 7
hexagons:
    1,1,1
    2,1,1
inputs:
    picture: 1,1,1
outputs:
    label: 2,1,1
"""
# As sent, with what they give: inputs, outputs; None is refused.
TEMPLATES: dict[str | None, tuple[str, str] | None] = {
    None: ("input", "output"),
    base64.b64encode(TEMPLATE.encode()).decode(): ("picture", "label"),
    "": ("", ""),
    base64.b64encode(TEMPLATE[:-9].encode()).decode(): None,
    "nonsense!": None,
}
# The good one more often.
ORDER = [*TEMPLATES, *[list(TEMPLATES)[1]] * 4]
LONG_EPOCHS = 1_000_000
WAIT_S = 60.0
POLL_S = 0.005


class ClusterRules(DatasetRules):
    """Several clusters, each with a queue of short and endless tasks."""

    def cluster(self, index: int) -> Cluster:
        clusters = list(self.model.clusters.values())
        return clusters[index % len(clusters)]

    def has_clusters(self) -> bool:
        return bool(self.model.clusters)

    def filled_mostly(self, index: int) -> Dataset:
        filled = [each for each in self.model.datasets.values() if each.state == "filled"]
        dataset = filled[index % len(filled)] if filled and index < 80 else self.dataset(index)
        if dataset.kind == "result":
            self.settle_all()
        return dataset

    @rule(who=WHO, name=st.sampled_from(["net a", "net b"]), template=st.sampled_from(ORDER))
    def create_a_cluster(self, who: int, name: str, template: str | None) -> None:
        token, name = self.who(who), f"{self.prefix} {name}"
        taken = any(
            cluster.name == name and self.sees(token, cluster)
            for cluster in self.model.clusters.values()
        )
        body = {"name": name} | ({} if template is None else {"template": template})
        ports = TEMPLATES[template]
        expected = 409 if taken else 200 if ports is not None else 400
        answer = self.world.call_as(token, "POST", "cluster", expected, json=body)
        if answer.status_code != 200:
            return
        assert ports is not None
        cluster = Cluster(
            uuid=answer.json()["uuid"],
            name=name,
            owner_id=token.person.id,
            project_id=token.project_id,
            created_at=answer.json()["created_at"],
            inputs=tuple(filter(None, ports[:1])),
            outputs=tuple(filter(None, ports[1:])),
            host=self.world.hosts[0],
        )
        assert answer.json() == cluster.shown()
        self.model.clusters[cluster.uuid] = cluster

    @precondition(has_clusters)
    @rule(who=WHO, index=INDEX)
    def look_at_a_cluster(self, who: int, index: int) -> None:
        cluster = self.cluster(index)
        token = self.who_for(who, cluster)
        query = {"uuid": cluster.uuid}
        expected = 200 if self.sees(token, cluster) else 404
        answer = self.world.call_as(token, "GET", "cluster", expected, params=query)
        if answer.status_code == 200:
            shown = answer.json()
            assert cluster.shown().items() <= shown.items()

    @SOMETIMES
    @precondition(has_clusters)
    @rule(who=WHO, index=INDEX)
    def delete_a_cluster(self, who: int, index: int) -> None:
        cluster = self.cluster(index)
        token = self.who_for(who, cluster)
        query = {"uuid": cluster.uuid}
        expected = 200 if self.sees(token, cluster) else 404
        if expected == 200:
            self.settle(cluster)
        answer = self.world.call_as(token, "DELETE", "cluster", expected, params=query)
        if answer.status_code == 200:
            self.forget_cluster(cluster.uuid)

    def forget_cluster(self, uuid: str) -> None:
        cluster = self.model.clusters.pop(uuid)
        for task in cluster.open_tasks():
            self.end_result(task, "lost")

    # Tasks.

    @precondition(lambda self: self.has_clusters() and self.has_datasets())
    @rule(
        who=WHO,
        index=INDEX,
        data=INDEX,
        long=st.sampled_from([False, False, True]),
        port=st.sampled_from([True, True, True, True, False]),
    )
    def train(self, who: int, index: int, data: int, long: bool, port: bool) -> None:
        cluster, dataset = self.cluster(index), self.filled_mostly(data)
        token = self.who_for(who, cluster)
        outputs = [self.binding(dataset, "outputs", cluster, port)]
        body = self.task_body(cluster, dataset) | {
            "outputs": outputs,
            "number_of_epochs": LONG_EPOCHS if long else 2,
        }
        expected = self.refusal(token, cluster, dataset, port) or 200
        answer = self.world.call_as(token, "POST", "task/train", expected, json=body)
        if answer.status_code == 200:
            cycles = dataset.row_count * (LONG_EPOCHS if long else 2)
            task = self.queue(cluster, answer.json(), "train", cycles, is_long=long)
            task.width = self.width(dataset)

    @precondition(lambda self: self.has_clusters() and self.has_datasets())
    @rule(who=WHO, index=INDEX, data=INDEX, port=st.sampled_from([True, True, True, False]))
    def request(self, who: int, index: int, data: int, port: bool) -> None:
        cluster, dataset = self.cluster(index), self.filled_mostly(data)
        token = self.who_for(who, cluster)
        output = cluster.outputs[0] if cluster.outputs and port else "nowhere"
        results = [{"dataset_column": "answer", "hexagon_name": output}]
        body = self.task_body(cluster, dataset) | {"results": results}
        expected = self.refusal(token, cluster, dataset, port)
        untrained = output not in cluster.trained and not any(
            task.kind == "train" for task in cluster.open_tasks()
        )
        if untrained and self.sees(token, cluster) and cluster.inputs and port:
            # Before the dataset is looked at.
            expected = 409
        width = self.width(dataset)
        if width > cluster.width_to_come():
            expected = expected or 409
        answer = self.world.call_as(token, "POST", "task/request", expected or 200, json=body)
        if answer.status_code != 200:
            return
        task = self.queue(cluster, answer.json(), "request", dataset.row_count, is_long=False)
        task.width = width
        self.model.datasets[task.uuid] = Dataset(
            uuid=task.uuid,
            name=task.name,
            owner_id=token.person.id,
            project_id=token.project_id,
            created_at=answer.json()["queue_timestamp"],
            kind="result",
        )

    @precondition(lambda self: self.has_clusters() and self.has_datasets())
    @rule(who=WHO, index=INDEX, data=INDEX, count=st.integers(1, 3))
    def train_and_request(self, who: int, index: int, data: int, count: int) -> None:
        for _ in range(count):
            self.train(who, index, data, long=False, port=True)
            self.request(who, index, data, port=True)
        self.settle(self.cluster(index))

    def task_body(self, cluster: Cluster, dataset: Dataset) -> dict[str, Any]:
        inputs = [self.binding(dataset, "inputs", cluster, True)]
        return {"name": "some task", "cluster_uuid": cluster.uuid, "inputs": inputs}

    def width(self, dataset: Dataset) -> int:
        """Return the number of values that `binding` gives to an input."""
        return len(next(iter(dataset.columns.values()))[0]) if dataset.columns else 0

    def binding(self, dataset: Dataset, what: str, cluster: Cluster, right: bool) -> dict[str, str]:
        columns = [*dataset.columns, *dataset.made, "column 0"]
        # Of a CSV file the first column is taken for both.
        column = "label" if what == "outputs" and "label" in columns else columns[0]
        ports: tuple[str, ...] = getattr(cluster, what)
        name = ports[0] if ports and right else "nowhere"
        return {"dataset_uuid": dataset.uuid, "dataset_column": column, "hexagon_name": name}

    def refusal(self, token: Token, cluster: Cluster, dataset: Dataset, port: bool) -> int:
        """Return the status of the first reason to refuse a task, or 0."""
        if not self.sees(token, cluster):
            return 404
        if not cluster.inputs:
            return 409
        if not port or not self.sees(token, dataset):
            return 404
        return 0 if dataset.state == "filled" else 409

    def queue(
        self, cluster: Cluster, shown: dict[str, Any], kind: str, cycles: int, *, is_long: bool
    ) -> Task:
        assert (shown["state"], shown["current_cycle"]) == ("queued", 0)
        assert (shown["start_timestamp"], shown["end_timestamp"]) == ("-", "-")
        assert shown["total_number_of_cycles"] == cycles
        task = Task(
            uuid=shown["uuid"],
            name="some task",
            kind=kind,
            cycle_count=cycles,
            is_long=is_long,
            outputs=cluster.outputs,
        )
        cluster.tasks.append(task)
        return task

    @precondition(has_clusters)
    @rule(who=WHO, index=INDEX)
    def list_tasks(self, who: int, index: int) -> None:
        cluster = self.cluster(index)
        token = self.who_for(who, cluster)
        expected = 200 if self.sees(token, cluster) else 404
        query = {"cluster_uuid": cluster.uuid}
        answer = self.world.call_as(token, "GET", "task/all", expected, params=query)
        if answer.status_code == 200:
            rows = answer.json()["body"]
            assert [row[0] for row in rows] == sorted(task.uuid for task in cluster.tasks)
            states = {row[0]: row[1] for row in rows}
            for task in cluster.tasks:
                assert states[task.uuid] in cluster.states_of(task), (task, states)

    @precondition(has_clusters)
    @rule(who=WHO, index=INDEX, task=INDEX, settled=st.booleans())
    def look_at_a_task(self, who: int, index: int, task: int, settled: bool) -> None:
        cluster = self.cluster(index)
        token = self.who_for(who, cluster)
        if not cluster.tasks:
            return
        if settled:
            self.settle(cluster)
        known = cluster.tasks[task % len(cluster.tasks)]
        query = {"uuid": known.uuid, "cluster_uuid": cluster.uuid}
        expected = 200 if self.sees(token, cluster) else 404
        answer = self.world.call_as(token, "GET", "task", expected, params=query)
        if answer.status_code == 200:
            shown = answer.json()
            assert shown["state"] in cluster.states_of(known), shown
            assert shown["total_number_of_cycles"] == known.cycle_count
            if shown["state"] == "finished":
                assert shown["current_cycle"] == known.last_cycle

    @precondition(has_clusters)
    @rule(who=WHO, index=INDEX, task=INDEX)
    def delete_a_task(self, who: int, index: int, task: int) -> None:
        cluster = self.cluster(index)
        token = self.who_for(who, cluster)
        self.settle(cluster)
        if not cluster.tasks:
            return
        known = cluster.tasks[task % len(cluster.tasks)]
        (state,) = {"active"} if self.is_active(cluster, known) else cluster.states_of(known)
        query = {"uuid": known.uuid, "cluster_uuid": cluster.uuid}
        expected = 200 if self.sees(token, cluster) else 404
        answer = self.world.call_as(token, "DELETE", "task", expected, params=query)
        if answer.status_code != 200:
            return
        if state in {"active", "paused"}:
            self.end_early(cluster, known)
        else:
            cluster.tasks.remove(known)
            if state == "queued":
                self.end_result(known, "failed")
        self.settle(cluster)

    @SOMETIMES
    @precondition(has_clusters)
    @rule(who=WHO, index=INDEX)
    def ask_for_no_task(self, who: int, index: int) -> None:
        cluster = self.cluster(index)
        token = self.who_for(who, cluster)
        query = {"uuid": cluster.uuid, "cluster_uuid": cluster.uuid}
        for method in ("GET", "DELETE"):
            self.world.call_as(token, method, "task", 404, params=query)

    # Time.

    def is_active(self, cluster: Cluster, task: Task) -> bool:
        return task in cluster.open_tasks()[:1] and not task.is_paused

    def end_early(self, cluster: Cluster, task: Task) -> None:
        task.state, task.is_paused = "aborted", False
        cluster.learn(task)

    def settle_all(self) -> None:
        for cluster in self.model.clusters.values():
            self.settle(cluster)

    def settle(self, cluster: Cluster) -> None:
        """Wait until every short task before the first endless one is over, and that one runs."""
        for task in list(cluster.ready()):
            if task.is_paused:
                return
            shown = self.wait_for(cluster, task)
            if task.is_long:
                assert shown["state"] == "active", shown
                return
            fits = task.kind != "request" or task.width <= cluster.width
            task.state = "finished" if fits else "failed"
            assert shown["state"] == task.state, shown
            if task.kind == "train":
                cluster.learn(task)
            elif task.kind == "save":
                self.keep(cluster, task)
            self.end_result(task, "filled" if fits else "failed")

    def keep(self, cluster: Cluster, task: Task) -> None:
        """Take note of the checkpoint that a task has made."""
        query = {"uuid": task.uuid}
        shown = self.world.call_as(self.admin, "GET", "checkpoint", 200, params=query).json()
        owner_id, project_id = task.saver
        during = cluster.paused()
        checkpoint = Checkpoint(
            uuid=task.uuid,
            name=task.name,
            owner_id=owner_id,
            project_id=project_id,
            created_at=shown["created_at"],
            inputs=cluster.inputs,
            outputs=cluster.outputs,
            trained=frozenset(cluster.trained).union(during.outputs if during else ()),
            width=max(cluster.width, during.width if during else 0),
        )
        assert checkpoint.shown().items() <= shown.items()
        assert (shown["cluster_uuid"], shown["cluster_name"]) == (cluster.uuid, cluster.name)
        self.model.checkpoints[task.uuid] = checkpoint

    def wait_for(self, cluster: Cluster, task: Task) -> dict[str, Any]:
        query = {"uuid": task.uuid, "cluster_uuid": cluster.uuid}
        end_s = time.monotonic() + WAIT_S
        while True:
            answer = self.world.call_as(self.admin, "GET", "task", 200, params=query)
            shown: dict[str, Any] = answer.json()
            runs = shown["state"] == "active" and shown["current_cycle"] > 0 and task.is_long
            if runs or shown["state"] not in {"queued", "active"}:
                return shown
            assert time.monotonic() < end_s, shown
            threading.Event().wait(POLL_S)

    def end_result(self, task: Task, state: str) -> None:
        dataset = self.model.datasets.get(task.uuid)
        if dataset is None:
            return
        dataset.state = state
        if state == "filled":
            shown = self.world.call_as(
                self.admin, "GET", "dataset", 200, params={"uuid": task.uuid}
            ).json()
            assert shown["number_of_rows"] == task.cycle_count
            dataset.columns = {"answer": [[0.0] * shown["number_of_columns"]] * task.cycle_count}
