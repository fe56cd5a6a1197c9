"""A service that is away for a while: a transport that fails in one of several ways, until it is back."""

from __future__ import annotations

import anyio
import httpx

HTML = b"<html><body><h1>We are working on it</h1></body></html>"
WAYS = ("refused", "503", "cut", "html", "404", "redirect", "half")


class AwayTransport(httpx.AsyncBaseTransport):
    """Carries requests to another transport, but from `at` until `at + seconds` of the event loop's clock.

    "cut" carries them, and loses their answers. `tries` are the times of the requests that came meanwhile.
    """

    def __init__(self, inner: httpx.AsyncBaseTransport, way: str, at: float, seconds: float) -> None:
        self.inner, self.way, self.at, self.seconds = inner, way, at, seconds
        self.tries: list[float] = []

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        now = anyio.current_time()
        if not self.at <= now < self.at + self.seconds:
            return await self.inner.handle_async_request(request)
        self.tries.append(now)
        match self.way:
            case "refused":
                # As httpx raises it: what proves that nothing was sent is the exception it was raised from.
                raise httpx.ConnectError("refused", request=request) from _core_refused()
            case "503":
                return httpx.Response(503, content=HTML, headers={"content-type": "text/html"}, request=request)
            case "html":
                return httpx.Response(200, content=HTML, headers={"content-type": "text/html"}, request=request)
            case "404":
                return httpx.Response(404, content=HTML, headers={"content-type": "text/html"}, request=request)
            case "redirect":
                return httpx.Response(302, headers={"location": "/maintenance"}, request=request)
            case "half":
                return httpx.Response(200, content=b'{"ok": tr', request=request)
        await self.inner.handle_async_request(request)
        raise httpx.RemoteProtocolError("Server disconnected without sending a response.", request=request)


def _core_refused() -> Exception:
    import httpcore

    return httpcore.ConnectError("refused")
