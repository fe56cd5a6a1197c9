"""JSON values to models, tolerantly: what the service is known to vary never breaks reading.

Fields that nobody documented are kept in `.extra`; missing ones take the model's default.
"""

from __future__ import annotations

import enum
import types
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from functools import cache
from typing import TYPE_CHECKING, Any, TypeVar, Union, get_args, get_origin

import attrs

from .json import ShapeError

if TYPE_CHECKING:
    import cattrs

T = TypeVar("T")


def read(data: Any, model: type[T]) -> T:
    """Structure a JSON value as the model. Raises `ShapeError` if it cannot be one."""
    structured: T = _guarded(_hook(model), data, model.__name__)
    return structured


def read_many(data: Any, model: type[T], what: str) -> tuple[T, ...]:
    """Structure a list of them. Raises `ShapeError` naming the list."""
    hook = _hook(model)
    return tuple(_guarded(hook, item, f"{what}[{place}]") for place, item in enumerate(as_list(data, what)))


def as_list(value: Any, what: str) -> list[Any]:
    """A list; PHP writes one whose keys have gaps as an object."""
    if isinstance(value, list):
        return value
    if isinstance(value, dict) and all(key.isdigit() for key in value):
        return list(value.values())
    raise ShapeError(f"{what} is no list but {_kind(value)}")


def as_object(value: Any, what: str) -> dict[str, Any]:
    """An object; PHP writes an empty one as `[]`."""
    if isinstance(value, dict):
        return value
    if value == []:
        return {}
    raise ShapeError(f"{what} is no object but {_kind(value)}")


def to_int(value: Any) -> int:
    """A whole number, as a number or in a string."""
    if type(value) is int:
        return value
    if isinstance(value, bool):
        return int(value)
    if isinstance(value, str | Decimal):
        try:
            number = Decimal(value)
            if number == number.to_integral_value():
                return int(number)
        except (InvalidOperation, ValueError, OverflowError):
            pass
    raise ShapeError(f"{value!r:.40} is no whole number")


def _to_str(value: Any, _: Any = None) -> str:
    if type(value) is str:
        return value
    if isinstance(value, int | Decimal) and not isinstance(value, bool):
        return str(value)
    raise ShapeError(f"{_kind(value)} stands where a text should")


def to_decimal(value: Any) -> Decimal:
    """An exact amount, as a number or in a string."""
    if isinstance(value, int | str | Decimal) and not isinstance(value, bool):
        try:
            number = Decimal(value)
            if number.is_finite():
                return number
        except InvalidOperation:
            pass
    raise ShapeError(f"{value!r:.40} is no amount")


def to_bool(value: Any) -> bool:
    """A flag, as JSON's own or as 0 and 1, in a string or not."""
    if isinstance(value, bool):
        return value
    if isinstance(value, int | Decimal) and value in (0, 1):
        return value == 1
    if isinstance(value, str) and value.strip().lower() in _WORDS:
        return _WORDS[value.strip().lower()]
    raise ShapeError(f"{value!r:.40} is no flag")


_WORDS = {"0": False, "1": True, "true": True, "false": False, "yes": True, "no": False, "": False}


def to_datetime(value: Any) -> datetime | None:
    """An aware time in UTC, from ISO 8601 or `YYYY-MM-DD HH:MM:SS`; None for an empty or a zero one."""
    if not isinstance(value, str):
        raise ShapeError(f"{value!r:.40} is no time")
    text = value.strip()
    if not text or text.startswith("0000-00-00"):
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise ShapeError(f"{value!r:.40} is no time") from None
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


def _to_values(value: Any, _: Any = None) -> Any:
    """The variables of a task: an object, an empty one written `[]`, or a list."""
    if isinstance(value, list):
        return tuple(value) if value else {}
    return as_object(value, "variables")


def _kind(value: Any) -> str:
    names = {dict: "an object", list: "a list", str: "a text", bool: "a flag", type(None): "null"}
    return names.get(type(value), "a number")


def _guarded(hook: Callable[[Any, Any], Any], data: Any, what: str) -> Any:
    try:
        return hook(data, None)
    except ShapeError as error:
        raise ShapeError(f"{what}: {error}") from None
    except KeyError as error:
        raise ShapeError(f"{what} lacks {error.args[0]!r}") from None


def _hook(model: Any) -> Callable[[Any, Any], Any]:
    return _converter().get_structure_hook(model)


@cache
def _converter() -> cattrs.Converter:
    """The one converter, made when the first answer is read."""
    from cattrs import Converter

    converter = Converter(detailed_validation=False)
    converter.register_structure_hook(str, _to_str)
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
        text = _to_str(value)
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
    fields = attrs.fields_dict(model)
    known = frozenset(fields) - {"extra"}
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
        return generated(value, model)

    return hook
