"""Which of the two HTTP packages is used: httpx, or httpx2, which took over its interface. Imported when needed.

Both are handled by the names that they share; what must be of a package's own kind is made of its classes here.
"""

from __future__ import annotations

import functools
import sys
from typing import Any

NAMES = ("httpx", "httpx2")


def default_package() -> Any:
    """The package of a client of ours: httpx, or httpx2 where that alone is installed."""
    try:
        import httpx
    except ImportError:
        import httpx2

        return httpx2
    return httpx


def package_of(thing: object, kind: str) -> Any:
    """The package whose class of this name, such as `AsyncBaseTransport`, the thing is of; None if neither's."""
    for one in type(thing).__mro__:
        root = one.__module__.partition(".")[0]
        if root in NAMES and one.__name__ == kind:
            return sys.modules[root]
    return None


@functools.cache
def made_of(kind: type, base: type) -> Any:
    """The class `kind`, made one of a package's own (`base`) as well: its clients take no other."""
    return type(kind.__name__, (kind, base), {})
