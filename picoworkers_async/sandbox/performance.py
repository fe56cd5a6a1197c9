"""One request from arrival to answer: the limit, the latency, the fault, the log. Shared by both ways in."""

from __future__ import annotations

import enum
import json
import random
from typing import TYPE_CHECKING, Any

import anyio
import attrs

from .faults import Fault
from .log import Asked, Logged, Reply

if TYPE_CHECKING:
    from .service import Sandbox


class Delivery(enum.Enum):
    """How an answer goes out."""

    WHOLE = "whole"
    HALF = "half"
    """Half of the body, then the connection is cut."""
    NOTHING = "nothing"
    """The connection is cut without an answer."""
    THEN_RESET = "then_reset"
    """Whole; then the idle connection is reset."""


_DELIVERIES = {
    Fault.CUT_BEFORE: Delivery.NOTHING,
    Fault.CUT_AFTER: Delivery.NOTHING,
    Fault.CUT_MIDWAY: Delivery.NOTHING,
    Fault.HALF_ANSWER: Delivery.HALF,
    Fault.RESET_IDLE: Delivery.THEN_RESET,
}
_UNPROCESSED = {Fault.CUT_BEFORE, Fault.HTML_503, Fault.ERROR_500_BEFORE, Fault.TOO_MANY, Fault.CUT_MIDWAY}
_BY_COIN = {Fault.HTML_200, Fault.HTML_502}
_PAGES = {Fault.HTML_200: 200, Fault.HTML_502: 502, Fault.HTML_503: 503}


@attrs.define(eq=False)
class Stage:
    """Counts the requests under way."""

    now: int = 0


def processed_despite(fault: Fault | None, rng: random.Random) -> bool:
    """Whether a request that meets this fault is processed all the same."""
    if fault in _BY_COIN:
        return rng.random() < 0.5
    return fault not in _UNPROCESSED


async def perform(sandbox: Sandbox, stage: Stage, asked: Asked) -> tuple[Reply, Delivery]:
    """Carry a request through, and say how its answer is to be delivered."""
    arrived = sandbox.clock()
    with sandbox.lock:
        stage.now += 1
        sandbox.peak_concurrency = max(sandbox.peak_concurrency, stage.now)
        limited = sandbox.admit(arrived)
        fault, processed, seconds = None, limited is None, _draw_latency(sandbox)
        if limited is None:
            endpoint = sandbox.endpoint_of(asked)
            fault = sandbox.faults.draw(endpoint.name, sandbox.rng) if endpoint else None
            processed = processed_despite(fault, sandbox.rng)
    try:
        await anyio.sleep(seconds / 2)
        if fault is Fault.CUT_MIDWAY:
            _process_half(sandbox, asked)
        reply = limited or (sandbox.answer(asked) if processed else Reply(200, b"{}"))
        reply = _disturbed(sandbox, fault, reply)
        sandbox.requests.append(_logged(arrived, asked, reply, fault))
        await anyio.sleep(seconds / 2 + (sandbox.faults.slow_seconds if fault is Fault.SLOW else 0.0))
    finally:
        with sandbox.lock:
            stage.now -= 1
    return reply, _DELIVERIES.get(fault, Delivery.WHOLE) if fault else Delivery.WHOLE


def _draw_latency(sandbox: Sandbox) -> float:
    if isinstance(sandbox.latency, tuple):
        return sandbox.rng.uniform(*sandbox.latency)
    return sandbox.latency


def _process_half(sandbox: Sandbox, asked: Asked) -> None:
    """Rate the first half of the tasks of a bulk rating, as a service that dies in the midst of it."""
    body = json.loads(asked.body) if asked.path.endswith("/rate-multiple-tasks.php") else {}
    half = {**body, "tasks": body["tasks"][: len(body["tasks"]) // 2]} if "tasks" in body else {}
    if half.get("tasks"):
        sandbox.answer(attrs.evolve(asked, body=json.dumps(half).encode()))


def _without_half(reply: Reply) -> Reply:
    """The answer to a bulk rating, with half of its verdicts."""
    answer = json.loads(reply.body)
    if not isinstance(answer, dict) or "ok" in answer:
        return reply
    return attrs.evolve(reply, body=json.dumps({**answer, "tasks": answer.get("tasks", [])[::2]}).encode())


def _disturbed(sandbox: Sandbox, fault: Fault | None, reply: Reply) -> Reply:
    if fault in _PAGES:
        page = f"<html><body><h1>{_PAGES[fault]}</h1><p>nginx</p></body></html>"
        return Reply(_PAGES[fault], page.encode(), "text/html")
    if fault in (Fault.ERROR_500_BEFORE, Fault.ERROR_500_AFTER):
        return Reply(500, b"<html><body><h1>500 Internal Server Error</h1></body></html>", "text/html")
    if fault is Fault.LEFT_OUT and reply.status == 200 and b'"tasks":[{"id"' in reply.body[:20]:
        return _without_half(reply)
    if fault is Fault.TOO_MANY:
        return Reply(429, b'{"ok":false,"message":"Too many requests."}', headers={"retry-after": "0"})
    return reply


def _logged(arrived: float, asked: Asked, reply: Reply, fault: Fault | None) -> Logged:
    body: Any = None
    if asked.body:
        try:
            body = json.loads(asked.body)
        except ValueError:
            body = asked.body.decode("utf-8", "replace")
    name = fault.value if fault else None
    return Logged(arrived, asked.method, asked.path, asked.query, body, reply.status, name)
