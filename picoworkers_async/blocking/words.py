"""Docstrings and messages of the asynchronous classes, in the terms of the blocking ones."""

from __future__ import annotations

import re

from ..errors import ClientStateError

_WORDS = (
    (re.compile(r"\basync (with|for)\b"), r"\1"),
    (re.compile(r"\b([Aa])n async context manager"), r"\1 context manager"),
    (re.compile(r"\basync (context manager|iterator)"), r"\1"),
    (re.compile(r"\bawait "), ""),
    (re.compile(r"\bAsyncPicoworkers\b"), "Picoworkers"),
    (re.compile(r"\baclose\b"), "close"),
    (
        re.compile(r"from any task or callback of the event loop, not from\s+another thread"),
        "from any thread, callback or signal handler",
    ),
    (re.compile(r"it may be used in many tasks at once"), "it may be used in many threads at once"),
    (
        re.compile(r"is called in the event loop with each event"),
        "is called in its own thread with each event",
    ),
)


def blocking_words(text: str) -> str:
    """This text, with the blocking way of doing what it names."""
    for pattern, words in _WORDS:
        text = pattern.sub(words, text)
    return text


def in_blocking_words(error: BaseException) -> BaseException:
    """The same error; one that says how to use the asynchronous client says how to use this one."""
    if isinstance(error, ClientStateError):
        error.args = tuple(blocking_words(part) if isinstance(part, str) else part for part in error.args)
    return error
