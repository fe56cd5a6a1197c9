"""The receiver of postbacks, over real HTTP: what is believed, what is refused, and what comes of it."""

from __future__ import annotations

import json
import socket
import sqlite3
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import anyio
import httpx
import pytest
from starlette.applications import Starlette
from starlette.routing import Mount

from picoworkers_async import (
    PICOWORKERS,
    SPROUTGIGS,
    AuthenticationError,
    InvalidRequestError,
    Rating,
    Task,
)
from picoworkers_async.sandbox import Faults, Sandbox
from picoworkers_async.webhooks import Receiver
from picoworkers_async.webhooks.submitted import Submitted
from tests.support.receiving import EXAMPLE, IDS, SECRET, served


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "submitted.db"


def noted(path: Path) -> set[tuple[str, str]]:
    """What waits to be looked up."""
    submitted, found = Submitted(path), set()
    while (lookup := submitted.next_lookup(400)) is not None:
        found |= {(lookup.job_id, task_id) for task_id in lookup.task_ids}
        submitted.looked_up(lookup, {}, complete=True, settle_after=30.0)
    return found


def test_200_means_that_the_ids_are_noted_and_a_repeat_does_no_harm(path: Path) -> None:
    with served(Receiver(path, secret=SECRET)) as url:
        for _ in range(3):
            assert httpx.post(f"{url}/{SECRET}", json=EXAMPLE).status_code == 200
    assert noted(path) == IDS


def test_without_a_secret_the_mount_itself_is_the_door(path: Path) -> None:
    with served(Receiver(path)) as url:
        assert httpx.post(f"{url}/", json=EXAMPLE).status_code == 200
        assert httpx.post(f"{url}/guess", json=EXAMPLE).status_code == 404


@pytest.mark.anyio
@pytest.mark.parametrize("sent_to", ["/hooks/", "/rating/hooks/"], ids=["taken off", "left on"])
async def test_the_mount_is_the_door_whether_a_proxy_takes_its_own_path_off_or_leaves_it_on(
    path: Path, sent_to: str
) -> None:
    app = Starlette(routes=[Mount("/hooks", Receiver(path))])
    transport = httpx.ASGITransport(app, root_path="/rating")
    async with httpx.AsyncClient(transport=transport, base_url="http://behind") as proxy:
        assert (await proxy.post(sent_to, json=EXAMPLE)).status_code == 200
        assert (await proxy.post(f"{sent_to}guess", json=EXAMPLE)).status_code == 404
    assert noted(path) == IDS


@pytest.mark.parametrize("body", [b"{}", b"[]", b'{"abc": []}'])
def test_a_minute_without_submissions_is_fine(path: Path, body: bytes) -> None:
    with served(Receiver(path)) as url:
        assert httpx.post(f"{url}/", content=body).status_code == 200
    assert noted(path) == set()


MANY = json.dumps({"job": [f"{number:014x}" for number in range(1_000_000)]}).encode()


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"", 422),
        (b"not json", 422),
        (b"\xff\xfe", 422),
        (b"5", 422),
        (b'["a"]', 422),
        (b"[" * 500_000, 422),
        (b'{"a":' * 100_000, 422),
        (b'{"job": [1e400, true, null, {}, ["x"], "", "a b", "x/../y", "' + b"x" * 65 + b'"]}', 422),
        (b'{"job": "' + b"9" * 1_000_000 + b'"}', 422),
        (b'{"job": [' + b"9" * 100_000 + b"]}", 422),
        (json.dumps({"job": list(range(60_000))}).encode(), 413),
        (json.dumps({f"job{number}": ["a"] for number in range(6_000)}).encode(), 413),
        (MANY, 413),
    ],
    ids=lambda value: str(value)[:24] if isinstance(value, bytes) else str(value),
)
def test_a_hostile_body_is_refused_and_the_next_good_one_taken(path: Path, body: bytes, status: int) -> None:
    with served(Receiver(path)) as url:
        assert httpx.post(f"{url}/", content=body).status_code == status
        assert httpx.post(f"{url}/", json=EXAMPLE).status_code == 200
    assert noted(path) == IDS


