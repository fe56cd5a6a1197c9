# Written by tests/blocking/stub.py from the asynchronous classes: change those, and run it again.

"""The client for programs that are not async: `with Picoworkers(user_id, api_secret) as pico:`.

The same groups and methods as those of `AsyncPicoworkers`, made from it when this is imported; they block until
they have their answer. Models, errors, `Throttle` and everything else are those of `picoworkers_async`. A client
has one thread with an event loop from the beginning of its block to the end, and may be used in many threads at
once, a notebook's included.

What type checkers read is `__init__.pyi`, which `python -m tests.blocking.stub` writes.
"""

from collections.abc import AsyncIterable, Callable, Collection, Iterable, Iterator, Mapping, Sequence
from decimal import Decimal
from types import TracebackType
from typing import Any, Generic, Literal, Self, Unpack, overload

import httpx
import httpx2

from ..editions import PICOWORKERS, Edition
from ..effects import Settlement
from ..errors import OutcomeUnknownError
from ..events import Event
from ..keywords import ClientKeywords
from ..listings.pages import T
from ..models import (
    Ack,
    Balances,
    Category,
    Job,
    JobDraft,
    JobStatus,
    JobUpdate,
    Page,
    PostedJob,
    PredictedPosition,
    Rating,
    RatingAck,
    Task,
    WorkerList,
    Zone,
)
from ..models.jobs import StatusFilter
from ..ping import Ping
from ..rating import BatchReport
from ..rating.asking import Decide, DecideWithJob
from ..rating.limits import Limits
from ..rating.options import (
    GRACE_SECONDS,
    PATIENCE_SECONDS,
    FollowKeywords,
    JournalPath,
    OnLimit,
    RateKeywords,
    ReviewKeywords,
)
from ..rating.outcomes import Outcome
from ..rating.progress import Progress, Spend
from ..resources.catalogue import MAX_AGE_SECONDS
from ..resources.jobs import Order
from ..resources.watching import ChangeOfJob
from ..retry import RetryPolicy
from ..rules import DraftCheck
from ..throttle import Priority, Throttle
from ..transport.choice import TransportName
from ..transport.shared import SharedTransport

__all__ = ["Batch", "JobWatch", "Jobs", "Lists", "Pages", "Picoworkers", "Users", "Wallet"]

class Pages(Generic[T]):
    """An iterator over the items of all pages of a listing, in the listing's order.

    The first page tells how many there are; after it, up to `ahead` pages are asked for at once. All of
    those requests end before the item that needed them is handed over: leaving the loop at any point, or
    being cancelled in it, leaves nothing behind. An item that shows up twice because the listing moved, with
    the same id and revision, is yielded once. The walk ends at the page that the service, by its latest word,
    calls the last. An item that moves to a page already read is missed: a listing that changes while it is
    walked can only be settled with `Picoworkers.review`.

    An error of the service comes up in its place in the order; asking for the next item tries that page again.
    """

    def __iter__(self) -> Iterator[T]: ...
    def __next__(self) -> T: ...
    def pages(self) -> Iterator[Page[T]]:
        """The pages as they came, in order. Items that an earlier page had are left in."""

    def collect(self) -> list[T]:
        """All items that are left, as a list."""

class JobWatch:
    """The changes of one job: an iterator of `JobUpdate`, and with `changes` a context manager too.

    The first item is the job as it is, each further one a look that found something changed. It ends after the one
    that shows the job finished or declined, whether or not tasks of it still wait to be rated: a job that is
    restarted is watched anew. What changed and changed back between two looks is not seen. Looks have the place of
    a batch at the gate, and are `every` seconds (60) apart.

    With `changes` (as `with receiver.job_changes() as changes` gives them), a change of this job has it read
    at once; nothing else in it is believed, and those of other jobs are passed over. When they end, looks go on.
    What they raise is raised here, and 5 seconds later they are asked again: whoever iterates on goes on hearing
    of changes. What they raise then is raised only if a change has come meanwhile.

    A service that cannot be reached, or does not answer as documented, is waited for without end, with pauses that
    grow to a minute; so is one that refuses, but for the very first look. Raises `NotFoundError` for a job that is
    not there, or not any more, `AuthenticationError`, and `InvalidRequestError` for an id that is empty or a path,
    an `every` that is not above 0, and `changes` that are no async iterable.
    """

    def __enter__(self) -> Self: ...
    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> bool: ...
    def __iter__(self) -> Self: ...
    def __next__(self) -> JobUpdate: ...

