"""What the time of a trial was spent on, as far as anybody saw: for how long, on how many GPUs.

A report of a trial is taken as the sign of a checkpoint. Work is in the balance until it is
judged: useful once a report follows it or its trial ends as completed or pruned, lost when the
stretch at work ends in any other way. Time spent waiting is charged as it passes.

A process charges what it looks at itself: time before it began was charged by another one, or
by nobody.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple

from sweeper.domain.phase import PHASE_MEANING, PhaseMeaning
from sweeper.domain.record import Event, EventKind
from sweeper.domain.trial import TERMINAL_STATES, Submission, Trial, TrialState

_GOOD_ENDS = frozenset({TrialState.COMPLETED, TrialState.PRUNED})
_AWAY_STATES = frozenset({TrialState.INTERRUPTED, TrialState.RESUMING})


class Use(StrEnum):
    """What time on GPUs was good for."""

    USEFUL = "useful"
    LOST = "lost"
    WASTED_PENDING = "wasted_pending"


class Span(StrEnum):
    """A length of time worth knowing by itself."""

    TRIAL = "trial"  # from the first intent to the end
    PENDING = "pending"  # from sending the create until the training was seen running
    RESUME = "resume"  # from losing its place until it was seen running again


class Charge(NamedTuple):
    """So many GPU-seconds for a use, or so many seconds that a span lasted."""

    of: Use | Span
    seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Watch:
    """What is known of a trial that is not settled, between two looks at it.

    `work_from` and `wait_from` are from when on its work is in the balance and its waiting not
    charged yet (None: it does neither). `has_run` is whether the training of this attempt was
    ever seen running, `away_since` when the trial lost its place to someone else.
    """

    began_at: datetime
    attempt: int
    workload_name: str
    gpus: float = 0.0
    work_from: datetime | None = None
    wait_from: datetime | None = None
    has_run: bool = False
    away_since: datetime | None = None


def found(trial: Trial, at: datetime, last_sign: datetime | None) -> Watch:
    """Begin to watch a trial; its work up to `last_sign` was judged by another process."""
    submission = trial.submission
    work_from = submission.running_since if submission.is_open else None
    if work_from is not None and last_sign is not None:
        work_from = max(work_from, last_sign)
    has_run = submission.first_running_at is not None
    is_away = has_run and trial.state in _AWAY_STATES and submission.suspend_sent_at is None
    return Watch(
        began_at=trial.created_at,
        attempt=submission.attempt,
        workload_name=submission.workload_name,
        gpus=float(submission.gpus),
        work_from=work_from,
        wait_from=at if _waits(submission) else None,
        has_run=has_run,
        away_since=trial.state_since if is_away and submission.is_open else None,
    )


def looked(watch: Watch, trial: Trial, at: datetime) -> tuple[Watch, list[Charge]]:
    """Return the watch after a look at the trial, and what is charged by it."""
    submission = trial.submission
    if _goes_on(watch, submission):
        return watch, []
    if submission.attempt != watch.attempt:
        watch, charges = _next_attempt(watch, submission, at)
    else:
        charges = []
    running_since = submission.running_since if submission.is_open else None
    waited_until = running_since or at
    charges += _waited(watch, waited_until)
    if running_since is None:
        charges += _lost(watch, at)
    else:
        charges += _running(watch, submission, running_since)
    return _as_of(watch, submission, running_since, at), charges


def signed(watch: Watch, at: datetime) -> tuple[Watch, list[Charge]]:
    """Return the watch after a report that came at `at`: the work up to it was useful."""
    if watch.work_from is None or at <= watch.work_from:
        return watch, []
    charge = _gpu_time(Use.USEFUL, watch, watch.work_from, at)
    return replace(watch, work_from=at), [charge]


def happened(watch: Watch, event: Event) -> tuple[Watch | None, list[Charge]]:
    """Return the watch after an event of its trial, None once that is settled."""
    if event.kind is EventKind.TRANSITION and event.outcome in TERMINAL_STATES:
        return None, list(_ended(watch, TrialState(event.outcome), event.at))
    was_moved = event.kind is EventKind.PREEMPTION or (
        event.kind is EventKind.SUSPENSION and event.outcome == "other"
    )
    if not was_moved and event.kind is not EventKind.SUSPENSION:
        return watch, []
    away_since = watch.away_since or event.at if was_moved else watch.away_since
    charges = _lost(watch, event.at)
    return replace(watch, work_from=None, away_since=away_since), charges


def _goes_on(watch: Watch, submission: Submission) -> bool:
    """Whether the stretch at work that is watched just goes on, as it does at most looks."""
    since = submission.running_since
    if since is None or watch.work_from is None or submission.attempt != watch.attempt:
        return False
    return submission.is_open and since <= watch.work_from


def _next_attempt(watch: Watch, submission: Submission, at: datetime) -> tuple[Watch, list[Charge]]:
    charges = [*_waited(watch, at), *_lost(watch, at)]
    fresh = Watch(
        began_at=watch.began_at,
        attempt=submission.attempt,
        workload_name=submission.workload_name,
        gpus=float(submission.gpus),
        away_since=watch.away_since,
    )
    return fresh, charges


def _running(watch: Watch, submission: Submission, since: datetime) -> Iterator[Charge]:
    if not watch.has_run:
        sent_at = submission.sent_at or submission.intent_at
        yield Charge(Span.PENDING, _between(sent_at, since))
    if watch.away_since is not None:
        yield Charge(Span.RESUME, _between(watch.away_since, since))


def _as_of(
    watch: Watch, submission: Submission, running_since: datetime | None, at: datetime
) -> Watch:
    is_running = running_since is not None
    work_from = running_since
    if running_since is not None and watch.work_from is not None:
        work_from = max(running_since, watch.work_from)
    return replace(
        watch,
        gpus=float(submission.gpus),
        work_from=work_from,
        wait_from=at if _waits(submission) else None,
        has_run=watch.has_run or is_running,
        away_since=None if is_running else watch.away_since,
    )


def _ended(watch: Watch, state: TrialState, at: datetime) -> Iterator[Charge]:
    yield from _waited(watch, at)
    if watch.work_from is not None:
        use = Use.USEFUL if state in _GOOD_ENDS else Use.LOST
        yield _gpu_time(use, watch, watch.work_from, at)
    yield Charge(Span.TRIAL, _between(watch.began_at, at))


def _waited(watch: Watch, until: datetime) -> list[Charge]:
    if watch.wait_from is None:
        return []
    return [_gpu_time(Use.WASTED_PENDING, watch, watch.wait_from, until)]


def _lost(watch: Watch, until: datetime) -> list[Charge]:
    if watch.work_from is None:
        return []
    return [_gpu_time(Use.LOST, watch, watch.work_from, until)]


def _gpu_time(use: Use, watch: Watch, since: datetime, until: datetime) -> Charge:
    return Charge(use, watch.gpus * _between(since, until))


def _waits(submission: Submission) -> bool:
    """Whether its training exists and is on its way to run."""
    is_there = submission.is_open and submission.workload_id is not None
    is_waiting = PHASE_MEANING[submission.phase] is PhaseMeaning.WAITING
    return is_there and is_waiting and not submission.is_at_work


def _between(since: datetime, until: datetime) -> float:
    # A clock may be set back; nothing takes less than no time.
    return max((until - since).total_seconds(), 0.0)
