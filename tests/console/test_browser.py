"""The console in a real Chromium: what a person sees, does, and does without."""

from __future__ import annotations

import importlib.resources
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from anyio.from_thread import BlockingPortal

from picoworkers_async.console import watch_journal
from picoworkers_async.sandbox import Sandbox

from .test_watch import rated

pytestmark = pytest.mark.browser

SCHEMES = ("light", "dark")
WIDE = {"width": 1100, "height": 800}
PHONE = {"width": 360, "height": 740}
LIVE = "#live[data-state=live]"


@contextmanager
def opened(browser: Any, url: str, **options: Any) -> Iterator[Any]:
    """The page, live. Whatever its console complains of fails the test: a policy that was broken, above all."""
    context = browser.new_context(**{"viewport": WIDE, **options})
    context.set_default_timeout(20_000)
    page = context.new_page()
    complaints: list[str] = []
    page.on("console", lambda said: complaints.append(said.text) if said.type == "error" else None)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.goto(url)
    if options.get("java_script_enabled", True):
        page.wait_for_selector(LIVE)
    page.complaints = complaints
    yield page
    context.close()
    assert complaints == []


@contextmanager
def served(portal: BlockingPortal, sandbox: Sandbox, port: int = 0) -> Iterator[str]:
    with portal.wrap_async_context_manager(sandbox.serve(port)) as url:
        yield url.removesuffix("api/")


def full() -> Sandbox:
    """A sandbox with one of everything, and words that would do harm."""
    sandbox = Sandbox(edition="sproutgigs", requests_per_second=20)
    job_id = sandbox.add_job(
        id="busy", title="<img src=x onerror=document.title='hacked'> \u202e title", num_tasks=500
    )
    sandbox.add_job(id="new", title="Waits", status="pending_review")
    tasks = sandbox.add_tasks(
        job_id, 30, proofs=[{"text": "<script>document.title='hacked'</script>" + "x" * 5000}]
    )
    for task_id in tasks[:5]:
        rate(sandbox, task_id, comment="y" * 500)
    return sandbox


def rate(sandbox: Sandbox, task_id: str, verdict: str = "ok", comment: str | None = None) -> None:
    account = sandbox._account
    with account.lock:
        account.rate(sandbox.store.tasks[task_id], {"task_rating": verdict, "task_comment": comment})


def number(page: Any, name: str) -> Any:
    return page.locator(f"[data-number={name}]")


def wait_for(page: Any, name: str, value: str) -> None:
    page.wait_for_function(
        "([name, value]) => document.querySelector(`[data-number=${name}]`).textContent === value",
        arg=[name, value],
    )


def row(page: Any, table: str, key: str) -> Any:
    return page.locator(f"[data-table={table}] > tr[data-key='{key}']")


def violations(page: Any) -> list[str]:
    """What axe-core finds wrong."""
    page.evaluate((importlib.resources.files("axe_playwright_python") / "axe.min.js").read_text())
    found = page.evaluate("axe.run(document, {resultTypes: ['violations']})")["violations"]
    return [f"{one['id']}: {one['nodes'][0]['html'][:200]} {one['nodes'][0]['failureSummary']}" for one in found]


def test_ratings_land_on_the_page_by_themselves(portal: BlockingPortal, browser: Any) -> None:
    sandbox = full()
    with served(portal, sandbox) as url, opened(browser, url) as page:
        assert number(page, "ok").text_content() == "5"
        for task_id in sandbox.unrated()[:3]:
            rate(sandbox, task_id, "not_ok", "<b>no</b>")
        wait_for(page, "not_ok", "3")
        assert page.locator("[data-table=ratings] > tr").count() == 8
        assert page.locator("[data-table=ratings] bdi").first.text_content() == "<b>no</b>"
        assert row(page, "jobs", "busy").locator("[data-field=waiting]").text_content() == "22"
        sandbox.add_job(id="late")
        row(page, "jobs", "late").wait_for()
        assert page.locator("[data-table=jobs] > tr").first.get_attribute("data-key") == "late"
        assert page.title() == "Sandbox of sproutgigs"


