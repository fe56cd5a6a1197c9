"""The TLS context that all connections of a process share."""

from __future__ import annotations

import functools
import os
import ssl
from typing import Any

from .package import default_package


def environment_tls() -> ssl.SSLContext:
    """The TLS context of the process: its certificates are loaded once, for all connections of all clients.

    It is made anew only when the environment names other certificates (`SSL_CERT_FILE`, `SSL_CERT_DIR`).
    """
    return _tls(default_package(), os.environ.get("SSL_CERT_FILE"), os.environ.get("SSL_CERT_DIR"))


@functools.lru_cache(maxsize=4)
def _tls(package: Any, _file: str | None, _directory: str | None) -> ssl.SSLContext:
    context: ssl.SSLContext = package.create_ssl_context()
    context.set_alpn_protocols(["http/1.1"])
    return context
