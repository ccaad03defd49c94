"""Goal: a policy file means what was written into it; a broken one is refused with its line."""

import re

from hypothesis import given
from hypothesis import strategies as st

from hanami_actors.api.table.policy import parse_policy
from hanami_actors.errors import SettingsError

METHODS = ("GET", "POST", "PUT", "DELETE")
PATHS = st.from_regex(r"[a-zA-Z_0-9][a-zA-Z_0-9/\-._]{0,20}", fullmatch=True)
ROLES = st.from_regex(r"[a-zA-Z_0-9]{1,10}", fullmatch=True)
BLANK = st.text(st.sampled_from(" \t\n"), min_size=1, max_size=3)
MAYBE_BLANK = st.text(st.sampled_from(" \t\n"), max_size=2)
RULES = st.dictionaries(
    st.sampled_from(METHODS), st.lists(ROLES, min_size=1, max_size=3), min_size=1
)
ENTRIES = st.lists(st.tuples(PATHS, RULES), min_size=1, max_size=4)
PIECES = st.sampled_from(
    ["-", "- ", ":", ",", "GET", "PATCH", "#", "\r", "é", "\0", " ", "\n", "x"]
)
PLACE = re.compile(r"policy file, line (\d+): expected .+, found .+")


@st.composite
def written(draw, entries):
    """Write a policy with blanks wherever they are free."""
    out = draw(MAYBE_BLANK)
    for path, rules in entries:
        out += path
        for method, roles in rules.items():
            out += f"{draw(BLANK)}-{draw(BLANK)}{method}{draw(MAYBE_BLANK)}:"
            comma = f"{draw(MAYBE_BLANK)},{draw(MAYBE_BLANK)}"
            out += draw(MAYBE_BLANK) + comma.join(roles)
        out += draw(BLANK)
    return out


def meaning(entries):
    """What the contract says: of a path listed twice the first entry counts."""
    known: dict[str, dict[str, set[str]]] = {}
    for path, rules in entries:
        known.setdefault(path, {method: set(roles) for method, roles in rules.items()})
    return known


@given(ENTRIES, st.data())
def test_what_is_written_is_read(entries, data):
    assert parse_policy(data.draw(written(entries))).entries == meaning(entries)


@given(ENTRIES, st.data())
def test_a_policy_with_a_piece_changed_is_read_or_refused_with_its_line(entries, data):
    text = data.draw(written(entries))
    at = data.draw(st.integers(0, len(text)))
    end = data.draw(st.integers(at, min(at + 6, len(text))))
    check(text[:at] + data.draw(PIECES) + text[end:])


@given(st.text(max_size=60) | st.lists(PIECES, max_size=20).map("".join))
def test_any_text_is_read_or_refused_with_its_line(text):
    check(text)


def check(text: str) -> None:
    refusal = None
    entries = {}
    try:
        entries = dict(parse_policy(text).entries)
    except SettingsError as error:
        refusal = error.message
    if refusal is None:
        assert entries
        for rules in entries.values():
            assert rules.keys() <= set(METHODS)
            assert all(roles for roles in rules.values())
        return
    place = PLACE.fullmatch(refusal)
    assert place, refusal
    assert 1 <= int(place[1]) <= text.count("\n") + 1
