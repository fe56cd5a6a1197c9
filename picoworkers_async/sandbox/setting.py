"""A setting among `Behaviour`'s, as an attribute of the sandbox."""

from __future__ import annotations

from typing import Generic, Protocol, TypeVar, overload

from .behaviour import Behaviour

T = TypeVar("T")


class _Behaving(Protocol):
    _behaviour: Behaviour


class Setting(Generic[T]):
    """A setting of the same name in `Behaviour`, which describes and checks it."""

    def __set_name__(self, owner: type, name: str) -> None:
        self._name = name

    @overload
    def __get__(self, sandbox: None, owner: type) -> Setting[T]: ...
    @overload
    def __get__(self, sandbox: _Behaving, owner: type) -> T: ...
    def __get__(self, sandbox: _Behaving | None, owner: type) -> T | Setting[T]:
        if sandbox is None:
            return self
        value: T = getattr(sandbox._behaviour, self._name)
        return value

    def __set__(self, sandbox: _Behaving, value: T) -> None:
        setattr(sandbox._behaviour, self._name, value)
