"""The client: `AsyncPicoworkers`."""

from __future__ import annotations

import copy
import math
import os
from collections.abc import AsyncIterable, Callable, Collection, Iterable, Mapping
from types import TracebackType
from typing import TYPE_CHECKING, Any, Literal, Self, Unpack, cast, overload

import attrs

from . import rules
from .arguments import address_of, client_problems, environment_problems
from .credentials import checked_credentials
from .editions import PICOWORKERS, Edition, edition_named
from .effects import Settlement
from .endpoints import endpoint_at
from .errors import InvalidRequestError, OutcomeUnknownError
from .keywords import ClientKeywords
from .models import Rating, Task
from .observing import Observers
from .ping import Ping, ping
from .problems import Problem, ProblemCode
from .rating import Batch, BatchReport
from .rating.limits import Limits
from .rating.options import (
    DECIDING,
    GRACE_SECONDS,
    PATIENCE_SECONDS,
    RETRY_FAILED_SECONDS,
    BatchOptions,
    FollowKeywords,
    JournalPath,
    OnLimit,
    RateKeywords,
    ReviewKeywords,
    ReviewOptions,
    check_options,
)
from .resources import Jobs, Lists, Users, Wallet
from .retry import RetryPolicy
from .session import Session
from .settings import normalized_address, timeout_problems, wait_problems
from .settlement import settle
from .throttle import Priority, Throttle
from .throttle.limits import priority_problems
from .transport.choice import TransportName
from .transport.default import choose_adapter
from .transport.shared import SharedTransport

if TYPE_CHECKING:
    import httpx
    import httpx2

    from .events import Event
    from .rating.asking import AnyDecide, Decide, DecideWithJob


