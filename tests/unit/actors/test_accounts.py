"""Users and projects behind the directory."""

import pytest

from hanami_actors.actors.gateway import ListTasks
from hanami_actors.domain.base import Who
from hanami_actors.domain.project.messages import CreateProject, DeleteProject
from hanami_actors.domain.user.messages import (
    AssignProject,
    ChangePassphrase,
    CreateUser,
    DeleteUser,
    RemoveProject,
)
from hanami_actors.errors import ConflictError, FaultError, NotFoundError
from tests.unit.actors.harness import DIRECTORY

HASH = "$argon2id$x"


def create_user(backend, user_id, **more):
    message = CreateUser(id=user_id, name=user_id, passphrase_hash=HASH, **more)
    return backend.ask_directory(message)


def test_what_happens_to_a_user_is_there_before_the_answer_and_after_a_restart(backend):
    create_user(backend, "bob")
    assign = AssignProject(id="bob", project_id="lab", role="member")
    state = backend.ask_directory(assign)
    assert state is backend.gateway.tables.users["bob"].state
    backend.ask_directory(ChangePassphrase(id="bob", passphrase_hash="$argon2id$y"))
    before = backend.gateway.tables.users["bob"].state
    backend.again()
    assert backend.gateway.tables.users["bob"].state == before
    assert before.assignment("lab") is not None
    backend.ask_directory(RemoveProject(id="bob", project_id="lab"))
    backend.ask_directory(DeleteUser(id="bob"))
    with pytest.raises(NotFoundError):
        backend.ask_directory(assign)


def test_two_admins_who_delete_each_other_leave_one(backend):
    root, boss = (Who(user_id=name, project_id="admin", is_admin=True) for name in ("root", "boss"))
    for who in (root, boss):
        create_user(backend, who.user_id, is_admin=True)
    create_user(backend, "anna")
    backend.ask(DIRECTORY, DeleteUser(id="boss"), root)
    with pytest.raises(ConflictError, match="'root' is the only admin"):
        backend.ask(DIRECTORY, DeleteUser(id="root"), boss)
    backend.ask(DIRECTORY, DeleteUser(id="anna"), boss)


def test_a_project_with_something_in_it_is_not_deleted_and_the_answer_lists_it(backend):
    backend.ask_directory(CreateProject(id="lab", name="The lab"))
    cluster = backend.cluster()
    dataset = backend.announce(10)
    create_user(backend, "bob")
    backend.ask_directory(AssignProject(id="bob", project_id="lab", role="member"))
    head = backend.log.head()
    with pytest.raises(ConflictError) as caught:
        backend.ask_directory(DeleteProject(id="lab"))
    for shown in (cluster, dataset.uuid, "users: bob", "force=true"):
        assert shown in caught.value.message
    assert backend.log.head() == head


def test_an_empty_project_is_deleted_and_can_be_created_again(backend):
    for _ in range(2):
        backend.ask_directory(CreateProject(id="shop", name="The shop"))
        backend.ask_directory(DeleteProject(id="shop"))
    assert not backend.gateway.tables.projects["shop"].state.alive


def test_a_message_that_is_for_others_is_a_fault(backend):
    with pytest.raises(FaultError, match="ListTasks"):
        backend.ask_directory(ListTasks())
