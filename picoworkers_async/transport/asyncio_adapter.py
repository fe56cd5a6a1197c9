"""The fast adapter: on asyncio's own connections. Needs the extra `picoworkers-async[fast]`."""

from __future__ import annotations

import copy
import re
from typing import Self
from urllib.parse import urlsplit

from ..credentials import Credentials
from ..errors import ClientStateError, Fate
from ..throttle import Permit
from .adapters import OPENING_SHARE, NoResponseError, Response, request_headers
from .connection import Connection
from .connections import Connections
from .failures import without_frames

# How often a request may find that it cannot be written. Opening further connections is for another attempt, after
# a pause.
_MOST_UNUSABLE = 3
# What may stand in a request's first line: printable ASCII without spaces, and without a fragment.
_TARGET = re.compile('/[!"$-~]*')


class AsyncioAdapter:
    """Sends one request and reads its whole answer. Never follows a redirect, never repeats anything.

    What a failure proves is known from where it happens: before a request is handed to its connection not a byte
    of it is written, and from then on it counts as sent. `base_url` is where all requests go, `timeout` is in
    seconds for the whole of a request, `max_bytes` is how large an answer may be, unpacked. There are as many
    connections as there are permits at once; `shared` ones, to the same service, may be others' too. Create it
    where the event loop runs.
    """

    name = "fast"

    def __init__(
        self,
        base_url: str,
        credentials: Credentials,
        *,
        user_agent: str,
        timeout: float,
        max_bytes: int,
        shared: Connections | None = None,
    ) -> None:
        parts = urlsplit(base_url)
        self._origin = f"{parts.scheme}://{parts.netloc}"
        self._connections = shared or Connections(base_url)
        self._max_bytes = max_bytes
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

    async def open(self) -> None:
        """Do nothing: the certificates were loaded when this was made."""

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
        answer = connection.ask(self._head(method, target, content) + (content or b""), self._max_bytes)
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
        """The address in the request's first line."""
        target = url.removeprefix(self._origin)
        if _TARGET.fullmatch(target):
            return target.encode()
        # A fault of the program, and no service that is away: nobody is to wait for its end.
        raise ClientStateError("nothing was sent: the address is not the service's")

    def _head(self, method: str, target: bytes, content: bytes | None) -> bytes:
        start = method.encode() + b" " + target
        return start + self._get if content is None else b"%b%b%d\r\n\r\n" % (start, self._post, len(content))

    async def _usable(self, connection: Connection, times: int, left: float) -> Connection:
        """The same connection, if nothing came on it for which to close it, or a new one."""
        if times == _MOST_UNUSABLE:
            problem = f"{times} times in a row, a connection closed or brought data before the request was written"
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
