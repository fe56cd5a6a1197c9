"""JSON values to models, tolerantly: known variations of the service never break reading.

Undocumented fields are kept in `.extra`; missing ones take the model's default. So does a field that does not
fit, which is kept in `.extra` as it came. Fields without a default, and those of `_STRICT`, must fit.
"""

from __future__ import annotations

import enum
import logging
import types
from collections.abc import Callable, Mapping
from datetime import datetime
from decimal import Decimal
from functools import cache
from typing import TYPE_CHECKING, Any, TypeVar, Union, get_args, get_origin

import attrs

from ..models import Task
from .json import ShapeError
from .values import as_list, as_object, to_bool, to_datetime, to_decimal, to_int, to_str

if TYPE_CHECKING:
    import cattrs

T = TypeVar("T")

logger: logging.Logger = logging.getLogger("picoworkers_async")

_STRICT: dict[type, frozenset[str]] = {Task: frozenset({"job_id", "revision_number"})}
"""Fields that have a default but must fit: they identify the piece of work."""

_said: set[tuple[str, str]] = set()
"""The model and name of each field that the log has warned of, once in a process: at most all fields."""


def read(data: Any, model: type[T]) -> T:
    """Structure a JSON value as the model. Raises `ShapeError` if it cannot be one."""
    structured: T = _guarded(_hook(model), data, model.__name__)
    return structured


def read_many(data: Any, model: type[T], what: str) -> tuple[T, ...]:
    """Structure a list of them. Raises `ShapeError` naming the list."""
    hook = _hook(model)
    return tuple([_guarded(hook, item, f"{what}[{place}]") for place, item in enumerate(as_list(data, what))])


def _to_values(value: Any, _: Any = None) -> Any:
    """The variables of a task: an object, an empty one written `[]`, or a list."""
    if isinstance(value, list):
        return tuple(value) if value else {}
    return as_object(value, "variables")


def _guarded(hook: Callable[[Any, Any], Any], data: Any, what: str) -> Any:
    try:
        return hook(data, None)
    except ShapeError as error:
        problem = f"{what}: {error}"
    except RecursionError:
        problem = f"{what} is nested too deeply"
    raise ShapeError(problem)


def _hook(model: Any) -> Callable[[Any, Any], Any]:
    return _converter().get_structure_hook(model)


@cache
def _converter() -> cattrs.Converter:
    """The one converter, made when the first answer is read."""
    from cattrs import Converter

    converter = Converter(detailed_validation=False)
    converter.register_structure_hook(str, to_str)
    converter.register_structure_hook(int, lambda value, _: to_int(value))
    converter.register_structure_hook(bool, lambda value, _: to_bool(value))
    converter.register_structure_hook(Decimal, lambda value, _: to_decimal(value))
    converter.register_structure_hook_func(_is_optional_time, _optional(to_datetime))
    converter.register_structure_hook_factory(_is_open_enum, _open_enum)
    converter.register_structure_hook_factory(_is_tuple, lambda kind: _tuple_hook(converter, kind))
    converter.register_structure_hook_func(
        lambda kind: kind == Mapping[str, Decimal],
        lambda value, _: {name: to_decimal(price) for name, price in as_object(value, "prices").items()},
    )
    converter.register_structure_hook_func(_is_values, _to_values)
    converter.register_structure_hook_func(lambda kind: kind == Mapping[str, Any], lambda value, _: value)
    converter.register_structure_hook_factory(attrs.has, lambda kind: _model_hook(converter, kind))
    return converter


def _optional(read_value: Callable[[Any], Any]) -> Callable[[Any, Any], Any]:
    return lambda value, _: None if value is None else read_value(value)


def _members(kind: Any) -> tuple[Any, ...]:
    return get_args(kind) if get_origin(kind) in (Union, types.UnionType) else ()


def _is_optional_time(kind: Any) -> bool:
    return datetime in _members(kind)


def _is_values(kind: Any) -> bool:
    return Mapping[str, Any] in _members(kind)


def _is_tuple(kind: Any) -> bool:
    return get_origin(kind) is tuple


def _is_open_enum(kind: Any) -> bool:
    return any(isinstance(member, type) and issubclass(member, enum.Enum) for member in _members(kind))


def _open_enum(kind: Any) -> Callable[[Any, Any], Any]:
    """A value of a closed list in any letter case, an unknown one as its plain string, an empty one as None."""
    (closed,) = (member for member in _members(kind) if isinstance(member, type) and issubclass(member, enum.Enum))
    known = {member.value.lower(): member for member in closed}

    def hook(value: Any, _: Any) -> Any:
        if value is None or value == "":
            return None
        text = to_str(value)
        return known.get(text.lower(), text)

    return hook


def _tuple_hook(converter: cattrs.Converter, kind: Any) -> Callable[[Any, Any], Any]:
    item_kind = get_args(kind)[0]
    item_hook = converter.get_structure_hook(item_kind)

    def hook(value: Any, _: Any) -> tuple[Any, ...]:
        if value is None or value == "":
            return ()
        return tuple([item_hook(item, item_kind) for item in as_list(value, "a field")])

    return hook


def _model_hook(converter: cattrs.Converter, model: type) -> Callable[[Any, Any], Any]:
    """cattrs' generated function for the model, with unknown fields gathered into `extra` before it."""
    from cattrs.gen import make_dict_structure_fn

    generated: Callable[[Any, Any], Any] = make_dict_structure_fn(
        model, converter, _cattrs_detailed_validation=False
    )
    fields = {name: field for name, field in attrs.fields_dict(model).items() if name != "extra"}
    known = frozenset(fields)
    # A null where the model has a default other than None says no more than a missing field.
    defaulted = frozenset(
        name for name, field in fields.items() if field.default is not None and field.default is not attrs.NOTHING
    )

    def hook(value: Any, _: Any) -> Any:
        if type(value) is not dict:
            value = as_object(value, model.__name__)
        if not known.issuperset(value):
            fitting = {name: value[name] for name in value if name in known}
            fitting["extra"] = {name: value[name] for name in value if name not in known}
            value = fitting
        if None in value.values():
            value = {name: item for name, item in value.items() if item is not None or name not in defaulted}
        try:
            return generated(value, model)
        except (ShapeError, KeyError, TypeError, ValueError, ArithmeticError):
            return generated(_fitting(converter, model, fields, value), model)

    return hook


def _fitting(
    converter: cattrs.Converter, model: type, fields: Mapping[str, Any], value: Mapping[str, Any]
) -> dict[str, Any]:
    """The fields of the object that fit; the others are put into `extra` as they came, with a warning.

    Raises `ShapeError` if a field that must fit does not.
    """
    strict = _STRICT.get(model, frozenset())
    fitting: dict[str, Any] = {}
    extra = dict(value.get("extra", {}))
    for name, field in fields.items():
        must_fit = field.default is attrs.NOTHING or name in strict
        if name not in value:
            if must_fit and field.default is attrs.NOTHING:
                raise ShapeError(f"it lacks {name!r}")
            continue
        try:
            converter.get_structure_hook(field.type)(value[name], field.type)
        except (ShapeError, KeyError, TypeError, ValueError, ArithmeticError) as error:
            if must_fit:
                raise ShapeError(f"{name}: {error}") from None
            extra[name] = value[name]
            _say(model.__name__, name, error)
        else:
            fitting[name] = value[name]
    return {**fitting, "extra": extra}


def _say(model: str, name: str, error: Exception) -> None:
    if (model, name) not in _said:
        _said.add((model, name))
        logger.warning(
            "%s.%s came in a form that cannot be read (%s); it is kept in .extra, and said only once",
            model,
            name,
            error,
        )
