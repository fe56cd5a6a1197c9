"""Whether the credentials and the address work, and which edition of the service answers."""

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
    """What became of asking the service for two small things.

    `ok` says that it accepts the credentials and answers as documented; where it does not, `problem` is why, such
    as an `AuthenticationError`, a `ServiceMovedError` or a `NotSentError`. `edition` is the one that answered, by
    the zones that it lists, and `matches` whether that is the client's. It is None where they are those of
    neither, or could not be read, which then is the `problem`. `seconds` is how long the first answer, or its
    failure, took, waiting for its turn included. `clock_ahead` is how many seconds the clock of this machine is at
    least ahead of the service's (below 0: behind it); None where the service did not tell its time.
    """

    ok: bool
    edition: Edition | None
    seconds: float
    problem: CallError | None = None
    matches: bool = False
    clock_ahead: float | None = None


async def ping(session: Session) -> Ping:
    """Read the balances, which proves the credentials, then the zones, which tell the editions apart."""
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
