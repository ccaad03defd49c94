"""Which histories must stay readable, and which snapshots nobody needs any more."""

from hanami_actors.domain.checkpoint.events import CheckpointCreated, CheckpointDeleted
from hanami_actors.domain.cluster.events import ClusterCreated, ClusterDeleted, ClusterRestored
from hanami_actors.domain.cluster.template import Template
from hanami_actors.domain.roots import abandoned, is_reached, pinned_cycles
from hanami_actors.domain.tables import EMPTY, fold
from tests.unit.domain.builders import NOW_US, source, uuid

A, B, C = (uuid(number) for number in (51, 52, 53))


def tables_of(*records):
    tables = EMPTY
    for position, (stream, event) in enumerate(records, 1):
        tables = fold(tables, stream, position, position, NOW_US, event)
    return tables


def created(cluster_uuid):
    event = ClusterCreated(
        uuid=cluster_uuid,
        name="some",
        owner_id="alice",
        project_id="lab",
        template_text="",
        template=Template(hexagons=()),
        seed=1,
        host_uuid="",
    )
    return f"cluster/{cluster_uuid}", event


def restored(cluster_uuid, number):
    return f"cluster/{cluster_uuid}", ClusterRestored(source=source(number))


def saved(number=51, key="p", cycle=10):
    event = CheckpointCreated(
        uuid=key,
        name="some",
        owner_id="alice",
        project_id="lab",
        source=source(number, cycle=cycle),
    )
    return f"checkpoint/{key}", event


def deleted(cluster_uuid):
    return f"cluster/{cluster_uuid}", ClusterDeleted()


def test_a_deleted_cluster_that_nothing_names_is_abandoned():
    tables = tables_of(created(A), deleted(A))
    assert abandoned(tables, A) == {A}
    assert not is_reached(tables, A)


def test_a_checkpoint_keeps_the_history_of_its_deleted_cluster():
    tables = tables_of(created(A), saved(51), deleted(A))
    assert is_reached(tables, A)
    assert abandoned(tables, A) == frozenset()
    gone = tables_of(created(A), saved(51), deleted(A), ("checkpoint/p", CheckpointDeleted()))
    assert abandoned(gone, A) == {A}


def test_a_restored_cluster_keeps_everything_it_came_from():
    records = (created(A), created(B), restored(B, 51), created(C), restored(C, 52))
    tables = tables_of(*records, deleted(A), deleted(B))
    assert is_reached(tables, A)
    assert is_reached(tables, B)
    assert abandoned(tables, B) == frozenset()
    # With the last living one the whole chain goes.
    assert abandoned(tables_of(*records, deleted(A), deleted(B), deleted(C)), C) == {A, B, C}


def test_a_restore_within_a_cluster_names_nobody_else():
    assert tables_of(created(A), restored(A, 51)).restored_from == EMPTY.restored_from


def test_cycles_that_living_checkpoints_name_are_pinned():
    records = (created(A), saved(51, "p", 4), saved(51, "q", 7))
    assert pinned_cycles(tables_of(*records), uuid(60)) == {4, 7}
    assert pinned_cycles(tables_of(*records), uuid(61)) == frozenset()
    tables = tables_of(*records, ("checkpoint/p", CheckpointDeleted()))
    assert pinned_cycles(tables, uuid(60)) == {7}
