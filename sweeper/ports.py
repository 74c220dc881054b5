"""The seams of the daemon: what it needs of a control plane, a store, a searcher, telemetry.

The docstrings here are the contract; adapters do not repeat them. Only `bootstrap` knows which
adapter stands behind a port.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol, TypeAlias

from sweeper.domain.outbox import Notice
from sweeper.domain.record import (
    Comparison,
    Event,
    Report,
    SlotGuard,
    Standing,
    SweepRecord,
    Totals,
    TrialView,
    Wish,
)
from sweeper.domain.trial import Observation, Submission, TrainingEvent, Trial, TrialState
from sweeper.domain.values import JsonValue, Params

__all__ = [
    "ControlPlane",
    "Notifier",
    "Now",
    "Searcher",
    "Store",
    "Telemetry",
    "TickSummary",
    "TrainingEvent",
    "TrainingRequest",
]

Now: TypeAlias = Callable[[], datetime]
"""Returns the present time, aware, in UTC."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainingRequest:
    """Everything that a create sends, apart from sending it.

    `spec` is the API's own spec, already checked. `files` are texts by absolute path that must
    exist on this machine before the training starts (local control plane only).
    """

    name: str
    project_id: str
    cluster_id: str
    spec: Mapping[str, JsonValue] = field(repr=False)
    files: Mapping[str, str] = field(default_factory=dict, repr=False)


class ControlPlane(Protocol):
    """A server that speaks the Trainings API.

    Every method may raise `TransientError` (nothing known to have changed), `AuthError`,
    `ForbiddenError`, and `UnsupportedError` where the server lacks the call. It repeats by
    itself what is safe to repeat, for a few seconds at most; a create it never repeats.
    All calls end within the client's total deadline.
    """

    async def create(self, request: TrainingRequest) -> Observation:
        """Create a training and return what the answer says of it, id and labels included.

        Raises:
            NotSentError: the request surely had no effect.
            AmbiguousError: the training may exist; look its name up before anything else.
            NameTakenError: a workload of that name exists.
            RejectedError: the request is wrong for good (`compliance` tells a broken policy).
        """
        ...

    async def observe(self, prefix: str, since: datetime | None = None) -> Sequence[Observation]:
        """Return every training whose name begins with `prefix`, in the project of the sweep.

        With `since`, those that the control plane created before may be left out. What is absent
        is no proof of anything: pages shift while trainings come and go. Trainings deleted
        already are absent. Labels are always None.

        Raises:
            UnsupportedError: there is no listing; use `get`.
        """
        ...

    async def deleted(self, prefix: str, since: datetime | None = None) -> Sequence[Observation]:
        """Return what `observe` would have, of the trainings that are deleted already.

        How long they are kept on record is up to the control plane (Run:ai: 14 days).
        """
        ...

    async def find(self, name: str, *, deleted: bool = False) -> Sequence[Observation]:
        """Return the trainings of exactly this name; with `deleted`, those already deleted.

        More than one can be found: a deleted name may be used again. Labels are None.

        Raises:
            UnsupportedError: there is no listing.
        """
        ...

    async def get(self, workload_id: str) -> Observation:
        """Return one training with its labels.

        Raises:
            TrainingGoneError: the control plane knows no such training, or it is deleted.
        """
        ...

    async def events(self, workload_id: str) -> Sequence[TrainingEvent]:
        """Return the newest events of a training (at most 100), newest first.

        Raises:
            TrainingGoneError: no such training.
        """
        ...

    async def suspend(self, workload_id: str) -> None:
        """Ask that the training be suspended; asking twice does no harm.

        Raises:
            TrainingGoneError: no such training.
            AmbiguousError: it may have been accepted.
            RejectedError: refused for good.
        """
        ...

    async def resume(self, workload_id: str) -> None:
        """Ask that the training be resumed; raises as `suspend` does."""
        ...

    async def delete(self, workload_id: str) -> None:
        """Ask that the training be deleted; raises as `suspend` does.

        The answer means accepted, not done: the name stays taken until `get` says gone.
        """
        ...


