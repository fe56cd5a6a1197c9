"""The sandbox as an ASGI application: Starlette around one endpoint that answers every path."""

from __future__ import annotations

from typing import Any

import anyio
from starlette import requests
from starlette.applications import Starlette
from starlette.responses import JSONResponse
from starlette.routing import Mount, Route
from starlette.types import ASGIApp, Receive, Scope, Send

from .delivery import Delivery
from .disturbance import Sending
from .messages import Reply, Request


class HttpEndpoint:
    """Answers every request under `/api/`. Connections are really cut, by the server's own transport."""

    def __init__(self, delivery: Delivery) -> None:
        self._delivery = delivery

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        arrived = requests.Request(scope, receive)
        request = Request(
            arrived.method,
            arrived.url.path,
            dict(arrived.query_params),
            arrived.headers,
            await arrived.body(),
        )
        reply, sending = await self._delivery.deliver(request)
        connection = scope["extensions"]["picoworkers.connection"]
        if sending is Sending.NOTHING:
            connection.abort()
            # The server must see that the connection is gone before it looks for an answer to send.
            await anyio.sleep(0.001)
            return
        await send({"type": "http.response.start", "status": reply.status, "headers": _headers(reply)})
        if sending is Sending.HALF:
            half = reply.body[: len(reply.body) // 2]
            await send({"type": "http.response.body", "body": half, "more_body": True})
            connection.close()
            await anyio.sleep(0.001)
            return
        await send({"type": "http.response.body", "body": reply.body})
        if sending is Sending.THEN_RESET:
            connection.abort_soon()


def application(delivery: Delivery) -> ASGIApp:
    """The service, with `/_sandbox/ledger` beside it: what really happened, for a test in another process."""

    async def ledger(_: requests.Request) -> JSONResponse:
        return JSONResponse(truth(delivery))

    return Starlette(routes=[Route("/_sandbox/ledger", ledger), Mount("/", HttpEndpoint(delivery))])


def truth(delivery: Delivery) -> dict[str, Any]:
    """The ledger and the counts, as JSON.

    `repeats` is how many entries of the ledger pay a revision of a task that had been rated; `pending` is how
    many requests have not taken effect yet.
    """
    account = delivery.account
    with account.lock:
        delivery.act_due()
        decisions = account.decisions()
        ratings = sum(entry.task_id is not None for entry in account.ledger)
        return {
            "decisions": [
                [task_id, revision, verdict, str(bonus)]
                for (task_id, revision), (verdict, bonus) in decisions.items()
            ],
            "ratings": ratings,
            "repeats": ratings - len(decisions),
            "paid": str(account.paid()),
            "bonus_paid": str(account.bonus_paid()),
            "balance": str(account.store.balance),
            "double_ratings": account.double_ratings,
            "unrated": list(account.store.unrated),
            "requests": len(delivery.requests),
            "pending": delivery.pending(),
            "rate_limited": delivery.rate_limited,
            "complaints": list(delivery.dispatch.complaints),
        }


def _headers(reply: Reply) -> list[tuple[bytes, bytes]]:
    headers = {"content-type": reply.content_type, "content-length": str(len(reply.body)), **reply.headers}
    return [(name.encode(), value.encode()) for name, value in headers.items()]
