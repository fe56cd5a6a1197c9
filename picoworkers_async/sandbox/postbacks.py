"""Postbacks of tasks and jobs: what SproutGigs posts to a URL of the account, and repeats."""

from __future__ import annotations

import hashlib
import hmac
import json
from collections import defaultdict
from types import TracebackType
from typing import Any, Literal, Self, get_args
from urllib.parse import urlsplit

import anyio
import attrs
import httpx

from ..editions import Ability
from .account import Account, timestamp

PostbackShape = Literal["jobs", "envelope"]
"""How submitted tasks are posted: by job, as in 2024, or as an event in an envelope, as today."""


@attrs.define(eq=False)
class _Postback:
    """One body that is due, until it is answered with 200."""

    body: bytes
    first: float
    due: float


class Postbacks:
    """Posts the ids of submitted tasks to `url` while its block lasts, as the service would.

    Every `every` seconds it posts what was submitted since, in the given `shape`; with `job_changes` also the
    statuses that jobs came into since, always in an envelope. With a `signing_secret`, it signs each body. After
    any answer but 200 it sends the same body again every `retry_every` seconds, until `give_up_after` seconds
    after the first. `statuses` has every answer's status, 0 if none came. Times are the event loop's.
    """

    def __init__(
        self,
        account: Account,
        url: str,
        *,
        shape: PostbackShape,
        signing_secret: str | None,
        job_changes: bool,
        every: float,
        retry_every: float,
        give_up_after: float,
    ) -> None:
        if not account.edition.can(Ability.WEBHOOK):
            raise ValueError(f"edition {account.edition.name} has no postbacks")
        if urlsplit(url).hostname not in ("127.0.0.1", "::1", "localhost"):
            raise ValueError(f"url={url!r}: the sandbox posts to loopback only")
        if shape not in get_args(PostbackShape):
            raise ValueError(f"shape={shape!r}: must be one of {', '.join(get_args(PostbackShape))}")
        self.statuses: list[int] = []
        self._account = account
        self._url = url
        self._shape, self._signing_secret, self._job_changes = shape, signing_secret, job_changes
        self._every, self._retry_every, self._give_up_after = every, retry_every, give_up_after
        self._waiting: list[_Postback] = []

    async def __aenter__(self) -> Self:
        self._group = anyio.create_task_group()
        await self._group.__aenter__()
        self._group.start_soon(self._run)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._group.cancel_scope.cancel()
        await self._group.__aexit__(None, None, None)

    async def _run(self) -> None:
        async with httpx.AsyncClient(timeout=10.0, trust_env=False) as client:
            next_round = anyio.current_time()
            while True:
                now = anyio.current_time()
                if now >= next_round:
                    next_round = now + self._every
                    self._gather(now)
                for postback in [postback for postback in self._waiting if postback.due <= now]:
                    await self._send(client, postback)
                times = [next_round, *(postback.due for postback in self._waiting)]
                await anyio.sleep(max(0.0, min(times) - anyio.current_time()))

    def _gather(self, now: float) -> None:
        with self._account.lock:
            submitted = _by_job(self._account.submitted)
            self._account.submitted.clear()
            changes = _by_job(self._account.status_changes) if self._job_changes else {}
            self._account.status_changes.clear()
        bodies: list[dict[str, Any]] = []
        if submitted:
            event = [{"job_id": job_id, "task_ids": task_ids} for job_id, task_ids in submitted.items()]
            bodies.append(submitted if self._shape == "jobs" else _envelope("tasks_submitted", event))
        if changes:
            event = [{"job_id": job_id, "changes": entries} for job_id, entries in changes.items()]
            bodies.append(_envelope("job_status_changed", event))
        self._waiting += [_Postback(json.dumps(body).encode(), now, now) for body in bodies]

    async def _send(self, client: httpx.AsyncClient, postback: _Postback) -> None:
        headers = {"Content-Type": "application/json"}
        if self._signing_secret is not None:
            digest = hmac.new(self._signing_secret.encode(), postback.body, hashlib.sha256).hexdigest()
            headers["X-Sproutgigs-Signature"] = f"sha256={digest}"
        try:
            status = (await client.post(self._url, content=postback.body, headers=headers)).status_code
        except httpx.HTTPError:
            status = 0
        self.statuses.append(status)
        now = anyio.current_time()
        postback.due = now + self._retry_every
        if status == 200 or postback.due > postback.first + self._give_up_after:
            self._waiting.remove(postback)


def _by_job(pairs: list[tuple[str, Any]]) -> dict[str, list[Any]]:
    """What was noted of each job, in order."""
    jobs: defaultdict[str, list[Any]] = defaultdict(list)
    for job_id, entry in pairs:
        jobs[job_id].append(entry)
    return dict(jobs)


def _envelope(kind: str, event: list[dict[str, Any]]) -> dict[str, Any]:
    return {"event_type": kind, "event_date": timestamp(), "event": event}
