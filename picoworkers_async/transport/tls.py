"""The TLS context that all connections of a process share."""

from __future__ import annotations

import os
import re
import ssl
import threading
from typing import Any, cast

from ..errors import ClientStateError
from .package import default_package

_FILE, _FOLDER = "SSL_CERT_FILE", "SSL_CERT_DIR"
# How OpenSSL finds a certificate in a folder.
_HASHED = re.compile(r"[0-9a-f]{8}\.[0-9]+")

# Of so many environments, one after the other, the contexts are kept.
_MOST_KEPT = 4

_contexts: dict[tuple[Any, ...], ssl.SSLContext] = {}
_making = threading.Lock()


def environment_tls() -> ssl.SSLContext:
    """The TLS context of the process: its certificates are loaded once, for all connections of all clients.

    It is made anew only if the environment names other certificates (`SSL_CERT_FILE`, `SSL_CERT_DIR`), or these
    have changed. That takes tens of milliseconds, so call it in a thread where an event loop runs. Any thread
    may call it. Raises `ClientStateError` if what is named holds no certificate.
    """
    named = _named()
    if (context := _contexts.get(named)) is not None:
        return context
    with _making:
        if (context := _contexts.get(named)) is None:
            package = named[0]
            context = _made(package)
            context.set_alpn_protocols(["http/1.1"])
            while len(_contexts) >= _MOST_KEPT:
                del _contexts[next(iter(_contexts))]
            _contexts[named] = context
    return context


def environment_tls_is_loaded() -> bool:
    """Whether `environment_tls` would return at once. Imports nothing."""
    return bool(_contexts) and _named() in _contexts


def _named() -> tuple[Any, ...]:
    places = os.environ.get(_FILE), os.environ.get(_FOLDER)
    return default_package(), *places, *map(_version, places)


def _version(place: str | None) -> tuple[int, ...] | None:
    """What changes with the file, or the files in the folder; None if it is not there."""
    try:
        found = os.stat(place or "")
    except (OSError, ValueError):
        return None
    return found.st_dev, found.st_ino, found.st_mtime_ns, found.st_size


def _made(package: Any) -> ssl.SSLContext:
    # As in httpx and httpx2, the file goes before the folder.
    variable = _FILE if os.environ.get(_FILE) else _FOLDER
    place = os.environ.get(variable) or None
    context = problem = None
    try:
        if place is not None and variable == _FOLDER and not any(map(_HASHED.fullmatch, os.listdir(place))):
            problem = "no certificate is there under the name of its hash (`openssl rehash` gives those names)"
        else:
            context = package.create_ssl_context()
            if place is not None and variable == _FILE and not context.cert_store_stats()["x509"]:
                problem = "it has no certificate"
    except (OSError, ValueError) as failure:
        if place is None:
            raise
        problem = getattr(failure, "strerror", None) or str(failure)
    if context is None or problem is not None:
        raise ClientStateError(
            f"nothing was sent: certificates cannot be loaded from {variable}={place!r}: {problem}"
        )
    return cast("ssl.SSLContext", context)
