"""The postbacks of submitted tasks: what SproutGigs sends to a URL of the account's, and sends again."""

from __future__ import annotations

from collections import defaultdict
from types import TracebackType
from typing import Self
from urllib.parse import urlsplit

import anyio
import attrs
import httpx

from .account import Account


@attrs.define(eq=False)
class _Postback:
    """One body that is due, until it was answered with 200."""

    body: dict[str, list[str]]
    first: float
    due: float


class Postbacks:
    """For as long as its block lasts, posts the ids of submitted tasks to `url`, as the service would.

    Every `every` seconds what was submitted since goes out, by job. Any answer but 200 has the same body sent
    again every `retry_every` seconds, until `give_up_after` seconds after the first. `statuses` has every
    answer's status, 0 where none came. Times are those of the event loop.
    """

    def __init__(
        self, account: Account, url: str, *, every: float, retry_every: float, give_up_after: float
    ) -> None:
        if urlsplit(url).hostname not in ("127.0.0.1", "::1", "localhost"):
            raise ValueError(f"url={url!r}: the sandbox posts to loopback only")
        self.statuses: list[int] = []
        self._account = account
        self._url = url
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
        jobs: defaultdict[str, list[str]] = defaultdict(list)
        with self._account.lock:
            for job_id, task_id in self._account.submitted:
                jobs[job_id].append(task_id)
            self._account.submitted.clear()
        if jobs:
            self._waiting.append(_Postback(dict(jobs), now, now))

    async def _send(self, client: httpx.AsyncClient, postback: _Postback) -> None:
        try:
            status = (await client.post(self._url, json=postback.body)).status_code
        except httpx.HTTPError:
            status = 0
        self.statuses.append(status)
        now = anyio.current_time()
        postback.due = now + self._retry_every
        if status == 200 or postback.due > postback.first + self._give_up_after:
            self._waiting.remove(postback)
