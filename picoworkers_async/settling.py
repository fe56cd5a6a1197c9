"""Reports when settling a call by reading begins and ends."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from .clock import event_loop_clock
from .observing import Observers


@contextmanager
def settling(observers: Observers, what: str, ratings: int) -> Iterator[None]:
    """A block that reads what became of `what`, with this many ratings; reported when it begins and ends."""
    if not observers.listening():
        yield
        return
    from .events import SettlingBegan, SettlingEnded  # loaded when something is told

    clock = event_loop_clock()
    began, error_type = clock(), None
    observers.tell(SettlingBegan(what=what, ratings=ratings))
    try:
        yield
    except Exception as error:
        error_type = type(error).__name__
        raise
    except BaseException:
        error_type = "cancelled"
        raise
    finally:
        observers.tell(SettlingEnded(what=what, seconds=clock() - began, error_type=error_type))
