"""Whether something stands in for methods of httpx, and so wants to see its requests: respx, OpenTelemetry."""

from __future__ import annotations

import importlib.util
import sys
from types import FunctionType

from .package import default_package

# Where mocks and instrumentations take hold of httpx: each sees what goes through this method only.
_METHODS = (
    ("httpx", "AsyncHTTPTransport", "handle_async_request"),
    ("httpx", "AsyncClient", "send"),
    ("httpx", "AsyncClient", "_send_single_request"),
    ("httpx", "AsyncClient", "_transport_for_url"),
    ("httpcore", "AsyncConnectionPool", "handle_async_request"),
)


def replacement() -> str | None:
    """What replaced or wrapped a method that requests of httpx go through, in words; None if they are its own.

    It is the package of our own clients that is looked at, httpx, or httpx2 where that alone is installed. Imports
    nothing: what is not loaded is not replaced.
    """
    if "httpx" not in sys.modules and importlib.util.find_spec("httpx"):
        return None
    suffix = default_package().__name__.removeprefix("httpx")
    for package, kind, name in _METHODS:
        module = sys.modules.get(package + suffix)
        method = vars(getattr(module, kind, object)).get(name)
        if method is not None and (by := _replaced_by(method, package + suffix)) is not None:
            return f"{by} has replaced {package}{suffix}.{kind}.{name}"
    return None


def _replaced_by(method: object, package: str) -> str | None:
    """The module of what stands in for a package's method; None if it is the package's own."""
    # By its type: an object of wrapt passes for the function that it wraps.
    if type(method) is FunctionType:
        module = str(method.__globals__.get("__name__"))
        return None if module.partition(".")[0] == package else module
    wrapper = getattr(method, "_self_wrapper", None)
    wrapper = getattr(wrapper, "func", wrapper)
    return str(getattr(wrapper, "__module__", None) or type(method).__module__)
