"""Published tables and who sees what of them."""

import pytest

from hanami_actors.domain.access import visible
from hanami_actors.domain.base import Who
from hanami_actors.domain.catalogue import CATALOGUE
from hanami_actors.domain.cluster.events import ClusterCreated, ClusterDeleted, TaskQueued
from hanami_actors.domain.cluster.template import Template
from hanami_actors.domain.dataset.events import DatasetCreated, DatasetDeleted, DatasetFilled
from hanami_actors.domain.host.events import HostRegistered
from hanami_actors.domain.project.events import ProjectCreated, ProjectDeleted
from hanami_actors.domain.tables import (
    EMPTY,
    FOLDED,
    cluster_name_taken,
    find_visible,
    fold,
    key_of,
    listing,
    visible_listing,
)
from hanami_actors.domain.upload.events import UploadClosed, UploadOpened, UploadRangeStored
from hanami_actors.domain.user.events import UserCreated, UserDeleted
from hanami_actors.errors import ImpossibleEventError
from tests.unit.domain.builders import NOW_US, content, stamp, train_task

ALICE = stamp().who
ADMIN = stamp("root", "admin", admin=True).who


def tables_after(*records, tables=EMPTY):
    """Fold (stream, event) pairs with counted versions and positions."""
    versions: dict[str, int] = {}
    for position, (stream, event) in enumerate(records, start=tables.position + 1):
        versions[stream] = versions.get(stream, 0) + 1
        tables = fold(tables, stream, versions[stream], position, NOW_US + position, event)
    return tables


def user_created(name):
    return (
        f"user/{name}",
        UserCreated(id=name, name=name, passphrase_hash="h", is_admin=False, creator_id="root"),
    )


def dataset_created(uuid, owner="alice", project="lab"):
    event = DatasetCreated(uuid=uuid, name="d", kind="csv", owner_id=owner, project_id=project)
    return f"dataset/{uuid}", event


def cluster_created(uuid, name, owner="alice", project="lab"):
    return (
        f"cluster/{uuid}",
        ClusterCreated(
            uuid=uuid,
            name=name,
            owner_id=owner,
            project_id=project,
            template_text="",
            template=Template(hexagons=()),
            seed=1,
            host_uuid="host",
        ),
    )


@pytest.mark.parametrize(
    ("who", "owner", "project", "expected"),
    [
        (Who(user_id="a", project_id="p", is_admin=True), "b", "q", True),
        (Who(user_id="a", project_id="p", is_project_admin=True), "b", "p", True),
        (Who(user_id="a", project_id="p", is_project_admin=True), "a", "q", False),
        (Who(user_id="a", project_id="p"), "a", "p", True),
        (Who(user_id="a", project_id="p"), "b", "p", False),
        (Who(user_id="a", project_id="p"), "a", "q", False),
    ],
)
def test_scope_is_everything_the_project_or_the_own_things_in_the_project(
    who, owner, project, expected
):
    assert visible(who, owner, project) is expected


def test_folding_keeps_state_version_position_and_time():
    tables = tables_after(user_created("a"), ("user/a", UserDeleted()), user_created("b"))
    row = tables.users["a"]
    assert (row.version, row.position, row.state.alive) == (2, 1, False)
    assert tables.users["b"].state.created_us == NOW_US + 3
    assert tables.position == 3


def test_deleted_users_and_projects_keep_their_row_but_are_not_listed():
    project = ProjectCreated(id="p", name="P", creator_id="root")
    tables = tables_after(
        user_created("a"),
        user_created("b"),
        ("user/a", UserDeleted()),
        ("project/p", project),
        ("project/p", ProjectDeleted()),
    )
    assert [user.id for user in listing(tables.users)] == ["b"]
    assert listing(tables.projects) == []
    assert tables.projects["p"].version == 2


def test_lists_are_in_the_order_of_creation_also_when_an_id_is_used_again():
    names = [f"u{index}" for index in range(40)]
    tables = tables_after(
        *(user_created(name) for name in names), ("user/u0", UserDeleted()), user_created("u0")
    )
    assert [user.id for user in listing(tables.users)] == [*names[1:], "u0"]


