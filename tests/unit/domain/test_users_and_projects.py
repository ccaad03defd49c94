"""Projects of users, passphrases, and what a project holds."""

import pytest

from hanami_actors.domain.base import Who
from hanami_actors.domain.project import aggregate as project
from hanami_actors.domain.project.messages import CreateProject
from hanami_actors.domain.project_resources import resources_of
from hanami_actors.domain.user import aggregate as user
from hanami_actors.domain.user.aggregate import Assignment
from hanami_actors.domain.user.messages import (
    AssignProject,
    ChangePassphrase,
    CreateUser,
    DeleteUser,
    RemoveProject,
)
from hanami_actors.errors import ConflictError, NotFoundError
from tests.fakes import FakeGateway
from tests.unit.domain.builders import NOW_US, stamp

BOB = CreateUser(id="bob", name="Bob B", passphrase_hash="$argon2id$x")
LAB = AssignProject(id="bob", project_id="lab", role="member")
SHOP = AssignProject(id="bob", project_id="shop", role="tester", is_project_admin=True)


def run(*messages):
    state = user.initial()
    for count, message in enumerate(messages):
        mark = stamp(now_us=NOW_US + count)
        for event in user.decide(state, message, mark):
            state = user.apply(state, event, mark.now_us)
        user.invariants(state)
    return state


def test_projects_stand_in_the_order_of_their_assignment():
    state = run(BOB, LAB, SHOP)
    assert state.projects == (
        Assignment(project_id="lab", role="member", is_project_admin=False),
        Assignment(project_id="shop", role="tester", is_project_admin=True),
    )
    assert state.assignment("shop") == state.projects[1]
    assert state.assignment("other") is None


def test_a_project_is_assigned_once_and_can_be_assigned_again_after_it_was_taken():
    with pytest.raises(ConflictError, match="'lab' is already assigned to user with id 'bob'"):
        run(BOB, LAB, LAB)
    state = run(BOB, LAB, SHOP, RemoveProject(id="bob", project_id="lab"), LAB)
    assert [one.project_id for one in state.projects] == ["shop", "lab"]


def test_a_project_that_is_not_assigned_can_not_be_taken():
    with pytest.raises(NotFoundError, match="'lab' is not assigned to user with id 'bob'"):
        run(BOB, RemoveProject(id="bob", project_id="lab"))


def test_the_project_of_the_admins_is_never_assigned():
    with pytest.raises(ConflictError, match="'admin' belongs to all admins"):
        run(BOB, AssignProject(id="bob", project_id="admin", role="member"))


@pytest.mark.parametrize(
    "message",
    [
        LAB,
        RemoveProject(id="bob", project_id="lab"),
        ChangePassphrase(id="bob", passphrase_hash="x"),
        DeleteUser(id="bob"),
    ],
)
def test_nothing_but_creation_happens_to_a_user_that_is_not_there(message):
    for before in ((), (BOB, DeleteUser(id="bob"))):
        with pytest.raises(NotFoundError, match="'bob' not found"):
            run(*before, message)


def test_a_user_who_is_created_again_starts_without_projects():
    state = run(BOB, LAB, DeleteUser(id="bob"), BOB)
    assert state.projects == ()


def test_a_changed_passphrase_has_a_time():
    assert run(BOB).passphrase_changed_us == 0
    state = run(BOB, ChangePassphrase(id="bob", passphrase_hash="$argon2id$y"))
    assert (state.passphrase_hash, state.passphrase_changed_us) == ("$argon2id$y", NOW_US + 1)


def test_a_project_called_admin_exists_already():
    with pytest.raises(ConflictError, match="'admin' already exists"):
        project.decide(project.initial(), CreateProject(id="admin", name="Mine"), stamp())


def test_resources_of_a_project_are_what_lies_in_it_and_who_works_in_it():
    gateway = FakeGateway()
    here, there = (Who(user_id="bob", project_id=name) for name in ("lab", "shop"))
    gateway.add_user("bob", is_admin=False)
    assert resources_of(gateway.tables, "lab").is_empty
    gateway.assign(here)
    clusters = tuple(gateway.add_cluster(here, f"cluster {number}") for number in range(25))
    gateway.add_cluster(there)
    dataset = gateway.add_dataset(here)
    found = resources_of(gateway.tables, "lab")
    assert (found.clusters, found.datasets, found.users) == (clusters, (dataset.uuid,), ("bob",))
    assert not found.is_empty
    assert found.text == (
        f"clusters: {', '.join(clusters[:20])} and 5 more; datasets: {dataset.uuid}; users: bob"
    )