def test_buttons_do_what_they_say_without_a_reload(portal: BlockingPortal, browser: Any) -> None:
    sandbox = full()
    with served(portal, sandbox) as url, opened(browser, url) as page:
        page.evaluate("window.kept = true")
        row(page, "jobs", "new").get_by_role("button", name="Approve").click()
        row(page, "jobs", "new").get_by_role("button", name="Approve").wait_for(state="hidden")
        assert sandbox.store.jobs["new"].status == "running"
        row(page, "jobs", "new").get_by_label("How many tasks").fill("7")
        row(page, "jobs", "new").get_by_role("button", name="Submit tasks").click()
        wait_for(page, "waiting", "32")
        assert page.locator("#said").text_content() == "Tasks handed in to the job new: 7."
        assert row(page, "jobs", "new").get_by_label("How many tasks").input_value() == "7"
        late = row(page, "faults", "late")
        late.get_by_label("How likely").fill("0.5")
        late.get_by_role("button", name="Switch on").click()
        late.get_by_role("button", name="Switch off").wait_for()
        assert sandbox.faults.late == 0.5
        late.get_by_role("button", name="Switch off").click()
        late.get_by_role("button", name="Switch off").wait_for(state="hidden")
        assert sandbox.faults.late == 0
        assert page.evaluate("window.kept")


def test_the_keyboard_is_enough_and_the_focus_is_seen(portal: BlockingPortal, browser: Any) -> None:
    sandbox = full()
    with served(portal, sandbox) as url, opened(browser, url) as page:
        seen: list[str] = []
        for _ in range(30):
            page.keyboard.press("Tab")
            name, outline = page.evaluate(
                "[document.activeElement.textContent, getComputedStyle(document.activeElement).outlineWidth]"
            )
            seen.append(name)
            assert outline == "3px"
            if name == "Approve":
                page.keyboard.press("Enter")
                page.wait_for_function("() => document.getElementById('said').textContent.includes('runs now')")
                row(page, "jobs", "new").get_by_role("button", name="Approve").wait_for(state="hidden")
                # The button is gone, and the focus is at its neighbour, not lost.
                assert page.evaluate("document.activeElement.closest('tr')?.dataset.key") == "new"
            if name == "Submit tasks" and "Approve" in seen:
                page.keyboard.press("Space")
                wait_for(page, "waiting", "35")
                break
    assert "Submit tasks" in seen
    assert len(sandbox.unrated()) == 35


def test_without_a_script_it_is_a_plain_page_whose_forms_work(portal: BlockingPortal, browser: Any) -> None:
    sandbox = full()
    with served(portal, sandbox) as url, opened(browser, url, java_script_enabled=False) as page:
        assert number(page, "waiting").text_content() == "25"
        row(page, "jobs", "new").get_by_role("button", name="Approve").click()
        page.wait_for_url(url)
        assert row(page, "jobs", "new").locator("[data-field=status]").text_content() == "running"
        row(page, "jobs", "busy").get_by_role("button", name="Submit tasks").click()
        page.wait_for_url(url)
        assert number(page, "waiting").text_content() == "35"
        page.get_by_role("link", name="Later tasks").click()
        assert page.locator("[data-note=tasks]").text_content() == "21 to 35 of 35."


def test_it_connects_again_by_itself_to_a_sandbox_that_comes_back(portal: BlockingPortal, browser: Any) -> None:
    sandbox = full()
    with served(portal, sandbox) as url:
        context = browser.new_context()
        page = context.new_page()
        page.goto(url)
        page.wait_for_selector(LIVE)
        port = int(url.rstrip("/").rpartition(":")[2])
    page.wait_for_selector("#live[data-state=away]")
    rate(sandbox, sandbox.unrated()[0])
    with served(portal, sandbox, port):
        page.wait_for_selector(LIVE)
        wait_for(page, "ok", "6")
        row(page, "jobs", "new").get_by_role("button", name="Approve").click()
        page.wait_for_selector("#said[data-state=refused]")
        assert "reload" in (page.locator("#said").text_content() or "")
        context.close()


