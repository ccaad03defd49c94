"""Users, projects, hosts and datasets."""

import pytest
from msgspec.structs import replace

from hanami_actors.domain.dataset import aggregate as dataset
from hanami_actors.domain.dataset.messages import (
    CreateResultDataset,
    CreateUploadedDataset,
    DeleteDataset,
    FailDataset,
    FillDataset,
)
from hanami_actors.domain.host import aggregate as host
from hanami_actors.domain.host.messages import RegisterHost
from hanami_actors.domain.project import aggregate as project
from hanami_actors.domain.project.messages import CreateProject, DeleteProject
from hanami_actors.domain.user import aggregate as user
from hanami_actors.domain.user.events import UserCreated, UserDeleted
from hanami_actors.domain.user.messages import CreateUser, DeleteUser
from hanami_actors.errors import (
    BadRequestError,
    ConflictError,
    ImpossibleEventError,
    NotFoundError,
)
from tests.unit.domain.builders import NOW_US, content, stamp, uuid

BOB = CreateUser(id="bob", name="Bob B", passphrase_hash="$argon2id$x")
MNIST = CreateUploadedDataset(name="digits", kind="mnist", input_size_bytes=10, label_size_bytes=2)


def run(aggregate, *messages, by=None):
    state = aggregate.initial()
    for message in messages:
        for event in aggregate.decide(state, message, by or stamp()):
            state = aggregate.apply(state, event, NOW_US)
        aggregate.invariants(state)
    return state


def test_a_created_user_knows_who_created_him_and_when():
    state = run(user, BOB)
    assert state.alive
    assert (state.id, state.creator_id, state.created_us) == ("bob", "alice", NOW_US)


def test_a_second_user_with_the_same_id_is_a_conflict_that_names_the_id():
    with pytest.raises(ConflictError, match="'bob' already exists"):
        run(user, BOB, BOB)


def test_a_deleted_user_loses_his_hash_and_frees_his_id():
    state = run(user, BOB, DeleteUser(id="bob"))
    assert state.passphrase_hash == ""
    assert run(user, BOB, DeleteUser(id="bob"), BOB).alive


def test_nobody_deletes_himself_and_that_is_checked_before_existence():
    with pytest.raises(ConflictError, match="himself"):
        user.decide(user.initial(), DeleteUser(id="alice"), stamp())
    with pytest.raises(NotFoundError):
        user.decide(user.initial(), DeleteUser(id="bob"), stamp())


def test_an_event_that_the_table_forbids_is_refused_by_apply():
    with pytest.raises(ImpossibleEventError, match=r"user\.deleted"):
        user.apply(user.initial(), UserDeleted(), NOW_US)
    created = UserCreated(id="b", name="b", passphrase_hash="h", is_admin=False, creator_id="a")
    alive = user.apply(user.initial(), created, NOW_US)
    with pytest.raises(ImpossibleEventError):
        user.apply(alive, created, NOW_US)


def test_a_project_can_be_created_again_after_its_deletion():
    create = CreateProject(id="lab", name="The lab")
    state = run(project, create, DeleteProject(id="lab"), create)
    assert state.alive
    with pytest.raises(ConflictError):
        run(project, create, create)
    with pytest.raises(NotFoundError):
        run(project, DeleteProject(id="lab"))


def test_a_host_gets_its_uuid_once():
    message = RegisterHost(name="cpu-0", kind="cpu")
    state = run(host, message)
    assert state.uuid == uuid(1)
    assert host.decide(state, message, stamp(ids=(uuid(77),))) == ()
    with pytest.raises(BadRequestError, match="'quantum'"):
        run(host, RegisterHost(name="x", kind="quantum"))


def test_an_mnist_dataset_waits_for_two_files_and_a_csv_dataset_for_one():
    state = run(dataset, MNIST)
    assert state.uuid == uuid(1)
    assert state.upload_uuids == (uuid(2), uuid(3))
    csv = run(dataset, CreateUploadedDataset(name="t", kind="csv", input_size_bytes=10))
    assert csv.upload_uuids == (uuid(2),)
    assert (csv.owner_id, csv.project_id, csv.phase) == ("alice", "lab", "waiting")


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"kind": "parquet"}, "'parquet'"),
        ({"input_size_bytes": 0}, "input_data_size"),
        ({"label_size_bytes": 0}, "label_data_size"),
        ({"kind": "csv"}, "label_data_size"),
    ],
)
def test_wrong_kinds_and_sizes_are_refused_by_name(changes, named):
    with pytest.raises(BadRequestError, match=named):
        run(dataset, replace(MNIST, **changes))


def test_content_comes_once_and_never_changes():
    fill = FillDataset(content=content())
    state = run(dataset, MNIST, fill)
    assert state.content == content()
    with pytest.raises(ConflictError, match="filled"):
        run(dataset, MNIST, fill, fill)
    with pytest.raises(ConflictError):
        run(dataset, MNIST, fill, FailDataset(reason="late"))


def test_a_failed_import_keeps_its_reason_and_can_be_deleted():
    state = run(dataset, MNIST, FailDataset(reason="label 12 in row 3"))
    assert state.failure == "label 12 in row 3"
    assert not run(dataset, MNIST, FailDataset(reason=""), DeleteDataset(uuid=uuid(1))).alive


def test_a_dataset_that_is_not_there_cannot_be_deleted_or_filled():
    with pytest.raises(NotFoundError):
        run(dataset, DeleteDataset(uuid=uuid(1)))
    with pytest.raises(NotFoundError):
        run(dataset, MNIST, DeleteDataset(uuid=uuid(1)), DeleteDataset(uuid=uuid(1)))
    with pytest.raises(NotFoundError):
        run(dataset, FillDataset(content=content()))


def test_a_result_dataset_has_the_uuid_it_is_told():
    state = run(dataset, CreateResultDataset(uuid=uuid(40), name="answers"))
    assert (state.uuid, state.kind, state.upload_uuids) == (uuid(40), "result", ())
    with pytest.raises(ConflictError):
        run(dataset, MNIST, CreateResultDataset(uuid=uuid(40), name="answers"))


def _broken_contents():
    good = content()
    file, column = good.files[0], good.columns[0]
    yield replace(good, row_count=-1)
    yield replace(good, row_count=9)
    yield replace(good, columns=(replace(column, end=99),))
    yield replace(good, columns=(replace(column, end=0),))
    yield replace(good, columns=(replace(column, file_index=2),))
    yield replace(good, columns=(replace(column, file_start=1),))
    yield replace(good, files=(replace(file, width=3), good.files[1]))


@pytest.mark.parametrize("broken", list(_broken_contents()))
def test_content_that_does_not_fit_together_is_refused(broken):
    with pytest.raises(BadRequestError):
        run(dataset, MNIST, FillDataset(content=broken))
