"""The best use of the next request: a pure decision over plain values."""

from __future__ import annotations

import enum
from typing import NamedTuple


class Step(enum.Enum):
    """What one loop of the pipeline does next."""

    SEND = "send ratings of a job"
    READ = "read a page of what is waiting to be rated"
    LOOK = "look what became of ratings whose answer was lost"
    BALANCE = "read the balance"
    WAIT = "wait until something changes"
    END = "nothing is left to do"


class Situation(NamedTuple):
    """The state of a batch, when a loop asks what to do.

    - `full`: requests that are full and could leave.
    - `parts`: jobs of which a smaller request could leave, because none of them is in flight and none of their
      tasks is being decided. Requests that another loop is about to send are in neither.
    - `waiting`: ratings that wait.
    - `enough`: with fewer waiting, a page is read before ratings are sent, so that the sending never runs dry.
    - `page`: a page can be read, and there is room for what it brings.
    - `filling`: more ratings come without anybody outside doing anything: pages are being read, or wait to be.
    - `look_overdue`: a sweep must not be put off any longer; `look_due`: one would tell something.
    - `in_hand`: ratings and tasks that have not ended; `unknown`: those of them whose answer was lost.
    - `exhausted`: the source gives nothing more.
    - `draining`: what waits is sent, and nothing else is waited for.
    - `stopped`: the batch has failed, and sends nothing new.
    - `held`: nothing may be sent, because a limit was reached; `closed`: nor will it be, at least not before the
      end of a batch that was told to stop.
    - `balance`: it is time to read the balance.
    - `away`: the service does not answer, and it is too early, or another loop's turn, to try again.
    - `probe`: the service did not answer, and the next step shows whether it does again.
    """

    full: int = 0
    parts: int = 0
    waiting: int = 0
    enough: int = 0
    page: bool = False
    filling: bool = False
    look_overdue: bool = False
    look_due: bool = False
    in_hand: int = 0
    unknown: int = 0
    exhausted: bool = False
    draining: bool = False
    stopped: bool = False
    held: bool = False
    closed: bool = False
    balance: bool = False
    away: bool = False
    probe: bool = False


def plan(now: Situation) -> Step:
    """An overdue sweep; a full request; the next page; a smaller request, unless it can still be filled.

    Whether a service is back is tried by reading, if there is something to read: that cannot lose anything. When
    a limit ended the sending, what is unknown is still settled.
    """
    if now.stopped:
        return Step.END
    if now.away:
        return Step.END if now.exhausted and not now.in_hand else Step.WAIT
    if now.look_overdue:
        return Step.LOOK
    if now.balance:
        return Step.BALANCE
    if now.closed:
        if now.look_due:
            return Step.LOOK
        return Step.WAIT if now.unknown and not now.draining else Step.END
    if now.page and (not now.full or now.held or now.waiting < now.enough or now.probe):
        return Step.READ
    if not now.held and (now.full or (now.parts and not now.filling)):
        return Step.SEND
    if now.look_due and (now.in_hand == now.unknown or now.draining):
        return Step.LOOK
    if now.draining and not now.waiting:
        return Step.END
    if now.exhausted and not now.in_hand:
        return Step.END
    return Step.WAIT
