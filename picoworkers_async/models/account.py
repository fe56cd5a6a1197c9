"""The account's money."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import attrs


@attrs.frozen
class Balances:
    """What the account has earned and what it can spend, in US dollars, exact (section 4.1)."""

    earned: Decimal
    spendable: Decimal
    extra: Mapping[str, Any] = attrs.field(factory=dict)
    """Fields that the document does not know."""
