"""Models from plain values, as JSON and TOML hold them, by the annotations of the classes alone.

Every field that is missing, unknown or of the wrong type is reported, with its path. Limits are not checked
here.
"""

from __future__ import annotations

import enum
import re
import types
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from functools import cache
from typing import (
    Annotated,
    Any,
    Literal,
    NamedTuple,
    TypeVar,
    Union,
    get_args,
    get_origin,
    get_type_hints,
    is_typeddict,
)

import attrs

from ..errors import InvalidRequestError
from ..problems import Problem, ProblemCode, did_you_mean, number_code, number_limit
from .account import to_money

T = TypeVar("T")
Path = tuple[str | int, ...]

_ITEMS: Mapping[Any, Callable[[list[Any]], Any]] = {
    Sequence: tuple,
    tuple: tuple,
    list: list,
    frozenset: frozenset,
}


Rest = Callable[[Mapping[str, Any], tuple[Problem, ...]], list[Problem]]
"""Find what else is wrong with the fields that could be read, given what was wrong with the others."""


def from_plain(model: type[T], value: object, call: str, rest: Rest | None = None) -> T:
    """Make a model from plain values; `call` names the caller.

    Money is a number or, better, its text; times are ISO 8601 with their offset; members of closed lists are
    their values. If something is wrong, `rest` finds what else is. Raises `InvalidRequestError` with every
    problem, and `TypeError` for a model that holds what cannot be read back, such as an exception.
    """
    kind: Any = model
    _check_readable(kind)
    problems: list[Problem] = []
    made: T = _read(kind, value, (), problems)
    if problems and rest is not None and isinstance(value, Mapping):
        problems += rest(_read_fields(kind, model, value, (), []), tuple(problems))
    if problems:
        raise InvalidRequestError(call, problems, sends=False)
    return made


@cache
def _check_readable(kind: Any) -> None:
    """Raises `TypeError` for a model with a value that plain values cannot fully describe."""
    origin = get_origin(kind) or kind
    if origin in (Any, object, types.NoneType, Literal, ...) or isinstance(origin, TypeVar) or kind in _SIMPLE:
        return
    is_model = _is_model(origin)
    if not (is_model or get_args(kind) or (isinstance(kind, type) and issubclass(kind, enum.Enum))):
        raise TypeError(f"{kind} cannot be read from plain values")
    for part in (*get_args(kind), *(_fields_of(origin).kinds.values() if is_model else ())):
        _check_readable(part)


class _Fields(NamedTuple):
    """The fields of a model by the names that its constructor has for them, and what names its kind."""

    kinds: Mapping[str, Any]
    required: frozenset[str]
    tags: Mapping[str, str]


def _is_model(kind: Any) -> bool:
    return attrs.has(kind) or is_typeddict(kind)


@cache
def _fields_of(model: type) -> _Fields:
    if is_typeddict(model):
        hints = get_type_hints(model, include_extras=True)
        required: frozenset[str] = model.__required_keys__  # type: ignore[attr-defined]
        return _Fields({name: _read_as(hint) for name, hint in hints.items()}, required, {})
    hints = get_type_hints(model)
    fields = [field for field in attrs.fields(model) if field.init]
    return _Fields(
        {str(field.alias): hints[field.name] for field in fields},
        frozenset(str(field.alias) for field in fields if field.default is attrs.NOTHING),
        tags_of(model),
    )


def _read_as(hint: Any) -> Any:
    """The type that a field of a typed dict is read as: what is annotated with the types that may be written."""
    return hint.__metadata__[0] if get_origin(hint) is Annotated else hint


@cache
def tags_of(model: type) -> dict[str, str]:
    """The class variables of a model that are texts, such as the name of an event: they say which kind it is."""
    annotated = {name for base in model.__mro__ for name in vars(base).get("__annotations__", ())}
    given = {name: getattr(model, name, None) for name in sorted(annotated)}
    return {name: value for name, value in given.items() if isinstance(value, str)}


