"""What is out with the deciders, and what becomes of each answer: a state without I/O."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable

import anyio
import attrs

from ..errors import ClientStateError
from ..models import Rating
from ..rating.asking import Decision
from .messages import Answer, Lost, NotDecided, Question

REMEMBERED = 100_000
"""Of how many questions it is remembered that they were answered or given up."""


@attrs.frozen(kw_only=True)
class FleetCounts:
    """Of one `Fleet`, since it was made: what is `out` now, and what became of the others.

    `decided`: decisions that were taken, `Later` and None included. `failed`: tasks that no decider could decide.
    `redelivered`: how often a task was handed out again, after an error, the end of its decider or a loss of the
    broker's. `dropped`: decisions that came when nobody waited for them any more, or a second time.
    """

    out: int = 0
    decided: int = 0
    failed: int = 0
    redelivered: int = 0
    dropped: int = 0


@attrs.define(eq=False)
class Waiting:
    """A question that is out: whether the broker was given it in this run, and who waits for its answer."""

    question: Question
    ended: anyio.Event = attrs.field(factory=anyio.Event)
    asked: bool = False
    askers: int = 0
    answer: Decision | NotDecided | ClientStateError = None


class Questions:
    """All questions of a fleet, by their ids.

    An answer is taken once, for the first that waits for it. `unasked` are to be looked for in the broker, and
    asked if they are not there; the answers to `used` can be deleted in it.
    """

    def __init__(self, remembered: int = REMEMBERED) -> None:
        self.out: dict[str, Waiting] = {}
        self.unasked: dict[str, None] = {}
        self.used: dict[str, None] = {}
        self._most = remembered
        self._known: OrderedDict[str, tuple[object, ...] | None] = OrderedDict()
        self._decided = self._failed = self._redelivered = self._dropped = 0

    def counts(self) -> FleetCounts:
        return FleetCounts(
            out=len(self.out),
            decided=self._decided,
            failed=self._failed,
            redelivered=self._redelivered,
            dropped=self._dropped,
        )

    def begin(self, name: str, question: Question) -> Waiting:
        """Somebody waits for the answer to this; whoever asks the same meanwhile gets the same answer."""
        waiting = self.out.get(name)
        if waiting is None:
            waiting = self.out[name] = Waiting(question)
            self.unasked[name] = None
        waiting.askers += 1
        return waiting

    def end(self, name: str, waiting: Waiting) -> None:
        """Somebody waits no more, answered or not."""
        waiting.askers -= 1
        if waiting.askers == 0 and self.out.get(name) is waiting:
            del self.out[name]
            self.unasked.pop(name, None)
            self._remember(name, None)

    def arrived(self, name: str, answer: Answer) -> None:
        """An answer came: it is for who waits; else it is dropped, if the question was this fleet's.

        One that is of an earlier run stays in the broker, until its task is asked about.
        """
        if name in self.out:
            self._take(name, answer)
        elif name in self._known and self._known[name] != answer.identity:
            self.used[name] = None
            self._remember(name, answer.identity)
            self._dropped += not isinstance(answer.decision, Lost | NotDecided)

    def found(self, name: str, answer: Answer | None, *, is_there: bool) -> bool:
        """Whether to ask: what a look into the broker found of this, an answer or the question itself."""
        waiting = self.out.get(name)
        if waiting is None:
            return False
        if answer is not None:
            if self._known.get(name) != answer.identity and (waiting.asked or not _is_stale(answer)):
                self._take(name, answer)
            else:
                # Taken already; or of an earlier run, and to be decided anew after a restart, as without a fleet.
                self.used[name] = self.unasked[name] = None
            return False
        if is_there:
            waiting.asked = True
        return not is_there

    def asked(self, names: Iterable[str]) -> None:
        """The broker was given these."""
        for waiting in filter(None, map(self.out.get, names)):
            self._redelivered += waiting.asked
            waiting.asked = True

    def give_up(self, error: ClientStateError) -> None:
        """Nobody is going to answer any more."""
        for waiting in self.out.values():
            waiting.answer = error
            waiting.ended.set()

    def look_again(self, names: Iterable[str]) -> None:
        """These are to be looked for in the broker."""
        self.unasked.update(dict.fromkeys(names))

    def _take(self, name: str, answer: Answer) -> None:
        waiting, decision = self.out[name], answer.decision
        if self._known.get(name) == answer.identity and not isinstance(decision, Lost):
            return  # it was taken already, and is told again
        self._remember(name, answer.identity)
        self.used[name] = None
        if isinstance(decision, Lost):
            self.unasked[name] = None
            return
        self._redelivered += answer.tries - 1
        if isinstance(decision, NotDecided):
            self._failed += 1
        else:
            self._decided += 1
        del self.out[name]
        self.unasked.pop(name, None)
        waiting.answer = decision
        waiting.ended.set()

    def _remember(self, name: str, identity: tuple[object, ...] | None) -> None:
        self._known[name] = identity or self._known.get(name)
        self._known.move_to_end(name)
        if len(self._known) > self._most:
            self._known.popitem(last=False)


def _is_stale(answer: Answer) -> bool:
    """Whether it says no more than to ask again after a restart."""
    return not isinstance(answer.decision, Rating)
