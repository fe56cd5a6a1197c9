"""Whether credentials and address work, and which edition answers."""

from __future__ import annotations

import socket

import attrs
import httpx
import pytest

from picoworkers_async import (
    PICOWORKERS,
    SPROUTGIGS,
    AsyncPicoworkers,
    AuthenticationError,
    ClientStateError,
    InvalidRequestError,
    InvalidResponseError,
    NotSentError,
    Ping,
    RateLimitedError,
    ServiceMovedError,
    Throttle,
)
from picoworkers_async.editions import edition_with_zones
from picoworkers_async.sandbox import Faults, Sandbox

pytestmark = [pytest.mark.anyio, pytest.mark.each_package]


async def pinged(answer, **options) -> Ping:
    transport = httpx.MockTransport(answer)
    async with AsyncPicoworkers("user_id", "api_secret", transport=transport, **options) as pico:
        return await pico.ping()


async def test_a_service_that_works_is_told_by_two_requests(connect, edition) -> None:
    sandbox = Sandbox(edition=edition)
    async with connect(sandbox) as pico:
        ping = await pico.ping()
    assert (ping.ok, ping.edition, ping.problem) == (True, edition, None)
    assert ping.seconds >= 0
    assert len(sandbox.requests) == 2


async def test_the_edition_is_the_one_that_answers_not_the_one_that_was_named(connect) -> None:
    for named, answering in ((PICOWORKERS, SPROUTGIGS), (SPROUTGIGS, PICOWORKERS)):
        async with connect(Sandbox(edition=answering), edition=named) as pico:
            found = await pico.ping()
            assert (found.edition, found.matches) == (answering, answering is pico.edition)
    changed = attrs.evolve(SPROUTGIGS, cooldown=1.0)
    async with connect(Sandbox(edition=SPROUTGIGS), edition=changed) as pico:
        assert (await pico.ping()).edition is changed


async def test_wrong_credentials_are_told_not_raised() -> None:
    sandbox = Sandbox()
    async with AsyncPicoworkers("user_id", "wrong", transport=sandbox.transport()) as pico:
        ping = await pico.ping()
    assert (ping.ok, ping.edition) == (False, None)
    assert isinstance(ping.problem, AuthenticationError)
    assert len(sandbox.requests) == 1


async def test_an_address_that_is_wrong_is_told_by_how_it_fails() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        closed = f"http://127.0.0.1:{listener.getsockname()[1]}/"
    async with AsyncPicoworkers("user_id", "api_secret", base_url=closed) as pico:
        assert isinstance((await pico.ping()).problem, NotSentError)
    elsewhere = {"location": "https://sproutgigs.com/api/"}
    moved = await pinged(lambda request: httpx.Response(301, headers=elsewhere))
    assert isinstance(moved.problem, ServiceMovedError)
    page = await pinged(lambda request: httpx.Response(404, text="<html>Not Found"))
    assert isinstance(page.problem, InvalidResponseError)
    assert not page.ok


async def test_a_ping_is_sent_once_whatever_becomes_of_it(connect) -> None:
    sandbox = Sandbox(faults=Faults(too_many=1.0))
    async with connect(sandbox, throttle=Throttle(cooldown=0.01)) as pico:
        assert isinstance((await pico.ping()).problem, RateLimitedError)
    assert len(sandbox.requests) == 1


async def test_zones_that_cannot_be_read_leave_the_edition_open(connect) -> None:
    sandbox = Sandbox(faults=Faults(error_500_before=1.0, only={"get_zones"}))
    async with connect(sandbox) as pico:
        ping = await pico.ping()
    assert (ping.ok, ping.edition) == (True, None)
    assert "500" in str(ping.problem)


async def test_a_mistake_of_the_program_is_raised() -> None:
    with pytest.raises(ClientStateError):
        await AsyncPicoworkers("user_id", "api_secret").ping()


@pytest.mark.parametrize("name", ["sproutgigs", "SproutGigs", "SPROUTGIGS"])
def test_an_edition_is_taken_by_its_name(name: str) -> None:
    assert AsyncPicoworkers("user_id", "api_secret", edition=name).edition is SPROUTGIGS
    assert Sandbox(edition=name).edition is SPROUTGIGS


@pytest.mark.parametrize("wrong", ["", "sprout", None, 2024, b"sproutgigs"])
def test_what_is_no_edition_is_refused_with_the_choices(wrong) -> None:
    with pytest.raises(InvalidRequestError, match="picoworkers, sproutgigs") as caught:
        AsyncPicoworkers("user_id", "api_secret", edition=wrong)
    assert [problem.field for problem in caught.value.problems] == ["edition"]
    with pytest.raises(ValueError, match="picoworkers, sproutgigs"):
        Sandbox(edition=wrong)


def test_zones_that_were_added_since_do_not_hide_an_edition() -> None:
    assert edition_with_zones(SPROUTGIGS.zones | {"oceania1"}) is SPROUTGIGS
    assert edition_with_zones(PICOWORKERS.zones | {"oceania1"}) is PICOWORKERS
    assert edition_with_zones(PICOWORKERS.zones - {"int"}) is None
