"""The sandbox's public class: a service of your own, and the truth about it."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from contextlib import AbstractAsyncContextManager
from decimal import Decimal
from typing import Unpack

import httpx

from ..client import AsyncPicoworkers
from ..editions import EDITIONS, PICOWORKERS, Edition, edition_named
from ..keywords import ClientKeywords
from ..models.jobs import JobStatus, JobStatusWord
from ..throttle import Throttle
from ..transport.package import default_package, made_of
from . import seeding
from .account import Account
from .behaviour import Behaviour, Order, PostAnswer, PostedAs, Titles
from .delivery import Delivery
from .dispatch import Dispatch
from .faults import Faults
from .ledger import Entry
from .limiter import Limiter
from .messages import Logged
from .postbacks import Postbacks, PostbackShape
from .seeds import JobSeed, TaskSeed
from .serving import serve
from .setting import Setting
from .store import Store
from .transport import SandboxTransport


class Sandbox:
    """A sandbox of the service for one account, with a ledger of what really took effect.

    Use it in process by `client()` or `transport()`, or over real HTTP by `async with sandbox.serve() as url`.

    `requests_per_second` is a limit, enforced strictly by time of arrival, with `cooldown` seconds of 429 after
    one request too many. Everything random comes from `seed`. Time is the event loop's. These, `edition` and the
    credentials are fixed. All other arguments are described in `Behaviour`; they are also attributes of the same
    name, which you can change at any time.
    """

    def __init__(
        self,
        *,
        edition: Edition | str = PICOWORKERS,
        user_id: str = "user_id",
        api_secret: str = "api_secret",  # noqa: S107
        page_size: int = 20,
        latency: float | tuple[float, float] = 0.0,
        requests_per_second: float | None = None,
        cooldown: float = 10.0,
        retry_after_header: bool = True,
        retry_after: str | None = None,
        order: Order = "oldest",
        balance: Decimal | str | int = 1000,
        refusal_status: int = 200,
        faults: Faults | None = None,
        read_lag: float = 0.0,
        lag_share: float = 1.0,
        pays_repeats: bool = False,
        odd_fields: float = 0.0,
        page_lies: float = 0.0,
        titles: Titles = "as_sent",
        post_answer: PostAnswer = "url",
        posted_as: PostedAs = "pending_review",
        also_takes: Collection[str] = (),
        refuse_bulk_with: set[str] | None = None,
        seed: int = 0,
    ) -> None:
        service = edition_named(edition)
        if service is None:
            raise ValueError(f"edition={edition!r}: an Edition, or one of {', '.join(EDITIONS)}")
        self.edition = edition = service
        self._behaviour = Behaviour(
            page_size=page_size,
            latency=latency,
            retry_after_header=retry_after_header,
            retry_after=retry_after,
            order=order,
            refusal_status=refusal_status,
            faults=faults or Faults(),
            read_lag=read_lag,
            lag_share=lag_share,
            pays_repeats=pays_repeats,
            odd_fields=odd_fields,
            page_lies=page_lies,
            titles=titles,
            post_answer=post_answer,
            posted_as=posted_as,
            also_takes=also_takes,
            refuse_bulk_with=refuse_bulk_with,
        )
        account = Account(edition, self._behaviour, balance=Decimal(balance), seed=seed)
        self._login = user_id, api_secret
        self._delivery = Delivery(Dispatch(account, *self._login), Limiter(requests_per_second, cooldown))

    page_size: Setting[int] = Setting[int]()
    latency: Setting[float | tuple[float, float]] = Setting[float | tuple[float, float]]()
    order: Setting[Order] = Setting[Order]()
    refusal_status: Setting[int] = Setting[int]()
    faults: Setting[Faults] = Setting[Faults]()
    lag_share: Setting[float] = Setting[float]()
    pays_repeats: Setting[bool] = Setting[bool]()
    odd_fields: Setting[float] = Setting[float]()
    page_lies: Setting[float] = Setting[float]()
    titles: Setting[Titles] = Setting[Titles]()
    post_answer: Setting[PostAnswer] = Setting[PostAnswer]()
    also_takes: Setting[frozenset[str]] = Setting[frozenset[str]]()
    refuse_bulk_with: Setting[set[str] | None] = Setting[set[str] | None]()
    retry_after_header: Setting[bool] = Setting[bool]()
    retry_after: Setting[str | None] = Setting[str | None]()
    posted_as: Setting[PostedAs] = Setting[PostedAs]()

    @property
    def read_lag(self) -> float:
        """Reads of tasks, jobs and the balance show the state of this many seconds ago.

        They show nothing from before this was set: what is there then is what they see first.
        """
        return self._behaviour.read_lag

    @read_lag.setter
    def read_lag(self, seconds: float) -> None:
        with self._account.lock:
            self._account.lag_reads(seconds)

    def add_job(self, *, extra: Mapping[str, object] | None = None, **fields: Unpack[JobSeed]) -> str:
        """Add a running job, and return its id; `fields` are those of get-job, such as `num_tasks`.

        `extra` is listed with them, or in place of them, as it is, for fields that are in no document. Raises
        `InvalidRequestError` for unknown fields, and for values of the wrong type.
        """
        return seeding.add_job(self._account, fields, extra)

    def set_job_status(self, job_id: str, status: JobStatus | JobStatusWord) -> None:
        """Set the job's status, as the service's staff or system would."""
        seeding.set_job_status(self._account, job_id, status)

    def approve(self, job_id: str) -> None:
        """Let a job run that waits for the service's approval, its review or its restart.

        Raises `InvalidRequestError` for a job that does not wait. A posted job waits as `posted_as` says.
        """
        seeding.approve(self._account, job_id)

    def add_tasks(
        self,
        job_id: str,
        count: int = 1,
        *,
        extra: Mapping[str, object] | None = None,
        **fields: Unpack[TaskSeed],
    ) -> list[str]:
        """Have ten workers in turn hand in tasks of the job, whatever its status; returns the tasks' ids.

        `fields` are those of get-unrated-tasks; with `worker_id`, all tasks are that worker's. `proofs` may be a
        function of a task's number, from 0, for proofs that differ. `extra` and errors are as in `add_job`.
        """
        return seeding.add_tasks(self._account, job_id, count, fields, extra)

    def resubmit(
        self, task_id: str, *, extra: Mapping[str, object] | None = None, **fields: Unpack[TaskSeed]
    ) -> None:
        """Hand in again a task that was sent back: same id, higher revision number; otherwise as `add_tasks`."""
        seeding.resubmit(self._account, task_id, fields, extra)

    def withdraw(self, task_id: str) -> None:
        """Remove a task, as if somebody else had settled it."""
        seeding.withdraw(self._account, task_id)

    def refuse(self, task_id: str, message: str | None = "Task cannot be rated.") -> None:
        """Refuse ratings of a task with this message, although it stays listed; None accepts them again."""
        seeding.refuse(self._account, task_id, message)

    def after_each_rating(self, callback: Callable[[Sandbox], object]) -> None:
        """Call this back whenever a rating took effect, for instance to have more tasks arrive."""
        self._account.after_rating.append(lambda: callback(self))

    def catch_up(self) -> None:
        """Let every late request take effect now, even those that are not due yet."""
        self._delivery.act_all()

    @property
    def store(self) -> Store:
        """The jobs and tasks as they are now, whatever reads show."""
        return self._account.store

    @property
    def ledger(self) -> list[Entry]:
        """Everything that has taken effect by now, in order.

        Read it again after a wait: a late request takes effect when the ledger is read.
        """
        return self._account.ledger

    @property
    def paid(self) -> Decimal:
        """What workers were paid for their tasks, bonuses not included, in US dollars."""
        return self._account.paid()

    @property
    def bonus_paid(self) -> Decimal:
        """What workers got as bonuses, in US dollars."""
        return self._account.bonus_paid()

    @property
    def balance(self) -> Decimal:
        """What can be spent, in US dollars."""
        return self._account.store.balance

    @balance.setter
    def balance(self, dollars: Decimal | str | int) -> None:
        with self._account.lock:
            self._account.set_balance(Decimal(dollars))

    @property
    def double_ratings(self) -> int:
        """How many times a task was rated that had been rated already, whether the repeat was refused or not."""
        return self._account.double_ratings

    @property
    def blocked_workers(self) -> set[str]:
        """The ids of the blocked workers."""
        return self._account.blocked_workers

    @property
    def requests(self) -> list[Logged]:
        """Every request so far, in the order in which they were answered."""
        return self._delivery.requests

    @property
    def complaints(self) -> list[str]:
        """Where requests broke the API document, and how."""
        return self._delivery.dispatch.complaints

    @property
    def rate_limited(self) -> int:
        """How many requests were over the limit."""
        return self._delivery.rate_limited

    @property
    def peak_concurrency(self) -> int:
        """The largest number of requests in flight at the same time."""
        return self._delivery.peak_concurrency

    def decisions(self) -> dict[tuple[str, int], tuple[str, Decimal]]:
        """The verdict and bonus that took effect, by task id and revision; for repeats, the last."""
        return self._account.decisions()

    def unrated(self) -> list[str]:
        """The ids of the tasks that wait to be rated."""
        with self._account.lock:
            return list(self._account.store.unrated)

    def client(self, **options: Unpack[ClientKeywords]) -> AsyncPicoworkers:
        """Make a client of this account, in process and without a pace; enter it before use.

        `options` are those of `AsyncPicoworkers`, and override what is set here.
        """
        given: ClientKeywords = {
            "edition": self.edition,
            "transport": self.transport(),
            "throttle": Throttle(),
            **options,
        }
        return AsyncPicoworkers(*self._login, **given)

    def transport(self) -> httpx.AsyncBaseTransport:
        """This service in process, as an httpx transport; clients of httpx2 can send through it as well."""
        make = made_of(SandboxTransport, default_package().AsyncBaseTransport)
        transport: httpx.AsyncBaseTransport = make(self._delivery)
        return transport

    def serve(self, port: int = 0, host: str = "127.0.0.1") -> AbstractAsyncContextManager[str]:
        """Serve over real HTTP on a port (0: a free one): `async with sandbox.serve() as url`.

        It listens on loopback. `host="0.0.0.0"` listens on all addresses, for other containers, which reach it
        by this container's name and need `insecure_http_hosts` for it; the URL is then the one to use on this
        machine. Raises `OSError` for a port that is taken, or a host that is not this machine's.
        """
        return serve(self._delivery, port, host)

    def post_back(
        self,
        url: str,
        *,
        shape: PostbackShape = "jobs",
        signing_secret: str | None = None,
        job_changes: bool = False,
        every: float = 60.0,
        retry_every: float = 300.0,
        give_up_after: float = 86400.0,
    ) -> Postbacks:
        """Post submitted tasks, and changes of jobs, to a loopback URL while the block lasts; see `Postbacks`."""
        return Postbacks(
            self._account,
            url,
            shape=shape,
            signing_secret=signing_secret,
            job_changes=job_changes,
            every=every,
            retry_every=retry_every,
            give_up_after=give_up_after,
        )

    @property
    def _account(self) -> Account:
        """The account, with all requests to it that were due by now in effect."""
        self._delivery.act_due()
        return self._delivery.account
