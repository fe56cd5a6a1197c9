"""What a throttle may be made with."""

from __future__ import annotations

import math

from ..problems import Problem, number_code


def limit_problems(max_concurrency: int, requests_per_second: float | None, cooldown: float) -> list[Problem]:
    problems = []
    if isinstance(max_concurrency, bool) or not isinstance(max_concurrency, int) or max_concurrency < 1:
        problems.append(
            Problem("max_concurrency", max_concurrency, "a whole number, at least 1", number_code(max_concurrency))
        )
    if requests_per_second is not None and not _positive(requests_per_second):
        problems.append(
            Problem(
                "requests_per_second",
                requests_per_second,
                "a finite number above 0, or None for no pace",
                number_code(requests_per_second),
            )
        )
    if not _positive(cooldown) and cooldown != 0:
        problems.append(
            Problem("cooldown", cooldown, "a finite number of seconds, 0 or more", number_code(cooldown))
        )
    return problems


def _positive(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value) and value > 0
