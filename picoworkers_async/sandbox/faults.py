"""Faults to inject: what may go wrong with a request, and how likely, drawn from a seed."""

from __future__ import annotations

import enum
import random
from collections.abc import Collection, Iterator
from typing import Any

import attrs

from ..endpoints import ENDPOINTS
from ..errors import InvalidRequestError
from ..problems import Problem, ProblemCode, did_you_mean


class Fault(enum.Enum):
    """One thing that goes wrong. Each field of `Faults` says whether the request is processed."""

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
    """Reject what is not a probability."""
    if not 0 <= value <= 1:
        raise ValueError(f"{attribute.name}={value!r}: must be a probability from 0 to 1")


def names(given: Collection[str]) -> frozenset[str]:
    """Names in any collection; a text is one name."""
    return frozenset((given,) if isinstance(given, str) else given)


def _only(given: Collection[str] | None) -> Any:
    """The names of endpoints. What is no collection stays as it is, to be rejected with what is wanted."""
    try:
        return None if given is None else names(given)
    except TypeError:
        return given


def _chance() -> float:
    chance: float = attrs.field(default=0.0, validator=probability)
    return chance


@attrs.frozen(kw_only=True)
class Faults:
    """How likely each fault is for a request, from 0 to 1. They add up; a total above 1 is rejected.

    `only` names the endpoints that they apply to, such as `{"rate_single_task"}`; if left out, all. Raises
    `InvalidRequestError`, with the names that exist, for a name that no endpoint has.
    """

    cut_before: float = _chance()
    """The connection is cut before the request is processed."""
    cut_after: float = _chance()
    """The request is processed, then the connection is cut before the answer."""
    half_answer: float = _chance()
    """The request is processed, and half the answer is sent."""
    html_200: float = _chance()
    """A page of HTML with status 200; whether the request is processed is a coin toss."""
    html_502: float = _chance()
    """A page of HTML with status 502; whether the request is processed is a coin toss."""
    html_503: float = _chance()
    """A page of HTML with status 503; not processed."""
    error_500_before: float = _chance()
    """Status 500, not processed."""
    error_500_after: float = _chance()
    """Status 500, processed."""
    slow: float = _chance()
    """The request is processed, and answered `slow_seconds` later."""
    reset_idle: float = _chance()
    """The request is processed and answered; then the idle connection is reset."""
    too_many: float = _chance()
    """Status 429, not processed, with a short `Retry-After`."""
    cut_midway: float = _chance()
    """Half of the tasks of a bulk rating are processed (of other requests nothing), then the connection is cut."""
    left_out: float = _chance()
    """A bulk rating is processed, and half of its tasks are left out of the answer; nothing else is affected."""
    late: float = _chance()
    """The connection is cut at once, and the request takes effect `late_seconds` after that."""
    answer_late_504: float = _chance()
    """Status 504 with JSON that says `"ok": false`; the request takes effect `late_seconds` after that."""
    error_json: float = _chance()
    """The request is processed; the answer is JSON with `"ok": false` and a status from `ERROR_STATUSES`."""
    slow_seconds: float = 1.0
    late_seconds: float = 0.5
    only: Collection[str] | None = attrs.field(default=None, converter=_only)

    _likely: tuple[tuple[Fault, float], ...] = attrs.field(init=False, eq=False, repr=False)

    def __attrs_post_init__(self) -> None:
        chances = ((fault, getattr(self, fault.value)) for fault in Fault)
        object.__setattr__(self, "_likely", tuple(pair for pair in chances if pair[1]))
        if self.total() > 1:
            raise ValueError(f"the probabilities add up to {self.total()}, more than 1")
        problems = [] if self.only is None else list(_unknown_endpoints(self.only))
        if problems:
            raise InvalidRequestError("Faults", problems, sends=False)

    @classmethod
    def all(cls, each: float, *, slow_seconds: float = 1.0, late_seconds: float = 0.5) -> Faults:
        """Every fault with the same probability: 16 of them, so 0.0625 is the most."""
        chances: dict[str, Any] = {fault.value: each for fault in Fault}
        return cls(**chances, slow_seconds=slow_seconds, late_seconds=late_seconds)

    def total(self) -> float:
        """The probability that anything goes wrong."""
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


def _unknown_endpoints(only: object) -> Iterator[Problem]:
    """What keeps these from being names of endpoints."""
    known = [row.name for row in ENDPOINTS]
    if not isinstance(only, frozenset):
        yield Problem("only", only, "a set of names of endpoints, such as {'rate_single_task'}", ProblemCode.TYPE)
        return
    for name in sorted(only - set(known), key=str):
        limit = f"one of {', '.join(known)}{did_you_mean(name, known)}"
        yield Problem("only", name, limit, ProblemCode.CHOICE)
