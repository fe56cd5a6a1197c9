"""The served sandbox's page, as HTTP."""
# ruff: noqa: RUF001

from __future__ import annotations

import json
import re
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import httpx
import pytest
from anyio.from_thread import start_blocking_portal

from picoworkers_async.console.page import message
from picoworkers_async.console.site import MOST_VIEWERS
from picoworkers_async.sandbox import Faults, Sandbox
from picoworkers_async.sandbox.faults import Fault
from picoworkers_async.sandbox.what_goes_wrong import WHAT_GOES_WRONG
from tests.support.raw_client import HEADERS


@contextmanager
def page_of(sandbox: Sandbox) -> Iterator[httpx.Client]:
    with (
        start_blocking_portal() as portal,
        portal.wrap_async_context_manager(sandbox.serve()) as url,
        httpx.Client(base_url=url.removesuffix("/api/"), timeout=20) as http,
    ):
        yield http


def token_in(text: str) -> str:
    found = re.search(r'name="token" value="([^"]+)"', text)
    assert found is not None
    return found[1]


def post(http: httpx.Client, action: str, headers: dict | None = None, **fields: str) -> httpx.Response:
    fields.setdefault("token", token_in((http.get("/")).text))
    return http.post(f"/_console/do/{action}", data=fields, headers=headers or {})


def first_events(http: httpx.Client, count: int = 1) -> list[dict]:
    found: list[dict] = []
    with http.stream("GET", "/_console/events") as answer:
        assert answer.headers["content-type"].startswith("text/event-stream")
        for line in answer.iter_lines():
            if line.startswith("data: "):
                found.append(json.loads(line.removeprefix("data: ")))
            if len(found) == count:
                break
    return found


def test_every_answer_has_a_strict_policy_and_nothing_comes_from_outside() -> None:
    with page_of(Sandbox()) as http:
        for path in ("/", "/_console/console.js", "/_console/console.css", "/_console/nothing"):
            answer = http.get(path)
            policy = answer.headers["content-security-policy"]
            for part in ("default-src 'none'", "script-src 'self'", "style-src 'self'", "connect-src 'self'",
                         "form-action 'self'", "frame-ancestors 'none'"):  # fmt: skip
                assert part in policy
            assert "unsafe" not in policy
            assert answer.headers["x-content-type-options"] == "nosniff"
            assert answer.headers["referrer-policy"] == "no-referrer"
        text = (http.get("/")).text
    assert not re.search(r"<script(?![^>]*src=)|<style|style=| on[a-z]+=|https?://", text)


def test_what_a_worker_wrote_is_text_on_the_page_and_in_the_news() -> None:
    sandbox = Sandbox()
    job_id = sandbox.add_job(title="</title><script>alert(1)</script>")
    evil = "<img src=x onerror=alert(2)>\x1b]0;\u202e"
    sandbox.add_tasks(job_id, worker_id="'\"><svg onload=alert(3)>", proofs=[{"text": evil + "x" * 100_000}])
    with page_of(sandbox) as http:
        text = (http.get("/")).text
        (news,) = first_events(http)
    assert not re.search(r"<script(?! src)|<img|<svg on|\x1b|\u202e", text)
    assert "&lt;img src=x onerror=alert(2)&gt;␛]0;‹U+202E›" in text
    assert len(text) < 100_000
    seen = news["table:tasks"]["rows"][0]["proofs"]
    assert seen.startswith("<img src=x onerror=alert(2)>␛]0;‹U+202E›x")
    assert seen.endswith("more characters)")


@pytest.mark.parametrize(
    "host", ["evil.example", "127.0.0.1.evil.example", "localhost:80@evil", "127.0.0.1:x", ""]
)
def test_a_name_that_only_leads_here_is_refused(host: str) -> None:
    with page_of(Sandbox()) as http:
        for path in ("/", "/_console/events"):
            assert (http.get(path, headers={"host": host})).status_code == 421
        assert (http.get("/", headers={"host": "localhost:1234"})).status_code == 200


def test_the_service_itself_is_answered_as_before() -> None:
    sandbox = Sandbox()
    with page_of(sandbox) as http:
        for path in ("/", "/favicon.ico", "/_console/nothing"):
            http.get(path)
        assert sandbox.requests == []
        answer = http.get("/api/users/get-balances.php", headers={**HEADERS, "host": "service.example"})
        assert answer.status_code == 200
        assert "content-security-policy" not in answer.headers
        assert (http.get("/_sandbox/ledger")).json()["requests"] == 1
        assert (http.get("/other")).status_code == 404


