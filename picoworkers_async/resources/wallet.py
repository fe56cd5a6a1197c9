"""`pico.wallet`: funds."""

from __future__ import annotations

from .. import codec, endpoints, rules
from ..models import Ack
from ..session import Session
from .checking import require


class Wallet:
    """Manage the wallet (section 6)."""

    def __init__(self, session: Session) -> None:
        self._session = session

    async def deposit(self, amount: int) -> Ack:
        """Add `amount` whole US cents, at least 1000, from the account's credit card (section 6.1).

        To be enabled in the account's settings first; no longer documented for SproutGigs.
        Raises `InvalidRequestError` before sending, `OutcomeUnknownError` if the answer was lost.
        """
        require(endpoints.DEPOSIT, rules.check_deposit(amount))
        return await self._session.call(endpoints.DEPOSIT, codec.read_ack, body={"amount": amount})
