"""A cattrs converter for the models, for programs that use cattrs."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import TYPE_CHECKING, Any, get_origin

import attrs

from ..models.from_plain import from_plain
from ..models.to_plain import to_jsonable

if TYPE_CHECKING:
    from cattrs.preconf.json import JsonConverter

_PACKAGE = __name__.partition(".")[0]


def json_converter() -> JsonConverter:
    """Make a cattrs converter that writes models as `to_jsonable` does, and reads them back; you may add hooks.

    Your own classes may hold models, amounts and times: `converter.structure(data, Order)`. To read a page, name
    its items: `converter.structure(data, Page[Job])`. A model that does not fit raises `InvalidRequestError`
    with every problem, an unknown field included, so use the same version at both ends.

    Models that hold an exception (`Outcome`, `BatchReport`, `Ping`) can only be written: reading one raises
    `TypeError`. What `to_jsonable` had to write as a text stays that text where anything is allowed, a `Decimal`
    in an `extra` too, and is refused elsewhere. This is not the service's format: the client has already read
    what that sends.
    """
    from cattrs.preconf.json import make_converter

    converter = make_converter()
    converter.register_structure_hook_factory(_is_known, _reading)
    converter.register_unstructure_hook_func(_is_known, to_jsonable)
    converter.register_unstructure_hook_func(_is_exception, to_jsonable)
    return converter


def _is_known(kind: Any) -> bool:
    origin = get_origin(kind) or kind
    is_ours = attrs.has(origin) and origin.__module__.partition(".")[0] == _PACKAGE
    return kind is Decimal or is_ours


def _reading(kind: Any) -> Callable[[Any, Any], Any]:
    return lambda value, _: from_plain(kind, value, f"reading a {getattr(kind, '__name__', kind)}")


def _is_exception(kind: Any) -> bool:
    return isinstance(kind, type) and issubclass(kind, BaseException)
