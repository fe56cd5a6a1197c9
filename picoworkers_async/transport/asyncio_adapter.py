"""The fast adapter: on asyncio's own connections. Needs the extra `picoworkers-async[fast]`."""

from __future__ import annotations

import asyncio
import copy
import re
from typing import Any, Self
from urllib.parse import urlsplit

from ..credentials import Credentials
from ..errors import Fate
from ..throttle import Permit
from .adapters import OPENING_SHARE, NoResponseError, Response, request_headers
from .connection import Connection
from .failures import without_frames
from .tls import environment_tls

# An idle connection is used again for less than the five seconds after which common services close theirs.
_IDLE_SECONDS = 4.0
# How much later the next of a host's addresses is tried while the one before it does not answer.
_NEXT_ADDRESS_SECONDS = 0.25
# How often a request may find that it cannot be written. Opening further connections is for another attempt, after
# a pause.
_MOST_UNUSABLE = 3
# What may stand in a request's first line: printable ASCII without spaces, and without a fragment.
_TARGET = re.compile('/[!"$-~]*')


class AsyncioAdapter:
    """Sends one request and reads its whole answer. Never follows a redirect, never repeats anything.

    What a failure proves is known by where it comes from: before a request is handed to its connection not a byte
    of it is written, and from then on it counts as sent. `base_url` is where all requests go, `timeout` is in
    seconds for the whole of a request, `max_bytes` is how large an answer may be, unpacked. There are as many
    connections as there are permits at once. To be made where the event loop runs.
    """

    def __init__(
        self, base_url: str, credentials: Credentials, *, user_agent: str, timeout: float, max_bytes: int
    ) -> None:
        parts = urlsplit(base_url)
        self._origin = f"{parts.scheme}://{parts.netloc}"
        self._connections = _Connections(parts.scheme == "https", str(parts.hostname), parts.port, max_bytes)
        common = {"Host": self._connections.host_header} | request_headers(credentials, user_agent)
        head = "".join(f"{name}: {value}\r\n" for name, value in common.items())
        self._get = f" HTTP/1.1\r\n{head}\r\n".encode()
        self._post = f" HTTP/1.1\r\n{head}Content-Type: application/json\r\nContent-Length: ".encode()
        self._timeout = timeout

    def with_timeout(self, timeout: float) -> Self:
        """The same adapter, with another timeout in seconds."""
        other = copy.copy(self)
        other._timeout = timeout
        return other

    def open(self) -> None:
        """Nothing is left to get ready: the certificates were loaded when this was made."""

    async def aclose(self) -> None:
        await self._connections.aclose()

    async def send(self, method: str, url: str, content: bytes | None, permit: Permit) -> Response:
        """Send the request when the permit lets it be written, and read the answer.

        Raises `NoResponseError`, and the errors of a permit that cannot be used.
        """
        connections, timeout = self._connections, self._timeout
        loop = connections.loop
        target, started = self._target(url), loop.time()
        connection = connections.take(started) or await self._opened(timeout)
        spent, unusable = loop.time() - started, 0
        try:
            # Waiting for a slot is no slowness of the service: the time of the request stands still.
            await permit.before_writing()
            while not connection.is_quiet():
                started, unusable = loop.time(), unusable + 1
                connection = await self._usable(connection, unusable, timeout - spent)
                spent += loop.time() - started
                await permit.before_writing()
        except BaseException:
            connections.give_back(connection)
            raise
        permit.may_have_left = True
        # Put together only now: a frame that has it shows the secret in every traceback from the waits above.
        answer = connection.ask(self._head(method, target, content) + (content or b""))
        permit.written()
        timer = loop.call_later(timeout - spent, connection.expire, f"no whole answer within {timeout:g} s")
        try:
            result = await answer
        except BaseException:
            connection.abort()
            raise
        finally:
            timer.cancel()
        connections.give_back(connection)
        if isinstance(result, Response):
            return result
        raise NoResponseError(Fate.UNKNOWN, result)

    def _target(self, url: str) -> bytes:
        """What stands in the request's first line for an address."""
        target = url.removeprefix(self._origin)
        if _TARGET.fullmatch(target):
            return target.encode()
        raise NoResponseError(Fate.NOT_PROCESSED, ValueError("an address that is not of the service"))

    def _head(self, method: str, target: bytes, content: bytes | None) -> bytes:
        start = method.encode() + b" " + target
        return start + self._get if content is None else b"%b%b%d\r\n\r\n" % (start, self._post, len(content))

    async def _usable(self, connection: Connection, times: int, left: float) -> Connection:
        """The same connection, if what came on it was nothing to close it for, or a new one."""
        if times == _MOST_UNUSABLE:
            problem = f"{times} times a connection closed, or something came, before anything was asked"
            raise NoResponseError(Fate.NOT_PROCESSED, ConnectionError(problem))
        if await connection.read_up():
            return connection
        # One that is opened now holds up the others, but only for as often as that.
        connection.abort()
        return await self._opened(left)

    async def _opened(self, left: float) -> Connection:
        """A new connection, in some of the seconds left. Whatever goes wrong here, nothing was sent."""
        seconds = OPENING_SHARE * left
        raised: Exception
        try:
            return await self._connections.opened(seconds)
        except TimeoutError:
            raised = TimeoutError(f"no connection within {seconds:g} s")
        except Exception as failure:
            raised = without_frames(failure)
        raise NoResponseError(Fate.NOT_PROCESSED, raised)


