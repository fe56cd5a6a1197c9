"""The client for programs that are not async: `with Picoworkers(user_id, api_secret) as pico:`.

It has the groups and methods of `AsyncPicoworkers`, from which it is made when you import this module; they
block until they have their answer. Models, errors, `Throttle` and everything else are those of
`picoworkers_async`. A client has one thread with an event loop from the beginning of its block to the end, and
may be used in many threads at once, a notebook's included.

Type checkers read `__init__.pyi`, which `python -m tests.blocking.stub` writes.
"""

from typing import Any

from ..client import AsyncPicoworkers
from ..listings.pages import Pages as AsyncPages
from ..rating import Batch as AsyncBatch
from ..resources import Jobs as AsyncJobs
from ..resources import Lists as AsyncLists
from ..resources import Users as AsyncUsers
from ..resources import Wallet as AsyncWallet
from ..resources.watching import JobWatch as AsyncJobWatch
from .arguments import of_rate, of_review, of_watch
from .making import make

_RATINGS = """
Here, an iterable that is no collection, such as a generator, is read in a worker thread, one rating after
the other: it may block, and use this client. An async iterable is read in the client's own thread."""
_DECIDE = """
Here, a plain `decide` is called in worker threads, never twice at once unless `deciding` is given: with
`deciding=8` it must be fit for that. It may block, and use this client; with `threads=False` it is called
in the client's own thread, where it may do neither, and an async one is awaited there. `tasks` are read in
a worker thread, unless they are a collection or an async iterable."""
_CHANGES = """
Here, `changes` may be any iterable, such as a generator that waits for the next change: it is read in a
worker thread. A thread cannot be stopped: after the block it waits on, and what it gives is dropped. An
async iterable is read in the client's own thread."""

_made: dict[Any, Any] = dict(
    make(
        AsyncPicoworkers,
        {
            AsyncPages: "Pages",
            AsyncJobWatch: "JobWatch",
            AsyncBatch: "Batch",
            AsyncJobs: "Jobs",
            AsyncUsers: "Users",
            AsyncLists: "Lists",
            AsyncWallet: "Wallet",
        },
        module=__name__,
        adapt={
            AsyncPicoworkers.rate: of_rate,
            AsyncPicoworkers.rate_all: of_rate,
            AsyncPicoworkers.review: of_review,
            AsyncPicoworkers.review_all: of_review,
            AsyncJobs.watch: of_watch,
        },
        notes={
            "rate": _RATINGS,
            "rate_all": _RATINGS,
            "review": _DECIDE,
            "review_all": _DECIDE,
            "watch": _CHANGES,
        },
        closed={AsyncBatch.report: AsyncBatch._known_report},
    )
)

Batch = _made[AsyncBatch]
Jobs = _made[AsyncJobs]
JobWatch = _made[AsyncJobWatch]
Lists = _made[AsyncLists]
Pages = _made[AsyncPages]
Picoworkers = _made[AsyncPicoworkers]
Users = _made[AsyncUsers]
Wallet = _made[AsyncWallet]

__all__ = ["Batch", "JobWatch", "Jobs", "Lists", "Pages", "Picoworkers", "Users", "Wallet"]
