"""Errors for a client that cannot be entered, used or closed."""

from __future__ import annotations

NOT_OPEN = {
    "new": "nothing was sent, the client is not open yet; use it inside `with Picoworkers(...) as pico:`",
    "closed": (
        "nothing was sent, the client is closed; make a new Picoworkers, and use it inside its `with` block"
    ),
}
NOT_OPEN["opening"] = NOT_OPEN["new"]
NOT_OPEN["closing"] = NOT_OPEN["closed"]
ENTERED_BEFORE = {
    "open": "a client is entered once, and this one is open already: it may be used in many threads at once",
    "closed": (
        "a client is entered once, and this one is closed: make a new Picoworkers for another block. "
        "With throttle=pico.throttle it goes on with the pace of this one"
    ),
}
ENTERED_BEFORE["opening"] = ENTERED_BEFORE["open"]
ENTERED_BEFORE["closing"] = ENTERED_BEFORE["closed"]
FORKED = (
    "nothing was sent: this client was opened before the process was forked, and its thread stayed in the other "
    "one. Open a client in each process, after the fork"
)
OWN_THREAD = (
    "nothing was sent: this was called in the client's own thread (an async decide, or on_event), which would "
    "wait for itself for ever. Call it in a plain decide, which is called in a thread of its own, or elsewhere"
)
CUT_OFF = "the client was closed while this was under way: let calls end before it does"
INTERRUPTED = "interrupted while it was sent"


def thread_ended(error: BaseException) -> str:
    """That this, raised in the client's thread, ended it."""
    return f"the client's thread has ended because {type(error).__name__} was raised in it: make a new Picoworkers"