def test_deleted_datasets_and_clusters_and_closed_uploads_are_dropped():
    opened = UploadOpened(
        uuid="u", dataset_uuid="d", role="input", size_bytes=9, owner_id="alice", project_id="lab"
    )
    tables = tables_after(
        dataset_created("d"),
        ("dataset/d", DatasetFilled(content=content())),
        ("upload/u", opened),
        ("upload/u", UploadRangeStored(ranges=((0, 9),))),
        cluster_created("c", "one"),
    )
    assert tables.datasets["d"].state.content == content()
    assert tables.uploads["u"].state.ranges == ((0, 9),)
    assert (tables.datasets["d"].position, tables.datasets["d"].version) == (1, 2)
    tables = tables_after(
        ("dataset/d", DatasetDeleted()),
        ("upload/u", UploadClosed(reason="deleted")),
        ("cluster/c", ClusterDeleted()),
        tables=tables,
    )
    assert (len(tables.datasets), len(tables.uploads), len(tables.clusters)) == (0, 0, 0)


def test_tasks_of_a_cluster_only_move_the_position():
    before = tables_after(cluster_created("c", "one"))
    after = tables_after(("cluster/c", TaskQueued(task=train_task(60))), tables=before)
    assert after.position == 2
    assert after.clusters is before.clusters


def test_every_event_is_folded_or_known_to_be_no_tables_business():
    unfolded = {cls.TAG for cls in CATALOGUE.values() if cls not in FOLDED}
    # Audit and keys lie in journals of their own; the others are the cluster actor's.
    assert unfolded == {
        "audit.call_made",
        "errors.call_failed",
        "idempotency.key_answered",
        "idempotency.key_begun",
        "idempotency.key_dropped",
        "cluster.checkpoint_taken",
        "cluster.cycles_trained",
        "cluster.mode_changed",
        "cluster.samples_trained",
        "cluster.session_closed",
        "cluster.session_opened",
        "cluster.task_aborted",
        "cluster.task_failed",
        "cluster.task_finished",
        "cluster.task_paused",
        "cluster.task_queued",
        "cluster.task_removed",
        "cluster.task_resumed",
        "cluster.task_started",
        "cluster.task_suspended",
    }


def test_hosts_are_found_by_name():
    event = HostRegistered(name="cpu-0", uuid="h", kind="cpu")
    tables = tables_after(("host/cpu-0", event))
    assert [host.uuid for host in listing(tables.hosts)] == ["h"]


def test_deleting_what_is_not_there_is_impossible():
    for stream, event in (
        ("dataset/x", DatasetDeleted()),
        ("cluster/x", ClusterDeleted()),
        ("upload/x", UploadClosed(reason="deleted")),
        ("user/x", UserDeleted()),
    ):
        with pytest.raises(ImpossibleEventError):
            tables_after((stream, event))


def test_only_what_is_visible_is_found_and_listed():
    tables = tables_after(
        dataset_created("a"), dataset_created("b", "bob"), dataset_created("c", "alice", "home")
    )
    assert [state.uuid for state in visible_listing(tables.datasets, ALICE)] == ["a"]
    assert len(visible_listing(tables.datasets, ADMIN)) == 3
    assert find_visible(tables.datasets, ALICE, "b") is None
    assert find_visible(tables.datasets, ALICE, "zzz") is None
    assert find_visible(tables.datasets, ALICE, "a") is tables.datasets["a"].state


def test_a_cluster_name_is_taken_only_inside_the_callers_scope():
    tables = tables_after(cluster_created("c", "one", "bob"))
    assert not cluster_name_taken(tables, ALICE, "one")
    assert cluster_name_taken(tables, ADMIN, "one")
    assert not cluster_name_taken(tables, ADMIN, "two")
    assert cluster_name_taken(tables, stamp("eve", project_admin=True).who, "one")


def test_a_key_is_what_stands_behind_the_kind():
    assert key_of("host/rack/7") == "rack/7"
