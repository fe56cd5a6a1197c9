"""A transport whose speed does not fall with the number of its connections."""

from __future__ import annotations

from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable
from functools import partial
from typing import Any, Self

import anyio
import attrs

from .package import default_package, made_of
from .tls import environment_tls


class _Lane:
    """A transport of one connection, of either package, which knows more about it than httpcore reports.

    When a request is about to be written, that event's `info` also has `is_quiet`, a function: whether the
    connection is open, and nothing came that nobody asked for. A new one over TLS is assumed to be: its first
    bytes are tickets for the next connection, and httpcore reads them only with the answer.
    """

    _stream: Any = None
    _knows = False

    async def handle_async_request(self, request: Any) -> Any:
        sender: Any = super()
        before = request.extensions
        if (trace := before.get("trace")) is None:
            return await sender.handle_async_request(request)
        request.extensions = {**before, "trace": partial(self._tell, trace)}
        try:
            return await sender.handle_async_request(request)
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

    lane: Any = None
    # Looked up when it is made: anyio loads its parts when they are first named.
    event: anyio.Event = attrs.field(factory=lambda: anyio.Event())


class Lanes:
    """Many transports of one connection each: a request takes a free one, so none has to search all the others.

    `lanes` is how many requests may be in flight at once; one more waits for as long as its `pool` timeout says,
    and then raises `PoolTimeout`. `package` is httpx or httpx2: that of the client which sends through this, and
    of the transports within. `options` are those of its `AsyncHTTPTransport` (`verify`, `cert`, `proxy`,
    `http2`, `retries` and so on), except `limits`. A lane whose request ended in an exception or a cancellation,
    or whose answer was not read to its end, is closed and replaced, because its state is not known. Works on
    asyncio and trio.
    """

    def __init__(self, lanes: int, package: Any = None, **options: Any) -> None:
        package = package or default_package()
        self.package: Any = package
        if options.get("verify", True) is True and options.get("cert") is None and options.get("trust_env", True):
            options["verify"] = environment_tls()
        limits = package.Limits(max_connections=1, max_keepalive_connections=1)
        self._make = partial(made_of(_Lane, package.AsyncHTTPTransport), limits=limits, **options)
        self._unmade = lanes
        # The one that was given back last is the likeliest to have its connection still open.
        self._free: list[Any] = []
        self._waiting: deque[_Waiter] = deque()
        self._all: set[Any] = set()

    async def handle_async_request(self, request: Any) -> Any:
        try:
            lane = self._take()
        except Exception as failure:
            # Told as what it is: no connection was even begun.
            raise self.package.ConnectError(
                f"no lane could be made ({type(failure).__name__})", request=request
            ) from failure
        lane = lane or await self._next_free(request)
        try:
            response = await lane.handle_async_request(request)
        except BaseException:
            await self.replace(lane)
            raise
        response.stream = made_of(_LaneStream, self.package.AsyncByteStream)(self, lane, response.stream)
        return response

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        for lane in tuple(self._all):
            await lane.aclose()

    def give_back(self, lane: Any) -> None:
        """The lane is free again: the request that waits longest gets it."""
        if self._waiting:
            waiter = self._waiting.popleft()
            waiter.lane = lane
            waiter.event.set()
        else:
            self._free.append(lane)

    async def replace(self, lane: Any) -> None:
        """Close the lane, and put a fresh one in its place."""
        # First the fresh one, so that no cancellation of the closing can lose a place.
        self._all.discard(lane)
        self.give_back(self._fresh())
        with anyio.CancelScope(shield=True):
            await lane.aclose()

    def _take(self) -> Any:
        if self._free:
            return self._free.pop()
        if self._unmade:
            lane = self._fresh()
            self._unmade -= 1
            return lane
        return None

    def _fresh(self) -> Any:
        lane = self._make()
        self._all.add(lane)
        return lane

    async def _next_free(self, request: Any) -> Any:
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
            raise self.package.PoolTimeout("no lane became free", request=request)
        return waiter.lane


class _LaneStream:
    """The body of an answer. Closed after its end, it frees its lane; closed before, it has the lane replaced."""

    def __init__(self, lanes: Lanes, lane: Any, stream: Any) -> None:
        self._lanes = lanes
        self._lane: Any = lane
        self._stream = stream
        self._parts = stream.__aiter__()
        self._ended = False

    def __aiter__(self) -> AsyncIterator[bytes]:
        return self

    async def __anext__(self) -> bytes:
        try:
            part: bytes = await self._parts.__anext__()
        except StopAsyncIteration:
            self._ended = True
            raise
        return part

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
