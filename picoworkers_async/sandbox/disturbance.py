"""The effect of a fault on a request and on its answer, as plain functions."""

from __future__ import annotations

import enum
import json
import random

import attrs

from .faults import ERROR_STATUSES, Fault
from .messages import Reply, json_reply


class Sending(enum.Enum):
    """How an answer is sent."""

    WHOLE = "whole"
    HALF = "half"
    """Half of the body, then the connection is cut."""
    NOTHING = "nothing"
    """The connection is cut without an answer."""
    THEN_RESET = "then_reset"
    """Whole; then the idle connection is reset."""


_SENDINGS = {
    Fault.CUT_BEFORE: Sending.NOTHING,
    Fault.CUT_AFTER: Sending.NOTHING,
    Fault.CUT_MIDWAY: Sending.NOTHING,
    Fault.LATE: Sending.NOTHING,
    Fault.HALF_ANSWER: Sending.HALF,
    Fault.RESET_IDLE: Sending.THEN_RESET,
}
ACTS_LATE = frozenset({Fault.LATE, Fault.ANSWER_LATE_504})
_UNPROCESSED = ACTS_LATE | {
    Fault.CUT_BEFORE,
    Fault.HTML_503,
    Fault.ERROR_500_BEFORE,
    Fault.TOO_MANY,
    Fault.CUT_MIDWAY,
}
_BY_COIN = {Fault.HTML_200, Fault.HTML_502}
_PAGES = {Fault.HTML_200: 200, Fault.HTML_502: 502, Fault.HTML_503: 503}


def sending_of(fault: Fault | None) -> Sending:
    """How the answer of a request with this fault is sent."""
    return Sending.WHOLE if fault is None else _SENDINGS.get(fault, Sending.WHOLE)


def processed_at_once(fault: Fault | None, rng: random.Random) -> bool:
    """Whether a request with this fault is processed all the same, before its answer."""
    if fault in _BY_COIN:
        return rng.random() < 0.5
    return fault not in _UNPROCESSED


def disturbed(fault: Fault, reply: Reply, rng: random.Random) -> Reply:
    """The answer after the fault."""
    if fault in _PAGES:
        page = f"<html><body><h1>{_PAGES[fault]}</h1><p>nginx</p></body></html>"
        return Reply(_PAGES[fault], page.encode(), "text/html")
    if fault in (Fault.ERROR_500_BEFORE, Fault.ERROR_500_AFTER):
        return Reply(500, b"<html><body><h1>500 Internal Server Error</h1></body></html>", "text/html")
    if fault is Fault.ANSWER_LATE_504:
        return json_reply(504, {"ok": False, "message": "Gateway timeout"})
    if fault is Fault.ERROR_JSON:
        return json_reply(rng.choice(ERROR_STATUSES), {"ok": False, "message": "Something went wrong."})
    if fault is Fault.LEFT_OUT and reply.status == 200 and b'"tasks":[{"id"' in reply.body[:20]:
        return _without_half(reply)
    return reply


def _without_half(reply: Reply) -> Reply:
    """The answer to a bulk rating, with half of its verdicts."""
    answer = json.loads(reply.body)
    if not isinstance(answer, dict) or "ok" in answer:
        return reply
    return attrs.evolve(reply, body=json.dumps({**answer, "tasks": answer.get("tasks", [])[::2]}).encode())
