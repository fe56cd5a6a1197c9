"""The sandbox in process: an httpx transport, with the failures that a real connection would have."""

from __future__ import annotations

from typing import TYPE_CHECKING

import anyio
import httpx

from .log import Asked
from .performance import Delivery, Stage, perform
from .service import parse_query

if TYPE_CHECKING:
    from .service import Sandbox


class SandboxTransport(httpx.AsyncBaseTransport):
    """Hands requests to a sandbox in the same process."""

    def __init__(self, sandbox: Sandbox) -> None:
        self._sandbox = sandbox
        self._stage = Stage()

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        asked = Asked(
            request.method,
            request.url.path,
            parse_query(request.url.query.decode()) if request.url.query else {},
            request.headers,
            await request.aread(),
        )
        timeout = request.extensions.get("timeout", {}).get("read")
        try:
            with anyio.fail_after(timeout):
                reply, delivery = await perform(self._sandbox, self._stage, asked)
        except TimeoutError:
            raise httpx.ReadTimeout("", request=request) from None
        if delivery is Delivery.NOTHING:
            raise httpx.RemoteProtocolError("Server disconnected without sending a response.", request=request)
        if delivery is Delivery.HALF:
            raise httpx.RemoteProtocolError(
                "peer closed connection without sending complete message body", request=request
            )
        headers = {"content-type": reply.content_type, **reply.headers}
        return httpx.Response(reply.status, headers=headers, content=reply.body, request=request)
