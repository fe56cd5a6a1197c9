"""The sandbox in process: an httpx transport, with the failures that a real connection would have."""

from __future__ import annotations

import anyio
import httpx

from .delivery import Delivery
from .disturbance import Sending
from .messages import Request, parse_query


class SandboxTransport(httpx.AsyncBaseTransport):
    """Hands requests to a sandbox in the same process."""

    def __init__(self, delivery: Delivery) -> None:
        self._delivery = delivery

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        arrived = Request(
            request.method,
            request.url.path,
            parse_query(request.url.query.decode()) if request.url.query else {},
            request.headers,
            await request.aread(),
        )
        timeout = request.extensions.get("timeout", {}).get("read")
        try:
            with anyio.fail_after(timeout):
                reply, sending = await self._delivery.deliver(arrived)
        except TimeoutError:
            raise httpx.ReadTimeout("", request=request) from None
        if sending is Sending.NOTHING:
            raise httpx.RemoteProtocolError("Server disconnected without sending a response.", request=request)
        if sending is Sending.HALF:
            raise httpx.RemoteProtocolError(
                "peer closed connection without sending complete message body", request=request
            )
        headers = {"content-type": reply.content_type, **reply.headers}
        return httpx.Response(reply.status, headers=headers, content=reply.body, request=request)
