"""Commands about the account: its money, what jobs can target, and its workers."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated

from cyclopts import Parameter

from ..errors import InvalidRequestError
from ..models import Category
from ..models.account import CONTEXT
from ..models.dollars import in_dollars
from ..rules import check_deposit
from .acting import act, finish
from .asking import confirm
from .connection import connect
from .exits import Exit
from .options import DEFAULT, Options, Yes
from .output import Column, print_json, print_pairs, print_table


async def balance(*, options: Options = DEFAULT) -> None:
    """Show what the account has earned, and what it can spend."""
    async with connect(options) as pico:
        balances = await pico.users.get_balances()
    if options.json:
        print_json(balances)
    else:
        print_pairs([("earned", balances.earned), ("spendable", balances.spendable)])


async def zones(*, options: Options = DEFAULT) -> None:
    """List the zones that a job can target, and the countries that each lets it exclude."""
    async with connect(options) as pico:
        found = await pico.jobs.get_zones()
    if options.json:
        for zone in found:
            print_json(zone)
        return
    columns = [Column("zone"), Column("name"), Column("excludable")]
    print_table(columns, ((zone.id, zone.zone, " ".join(zone.excludable_countries)) for zone in found))


async def categories(
    *,
    search: Annotated[str | None, Parameter(help="Only categories with this text in their id or names.")] = None,
    options: Options = DEFAULT,
) -> None:
    """List the categories of jobs, and the least pay for a task of each."""
    async with connect(options) as pico:
        found = [one for one in await pico.jobs.get_categories() if matches(one, search)]
    if options.json:
        for category in found:
            print_json(category)
        return
    columns = [Column("category"), Column("group"), Column("name"), Column("least pay by zone")]
    print_table(columns, ((one.id, one.category, one.subcategory, _prices(one)) for one in found))


def matches(category: Category, search: str | None) -> bool:
    """Whether the text is in one of the category's names, in any letter case; None is in all."""
    wanted = (search or "").casefold()
    return any(
        wanted in (name or "").casefold() for name in (category.id, category.category, category.subcategory)
    )


def _prices(category: Category) -> str:
    return "  ".join(f"{zone} {in_dollars(least)}" for zone, least in category.min_task_value.items())


async def lists(*, options: Options = DEFAULT) -> None:
    """List your lists of workers; a job needs one of at least 10 workers."""
    async with connect(options) as pico:
        found = await pico.jobs.get_lists()
    if options.json:
        for one in found:
            print_json(one)
        return
    columns = [Column("list", is_number=True), Column("name"), Column("workers", is_number=True)]
    print_table(columns, ((one.id, one.name, one.workers) for one in found))


async def deposit(
    cents: Annotated[int, Parameter(help="Whole US cents, at least 1000.")],
    /,
    *,
    yes: Yes = False,
    options: Options = DEFAULT,
) -> Exit:
    """Add money from the account's credit card; asks first. Only for the 2022 edition."""
    if problems := check_deposit(cents):
        # Before it is asked about.
        raise InvalidRequestError("deposit", problems)
    async with connect(options) as pico:
        # Read before, so that a lost answer can be told by what came in.
        before = await pico.users.get_balances()
        amount = in_dollars(CONTEXT.divide(Decimal(cents), Decimal(100)))
        confirm(f"Deposit {amount} from the credit card? The balance is {in_dollars(before.spendable)}.", yes=yes)
        result = await act(pico, "deposit", pico.wallet.deposit(cents))
    return finish(result, "deposit", json=options.json)


async def add_workers(
    list_id: Annotated[int, Parameter(help="The id of the list.")],
    /,
    *workers: str,
    yes: Yes = False,
    options: Options = DEFAULT,
) -> Exit:
    """Add workers, by their ids, to a list; asks first, because no call removes them from it."""
    async with connect(options) as pico:
        confirm(f"Add {_count(workers)} to the list {list_id}? No call removes them from it.", yes=yes)
        result = await act(pico, "add workers", pico.lists.add_workers(list_id, workers))
    return finish(result, "add-workers", json=options.json)


async def block(*workers: str, yes: Yes = False, options: Options = DEFAULT) -> Exit:
    """Block workers, by their ids, which removes them from every list; asks first (SproutGigs only)."""
    async with connect(options) as pico:
        confirm(f"Block {_count(workers)}? That removes them from every list, for good.", yes=yes)
        result = await act(pico, "block workers", pico.lists.block_workers(workers))
    return finish(result, "block", json=options.json)


async def unblock(*workers: str, options: Options = DEFAULT) -> Exit:
    """Unblock workers, by their ids (SproutGigs only)."""
    async with connect(options) as pico:
        result = await act(pico, "unblock workers", pico.lists.unblock_workers(workers))
    return finish(result, "unblock", json=options.json)


def _count(workers: tuple[str, ...]) -> str:
    return f"{len(workers)} worker{'' if len(workers) == 1 else 's'}"
