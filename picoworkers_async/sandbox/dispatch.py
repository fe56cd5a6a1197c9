"""From a request to its reply: finds its endpoint, checks its credentials and form, and carries it out."""

from __future__ import annotations

import base64
import json
from decimal import Decimal
from typing import Any

from ..endpoints import ENDPOINTS, Endpoint
from . import checks
from .account import Account
from .arguments import Refusal
from .handlers import HANDLERS
from .messages import Reply, Request, json_reply
from .oddities import with_huge_numbers

_EXACT = json.JSONDecoder(parse_float=Decimal)


class Dispatch:
    """Answers requests for one account. `complaints` has where requests broke the document."""

    def __init__(self, account: Account, user_id: str, api_secret: str) -> None:
        edition = account.edition
        self.account = account
        self.complaints: list[str] = []
        self._authorization = "Basic " + base64.b64encode(f"{user_id}:{api_secret}".encode()).decode()
        self._bodies = checks.bodies(edition)
        self._queries = checks.queries(edition)
        self._routes = {
            (row.method, f"/api/{row.path}"): row
            for row in ENDPOINTS
            if row.ability is None or edition.can(row.ability)
        }
        self._paths = {path for _, path in self._routes}

    def endpoint_of(self, request: Request) -> Endpoint | None:
        """The row of the table of endpoints that a request is for."""
        return self._routes.get((request.method, request.path))

    def answer(self, request: Request) -> Reply:
        """Do what a request asks for, and answer it."""
        if request.path not in self._paths:
            return Reply(404, b"<html><body><h1>404 Not Found</h1></body></html>", "text/html")
        endpoint = self.endpoint_of(request)
        if endpoint is None:
            return self._complain(request, f"Method {request.method} is not allowed.", status=405)
        if request.headers.get("authorization") != self._authorization:
            return Reply(401, b'{"message":"Unauthorized"}')
        try:
            arguments = self._arguments(endpoint, request)
        except Refusal as refusal:
            return self._complain(request, str(refusal))
        try:
            answer = HANDLERS[endpoint.name](self.account, arguments)
        except Refusal as refusal:
            return self._refused(str(refusal))
        if isinstance(answer, Reply):
            return answer
        reply = json_reply(200, answer)
        if self.account.behaviour.odd_fields:
            return Reply(200, with_huge_numbers(reply.body))
        return reply

    def answer_half(self, request: Request) -> None:
        """Rate the first half of the tasks of a bulk rating, like a service that dies in the middle of it."""
        endpoint = self.endpoint_of(request)
        if endpoint is None or endpoint.name != "rate_multiple_tasks":
            return
        try:
            body = json.loads(request.body)
            half = body["tasks"][: len(body["tasks"]) // 2]
        except (ValueError, TypeError, KeyError):
            return
        if half:
            content = json.dumps({**body, "tasks": half}).encode()
            self.answer(Request(request.method, request.path, request.query, request.headers, content))

    def _arguments(self, endpoint: Endpoint, request: Request) -> dict[str, Any]:
        if endpoint.method == "GET":
            known = self._queries.get(endpoint.name, frozenset())
            for name in request.query:
                if name not in known:
                    raise Refusal(f"Unknown attribute {name}.")
            return dict(request.query)
        if request.headers.get("content-type", "").partition(";")[0] != "application/json":
            raise Refusal("The request is not JSON.")
        try:
            body = _EXACT.decode(request.body.decode())
        except ValueError:
            raise Refusal("The request is not JSON.") from None
        attributes, required = self._bodies[endpoint.name]
        if endpoint.name == "post_job":
            attributes = {**dict.fromkeys(self.account.behaviour.also_takes, _anything), **attributes}
        message = checks.refuse(body, attributes, required)
        if message is not None:
            raise Refusal(message)
        arguments: dict[str, Any] = body
        return arguments

    def _complain(self, request: Request, message: str, status: int | None = None) -> Reply:
        """Refuse what breaks the document, and keep it where a test can see it."""
        self.complaints.append(f"{request.method} {request.path}: {message}")
        return self._refused(message, status)

    def _refused(self, message: str, status: int | None = None) -> Reply:
        return json_reply(status or self.account.behaviour.refusal_status, {"ok": False, "message": message})


def _anything(_: Any) -> bool:
    return True
