"""Which of the two HTTP packages is used: httpx, or httpx2, which took over its interface. Imported when needed.

Both are used by the names that they share; what must have a package's own type is made from its classes here.
"""

from __future__ import annotations

import functools
import sys
from typing import Any

NAMES = ("httpx", "httpx2")


def default_package() -> Any:
    """The package of our own clients: httpx, or httpx2 if only that is installed."""
    try:
        import httpx
    except ImportError:
        import httpx2

        return httpx2
    return httpx


def package_of(thing: object, kind: str) -> Any:
    """The package to whose class of this name (`AsyncBaseTransport` and so on) this belongs; None if neither."""
    for one in type(thing).__mro__:
        root = one.__module__.partition(".")[0]
        if root in NAMES and one.__name__ == kind:
            return sys.modules[root]
    return None


@functools.cache
def made_of(kind: type, base: type) -> Any:
    """The class `kind`, also made a subclass of a package's own (`base`): its clients accept no other."""
    return type(kind.__name__, (kind, base), {})
