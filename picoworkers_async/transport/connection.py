"""One connection to the service on asyncio: requests are written to it, httptools reads the answers."""

from __future__ import annotations

import asyncio
import select
from collections.abc import Callable
from typing import cast

import httptools

from .adapters import Response
from .bodies import Body, UnusableBodyError

# How much may come without a byte of a body in it: a head, or what stands between and behind a body's chunks.
_MOST_BYTES_WITHOUT_BODY = 128 * 1024
# Rounds of the event loop: one finds that something came, the next reads it, and a third closes what was lost.
_ROUNDS_TO_READ = 4


class Connection(asyncio.Protocol):
    """One request at a time, each with one answer.

    Anything unasked-for closes it, so that no answer is ever taken for another request's. `is_open` says that it
    may be written to; `on_lost` is called when it is closed for good.
    """

    def __init__(self, on_lost: Callable[[Connection], None]) -> None:
        self.is_open: bool = False
        self.idle_since: float = 0.0
        self._max_bytes = 0
        self._on_lost = on_lost
        self._loop = asyncio.get_running_loop()
        self._parser = httptools.HttpResponseParser(self)
        self._answer: asyncio.Future[Response | Exception] | None = None
        self._status = 0
        self._headers: dict[str, str] = {}
        self._body: Body | None = None
        self._without_body = 0

    def ask(self, request: bytes, max_bytes: int) -> asyncio.Future[Response | Exception]:
        """Write a request, in one piece; its answer comes as the future's result, or why there is none.

        The answer may be of `max_bytes` at most when unpacked.
        """
        self._answer = answer = self._loop.create_future()
        self._max_bytes = max_bytes
        self._status = self._without_body = 0
        self._transport.write(request)
        return answer

    def expire(self, limit: str) -> None:
        """The answer has not come in time."""
        self._fail(TimeoutError(limit))

    def abort(self) -> None:
        """Close at once."""
        self.is_open = False
        self._transport.abort()

    def is_quiet(self) -> bool:
        """Whether it is open, and nothing came that the event loop has not read yet.

        Call it right before a request is written: what came until then is not its answer. What was still on its
        way then, or came between this check and the write, no client can tell from an answer.
        """
        return self.is_open and not self._poll()

    async def read_up(self) -> bool:
        """Have the event loop read what came, and return whether that was nothing for which to close it.

        An answer or an end is a reason; the tickets that TLS sends for its next connection are not.
        """
        for _ in range(_ROUNDS_TO_READ):
            await asyncio.sleep(0)
            if self.is_quiet():
                return True
        return False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        self._poll = _poller(transport.get_extra_info("socket").fileno())
        self.is_open = True

    def data_received(self, data: bytes) -> None:
        if self._answer is None:
            self.abort()
            return
        self._without_body += len(data)
        try:
            self._parser.feed_data(data)
        except (httptools.HttpParserError, httptools.HttpParserUpgrade) as error:
            self._fail(ConnectionError(f"the answer is not HTTP ({type(error).__name__})"))
        if self._without_body > _MOST_BYTES_WITHOUT_BODY:
            self._fail(ConnectionError("the answer's head is too large"))

    def eof_received(self) -> None:
        self.is_open = False
        if self._status and not ("content-length" in self._headers or "transfer-encoding" in self._headers):
            # Such a body lasts until the connection ends.
            self.on_message_complete()

    def connection_lost(self, error: Exception | None) -> None:
        self._fail(ConnectionError(str(error) if error else "the connection was closed before the answer's end"))
        self._on_lost(self)

    def on_message_begin(self) -> None:
        self._headers = {}
        if self._answer is None:
            self.is_open = False

    def on_header(self, name: bytes, value: bytes | None) -> None:
        if not self._status:
            key, text = name.decode("latin-1").lower(), (value or b"").decode("latin-1")
            self._headers[key] = f"{self._headers[key]}, {text}" if key in self._headers else text

    def on_headers_complete(self) -> None:
        if self._answer is None or (status := self._parser.get_status_code()) < 200:
            return
        self._status = status
        try:
            self._body = Body(self._max_bytes, self._headers.get("content-encoding", ""))
        except UnusableBodyError as problem:
            self._give_up_body(problem)

    def on_body(self, part: bytes) -> None:
        self._without_body = 0
        if self._answer is None or self._body is None:
            return
        try:
            self._body.feed(part)
        except UnusableBodyError as problem:
            self._give_up_body(problem)

    def on_message_complete(self) -> None:
        if not self._status or self._answer is None or self._body is None:
            return
        self.is_open = self.is_open and self._parser.should_keep_alive()
        try:
            response = Response(self._status, self._headers, self._body.whole())
        except UnusableBodyError as problem:
            response = self._without(problem)
        self._end(response)

    def _give_up_body(self, problem: Exception) -> None:
        self._end(self._without(problem))
        self.abort()

    def _fail(self, failure: Exception) -> None:
        # The head of a 429 says all that matters.
        self._end(self._without(failure) if self._status == 429 else failure)
        self.abort()

    def _without(self, problem: Exception) -> Response:
        return Response(self._status, self._headers, b"", str(problem))

    def _end(self, result: Response | Exception) -> None:
        answer, self._answer, self._body = self._answer, None, None
        if answer is not None and not answer.done():
            answer.set_result(result)


def _poller(descriptor: int) -> Callable[[], object]:
    """How to ask the operating system whether a socket has something to read, without waiting."""
    if not hasattr(select, "poll"):
        return lambda: select.select([descriptor], [], [], 0)[0]
    poll = select.poll()
    poll.register(descriptor, select.POLLIN)
    return lambda: poll.poll(0)
