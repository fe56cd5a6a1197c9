"""Take the pictures of docs/images from real runs: the sandbox's page in light, dark and small, and a journal's.

Needs Debian's `chromium` and the dependency group `browser`. Run it as `python benchmarks/screens.py`.
"""

from __future__ import annotations

import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import Any

import httpx
from anyio.from_thread import BlockingPortal, start_blocking_portal
from playwright.sync_api import Browser, sync_playwright

from picoworkers_async import Limits, Rating, Task, Throttle
from picoworkers_async.console import watch_journal
from picoworkers_async.sandbox import Faults, Sandbox, TextProof

IMAGES = Path(__file__).parents[1] / "docs" / "images"
MOST_BYTES = 150_000
WIDE, NARROW = {"width": 1100, "height": 1080}, {"width": 360, "height": 780}
PROOFS = (
    "I signed up as maria.k, the confirmation number is 48-1193.",
    "done",
    "<b>Great</b> task!! \u202egnp.exe",
    "Watched to the end; the last word was “harbour”.",
)


def decide(task: Task) -> Rating:
    text = task.proofs[0].text or ""
    if text == "done":
        return Rating.not_ok(task, "Please name the confirmation number.", "incorrect")
    if "!!" in text:
        return Rating.revise(task, "Which of the two accounts is yours?")
    return Rating.ok(task, "good", bonus=Decimal("0.05") if "48" in text else None)


async def review(sandbox: Sandbox, journal: Path) -> None:
    async with sandbox.client(throttle=Throttle(requests_per_second=9)) as pico:
        await pico.review_all(decide, journal=journal, limits=Limits(pay_per_day=100))


async def hurry(sandbox: Sandbox) -> None:
    """Ask more often than is permitted, so that there are answers of status 429 to be seen."""
    login = ("user_id", "api_secret")
    async with httpx.AsyncClient(
        transport=sandbox.transport(), base_url="http://sandbox/api/", auth=login
    ) as http:
        for _ in range(20):
            await http.get("users/get-balances.php")


def sandbox_of_the_pictures() -> Sandbox:
    sandbox = Sandbox(page_size=100, requests_per_second=12, cooldown=0.5, faults=Faults(late=0.05), seed=3)
    titles = ("Sign up to ACME and confirm", "Watch a video to its end", "Answer a survey of 12 questions")
    for title in titles:
        job_id = sandbox.add_job(title=title, task_value="0.10", num_tasks=400)
        sandbox.add_tasks(job_id, 130, proofs=lambda number: [TextProof(PROOFS[number % len(PROOFS)])])
    sandbox.add_job(title="Find three cafés with step-free access", num_tasks=60, status="pending_review")
    return sandbox


@contextmanager
def page_of(browser: Browser, url: str, **options: Any) -> Iterator[Any]:
    context = browser.new_context(**options)
    page = context.new_page()
    page.goto(url)
    page.wait_for_selector("#live[data-state=live]")
    page.wait_for_timeout(600)
    yield page
    context.close()


def take(page: Any, name: str) -> None:
    path = IMAGES / f"{name}.png"
    page.screenshot(path=path)
    size = path.stat().st_size
    print(f"{path.relative_to(IMAGES.parents[1])}: {size / 1000:.0f} kB")
    if size > MOST_BYTES:
        raise SystemExit(f"{path.name} is larger than {MOST_BYTES / 1000:.0f} kB")


def pictures(portal: BlockingPortal, browser: Browser, folder: Path) -> None:
    sandbox, journal = sandbox_of_the_pictures(), folder / "paid.db"
    with portal.wrap_async_context_manager(sandbox.serve()) as url:
        address = url.removesuffix("api/")
        running = portal.start_task_soon(review, sandbox, journal)
        with page_of(browser, address, viewport=WIDE, color_scheme="light") as page:
            page.wait_for_timeout(6000)
            portal.call(hurry, sandbox)
            page.wait_for_timeout(3000)
            take(page, "console-light")
        with page_of(browser, address, viewport=WIDE, color_scheme="dark") as page:
            take(page, "console-dark")
        with page_of(browser, address, viewport=NARROW, color_scheme="light") as page:
            take(page, "console-phone")
        with (
            portal.wrap_async_context_manager(watch_journal(journal)) as watched,
            page_of(browser, watched, viewport={**WIDE, "height": 900}, color_scheme="light") as page,
        ):
            take(page, "journal-light")
        running.cancel()


def main() -> None:
    chromium = shutil.which("chromium")
    if chromium is None:
        raise SystemExit("no chromium here: apt-get install chromium")
    IMAGES.mkdir(exist_ok=True)
    with (
        tempfile.TemporaryDirectory() as folder,
        start_blocking_portal() as portal,
        sync_playwright() as playwright,
    ):
        start = partial(playwright.chromium.launch, executable_path=chromium, args=["--no-sandbox"])
        browser = start()
        pictures(portal, browser, Path(folder))
        browser.close()


if __name__ == "__main__":
    sys.exit(main())