class AsyncPicoworkers:
    """A client for one employer's account: `async with AsyncPicoworkers(user_id, api_secret) as pico:`.

    Every call of the API is a method of one of four groups. `help(AsyncPicoworkers.jobs)` lists those of one:

    - `pico.jobs`: post, steer and read jobs; read the tasks that were handed in; rate tasks
    - `pico.users`: the account's balances
    - `pico.lists`: your lists of workers: add workers; block and unblock them
    - `pico.wallet`: deposit funds

    Built on these calls: `rate` and `review` rate many tasks and pay nobody twice; `settle` finds out whether a
    call took effect whose answer was lost; `ping` tests the connection; `request` sends calls that no document
    describes.

    `edition` is the service to talk to: `PICOWORKERS` or `SPROUTGIGS`, or its name. `base_url` overrides its
    address. `throttle` may be shared with other clients of the same account; if you leave it out, the client
    makes one with the edition's limits. `retry` is for calls that are safe to repeat; `RetryPolicy(attempts=1)`
    repeats none.

    `http_client` is your own `httpx.AsyncClient` (or one of httpx2) to send through. It is shared, and this
    client never closes it. `transport` may be your own httpx transport (or one of httpx2), which is closed with
    this client. For both, only httpcore's own exception proves that a request never reached the service; every
    other failure counts as sent.

    `transport` may also name what requests go over: "fast" (connections of asyncio; needs the extra `fast`, and
    supports no proxy), "lanes" (httpx clients with one connection each, on asyncio and trio) or "client" (one
    ordinary `httpx.AsyncClient` with its pool). Or it is a `SharedTransport`, which other clients use too.
    Without `transport` and `http_client`, the environment variable `PICOWORKERS_TRANSPORT` decides. Without
    that, it is "fast" where that is installed and can run; but if something (respx, OpenTelemetry) had replaced
    methods of httpx when the client was entered, it is "lanes", which go through those. `repr(pico)` says which
    is used, and a DEBUG log line says why.

    `timeout` is how many seconds a whole request may take, from connecting to the last byte of its answer (30 if
    left out). If you give an `http_client` and no `timeout`, that client keeps its own timeouts for each step,
    and the whole request may take 30 seconds or its longest timeout, whichever is more (300 where it has none).

    `settle_after` is how many seconds (30; 0 or more) must pass after a request ended without a clear answer
    before a read may prove that it had no effect. It covers the time in which the service may still act, and the
    lag of its reads.

    `max_response_bytes` is how large an answer may be, unpacked (32 MiB). A larger one raises
    `InvalidResponseError`, or `OutcomeUnknownError` for a call that moves money.

    `max_wait` is how many seconds (above 0; None: as long as it takes) a call may wait for its turn, all its
    attempts together: for the pace, a cooldown after a 429, or one of the throttle's places. After that it
    raises `GateTimeoutError`, and was not sent. Connecting and waiting for the answer count for `timeout`
    instead. Batches and `jobs.watch` wait by design, and have no such bound.

    `on_event` is a plain function that is called in the event loop with each event of
    `picoworkers_async.events`: what happens in this client and its batches. It must not block. If it raises,
    that is logged once and has no other effect. The logger "picoworkers_async" reports the same events.

    `insecure_http_hosts` names the hosts that `base_url` may reach by plain http, such as `{"sandbox"}` in a
    network of containers. Anyone who listens there reads the secret. Loopback need not be named; all other hosts
    need TLS.

    Cookies are neither kept nor sent (an `http_client` keeps its own). Redirects are never followed.

    Raises `InvalidRequestError`, with every problem, for empty credentials, a colon in the user id, an address
    without TLS, an `http_client` that is not asynchronous, both `http_client` and `transport`, a transport that
    cannot be used here, or a number out of range. Source: sections 1 and 2 of the API document.
    """

    # On the class each group is its own class, so that mocks made of this one, and `help`, find its methods.
    jobs: Jobs = cast("Jobs", Jobs)
    users: Users = cast("Users", Users)
    lists: Lists = cast("Lists", Lists)
    wallet: Wallet = cast("Wallet", Wallet)

    def __init__(
        self,
        user_id: str,
        api_secret: str,
        *,
        edition: Edition | str = PICOWORKERS,
        base_url: str | None = None,
        http_client: httpx.AsyncClient | httpx2.AsyncClient | None = None,
        transport: (
            TransportName | SharedTransport | httpx.AsyncBaseTransport | httpx2.AsyncBaseTransport | None
        ) = None,
        throttle: Throttle | None = None,
        retry: RetryPolicy | None = None,
        timeout: float | None = None,
        settle_after: float = 30.0,
        max_wait: float | None = None,
        max_response_bytes: int = 32 * 1024 * 1024,
        insecure_http_hosts: Collection[str] = (),
        on_event: Callable[[Event], object] | None = None,
    ) -> None:
        try:
            login, problems = checked_credentials(user_id, api_secret)
        finally:
            # Neither this frame nor that of a traceback keeps it.
            del user_id, api_secret
        problems += client_problems(
            edition=edition,
            base_url=base_url,
            http_client=http_client,
            transport=transport,
            throttle=throttle,
            retry=retry,
            timeout=timeout,
            settle_after=settle_after,
            max_wait=max_wait,
            max_response_bytes=max_response_bytes,
            insecure_http_hosts=insecure_http_hosts,
            on_event=on_event,
        )
        service = edition_named(edition)
        url = address_of(service, base_url)
        if problems or login is None or service is None or url is None:
            raise InvalidRequestError("AsyncPicoworkers", problems, sends=False)
        url = normalized_address(url)
        self._user_id = login.user_id
        self._throttle = throttle or Throttle(
            service.max_concurrency, service.requests_per_second, service.cooldown
        )
        adapter = choose_adapter(
            url,
            login,
            http_client=http_client,
            transport=transport,
            timeout=timeout,
            max_bytes=max_response_bytes,
            max_connections=self._throttle.max_concurrency,
            paced=self._throttle.requests_per_second is not None,
        )
        self._session = Session(
            edition=service,
            base_url=url,
            adapter=adapter,
            throttle=self._throttle,
            retry=retry or RetryPolicy(),
            account=login.account(),
            settle_after=settle_after,
            hide=login.hide,
            observers=Observers(on_event),
        ).with_options(max_wait=max_wait)
        if self._throttle.pacer is not None:
            self._throttle.pacer.bind(f"{service.name}-{login.account()}")
        self._attach(self._session)

    def _attach(self, session: Session) -> None:
        self._session = session
        self.jobs = Jobs(session)
        self.users = Users(session)
        self.lists = Lists(session)
        self.wallet = Wallet(session)

    def with_options(
        self, *, priority: Priority | None = None, timeout: float | None = None, max_wait: float | None = None
    ) -> Self:
        """The same client with other options for its calls; it shares everything else, the block included.

        `priority` is the calls' place at the gate: `Priority.INTERACTIVE` by default; batches always have
        `Priority.BATCH`. `timeout` and `max_wait` are in seconds, as in the constructor. What you leave out
        stays as it is. Raises `InvalidRequestError`, with every problem, for options that cannot be used.
        """
        problems = priority_problems(priority) + timeout_problems(timeout) + wait_problems(max_wait)
        if problems:
            raise InvalidRequestError("with_options", problems, sends=False)
        other = copy.copy(self)
        other._attach(self._session.with_options(priority=priority, timeout=timeout, max_wait=max_wait))
        return other

    @classmethod
    def from_env(cls, **options: Unpack[ClientKeywords]) -> Self:
        """Make a client from environment variables; `options` are the constructor's.

        Reads `PICOWORKERS_USER_ID` and `PICOWORKERS_API_SECRET`. Also reads `PICOWORKERS_BASE_URL` and
        `PICOWORKERS_EDITION` (`picoworkers` or `sproutgigs`), if they are set and you do not give these options.
        The constructor itself reads `PICOWORKERS_TRANSPORT`. No variable permits plain http: only the program
        can, by `insecure_http_hosts`.

        Raises `InvalidRequestError` with every problem, in variables (by their names) and in options.
        """
        variables = {"user_id": "PICOWORKERS_USER_ID", "api_secret": "PICOWORKERS_API_SECRET"}
        edition, base_url = os.environ.get("PICOWORKERS_EDITION"), os.environ.get("PICOWORKERS_BASE_URL")
        if edition is not None and "edition" not in options:
            options["edition"], variables["edition"] = edition, "PICOWORKERS_EDITION"
        if base_url and "base_url" not in options:
            options["base_url"], variables["base_url"] = base_url, "PICOWORKERS_BASE_URL"
        try:
            return cls(
                os.environ.get(variables["user_id"], ""), os.environ.get(variables["api_secret"], ""), **options
            )
        except InvalidRequestError as error:
            problems = environment_problems(error.problems, variables)
        raise InvalidRequestError("AsyncPicoworkers.from_env", problems, sends=False)

    def rate(
        self,
        ratings: Iterable[Rating] | AsyncIterable[Rating],
        *,
        journal: JournalPath | None = None,
        grace: float = GRACE_SECONDS,
        patience: float = PATIENCE_SECONDS,
        limits: Limits | None = None,
        on_limit: OnLimit = "stop",
        dry_run: bool = False,
        standby: bool = False,
    ) -> Batch:
        """Rate many tasks: `async with pico.rate(ratings) as outcomes: async for outcome in outcomes`.

        `ratings` may be endless; it is read no faster than you take outcomes. Each rating has one outcome, and
        outcomes come in the order in which ratings complete. One bad rating never stops the batch.

        If the answer to a rating is lost, the batch goes on, and settles that rating by reading: at once if a
        read shows that it took effect, else after `settle_after` seconds at the earliest. It is never repeated
        blindly.

        Credentials that are no longer accepted (`AuthenticationError`) and an input that raises end the batch,
        after every outcome that was learned; the error's `report` adds those up. If you leave the block early,
        requests in flight have `grace` seconds to get their answer. If the service cannot be reached, the batch
        waits for it, `patience` seconds (600) at most.

        With a `journal` (a path, an address `postgresql://...`, or a `Journal`), the process may die at any
        moment: the same call with the same journal resumes, and settles what was sent without an answer. What an
        earlier run settled is not sent again; its outcome is `replayed`, and counts in the report, except for the
        bonus. Raises `JournalError`, before anything is sent, for a journal that cannot be used, or that belongs
        to another account or edition; and later, if its database is away for longer than a minute.

        With `standby`, for a journal in PostgreSQL, the batch waits before its block for another one that has the
        journal, until that one ends, dies, or is silent for 12 seconds. Then it resumes where that one stopped.

        `limits` is what may be spent (see `Limits`). `on_limit` says what happens at a limit. `"stop"` sends
        nothing more, and ends the batch once what is in flight has its answer. `"wait"` resumes when the next
        day begins, or the balance has grown. `"leave"` fails what would exceed the limit with a `LimitError`,
        unsent, and goes on with what fits; a review with `follow` sends the rest on the next day, if it is still
        listed and fits then. When the service refuses for want of money, nothing is sent until the balance has
        grown, for `patience` seconds at most unless `on_limit` is `"wait"`.

        With `dry_run` nothing is sent that changes anything. What would be sent has the outcome `WOULD_RATE`,
        and `batch.spend()` says what it would cost.

        Raises `InvalidRequestError`, with every problem, for options out of range, and for `ratings` that cannot
        be iterated.
        """
        from .rating.sources import given_ratings  # with what runs a batch, which single calls never load

        options = BatchOptions(
            journal=journal,
            grace=grace,
            patience=patience,
            limits=limits,
            on_limit=on_limit,
            dry_run=dry_run,
            standby=standby,
        )
        check_options("rate", options, ratings=ratings)
        return Batch(self._session, given_ratings(ratings), options)

    async def rate_all(
        self, ratings: Iterable[Rating] | AsyncIterable[Rating], **options: Unpack[RateKeywords]
    ) -> BatchReport:
        """Run `rate` to its end and return the report; `options` are those of `rate`."""
        async with self.rate(ratings, **options) as batch:
            return await batch.report()

    @overload
    def review(self, decide: Decide, **options: Unpack[FollowKeywords]) -> Batch: ...
    @overload
    def review(self, decide: DecideWithJob, **options: Unpack[FollowKeywords]) -> Batch: ...
    def review(
        self,
        decide: AnyDecide,
        *,
        job_id: str | None = None,
        journal: JournalPath | None = None,
        tasks: AsyncIterable[Task] | Iterable[Task] | None = None,
        follow: float | None = None,
        grace: float = GRACE_SECONDS,
        patience: float = PATIENCE_SECONDS,
        limits: Limits | None = None,
        on_limit: OnLimit = "stop",
        dry_run: bool = False,
        standby: bool = False,
        deciding: int = DECIDING,
        decide_timeout: float | None = None,
        retry_failed: float = RETRY_FAILED_SECONDS,
        threads: bool = False,
        due_within: float | None = None,
        due_first: bool = False,
    ) -> Batch:
        """Read the tasks waiting to be rated, ask `decide` about each, and rate; used like `rate`.

        `decide` is `decide(task)` or `decide(task, job)`, plain or async; the number of its required parameters
        tells which, and is read once. It returns a `Rating` of that task, None to leave it alone in this run, or
        a `Later`; the docstring of `Later` says what each means now and afterwards. Each job is read once,
        however many decisions ask for it, and kept for five minutes.

        With `follow` (seconds, above 0) the review reads the listing again at that interval, until you leave its
        block. With `tasks` it decides these tasks instead of the listing's, each `(id, revision_number)` once;
        with `tasks` and `follow` it decides both.

        An async `decide` is awaited for `deciding` tasks at a time (8), however many requests may be in flight.
        A plain one is called in the event loop, and must not block; with `threads` it is called in worker
        threads, in at most `deciding` of them. A decision that is awaited, or made in a thread, fails its task
        after `decide_timeout` seconds (above 0; None: no limit). With `follow`, a task whose `decide` failed, or
        gave a rating that cannot be sent, is asked about again in the first sweep `retry_failed` seconds later
        (300); that doubles with each failure, up to an hour.

        A thread cannot be stopped, so give what blocks in it a timeout of its own. One that exceeds
        `decide_timeout`, or is still running when the review has ended, runs to its end, and its decision is
        dropped. Until then its place is lost: the other tasks wait for the places that are left, untimed. When
        all places are lost, the log warns once, and nothing is decided until a thread returns; you can still
        stop the review. On asyncio, Python does not exit before all threads have returned; on trio it does.

        With `follow`, the review waits without end for a service that cannot be reached or does not answer as
        documented, and through redirects and refusals of the listing. What ends it: lost credentials, the
        journal, a refusal of the very first page, and an address where every request of this client so far was
        answered by 404 and no JSON. Without `follow`, the review ends with a failure that has lasted `patience`
        seconds (600), and with a redirect or a refusal of the listing at once.

        Guaranteed, in whatever order the service lists tasks and while rating takes them off the listing: each
        `(id, revision_number)` that stays listed is decided exactly once, and the review ends when a sweep of
        the whole listing shows nothing undecided. A task that was sent back and handed in again is decided
        again. Not guaranteed: tasks handed in during the last sweep, and a task that a change from elsewhere
        hides from every sweep (something else rates one task at the moment at which another comes in before it).

        With a `journal`, as in `rate`, decisions are durable before they are sent. The same call after a crash
        asks for none of them again, and sends those that were not sent once it meets their tasks in the same
        revision. A task that was left alone is no decision, and is asked about again. The other options are
        those of `rate`.

        A task that is not rated within its job's days to rate pays itself (`Job.rate_by`). With `due_within`,
        the event `TaskDue` reports each task that is listed and not rated, this many seconds before it pays
        itself, and `progress().soonest_due` has the first; each job is read once an hour at most for that. With
        `due_first`, of the tasks that wait for a decision, and of the tasks of a page, the one that is due first
        is decided first. No request is sent for that, so a job that was not read counts as one of 7 days.

        Raises `InvalidRequestError`, with every problem, for options out of range, for `tasks` that cannot be
        iterated, and for a `decide` that takes neither one nor two arguments.
        """
        from .rating.review import review_source  # with what runs a batch, which single calls never load

        options = BatchOptions(
            journal=journal,
            grace=grace,
            patience=patience,
            limits=limits,
            on_limit=on_limit,
            dry_run=dry_run,
            standby=standby,
        )
        review = ReviewOptions(
            job_id=job_id,
            tasks=tasks,
            follow=follow,
            deciding=deciding,
            decide_timeout=decide_timeout,
            retry_failed=retry_failed,
            threads=threads,
            due_within=due_within,
            due_first=due_first,
        )
        check_options("review", options, review)
        if follow is not None:
            options = attrs.evolve(options, patience=math.inf)
        return Batch(self._session, review_source(decide, review), options, kind="review")

    @overload
    async def review_all(self, decide: Decide, **options: Unpack[ReviewKeywords]) -> BatchReport: ...
    @overload
    async def review_all(self, decide: DecideWithJob, **options: Unpack[ReviewKeywords]) -> BatchReport: ...
    async def review_all(self, decide: AnyDecide, **options: Unpack[ReviewKeywords]) -> BatchReport:
        """Run `review` to its end and return the report; `options` are those of `review`, without `follow`.

        Raises `InvalidRequestError` for `follow`, because a review with it has no end.
        """
        follow = options.get("follow")
        if follow is not None:
            what = "a review that follows the listing has no end: use review(), whose block you can leave"
            raise InvalidRequestError("review_all", [Problem("follow", follow, what, ProblemCode.CONFLICT)])
        async with self.review(decide, **options) as batch:
            return await batch.report()

    async def request(
        self, method: Literal["GET", "POST"], path: str, fields: Mapping[str, Any] | None = None
    ) -> Any:
        """Send any call, for endpoints whose fields no document gives: JSON out, JSON back.

        `method` is GET (`fields` are the query; None is left out) or POST (`fields` are the JSON body). `path`
        is relative to the service's address, such as `jobs/set-distribution.php`. The call goes through the same
        gate and raises the same errors as every other. A POST that is not known to be harmless counts as one
        that moves money: it is never repeated blindly, and a lost answer raises `OutcomeUnknownError`. Raises
        `InvalidRequestError` before sending for a path that the edition is known to lack. Source: the document
        of 2026 has the names only.
        """
        problems = rules.check_request(method, path) + rules.check_fields(fields)
        if problems:
            raise InvalidRequestError("request", problems)
        endpoint = endpoint_at(method, path)
        if method == "GET":
            return await self._session.call(endpoint, _as_it_is, query=fields)
        return await self._session.call(endpoint, _as_it_is, body=fields)

    async def ping(self) -> Ping:
        """Test the credentials and the address, and find out which edition answers: two reads, at no cost.

        Each is sent once, the second only if the first was answered. Whatever keeps the service from answering
        is returned in the `Ping`, not raised. Raises `ClientStateError` outside the block, and `PacerError`.
        """
        return await ping(self._session)

    async def settle(self, error: OutcomeUnknownError) -> Settlement:
        """Find out, by reading only, whether a call of unknown outcome took effect. Never sends it again.

        A post is looked for among the jobs, positions are counted, a rated task is looked for among the unrated,
        and a deposit in the balance. Each is compared with what this client had read before the call; that costs
        nothing as long as calls succeed. So the answer may be "cannot tell" if you did not read that before
        (`iter_jobs`, `get_job`, `get_balances`), or read it less than `settle_after` seconds after another call
        that changed it.

        `TOOK_EFFECT` comes as soon as it shows, `CANNOT_TELL` at once where nothing can show it; everything else
        takes `settle_after` seconds. `DID_NOT` holds only if the service acts on a request, and shows that it
        has, within those seconds together. Raises what reading raises (`NoAnswerError` and the like): asking
        again later does no harm. Raises `TypeError` for an error of another kind.
        """
        return await settle(error, self._session, self.jobs, self.users)

    @property
    def edition(self) -> Edition:
        """The edition of the service that this client talks to."""
        return self._session.edition

    @property
    def throttle(self) -> Throttle:
        """The throttle that all calls of this client go through."""
        return self._throttle

    def __repr__(self) -> str:
        session = getattr(self, "_session", None)
        if session is None:
            return "AsyncPicoworkers(not made: its arguments were refused)"
        return (
            f"AsyncPicoworkers(user_id={self._user_id!r}, edition={session.edition.name!r}, "
            f"base_url={session.base_url!r}, transport={session.carrier!r})"
        )

    async def aclose(self) -> None:
        """Close this client before the end of its block, or where it was entered without one.

        Does what the end of the block does: it closes the connections and a `transport=`, never an
        `http_client=`, and from then on calls raise `ClientStateError`. Calls in flight fail, so let them end
        first. Clients made by `with_options` share the block, and are closed with it. You may call it more than
        once, and on a client that was never entered.
        """
        await self._session.aclose()

    async def __aenter__(self) -> Self:
        await self._session.open()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()


def _as_it_is(data: Any) -> Any:
    return data
