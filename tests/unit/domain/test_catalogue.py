"""Tags on disk outlive classes."""

import pytest

from hanami_actors.domain.base import Event
from hanami_actors.domain.catalogue import CATALOGUE, UPCASTERS, decode, encode
from hanami_actors.domain.cluster.events import CyclesTrained
from hanami_actors.domain.user.events import UserCreated
from hanami_actors.errors import LogCorruptError, NewerSchemaError, UnknownTagError

# A line may be added, never removed or changed: logs on disk hold these.
TAGS = {
    ("audit.call_made", 1),
    ("checkpoint.created", 1),
    ("checkpoint.deleted", 1),
    ("cluster.checkpoint_taken", 1),
    ("cluster.created", 1),
    ("cluster.cycles_trained", 1),
    ("cluster.deleted", 1),
    ("cluster.host_switched", 1),
    ("cluster.mode_changed", 1),
    ("cluster.renamed", 1),
    ("cluster.restored", 1),
    ("cluster.samples_trained", 1),
    ("cluster.session_closed", 1),
    ("cluster.session_opened", 1),
    ("cluster.task_aborted", 1),
    ("cluster.task_failed", 1),
    ("cluster.task_finished", 1),
    ("cluster.task_paused", 1),
    ("cluster.task_queued", 1),
    ("cluster.task_removed", 1),
    ("cluster.task_resumed", 1),
    ("cluster.task_started", 1),
    ("cluster.task_suspended", 1),
    ("dataset.created", 1),
    ("dataset.deleted", 1),
    ("dataset.failed", 1),
    ("dataset.filled", 1),
    ("errors.call_failed", 1),
    ("host.registered", 1),
    ("host.retired", 1),
    ("idempotency.key_answered", 1),
    ("idempotency.key_begun", 1),
    ("idempotency.key_dropped", 1),
    ("project.created", 1),
    ("project.deleted", 1),
    ("upload.closed", 1),
    ("upload.completed", 1),
    ("upload.discarded", 1),
    ("upload.opened", 1),
    ("upload.range_stored", 1),
    ("user.created", 1),
    ("user.deleted", 1),
    ("user.passphrase_changed", 1),
    ("user.project_assigned", 1),
    ("user.project_removed", 1),
}


def test_no_tag_ever_vanishes_and_every_new_one_is_listed():
    assert {(tag, cls.SCHEMA) for tag, cls in CATALOGUE.items()} == TAGS


def test_every_event_class_that_is_defined_is_in_the_catalogue():
    ours = {cls for cls in Event.__subclasses__() if cls.__module__.startswith("hanami_actors.")}
    assert ours == set(CATALOGUE.values())


def test_an_encoded_event_is_plain_builtins():
    event = CyclesTrained(task_uuid="t", cycle=3, figures=(("blocks", 2.0),))
    tag, schema, data = encode(event)
    assert (tag, schema) == ("cluster.cycles_trained", 1)
    assert data["task_uuid"] == "t"
    assert data["cycle"] == 3
    assert [list(pair) for pair in data["figures"]] == [["blocks", 2.0]]


def test_an_unknown_tag_is_an_error_that_names_it():
    with pytest.raises(UnknownTagError, match=r"cluster\.dreamt"):
        decode("cluster.dreamt", 1, {})


def test_a_newer_schema_is_an_error_that_names_it():
    with pytest.raises(NewerSchemaError, match=r"cluster\.cycles_trained.* schema 2"):
        decode("cluster.cycles_trained", 2, {"task_uuid": "t", "cycle": 3})


def test_an_older_schema_without_upcaster_is_an_error():
    with pytest.raises(LogCorruptError, match="no upcaster"):
        decode("cluster.cycles_trained", 0, {})


def test_wrong_data_is_an_error_that_names_tag_and_field():
    with pytest.raises(LogCorruptError, match=r"cluster\.cycles_trained.*cycle"):
        decode("cluster.cycles_trained", 1, {"task_uuid": "t", "cycle": "three"})


def test_a_field_that_a_newer_version_added_is_no_obstacle():
    data = {"task_uuid": "t", "cycle": 3, "mood": "good"}
    assert decode("cluster.cycles_trained", 1, data) == CyclesTrained(task_uuid="t", cycle=3)


def test_old_schemas_are_brought_up_step_by_step():
    upcasters = {
        ("user.created", -1): lambda data: ("user.created", 0, {**data, "is_admin": False}),
        ("user.created", 0): lambda data: ("user.created", 1, {**data, "creator_id": "?"}),
    }
    data = {"id": "a", "name": "A", "passphrase_hash": "h"}
    event = decode("user.created", -1, data, upcasters=upcasters)
    assert event == UserCreated(
        id="a", name="A", passphrase_hash="h", is_admin=False, creator_id="?"
    )
    assert dict(UPCASTERS) == {}


def test_an_event_outside_the_catalogue_cannot_be_written():
    with pytest.raises(UnknownTagError, match="not in the catalogue"):
        encode(Event())
