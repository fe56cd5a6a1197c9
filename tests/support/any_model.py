"""Hypothesis strategies for any model, by the annotations of its fields."""

from __future__ import annotations

import enum
import types
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

import attrs
from hypothesis import strategies as st

from picoworkers_async import CallError

words = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
amounts = st.decimals(allow_nan=False, allow_infinity=False)
whole_numbers = st.integers(-(2**63), 2**63 - 1)
numbers = st.floats(allow_nan=False, allow_infinity=False)
_single = st.none() | st.booleans() | whole_numbers | numbers | words
json_values = _single | st.lists(_single, max_size=2) | st.dictionaries(words, _single, max_size=2)
_ZONES = st.timedeltas(timedelta(hours=-23), timedelta(hours=23)).map(
    lambda offset: timezone(timedelta(minutes=offset // timedelta(minutes=1)))
)
_SIMPLE: dict[Any, st.SearchStrategy] = {
    str: words,
    int: whole_numbers,
    float: numbers,
    bool: st.booleans(),
    Decimal: amounts,
    datetime: st.datetimes(timezones=st.just(UTC) | _ZONES),
    type(None): st.none(),
    Exception: st.builds(ValueError, words),
    CallError: st.builds(CallError, words, words),
}


def a_model(kind: Any, **given: st.SearchStrategy) -> st.SearchStrategy:
    """Any instance of this model; `given` are the strategies of fields whose values have to fit together."""
    origin = get_origin(kind) or kind
    bound = dict(zip(getattr(origin, "__parameters__", ()), get_args(kind), strict=False))
    hints = get_type_hints(origin)
    fields = {str(field.alias): a_value(hints[field.name], bound) for field in attrs.fields(origin) if field.init}
    return st.builds(origin, **{**fields, **given})


def a_value(kind: Any, bound: Mapping[Any, Any]) -> st.SearchStrategy:
    """Any value of an annotation, made of what JSON can carry where the annotation does not say."""
    kind = bound.get(kind, kind)
    origin, args = get_origin(kind) or kind, get_args(kind)
    if origin in (Any, object) or isinstance(origin, TypeVar):
        return json_values
    if origin in (Union, types.UnionType):
        return st.one_of([a_value(one, bound) for one in args])
    if origin in (tuple, Sequence):
        return st.lists(a_value(args[0], bound), max_size=2).map(tuple)
    if origin is frozenset:
        return st.frozensets(a_value(args[0], bound), max_size=2)
    if origin in (Mapping, dict):
        return st.dictionaries(a_value(args[0], bound), a_value(args[1], bound), max_size=2)
    if attrs.has(origin):
        return a_model(kind)
    if origin is Literal:
        return st.sampled_from(args)
    if isinstance(kind, type) and issubclass(kind, enum.Enum):
        return st.sampled_from(kind)
    return _SIMPLE[kind]