class Batch:
    """A context manager and, inside its block, an iterator of `Outcome`s as they complete.

    `stop` ends it in good order; leaving the block early stops the batch: nothing new is sent, requests on the
    wire get `grace` seconds to learn their answer. What ends a batch, such as lost credentials, comes from the
    iterator after every outcome that was learned; the error's `report` adds those up.
    """

    def __enter__(self) -> Self: ...
    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> bool: ...
    def __iter__(self) -> Iterator[Outcome]: ...
    def __next__(self) -> Outcome: ...
    def report(self) -> BatchReport:
        """Run the batch to its end and add it up, with what was iterated before.

        After the block it adds up what is known: of a block that was left early, what was learned by then. Raises
        what ended the batch, if something did, and `ClientStateError` before the block.
        """

    def spend(self) -> Spend:
        """What this run has spent so far; in a dry run, what it would have. Used once the block was entered."""

    def stop(self) -> None:
        """Have the batch come to its end: take no more tasks or ratings in, send what was decided, and end.

        Decisions that are awaited are cancelled. What was decided is sent for up to `grace` seconds; what is on
        the wire then has as long again to learn its answer: it may take up to 2 x `grace` in all. After that the
        iteration ends as usual, without an error. What was not sent has no outcome; with a journal it stays
        `decided` there, and the next run sends it. A rating whose answer was lost ends as `UNKNOWN`, and the next
        run with the journal settles it.

        Returns at once. May be called at any time and more than once, also before the block and after the end,
        from any thread, callback or signal handler.
        """

    def progress(self) -> Progress:
        """How far the batch is, or was when it ended; to be called once the block was entered, at any time."""

