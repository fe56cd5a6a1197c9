"""Checks of settings: an address, a timeout, the seconds and the time zone of batches."""

from __future__ import annotations

import ipaddress
import math
import re
from collections.abc import Collection, Mapping
from datetime import UTC, tzinfo
from urllib.parse import SplitResult, urlsplit
from zoneinfo import ZoneInfo

from .credentials import Hidden
from .problems import Problem, ProblemCode, Where, number_code, number_limit

# The name of one host, or its IPv4 address. A dot at its end keeps it from being looked up in the own domain.
_HOST = re.compile(r"[A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?\.?")
# What can be looked up at all.
_LABELS = re.compile(r"[A-Za-z0-9_-]{1,63}(\.[A-Za-z0-9_-]{1,63})*\.?")
_FOUR_NUMBERS = re.compile(r"[0-9]+(\.[0-9]+){3}")

# An address that lacks its scheme alone: a host, and a port or a path.
_WITHOUT_SCHEME = re.compile(
    r"(?:localhost|[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+)(?::[0-9]{1,5}(?:/[A-Za-z0-9./_-]*)?|/[A-Za-z0-9./_-]*)"
)


def is_finite(value: object) -> bool:
    """Whether the value is a finite number; bool is rejected."""
    if not isinstance(value, int | float) or isinstance(value, bool):
        return False
    try:
        return math.isfinite(value)
    except OverflowError:  # an int beyond what a float holds
        return False


def seconds_problems(field: str, value: object) -> list[Problem]:
    """What keeps this from being a finite number of seconds, 0 or more."""
    if is_finite(value) and value >= 0:  # type: ignore[operator]
        return []
    limit = number_limit(value, "a finite number of seconds, 0 or more")
    return [Problem(field, value, limit, number_code(value))]


def time_zone(name: object) -> tzinfo | None:
    """The time zone of this name; None if there is none, or this machine does not know it."""
    if name == "UTC":
        return UTC
    try:
        return ZoneInfo(name)  # type: ignore[arg-type]
    except (ValueError, TypeError, OSError, KeyError):
        return None


def time_zone_problems(field: Where, name: object) -> list[Problem]:
    """What keeps this from being a time zone's name that this machine knows."""
    if not isinstance(name, str):
        return [Problem(field, name, "a time zone's name, such as Europe/Berlin", ProblemCode.TYPE)]
    if time_zone(name) is not None:
        return []
    limit = "a time zone's name, such as Europe/Berlin; this one is not known on this machine"
    return [Problem(field, name, f"{limit} (if it is right, pip install tzdata)", ProblemCode.CHOICE)]


def interval_problems(field: str, value: object) -> list[Problem]:
    """What keeps this from being a finite number of seconds above 0."""
    if is_finite(value) and value > 0:  # type: ignore[operator]
        return []
    limit = number_limit(value, "a finite number of seconds above 0")
    return [Problem(field, value, limit, number_code(value))]


def timeout_problems(timeout: object) -> list[Problem]:
    """What keeps this from being a timeout in seconds; None means the default."""
    if timeout is None or (is_finite(timeout) and timeout > 0):  # type: ignore[operator]
        return []
    limit = number_limit(timeout, "a finite number of seconds above 0, or None for the default")
    return [Problem("timeout", timeout, limit, number_code(timeout))]


def wait_problems(max_wait: object) -> list[Problem]:
    """What keeps this from being the seconds that a call may wait for its turn; None means no bound."""
    if max_wait is None or (is_finite(max_wait) and max_wait > 0):  # type: ignore[operator]
        return []
    limit = number_limit(max_wait, "a finite number of seconds above 0, or None for no bound")
    return [Problem("max_wait", max_wait, limit, number_code(max_wait))]


def kind_problems(**given: tuple[object, type]) -> list[Problem]:
    """Which of these arguments are of the wrong type; None means the default."""
    return [
        Problem(name, value, f"{'an' if kind.__name__[0] in 'AEIO' else 'a'} {kind.__name__}", ProblemCode.TYPE)
        for name, (value, kind) in given.items()
        if value is not None and not isinstance(value, kind)
    ]


def size_problems(field: str, value: object) -> list[Problem]:
    """What keeps this from being a number of bytes."""
    if isinstance(value, int) and not isinstance(value, bool) and value >= 1:
        return []
    limit = number_limit(value, "a whole number of bytes, at least 1")
    return [Problem(field, value, limit, number_code(value))]