def test_entries_that_cannot_be_ids_come_again_and_do_not_cost_the_others(path: Path) -> None:
    body = {"abc123dfae98": [99900012, None, "99923817f2bce4", {"x": 1}], "a b": ["c"], "09876abce173": {"3": "d"}}
    with served(Receiver(path)) as url:
        assert httpx.post(f"{url}/", json=body).status_code == 422
    assert noted(path) == {
        ("abc123dfae98", "99900012"),
        ("abc123dfae98", "99923817f2bce4"),
        ("09876abce173", "d"),
    }


def test_a_gigabyte_that_is_announced_is_not_waited_for(path: Path) -> None:
    with served(Receiver(path)) as url, socket.create_connection(("127.0.0.1", httpx.URL(url).port or 0)) as raw:
        raw.sendall(b"POST /hooks/ HTTP/1.1\r\nHost: x\r\nContent-Length: 1073741824\r\n\r\n{")
        raw.settimeout(5)
        assert raw.recv(100).startswith(b"HTTP/1.1 413")


def test_a_body_without_a_length_is_cut_off(path: Path) -> None:
    def endless() -> Iterator[bytes]:
        for _ in range(40):
            yield b" " * 100_000

    with served(Receiver(path)) as url:
        assert httpx.post(f"{url}/", content=endless()).status_code == 413


def test_a_wrong_secret_is_not_found_whatever_the_method_and_a_wrong_method_is_told(path: Path) -> None:
    with served(Receiver(path, secret=SECRET)) as url:
        for wrong in ("/", "/guess", f"/{SECRET}x", f"/{SECRET}/more", f"/{SECRET[:-1]}", "/%C3%A9"):
            assert httpx.post(url + wrong, json=EXAMPLE).status_code == 404
            assert httpx.get(url + wrong).status_code == 404
        for method in ("GET", "PUT", "DELETE"):
            answer = httpx.request(method, f"{url}/{SECRET}")
            assert (answer.status_code, answer.headers["allow"]) == (405, "POST")
    assert SECRET not in repr(Receiver(path, secret=SECRET))


@pytest.mark.parametrize("secret", ["", "short", "a/segment/with/slashes", 5])
def test_a_secret_that_protects_nothing_is_refused_and_not_shown(path: Path, secret) -> None:
    with pytest.raises(InvalidRequestError, match="secret") as caught:
        Receiver(path, secret=secret)
    assert not secret or str(secret) not in str(caught.value)


@pytest.mark.parametrize("kind", ["text", "foreign", "folder", "nowhere"])
def test_what_cannot_be_noted_is_not_thanked_for(path: Path, kind: str) -> None:
    match kind:
        case "text":
            path.write_text("no database" * 1000)
        case "foreign":
            sqlite3.connect(path).executescript("CREATE TABLE t (a); INSERT INTO t VALUES (1);").connection.close()
        case "folder":
            path.mkdir()
        case "nowhere":
            path = path.parent / "nowhere" / "submitted.db"
    with served(Receiver(path)) as url:
        assert httpx.post(f"{url}/", json=EXAMPLE).status_code == 503


def seeded(tasks: int = 0, **options) -> tuple[Sandbox, str]:
    sandbox = Sandbox(edition=SPROUTGIGS, balance=10**6, page_size=100, **options)
    job_id = sandbox.add_job(num_tasks=10**6)
    sandbox.add_tasks(job_id, tasks)
    return sandbox, job_id