def _read(kind: Any, value: Any, path: Path, problems: list[Problem]) -> Any:
    """The value as one of this kind. If that adds to the problems, it is None, or has None in its place."""
    origin = get_origin(kind) or kind
    if origin in (Any, object) or isinstance(origin, TypeVar):
        return value
    if origin in (Union, types.UnionType):
        return _read_one_of(get_args(kind), value, path, problems)
    if value is None:
        return _wrong(problems, path, value, "a value is required", ProblemCode.REQUIRED)
    if origin in _ITEMS:
        return _read_items(_ITEMS[origin], get_args(kind)[0], value, path, problems)
    if origin in (Mapping, dict):
        return _read_mapping(get_args(kind), value, path, problems)
    if _is_model(origin):
        return _read_model(kind, origin, value, path, problems)
    if isinstance(kind, type) and issubclass(kind, enum.Enum):
        return _read_member(kind, value, path, problems)
    if origin is Literal:
        return _read_choice(get_args(kind), value, path, problems)
    return _SIMPLE[kind](value, path, problems)


def _wrong(problems: list[Problem], path: Path, value: object, limit: str, code: ProblemCode) -> None:
    problems.append(Problem(path, value, limit, code))


def _read_one_of(kinds: tuple[Any, ...], value: Any, path: Path, problems: list[Problem]) -> Any:
    """The value as the first of the types that it fits, or what keeps it from being the last."""
    if value is None and types.NoneType in kinds:
        return None
    found: list[Problem] = []
    made = None
    kinds = tuple(kind for kind in kinds if kind is not types.NoneType)
    for kind in kinds:
        found = []
        made = _read(kind, value, path, found)
        if not found:
            return made
    problems += found
    return made if len(kinds) == 1 else None


def _read_items(
    make: Callable[[list[Any]], Any], kind: Any, value: Any, path: Path, problems: list[Problem]
) -> Any:
    if not isinstance(value, list | tuple):
        return _wrong(problems, path, value, "a list", ProblemCode.TYPE)
    return make([_read(kind, item, (*path, place), problems) for place, item in enumerate(value)])


def _read_mapping(kinds: tuple[Any, ...], value: Any, path: Path, problems: list[Problem]) -> Any:
    if not isinstance(value, Mapping):
        return _wrong(problems, path, value, "a mapping of names to values", ProblemCode.TYPE)
    name_kind, kind = kinds
    made = {}
    for name, item in value.items():
        place = (*path, str(name))
        key = _read_name(name_kind, name, place, problems)
        made[key] = _read(kind, item, place, problems)
    return made


def _read_name(kind: Any, name: Any, path: Path, problems: list[Problem]) -> Any:
    """A name in a mapping. Members of an enum of numbers have their own names there, as `to_jsonable` writes."""
    if isinstance(kind, type) and issubclass(kind, enum.IntEnum):
        name = next((member for member in kind if member.name.lower() == name), name)
    return _read(kind, name, path, problems)


def _read_model(kind: Any, model: type, value: Any, path: Path, problems: list[Problem]) -> Any:
    if not isinstance(value, Mapping):
        return _wrong(problems, path, value, _wanted(model), ProblemCode.TYPE)
    before = len(problems)
    given = _read_fields(kind, model, value, path, problems)
    if len(problems) > before:
        return None
    try:
        return model(**given)
    except InvalidRequestError as error:
        problems += [problem.within(*path) for problem in error.problems]
        return None


def _read_fields(
    kind: Any, model: type, value: Mapping[Any, Any], path: Path, problems: list[Problem]
) -> dict[str, Any]:
    """The fields of a model by their names; what adds to the problems is None, or has None in its place."""
    kinds, required, tags = _fields_of(model)
    bound = dict(zip(getattr(model, "__parameters__", ()), get_args(kind), strict=False))
    given = {}
    for name, item in value.items():
        place = (*path, str(name))
        if name in kinds:
            given[name] = _read(_bind(kinds[name], bound), item, place, problems)
        elif name not in tags:
            _wrong(problems, place, item, _no_field(str(name), model, kinds), ProblemCode.UNKNOWN)
        elif item != tags[name]:
            _wrong(problems, place, item, repr(tags[name]), ProblemCode.CHOICE)
    for name in kinds:
        if name in required and name not in value:
            _wrong(problems, (*path, name), None, "required", ProblemCode.REQUIRED)
    return given