class Jobs:
    """Jobs and their tasks (section 3).

    Every method raises `InvalidRequestError` before anything is sent if an argument breaks a documented limit,
    and the errors of `picoworkers_async.errors` for what the service answers.
    """

    def get_zones(self) -> list[Zone]:
        """The zones a job can target, and the countries that each lets one exclude (section 3.1)."""

    def get_lists(self) -> list[WorkerList]:
        """Your lists of workers; a job needs one of at least 10 workers (section 3.2)."""

    def get_categories(self) -> list[Category]:
        """The categories, with the least pay for a task in each zone, in US dollars (section 3.3)."""

    def check(self, draft: JobDraft, *, max_age: float = MAX_AGE_SECONDS) -> DraftCheck:
        """Check a draft against the limits, the live zones, categories and lists, and the balance (section 3).

        Besides the limits: an unknown zone, category or list, countries that the zone does not let one exclude,
        pay below the category's minimum for the zone (the international one for a list), a list of fewer than 10
        workers, and a certain cost above the balance are `problems`; what only the web site's form minds, and an
        estimated cost above the balance, are `warnings`. Costs nothing, and posts nothing.

        Zones, categories and lists are read once in `max_age` seconds (600; 0 or more) for all checks of this
        client, and again after a change to a list; the balance is read each time. Raises `InvalidRequestError`
        only for `max_age`, and what reading raises.
        """

    def post_job(self, draft: JobDraft, *, test: bool = False) -> PostedJob:
        """Post a job; with `test`, have the service validate it only, at no cost (section 3.4).

        Where the service accepts the post without naming the job (SproutGigs was seen to answer 2xx with an empty
        body), the job is looked for among the jobs, once and for 30 seconds at most: see `PostedJob.note`. Nothing
        is posted twice. Raises `OutcomeUnknownError` if the answer was lost: the job may have been posted. With
        `test`, an empty answer raises `InvalidResponseError`, since it does not say that the draft is valid.
        """

    def add_positions(self, job_id: str, positions: int) -> Ack:
        """Add 1 to 9999 positions to a job, each at its task's value (section 3.5).

        Raises `OutcomeUnknownError` if the answer was lost: they may have been added.
        """

    def set_speed(self, job_id: str, speed: int) -> Ack:
        """Set how readily the job is shown to workers, 1 (slow) to 1000 (section 3.6)."""

    def set_ttr(self, job_id: str, ttr: int) -> Ack:
        """Set the days until a task is rated as satisfied by itself, 1 to 7, on SproutGigs to 90 (section 3.7)."""

    def get_jobs(
        self,
        *,
        page: int = 1,
        status: JobStatus | StatusFilter | None = None,
        unrated_tasks: bool = False,
        order: Order | None = None,
    ) -> Page[Job]:
        """One page of your active jobs; archived ones are never listed (section 3.8).

        `status` filters by status, `unrated_tasks` keeps only jobs with tasks waiting to be rated. `order` is
        `asc` (the default) or `desc`, by date of creation (SproutGigs).
        """

    def iter_jobs(
        self,
        *,
        status: JobStatus | StatusFilter | None = None,
        unrated_tasks: bool = False,
        order: Order | None = None,
    ) -> Pages[Job]:
        """All your active jobs, page by page, read ahead (section 3.8). Filters and order as in `get_jobs`."""

    def get_job(self, job_id: str) -> Job:
        """One job by its id (section 3.13)."""

    def watch(
        self,
        job_id: str,
        *,
        every: float = 60.0,
        changes: Iterable[ChangeOfJob] | AsyncIterable[ChangeOfJob] | None = None,
    ) -> JobWatch:
        """The changes of one job, as `JobWatch` says: `for update in pico.jobs.watch(job_id)`.

        Here, `changes` may be any iterable, such as a generator that waits for the next change: it is read in a
        worker thread. A thread cannot be stopped: after the block it waits on, and what it gives is dropped. An
        async iterable is read in the client's own thread.
        """

    def get_unrated_tasks(
        self, *, page: int = 1, job_id: str | None = None, task_ids: Sequence[str] | None = None
    ) -> Page[Task]:
        """One page of the tasks waiting to be rated, of one job or of all (section 3.9).

        `task_ids`, at most 400 of one job, keeps only those tasks (SproutGigs).
        """

    def iter_unrated_tasks(
        self, *, job_id: str | None = None, task_ids: Sequence[str] | None = None
    ) -> Pages[Task]:
        """All tasks waiting to be rated, page by page, read ahead (section 3.9). Filters as for one page.

        Rating while walking moves the listing underfoot: use `Picoworkers.review` for that.
        """

    def get_rated_tasks(
        self, *, page: int = 1, job_id: str | None = None, task_ids: Sequence[str] | None = None
    ) -> Page[Task]:
        """One page of the tasks that were rated, with `status` and `previous_proofs` (SproutGigs, of 2024).

        Filters as in `get_unrated_tasks`.
        """

    def iter_rated_tasks(self, *, job_id: str | None = None, task_ids: Sequence[str] | None = None) -> Pages[Task]:
        """All tasks that were rated, page by page, read ahead (SproutGigs, of 2024)."""

    def rate_single_task(self, rating: Rating) -> Ack:
        """Rate one task, which pays its worker or refuses them; it cannot be undone (section 3.10).

        Raises `RefusedError` if the service will not, `OutcomeUnknownError` if the answer was lost.
        """

    def rate_multiple_tasks(self, ratings: Sequence[Rating]) -> list[RatingAck]:
        """Rate 1 to 1000 tasks of one job in one request (SproutGigs, of 2024); it cannot be undone.

        Gives what the service said to each, in the order of `ratings`; `ok` is None where it said nothing. A
        batch (`Picoworkers.rate`) gathers ratings into such requests by itself, and settles those.
        Raises `RefusedError` if the service refused them all, `OutcomeUnknownError` if the answer was lost.
        """

    def feature_job(self, job_id: str, amount: Decimal | int | float | str) -> Ack:
        """Pay `amount` US dollars, at least 2.00, to have a job shown before others (SproutGigs, of 2024).

        Raises `OutcomeUnknownError` if the answer was lost: it may have been paid.
        """

    def get_predicted_position(self, category_id: str, amount: Decimal | int | float | str) -> PredictedPosition:
        """Where a job of this category would stand, featured with `amount` US dollars (SproutGigs, of 2024)."""

    def stop_job(self, job_id: str) -> Ack:
        """Stop a job (section 3.11)."""

    def restart_job(self, job_id: str, positions: int | None = None) -> Ack:
        """Restart a job, with that many positions added if given, 1 to 9999 (section 3.12).

        With positions, raises `OutcomeUnknownError` if the answer was lost: they may have been added.
        """

    def pause_job(self, job_id: str) -> Ack:
        """Pause a job (section 3.14)."""

    def resume_job(self, job_id: str) -> Ack:
        """Resume a paused job (section 3.15)."""

