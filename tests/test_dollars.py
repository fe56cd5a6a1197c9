"""An amount is one text everywhere: on the command line and in the console."""

from __future__ import annotations

from decimal import Decimal

import pytest

from picoworkers_async.models.dollars import dollars, in_dollars


@pytest.mark.parametrize(
    ("amount", "for_programs", "for_people"),
    [
        ("0", "0.00", "$0.00"),
        ("1234567.5", "1234567.50", "$1,234,567.50"),
        ("-1000", "-1000.00", "-$1,000.00"),
        ("0.0250", "0.025", "$0.025"),
        ("1E+3", "1000.00", "$1,000.00"),
    ],
)
def test_an_amount_has_its_cents_and_what_is_finer_where_it_is(
    amount: str, for_programs: str, for_people: str
) -> None:
    assert dollars(Decimal(amount)) == for_programs
    assert in_dollars(Decimal(amount)) == for_people