def address_problems(url: object, insecure_http_hosts: Collection[str] | None = ()) -> list[Problem]:
    """What keeps this from being the service's address.

    It must be https (http is for loopback, and for hosts of these names; None: for any), in ASCII, and have no
    credentials, no query and no fragment. An address that may hold a password is not shown, however broken it
    is.
    """
    if not isinstance(url, str):
        return [Problem("base_url", type(url), "a string, the https:// address of the API", ProblemCode.TYPE)]
    parts = _parts(url)
    if parts is None:
        return [Problem("base_url", Hidden(), "a valid https:// address", ProblemCode.FORMAT)]
    # What stands before an @, or looks like no host, may be a password.
    if parts.hostname and "@" not in url:
        shown: object = f"{parts.scheme}://{parts.netloc}{parts.path}"
    else:
        shown = url if _WITHOUT_SCHEME.fullmatch(url) else Hidden()
    problems = []
    if parts.scheme not in ("https", "http") or not parts.hostname:
        limit = "begin it with https:// (http:// on this machine)"
        problems.append(Problem("base_url", shown, limit, ProblemCode.FORMAT))
    elif not _is_host(parts.hostname) or parts.port == 0:
        limit = "an address with the name of a host, or its IP address (without a zone), and a port above 0 if any"
        problems.append(Problem("base_url", shown, limit, ProblemCode.FORMAT))
    elif parts.scheme == "http" and not _may_be_plain(parts.hostname, insecure_http_hosts):
        limit = (
            "https://, since over http:// anyone on the way reads the secret; http:// is for this machine, as "
            "localhost, 127.0.0.1 or [::1], and for a host of a network that is all yours, if you name it: "
            f"insecure_http_hosts={{{parts.hostname!r}}}"
        )
        problems.append(Problem("base_url", shown, limit, ProblemCode.FORMAT))
    if "@" in url:
        problems.append(Problem("base_url", shown, "no credentials in the address", ProblemCode.FORMAT))
    if not (url.isascii() and url.isprintable()) or " " in url:
        problems.append(
            Problem("base_url", Hidden(), "ASCII without spaces and control characters", ProblemCode.FORMAT)
        )
    if "?" in url or "#" in url:
        problems.append(Problem("base_url", shown, "no query and no fragment", ProblemCode.FORMAT))
    return problems


def normalized_address(url: str) -> str:
    """An address to which requests append their path: scheme and host in lower case, a / at its end."""
    parts = urlsplit(url)
    start = f"{parts.scheme}://{parts.netloc.lower()}"
    path = url[len(start) :]
    return start + (path if path.endswith("/") else path + "/")


def place_of(url: str) -> str:
    """The host and the port that requests to this address go to, as `host:port`."""
    parts = urlsplit(url)
    host = f"[{parts.hostname}]" if ":" in str(parts.hostname) else parts.hostname
    return f"{host}:{parts.port or (443 if parts.scheme == 'https' else 80)}"


def host_problems(hosts: object) -> list[Problem]:
    """What keeps these from being the names of single hosts: a port, a wildcard, an address, no name at all."""
    field = "insecure_http_hosts"
    if isinstance(hosts, str | bytes | Mapping) or not isinstance(hosts, Collection):
        return [Problem(field, hosts, "a set of host names, such as {'sandbox'}", ProblemCode.TYPE)]
    limit = "names of single hosts, such as 'sandbox': without scheme, port, path or wildcard"
    return [
        Problem(field, host, limit, ProblemCode.FORMAT if isinstance(host, str) else ProblemCode.TYPE)
        for host in hosts
        if not isinstance(host, str) or "%" in host or not (_HOST.fullmatch(host) or _ipv6(host))
    ]


def _is_host(host: str) -> bool:
    """Whether requests can go there: otherwise it would be reported as a service that is away."""
    if ":" in host:
        return "%" not in host and _ipv6(host) is not None
    if _FOUR_NUMBERS.fullmatch(host):
        return _is_ipv4(host)
    return len(host) <= 253 and _LABELS.fullmatch(host) is not None


def _is_ipv4(host: str) -> bool:
    try:
        ipaddress.IPv4Address(host)
    except ValueError:
        return False
    return True


def _may_be_plain(host: str, insecure_http_hosts: Collection[str] | None) -> bool:
    return insecure_http_hosts is None or _is_loopback(host) or _host(host) in map(_host, insecure_http_hosts)


def _host(name: str) -> str:
    """A host's name in the form in which it is compared."""
    return _ipv6(name) or name.lower()


def _ipv6(name: str) -> str | None:
    """An IPv6 address, with or without brackets, in its shortest form; None for what is none."""
    try:
        return str(ipaddress.IPv6Address(name[1:-1] if name.startswith("[") and name.endswith("]") else name))
    except ValueError:
        return None


def _parts(url: str) -> SplitResult | None:
    """The parts of the address; None if it cannot be parsed."""
    try:
        parts = urlsplit(url)
        _ = parts.hostname, parts.port
    except ValueError:
        return None
    return parts


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
