# Written by tests/blocking/stub.py from the asynchronous classes: change those, and run it again.

"""The client for programs that are not async: `with Picoworkers(user_id, api_secret) as pico:`.

It has the groups and methods of `AsyncPicoworkers`, from which it is made when you import this module; they
block until they have their answer. Models, errors, `Throttle` and everything else are those of
`picoworkers_async`. A client has one thread with an event loop from the beginning of its block to the end, and
may be used in many threads at once, a notebook's included.

Type checkers read `__init__.pyi`, which `python -m tests.blocking.stub` writes.
"""

from collections.abc import AsyncIterable, Awaitable, Callable, Collection, Iterable, Iterator, Mapping, Sequence
from decimal import Decimal
from types import TracebackType
from typing import Any, Concatenate, Generic, Literal, Self, Unpack, overload

import httpx
import httpx2

from ..blocking.making import P, R
from ..client import AsyncPicoworkers
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

    The first page says how many there are; after it, up to `ahead` pages are read at once. All of those requests
    end before the item that needed them is handed over, so nothing is left running if you leave the loop, or are
    cancelled in it.

    An item that shows up twice because the listing moved, with the same id and revision, is yielded once. An
    item that moves to a page already read is missed: to rate a listing that changes meanwhile, use
    `Picoworkers.review`. The iteration ends at the page that the service's latest answer calls the last.

    An error of the service is raised in its place in the order; asking for the next item tries that page again.
    """

    def __iter__(self) -> Iterator[T]: ...
    def __next__(self) -> T: ...
    def pages(self) -> Iterator[Page[T]]:
        """Iterate over the pages as they came, in order. Items that an earlier page had are left in."""

    def collect(self) -> list[T]:
        """Return all remaining items as a list."""

class JobWatch:
    """The changes of one job: an iterator of `JobUpdate`, and with `changes` a context manager too.

    The first item is the job as it is; each further one is a read that found a change. Reads are `every` seconds
    (60) apart, and have a batch's place at the gate. What changed and changed back between two reads is not
    seen. The iterator ends after the item that shows the job finished or declined, even if tasks of it still
    wait to be rated. To watch a job that was restarted, call `watch` again.

    With `changes` (from `with receiver.job_changes() as changes`), each change of this job has it read at
    once. Nothing else in a change is believed, and changes of other jobs are skipped. When `changes` ends, the
    reads go on. What it raises is raised here, and it is asked again 5 seconds later, so you may go on
    iterating. If it fails again, that is raised only if a change has come meanwhile.

    A service that cannot be reached, or does not answer as documented, is waited for without end, with pauses
    that grow to a minute. So is one that refuses, except on the first read.

    Raises `NotFoundError` for a job that is not there, or no longer there; `AuthenticationError`; and
    `InvalidRequestError` for an id that is empty or a path, an `every` that is not above 0, and `changes` that
    are no async iterable.
    """

    def __enter__(self) -> Self: ...
    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> bool: ...
    def __iter__(self) -> Self: ...
    def __next__(self) -> JobUpdate: ...

class Batch:
    """A batch of ratings: a context manager and, inside its block, an iterator of outcomes.

    Each `Outcome` comes as soon as it is known. `stop` ends the batch in good order. Leaving the block early
    stops it: nothing new is sent, and requests in flight get `grace` seconds to get their answer. An error that
    ends the batch, such as lost credentials, is raised by the iterator after every outcome that was learned; its
    `report` adds those up.
    """

    def __enter__(self) -> Self: ...
    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> bool: ...
    def __iter__(self) -> Iterator[Outcome]: ...
    def __next__(self) -> Outcome: ...
    def report(self) -> BatchReport:
        """Run the batch to its end and return the report, with what you iterated before.

        After the block, the report covers what is known: if you left the block early, what was learned by then.
        Raises the error that ended the batch, if any, and `ClientStateError` before the block.
        """

    def spend(self) -> Spend:
        """What this run has spent so far, or would have in a dry run. Call it once the block was entered."""

    def stop(self) -> None:
        """Stop the batch: take in no more tasks or ratings, send what was decided, and end.

        Decisions that are awaited are cancelled. What was decided is sent for up to `grace` seconds, and what is
        in flight then has as long again to get its answer: up to 2 x `grace` in all. After that the iteration
        ends as usual, without an error. What was not sent has no outcome; with a journal it stays `decided`
        there, and the next run sends it. A rating whose answer was lost ends as `UNKNOWN`, and the next run with
        the journal settles it.

        Returns at once. You may call it at any time and more than once, also before the block and after the end,
        from any thread, callback or signal handler.
        """

    def progress(self) -> Progress:
        """How far the batch is, or was when it ended. Call it at any time once the block was entered."""

class Jobs:
    """Jobs and their tasks (section 3 of the API document).

    Every method raises `InvalidRequestError` before it sends anything if an argument breaks a documented limit,
    and the errors of `picoworkers_async.errors` for what the service answers.
    """

    def get_zones(self) -> list[Zone]:
        """Get the zones that a job can target, and the countries that each lets you exclude.

        Source: section 3.1 of the API document.
        """

    def get_lists(self) -> list[WorkerList]:
        """Get your lists of workers; a job needs a list of at least 10 workers.

        Source: section 3.2 of the API document.
        """

    def get_categories(self) -> list[Category]:
        """Get the categories, with the least pay for a task in each zone, in US dollars.

        Source: section 3.3 of the API document.
        """

    def check(self, draft: JobDraft, *, max_age: float = MAX_AGE_SECONDS) -> DraftCheck:
        """Check a draft against the limits, the live zones, categories and lists, and the balance.

        Costs nothing, and posts nothing. Besides broken limits, these are `problems`: an unknown zone, category
        or list; countries that the zone does not let you exclude; pay below the category's minimum for the zone
        (for a list, the international one); a list of fewer than 10 workers; and a certain cost above the
        balance. These are `warnings`: what only the web site's form objects to, and an estimated cost above the
        balance.

        Zones, categories and lists are read once in `max_age` seconds (600; 0 or more) for all checks of this
        client, and again after a change to a list; the balance is read each time. Raises `InvalidRequestError`
        only for `max_age`, and what reading raises. Source: section 3 of the API document.
        """

    def post_job(self, draft: JobDraft, *, test: bool = False) -> PostedJob:
        """Post a job; with `test`, have the service only validate it, at no cost.

        Nothing is posted twice. If the service accepts the post without naming the job (SproutGigs was seen to
        answer 2xx with an empty body), the jobs are read once, for 30 seconds at most, to find it: see
        `PostedJob.note`.

        Raises `OutcomeUnknownError` if the answer was lost: the job may have been posted. With `test`, an empty
        answer raises `InvalidResponseError`, because it does not say that the draft is valid. Source: section
        3.4 of the API document.
        """

    def add_positions(self, job_id: str, positions: int) -> Ack:
        """Add 1 to 9999 positions to a job; each costs its task's value.

        Raises `OutcomeUnknownError` if the answer was lost: they may have been added. Source: section 3.5 of the
        API document.
        """

    def set_speed(self, job_id: str, speed: int) -> Ack:
        """Set how readily the job is shown to workers, from 1 (slow) to 1000.

        Source: section 3.6 of the API document.
        """

    def set_ttr(self, job_id: str, ttr: int) -> Ack:
        """Set the days until a task is rated as satisfied by itself: 1 to 7, on SproutGigs 1 to 90.

        Source: section 3.7 of the API document.
        """

    def get_jobs(
        self,
        *,
        page: int = 1,
        status: JobStatus | StatusFilter | None = None,
        unrated_tasks: bool = False,
        order: Order | None = None,
    ) -> Page[Job]:
        """Get one page of your active jobs; archived ones are never listed.

        `status` keeps only jobs of that status, `unrated_tasks` only jobs with tasks waiting to be rated.
        `order` sorts by creation date, `asc` (the default) or `desc` (SproutGigs only). Source: section 3.8 of
        the API document.
        """

    def iter_jobs(
        self,
        *,
        status: JobStatus | StatusFilter | None = None,
        unrated_tasks: bool = False,
        order: Order | None = None,
    ) -> Pages[Job]:
        """Iterate over all your active jobs, with pages read ahead. Filters and order as in `get_jobs`.

        Source: section 3.8 of the API document.
        """

    def get_job(self, job_id: str) -> Job:
        """Get one job by its id. Raises `NotFoundError` if it is not there.

        Source: section 3.13 of the API document.
        """

    def watch(
        self,
        job_id: str,
        *,
        every: float = 60.0,
        changes: Iterable[ChangeOfJob] | AsyncIterable[ChangeOfJob] | None = None,
    ) -> JobWatch:
        """Watch one job for changes: `for update in pico.jobs.watch(job_id)`. `JobWatch` has the details.

        Here, `changes` may be any iterable, such as a generator that waits for the next change: it is read in a
        worker thread. A thread cannot be stopped: after the block it waits on, and what it gives is dropped. An
        async iterable is read in the client's own thread.
        """

    def get_unrated_tasks(
        self, *, page: int = 1, job_id: str | None = None, task_ids: Sequence[str] | None = None
    ) -> Page[Task]:
        """Get one page of the tasks waiting to be rated, of one job or of all.

        `task_ids`, at most 400 of one job, keeps only those tasks (SproutGigs only). Source: section 3.9 of the
        API document.
        """

    def iter_unrated_tasks(
        self, *, job_id: str | None = None, task_ids: Sequence[str] | None = None
    ) -> Pages[Task]:
        """Iterate over all tasks waiting to be rated, with pages read ahead. Filters as in `get_unrated_tasks`.

        Rating during the walk moves the listing, and tasks are missed: use `Picoworkers.review` for that.
        Source: section 3.9 of the API document.
        """

    def get_rated_tasks(
        self, *, page: int = 1, job_id: str | None = None, task_ids: Sequence[str] | None = None
    ) -> Page[Task]:
        """Get one page of the tasks that were rated, with `status` and `previous_proofs` (SproutGigs only).

        Filters as in `get_unrated_tasks`. Source: the API document of 2024.
        """

    def iter_rated_tasks(self, *, job_id: str | None = None, task_ids: Sequence[str] | None = None) -> Pages[Task]:
        """Iterate over all tasks that were rated, with pages read ahead (SproutGigs only).

        Filters as in `get_unrated_tasks`. Source: the API document of 2024.
        """

    def rate_single_task(self, rating: Rating) -> Ack:
        """Rate one task, which pays its worker or refuses them; it cannot be undone.

        Raises `RefusedError` if the service refuses, `OutcomeUnknownError` if the answer was lost. Source:
        section 3.10 of the API document.
        """

    def rate_multiple_tasks(self, ratings: Sequence[Rating]) -> list[RatingAck]:
        """Rate 1 to 1000 tasks of one job in one request (SproutGigs only). It cannot be undone.

        Returns what the service said about each, in the order of `ratings`; `ok` is None where it said nothing.
        A batch (`Picoworkers.rate`) gathers ratings into such requests by itself, and settles those.

        Raises `RefusedError` if the service refused them all, `OutcomeUnknownError` if the answer was lost.
        Source: the API document of 2024.
        """

    def feature_job(self, job_id: str, amount: Decimal | int | float | str) -> Ack:
        """Pay `amount` US dollars, at least 2.00, to have a job shown before others (SproutGigs only).

        Raises `OutcomeUnknownError` if the answer was lost: it may have been paid. Source: the API document of
        2024.
        """

    def get_predicted_position(self, category_id: str, amount: Decimal | int | float | str) -> PredictedPosition:
        """Get the place of a job of this category, featured for `amount` US dollars (SproutGigs only).

        Source: the API document of 2024.
        """

    def stop_job(self, job_id: str) -> Ack:
        """Stop a job. Source: section 3.11 of the API document."""

    def restart_job(self, job_id: str, positions: int | None = None) -> Ack:
        """Restart a job; `positions`, 1 to 9999, adds that many.

        With positions, raises `OutcomeUnknownError` if the answer was lost: they may have been added. Source:
        section 3.12 of the API document.
        """

    def pause_job(self, job_id: str) -> Ack:
        """Pause a job. Source: section 3.14 of the API document."""

    def resume_job(self, job_id: str) -> Ack:
        """Resume a paused job. Source: section 3.15 of the API document."""

class Users:
    """Information about your account (section 4 of the API document)."""

    def get_balances(self) -> Balances:
        """Get what the account has earned and what it can spend, exact, in US dollars.

        Source: section 4.1 of the API document.
        """

class Lists:
    """Manage your own lists of workers (section 5 of the API document)."""

    def add_workers(self, list_id: int, workers: Sequence[str]) -> Ack:
        """Add workers, by their ids, to a list. The service leaves out invalid and blocked ones.

        Raises `InvalidRequestError` if there are no workers, or an id is not a non-empty string. Source: section
        5.1 of the API document.
        """

    def block_workers(self, workers: Sequence[str]) -> Ack:
        """Block workers, by their ids, which also takes them off every list (SproutGigs only).

        Raises `InvalidRequestError` if there are no workers, or the edition cannot block. Source: the API
        document of 2024.
        """

    def unblock_workers(self, workers: Sequence[str]) -> Ack:
        """Unblock workers, by their ids (SproutGigs only).

        Raises the same errors as `block_workers`. Source: the API document of 2024.
        """

class Wallet:
    """Add funds to the account (section 6 of the API document)."""

    def deposit(self, amount: int) -> Ack:
        """Add `amount` whole US cents, at least 1000, from the account's credit card.

        Enable this in the account's settings first. It is no longer documented for SproutGigs. Raises
        `InvalidRequestError` before sending, `OutcomeUnknownError` if the answer was lost. Source: section 6.1
        of the API document.
        """

class Picoworkers:
    """A client for one employer's account: `with Picoworkers(user_id, api_secret) as pico:`.

    Every call of the API is a method of one of four groups. `help(Picoworkers.jobs)` lists those of one:

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

    `on_event` is a plain function that is called in its own thread with each event of
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
        """The same client with other options for its calls; it shares everything else, the block included.

        `priority` is the calls' place at the gate: `Priority.INTERACTIVE` by default; batches always have
        `Priority.BATCH`. `timeout` and `max_wait` are in seconds, as in the constructor. What you leave out
        stays as it is. Raises `InvalidRequestError`, with every problem, for options that cannot be used.
        """

    @classmethod
    def from_env(cls, **options: Unpack[ClientKeywords]) -> Self:
        """Make a client from environment variables; `options` are the constructor's.

        Reads `PICOWORKERS_USER_ID` and `PICOWORKERS_API_SECRET`. Also reads `PICOWORKERS_BASE_URL` and
        `PICOWORKERS_EDITION` (`picoworkers` or `sproutgigs`), if they are set and you do not give these options.
        The constructor itself reads `PICOWORKERS_TRANSPORT`. No variable permits plain http: only the program
        can, by `insecure_http_hosts`.

        Raises `InvalidRequestError` with every problem, in variables (by their names) and in options.
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
        """Rate many tasks: `with pico.rate(ratings) as outcomes: for outcome in outcomes`.

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

        Here, an iterable that is no collection, such as a generator, is read in a worker thread, one rating after
        the other: it may block, and use this client. An async iterable is read in the client's own thread.
        """

    def rate_all(
        self, ratings: Iterable[Rating] | AsyncIterable[Rating], **options: Unpack[RateKeywords]
    ) -> BatchReport:
        """Run `rate` to its end and return the report; `options` are those of `rate`.

        Here, an iterable that is no collection, such as a generator, is read in a worker thread, one rating after
        the other: it may block, and use this client. An async iterable is read in the client's own thread.
        """

    @overload
    def review(self, decide: Decide, **options: Unpack[FollowKeywords]) -> Batch:
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

        Here, a plain `decide` is called in worker threads, never twice at once unless `deciding` is given: with
        `deciding=8` it must be fit for that. It may block, and use this client; with `threads=False` it is called
        in the client's own thread, where it may do neither, and an async one is awaited there. `tasks` are read in
        a worker thread, unless they are a collection or an async iterable.
        """

    @overload
    def review(self, decide: DecideWithJob, **options: Unpack[FollowKeywords]) -> Batch: ...
    @overload
    def review_all(self, decide: Decide, **options: Unpack[ReviewKeywords]) -> BatchReport:
        """Run `review` to its end and return the report; `options` are those of `review`, without `follow`.

        Raises `InvalidRequestError` for `follow`, because a review with it has no end.

        Here, a plain `decide` is called in worker threads, never twice at once unless `deciding` is given: with
        `deciding=8` it must be fit for that. It may block, and use this client; with `threads=False` it is called
        in the client's own thread, where it may do neither, and an async one is awaited there. `tasks` are read in
        a worker thread, unless they are a collection or an async iterable.
        """

    @overload
    def review_all(self, decide: DecideWithJob, **options: Unpack[ReviewKeywords]) -> BatchReport: ...
    def request(self, method: Literal["GET", "POST"], path: str, fields: Mapping[str, Any] | None = None) -> Any:
        """Send any call, for endpoints whose fields no document gives: JSON out, JSON back.

        `method` is GET (`fields` are the query; None is left out) or POST (`fields` are the JSON body). `path`
        is relative to the service's address, such as `jobs/set-distribution.php`. The call goes through the same
        gate and raises the same errors as every other. A POST that is not known to be harmless counts as one
        that moves money: it is never repeated blindly, and a lost answer raises `OutcomeUnknownError`. Raises
        `InvalidRequestError` before sending for a path that the edition is known to lack. Source: the document
        of 2026 has the names only.
        """

    def ping(self) -> Ping:
        """Test the credentials and the address, and find out which edition answers: two reads, at no cost.

        Each is sent once, the second only if the first was answered. Whatever keeps the service from answering
        is returned in the `Ping`, not raised. Raises `ClientStateError` outside the block, and `PacerError`.
        """

    def settle(self, error: OutcomeUnknownError) -> Settlement:
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

    @property
    def edition(self) -> Edition:
        """The edition of the service that this client talks to."""

    @property
    def throttle(self) -> Throttle:
        """The throttle that all calls of this client go through."""

    def close(self) -> None:
        """Close this client before the end of its block, or where it was entered without one.

        Does what the end of the block does: it closes the connections and a `transport=`, never an
        `http_client=`, and from then on calls raise `ClientStateError`. Calls in flight fail, so let them end
        first. Clients made by `with_options` share the block, and are closed with it. You may call it more than
        once, and on a client that was never entered.
        """

    def __enter__(self) -> Self: ...
    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...
    def call(
        self,
        function: Callable[Concatenate[AsyncPicoworkers, P], Awaitable[R]],
        /,
        *arguments: P.args,
        **options: P.kwargs,
    ) -> R:
        """Run an async function that takes the asynchronous client first, and give what it returns.

        `pico.call(sheets.export, "tasks.csv")`, or an async function of yours. It runs in the client's own thread,
        with the same account and pace. There it must not use this client, nor block.
        """
