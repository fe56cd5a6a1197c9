"""What a client's settings may be: its address, its timeout, the seconds of its batches."""

from __future__ import annotations

import ipaddress
import math
from urllib.parse import urlsplit

from .errors import InvalidRequestError, Problem


def check_seconds(call: str, field: str, value: object) -> None:
    """Raises `InvalidRequestError` unless the value is a number of seconds, 0 or more."""
    problems = seconds_problems(field, value)
    if problems:
        raise InvalidRequestError(call, problems)


def seconds_problems(field: str, value: object) -> list[Problem]:
    """What keeps this from being a number of seconds, 0 or more."""
    number = isinstance(value, int | float) and not isinstance(value, bool)
    if number and math.isfinite(value) and value >= 0:  # type: ignore[arg-type, operator]
        return []
    return [Problem(field, value, "a finite number of seconds, 0 or more")]


def address_problems(url: object) -> list[Problem]:
    """What keeps this from being the service's address: no TLS but on loopback, credentials, a query."""
    if not isinstance(url, str):
        return [Problem("base_url", url, "an https:// address")]
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError:
        return [Problem("base_url", url, "a valid https:// address")]
    problems = []
    if parts.scheme not in ("https", "http") or not host:
        problems.append(Problem("base_url", url, "an https:// address"))
    elif parts.scheme == "http" and not _is_loopback(host):
        problems.append(
            Problem("base_url", url, "https://, since http:// would show the secret; loopback may use it")
        )
    if "@" in parts.netloc:
        problems.append(Problem("base_url", f"{parts.scheme}://...@{host}", "no credentials in the address"))
    if parts.query or parts.fragment:
        problems.append(Problem("base_url", url, "no query and no fragment"))
    return problems


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def timeout_problems(timeout: object) -> list[Problem]:
    """What keeps this from being a timeout in seconds; None is the default."""
    if timeout is None:
        return []
    number = isinstance(timeout, int | float) and not isinstance(timeout, bool)
    if number and math.isfinite(timeout) and timeout > 0:  # type: ignore[arg-type, operator]
        return []
    return [Problem("timeout", timeout, "a finite number of seconds above 0, or None for the default")]