@pytest.mark.anyio
async def test_tasks_that_are_posted_back_are_reviewed_once_each_revision(connect, path: Path) -> None:
    sandbox, job_id = seeded(30)
    first = sandbox.unrated()[0]
    asked: Counter[tuple[str, int]] = Counter()

    def decide(task: Task) -> Rating:
        asked[task.id, task.revision_number] += 1
        if task.id == first and task.revision_number == 0:
            return Rating.revise(task, "once more")
        return Rating.ok(task)

    receiver = Receiver(path, secret=SECRET)
    with served(receiver) as url:
        async with (
            connect(sandbox) as pico,
            sandbox.post_back(f"{url}/{SECRET}", every=0.05) as postbacks,
            receiver.tasks(pico) as tasks,
            pico.review(decide, tasks=tasks) as outcomes,
        ):
            done = 0
            with anyio.fail_after(20):
                async for _ in outcomes:
                    done += 1
                    if done == 30:
                        sandbox.resubmit(first)
                        sandbox.add_tasks(job_id, 5)
                    if done == 36:
                        break
    assert set(postbacks.statuses) == {200}
    assert set(asked.values()) == {1}
    assert len(asked) == 36
    assert sandbox.unrated() == []
    assert sandbox.double_ratings == 0


@pytest.mark.anyio
async def test_a_postback_that_was_not_answered_with_200_comes_again(path: Path) -> None:
    sandbox, job_id = seeded(3)
    with served(Receiver(path)) as url:
        port = httpx.URL(url).port or 0
    async with sandbox.post_back(f"{url}/", every=0.05, retry_every=0.1) as postbacks:
        with anyio.fail_after(10):
            while not postbacks.statuses:  # noqa: ASYNC110
                await anyio.sleep(0.01)
            with served(Receiver(path), port):
                while 200 not in postbacks.statuses:  # noqa: ASYNC110
                    await anyio.sleep(0.01)
    assert postbacks.statuses[0] == 0
    assert noted(path) == {(job_id, task_id) for task_id in sandbox.unrated()}


@pytest.mark.anyio
async def test_after_a_restart_what_is_still_unrated_comes_again_and_nothing_else(connect, path: Path) -> None:
    sandbox, job_id = seeded(1000)
    ids = sandbox.unrated()
    Submitted(path).note((job_id, task_id) for task_id in ids)
    async with connect(sandbox) as pico:
        async with Receiver(path).tasks(pico) as tasks:
            with anyio.fail_after(10):
                got = [await anext(tasks) for _ in ids]
            assert sorted(task.id for task in got) == ids
            await pico.rate_all([Rating.ok(task) for task in got[:600]])
        lookups = [request for request in sandbox.requests if request.method == "GET"]
        # 3 lookups of at most 400 ids, each with a request for each of its pages and one more.
        assert len(lookups) <= 3 + 10
        async with Receiver(path).tasks(pico) as tasks:
            with anyio.fail_after(10):
                again = [await anext(tasks) for _ in range(400)]
            assert {task.id for task in again} == set(sandbox.unrated())
            with anyio.move_on_after(1.5) as scope:
                await anext(tasks)
            assert scope.cancelled_caught


@pytest.mark.anyio
async def test_a_lookup_that_fails_is_made_again(connect, path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("picoworkers_async.webhooks.tasks._AFTER_FAILURE", 0.01)
    sandbox, job_id = seeded(20, faults=Faults(error_500_before=0.8))
    Submitted(path).note((job_id, task_id) for task_id in sandbox.unrated())
    async with connect(sandbox) as pico, Receiver(path).tasks(pico) as tasks:
        with anyio.fail_after(20):
            assert len({(await anext(tasks)).id for _ in range(20)}) == 20


@pytest.mark.anyio
async def test_lost_credentials_and_an_edition_without_postbacks_are_told(connect, path: Path) -> None:
    sandbox, job_id = seeded(1, api_secret="other")
    Submitted(path).note([(job_id, "a")])
    async with connect(sandbox) as pico, Receiver(path).tasks(pico) as tasks:
        with pytest.raises(AuthenticationError):
            await anext(tasks)
    async with connect(Sandbox()) as pico:
        with pytest.raises(InvalidRequestError, match="edition"):
            Receiver(path).tasks(pico)
    with pytest.raises(ValueError, match="no postbacks"):
        Sandbox(edition=PICOWORKERS).post_back("http://127.0.0.1:1/")
    with pytest.raises(ValueError, match="loopback"):
        sandbox.post_back("https://example.com/")
