"""Load what a transport needs before its first use, without blocking the event loop."""

from __future__ import annotations

import sys
from importlib import import_module

import anyio
import anyio.to_thread

from .choice import TransportName
from .package import default_package
from .tls import environment_tls, environment_tls_is_loaded

_FAST = f"{__package__}.asyncio_adapter"


async def load(name: TransportName, base_url: str) -> None:
    """Load the packages and the certificates that this transport to an address needs, unless they are loaded.

    In a thread: both take tens of milliseconds, in which nothing else in the program would run.
    """
    needs_tls = name != "fast" or base_url.lower().startswith("https:")
    loaded = environment_tls_is_loaded() if needs_tls else True
    if not loaded or (name == "fast" and _FAST not in sys.modules):
        # A limiter of its own: a program whose threads are all in use would not get here.
        await anyio.to_thread.run_sync(_load, name, needs_tls, limiter=anyio.CapacityLimiter(1))


def _load(name: TransportName, needs_tls: bool) -> None:
    if name == "fast":
        import_module(_FAST)
    else:
        # Both packages load their core with the first transport that is made.
        import_module("httpcore2" if default_package().__name__ == "httpx2" else "httpcore")
    if needs_tls:
        environment_tls()
