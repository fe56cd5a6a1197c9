"""What asks the service for a sheet needs the asynchronous client: the blocking one is refused at once."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, TypeVar, cast

from ..client import AsyncPicoworkers
from ..errors import InvalidRequestError
from ..problems import Problem, ProblemCode

F = TypeVar("F", bound=Callable[..., Any])


def needs_async_client(function: F) -> F:
    """The same function, which raises `InvalidRequestError` at once when it is called with another client.

    Whoever has the blocking client does not await: without this, the call would do nothing.
    """

    @functools.wraps(function)
    def checked(pico: object, *arguments: Any, **options: Any) -> Any:
        if not isinstance(pico, AsyncPicoworkers):
            name = f"sheets.{function.__name__}"
            limit = f"an AsyncPicoworkers; with the blocking client, use pico.call({name}, ...)"
            raise InvalidRequestError(name, [Problem("pico", pico, limit, ProblemCode.TYPE)], sends=False)
        return function(pico, *arguments, **options)

    return cast("F", checked)
