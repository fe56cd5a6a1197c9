"""The proxy that the environment names."""

from __future__ import annotations

import importlib.util
import os
import re
from typing import Any, NamedTuple
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

from ..credentials import Hidden
from ..errors import ClientStateError
from ..problems import Problem, ProblemCode

# A scheme, a login, a host, and what follows.
_PLACE = re.compile(r"([a-z0-9+.-]{1,20}://)(.*@)?([a-z0-9._-]+|\[[0-9a-f:.]+\])((?:[:/].*)?)", re.IGNORECASE)
_SCHEMES = ("http", "https", "socks5", "socks5h")


class _Named(NamedTuple):
    """A proxy, and what names it: a variable of the environment, or the settings of the system."""

    by: str
    url: str


def environment_proxy(base_url: str) -> str | None:
    """The proxy that the environment names for an address (`HTTPS_PROXY`, `ALL_PROXY`, `NO_PROXY`), if any.

    None for an address without TLS, whatever is named: a proxy would read the secret, and such an address is on
    this machine, or in a network that is all the user's.
    """
    named = _named(base_url)
    return None if named is None else named.url


def proxy_problems(base_url: str) -> list[Problem]:
    """What keeps the proxy that the environment names for an address from being used; imports nothing."""
    named = _named(base_url)
    limit = None if named is None else _wanted(named.url)
    return [] if named is None or limit is None else [_problem(named, limit)]


def usable_proxy(base_url: str, package: Any) -> Any:
    """The proxy for an address in the form of httpx or httpx2, if the environment names any.

    Raises `ClientStateError` for one that cannot be used.
    """
    named = _named(base_url)
    if named is None:
        return None
    limit = _wanted(named.url)
    if limit is None:
        try:
            return package.Proxy(named.url)
        except (ValueError, package.InvalidURL):
            limit = "the address of a proxy"
    # Outside of the handler: the package's own error shows what may be a password.
    raise ClientStateError(f"nothing was sent, {_problem(named, limit)}")


def _named(base_url: str) -> _Named | None:
    parts = urlsplit(base_url)
    if parts.scheme != "https" or not parts.hostname or proxy_bypass(parts.hostname):
        return None
    proxies = getproxies()
    for kind in ("https", "all"):
        if proxy := proxies.get(kind):
            return _Named(_variable(kind), proxy if "://" in proxy else f"http://{proxy}")
    return None


def _variable(kind: str) -> str:
    """What names the proxies of a kind; a variable in lower case overrides one in capitals."""
    wanted = f"{kind}_proxy"
    names = sorted((name for name in os.environ if name.lower() == wanted and os.environ[name]), reverse=True)
    return names[0] if names else "the system's proxy"


def _wanted(proxy: str) -> str | None:
    """What an unusable proxy would have to be; None for a usable one."""
    try:
        parts = urlsplit(proxy)
        usable = bool(parts.hostname) and parts.port != 0 and proxy.isascii() and proxy.isprintable()
    except ValueError:
        usable = False
    if not usable or " " in proxy:
        return "the address of a proxy, such as http://proxy.example.com:3128"
    if parts.scheme not in _SCHEMES:
        return f"a proxy of a scheme that httpx knows: {', '.join(_SCHEMES)}"
    if parts.scheme.startswith("socks") and importlib.util.find_spec("socksio") is None:
        return "another proxy, or socksio installed, which httpx needs for SOCKS (pip install socksio)"
    return None


def _problem(named: _Named, limit: str) -> Problem:
    return Problem(named.by, _shown(named.url), limit, ProblemCode.FORMAT)


def _shown(proxy: str) -> object:
    """The proxy without what may be a password, even one that is there by mistake."""
    found = _PLACE.fullmatch(proxy)
    if found is None or proxy.count("@") != bool(found[2]):
        return Hidden()
    scheme, login, host, port = found.groups()
    login = "(hidden)@" if login else ""
    return f"{scheme}{login}{host}{port if re.fullmatch('(:[0-9]*)?/?', port) else ':(hidden)'}"
