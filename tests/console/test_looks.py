"""What strangers wrote in a real Chromium: however wide or high it is, the rest of the page can be read."""

from __future__ import annotations

from typing import Any

import pytest
from anyio.from_thread import BlockingPortal

from picoworkers_async.sandbox import Sandbox

from .test_browser import PHONE, opened, served, violations

pytestmark = pytest.mark.browser
CUT_OFF = """[...document.querySelectorAll('section')].filter((section) =>
    [...section.querySelectorAll('td > *')].some((one) => one.getBoundingClientRect().right
        > section.getBoundingClientRect().right)).map((section) => section.className)"""
UNREADABLE = {
    "marks": "Z" + "\u0301\u0489\u0334" * 150,
    "one word": "W" * 600,
    "lines": "\n".join("x" * 100),
    "right to left": "\u05e9\u05dc\u05d5\u05dd (1)! " * 60,
}


def test_no_text_pushes_others_off_the_page(portal: BlockingPortal, browser: Any) -> None:
    sandbox = Sandbox(edition="sproutgigs")
    job_id = sandbox.add_job(id="busy", title=UNREADABLE["marks"])
    for text in UNREADABLE.values():
        sandbox.add_tasks(job_id, worker_id=text, proofs=[{"text": text}])
    with served(portal, sandbox) as url, opened(browser, url) as page:
        assert page.locator("[data-table=tasks] > tr").count() == len(UNREADABLE)
        assert page.evaluate(CUT_OFF) == []
        assert max(row.bounding_box()["height"] for row in page.locator("[data-table=tasks] > tr").all()) < 700
        assert violations(page) == []
        page.set_viewport_size(PHONE)
        assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
        assert page.evaluate(CUT_OFF) == []
