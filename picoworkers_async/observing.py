"""The observers of events: the client's `on_event`, and the log."""

from __future__ import annotations

import logging
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

from .caller import caller

if TYPE_CHECKING:
    from .events import Event

LOGGER = "picoworkers_async"
"""The name of the logger that all events go to."""

logger: logging.Logger = logging.getLogger(LOGGER)


class Observers:
    """Reports each event to `on_event`, if there is one, and to the log.

    An `on_event` that raises is logged once, with its traceback, and called again for the next event.
    `listening` says whether anybody wants all events: each request, and each rating that went well.
    `listening_to_failures` says whether anybody wants to know about requests that failed.
    """

    def __init__(self, on_event: Callable[[Event], object] | None) -> None:
        self._on_event = on_event
        self._raised = False
        self._told_once: set[str] = set()
        self.listening: Callable[[], bool] = _always
        self.listening_to_failures: Callable[[], bool] = _always
        if on_event is None:
            self.listening = partial(logger.isEnabledFor, logging.DEBUG)
            self.listening_to_failures = partial(logger.isEnabledFor, logging.INFO)

    def tell(self, event: Event) -> None:
        """Report an event. What is no `Exception` is raised, in the thread of whoever waits for the call."""
        # Loaded when something is told: most programs never need it.
        from .event_log import log

        if self._on_event is not None:
            try:
                self._on_event(event)
            except Exception:
                if not self._raised:
                    self._raised = True
                    logger.exception(
                        "on_event raised an error for %s; its further errors are not logged", event.event
                    )
            except BaseException as error:
                waiting = caller.get()
                if waiting is None:
                    raise
                waiting.interrupt(error)
        log(event)

    def tell_once(self, event: Event) -> None:
        """Report an event, unless this has reported one of its kind before."""
        if event.event not in self._told_once:
            self._told_once.add(event.event)
            self.tell(event)


def _always() -> bool:
    return True