def test_a_form_submits_tasks_approves_a_job_and_switches_a_fault() -> None:
    sandbox = Sandbox()
    job_id = sandbox.add_job(status="pending_review")
    with page_of(sandbox) as http:
        answer = post(http, "submit", job_id=job_id, count="3")
        assert (answer.status_code, answer.headers["location"]) == (303, "/")
        post(http, "approve", job_id=job_id)
        post(http, "fault", fault="late", chance="0.25")
        assert (len(sandbox.unrated()), sandbox.store.jobs[job_id].status) == (3, "running")
        assert sandbox.faults == Faults(late=0.25)
        post(http, "fault", fault="late", chance="0")
        assert sandbox.faults == Faults()
        by_script = post(http, "submit", {"accept": "application/json"}, job_id=job_id, count="1")
    assert by_script.json() == {"said": f"Tasks handed in to the job {job_id}: 1."}


@pytest.mark.parametrize(
    ("action", "fields", "said"),
    [
        ("submit", {"count": "0", "job_id": "x"}, "from 1 to 1000"),
        ("submit", {"count": "1", "job_id": "<b>"}, "of this sandbox"),
        ("approve", {"job_id": "running"}, "this one is running"),
        ("fault", {"fault": "late", "chance": "2"}, "probability"),
        ("fault", {"fault": "late", "chance": "nan"}, "probability"),
        ("fault", {"fault": "only", "chance": "1"}, "no such fault"),
        ("launch", {}, "no such action"),
    ],
)
def test_what_cannot_be_done_is_said(action: str, fields: dict[str, str], said: str) -> None:
    sandbox = Sandbox()
    sandbox.add_job(id="running")
    with page_of(sandbox) as http:
        answer = post(http, action, **fields)
    assert answer.status_code == 422
    assert said in answer.text
    assert "<b>" not in answer.text
    assert (sandbox.unrated(), sandbox.faults) == ([], Faults())


@pytest.mark.parametrize(
    "headers",
    [
        {"sec-fetch-site": "cross-site"},
        {"sec-fetch-site": "same-site", "origin": "http://127.0.0.1:1"},
        {"sec-fetch-site": "none"},
        {"origin": "http://evil.example"},
        {"origin": "null"},
        {"cookie": "picoworkers_console_1=other"},
    ],
)
def test_a_form_of_another_page_does_nothing(headers: dict[str, str]) -> None:
    sandbox = Sandbox()
    job_id = sandbox.add_job()
    with page_of(sandbox) as http:
        token = token_in((http.get("/")).text)
        if "cookie" in headers:
            http.cookies.clear()
        fields = {"token": token, "job_id": job_id, "count": "1"}
        answer = http.post("/_console/do/submit", data=fields, headers=headers)
    assert (answer.status_code, sandbox.unrated()) == (403, [])


def test_a_form_without_the_token_of_this_run_does_nothing() -> None:
    sandbox = Sandbox()
    job_id = sandbox.add_job()
    with page_of(sandbox) as http:
        for token in ("", "0" * 64, "\u00e9"):
            assert (post(http, "submit", token=token, job_id=job_id, count="1")).status_code == 403
        assert (post(http, "submit", job_id="x" * 100_000)).status_code == 413
        own = {"origin": str(http.base_url).rstrip("/"), "sec-fetch-site": "same-origin"}
        assert sandbox.unrated() == []
        assert (post(http, "submit", own, job_id=job_id, count="1")).status_code == 303
        cookie = (http.get("/")).headers["set-cookie"].lower()
    assert "httponly" in cookie
    assert "samesite=strict" in cookie