@pytest.mark.parametrize(("scheme", "viewport"), [("light", WIDE), ("dark", WIDE), ("light", PHONE)])
def test_axe_finds_nothing_wrong(
    portal: BlockingPortal, browser: Any, scheme: str, viewport: dict[str, int]
) -> None:
    options = {"color_scheme": scheme, "viewport": viewport}
    with served(portal, full()) as url, opened(browser, url, **options) as page:
        assert violations(page) == []
        assert page.evaluate("getComputedStyle(document.body).backgroundColor") == (
            "rgb(246, 247, 249)" if scheme == "light" else "rgb(18, 22, 28)"
        )


def test_a_phone_need_not_scroll_sideways(portal: BlockingPortal, browser: Any) -> None:
    with served(portal, full()) as url, opened(browser, url, viewport=PHONE, has_touch=True) as page:
        assert page.evaluate("document.documentElement.scrollWidth") <= 360
        wider = """[...document.querySelectorAll('main *')].filter((element) => !element.closest('thead, svg')
            && element.getBoundingClientRect().right > 361).map((element) => element.outerHTML.slice(0, 100))"""
        assert page.evaluate(wider) == []
        assert page.get_by_role("table", name="Jobs").is_visible()


def test_who_wants_no_motion_sees_none(portal: BlockingPortal, browser: Any) -> None:
    with served(portal, full()) as url, opened(browser, url, reduced_motion="reduce") as page:
        moving = """[...document.querySelectorAll('*')].filter((element) => {
            const style = getComputedStyle(element);
            return parseFloat(style.transitionDuration) > 0 || style.animationName !== 'none';
        }).length"""
        assert page.evaluate(moving) == 0


WATCHED = """
window.frames = 0; window.longest = 0; window.long = 0; window.last = performance.now();
(function frame(now) {
    const gap = now - window.last;
    window.frames += 1; window.last = now; window.longest = Math.max(window.longest, gap);
    requestAnimationFrame(frame);
})(performance.now());
new PerformanceObserver((list) => {
    for (const entry of list.getEntries()) window.long += entry.duration;
}).observe({ entryTypes: ["longtask"] });
"""


def at_a_pace(action: Callable[[], object], *, times: int, each: float) -> threading.Thread:
    def run() -> None:
        began = time.monotonic()
        for number in range(times):
            time.sleep(max(0.0, began + number * each - time.monotonic()))
            action()

    thread = threading.Thread(target=run)
    thread.start()
    return thread


def test_a_thousand_ratings_a_second_do_not_freeze_it(portal: BlockingPortal, browser: Any) -> None:
    sandbox = Sandbox()
    tasks = iter(sandbox.add_tasks(sandbox.add_job(id="busy", num_tasks=5000), 5000))

    def rate_fifty() -> None:
        for _ in range(50):
            rate(sandbox, next(tasks))

    with served(portal, sandbox) as url, opened(browser, url) as page:
        page.evaluate(WATCHED)
        thread = at_a_pace(rate_fifty, times=100, each=0.05)
        page.get_by_label("How many tasks").fill("3")
        page.get_by_role("button", name="Submit tasks").click()
        page.wait_for_function("() => document.getElementById('said').textContent.endsWith('busy: 3.')")
        thread.join()
        wait_for(page, "ok", "5,000")
        frames, longest, long = page.evaluate("[frames, longest, long]")
        rows = page.locator("[data-table=ratings] > tr").count()
    print(f"{frames} frames, the longest gap {longest:.0f} ms, {long:.0f} ms in long tasks")
    assert rows == 200
    # Of five seconds: the main thread is free most of the time, on a busy machine too.
    assert long < 2500
    assert longest < 2000
    assert frames > 25


@pytest.mark.parametrize("scheme", SCHEMES)
def test_a_journal_can_be_watched_by_the_browser_that_comes_first(
    portal: BlockingPortal, browser: Any, tmp_path: Path, scheme: str
) -> None:
    path = tmp_path / "paid.db"
    portal.call(rated, path)
    with (
        portal.wrap_async_context_manager(watch_journal(path)) as url,
        opened(browser, url, color_scheme=scheme) as page,
    ):
        assert page.url == url.partition("?")[0]
        assert number(page, "rated").text_content() == "2"
        assert violations(page) == []
        page.reload()
        page.wait_for_selector(LIVE)
        page.set_viewport_size(PHONE)
        assert page.evaluate("document.documentElement.scrollWidth") <= 360
