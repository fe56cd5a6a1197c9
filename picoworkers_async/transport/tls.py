"""The TLS context that all connections of a process share."""

from __future__ import annotations

import os
import ssl
import threading
from typing import Any

from .package import default_package

# Of so many environments, one after the other, the contexts are kept.
_MOST_KEPT = 4

_contexts: dict[tuple[Any, ...], ssl.SSLContext] = {}
_making = threading.Lock()


def environment_tls() -> ssl.SSLContext:
    """The TLS context of the process: its certificates are loaded once, for all connections of all clients.

    It is made anew only when the environment names other certificates (`SSL_CERT_FILE`, `SSL_CERT_DIR`). That
    takes tens of milliseconds: where an event loop runs, have it done in a thread. May be called in any thread.
    """
    named = _named()
    if (context := _contexts.get(named)) is not None:
        return context
    with _making:
        if (context := _contexts.get(named)) is None:
            package = named[0]
            context = package.create_ssl_context()
            context.set_alpn_protocols(["http/1.1"])
            while len(_contexts) >= _MOST_KEPT:
                del _contexts[next(iter(_contexts))]
            _contexts[named] = context
    return context


def environment_tls_is_loaded() -> bool:
    """Whether `environment_tls` would return at once. Imports nothing."""
    return bool(_contexts) and _named() in _contexts


def _named() -> tuple[Any, ...]:
    return default_package(), os.environ.get("SSL_CERT_FILE"), os.environ.get("SSL_CERT_DIR")
