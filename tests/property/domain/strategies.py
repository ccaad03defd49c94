"""Strategies made from struct types: a new field is tested without being remembered."""

import types
import typing

import msgspec
from hypothesis import strategies as st

# Small alphabets make collisions likely, which is where state machines go wrong.
TEXT = st.text(st.characters(codec="utf-8"), max_size=12)
INT64 = st.integers(-(2**63), 2**63 - 1)


def from_struct(cls, **overrides):
    """Build instances of a msgspec struct from its annotations.

    ``overrides`` replaces the strategy of fields by name, also inside nested structs.
    """
    fields = {
        field.name: overrides.get(field.name, from_annotation(field.type, overrides))
        for field in msgspec.structs.fields(cls)
    }
    return st.builds(cls, **fields)


def from_annotation(annotation, overrides):
    supertype = getattr(annotation, "__supertype__", None)
    if supertype is not None:
        return from_annotation(supertype, overrides)
    simple = {
        str: TEXT,
        bytes: st.binary(max_size=12),
        int: INT64,
        bool: st.booleans(),
        float: st.floats(allow_nan=False),
        type(None): st.none(),
    }
    if annotation in simple:
        return simple[annotation]
    origin, arguments = typing.get_origin(annotation), typing.get_args(annotation)
    if origin in {typing.Union, types.UnionType}:
        return st.one_of([from_annotation(argument, overrides) for argument in arguments])
    if origin is tuple and arguments[-1] is Ellipsis:
        return st.lists(from_annotation(arguments[0], overrides), max_size=3).map(tuple)
    if origin is tuple:
        return st.tuples(*(from_annotation(argument, overrides) for argument in arguments))
    if isinstance(annotation, type) and issubclass(annotation, msgspec.Struct):
        return from_struct(annotation, **overrides)
    raise TypeError(f"no strategy for {annotation!r}; add one")
