"""Which httpx transport a client of ours sends through, when none is given."""

from __future__ import annotations

import importlib.util
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

import anyio
import httpx

from .lanes import Lanes

# What part of a request's time getting and opening a connection may take: less than the whole, so that a
# connection that does not open is told as that, and not as an answer that did not come.
OPENING_SHARE = 0.9


def default_transport(*, max_connections: int, timeout: float, base_url: str) -> httpx.AsyncBaseTransport:
    """pyreqwest's transport on asyncio where it is installed, else lanes; to be called where the event loop runs.

    Proxies and certificates are those of the environment, as for an `httpx.AsyncClient`.
    """
    import asyncio  # 10 ms of the time to import us, and loaded already where an event loop of it runs

    proxy = environment_proxy(base_url)
    if anyio.get_cancelled_exc_class() is asyncio.CancelledError and importlib.util.find_spec("pyreqwest"):
        from .pyreqwest import PyreqwestTransport

        opening = OPENING_SHARE * timeout
        return PyreqwestTransport(max_connections=max_connections, timeout=opening, proxy=proxy)
    return Lanes(max_connections, proxy=proxy)


def environment_proxy(url: str) -> str | None:
    """The proxy that the environment names for an address (`HTTPS_PROXY`, `ALL_PROXY`, `NO_PROXY`), if any."""
    parts = urlsplit(url)
    proxies = getproxies()
    proxy = proxies.get(parts.scheme) or proxies.get("all")
    if proxy is None or (parts.hostname and proxy_bypass(parts.hostname)):
        return None
    return proxy if "://" in proxy else f"http://{proxy}"
