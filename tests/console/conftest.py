"""A real browser for the tests that are marked `browser`: Debian's Chromium, without a window."""

from __future__ import annotations

import importlib
import os
import shutil
from collections.abc import Iterator
from typing import Any

import pytest
from anyio.from_thread import BlockingPortal, start_blocking_portal

_REMEDY = "install it by `apt-get install chromium`, or name one in PICOWORKERS_CHROMIUM; `nox -s browser` does"


@pytest.fixture
def portal() -> Iterator[BlockingPortal]:
    """An event loop in another thread, for what a test serves."""
    with start_blocking_portal() as portal:
        yield portal


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    """Chromium. Fails where there is none: a page that nobody opened is not tested."""
    chromium = os.environ.get("PICOWORKERS_CHROMIUM") or shutil.which("chromium")
    if chromium is None:
        pytest.fail(f"there is no browser, so the console cannot be tested: {_REMEDY}")
    try:
        playwright = importlib.import_module("playwright.sync_api")
    except ImportError:
        pytest.fail("playwright is missing: install the dependency group `browser`; `nox -s browser` does")
    with playwright.sync_playwright() as driver:
        # Chromium's own sandbox needs rights that containers do not give; what it opens here is ours.
        started = driver.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        yield started
        started.close()
