"""All texts of the demo, in one place."""

from __future__ import annotations

from ... import JournalState

OPENING = (
    "picoworkers_async, shown on two services that this command serves itself. Nothing leaves this machine, no"
    " account is needed, and no money is real. It has {} parts:"
)
PARTS = (
    "1. Many ratings in one request",
    "2. Killed in the middle, and resumed",
    "3. An answer that is lost",
    "4. The ledger beside the report",
)
CONSOLES = "Each service has a page in your browser, for as long as the demo runs (with --keep until Ctrl-C):"
CONSOLE_OF = {
    "sproutgigs": "SproutGigs, today's service",
    "picoworkers": "Picoworkers, the 2022 edition",
}

SPEED = (
    "Workers hand in tasks, and an employer rates each: ok pays, perhaps with a bonus, not ok does not, and revise"
    " sends it back. Both services take {pace:g} requests a second, and no more. SproutGigs takes up to 1,000"
    " ratings of a job in one request: a bulk request. Picoworkers takes one, so {few} tasks show how fast it is."
)
SPEED_ROWS = (
    "tasks to rate",
    "rated",
    "requests that read",
    "requests that rate",
    "ratings in each of those",
    "seconds",
)
SPEED_WHOLE = "seconds for {:,} tasks"
SPEED_LINE = "{}: {:,} of {:,} rated with {} requests"
SPEED_RECKONED = "about {:,.0f}"
SPEED_SAID = (
    "So {requests} requests were {tasks:,} ratings: {reading} read jobs and lists of 100 tasks, {rating} rated all"
    " of them. One by one, {tasks:,} tasks take about {seconds:.0f} s at this pace (estimated from the {few}). The"
    " real SproutGigs takes 1 request a second: {requests} s in bulk, {minutes:.0f} minutes one by one."
)

KILLED = (
    "A process of its own rates {tasks} tasks on Picoworkers, a request each, and keeps a journal: a file in which"
    " every step is durable before the next is taken. In the middle it is killed, without a chance to clean up,"
    " while requests are in flight. Then the same command is run again, with the same journal."
)
KILLED_HEADINGS = ("in the journal", "when killed", "now", "which means")
MEANINGS = {
    JournalState.DECIDED: "to be sent",
    JournalState.SENT: "in flight; may have paid: settled by reading first",
    JournalState.UNKNOWN: "reading could not tell",
    JournalState.RATED: "done, never sent again",
}
KILLED_LEDGER = ("rated by the service", "what really happened: its ledger")
KILLED_TWICE = ("paid twice", "what must never happen")
KILLED_FIRST = "the first process rates"
KILLED_LINE = "{}: {} of {} rated by the service"
KILLED_AT = "process {} is killed ({})"
KILLED_AGAIN = "process {} resumes with the same journal"
KILLED_SAID = (
    "{sent} ratings were in flight, and their answers were never read. Two sweeps of the list, {settle_after:g} s"
    " apart (30 by default), showed that {took_effect} had taken effect: those were not sent again."
)
KILLED_OTHERS = " {did_not} had not taken effect: sent again."
CHILD_ENDED = "the process of the demo ended before it was told to: {}"
CHILD_SAID_NOTHING = "it said nothing"

LOST = (
    "The worst that a network can do: the service rates and pays, and the connection breaks before it answers. To"
    " send it again could pay twice; to forget it could leave the worker unpaid."
)
LOST_SENT = "a rating is sent, ok with a bonus of ${}; the service rates and pays, and its answer is lost"
LOST_UNKNOWN = "UNKNOWN: nothing is sent again; the batch reads what became of it"
LOST_LOOK = "asks for the task by its id: {}"
LOST_CALLS = {
    "jobs.get_unrated_tasks": "not among the tasks that wait",
    "jobs.get_rated_tasks": "among those that are rated",
}
LOST_SETTLED = "what the sweep shows: {}"
LOST_OUTCOME = "{}: requests that rated it: {}"

BOOKS = "What the library reports (in part 2, its journal), and what the services really did, by their ledgers:"
BOOKS_HEADINGS = ("", "", "tasks rated", "paid for tasks", "bonuses")
BOOKS_REPORT, BOOKS_LEDGER = "report", "ledger"
BOOKS_AGREE = "They agree to the cent. Rated twice: {}. Left out: {}. Requests over the limit: {}."
BOOKS_DIFFER = "They differ: {}. Rated twice: {}. Left out: {}. This should never happen: please report it."

END = "Parts 1 to 3 took {}, {} and {} s. Next: picoworkers --help, or docs/tutorial.md for your own program."
KEPT = "The pages stay open until Ctrl-C."
KEPT_ENDED = "the demo is over, and its pages are closed"
