"""The ASGI application that the service posts to."""

from __future__ import annotations

import hashlib
import hmac
import logging
import os
from collections.abc import Iterable
from contextlib import aclosing
from pathlib import Path
from typing import TYPE_CHECKING

import anyio
import anyio.to_thread
from starlette.requests import ClientDisconnect, Request
from starlette.responses import PlainTextResponse
from starlette.types import Receive, Scope, Send

from ..credentials import Hidden
from ..errors import InvalidRequestError
from ..problems import Problem, ProblemCode
from .changes import Changes
from .file import SubmittedError
from .job_changes import JobChanges
from .postback import MOST_BYTES, read_postback
from .refusals import NotTakenError, RefusalLog, excerpt_of
from .signature import HEADER, Signatures
from .submitted import Submitted
from .tasks import SubmittedTasks

if TYPE_CHECKING:
    from ..client import AsyncPicoworkers

logger: logging.Logger = logging.getLogger("picoworkers_async")

_LEAST_SECRET = 16
_MOST_AT_ONCE = 16
_SECONDS_FOR_A_BODY = 30.0


class Receiver:
    """Receives the service's postbacks, as an ASGI application: mount it in Starlette or FastAPI, or serve it.

    `path` is an SQLite file, created if it is not there. A postback is answered 200 only if it was understood
    whole and is durable in that file; any other answer makes the service send it again. Both shapes are
    accepted: that of 2024 (tasks by job) and today's envelope (`tasks_submitted`, `job_status_changed`). What
    cannot be understood is answered 422 and logged; the entries beside it that can be are kept all the same. A
    body may have 1 MiB, 5,000 jobs and 50,000 entries (else 413), and take 30 seconds (else 408). Above 16
    requests at once, the one whose body has taken longest gives way (503). Nothing in a postback is believed but
    "read these ids", and the statuses of jobs. Postbacks that come twice do no harm.

    With `secret`, at least 16 letters that nobody can guess, the URL to give the service ends in it
    (`app.mount("/hooks", receiver)`: `https://.../hooks/<secret>`); any other is answered 404. Without it, the
    URL ends in the slash (`https://.../hooks/`), because Starlette redirects the one that does not.

    With `signing_secret`, at least 8 characters, a body that is not signed with it is answered 401 before it is
    parsed. While you change it, give both in a list. Without it, anybody who knows the URL can post anything.

    Raises `InvalidRequestError` for a secret that is too short or has a slash, and for a signing secret that is
    too short or has white space at an end. Source: the webhook in the API document of 2024; envelope and
    signature as seen in use.
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        *,
        secret: str | None = None,
        signing_secret: str | Iterable[str] | None = None,
    ) -> None:
        self._segment = _digest("") if secret is None else _checked(secret)
        self._signatures = None if signing_secret is None else Signatures(signing_secret)
        self._path = Path(path)
        self._submitted = Submitted(path)
        self._changes = Changes(path)
        self._opened: list[JobChanges] = []
        self._refusals = RefusalLog()
        self._busy = 0
        self._reading: dict[anyio.CancelScope, None] = {}

    def __repr__(self) -> str:
        return f"Receiver({str(self._path)!r})"

    def tasks(self, pico: AsyncPicoworkers) -> SubmittedTasks:
        """The submitted tasks, read by their ids: `async with receiver.tasks(pico) as tasks`.

        Iterate over them, or give them to `pico.review(decide, tasks=tasks)`. It never ends by itself. Each task
        comes once in each revision; after a restart, those that are still unrated come again.
        """
        return SubmittedTasks(self._submitted, pico)

    def job_changes(self) -> JobChanges:
        """The changes of jobs' statuses: `async with receiver.job_changes() as changes`, then `async for`.

        It never ends by itself. Each change comes once over restarts, except one that was yielded, but not
        followed by the next, when the process ended: that one comes again. A change is its job, status and date;
        if it is posted again it is taken once, as long as it is among the newest 100,000, which are kept.
        Without a `signing_secret`, read the job before you act on what is said about it. See `JobChanges`.
        """
        return JobChanges(self._changes, self._opened)

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
        if self._busy >= _MOST_AT_ONCE and not self._send_slowest_away():
            return 503, "Busy"
        self._busy += 1
        try:
            body = await self._authentic_body(request)
            if body is None:
                return 503, "Busy"
            await anyio.to_thread.run_sync(self._take, body)
        except NotTakenError as refusal:
            self._refusals.tell(refusal)
            return refusal.status, "Try again" if refusal.status == 503 else refusal.what
        except TimeoutError:
            return 408, "The body did not come in time"
        finally:
            self._busy -= 1
        return 200, "Noted"

    def _send_slowest_away(self) -> bool:
        """Abort the reading of the body that has taken longest; False if none is being read."""
        slowest = next(iter(self._reading), None)
        if slowest is None:
            return False
        del self._reading[slowest]
        slowest.cancel()
        return True

    async def _authentic_body(self, request: Request) -> bytes | None:
        """The body, signed if it has to be; without a signature to check it is not read at all.

        None if it came too slowly while others waited for its place.
        """
        values = request.headers.getlist(HEADER)
        problem = None if self._signatures is None else self._signatures.problem_of_header(values)
        if problem is not None:
            raise NotTakenError(401, problem)
        with anyio.CancelScope(deadline=anyio.current_time() + _SECONDS_FOR_A_BODY) as reading:
            self._reading[reading] = None
            try:
                body = await _body_of(request)
            finally:
                self._reading.pop(reading, None)
        if reading.cancelled_caught:
            if anyio.current_time() >= reading.deadline:
                raise TimeoutError
            return None
        if self._signatures is not None and not self._signatures.match(values[0], body):
            raise NotTakenError(401, "its signature does not match: another secret, or another body")
        return body

    def _take(self, body: bytes) -> None:
        """Read a body and make durable what it says. Raises `NotTakenError` unless both succeed for all of it."""
        try:
            postback = read_postback(body)
            room = self._submitted.note(postback.ids) if postback.ids else True
            dropped = self._changes.note(postback.changes) if postback.changes else 0
        except NotTakenError as refusal:
            raise NotTakenError(refusal.status, refusal.what, excerpt_of(body)) from None
        except SubmittedError as error:
            raise NotTakenError(503, f"it could not be noted: {error}") from None
        if dropped:
            logger.error("%d changes of jobs were dropped before anybody asked for them: too many wait", dropped)
        if not room:
            raise NotTakenError(503, "too many submitted tasks wait to be looked up")
        if postback.problem is not None:
            raise NotTakenError(422, postback.problem, excerpt_of(body))

    def _is_the_door(self, request: Request) -> bool:
        """Whether the path, below where this is mounted, is the secret; compared in constant time."""
        below = _below_the_mount(request.scope)
        return hmac.compare_digest(_digest(below.strip("/")), self._segment)


def _below_the_mount(scope: Scope) -> str:
    """The rest of the path below where this is mounted.

    A proxy may have removed the path at which it serves the whole application (`app_root_path`), or kept it.
    """
    path: str = scope["path"]
    root: str = scope.get("root_path", "")
    mount = root.removeprefix(scope.get("app_root_path", ""))
    return path.removeprefix(root if path.startswith(root) else mount)


def _checked(secret: str) -> bytes:
    """The digest of a valid secret: all that is kept of it."""
    if not isinstance(secret, str) or len(secret) < _LEAST_SECRET or "/" in secret:
        limit = f"a text of at least {_LEAST_SECRET} letters, without a slash"
        raise InvalidRequestError(
            "Receiver", [Problem("secret", Hidden(), limit, ProblemCode.FORMAT)], sends=False
        )
    return _digest(secret)


def _digest(segment: str) -> bytes:
    return hashlib.sha256(segment.encode("utf-8", "surrogatepass")).digest()


async def _body_of(request: Request) -> bytes:
    """The body, if it is no larger than the limit; one that is announced larger is not read at all."""
    announced = request.headers.get("content-length", "")
    if announced.isascii() and announced.isdigit() and (len(announced) > 12 or int(announced) > MOST_BYTES):
        raise NotTakenError(413, f"at most {MOST_BYTES} bytes are read")
    body = bytearray()
    async with aclosing(request.stream()) as chunks:
        async for chunk in chunks:
            body += chunk
            if len(body) > MOST_BYTES:
                raise NotTakenError(413, f"at most {MOST_BYTES} bytes are read")
    return bytes(body)
