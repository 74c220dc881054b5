"""Read how the trainings stand: one listing for all, single reads where it says nothing."""

import asyncio
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sweeper.domain.change import Change
from sweeper.domain.observing import missing, observe, reading_interval
from sweeper.domain.sweep import ResumeSpec
from sweeper.domain.trial import Observation, Trial
from sweeper.errors import TrainingGoneError, TransientError, UnsupportedError
from sweeper.ports import ControlPlane

_log = logging.getLogger(__name__)

READS_PER_TICK = 8
"""Single reads in one tick, so that a control plane without a listing is not flooded."""

_CLOCK_SLACK = timedelta(minutes=5)
_LISTING_LAG = timedelta(seconds=5)


@dataclass(frozen=True, slots=True, kw_only=True)
class Observer:
    """Observes all trainings of one sweep, whose workload names share `prefix`."""

    control_plane: ControlPlane
    prefix: str
    policy: ResumeSpec

    async def observe(self, live: Sequence[Trial], now: datetime) -> Sequence[Change]:
        """Return what the newest readings change, for trials whose training is known.

        Raises:
            TransientError, AuthError, ForbiddenError: nothing could be read.
        """
        known = [trial for trial in live if trial.holds_slot and trial.submission.workload_id]
        if not known:
            return ()
        try:
            listed = await self.control_plane.observe(self.prefix, _oldest(known))
        except UnsupportedError:
            due = [trial for trial in known if _is_due(trial, now)]
            return await self._read_each(due, now)
        by_id = {seen.workload_id: seen for seen in listed}
        changes = [
            self._fold(trial, by_id[trial.submission.workload_id], now)
            for trial in known
            if trial.submission.workload_id in by_id
        ]
        absent = [
            trial
            for trial in known
            if trial.submission.workload_id not in by_id and _is_unseen(trial, now)
        ]
        return [*changes, *await self._read_each(absent, now)]

    async def _read_each(self, trials: Sequence[Trial], now: datetime) -> list[Change]:
        """Read the trainings not seen for longest; a failed read changes nothing."""
        oldest = sorted(trials, key=lambda trial: trial.submission.seen_at or trial.created_at)
        changes: list[Change] = []

        async def read(trial: Trial) -> None:
            change = await self._read(trial, now)
            if change is not None:
                changes.append(change)

        async with asyncio.TaskGroup() as group:
            for trial in oldest[:READS_PER_TICK]:
                group.create_task(read(trial), name=f"read trial {trial.number}")
        return sorted(changes, key=lambda change: change.trial.number)

    async def _read(self, trial: Trial, now: datetime) -> Change | None:
        try:
            seen = await self.control_plane.get(trial.submission.workload_id or "")
        except TrainingGoneError:
            return Change(trial=missing(trial, now))
        except TransientError as error:
            _log.debug("Trial %s could not be read: %s", trial.number, error)
            return None
        return self._fold(trial, seen, now)

    def _fold(self, trial: Trial, seen: Observation, now: datetime) -> Change:
        if seen.name != trial.submission.workload_name:
            _log.warning(
                "An answer about %s names %r: ignored", trial.submission.workload_name, seen.name
            )
            return Change(trial=trial)
        if seen.deleted_at is not None:
            return Change(trial=missing(trial, now))
        return observe(trial, seen, now, self.policy)


def _oldest(known: Sequence[Trial]) -> datetime | None:
    """Return since when trainings must be listed; None when a creation time is not known."""
    times = [trial.submission.created_at for trial in known]
    if any(time is None for time in times):
        return None
    return min(time for time in times if time is not None) - _CLOCK_SLACK


def _is_unseen(trial: Trial, now: datetime) -> bool:
    """Whether the listing lacks the training for longer than it may lag behind."""
    seen = trial.submission.seen_at
    return seen is None or now - seen >= _LISTING_LAG


def _is_due(trial: Trial, now: datetime) -> bool:
    seen = trial.submission.seen_at
    return seen is None or now - seen >= reading_interval(trial, now)
