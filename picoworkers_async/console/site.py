"""The page of a board as an ASGI application: the page, its updates, its two files, and its forms."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from functools import partial
from importlib import resources
from typing import Any
from urllib.parse import parse_qs

import anyio
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response, StreamingResponse
from starlette.types import Message, Receive, Scope, Send

from . import guard, page
from .board import MOST_PAGES, Board, RefusedError
from .events import Shared, messages

PREFIX = "/_console/"
MOST_VIEWERS = 16
PATIENCE_SECONDS = 20.0
"""How long a viewer may leave a message unread before it makes room for another."""
_MOST_BYTES = 65_536
_FILES = {"console.js": "text/javascript", "console.css": "text/css"}


class Site:
    """Serves one board to loopback. With an `invitation`, only to the browser that used it.

    Its updates end when `close` is called, so that a server need not wait for viewers.
    """

    def __init__(self, board: Board, invitation: guard.Invitation | None = None) -> None:
        self._board = board
        self._invitation = invitation
        self._session = guard.Session()
        self._shared = Shared(self._parts)
        self._viewers = 0
        self._is_closed = False

    def close(self) -> None:
        """Release the viewers."""
        self._is_closed = True

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        response = await self._answer(request)
        for name, value in guard.HEADERS.items():
            response.headers[name] = value
        is_news = isinstance(response, StreamingResponse)
        try:
            await _given(response, scope, receive, send)
        finally:
            self._viewers -= is_news

    async def _answer(self, request: Request) -> Response:
        if not guard.is_loopback(request.headers.get("host")):
            return _refusal(421, "This page is served to this machine only, under its own name.")
        if request.method != "POST" and guard.is_fetched_elsewhere(request.headers):
            return _refusal(403, "This page is not for the pages of other sites.")
        path = request.url.path
        if self._invitation is not None and not self._session.has_cookie(request.cookies, _cookie(request)):
            return self._welcome(request, self._invitation)
        if request.method == "POST":
            return await self._form(request, path.removeprefix(f"{PREFIX}do/"))
        if request.method not in ("GET", "HEAD"):
            return _refusal(405, "This page is read by GET.")
        if path == "/":
            return await self._page(request)
        if path == f"{PREFIX}events" and request.method == "GET":
            return self._events(request)
        return _file(path.removeprefix(PREFIX))

    def _welcome(self, request: Request, invitation: guard.Invitation) -> Response:
        """Admit whoever has the token, and redirect: a strict cookie comes only with what our page asked for."""
        token = request.query_params.get("token")
        if request.method != "GET" or request.url.path != "/" or not invitation.accept(token):
            return _refusal(403, "The address of this page works once. Start it again for a new one.")
        response = Response(page.message("Welcome", "This browser may watch now."), media_type="text/html")
        response.headers["refresh"] = "0; url=/"
        self._set_cookie(request, response)
        return response

    async def _page(self, request: Request, status: int = 200, said: str = "") -> Response:
        number = _page_number(request)
        snapshot = await self._board.snapshot(number)
        token = self._session.form_token()
        body = page.whole(self._board, snapshot, token, number, PREFIX, said)
        response = Response(body, status, media_type="text/html")
        self._set_cookie(request, response)
        return response

    def _events(self, request: Request) -> Response:
        if self._viewers >= MOST_VIEWERS:
            return _refusal(503, f"{MOST_VIEWERS} pages are being kept new already.")
        # Counted before anything is awaited: of many who come at once, each sees those before it.
        self._viewers += 1
        headers = {"x-accel-buffering": "no"}
        stream = self._news(request, _page_number(request))
        return StreamingResponse(stream, media_type="text/event-stream", headers=headers)

    def _news(self, request: Request, number: int) -> AsyncIterator[bytes]:
        async def is_over() -> bool:
            return self._is_closed or await request.is_disconnected()

        parts: Callable[[], Awaitable[dict[str, Any]]] = partial(self._shared.parts, number)
        return messages(parts, is_over)

    async def _form(self, request: Request, action: str) -> Response:
        by_script = "application/json" in request.headers.get("accept", "")
        fields = await _fields(request)
        if fields is None:
            status, said = 413, "That form is too long."
        elif not guard.is_own(request.headers):
            status, said = 403, "That form was sent by another page, so nothing was done."
        elif not self._session.is_form(request.cookies, _cookie(request), fields.get("token")):
            status, said = 403, "This page is of an earlier run: reload it. Nothing was done."
        else:
            status, said = self._done(action, fields)
        if by_script:
            return JSONResponse({"said": said}, status)
        if status == 200:
            return RedirectResponse("/", 303)
        return Response(page.message("Nothing was done", said), status, media_type="text/html")

    def _done(self, action: str, fields: dict[str, str]) -> tuple[int, str]:
        try:
            return 200, self._board.act(action, fields)
        except RefusedError as error:
            return 422, str(error)

    async def _parts(self, number: int) -> dict[str, Any]:
        return (await self._board.snapshot(number)).parts()

    def _set_cookie(self, request: Request, response: Response) -> None:
        name = _cookie(request)
        response.set_cookie(name, self._session.cookie, httponly=True, samesite="strict", path="/")


def _cookie(request: Request) -> str:
    """Its name: browsers share cookies between all ports of a host."""
    server = request.scope.get("server") or ("", 0)
    return f"picoworkers_console_{server[1]}"


def _page_number(request: Request) -> int:
    given = request.query_params.get("page", "1")
    return min(MOST_PAGES, max(1, int(given))) if given.isascii() and given.isdigit() and len(given) < 9 else 1


async def _fields(request: Request) -> dict[str, str] | None:
    """What a form holds, of a repeated name the last; None if it is too long."""
    body = b""
    async for chunk in request.stream():
        body += chunk
        if len(body) > _MOST_BYTES:
            return None
    pairs = parse_qs(body.decode("utf-8", "replace"), keep_blank_values=True)
    return {name: values[-1] for name, values in pairs.items()}


def _file(name: str) -> Response:
    if name not in _FILES:
        return _refusal(404, "There is no such page.")
    body = resources.files(__package__).joinpath("static", name).read_bytes()
    return Response(body, media_type=_FILES[name])


def _refusal(status: int, said: str) -> Response:
    return Response(page.message("Not here", said, None), status, media_type="text/html")


async def _given(response: Response, scope: Scope, receive: Receive, send: Send) -> None:
    """Send it whole, unless its reader leaves a part of it unread for too long."""
    with anyio.CancelScope() as given:

        async def send_or_leave(message: Message) -> None:
            with anyio.move_on_after(PATIENCE_SECONDS) as waiting:
                await send(message)
            if waiting.cancelled_caught:
                given.cancel()

        await response(scope, receive, send_or_leave)
