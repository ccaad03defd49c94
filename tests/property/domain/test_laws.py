"""Laws that hold for every aggregate, written once."""

import msgpack  # type: ignore[import-untyped]
import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hanami_actors.domain.catalogue import CATALOGUE, decode, encode
from hanami_actors.domain.cluster.state import TASK_TRANSITIONS
from hanami_actors.domain.cluster.state import TRANSITIONS as CLUSTER_TRANSITIONS
from hanami_actors.domain.tables import EMPTY, FOLDED, fold
from hanami_actors.errors import ImpossibleEventError, RejectedError
from tests.property.domain.aggregates import AGGREGATES
from tests.property.domain.strategies import INT64, TEXT, from_struct
from tests.unit.domain.builders import NOW_US, stamp

USERS = st.sampled_from(["alice", "bob"])
EACH = pytest.mark.parametrize("aggregate", AGGREGATES, ids=repr)


def check_refusal(error, state, before):
    assert len(error.message) > 10, "a refusal says why"
    assert msgspec.json.encode(state) == before, "a refusal changes nothing"


class Step:
    """A message that was not refused, what followed from it, and the state afterwards."""

    def __init__(self, message, mark, before, events, state):
        self.message, self.mark, self.before = message, mark, before
        self.events, self.state = events, state


def walk(aggregate, data):
    """Draw messages that depend on the state; check the laws of every single step."""
    steps: list[Step] = []
    state = aggregate.initial()
    aggregate.invariants(state)
    for count in range(data.draw(st.integers(0, 25))):
        message = data.draw(aggregate.messages(state))
        mark = stamp(data.draw(USERS), now_us=NOW_US + count)
        before = msgspec.json.encode(state)
        try:
            events = aggregate.decide(state, message, mark)
        except RejectedError as error:
            check_refusal(error, state, before)
            continue
        earlier = state
        for event in events:
            state = aggregate.apply(state, event, mark.now_us)
            aggregate.invariants(state)
        assert msgspec.json.encode(earlier) == before, "apply leaves the old state alone"
        steps.append(Step(message, mark, earlier, events, state))
    return steps


def last_state(aggregate, steps):
    return steps[-1].state if steps else aggregate.initial()


@EACH
@given(data=st.data())
def test_what_is_decided_can_be_applied_replayed_decided_again_and_looked_up(aggregate, data):
    """One walk for all of it: to draw messages is what takes the time."""
    steps = walk(aggregate, data)
    check_replay(aggregate, steps)
    for step in steps:
        assert aggregate.decide(step.before, step.message, step.mark) == step.events
    check_tables(aggregate, steps)


def check_replay(aggregate, steps):
    """Fold what is stored; it must be the live state."""
    stored = [
        (msgpack.packb(encode(event)), step.mark.now_us) for step in steps for event in step.events
    ]
    replayed = aggregate.initial()
    for packed, time_us in stored:
        replayed = aggregate.apply(replayed, decode(*msgpack.unpackb(packed)), time_us)
    assert replayed == last_state(aggregate, steps)


@EACH
@given(data=st.data())
def test_the_transition_table_is_the_guard_of_apply(aggregate, data):
    state = last_state(aggregate, walk(aggregate, data))
    # All events of every example would take more time than everything else together.
    classes = st.lists(st.sampled_from(sorted(aggregate.event_classes, key=repr)), max_size=6)
    for cls in data.draw(classes):
        event = data.draw(from_struct(cls))
        if (state.phase, cls) not in aggregate.transitions:
            with pytest.raises(ImpossibleEventError):
                aggregate.apply(state, event, NOW_US)
        elif not hasattr(event, "task_uuid"):
            after = aggregate.apply(state, event, NOW_US)
            assert after.phase == aggregate.transitions[state.phase, cls]


@EACH
def test_every_event_class_and_phase_stands_in_the_table(aggregate):
    table = aggregate.transitions
    assert {cls for _, cls in table} == set(aggregate.event_classes)
    phases = set(type(aggregate.initial().phase).__members__.values())
    assert {phase for phase, _ in table} | set(table.values()) == phases


def test_every_event_about_a_task_stands_in_the_table_of_tasks():
    own = {cls for _, cls in CLUSTER_TRANSITIONS} - {cls for _, cls in TASK_TRANSITIONS}
    assert {cls.TAG.removeprefix("cluster.") for cls in own} == {
        "created",
        "deleted",
        "renamed",
        "restored",
        "checkpoint_taken",
        "mode_changed",
        "host_switched",
        "session_opened",
        "samples_trained",
        "session_closed",
    }


@pytest.mark.parametrize("tag", sorted(CATALOGUE))
@given(data=st.data(), extra=TEXT, value=INT64)
def test_an_event_survives_encoding_and_decoding_also_with_a_field_of_the_future(
    tag, data, extra, value
):
    event = data.draw(from_struct(CATALOGUE[tag]))
    name, schema, fields = encode(event)
    assert decode(*msgpack.unpackb(msgpack.packb((name, schema, fields)))) == event
    known = {field.name for field in msgspec.structs.fields(CATALOGUE[tag])}
    if extra not in known:
        assert decode(name, schema, {**fields, extra: value}) == event


def check_tables(aggregate, steps):
    """Fold the published tables; they must hold the live state of what lives."""
    tables, version = EMPTY, 0
    for step in steps:
        for event in step.events:
            version += 1
            tables = fold(
                tables, f"{aggregate.name}/key", version, version, step.mark.now_us, event
            )
    state = last_state(aggregate, steps)
    assert tables.position == version
    row = getattr(tables, f"{aggregate.name}s").get("key")
    if row is None:
        assert not state.alive
    elif aggregate.name == "cluster":
        assert state.alive
        assert (row.state.name, row.state.created_us) == (state.name, state.created_us)
    else:
        assert (row.state, row.version) == (state, version)
        assert all(cls in FOLDED for cls in aggregate.event_classes)
