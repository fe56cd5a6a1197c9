"""Cruelty on request: what may go wrong with a request, how likely, drawn from a seed."""

from __future__ import annotations

import enum
import random
from collections.abc import Iterable
from typing import Any

import attrs

from ..endpoints import ENDPOINTS


class Fault(enum.Enum):
    """One thing that goes wrong. Which of them leave the request processed is said at each field of `Faults`."""

    CUT_BEFORE = "cut_before"
    CUT_AFTER = "cut_after"
    HALF_ANSWER = "half_answer"
    HTML_200 = "html_200"
    HTML_502 = "html_502"
    HTML_503 = "html_503"
    ERROR_500_BEFORE = "error_500_before"
    ERROR_500_AFTER = "error_500_after"
    SLOW = "slow"
    RESET_IDLE = "reset_idle"
    TOO_MANY = "too_many"
    CUT_MIDWAY = "cut_midway"
    LEFT_OUT = "left_out"
    LATE = "late"
    ANSWER_LATE_504 = "answer_late_504"
    ERROR_JSON = "error_json"


ERROR_STATUSES = (408, 409, 425, 499, 500, 502, 503, 504)
"""The statuses of `error_json`: none of them says whether the request was processed."""


def probability(instance: object, attribute: attrs.Attribute[float], value: float) -> None:
    """Refuse what is no probability."""
    if not 0 <= value <= 1:
        raise ValueError(f"{attribute.name}={value!r}: must be a probability from 0 to 1")


def _chance() -> float:
    chance: float = attrs.field(default=0.0, validator=probability)
    return chance


def _names(only: Iterable[str] | None) -> frozenset[str] | None:
    # With a type of its own, which checkers read where they cannot read that of `frozenset`.
    return None if only is None else frozenset(only)


@attrs.frozen(kw_only=True)
class Faults:
    """How likely each fault is for a request, from 0 to 1. They add up; more than 1 in all is refused.

    `only` names the endpoints they are for, such as `rate_single_task`; left out, all.
    """

    cut_before: float = _chance()
    """The connection is cut before the request is processed."""
    cut_after: float = _chance()
    """It is processed, and the connection cut before the answer."""
    half_answer: float = _chance()
    """It is processed, and half the answer sent."""
    html_200: float = _chance()
    """A page of HTML with status 200; processed or not by the toss of a coin."""
    html_502: float = _chance()
    """A page of HTML with status 502; processed or not by the toss of a coin."""
    html_503: float = _chance()
    """A page of HTML with status 503; not processed."""
    error_500_before: float = _chance()
    """Status 500, not processed."""
    error_500_after: float = _chance()
    """Status 500, processed."""
    slow: float = _chance()
    """It is processed, and answered `slow_seconds` later."""
    reset_idle: float = _chance()
    """It is processed and answered; then the idle connection is reset."""
    too_many: float = _chance()
    """Status 429, not processed, with a short `Retry-After`."""
    cut_midway: float = _chance()
    """Half of the tasks of a bulk rating are processed, then the connection is cut; else nothing is processed."""
    left_out: float = _chance()
    """A bulk rating is processed, and half of its tasks are left out of the answer; else nothing goes wrong."""
    late: float = _chance()
    """The connection is cut at once, and the request takes effect `late_seconds` after that."""
    answer_late_504: float = _chance()
    """Status 504 with JSON that says `"ok": false`; the request takes effect `late_seconds` after that."""
    error_json: float = _chance()
    """It is processed; the answer is JSON that says `"ok": false`, with a status drawn from `ERROR_STATUSES`."""
    slow_seconds: float = 1.0
    late_seconds: float = 0.5
    only: frozenset[str] | None = attrs.field(default=None, converter=_names)

    _likely: tuple[tuple[Fault, float], ...] = attrs.field(init=False, eq=False, repr=False)

    def __attrs_post_init__(self) -> None:
        chances = ((fault, getattr(self, fault.value)) for fault in Fault)
        object.__setattr__(self, "_likely", tuple(pair for pair in chances if pair[1]))
        if self.total() > 1:
            raise ValueError(f"the probabilities add up to {self.total()}, more than 1")
        unknown = sorted((self.only or frozenset()) - {row.name for row in ENDPOINTS})
        if unknown:
            raise ValueError(f"only={unknown}: names of endpoints, such as rate_single_task, in a set")

    @classmethod
    def all(cls, each: float, *, slow_seconds: float = 1.0, late_seconds: float = 0.5) -> Faults:
        """Every fault with the same probability: 16 of them, so 0.0625 is the most."""
        chances: dict[str, Any] = {fault.value: each for fault in Fault}
        return cls(**chances, slow_seconds=slow_seconds, late_seconds=late_seconds)

    def total(self) -> float:
        """How likely it is that anything goes wrong."""
        return float(sum(chance for _, chance in self._likely))

    def draw(self, endpoint: str, rng: random.Random) -> Fault | None:
        """What goes wrong with this request, if anything."""
        if self.only is not None and endpoint not in self.only:
            return None
        point = rng.random()
        for fault, chance in self._likely:
            point -= chance
            if point < 0:
                return fault
        return None
