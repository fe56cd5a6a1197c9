"""`pico.users`: the account itself."""

from __future__ import annotations

import anyio

from .. import codec, endpoints
from ..models import Balances
from ..session import Session


class Users:
    """Information about your account (section 4 of the API document)."""

    def __init__(self, session: Session) -> None:
        self._session = session

    async def get_balances(self) -> Balances:
        """Get what the account has earned and what it can spend, exact, in US dollars.

        Source: section 4.1 of the API document.
        """
        began = anyio.current_time()
        balances = await self._session.call(endpoints.GET_BALANCES, codec.read_balances)
        self._session.baseline.saw_balances(balances, began)
        return balances