class _Connections:
    """The connections to one service: idle ones to take, and all of them, to be closed in the end."""

    def __init__(self, secure: bool, host: str, port: int | None, max_bytes: int) -> None:
        default = 443 if secure else 80
        self.loop = asyncio.get_running_loop()
        name = f"[{host}]" if ":" in host else host
        self.host_header = name if port in (None, default) else f"{name}:{port}"
        self._address: dict[str, Any] = {"host": host, "port": port or default}
        self._address["ssl"] = environment_tls() if secure else None
        if isinstance(self.loop, asyncio.BaseEventLoop):
            # uvloop's has no such option.
            self._address["happy_eyeballs_delay"] = _NEXT_ADDRESS_SECONDS
        self._max_bytes = max_bytes
        # The one that was given back last is the likeliest to be open still.
        self._idle: list[Connection] = []
        self._all: set[Connection] = set()
        self._opening: set[asyncio.Task[Connection]] = set()
        self._closed = False
        self._none_left = asyncio.Event()

    def take(self, now: float) -> Connection | None:
        while self._idle:
            connection = self._idle.pop()
            if connection.is_open and now - connection.idle_since < _IDLE_SECONDS:
                return connection
            connection.abort()
        return None

    def give_back(self, connection: Connection) -> None:
        if connection.is_open:
            connection.idle_since = self.loop.time()
            self._idle.append(connection)
        else:
            connection.abort()

    async def opened(self, seconds: float) -> Connection:
        if self._closed:
            raise ConnectionAbortedError("the client was closed")
        # In a task of its own: asyncio's race between addresses loses an open socket when it is cancelled.
        opening = self.loop.create_task(self._open(seconds))
        self._opening.add(opening)
        opening.add_done_callback(self._opening.discard)
        try:
            return await asyncio.shield(opening)
        except asyncio.CancelledError:
            opening.add_done_callback(_close_unused)
            task = asyncio.current_task()
            if opening.cancelled() and task is not None and not task.cancelling():
                raise ConnectionAbortedError("the client was closed") from None
            raise

    async def _open(self, seconds: float) -> Connection:
        async with asyncio.timeout(seconds):
            _, connection = await self.loop.create_connection(self._make, **self._address)
        if connection.is_open:
            self._all.add(connection)
        return connection

    def _make(self) -> Connection:
        return Connection(self._max_bytes, self._lost)

    def _lost(self, connection: Connection) -> None:
        self._all.discard(connection)
        if not self._all:
            self._none_left.set()

    async def aclose(self) -> None:
        """Close all of them; may be called again, at once or later."""
        self._closed = True
        for opening in tuple(self._opening):
            opening.cancel()
        await asyncio.gather(*self._opening, return_exceptions=True)
        for connection in tuple(self._all):
            connection.abort()
        if self._all:
            self._none_left.clear()
            await self._none_left.wait()


def _close_unused(opening: asyncio.Task[Connection]) -> None:
    if not opening.cancelled() and opening.exception() is None:
        opening.result().abort()
