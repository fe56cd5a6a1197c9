"""Test the credentials and the address, and find out which edition of the service answers."""

from __future__ import annotations

import time
from datetime import UTC, datetime

import anyio
import attrs

from .editions import Edition, edition_with_zones
from .errors import CallError
from .resources import Jobs, Users
from .session import Session


@attrs.frozen
class Ping:
    """What the service answered to two small reads.

    `ok` says that it accepts the credentials and answers as documented. If not, `problem` is the reason, such as
    an `AuthenticationError`, a `ServiceMovedError` or a `NotSentError`. `edition` is the one that answered,
    judged by the zones that it lists, and `matches` says whether that is the client's. `edition` is None where
    the zones are those of neither edition, and where they could not be read, which is then the `problem`.
    `seconds` is how long the first answer, or its failure, took, including the wait for its turn. `clock_ahead`
    is by how many seconds, at least, this machine's clock is ahead of the service's (below 0: behind it); None
    where the service sent no time.
    """

    ok: bool
    edition: Edition | None
    seconds: float
    problem: CallError | None = None
    matches: bool = False
    clock_ahead: float | None = None


async def ping(session: Session) -> Ping:
    """Read the balances, which tests the credentials, then the zones, which tell the editions apart."""
    once = session.once()
    began = anyio.current_time()
    problem: CallError | None = None
    try:
        await Users(once).get_balances()
    except CallError as error:
        problem = error
    seconds = anyio.current_time() - began
    if problem is not None:
        return Ping(False, None, seconds, problem)
    try:
        zones = await Jobs(once).get_zones()
    except CallError as error:
        return Ping(True, None, seconds, error)
    answering = edition_with_zones({zone.id for zone in zones})
    matches = answering is not None and answering.name == session.edition.name
    # The client's own may have been changed by `attrs.evolve`.
    edition = session.edition if matches else answering
    ahead = session.service_clock.ahead(datetime.now(UTC), time.monotonic())
    return Ping(True, edition, seconds, matches=matches, clock_ahead=ahead)
