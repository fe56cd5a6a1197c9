"""The sandbox: the account's state, and what the service does with each request."""

from __future__ import annotations

import base64
import json
import random
import threading
import time
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from datetime import UTC, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs

import httpx

from ..editions import PICOWORKERS, Ability, Edition
from ..endpoints import ENDPOINTS, Endpoint
from . import checks, handlers
from .arguments import Refusal
from .faults import Faults
from .ledger import Entry, Kind
from .limiter import Limiter
from .log import Asked, Logged, Reply
from .store import JobRow, Order, Store, TaskRow

if TYPE_CHECKING:
    from .postbacks import Postbacks


class Sandbox:
    """The service for one account, with a ledger that tells the truth whatever the client was told.

    `page_size` is the items on a page; `latency` the seconds a request takes, or a range to draw them from;
    `requests_per_second` a limit enforced strictly by time of arrival, with `cooldown` seconds of 429 after
    one too many (and a `Retry-After`, unless `retry_after_header` is off). `order` is that of the listing of
    unrated tasks: oldest or newest first, or shuffled anew for each request. `balance` is in US dollars.
    `refusal_status` is the HTTP status of refusals. Everything random comes from `seed`.

    Use it in process through `transport()`, or over real HTTP by `async with sandbox.serve() as url`.
    """

    def __init__(
        self,
        *,
        edition: Edition = PICOWORKERS,
        user_id: str = "user_id",
        api_secret: str = "api_secret",  # noqa: S107
        page_size: int = 20,
        latency: float | tuple[float, float] = 0.0,
        requests_per_second: float | None = None,
        cooldown: float = 10.0,
        retry_after_header: bool = True,
        order: Order = "oldest",
        balance: Decimal | str | int = 1000,
        refusal_status: int = 200,
        faults: Faults | None = None,
        seed: int = 0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.edition = edition
        self.page_size = page_size
        self.latency = latency
        self.order: Order = order
        self.balance = Decimal(balance)
        self.earned = Decimal(0)
        self.faults = faults or Faults()
        self.ledger: list[Entry] = []
        self.requests: list[Logged] = []
        self.complaints: list[str] = []
        self.blocked_workers: set[str] = set()
        self.double_ratings = 0
        self.rate_limited = 0
        self.peak_concurrency = 0
        self.rng = random.Random(seed)  # noqa: S311
        self.store = Store(self.rng)
        self.bodies = checks.bodies(edition)
        self._queries = checks.queries(edition)
        self.clock = clock
        self.lock = threading.RLock()
        self._token = base64.b64encode(f"{user_id}:{api_secret}".encode()).decode()
        self._refusal_status = refusal_status
        self._retry_after_header = retry_after_header
        self._limiter = Limiter(requests_per_second, cooldown)
        self._after_rating: list[Callable[[Sandbox], object]] = []
        self._made = 0
        self._routes = {
            (row.method, f"/api/{row.path}"): row
            for row in ENDPOINTS
            if row.ability is None or edition.can(row.ability)
        }
        self._paths = {path for _, path in self._routes}

    def add_job(self, **fields: Any) -> str:
        """A running job; `fields` are those of get-job, `num_tasks` and `task_value` among them. Gives its id."""
        with self.lock:
            job_id = fields.pop("id", None) or self.make_id(12)
            self.store.jobs[job_id] = JobRow(
                id=job_id,
                fields={"created_at": self.timestamp(), **fields},
                status=fields.pop("status", "running"),
                num_tasks=fields.pop("num_tasks", 100),
                task_value=Decimal(str(fields.pop("task_value", "0.10"))),
            )
            return job_id

    def add_tasks(self, job_id: str, count: int = 1, **fields: Any) -> list[str]:
        """Have workers hand in tasks of the job; `fields` are those of get-unrated-tasks. Gives their ids."""
        with self.lock:
            job = self.store.jobs[job_id]
            ids = []
            for _ in range(count):
                task = TaskRow(self.make_id(14), job, {"finished_at": self.timestamp(), **fields})
                self.store.tasks[task.id] = task
                self.store.list_task(task)
                self.store.submitted.append((job_id, task.id))
                job.tasks_done += 1
                ids.append(task.id)
            return ids

    def resubmit(self, task_id: str, **fields: Any) -> None:
        """Hand in again a task that was sent back: the same id, a higher revision number."""
        with self.lock:
            task = self.store.tasks[task_id]
            if task.verdict != "revise":
                raise ValueError(f"task {task_id} was not sent back")
            task.send_back()
            task.fields |= {"finished_at": self.timestamp(), **fields}
            self.store.list_task(task)
            self.store.submitted.append((task.job.id, task.id))

    def withdraw(self, task_id: str) -> None:
        """Take a task away, as if somebody else had settled it."""
        with self.lock:
            self.store.unlist_task(self.store.tasks.pop(task_id))

    def after_each_rating(self, callback: Callable[[Sandbox], object]) -> None:
        """Call back whenever a rating took effect, for instance to have more tasks arrive."""
        self._after_rating.append(callback)

    @property
    def paid(self) -> Decimal:
        """What workers were paid for their tasks, bonuses not included, in US dollars."""
        return sum((entry.amount for entry in self.ledger if entry.kind is Kind.RATING), Decimal(0))

    @property
    def bonus_paid(self) -> Decimal:
        """What workers got as bonuses, in US dollars."""
        return sum((entry.bonus for entry in self.ledger), Decimal(0))

    def decisions(self) -> dict[tuple[str, int], tuple[str, Decimal]]:
        """The verdict and bonus that took effect, by task id and revision."""
        return {
            (entry.task_id, entry.revision or 0): (entry.verdict or "", entry.bonus)
            for entry in self.ledger
            if entry.kind is Kind.RATING and entry.task_id is not None
        }

    def unrated(self) -> list[str]:
        """The ids of the tasks that wait to be rated."""
        with self.lock:
            return list(self.store.unrated)

    def transport(self) -> httpx.AsyncBaseTransport:
        """This service in process, as an httpx transport."""
        from .transport import SandboxTransport

        return SandboxTransport(self)

    def serve(self, port: int = 0) -> AbstractAsyncContextManager[str]:
        """This service over real HTTP on a loopback port (0: a free one): the block has its base URL."""
        from .serving import serve

        return serve(self, port)

    def post_back(
        self, url: str, *, every: float = 60.0, retry_every: float = 300.0, give_up_after: float = 86400.0
    ) -> Postbacks:
        """Post the ids of submitted tasks to a loopback URL while the block lasts; see `Postbacks`."""
        if not self.edition.can(Ability.WEBHOOK):
            raise ValueError(f"edition {self.edition.name} has no postbacks")
        from .postbacks import Postbacks

        return Postbacks(self, url, every=every, retry_every=retry_every, give_up_after=give_up_after)

    def make_id(self, length: int) -> str:
        """An id as the service makes them: hexadecimal, and never the same twice."""
        self._made += 1
        return f"{self._made:0{length - 4}x}{self.rng.randrange(16**4):04x}"

    def timestamp(self) -> str:
        """The time now, as the service writes it."""
        return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")

    def endpoint_of(self, asked: Asked) -> Endpoint | None:
        """The row of the table that a request is for."""
        return self._routes.get((asked.method, asked.path))

    def admit(self, now: float) -> Reply | None:
        """Hold an arrival against the rate limit: None, or the 429."""
        with self.lock:
            silent = self._limiter.admit(now)
            if not silent:
                return None
            self.rate_limited += 1
            return self.too_many(silent)

    def too_many(self, silent: float) -> Reply:
        """A 429, with a `Retry-After` in whole seconds."""
        headers = {"retry-after": str(max(1, round(silent + 0.5)))} if self._retry_after_header else {}
        return Reply(429, b'{"ok":false,"message":"Too many requests."}', headers=headers)

    def answer(self, asked: Asked) -> Reply:
        """Do what a request asks for, and answer it."""
        with self.lock:
            if asked.path not in self._paths:
                return Reply(404, b"<html><body><h1>404 Not Found</h1></body></html>", "text/html")
            endpoint = self.endpoint_of(asked)
            if endpoint is None:
                return self._complain(asked, f"Method {asked.method} is not allowed.", status=405)
            if asked.headers.get("authorization") != f"Basic {self._token}":
                return Reply(401, b'{"message":"Unauthorized"}')
            try:
                arguments = self._arguments(endpoint, asked)
            except Refusal as refusal:
                return self._complain(asked, str(refusal))
            try:
                return _json(200, handlers.HANDLERS[endpoint.name](self, arguments))
            except Refusal as refusal:
                return self._refused(str(refusal))

    def rated(self, task: TaskRow, rating: dict[str, Any]) -> None:
        """Let a rating take effect."""
        verdict, bonus = rating["task_rating"], Decimal(rating.get("task_bonus", 0))
        task.verdict, task.comment = verdict, rating.get("task_comment")
        self.store.unlist_task(task)
        if verdict != "revise":
            self.store.rated[task.id] = task
        self.balance -= bonus
        self.ledger.append(
            Entry(
                Kind.RATING,
                task.job.id,
                task.id,
                task.revision,
                verdict,
                task.job.task_value if verdict == "ok" else Decimal(0),
                bonus,
                rating.get("task_comment"),
            )
        )
        for callback in self._after_rating:
            callback(self)

    def _arguments(self, endpoint: Endpoint, asked: Asked) -> dict[str, Any]:
        if endpoint.method == "GET":
            known = self._queries.get(endpoint.name, frozenset())
            for name in asked.query:
                if name not in known:
                    raise Refusal(f"Unknown attribute {name}.")
            return dict(asked.query)
        if asked.headers.get("content-type", "").partition(";")[0] != "application/json":
            raise Refusal("The request is not JSON.")
        try:
            body = json.loads(asked.body, parse_float=Decimal)
        except ValueError:
            raise Refusal("The request is not JSON.") from None
        attributes, required = self.bodies[endpoint.name]
        message = checks.refuse(body, attributes, required)
        if message is not None:
            raise Refusal(message)
        arguments: dict[str, Any] = body
        return arguments

    def _complain(self, asked: Asked, message: str, status: int | None = None) -> Reply:
        """Refuse what breaks the document, and keep it where a test can see it."""
        self.complaints.append(f"{asked.method} {asked.path}: {message}")
        return self._refused(message, status)

    def _refused(self, message: str, status: int | None = None) -> Reply:
        return _json(status or self._refusal_status, {"ok": False, "message": message})


def parse_query(raw: str) -> dict[str, str]:
    """A query string as a mapping; of a repeated name the last one counts."""
    return {name: values[-1] for name, values in parse_qs(raw, keep_blank_values=True).items()}


def _json(status: int, value: object) -> Reply:
    return Reply(status, json.dumps(value, separators=(",", ":")).encode())
