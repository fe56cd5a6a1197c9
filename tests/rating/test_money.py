"""The caller's decimal context plays no part in what batches add up."""

from __future__ import annotations

import decimal
from decimal import Decimal
from pathlib import Path

import pytest

from picoworkers_async import Edition, Journal
from tests.support.seeding import seeded

pytestmark = [pytest.mark.anyio, pytest.mark.virtual_time]


async def test_sums_are_exact_whatever_the_decimal_context_says(connect, edition: Edition, tmp_path: Path) -> None:
    sandbox, ratings = seeded(15, edition=edition)
    with decimal.localcontext(decimal.Context(prec=1)):
        async with connect(sandbox) as pico:
            report = await pico.rate_all(ratings, journal=tmp_path / "ratings.db")
        paid = Journal(tmp_path / "ratings.db").bonus_paid()
    assert report.bonus == paid == Decimal("1.50")