def test_news_say_what_changed_and_nothing_else() -> None:
    sandbox = Sandbox(edition="sproutgigs")
    job_id = sandbox.add_job(task_value="0.10")
    tasks = sandbox.add_tasks(job_id, 300)
    with page_of(sandbox) as http:
        found: list[dict] = []
        with http.stream("GET", "/_console/events") as answer:
            for line in answer.iter_lines():
                if not line.startswith("data: "):
                    continue
                found.append(json.loads(line.removeprefix("data: ")))
                if len(found) == 1:
                    with sandbox._account.lock:
                        for task_id in tasks[:250]:
                            sandbox._account.rate(sandbox.store.tasks[task_id], {"task_rating": "ok"})
                if found[-1].get("numbers", {}).get("ok") == "250":
                    break
    assert set(found[0]) == {
        "numbers",
        "plot",
        *(f"table:{name}" for name in ("jobs", "tasks", "ratings", "faults")),
    }
    assert len(found[-1]["table:ratings"]["rows"]) == 200
    assert "table:faults" not in found[-1]
    assert found[-1]["numbers"]["paid"] == "$25.00"
    assert found[-1]["table:jobs"]["rows"][0]["waiting"] == "50"


def test_the_tally_reads_each_rating_once_and_begins_anew_with_an_emptied_ledger() -> None:
    sandbox = Sandbox()
    job_id = sandbox.add_job(task_value="0.10")
    first, second = sandbox.add_tasks(job_id, 2)
    with page_of(sandbox) as http:
        for task_id in (first, second):
            sandbox._account.rate(sandbox.store.tasks[task_id], {"task_rating": "ok", "task_bonus": "0.0125"})
            text = (http.get("/")).text
        assert 'data-number="paid">$0.20<' in text
        assert 'data-number="bonus">$0.025<' in text
        sandbox.ledger.clear()
        assert 'data-number="paid">$0.00<' in (http.get("/")).text


def test_a_reader_that_stands_still_holds_nothing_up() -> None:
    sandbox = Sandbox()
    job_id = sandbox.add_job()
    with page_of(sandbox) as http, socket.socket() as slow:
        slow.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        slow.connect((http.base_url.host, http.base_url.port))
        slow.sendall(b"GET /_console/events HTTP/1.1\r\nHost: localhost\r\n\r\n")
        with http.stream("GET", "/_console/events") as answer:
            lines = answer.iter_lines()
            for number in range(1, 6):
                sandbox.add_tasks(job_id, 20, proofs=[{"text": f"{number}" * 600}])
                next(line for line in lines if f'"waiting":"{20 * number}"' in line)
        assert http.get("/api/users/get-balances.php", headers=HEADERS).status_code == 200


def test_so_many_pages_are_kept_new_and_those_that_leave_make_room() -> None:
    with page_of(Sandbox()) as http:
        readers = [http.stream("GET", "/_console/events") for _ in range(MOST_VIEWERS)]
        for reader in readers:
            assert (reader.__enter__()).status_code == 200
        assert (http.get("/_console/events")).status_code == 503
        assert (http.get("/")).status_code == 200
        for reader in readers:
            reader.__exit__(None, None, None)
        while (http.send(http.build_request("GET", "/_console/events"), stream=True)).status_code != 200:
            pass


def test_a_page_of_tasks_can_be_turned() -> None:
    sandbox = Sandbox()
    sandbox.add_tasks(sandbox.add_job(), 25)
    with page_of(sandbox) as http:
        for page, note in (("2", "21 to 25 of 25."), ("x", "1 to 20 of 25."), ("99999999999", "1 to 20 of 25.")):
            assert note in (http.get("/", params={"page": page})).text


def test_a_page_of_tasks_leads_to_the_next_only_where_there_is_one() -> None:
    sandbox = Sandbox()
    with page_of(sandbox) as http:
        assert 'rel="next" hidden' in http.get("/").text
        assert "at most" not in http.get("/").text
        sandbox.add_tasks(sandbox.add_job(), 21)
        assert 'rel="next">' in http.get("/").text
        assert 'rel="next" hidden' in http.get("/", params={"page": "2"}).text
        assert first_events(http)[0]["table:tasks"]["next"] is True


def test_a_sandbox_in_process_does_without_the_page() -> None:
    program = "import sys, picoworkers_async.sandbox as s; s.Sandbox().transport(); print(*sys.modules)"
    command = [sys.executable, "-c", program]
    loaded = subprocess.run(command, capture_output=True, check=True, text=True).stdout.split()
    assert "picoworkers_async.sandbox" in loaded
    assert not [name for name in loaded if name.startswith("picoworkers_async.console")]


def test_every_fault_is_described() -> None:
    assert set(WHAT_GOES_WRONG) == set(Fault)


def test_a_message_is_escaped_as_well() -> None:
    assert b"<b>" not in message("<b>", "<b>")
