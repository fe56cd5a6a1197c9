"""`pico.lists`: the account's own lists of workers."""

from __future__ import annotations

from collections.abc import Sequence

from .. import codec, endpoints, rules
from ..models import Ack
from ..session import Session
from .checking import require


class Lists:
    """Manage custom lists (section 5)."""

    def __init__(self, session: Session) -> None:
        self._session = session

    async def add_workers(self, list_id: int, workers: Sequence[str]) -> Ack:
        """Add workers, by their ids, to a list. The service leaves invalid and blocked ones out (section 5.1).

        Raises `InvalidRequestError` if there are no workers, or an id is not a non-empty string.
        """
        require(endpoints.ADD_WORKERS, rules.check_workers(list_id, workers))
        body = {"list_id": list_id, "workers": list(workers)}
        return await self._session.call(endpoints.ADD_WORKERS, codec.read_ack, body=body)
