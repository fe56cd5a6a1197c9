"""From broken rules to the one error that lists them."""

from __future__ import annotations

from collections.abc import Iterable

from ..endpoints import Endpoint
from ..errors import InvalidRequestError
from ..problems import Problem


def require(endpoint: Endpoint, *checks: Iterable[Problem]) -> None:
    """Raises `InvalidRequestError` with every problem of all checks, if there is any."""
    problems = [problem for check in checks for problem in check]
    if problems:
        raise InvalidRequestError(endpoint.call, problems)
