"""Mocks made of the client have its groups and their methods, awaitable, with their signatures."""

from __future__ import annotations

import inspect
from unittest.mock import create_autospec

import pytest

from picoworkers_async import AsyncPicoworkers
from picoworkers_async.endpoints import ENDPOINTS

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize("row", ENDPOINTS, ids=lambda row: row.name)
def test_a_mock_of_the_client_has_every_method_of_every_group(row) -> None:
    pico = create_autospec(AsyncPicoworkers, instance=True)
    method = getattr(getattr(pico, row.group), row.name)
    assert inspect.iscoroutinefunction(method)


async def test_a_mock_of_the_client_answers_what_it_was_told_to_and_refuses_what_there_is_not() -> None:
    pico = create_autospec(AsyncPicoworkers, instance=True)
    pico.users.get_balances.return_value = "much"
    assert await pico.users.get_balances() == "much"
    pico.users.get_balances.assert_awaited_once_with()
    with pytest.raises(AttributeError):
        _ = pico.users.get_balance
    with pytest.raises(TypeError):
        await pico.jobs.get_job()


async def test_a_real_client_has_groups_of_its_own() -> None:
    clients = [AsyncPicoworkers("user_id", "api_secret") for _ in range(2)]
    assert len({id(client.jobs) for client in clients}) == 2
    assert isinstance(clients[0].jobs, AsyncPicoworkers.jobs)