class Store(Protocol):
    """What persists one sweep. One process at a time owns it.

    A store is an async context manager: entering opens (and migrates) it and takes ownership.
    Every method is one transaction: durable when it returns, without effect when it raises.
    All may raise `StoreError`; `SweepTakenError` of those that write means that another process
    took the sweep over: nothing was written, and nothing may be done for it any more. Values
    given and returned are never changed by anyone.
    """

    def check_owned(self) -> None:
        """Return only if no other process can have taken the sweep over by now; asks nobody.

        Whoever acts on the control plane calls it right before.

        Raises:
            StoreAwayError: it could: the ownership was not confirmed for too long.
        """
        ...

    async def load_sweep(self) -> SweepRecord | None:
        """Return the sweep kept here, None in a new store."""
        ...

    async def save_sweep(
        self,
        sweep: SweepRecord,
        events: Sequence[Event] = (),
        *,
        notices: Sequence[Notice] = (),
    ) -> None:
        """Write the sweep, new or changed, together with `events`, and `notices` to be sent."""
        ...

    async def live_trials(self) -> Sequence[Trial]:
        """Return every trial in a state that is not terminal, by number. Costs O(live)."""
        ...

    async def totals(self) -> Totals:
        """Return the counts over all trials. Costs O(1)."""
        ...

    async def standing(self, since: datetime) -> Standing | None:
        """Return how the sweep stands, None in a new store; intents count from `since` on.

        Costs O(live).
        """
        ...

    async def rebase_intents(self, now: datetime) -> None:
        """Let intents that lie after `now` count as of `now`: the clock was set back since."""
        ...

    async def commit(
        self,
        trials: Sequence[Trial],
        events: Sequence[Event] = (),
        *,
        guard: SlotGuard | None = None,
        notices: Sequence[Notice] = (),
    ) -> Sequence[Trial]:
        """Write trials (new rows and changed ones, with their newest submission) and events.

        `notices` are kept until they are settled.

        Each trial replaces the row of its `version` and is returned with the next version. A
        submission of a new attempt leaves the rows of older attempts as they are.

        Raises:
            LimitExceededError: with `guard`, the bounds would not hold afterwards.
            StoreError: a row has another version than the trial given.
        """
        ...

    async def trial(self, number: int) -> TrialView | None:
        """Return one trial, None when it has no row."""
        ...

    async def trials(
        self, *, states: Sequence[TrialState] | None = None, after: int = -1, limit: int = 500
    ) -> Sequence[TrialView]:
        """Return up to `limit` trials with a number above `after`, by number; `states` filters."""
        ...

    async def submissions(self, number: int) -> Sequence[Submission]:
        """Return all attempts at a trial, oldest first."""
        ...

    async def best_trials(self, count: int) -> Sequence[TrialView]:
        """Return the trials with the best objective, best first; none where the sweep has none.

        Trials in every state are judged; of equal ones the lower number comes first.
        """
        ...

    async def comparison(
        self, place: Callable[[int], int | None], bracket: int | None = None
    ) -> Comparison:
        """Return how the trials that are not settled compare at the sweep's rungs.

        For each rung that one of them stands at last, and for each `bracket` of so many trials by
        number (None: all together): the trial that is `place(n)`-th, best first from 0, of the n
        that got there, those that are settled included. Equal ones stand in order of number.
        Costs O(live), and a walk along an index for each rung.
        """
        ...

    async def add_reports(self, reports: Sequence[Report]) -> int:
        """Write reports and bring the objectives up to date; return how many were new.

        A report whose (trial, key) is known already, or whose trial has no row, is left out.
        """
        ...

    async def curve(self, number: int) -> Sequence[Report]:
        """Return all reports of a trial in the order in which they were written."""
        ...

    async def events(
        self, *, trial: int | None = None, after: int = 0, limit: int = 500
    ) -> Sequence[Event]:
        """Return up to `limit` events with a number above `after`, oldest first."""
        ...

    async def add_wish(self, wish: Wish) -> Wish:
        """Record a wish and return it with its number."""
        ...

    async def wishes(self) -> Sequence[Wish]:
        """Return the wishes not settled yet, oldest first."""
        ...

    async def settle_wish(self, number: int) -> None:
        """Mark a wish as done; settling it again does nothing."""
        ...

    async def notices(self, limit: int = 100) -> Sequence[Notice]:
        """Return up to `limit` notices that are not settled yet, those due first first."""
        ...

    async def save_notice(self, notice: Notice, events: Sequence[Event] = ()) -> None:
        """Write what became of a try to send a notice, together with `events`.

        One that is settled already stays as it is, and nothing is written.
        """
        ...


class Searcher(Protocol):
    """Gives trials their params."""

    @property
    def planned(self) -> int | None:
        """How many trials there are, None when unbounded."""
        ...

    def params(self, number: int) -> Params | None:
        """Return the params of a trial that has no row yet. Costs O(1), and never waits.

        None means that they are not found yet: asking has them found, and a later tick has them.
        Once they are in the trial's row nobody asks again; until then they may change.

        Raises:
            UnmetRulesError: there are none that meet the sweep's constraints.
        """
        ...


class Notifier(Protocol):
    """Tells people outside."""

    async def send(self, sweep: SweepRecord, notice: Notice) -> None:
        """Send a notice of the sweep; when it returns, whoever was to be told was.

        It may have been sent before: `outbox.notice_id` tells the same one again. A call that
        takes too long is cancelled, and made again later.

        Raises:
            NoticeError: it was not sent, or not surely; it is tried again later.
        """
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class TickSummary:
    """What one tick saw and did, for gauges and the terminal.

    `live` are the trials that are not settled, after the tick. `observed_at` is the time of the
    last good observation of all of them (None: not yet). `slots_*` compare with the limits.
    """

    sweep: SweepRecord
    at: datetime
    seconds: float
    totals: Totals
    live: Sequence[Trial]
    observed_at: datetime | None
    active_limit: int
    pending_limit: int | None
    gpu_limit: float | None
    best: TrialView | None
    trouble: str = ""


class Telemetry(Protocol):
    """Hears what happens; never raises and never waits."""

    def recorded(self, sweep: SweepRecord, events: Sequence[Event]) -> None:
        """Hear of events just written to the store, each exactly once per process."""
        ...

    def ticked(self, summary: TickSummary) -> None:
        """Hear of a tick that ended."""
        ...
