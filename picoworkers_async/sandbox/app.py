"""The sandbox as an ASGI application: Starlette around one endpoint that answers every path."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import anyio
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Mount, Route
from starlette.types import ASGIApp, Receive, Scope, Send

from .log import Asked, Reply
from .performance import Delivery, Stage, perform

if TYPE_CHECKING:
    from .service import Sandbox


class Service:
    """Answers every request under `/api/`. Connections are really cut, by the server's own transport."""

    def __init__(self, sandbox: Sandbox) -> None:
        self._sandbox = sandbox
        self._stage = Stage()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        asked = Asked(
            request.method, request.url.path, dict(request.query_params), request.headers, await request.body()
        )
        reply, delivery = await perform(self._sandbox, self._stage, asked)
        connection = scope["extensions"]["picoworkers.connection"]
        if delivery is Delivery.NOTHING:
            connection.abort()
            # The server must see that the connection is gone before it looks for an answer to send.
            await anyio.sleep(0.001)
            return
        await send({"type": "http.response.start", "status": reply.status, "headers": _headers(reply)})
        if delivery is Delivery.HALF:
            half = reply.body[: len(reply.body) // 2]
            await send({"type": "http.response.body", "body": half, "more_body": True})
            connection.close()
            await anyio.sleep(0.001)
            return
        await send({"type": "http.response.body", "body": reply.body})
        if delivery is Delivery.THEN_RESET:
            connection.abort_soon()


def application(sandbox: Sandbox) -> ASGIApp:
    """The service, and beside it `/_sandbox/ledger`: what really happened, for a test in another process."""

    async def ledger(request: Request) -> JSONResponse:
        return JSONResponse(truth(sandbox))

    return Starlette(routes=[Route("/_sandbox/ledger", ledger), Mount("/", Service(sandbox))])


def truth(sandbox: Sandbox) -> dict[str, Any]:
    """The ledger and the counts, as JSON."""
    with sandbox.lock:
        return {
            "decisions": [
                [task_id, revision, verdict, str(bonus)]
                for (task_id, revision), (verdict, bonus) in sandbox.decisions().items()
            ],
            "ratings": sum(entry.task_id is not None for entry in sandbox.ledger),
            "paid": str(sandbox.paid),
            "bonus_paid": str(sandbox.bonus_paid),
            "double_ratings": sandbox.double_ratings,
            "unrated": sandbox.unrated(),
            "requests": len(sandbox.requests),
            "rate_limited": sandbox.rate_limited,
            "complaints": list(sandbox.complaints),
        }


def _headers(reply: Reply) -> list[tuple[bytes, bytes]]:
    headers = {"content-type": reply.content_type, "content-length": str(len(reply.body)), **reply.headers}
    return [(name.encode(), value.encode()) for name, value in headers.items()]
