"""The arguments of a throttle, and a call's place at its gate."""

from __future__ import annotations

from ..problems import Problem, ProblemCode, number_code
from ..settings import is_finite
from .queue import Priority

_CALLED = ("bind", "reserve", "give_back", "depart", "pause")
"""The methods of its pacer that a throttle calls."""


def limit_problems(
    max_concurrency: int, requests_per_second: float | None, cooldown: float, pacer: object
) -> list[Problem]:
    problems = []
    if isinstance(max_concurrency, bool) or not isinstance(max_concurrency, int) or max_concurrency < 1:
        problems.append(
            Problem("max_concurrency", max_concurrency, "a whole number, at least 1", number_code(max_concurrency))
        )
    if requests_per_second is not None and not (is_finite(requests_per_second) and requests_per_second > 0):
        problems.append(
            Problem(
                "requests_per_second",
                requests_per_second,
                "a finite number above 0, or None for no pace",
                number_code(requests_per_second),
            )
        )
    if not (is_finite(cooldown) and cooldown >= 0):
        problems.append(
            Problem("cooldown", cooldown, "a finite number of seconds, 0 or more", number_code(cooldown))
        )
    if pacer is not None and not _is_pacer(pacer):
        limit = "a pacer, such as SqlitePacer() or RedisPacer(url)"
        problems.append(Problem("pacer", pacer, limit, ProblemCode.TYPE))
    elif pacer is not None and requests_per_second is None:
        problems.append(
            Problem("requests_per_second", None, "a rate, for the pacer to share", ProblemCode.REQUIRED)
        )
    return problems


def priority_problems(priority: object) -> list[Problem]:
    """What keeps this from being a call's place at the gate; None keeps the present one."""
    if priority is None or isinstance(priority, Priority):
        return []
    names = " or ".join(f"Priority.{one.name}" for one in Priority)
    return [Problem("priority", priority, names, ProblemCode.CHOICE)]


def _is_pacer(given: object) -> bool:
    # A class has the methods of its objects.
    return not isinstance(given, type) and all(callable(getattr(given, name, None)) for name in _CALLED)