def _bind(kind: Any, bound: Mapping[Any, Any]) -> Any:
    """The kind of a field of a generic model, where the model's own parameters are known."""
    if isinstance(kind, TypeVar):
        return bound.get(kind, Any)
    parameters = getattr(kind, "__parameters__", ())
    return kind[tuple(bound.get(parameter, Any) for parameter in parameters)] if parameters else kind


def _no_field(name: str, model: type, kinds: Mapping[str, Any]) -> str:
    return f"there is no such field of a {_in_words(model)}{did_you_mean(name, kinds)}"


def _wanted(model: type) -> str:
    required = [name for name in _fields_of(model).kinds if name in _fields_of(model).required]
    return f"the fields of a {_in_words(model)}" + (f": {', '.join(required)}" if required else "")


def _in_words(model: type) -> str:
    """The name of a model as a person would say it who fills in a form, such as `job draft`."""
    return re.sub(r"(?<=[a-z])(?=[A-Z])", " ", model.__name__).lower()


def _read_member(kind: type[enum.Enum], value: Any, path: Path, problems: list[Problem]) -> Any:
    try:
        return kind(value)
    except (ValueError, TypeError):
        choices = ", ".join(str(member.value) for member in kind)
        return _wrong(problems, path, value, f"one of {choices}", ProblemCode.CHOICE)


def _read_choice(choices: tuple[object, ...], value: Any, path: Path, problems: list[Problem]) -> Any:
    if isinstance(value, str) and value in choices:
        return value
    return _wrong(problems, path, value, f"one of {', '.join(map(str, choices))}", ProblemCode.CHOICE)


def _read_text(value: Any, path: Path, problems: list[Problem]) -> Any:
    return value if isinstance(value, str) else _wrong(problems, path, value, "a text", ProblemCode.TYPE)


def _read_int(value: Any, path: Path, problems: list[Problem]) -> Any:
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    return _wrong(problems, path, value, number_limit(value, "a whole number"), ProblemCode.TYPE)


def _read_float(value: Any, path: Path, problems: list[Problem]) -> Any:
    is_number = number_code(value) is ProblemCode.RANGE
    return value if is_number else _wrong(problems, path, value, number_limit(value, "a number"), ProblemCode.TYPE)


def _read_bool(value: Any, path: Path, problems: list[Problem]) -> Any:
    if isinstance(value, int) and value in (0, 1):
        return bool(value)
    return _wrong(problems, path, value, number_limit(value, "true or false"), ProblemCode.TYPE)


def _read_money(value: Any, path: Path, problems: list[Problem]) -> Any:
    amount = to_money(value)
    if isinstance(amount, Decimal):
        return amount
    code = ProblemCode.FORMAT if isinstance(value, str) else ProblemCode.TYPE
    return _wrong(problems, path, value, "an amount, as a number or its text", code)


def _read_time(value: Any, path: Path, problems: list[Problem]) -> Any:
    if not isinstance(value, str):
        return _wrong(problems, path, value, "a time, as text", ProblemCode.TYPE)
    try:
        moment = datetime.fromisoformat(value)
    except ValueError:
        moment = None
    if moment is None or moment.tzinfo is None:
        return _wrong(problems, path, value, "a time in ISO 8601, with its offset", ProblemCode.FORMAT)
    return moment


_SIMPLE: Mapping[Any, Callable[[Any, Path, list[Problem]], Any]] = {
    str: _read_text,
    int: _read_int,
    float: _read_float,
    bool: _read_bool,
    Decimal: _read_money,
    datetime: _read_time,
}
