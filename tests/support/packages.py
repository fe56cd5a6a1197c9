"""httpx2 in place of httpx, as if it alone were installed."""

from __future__ import annotations

import httpx2
import pytest

from picoworkers_async.sandbox import sandbox
from picoworkers_async.transport import default, lanes, loading, replaced, shared, tls


def without_httpx(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have clients of ours, and sandboxes in process, be of httpx2 where a test does not say otherwise."""
    for module in (default, lanes, loading, replaced, shared, tls, sandbox):
        monkeypatch.setattr(module, "default_package", lambda: httpx2)
