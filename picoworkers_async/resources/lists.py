"""`pico.lists`: the account's own lists of workers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from .. import codec, endpoints, rules
from ..endpoints import Endpoint
from ..models import Ack
from ..session import Session
from .checking import require


class Lists:
    """Manage your own lists of workers (section 5 of the API document)."""

    def __init__(self, session: Session) -> None:
        self._session = session

    async def add_workers(self, list_id: int, workers: Sequence[str]) -> Ack:
        """Add workers, by their ids, to a list. The service leaves out invalid and blocked ones.

        Raises `InvalidRequestError` if there are no workers, or an id is not a non-empty string. Source: section
        5.1 of the API document.
        """
        require(endpoints.ADD_WORKERS, rules.check_list_id(list_id), rules.check_workers(workers))
        return await self._change(endpoints.ADD_WORKERS, {"list_id": list_id, "workers": list(workers)})

    async def block_workers(self, workers: Sequence[str]) -> Ack:
        """Block workers, by their ids, which also takes them off every list (SproutGigs only).

        Raises `InvalidRequestError` if there are no workers, or the edition cannot block. Source: the API
        document of 2024.
        """
        return await self._set_blocked(endpoints.BLOCK_WORKERS, workers)

    async def unblock_workers(self, workers: Sequence[str]) -> Ack:
        """Unblock workers, by their ids (SproutGigs only).

        Raises the same errors as `block_workers`. Source: the API document of 2024.
        """
        return await self._set_blocked(endpoints.UNBLOCK_WORKERS, workers)

    async def _set_blocked(self, endpoint: Endpoint, workers: Sequence[str]) -> Ack:
        require(endpoint, rules.check_workers(workers))
        return await self._change(endpoint, {"workers": list(workers)})

    async def _change(self, endpoint: Endpoint, body: Mapping[str, Any]) -> Ack:
        try:
            return await self._session.call(endpoint, codec.read_ack, body=body)
        finally:
            # Whether it took effect or not, and whether or not its answer came.
            self._session.kept.forget("lists")
