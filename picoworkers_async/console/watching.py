"""Watch a batch's journal as a page."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from pathlib import Path

import anyio.to_thread

from ..errors import InvalidRequestError
from ..journal.places import file_problems
from ..journal.questions import check_summary
from .guard import Invitation
from .listening import listening
from .of_journal import JournalBoard
from .site import Site

_FIRST_LOOK_SECONDS = 3.0


@asynccontextmanager
async def watch_journal(
    path: str | os.PathLike[str], port: int = 0, *, timezone: str = "UTC"
) -> AsyncIterator[str]:
    """Serve a page over the journal of a batch, to this machine only, for as long as the block lasts.

    Yields the page's URL. It has a token that works once: the browser that opens it first may watch, no other.
    The page and its connection to the file are read-only: it never takes the batch's lock, and works while a
    batch writes and after it died. While the file cannot be read, it shows what was read last. `port` 0 is a
    free one. Days begin at midnight in `timezone`, a name such as `Europe/Berlin`.

    Raises `InvalidRequestError` for what is no path of a file, and for an unknown time zone; `JournalError` for
    a file that is missing, damaged, or no journal, as far as that is found within 3 seconds; `OSError` for a
    port that cannot be used.
    """
    if problems := file_problems("path", path):
        raise InvalidRequestError("watch_journal", problems, sends=False)
    check_summary("day", timezone)
    board, invitation = JournalBoard(Path(path), timezone), Invitation()
    site = Site(board, invitation)
    async with listening(site, "127.0.0.1", port, name="picoworkers-watch") as url:
        with closing(site), closing(board):
            # What takes longer is read on, and the page shows it, or the reason, when that is done.
            with anyio.move_on_after(_FIRST_LOOK_SECONDS):
                await anyio.to_thread.run_sync(board.look, abandon_on_cancel=True)
            yield f"{url}/?token={invitation.token}"
