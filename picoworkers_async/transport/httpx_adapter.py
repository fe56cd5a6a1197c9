"""The adapter over a client of httpx or httpx2, our own or the user's."""

from __future__ import annotations

import copy
import math
from collections.abc import Callable
from typing import Any, Self

import anyio

from ..credentials import Credentials
from ..errors import Fate, PicoworkersError
from ..throttle import Permit
from .adapters import OPENING_SHARE, NoResponseError, Response, request_headers
from .bodies import UnusableBodyError, read_body
from .clients import ClientSource
from .failures import fate_of, without_frames

# The whole time of a request over a client of the user's: at least this, or so much where the client has no limit.
_LEAST_SECONDS = 30.0
_UNLIMITED_SECONDS = 300.0


class HttpxAdapter:
    """Sends one request and reads its whole answer. Never follows a redirect, never repeats anything.

    `timeout` is in seconds for the whole of a request; None leaves a shared client's own in force. `max_bytes` is
    how large an answer may be, unpacked.
    """

    def __init__(
        self,
        source: ClientSource,
        credentials: Credentials,
        *,
        user_agent: str,
        timeout: float | None,
        max_bytes: int,
    ) -> None:
        self._source = source
        self._timeout = timeout
        self._max_bytes = max_bytes
        common = request_headers(credentials, user_agent)
        self._get = source.headers(common)
        self._post = source.headers(common | {"Content-Type": "application/json"})

    def with_timeout(self, timeout: float) -> Self:
        """The same adapter, with another timeout in seconds."""
        other = copy.copy(self)
        other._timeout = timeout
        return other

    @property
    def name(self) -> str:
        return self._source.name

    async def open(self) -> None:
        """Get ready before anything waits for a slot: what takes time now would make a request arrive late."""
        _ = self._source.client

    async def aclose(self) -> None:
        await self._source.aclose()

    async def send(self, method: str, url: str, content: bytes | None, permit: Permit) -> Response:
        """Send the request when the permit lets it be written, and read the answer.

        Raises `NoResponseError`, and the errors of a permit that cannot be used. Anything else that is raised
        from the moment the client was handed the request counts as sent, unless it proves the contrary.
        """
        moment = _Moment(permit, self._source)
        request, seconds = self._prepared(method, url, content, moment)
        await moment.hand_over()
        raised: BaseException
        fate = Fate.UNKNOWN
        try:
            with anyio.move_on_after(seconds) as moment.deadline:
                response = await self._exchange(request)
                moment.answered()
                return response
            raised = TimeoutError(f"no whole answer within {seconds:g} s")
        except BaseException as failure:
            fate = Fate.UNKNOWN if moment.started else fate_of(failure, ours=self._source.ours)
            raised = without_frames(failure)
        # Raised here, not there: what is being handled around the caller is its context, and nothing of below.
        if not isinstance(raised, Exception):
            raise raised
        if moment.refusal is not None and not moment.started:
            raise moment.refusal
        moment.failed(fate)
        raise NoResponseError(fate, raised)

    def _prepared(self, method: str, url: str, content: bytes | None, moment: _Moment) -> tuple[Any, float]:
        """The request, and how many seconds it may take in all."""
        extensions: dict[str, Any] = {"trace": moment.trace} if self._source.watched else {}
        if (seconds := self._timeout) is not None:
            opening = OPENING_SHARE * seconds
            extensions["timeout"] = {"connect": opening, "pool": opening, "read": seconds, "write": seconds}
        raised: Exception
        try:
            if self._source.client.is_closed:
                raise RuntimeError("the http_client that was given is closed")
            headers = self._get if content is None else self._post
            request = self._source.request(method, url, headers, content, extensions)
            return request, self._longest() if seconds is None else seconds
        except Exception as failure:
            raised = without_frames(failure)
        # Nothing was sent yet: this much is certain of a request that could not be made.
        raise NoResponseError(Fate.NOT_PROCESSED, raised)

    def _longest(self) -> float:
        """How many seconds a request may take over a client that keeps its own timeouts for each step."""
        own = self._source.client.timeout.as_dict().values()
        return _UNLIMITED_SECONDS if None in own else max(_LEAST_SECONDS, *own)

    async def _exchange(self, request: Any) -> Response:
        response = await self._source.client.send(request, stream=True, auth=None, follow_redirects=False)
        status, headers = response.status_code, response.headers
        try:
            return Response(status, headers, await read_body(response, self._max_bytes))
        except UnusableBodyError as problem:
            return Response(status, headers, b"", str(problem))
        except Exception as failure:
            if status == 429:
                # Its head says all that matters.
                return Response(status, headers, b"", str(failure))
            raise
        finally:
            await response.aclose()


def _unknown() -> bool:
    """A connection about which nothing is known: it is assumed to be quiet."""
    return True


class _Moment:
    """Reports to a permit when its request is written: by httpcore's events or, without them, at the hand-over.

    A client that has such events shows it by the first of them (they come through `extensions["trace"]`); one
    that was assumed to have them, and does not, by its first answer. `refusal` is why the request must not be
    written: the error of a permit that cannot be used, or that something came on its lane's connection before.
    """

    def __init__(self, permit: Permit, source: ClientSource) -> None:
        self._permit = permit
        self._source = source
        self.started = False
        self.refusal: PicoworkersError | NoResponseError | None = None
        self.deadline: anyio.CancelScope | None = None

    async def hand_over(self) -> None:
        # Nobody else writes between the two, so they frame no opening of a connection.
        if not self._source.traces:
            await self._permit.before_writing()
            self._permit.written()
        # Only a client of ours is known to tell of each request when it is written.
        if not (self._source.traces and self._source.ours):
            self._permit.may_have_left = True

    async def trace(self, event: str, info: dict[str, Any]) -> None:
        _, _, name = event.partition(".")
        if name == "send_request_headers.started":
            if info["request"].method == b"CONNECT":
                # To a proxy, which is not the service.
                return
            self._source.traces = True
            await self._before_writing(info.get("is_quiet", _unknown))
            self.started = self._permit.may_have_left = True
        elif self.started and name in ("send_request_headers.complete", "send_request_headers.failed"):
            self._permit.written()

    async def _before_writing(self, is_quiet: Callable[[], bool]) -> None:
        """Waiting for a slot is not the service's slowness: the deadline waits too."""
        scope = self.deadline
        if scope is None:
            return
        left, scope.deadline = scope.deadline - anyio.current_time(), math.inf
        try:
            await self._permit.before_writing()
        except PicoworkersError as refusal:
            self.refusal = refusal
            raise
        scope.deadline = anyio.current_time() + left
        if not is_quiet():
            # What came until now would be taken for the answer.
            problem = ConnectionError(
                "the connection closed, or brought an answer, before the request was written"
            )
            self.refusal = NoResponseError(Fate.NOT_PROCESSED, problem)
            raise self.refusal

    def answered(self) -> None:
        if self._source.traces and not self.started:
            self._source.traces = False
            self._permit.written()

    def failed(self, fate: Fate) -> None:
        if self._source.traces and not self.started and fate is not Fate.NOT_PROCESSED:
            self._permit.written()
