"""A transport whose speed does not fall with the number of its connections."""

from __future__ import annotations

from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable
from functools import partial
from typing import Any, cast

import anyio
import attrs
import httpx

from .tls import environment_tls


class _Lane(httpx.AsyncHTTPTransport):
    """A transport of one connection, which it knows more of than httpcore tells when a request is to be written.

    That event's `info` has `is_quiet` beside the rest, a function: whether the connection is open, and nothing
    came that nobody asked for. A new one over TLS is taken to be: its first bytes are tickets for the next
    connection, and httpcore reads them with the answer only.
    """

    _stream: Any = None
    _knows = False

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        before = request.extensions
        if (trace := before.get("trace")) is None:
            return await super().handle_async_request(request)
        request.extensions = {**before, "trace": partial(self._tell, trace)}
        try:
            return await super().handle_async_request(request)
        finally:
            request.extensions = before

    async def _tell(self, trace: Callable[..., Awaitable[None]], event: str, info: dict[str, Any]) -> None:
        if event.endswith((".connect_tcp.complete", ".start_tls.complete")):
            self._stream, self._knows = info["return_value"], event.endswith(".connect_tcp.complete")
        elif event == "http11.send_request_headers.started":
            info = {**info, "is_quiet": self._is_quiet}
        elif event == "http11.receive_response_headers.complete":
            self._knows = True
        await trace(event, info)

    def _is_quiet(self) -> bool:
        return not (self._knows and self._stream.get_extra_info("is_readable"))


@attrs.define(eq=False, repr=False)
class _Waiter:
    """A request that waits for a lane, which is handed to it directly: first come, first served."""

    lane: _Lane | None = None
    # Looked up when it is made: anyio loads its parts when they are first named.
    event: anyio.Event = attrs.field(factory=lambda: anyio.Event())


class Lanes(httpx.AsyncBaseTransport):
    """Many transports of one connection each: a request takes a free one, so none looks at all the others.

    `lanes` is how many requests may be under way at once; one more waits for as long as its `pool` timeout says,
    and raises `httpx.PoolTimeout` after that. `options` are those of `httpx.AsyncHTTPTransport` (`verify`, `cert`,
    `proxy`, `http2`, `retries` and so on), except `limits`. A lane whose request ended in an exception or a
    cancellation, or whose answer was not read to its end, is closed and replaced: what state it was left in is
    not known. Works on asyncio and trio.
    """

    def __init__(self, lanes: int, **options: Any) -> None:
        if options.get("verify", True) is True and options.get("cert") is None and options.get("trust_env", True):
            options["verify"] = environment_tls()
        limits = httpx.Limits(max_connections=1, max_keepalive_connections=1)
        self._make = partial(_Lane, limits=limits, **options)
        self._unmade = lanes
        # The one that was given back last is the likeliest to have its connection still open.
        self._free: list[_Lane] = []
        self._waiting: deque[_Waiter] = deque()
        self._all: set[_Lane] = set()

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        lane = self._take() or await self._next_free(request)
        try:
            response = await lane.handle_async_request(request)
        except BaseException:
            await self.replace(lane)
            raise
        response.stream = _LaneStream(self, lane, cast("httpx.AsyncByteStream", response.stream))
        return response

    async def aclose(self) -> None:
        for lane in tuple(self._all):
            await lane.aclose()

    def give_back(self, lane: _Lane) -> None:
        """The lane is free again: the request that waits longest gets it."""
        if self._waiting:
            waiter = self._waiting.popleft()
            waiter.lane = lane
            waiter.event.set()
        else:
            self._free.append(lane)

    async def replace(self, lane: _Lane) -> None:
        """Close the lane, and give back a fresh one."""
        # First the fresh one, so that no cancellation of the closing can lose a place.
        self._all.discard(lane)
        self.give_back(self._fresh())
        with anyio.CancelScope(shield=True):
            await lane.aclose()

    def _take(self) -> _Lane | None:
        if self._free:
            return self._free.pop()
        if self._unmade:
            self._unmade -= 1
            return self._fresh()
        return None

    def _fresh(self) -> _Lane:
        lane = self._make()
        self._all.add(lane)
        return lane

    async def _next_free(self, request: httpx.Request) -> _Lane:
        waiter = _Waiter()
        self._waiting.append(waiter)
        try:
            with anyio.move_on_after(request.extensions.get("timeout", {}).get("pool")):
                await waiter.event.wait()
        except BaseException:
            if waiter.lane is None:
                self._waiting.remove(waiter)
            else:
                self.give_back(waiter.lane)
            raise
        if waiter.lane is None:
            self._waiting.remove(waiter)
            raise httpx.PoolTimeout("no lane became free", request=request)
        return waiter.lane


class _LaneStream(httpx.AsyncByteStream):
    """The body of an answer. Closed after its end, it frees its lane; closed before, it has the lane replaced."""

    def __init__(self, lanes: Lanes, lane: _Lane, stream: httpx.AsyncByteStream) -> None:
        self._lanes = lanes
        self._lane: _Lane | None = lane
        self._stream = stream
        self._parts = stream.__aiter__()
        self._ended = False

    def __aiter__(self) -> AsyncIterator[bytes]:
        return self

    async def __anext__(self) -> bytes:
        try:
            return await self._parts.__anext__()
        except StopAsyncIteration:
            self._ended = True
            raise

    async def aclose(self) -> None:
        lane, self._lane = self._lane, None
        if lane is None:
            return
        try:
            await self._stream.aclose()
        except BaseException:
            await self._lanes.replace(lane)
            raise
        if self._ended:
            self._lanes.give_back(lane)
        else:
            await self._lanes.replace(lane)