class Users:
    """Information about your user (section 4)."""

    def get_balances(self) -> Balances:
        """What the account has earned and what it can spend, in US dollars, exact (section 4.1)."""

class Lists:
    """Manage custom lists (section 5)."""

    def add_workers(self, list_id: int, workers: Sequence[str]) -> Ack:
        """Add workers, by their ids, to a list. The service leaves invalid and blocked ones out (section 5.1).

        Raises `InvalidRequestError` if there are no workers, or an id is not a non-empty string.
        """

    def block_workers(self, workers: Sequence[str]) -> Ack:
        """Block workers, by their ids, and take them off every list (SproutGigs, of 2024).

        Raises `InvalidRequestError` if there are no workers, or the edition cannot.
        """

    def unblock_workers(self, workers: Sequence[str]) -> Ack:
        """Unblock workers, by their ids (SproutGigs, of 2024). Raises as `block_workers`."""

class Wallet:
    """Manage the wallet (section 6)."""

    def deposit(self, amount: int) -> Ack:
        """Add `amount` whole US cents, at least 1000, from the account's credit card (section 6.1).

        To be enabled in the account's settings first; no longer documented for SproutGigs.
        Raises `InvalidRequestError` before sending, `OutcomeUnknownError` if the answer was lost.
        """

class Picoworkers:
    """A client for one employer's account, used as `with Picoworkers(user_id, api_secret) as pico:`.

    Every call of the API is a method of one of four groups; `help(Picoworkers.jobs)` shows those of one:

        pico.jobs    post jobs, steer and read them, read the tasks handed in, rate one
        pico.users   the account's balances
        pico.lists   your lists of workers: add workers; block and unblock them
        pico.wallet  deposit funds

    Above the calls are `rate` and `review`, which rate many tasks and pay nobody twice, `settle`, which looks
    whether a call took effect whose answer was lost, `ping`, and `request` for calls that no document describes.

    `edition` is the service it talks to (`PICOWORKERS` or `SPROUTGIGS`, or its name); `base_url` overrides its
    address. `throttle` may be shared with other clients of the same account; left out, one with the edition's
    limits is made. `retry` is for calls that are safe to repeat; `RetryPolicy(attempts=1)` repeats none.

    `http_client` is an `httpx.AsyncClient` of yours (or one of httpx2) to send through: it is shared, and never
    closed from here. `transport` is an httpx transport of yours (or one of httpx2), which is closed with this
    client. Of both, "never reached the service" is believed only where httpcore's own exception proves it; every
    other failure counts as sent.

    Or `transport` says what requests go over: "fast" (connections of asyncio; needs the extra `fast`, and knows no
    proxy), "lanes" (httpx with one connection each, on asyncio and trio), "client" (one ordinary
    `httpx.AsyncClient` with its pool), or a `SharedTransport`, which other clients use too. Without `transport`
    and `http_client`, `PICOWORKERS_TRANSPORT` in the environment says so. Without that it is fast where it is
    installed and can run, unless something had replaced methods of httpx when the client was entered (respx,
    OpenTelemetry): then it is lanes, which that sees. `repr(pico)` says which, and a DEBUG line why.

    `timeout` is how many seconds a whole request may take, from connecting to the last byte of its answer (30 if
    left out). An `http_client` without it keeps its own timeouts for each step, and the whole may take 30 seconds
    or its longest one, whichever is more (300 where it has none). `settle_after` is how many seconds (30; 0 or
    more) after a request ended without a clear answer a reading may prove that it had no effect: it covers the
    time in which the service may still act, and the lag of what it lets read. `max_response_bytes` is how large an
    answer may be, unpacked (32 MiB); a larger one raises `InvalidResponseError`, or `OutcomeUnknownError` where
    money is at stake. Cookies are neither kept nor sent (those of an `http_client` are its own), redirects never
    followed.

    `max_wait` is how many seconds (above 0; None: as long as it takes) a call may wait for its turn, all its
    attempts together: for the pace, a pause after a 429, or one of the throttle's places. After that it raises
    `GateTimeoutError`, and was not sent. Connecting and the answer count for `timeout` instead. Batches and
    `jobs.watch` wait by design, and have no such bound.

    `on_event` is a plain function that is called in its own thread with each event of `picoworkers_async.events`:
    what happens in this client and its batches. It must not block. One that raises is logged once, and harms
    nothing. The logger "picoworkers_async" tells the same.

    `insecure_http_hosts` are the names of hosts that `base_url` may reach by plain http, such as `{"sandbox"}` in
    a network of containers; whoever listens there reads the secret. Loopback needs no naming, all else needs TLS.

    Raises `InvalidRequestError`, naming all that is wrong, for empty credentials, a colon in the user id, an
    address without TLS, an `http_client` that is not asynchronous, both `http_client` and `transport`, a transport
    that cannot be used here, or a number out of range. Source: sections 1 and 2 of the API document.
    """

    jobs: Jobs
    users: Users
    lists: Lists
    wallet: Wallet

    def __init__(
        self,
        user_id: str,
        api_secret: str,
        *,
        edition: Edition | str = PICOWORKERS,
        base_url: str | None = None,
        http_client: httpx.AsyncClient | httpx2.AsyncClient | None = None,
        transport: TransportName
        | SharedTransport
        | httpx.AsyncBaseTransport
        | httpx2.AsyncBaseTransport
        | None = None,
        throttle: Throttle | None = None,
        retry: RetryPolicy | None = None,
        timeout: float | None = None,
        settle_after: float = 30.0,
        max_wait: float | None = None,
        max_response_bytes: int = 32 * 1024 * 1024,
        insecure_http_hosts: Collection[str] = (),
        on_event: Callable[[Event], object] | None = None,
    ) -> None: ...
    def with_options(
        self, *, priority: Priority | None = None, timeout: float | None = None, max_wait: float | None = None
    ) -> Self:
        """This client with other options for its calls; it shares everything else, the block included.

        `priority` is the calls' place at the gate (`Priority.INTERACTIVE` unless said otherwise; batches always
        have `Priority.BATCH`), `timeout` and `max_wait` are in seconds, as in the constructor. What is
        left out stays as it is. Raises `InvalidRequestError`, naming all of them, for options that are none.
        """

    @classmethod
    def from_env(cls, **options: Unpack[ClientKeywords]) -> Self:
        """A client from the environment; `options` are the constructor's.

        Reads `PICOWORKERS_USER_ID` and `PICOWORKERS_API_SECRET`, and if they are set `PICOWORKERS_BASE_URL`
        and `PICOWORKERS_EDITION` (`picoworkers` or `sproutgigs`), unless these are given; the constructor itself
        reads `PICOWORKERS_TRANSPORT`. Which hosts go without TLS no variable says, only the program.
        Raises `InvalidRequestError` naming all that is wrong, in variables by their names and in options.
        """

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
        """Rate many tasks at once: `with pico.rate(ratings) as outcomes: for outcome in outcomes`.

        `ratings` may be endless, and is read no faster than outcomes are taken. Each rating has one outcome, in
        the order in which they complete. A rating whose answer was lost is settled by reading, at the earliest
        `settle_after` seconds later unless it shows at once that it took effect, and never repeated blindly; the
        batch goes on meanwhile. One bad rating never stops the batch. Credentials that are no longer accepted
        (`AuthenticationError`) and an input that raises end it, after every outcome that was learned; the error's
        `report` adds those up. Left early, requests on the wire have `grace` seconds to learn their answer. A
        service that cannot be reached is waited for, `patience` seconds (600) at most.

        With a `journal` (a path, an address `postgresql://...`, or a `Journal`), the process may die at any
        moment, and the same call with the same journal goes on, and settles what was sent without an answer. What
        an earlier run settled is not sent again; its outcome is `replayed`, and counts in the report but for the
        bonus. Raises `JournalError`, before anything is sent, for a journal that cannot be used, or that belongs
        to another account or edition; later, if its database is away for longer than a minute. With `standby`, for
        a journal in PostgreSQL, a batch waits before its block for another one that has the journal: until that
        one ends, dies, or is silent for 12 seconds. It goes on where that one stopped.

        `limits` is what may be spent (see `Limits`). At a limit, `on_limit="stop"` sends nothing more and ends the
        batch with what is on its way; `"wait"` goes on when the next day begins, or the balance has grown;
        `"leave"` fails what would exceed it by a `LimitError`, unsent, and goes on with what fits; a review with
        `follow` sends the rest on the next day, if it is listed and fits then. When the service refuses for want
        of money, nothing is sent until the balance has grown, for `patience` seconds at most unless `on_limit` is
        `"wait"`. With `dry_run` nothing is sent that changes anything: what would be sent has the outcome
        `WOULD_RATE`, and `batch.spend()` says what it would cost.

        Raises `InvalidRequestError`, naming all of them, for options out of range, and for `ratings` that cannot
        be iterated.

        Here, an iterable that is no collection, such as a generator, is read in a worker thread, one rating after
        the other: it may block, and use this client. An async iterable is read in the client's own thread.
        """

    def rate_all(
        self, ratings: Iterable[Rating] | AsyncIterable[Rating], **options: Unpack[RateKeywords]
    ) -> BatchReport:
        """`rate`, run to the end and added up; `options` are those of `rate`.

        Here, an iterable that is no collection, such as a generator, is read in a worker thread, one rating after
        the other: it may block, and use this client. An async iterable is read in the client's own thread.
        """

    @overload
    def review(self, decide: Decide, **options: Unpack[FollowKeywords]) -> Batch:
        """Walk the tasks waiting to be rated, ask `decide` about each, and rate: used like `rate`.

        `decide(task)` or `decide(task, job)`, plain or async, gives a `Rating` of that task, None to leave it
        alone in this run, or `Later`, whose docstring says what each means now and afterwards. It is told apart
        once, by its required parameters. A job is read once, by however many ask, and kept for five minutes. With
        `follow` (above 0) the review looks again every so many seconds, until its block is left. With `tasks` it
        is these tasks that are decided, each `(id, revision_number)` once, instead of the listing; with `follow`
        beside it.

        An async `decide` is awaited for `deciding` tasks at a time (8), however many requests may be under way. A
        plain one is called in the event loop, and must not block; with `threads` it is called in worker threads,
        never in more than `deciding`. A decision that is awaited, or made in a thread, fails its task after
        `decide_timeout` seconds (above 0; None: it may take for ever). With `follow`, a task whose `decide`
        failed, or gave a rating that cannot be sent, is asked about again at the first look `retry_failed` seconds
        later (300), doubled with each failure, an hour at most.

        A thread cannot be stopped, so give what blocks in it a timeout of its own. One that takes longer than
        `decide_timeout`, or is not waited for any more since the review ended, runs to its end, and its decision
        is dropped. Until then its place is lost: the other tasks wait for the places that are left, untimed. When
        all are lost there is a warning, once, and nothing is decided until a thread returns; the review can be
        stopped meanwhile. On asyncio, Python does not exit before all threads have returned; on trio it does.

        With `follow`, a service that cannot be reached, or does not answer as documented, is waited for without
        end, redirects and refusals of the listing included; lost credentials, the journal, a refusal of the very
        first page, and an address where all that this client ever asked was answered by 404 and no JSON end it.
        Without, `patience` seconds (600) after the first failure the review ends with it, and with a redirect or
        a refusal of the listing at once.

        Guaranteed, in whatever order the service lists tasks and while rating takes them off the listing: each
        `(id, revision_number)` that stays listed is decided exactly once, and the review ends when a look at the
        whole listing shows nothing undecided. A task sent back and handed in again is decided again. Not
        guaranteed: tasks handed in during the last look, and a task that a change from elsewhere hides from
        every look (something else rates one task in the same moment as another comes in before it).

        With a `journal`, as in `rate`, decisions are durable before they are sent: the same call after a crash
        asks for none of them again, and sends those that were not sent once their tasks are met in the same
        revision. A task that was left alone is no decision, and is asked about again. The other options are those
        of `rate`.

        A task that is not rated within its job's days to rate pays itself (`Job.rate_by`). With `due_within`, each
        that is listed and not rated is told by the event `TaskDue` so many seconds before, and
        `progress().soonest_due` is kept; each job is read once an hour at most for that. With `due_first`, of the
        tasks that wait for a decision the one that is due first is decided first, and of the tasks of a page: no
        request is sent for it, so a job that was not read counts as one of 7 days.

        Raises `InvalidRequestError`, naming all of them, for options out of range and `tasks` that cannot be
        iterated, and for a `decide` that takes neither one nor two arguments.

        Here, a plain `decide` is called in worker threads, never twice at once unless `deciding` is given: with
        `deciding=8` it must be fit for that. It may block, and use this client; with `threads=False` it is called
        in the client's own thread, where it may do neither, and an async one is awaited there. `tasks` are read in
        a worker thread, unless they are a collection or an async iterable.
        """

    @overload
    def review(self, decide: DecideWithJob, **options: Unpack[FollowKeywords]) -> Batch: ...
    @overload
    def review_all(self, decide: Decide, **options: Unpack[ReviewKeywords]) -> BatchReport:
        """`review`, run to the end and added up; `options` are those of `review`, but for `follow`.

        Raises `InvalidRequestError` for `follow`, with which a review has no end.

        Here, a plain `decide` is called in worker threads, never twice at once unless `deciding` is given: with
        `deciding=8` it must be fit for that. It may block, and use this client; with `threads=False` it is called
        in the client's own thread, where it may do neither, and an async one is awaited there. `tasks` are read in
        a worker thread, unless they are a collection or an async iterable.
        """

    @overload
    def review_all(self, decide: DecideWithJob, **options: Unpack[ReviewKeywords]) -> BatchReport: ...
    def request(self, method: Literal["GET", "POST"], path: str, fields: Mapping[str, Any] | None = None) -> Any:
        """The low-level call, for endpoints whose fields no document gives: JSON out, JSON back.

        `method` is GET (`fields` are the query; None is left out) or POST (they are the JSON body), `path` is
        relative to the service's address, such as `jobs/set-distribution.php`. It goes through the same gate and
        raises the same errors as every other call. A POST that is not known to be harmless is taken to cost money:
        it is never repeated blindly, and a lost answer raises `OutcomeUnknownError`. Raises `InvalidRequestError`
        before sending for a path the edition is known to lack. Source: names only, in the document of 2026.
        """

    def ping(self) -> Ping:
        """Whether the credentials and the address work, and which edition answers: two reads, which cost nothing.

        Each is sent once, the second only if the first was answered. Whatever keeps the service from answering is
        told, not raised. Raises `ClientStateError` outside the block, and `PacerError`.
        """

    def settle(self, error: OutcomeUnknownError) -> Settlement:
        """Look whether a call of unknown outcome took effect, by reading only; it is never sent again.

        A post is looked for among the jobs, positions are counted, a rated task is looked for among the unrated,
        a deposit in the balance, each against what this client had read before the call. That costs nothing when
        all goes well; what was not read before (`iter_jobs`, `get_job`, `get_balances`), or was read less than
        `settle_after` seconds after another call that changed it, may leave the answer at "cannot tell".

        `TOOK_EFFECT` comes as soon as it shows; `CANNOT_TELL` at once where nothing can show it; everything else
        takes `settle_after` seconds. `DID_NOT` is as true as it is that the service acts on a request, and shows
        that it has, within those seconds together. Raises what reading raises (`NoAnswerError` and the like):
        asking again later does no harm. `TypeError` for an error of another kind.
        """

    @property
    def edition(self) -> Edition:
        """The edition of the service this client talks to."""

    @property
    def throttle(self) -> Throttle:
        """The throttle that all calls of this client go through."""

    def close(self) -> None:
        """Close this client before the end of its block, or where it was entered without one.

        It does what the end of the block does: the connections and a `transport=` are closed, never an
        `http_client=`, and calls raise `ClientStateError` from then on. Those under way fail: let them
        end before. Clients made by `with_options` share the block, and are closed with it. May be called more than
        once, and on a client that was never entered.
        """

    def __enter__(self) -> Self: ...
    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...
