"""Whether something (respx, OpenTelemetry) replaces a part of httpx, and so wants to see its requests."""

from __future__ import annotations

import importlib.util
import sys
from types import FunctionType

from .package import default_package

# Where mocks and instrumentations take hold of httpx: each sees what goes through this class, and method, only.
_PLACES = (
    ("httpx", "AsyncHTTPTransport", ("__init__", "handle_async_request")),
    ("httpx", "AsyncClient", ("__init__", "send", "_send_single_request", "_transport_for_url")),
    ("httpcore", "AsyncConnectionPool", ("handle_async_request",)),
    ("httpcore", "AsyncHTTPConnection", ("handle_async_request",)),
    ("httpcore", "AsyncHTTP11Connection", ("handle_async_request",)),
)


def replacement() -> str | None:
    """What replaced or wrapped a class or method that httpx sends through, in words; None if all are its own.

    Checks the package of our own clients: httpx, or httpx2 if only that is installed. Imports nothing: what is
    not loaded is not replaced.
    """
    if "httpx" not in sys.modules and importlib.util.find_spec("httpx"):
        return None
    suffix = default_package().__name__.removeprefix("httpx")
    for root, name, methods in _PLACES:
        package = root + suffix
        kind = getattr(sys.modules.get(package), name, None)
        if kind is None:
            continue
        if (by := _kind_replaced_by(kind, package)) is not None:
            return f"{by} has replaced {package}.{name}"
        for method in methods:
            found = vars(kind).get(method)
            if found is not None and (by := _replaced_by(found, package)) is not None:
                return f"{by} has replaced {package}.{name}.{method}"
    return None


def _kind_replaced_by(kind: object, package: str) -> str | None:
    """The module of what replaces a package's class; None if it is the package's own."""
    if type(kind) is not type:
        return _replaced_by(kind, package)
    module = kind.__module__
    return None if module.partition(".")[0] == package else module


def _replaced_by(method: object, package: str) -> str | None:
    """The module of what replaces a package's method; None if it is the package's own."""
    # By its type: an object of wrapt passes for the function that it wraps.
    if type(method) is FunctionType:
        module = str(method.__globals__.get("__name__"))
        return None if module.partition(".")[0] == package else module
    wrapper = getattr(method, "_self_wrapper", None)
    wrapper = getattr(wrapper, "func", wrapper)
    return str(getattr(wrapper, "__module__", None) or type(method).__module__)
