"""`sent` in the journal: the request had its slot and was leaving. Of what never left, nothing stays `sent`."""

from __future__ import annotations

import json
from pathlib import Path

import anyio
import anyio.lowlevel
import httpx
import pytest

from picoworkers_async import AsyncPicoworkers, Edition, Journal, RetryPolicy, Throttle
from picoworkers_async.sandbox import Sandbox
from tests.support.seeding import seeded

pytestmark = [pytest.mark.anyio, pytest.mark.virtual_time]


class Watched(httpx.AsyncBaseTransport):
    """A sandbox's transport that remembers which tasks were rated by it; the first requests find no connection."""

    def __init__(self, sandbox: Sandbox, unreachable: int = 0) -> None:
        self._inner = sandbox.transport()
        self._unreachable = unreachable
        self.seen: set[str] = set()

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        if self._unreachable > 0:
            self._unreachable -= 1
            await anyio.lowlevel.checkpoint()
            raise _no_connection(request)
        if request.method == "POST":
            body = json.loads(await request.aread())
            self.seen.update(_task_ids(body))
        return await self._inner.handle_async_request(request)


def _no_connection(request: httpx.Request) -> httpx.ConnectError:
    import httpcore

    error = httpx.ConnectError("refused", request=request)
    error.__cause__ = httpcore.ConnectError("refused")
    return error


def _task_ids(body: object) -> set[str]:
    """Every text in a request's body, of which the ids of its tasks are some."""
    if isinstance(body, dict):
        return {text for value in (*body, *body.values()) for text in _task_ids(value)}
    if isinstance(body, list):
        return {text for value in body for text in _task_ids(value)}
    return {str(body)}


def connected(sandbox: Sandbox, watched: Watched, throttle: Throttle) -> AsyncPicoworkers:
    retry = RetryPolicy(initial=0.5, maximum=2.0)
    return AsyncPicoworkers(
        "user_id", "api_secret", transport=watched, edition=sandbox.edition, throttle=throttle, retry=retry
    )


def sent(path: Path) -> set[str]:
    return {row.task_id for row in Journal(path).rows(state="sent")}


@pytest.mark.story
@pytest.mark.parametrize("grace", [0.0, 0.3])
@pytest.mark.parametrize("source", ["rate", "review"])
async def test_left_at_any_moment_only_what_the_service_has_seen_stays_sent(
    edition: Edition, tmp_path: Path, source: str, grace: float
) -> None:
    left = 0
    tasks = 300 if edition.ratings_at_once > 1 else 60
    for number in range(14):
        path = tmp_path / f"{number}.db"
        sandbox, ratings = seeded(tasks, jobs=3, edition=edition, latency=0.2)
        watched = Watched(sandbox)
        pace = 2.0 if edition.ratings_at_once > 1 else 50.0
        async with connected(sandbox, watched, Throttle(requests_per_second=pace)) as pico:
            by_id = {rating.task_id: rating for rating in ratings}
            batch = (
                pico.rate(ratings, journal=path, grace=grace)
                if source == "rate"
                else pico.review(lambda task, by=by_id: by[task.id], journal=path, grace=grace)
            )
            with anyio.CancelScope() as scope:
                async with batch as outcomes, anyio.create_task_group() as group:

                    async def leave(turns: int = number, scope: anyio.CancelScope = scope) -> None:
                        await anyio.sleep(0.15 * (turns // 2))
                        for _ in range(turns * 5):
                            await anyio.lowlevel.checkpoint()
                        scope.cancel()

                    group.start_soon(leave)
                    async for _ in outcomes:
                        pass
        left += Journal(path).counts().get("decided", 0)
        assert sent(path) <= watched.seen
        assert {row.task_id for row in Journal(path).rows(state="rated")} <= watched.seen
        assert Journal(path).running() is None
        async with connected(sandbox, watched, Throttle()) as pico:
            await pico.rate_all(ratings, journal=path)
        assert sandbox.double_ratings == 0
        assert len(sandbox.ledger) == tasks
    assert left > 0 or source == "rate"


async def test_what_waits_to_be_sent_again_after_no_connection_is_not_left_as_sent(
    edition: Edition, tmp_path: Path
) -> None:
    path = tmp_path / "ratings.db"
    sandbox, ratings = seeded(300, edition=edition)
    watched = Watched(sandbox, unreachable=10**6)
    async with connected(sandbox, watched, Throttle()) as pico:
        with anyio.move_on_after(0.3):
            async with pico.rate(ratings, journal=path) as outcomes:
                async for _ in outcomes:
                    pass
    assert Journal(path).counts().keys() <= {"decided", "failed"}
    assert Journal(path).counts()["decided"] > 0
    async with connected(sandbox, Watched(sandbox), Throttle()) as pico:
        report = await pico.rate_all(ratings, journal=path)
    assert (report.rated, sandbox.double_ratings) == (300, 0)
