"""`pico.wallet`: the account's funds."""

from __future__ import annotations

from .. import codec, endpoints, rules
from ..models import Ack
from ..session import Session
from .checking import require


class Wallet:
    """Add funds to the account (section 6 of the API document)."""

    def __init__(self, session: Session) -> None:
        self._session = session

    async def deposit(self, amount: int) -> Ack:
        """Add `amount` whole US cents, at least 1000, from the account's credit card.

        Enable this in the account's settings first. It is no longer documented for SproutGigs. Raises
        `InvalidRequestError` before sending, `OutcomeUnknownError` if the answer was lost. Source: section 6.1
        of the API document.
        """
        require(endpoints.DEPOSIT, rules.check_deposit(amount))
        return await self._session.call(endpoints.DEPOSIT, codec.read_ack, body={"amount": amount})
