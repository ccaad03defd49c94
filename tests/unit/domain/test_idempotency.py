"""A key is carried out once, whatever is repeated in which order."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hanami_actors.domain.idempotency.events import KeyAnswered
from hanami_actors.domain.idempotency.keys import (
    KEPT_US,
    BeginKey,
    DropKey,
    FinishKey,
    RepeatKey,
    apply,
    decide,
    is_expired,
)
from hanami_actors.errors import ConflictError, ImpossibleEventError
from tests.unit.domain.builders import NOW_US, stamp

PLACE = {"endpoint": "create_cluster", "key": "k"}
BEGIN = BeginKey(**PLACE, body_hash="one")
FINISH = FinishKey(**PLACE, status=200, answer=b"{}")


def after(state, *messages):
    for message in messages:
        for event in decide(state, message, stamp(), 5):
            state = apply(state, event, NOW_US)
    return state


def test_a_new_key_is_begun_and_answered():
    state = after(None, BEGIN)
    assert (state.status, state.log_position, state.begun_us) == (0, 5, NOW_US)
    state = after(state, FINISH)
    assert (state.status, state.answer) == (200, b"{}")


def test_repeating_changes_nothing():
    state = after(None, BEGIN, FINISH)
    other = FinishKey(**PLACE, status=409, code="conflict", answer=b"no")
    assert after(state, BEGIN, other, DropKey(**PLACE), BEGIN) == state


def test_another_body_is_refused_in_every_state():
    for state in (after(None, BEGIN), after(None, BEGIN, FINISH)):
        for kind in (BeginKey, RepeatKey):
            with pytest.raises(ConflictError, match="was used for another request"):
                decide(state, kind(**PLACE, body_hash="two"), stamp(), 6)


def test_a_call_that_did_nothing_makes_room_for_the_next():
    assert after(None, BEGIN, DropKey(**PLACE)) is None
    state = after(None, BEGIN, RepeatKey(**PLACE, body_hash="one"))
    assert state.status == 0
    assert after(None, DropKey(**PLACE), FINISH) is None


def test_an_answer_without_a_beginning_is_impossible():
    with pytest.raises(ImpossibleEventError):
        apply(None, KeyAnswered(**PLACE, status=200, answer=b""), NOW_US)


def test_keys_are_kept_for_a_day():
    state = after(None, BEGIN)
    assert not is_expired(state, NOW_US + KEPT_US - 1)
    assert is_expired(state, NOW_US + KEPT_US)


MESSAGES = st.sampled_from(
    [BEGIN, FINISH, DropKey(**PLACE), FinishKey(**PLACE, status=409, code="c", answer=b"no")]
)


@given(messages=st.lists(MESSAGES, max_size=12))
def test_the_first_answer_stays_whatever_follows(messages):
    state, answered = None, None
    for message in messages:
        state = after(state, message)
        if answered is None and state is not None and state.status:
            answered = state
        if answered is not None:
            assert state == answered
