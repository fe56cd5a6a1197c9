"""The ASGI application that the service posts to."""

from __future__ import annotations

import hmac
import logging
import os
from typing import TYPE_CHECKING

import anyio
import anyio.to_thread
from starlette.requests import ClientDisconnect, Request
from starlette.responses import PlainTextResponse
from starlette.types import Receive, Scope, Send

from ..errors import InvalidRequestError
from ..problems import Problem, ProblemCode
from .postback import MOST_BYTES, BadPostbackError, read_postback
from .submitted import Submitted, SubmittedError
from .tasks import SubmittedTasks

if TYPE_CHECKING:
    from ..client import AsyncPicoworkers

logger = logging.getLogger("picoworkers_async")

_LEAST_SECRET = 16
_MOST_AT_ONCE = 16
_SECONDS_FOR_A_BODY = 30.0


class Receiver:
    """Takes postbacks of submitted tasks, as an ASGI application: mount it in Starlette or FastAPI, or serve it.

    `path` is an SQLite file for the ids, made if it is not there; 200 is answered only once they are durable in
    it. With `secret`, at least 16 letters that nobody can guess, the URL to give the service ends in it
    (`app.mount("/hooks", receiver)`: `https://.../hooks/<secret>`); any other is answered 404. A body is read up
    to 1 MiB, 50,000 ids and 5,000 jobs. Nothing of it is believed but "look at these ids": `tasks` fetches the
    real tasks. Postbacks that were sent twice do no harm.

    Raises `InvalidRequestError` for a secret that is too short or has a slash. Source: the webhook of 2024.
    """

    def __init__(self, path: str | os.PathLike[str], *, secret: str | None = None) -> None:
        if secret is not None and (not isinstance(secret, str) or len(secret) < _LEAST_SECRET or "/" in secret):
            limit = f"a text of at least {_LEAST_SECRET} letters, without a slash"
            raise InvalidRequestError("Receiver", [Problem("secret", "(not shown)", limit, ProblemCode.FORMAT)])
        self._submitted = Submitted(path)
        self._secret = secret
        self._busy = 0

    def __repr__(self) -> str:
        return f"Receiver({str(self._submitted.path)!r})"

    def tasks(self, pico: AsyncPicoworkers) -> SubmittedTasks:
        """The submitted tasks, fetched by their ids: `async with receiver.tasks(pico) as tasks`.

        To be iterated, or given to `pico.review(decide, tasks=tasks)`. It never ends by itself. Each task comes
        once in each revision; after a restart, those that are still unrated come again.
        """
        return SubmittedTasks(self._submitted, pico)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request (ASGI)."""
        if scope["type"] != "http":
            return
        request = Request(scope, receive)
        try:
            status, text = await self._answer(request)
        except ClientDisconnect:
            return
        headers = {"allow": "POST"} if status == 405 else None
        await PlainTextResponse(text, status, headers)(scope, receive, send)

    async def _answer(self, request: Request) -> tuple[int, str]:
        if not self._is_the_door(request):
            return 404, "Not found"
        if request.method != "POST":
            return 405, "Only POST"
        if self._busy >= _MOST_AT_ONCE:
            return 503, "Busy"
        self._busy += 1
        try:
            with anyio.fail_after(_SECONDS_FOR_A_BODY):
                body = await _body_of(request)
            postback = read_postback(body)
            room = await anyio.to_thread.run_sync(self._submitted.note, postback.ids) if postback.ids else True
        except BadPostbackError as error:
            logger.warning("a postback was not taken: %s", error)
            return error.status, str(error)
        except TimeoutError:
            return 408, "The body did not come in time"
        except SubmittedError as error:
            logger.error("a postback could not be noted, and will come again: %s", error)
            return 503, "Try again"
        finally:
            self._busy -= 1
        if not room:
            logger.error("too many submitted tasks wait to be looked up; this postback will come again")
            return 503, "Try again"
        if postback.ignored:
            logger.warning("a postback had %d entries that cannot be ids", postback.ignored)
        return 200, "Noted"

    def _is_the_door(self, request: Request) -> bool:
        """Whether the path, below where this is mounted, is the secret; told in constant time."""
        path, root = request.scope["path"], request.scope.get("root_path", "")
        segment = (path[len(root) :] if path.startswith(root) else path).strip("/")
        return hmac.compare_digest(segment.encode(), (self._secret or "").encode())


async def _body_of(request: Request) -> bytes:
    """The body, if it is no larger than what is read; one that is announced larger is not read at all."""
    announced = request.headers.get("content-length", "0")
    if not announced.isdigit() or len(announced) > 12 or int(announced) > MOST_BYTES:
        raise BadPostbackError(413, f"at most {MOST_BYTES} bytes are read")
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > MOST_BYTES:
            raise BadPostbackError(413, f"at most {MOST_BYTES} bytes are read")
    return bytes(body)
