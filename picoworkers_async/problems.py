"""One broken rule: where, what was given, what is wanted, and its code."""

from __future__ import annotations

import enum
from collections.abc import Iterable
from typing import Any

import attrs

from .pickling import survives_pickling

Where = str | tuple[str | int, ...]
"""Where a value is: the name of a field, or the path to it, such as `("proofs", 0, "type")`."""

_SHOWN = 80


class ProblemCode(enum.StrEnum):
    """Codes of problems, for programs; the texts are for people, and may change."""

    REQUIRED = "required"
    """Nothing was given, or a blank text, where a value is required."""
    TYPE = "type"
    """A value of the wrong type, such as a text instead of a number."""
    RANGE = "range"
    """A number, an amount or a moment that is too small, too large or too fine."""
    LENGTH = "length"
    """Too few or too many items, or characters."""
    CHOICE = "choice"
    """Not one of the permitted values."""
    FORMAT = "format"
    """A text that is not written as it must be, or that UTF-8 cannot encode."""
    UNKNOWN = "unknown"
    """There is no field of this name."""
    CONFLICT = "conflict"
    """It does not fit what else was given."""
    EDITION = "edition"
    """The edition of the service does not have it."""


def _to_path(where: Where) -> tuple[str | int, ...]:
    return (where,) if isinstance(where, str) else where


@attrs.frozen
class Problem:
    """One broken rule.

    `path` leads to the value: names of fields and positions in lists, counted from 0. `value` is what was given,
    or the part of it that is wrong. `limit` says what is wanted, in words, and `code` which sort of problem it
    is. In a pickle or a copy, a value that cannot be pickled is replaced by one with the same repr.
    """

    path: tuple[str | int, ...] = attrs.field(converter=_to_path)
    value: object
    limit: str
    code: ProblemCode

    @property
    def field(self) -> str:
        """The path as a text, such as `proofs[0].type`; always printable."""
        text = "".join(f"[{part}]" if isinstance(part, int) else f".{_shown_name(part)}" for part in self.path)
        return text.removeprefix(".")

    def within(self, *path: str | int) -> Problem:
        """The same problem for a value that is part of another one."""
        return attrs.evolve(self, path=(*path, *self.path))

    def __str__(self) -> str:
        return f"{self.field or '(the whole)'}={shown(self.value)}: {self.limit}"

    def __reduce__(self) -> tuple[Any, ...]:
        value = self.value if survives_pickling(self.value) else _Unpicklable(shown(self.value))
        return Problem, (self.path, value, self.limit, self.code)


@attrs.frozen(repr=False)
class _Unpicklable:
    """Stands for a value that cannot be pickled, and has its repr."""

    shown: str

    def __repr__(self) -> str:
        return self.shown


def below(where: Where, *parts: str | int) -> tuple[str | int, ...]:
    """The path of a part of the value at this path."""
    return (*_to_path(where), *parts)


def number_code(value: object) -> ProblemCode:
    """The code for what is not a number, or one out of range; bool counts as no number."""
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return ProblemCode.RANGE if is_number else ProblemCode.TYPE


def number_limit(value: object, limit: str) -> str:
    """What is wanted in place of this, where it must be a number: of a text, it says that it is one."""
    return f"{limit}; this is a text" if isinstance(value, str) else limit


def text_code(value: object) -> ProblemCode:
    """The code for what is not a text, or a blank one, or nothing at all."""
    return ProblemCode.REQUIRED if value is None or isinstance(value, str) else ProblemCode.TYPE


def did_you_mean(name: object, names: Iterable[str]) -> str:
    """What to add to a limit if this is nearly one of the names; otherwise nothing."""
    from difflib import get_close_matches  # loaded when somebody misspelt something

    like = get_close_matches(name, names, n=1) if isinstance(name, str) else []
    return f"; did you mean {like[0]}?" if like else ""


def shown(value: object) -> str:
    """The start of the value's repr, whatever it is."""
    if isinstance(value, str | bytes):
        value = value[:_SHOWN]
    try:
        text = repr(value)
    except Exception:
        # An int of thousands of digits has no repr, and neither has what is nested too deeply.
        return f"({type(value).__name__})"
    return text if len(text) <= _SHOWN else text[: _SHOWN - 3] + "..."


def _shown_name(name: str) -> str:
    return name if name.isprintable() and len(name) <= _SHOWN else shown(name)
