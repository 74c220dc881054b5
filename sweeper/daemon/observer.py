"""Read how the trainings stand: one listing for all, single reads where it says nothing."""

import asyncio
import logging
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from sweeper.domain.change import Change
from sweeper.domain.observing import missing, observe, reading_interval
from sweeper.domain.sweep import ResumeSpec
from sweeper.domain.trial import Observation, Trial
from sweeper.errors import ControlPlaneError, TrainingGoneError, UnsupportedError
from sweeper.ports import ControlPlane

_log = logging.getLogger(__name__)

READS_PER_TICK = 8
"""Single reads in one tick, so that a control plane without a listing is not flooded."""

_LISTING_LAG = timedelta(seconds=5)
_SHORTEST_PATIENCE = timedelta(seconds=2)
_LONGEST_PATIENCE = timedelta(seconds=30)


@dataclass(slots=True, kw_only=True)
class Observer:
    """Observes all trainings of one sweep, whose workload names share `prefix`.

    It remembers when it last read each training, and how often in a row that failed, only so as
    not to read it too often.
    """

    control_plane: ControlPlane
    prefix: str
    policy: ResumeSpec
    _has_listing: bool = True
    _read_at: dict[str, datetime] = field(default_factory=dict)
    _failed: dict[str, int] = field(default_factory=dict)

    async def observe(
        self, live: Sequence[Trial], now: datetime, *, reads: int = READS_PER_TICK
    ) -> Sequence[Change]:
        """Return what the newest readings change, for trials whose training is known.

        Makes at most `reads` single reads.

        Raises:
            TransientError, AuthError, ForbiddenError: nothing could be read.
        """
        known = _known(live)
        self._forget_others(known)
        if not known:
            return ()
        try:
            listed = await self.control_plane.observe(self.prefix, _oldest(known))
        except UnsupportedError:
            self._has_listing = False
            return await self._read_due(known, now, reads)
        self._has_listing = True
        by_id = {seen.workload_id: seen for seen in listed}
        changes = [
            self._fold(trial, by_id[trial.submission.workload_id], now)
            for trial in known
            if trial.submission.workload_id in by_id
        ]
        absent = [
            trial
            for trial in known
            if trial.submission.workload_id not in by_id and self._is_worth_reading(trial, now)
        ]
        # The listing was good, so a single read that fails concerns that training alone.
        read, errors = await self._read_each(absent, now, reads)
        self._postpone(errors, now)
        return [*changes, *read]

    def next_read(self, live: Sequence[Trial], now: datetime) -> timedelta | None:
        """Return how soon a training is to be read alone; None where a listing reads them all."""
        if self._has_listing:
            return None
        # After a clock was set back an age has no bound, and none can be taken from it.
        intervals = [(trial, self._interval(trial, now)) for trial in _known(live)]
        waits = [interval - min(self._age(trial, now), interval) for trial, interval in intervals]
        return min(waits, default=timedelta.max)

    def _is_worth_reading(self, trial: Trial, now: datetime) -> bool:
        """Whether a training that the listing lacks is to be read: a page may just have shifted.

        One that we have deleted is expected to be gone.
        """
        is_deleted = trial.submission.delete_sent_at is not None
        return is_deleted or self._age(trial, now) >= _LISTING_LAG

    async def _read_due(
        self, known: Sequence[Trial], now: datetime, reads: int
    ) -> Sequence[Change]:
        """Read what is due; raise what the first read raised when not one of them was good.

        Whether it is those trainings or the control plane that cannot be read, another one tells;
        a probe is not followed by a second one.
        """
        due = [trial for trial in known if self._age(trial, now) >= self._interval(trial, now)]
        changes, errors = await self._read_each(due, now, reads)
        if errors and not changes and reads > 1:
            others = [trial for trial in known if _id_of(trial) not in {*errors, *self._failed}]
            changes, more = await self._read_each(others, now, 1)
            errors |= more
        self._postpone(errors, now)
        if errors and not changes:
            raise next(iter(errors.values()))
        if changes:
            self._failed = {key: self._failed[key] for key in errors}
        return changes

    async def _read_each(
        self, trials: Sequence[Trial], now: datetime, reads: int
    ) -> tuple[list[Change], dict[str, ControlPlaneError]]:
        """Read the trainings not read for longest; return changes, and errors by workload id."""
        oldest = sorted(trials, key=lambda trial: self._age(trial, now), reverse=True)
        changes: list[Change] = []
        errors: dict[str, ControlPlaneError] = {}

        async def read(trial: Trial) -> None:
            try:
                changes.append(await self._read(trial, now))
            except ControlPlaneError as error:
                errors[_id_of(trial)] = error

        async with asyncio.TaskGroup() as group:
            for trial in oldest[:reads]:
                group.create_task(read(trial), name=f"read trial {trial.number}")
        return sorted(changes, key=lambda change: change.trial.number), errors

    def _postpone(self, failed: Iterable[str], now: datetime) -> None:
        """Let what cannot be read not take the turn of the others again and again."""
        for workload_id in failed:
            self._read_at[workload_id] = now
            self._failed[workload_id] = self._failed.get(workload_id, 0) + 1

    def _interval(self, trial: Trial, now: datetime) -> timedelta:
        """Return how old the last reading may get: longer the more often it failed in a row."""
        times = self._failed.get(_id_of(trial), 0)
        if times == 0:
            return reading_interval(trial, now)
        return min(_SHORTEST_PATIENCE * (1 << min(times, 8)), _LONGEST_PATIENCE)

    async def _read(self, trial: Trial, now: datetime) -> Change:
        workload_id = _id_of(trial)
        try:
            seen = await self.control_plane.get(workload_id)
        except TrainingGoneError:
            self._read_at[workload_id] = now
            return Change(trial=missing(trial, now))
        return self._fold(trial, seen, now)

    def _fold(self, trial: Trial, seen: Observation, now: datetime) -> Change:
        submission = trial.submission
        if (seen.workload_id, seen.name) != (submission.workload_id, submission.workload_name):
            _log.warning(
                "An answer about %s names %r: ignored",
                submission.workload_name,
                seen.name,
                extra=trial.identity,
            )
            return Change(trial=trial)
        self._read_at[seen.workload_id] = now
        if seen.deleted_at is not None:
            return Change(trial=missing(trial, now))
        return observe(trial, seen, now, self.policy)

    def _age(self, trial: Trial, now: datetime) -> timedelta:
        """Return how long ago the training was last read, by this process or as stored."""
        submission = trial.submission
        read = self._read_at.get(_id_of(trial))
        age = now - (read or submission.seen_at or submission.intent_at)
        # A reading that lies ahead was made before the clock was set back.
        return age if age >= timedelta() else timedelta.max

    def _forget_others(self, known: Sequence[Trial]) -> None:
        ids = {trial.submission.workload_id for trial in known}
        for workload_id in self._read_at.keys() - ids:
            del self._read_at[workload_id]
            self._failed.pop(workload_id, None)


def _known(live: Sequence[Trial]) -> Sequence[Trial]:
    """Return the trials whose training may be read."""
    return [trial for trial in live if trial.submission.is_open and trial.submission.workload_id]


def _id_of(trial: Trial) -> str:
    return trial.submission.workload_id or ""


def _oldest(known: Sequence[Trial]) -> datetime | None:
    """Return since when trainings must be listed; None when a creation time is not known.

    Creation times are the control plane's own, so no difference of clocks counts; they may be
    kept to the second only.
    """
    times = [trial.submission.created_at for trial in known]
    if any(time is None for time in times):
        return None
    return min(time for time in times if time is not None).replace(microsecond=0)
