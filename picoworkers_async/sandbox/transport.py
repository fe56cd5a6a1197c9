"""The sandbox in process: a transport of httpx or httpx2, with the failures of a real connection."""

from __future__ import annotations

from email.utils import formatdate
from types import TracebackType
from typing import Any, Self

import anyio

from ..transport.package import package_of
from .delivery import Delivery
from .disturbance import Sending
from .messages import Request, parse_query


class SandboxTransport:
    """Hands requests to a sandbox in the same process; answers and fails like the package that asks.

    Make it of a package's `AsyncBaseTransport`.
    """

    def __init__(self, delivery: Delivery) -> None:
        self._delivery = delivery

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Nothing is open."""

    async def aclose(self) -> None:
        """Close nothing: nothing is open."""

    async def handle_async_request(self, request: Any) -> Any:
        package = package_of(request, "Request")
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
            raise package.ReadTimeout("", request=request) from None
        if sending is Sending.NOTHING:
            raise package.RemoteProtocolError("Server disconnected without sending a response.", request=request)
        if sending is Sending.HALF:
            raise package.RemoteProtocolError(
                "peer closed connection without sending complete message body", request=request
            )
        date = formatdate(usegmt=True)  # as every server sends it: the clock by which jobs are dated
        headers = {"date": date, "content-type": reply.content_type, **reply.headers}
        return package.Response(reply.status, headers=headers, content=reply.body, request=request)
