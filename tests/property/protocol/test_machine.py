"""Goal: whatever several users do over real sockets, the server answers what a model says.

After each step the lists of somebody and the replayed log equal the model; in the end
``hanami-log verify`` finds nothing.
"""

import sys
import traceback
from collections.abc import Iterator, Mapping
from functools import partial
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import invariant, precondition, rule, run_state_machine_as_test

from tests.property.protocol.account_rules import PROJECT, SOMETIMES, WHO
from tests.property.protocol.cluster_rules import ORDER
from tests.property.protocol.direct_rules import DirectRules
from tests.property.protocol.model import Owned, Token, Upload
from tests.property.protocol.world import World

# Few in a usual run, many in the night; an example is a hundred requests over sockets.
EXAMPLES = max(6, settings().max_examples // 10)
# To make a failing example smaller takes minutes with a real server, so only the night does it.
PHASES = [Phase.generate, Phase.shrink] if settings().max_examples > 1000 else [Phase.generate]
HEADER = ["created_at", "uuid", "project_id", "owner_id", "visibility", "name"]


class ServerMachine(DirectRules):
    """All rules, and what holds after each of them."""

    def __init__(self, world: World) -> None:
        super().__init__(world)
        # Something to work with from the first step on.
        for number, person in enumerate(self.model.valid_tokens()[1:]):
            self.announce_digits(person, side=2, rows=[3, number, 7])
            self.send_what_is_missing(number, backwards=False, size=50)
            self.finalize(number, number)
            self.create_a_cluster(number + 1, "net a", ORDER[-1])

    @SOMETIMES
    @rule(who=WHO, project=PROJECT, force=st.booleans())
    def delete_a_project(self, who: int, project: int, force: bool) -> None:
        token, project_id = self.who(who), self.project(project)
        self.settle_all()
        people = self.model.people.values()
        is_empty = all(each.project_id != project_id for each in self.owned()) and all(
            project_id not in person.assignments for person in people
        )
        expected = 200 if force or is_empty else 409
        if project_id not in self.model.projects:
            expected = 404
        expected = self.as_admin(token, expected)
        query = {"id": project_id, "force": str(force).lower()}
        answer = self.world.call_as(token, "DELETE", "project", expected, params=query)
        if answer.status_code == 200:
            self.forget_project(project_id)

    def forget_project(self, project_id: str) -> None:
        del self.model.projects[project_id]
        for person in self.model.people.values():
            person.assignments.pop(project_id, None)
        for cluster in [*self.model.clusters.values()]:
            if cluster.project_id == project_id:
                self.forget_cluster(cluster.uuid)
        for dataset in [*self.model.datasets.values()]:
            if dataset.project_id == project_id:
                self.forget_dataset(dataset.uuid)
        for checkpoint in [*self.model.checkpoints.values()]:
            if checkpoint.project_id == project_id:
                del self.model.checkpoints[checkpoint.uuid]

    def owned(self) -> list[Owned]:
        return [
            *self.model.datasets.values(),
            *self.model.clusters.values(),
            *self.model.checkpoints.values(),
        ]

    @invariant()
    def somebody_sees_exactly_what_is_his(self) -> None:
        self.step_count += 1
        valid = self.model.valid_tokens()
        self.check_lists(valid[self.step_count % len(valid)])

    def check_lists(self, token: Token) -> None:
        tables: dict[str, Mapping[str, Owned]] = {
            "dataset": self.model.datasets,
            "cluster": self.model.clusters,
            "checkpoint": self.model.checkpoints,
        }
        mine = {each.uuid for each in self.owned()}
        for path, table in tables.items():
            answer = self.world.call_as(token, "GET", f"{path}/all", 200)
            if answer.status_code != 200:
                continue
            assert answer.json()["header"] == HEADER
            rows = answer.json()["body"]
            if token.person.is_admin:
                rows = [row for row in rows if row[1] in mine or row[2].startswith(self.prefix)]
            assert rows == [each.row() for each in table.values() if self.sees(token, each)]

    @invariant()
    def the_replayed_log_is_the_model(self) -> None:
        self.world.log.advance()
        tables = self.world.log.tables
        known_tables: dict[str, Mapping[str, Owned]] = {
            "datasets": self.model.datasets,
            "clusters": self.model.clusters,
            "checkpoints": self.model.checkpoints,
        }
        for path, table in known_tables.items():
            rows = {
                uuid: row.state
                for uuid, row in getattr(tables, path).items()
                if row.state.project_id.startswith(self.prefix) or uuid in table
            }
            assert rows.keys() == table.keys()
            for uuid, known in table.items():
                state = rows[uuid]
                assert (state.name, state.owner_id, state.project_id) == (
                    known.name,
                    known.owner_id,
                    known.project_id,
                )
        for person in self.model.people.values():
            row = tables.users.get(person.id)
            assert (row is not None and row.state.alive) == person.is_alive
            if row is not None and row.state.alive:
                assert [
                    (one.project_id, (one.role, one.is_project_admin)) for one in row.state.projects
                ] == list(person.assignments.items())

    def teardown(self) -> None:
        for line in self.lines:
            line.socket.__exit__()
        if sys.exc_info()[1] is not None:
            # What has failed is to be seen, not what follows from it, nor that a second run differs.
            traceback.print_exc()
            return
        self.settle_all()
        for token in self.model.valid_tokens():
            self.check_lists(token)
        # What is left in projects without a row goes with their users' things.
        for cluster in [*self.model.clusters.values()]:
            self.world.call_as(self.admin, "DELETE", "cluster", 200, params={"uuid": cluster.uuid})
            self.forget_cluster(cluster.uuid)
        for uuid in self.model.checkpoints:
            self.world.call_as(self.admin, "DELETE", "checkpoint", 200, params={"uuid": uuid})
        for project_id in [*self.model.projects]:
            query = {"id": project_id, "force": "true"}
            self.world.call_as(self.admin, "DELETE", "project", 200, params=query)
            self.forget_project(project_id)
        for dataset in [*self.model.datasets.values()]:
            self.world.call_as(self.admin, "DELETE", "dataset", 200, params={"uuid": dataset.uuid})


class KilledServerMachine(ServerMachine):
    """The same with SIGKILL in between; starting again takes a second, so there are fewer."""

    kills_left = 2

    @precondition(lambda self: self.kills_left > 0)
    @rule()
    def kill_the_server(self) -> None:
        self.kills_left -= 1
        for line in self.lines:
            line.socket.__exit__()
        self.lines = []
        self.world.kill()
        for dataset in self.model.datasets.values():
            for upload in dataset.uploads:
                if not upload.is_closed:
                    self.look_what_is_left(upload)

    def look_what_is_left(self, upload: Upload) -> None:
        """At most a second of acknowledged chunks may be gone, and never of a complete file."""
        state = self.world.log.tables.uploads[upload.uuid].state
        left = {at for start, end in state.ranges for at in range(start, end)}
        assert left <= upload.has
        assert not upload.is_complete or left == upload.has
        upload.has = left


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    world = World(tmp_path_factory.mktemp("machine") / "data", "--cpu-hosts", "2")
    yield world
    world.verify()
    world.close()


def run(machine: Any, world: World, examples: int) -> None:
    # Typed as a class, but any function that makes a machine will do.
    make: Any = partial(machine, world)
    run_state_machine_as_test(
        make,
        settings=settings(
            max_examples=examples,
            stateful_step_count=40,
            phases=PHASES,
            suppress_health_check=[HealthCheck.too_slow],
        ),
    )


def test_users_of_a_server_that_lives_get_what_the_model_says(world):
    before = world.example_count
    run(ServerMachine, world, EXAMPLES)
    assert world.example_count > before


def test_users_of_a_server_that_is_killed_get_what_the_model_says(world):
    before = world.example_count
    run(KilledServerMachine, world, max(3, EXAMPLES // 4))
    assert world.example_count > before
