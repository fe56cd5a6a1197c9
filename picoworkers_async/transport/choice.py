"""Which transport requests go over: the one that was named, or the fastest that can be used."""

from __future__ import annotations

import importlib.util
import os
from typing import Literal, NamedTuple, cast

import anyio

from ..errors import ClientStateError
from ..problems import Problem, ProblemCode
from .proxies import environment_proxy, proxy_problems
from .replaced import replacement

TransportName = Literal["fast", "lanes", "client"]

NAMES: tuple[TransportName, ...] = ("fast", "lanes", "client")
VARIABLE = "PICOWORKERS_TRANSPORT"

_INSTALL = 'pip install "picoworkers-async[fast]"'


class Choice(NamedTuple):
    """A transport, and why it is used."""

    name: TransportName
    why: str


def environment_name() -> str | None:
    """The transport that the environment names, whatever it is; None if it names none."""
    return os.environ.get(VARIABLE, "").strip().lower() or None


def name_problems(field: str, name: object) -> list[Problem]:
    """What keeps this from being the name of a transport."""
    if name in NAMES:
        return []
    return [Problem(field, name, f"one of {', '.join(NAMES)}", ProblemCode.CHOICE)]


def fast_problems(field: str, name: object, base_url: str) -> list[Problem]:
    """What keeps requests to an address from going over `fast` here, if that is the name."""
    if name != "fast":
        return []
    if not _is_installed():
        limit = f"httptools installed ({_INSTALL}), or another of {', '.join(NAMES)}"
        return [Problem(field, name, limit, ProblemCode.CHOICE)]
    if environment_proxy(base_url):
        limit = (
            "no proxy in the environment, since fast knows none: use lanes or client, or name the host in NO_PROXY"
        )
        return [Problem(field, name, limit, ProblemCode.CONFLICT)]
    return []


def way_problems(field: str, name: object, base_url: str) -> list[Problem]:
    """What keeps requests to an address from going over the transport of this name here; None is the default."""
    # Over fast, any proxy is one too many.
    return fast_problems(field, name, base_url) if name == "fast" else proxy_problems(base_url)


def choose(given: str | None, named: str | None, base_url: str) -> Choice:
    """The transport for requests to an address: `given` by the caller, `named` by the environment, or the fastest.

    Call it where the event loop runs. Raises `ClientStateError` for `fast` in an event loop other than
    asyncio's, and for a name that the environment was given after the client was made, and that cannot be used.
    """
    wanted, why = (given, "transport= says so") if given else (named, f"{VARIABLE} says so")
    if problems := way_problems("transport" if given else VARIABLE, wanted, base_url):
        raise ClientStateError(f"nothing was sent, {problems[0]}")
    if wanted is not None:
        if wanted == "fast" and not on_asyncio():
            raise ClientStateError(
                f"nothing was sent: fast ({why}) runs on asyncio only, and another event loop runs here; "
                "use lanes or client"
            )
        return Choice(cast("TransportName", wanted), why)
    against = _against_fast(base_url)
    return Choice("lanes", against) if against else Choice("fast", "it is installed, and nothing rules it out")


def _against_fast(base_url: str) -> str | None:
    """Why `fast` is not used where nobody named it; None if it can be used."""
    if not on_asyncio():
        return "the event loop is not asyncio's"
    if not _is_installed():
        return f"httptools is not installed ({_INSTALL})"
    if environment_proxy(base_url):
        return "the environment names a proxy for this address"
    return replacement()


def on_asyncio() -> bool:
    """Whether the running event loop is asyncio's."""
    import asyncio  # 10 ms of the time to import us, and loaded already where an event loop of it runs

    return anyio.get_cancelled_exc_class() is asyncio.CancelledError


def _is_installed() -> bool:
    return importlib.util.find_spec("httptools") is not None
