import contextlib
from typing import Annotated, Literal

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import UNSET, Meta, UnsetType

from hanami_actors.api.table.decode import RequestDecoder, parse_query
from hanami_actors.api.table.fields import NAME, ResourceName, UuidText
from hanami_actors.errors import BadRequestError


class Inner(msgspec.Struct, forbid_unknown_fields=True):
    key: str


class Sample(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    name: ResourceName
    count: Annotated[int, Meta(ge=1, le=10)] = 1
    share: float = 0.5
    flag: bool = False
    uuid: UuidText | UnsetType = UNSET
    password: Annotated[str, Meta(min_length=8)] | UnsetType = UNSET
    items: Annotated[tuple[Inner, ...], Meta(min_length=1)] | UnsetType = UNSET
    other: Annotated[str, Meta(pattern="^x+$")] | UnsetType = UNSET


class Choice(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    mode: Literal["ON", "OFF"] | UnsetType = UNSET


class Free(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    text: str = ""
    number: int = 0


DECODER = RequestDecoder(Sample)
FREE = RequestDecoder(Free)


@pytest.mark.parametrize(
    ("query", "changes"),
    [
        ("", {}),
        ("count=7", {"count": 7}),
        ("count=007", {"count": 7}),
        ("share=7", {"share": 7.0}),
        ("share=-0.25", {"share": -0.25}),
        ("flag=true", {"flag": True}),
        ("name=abcd", {"name": "abcd"}),
        ("name=a%20bcd", {"name": "a bcd"}),
        ("name=wxyz&name=abcd", {"name": "abcd"}),
        ("name=abcd?count=7", {"name": "abcd"}),
        ("&&name=abcd&", {"name": "abcd"}),
        ("other=xxx", {"other": "xxx"}),
        ("token=anything", {}),
    ],
)
def test_values_of_a_query_take_the_declared_type(query, changes):
    decoded = DECODER.decode(query, b'{"name":"name"}')
    assert decoded == Sample(**({"name": "name"} | changes))


@pytest.mark.parametrize(
    ("body", "text"),
    [
        ({"z": 1, "y": 2}, "field \"y\" is not known here; known fields: count, flag, items, name"),
        ({}, "field 'name' is required, but is not set"),
        ({"name": "name", "count": 0}, "field 'count': expected an integer >= 1, got 0"),
        ({"name": "name", "count": 11}, "field 'count': expected an integer <= 10, got 11"),
        ({"name": "name", "count": 5.0}, "field 'count': expected an integer, got 5.0"),
        ({"name": "name", "count": True}, "field 'count': expected an integer, got true"),
        ({"name": "name", "count": "5"}, "field 'count': expected an integer, got \"5\""),
        ({"name": "name", "flag": 1}, "field 'flag': expected true or false, got 1"),
        ({"name": "name", "share": "x"}, "field 'share': expected a number, got \"x\""),
        ({"name": "name", "uuid": None}, "field 'uuid': expected a text, got null"),
        ({"name": "name", "uuid": "x"}, "field 'uuid': expected a UUID such as 0f8fad5b"),
        ({"name": "abc"}, "field 'name': expected a text of length >= 4, got \"abc\""),
        ({"name": "1abc"}, "field 'name': expected a letter, then letters, digits,"),
        ({"name": "abcd\n"}, "field 'name': expected a letter, then letters, digits,"),
        ({"name": "x" * 255}, "field 'name': expected a text of length <= 254, got \"xxx"),
        ({"name": "name", "password": "short"}, "field 'password': expected a text of length >= 8, got a secret"),
        ({"name": "name", "items": []}, "field 'items': expected an array of length >= 1, got []"),
        ({"name": "name", "items": [{}]}, "field 'items[0].key' is missing"),
        ({"name": "name", "items": [{"key": 1}]}, "field 'items[0].key': expected a text, got 1"),
        ({"name": "name", "items": [{"key": "", "x": 1}]}, "field 'items[0].x' is not known here"),
        ({"name": "name", "items": [7]}, "field 'items[0]': expected an object, got 7"),
        ({"name": "name", "other": "y"}, "field 'other': expected a text matching '^x+$', got \"y\""),
    ],
)  # fmt: skip
def test_errors_name_field_rule_and_value(body, text):
    with pytest.raises(BadRequestError) as caught:
        DECODER.decode("", msgspec.json.encode(body))
    assert caught.value.message.startswith(text)


def test_a_long_value_is_shortened_in_an_error():
    with pytest.raises(BadRequestError) as caught:
        DECODER.decode("", msgspec.json.encode({"name": "x" * 10_000}))
    assert len(caught.value.message) < 200


@pytest.mark.parametrize("number", ["9223372036854775808", "-9223372036854775808", "9" * 5000])
def test_integers_beyond_64_bits_are_refused_in_a_query(number):
    with pytest.raises(BadRequestError, match="64 bits"):
        FREE.decode(f"number={number}", None)


def test_the_largest_integers_are_fine():
    assert FREE.decode(f"number={2**63 - 1}", None) == Free(number=2**63 - 1)
    assert FREE.decode(f"number=-{2**63 - 1}", None) == Free(number=-(2**63) + 1)


@given(st.text(min_size=1))
def test_any_text_survives_percent_encoding(text):
    encoded = "".join(f"%{byte:02x}" for byte in text.encode())
    assert FREE.decode(f"text={encoded}", None) == Free(text=text)


@given(st.text())
def test_no_query_is_more_than_refused(query):
    with contextlib.suppress(BadRequestError):
        assert isinstance(FREE.decode(query, None), Free)


@given(st.binary())
def test_no_body_is_more_than_refused(body):
    with pytest.raises(BadRequestError):
        DECODER.decode("", body)


def test_a_pair_without_an_equals_sign_has_its_name_as_value():
    assert parse_query("a&b=&=c&d=e=f") == [("a", "a"), ("b", ""), ("", "c"), ("d", "e=f")]


def test_a_request_without_fields_costs_nothing():
    assert FREE.decode("", None) is FREE.decode("", None)


def test_patterns_end_where_the_text_ends():
    assert msgspec.convert("abcd", Annotated[str, Meta(pattern=NAME)]) == "abcd"
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert("abcd\n", Annotated[str, Meta(pattern=NAME)])


@pytest.mark.parametrize("value", ['"on"', '""', "1"])
def test_a_value_that_is_not_listed_is_refused_with_the_list(value):
    with pytest.raises(BadRequestError) as caught:
        RequestDecoder(Choice).decode("", f'{{"mode": {value}}}'.encode())
    assert caught.value.message == f'field \'mode\': expected one of "OFF", "ON", got {value}'
