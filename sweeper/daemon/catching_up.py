"""At its start, compare the store with what the control plane has on record since its last write.

Usually nothing is found. A store that was put back from an older copy lacks attempts whose
trainings are there, living, finished or deleted.
"""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sweeper.daemon.actions import Hands
from sweeper.domain.catching_up import (
    LONGEST_GAP,
    Trace,
    attempted,
    is_unknown,
    newest_traces,
    passed_over,
    taken_up,
)
from sweeper.domain.change import Change
from sweeper.domain.phase import Phase
from sweeper.domain.planning import Drafting
from sweeper.domain.record import SweepRecord
from sweeper.domain.trial import Observation, Trial
from sweeper.errors import ForbiddenError, RejectedError, TrainingGoneError, UnsupportedError
from sweeper.ports import Store

_log = logging.getLogger(__name__)

_CREATION_SLACK = timedelta(seconds=10)
_ENDED = frozenset({Phase.COMPLETED, Phase.FAILED})


@dataclass(frozen=True, slots=True, kw_only=True)
class CatchUp:
    """Finds what the store lacks of one sweep; `quarantine` as in a `Snapshot`."""

    store: Store
    hands: Hands
    draft: Drafting
    sweep: SweepRecord
    quarantine: timedelta

    async def changes(self) -> Sequence[Change]:
        """Return the trials as they are to be written so that the store knows of every training.

        Writing them may exceed limits: they tell what is already so. Without a listing nothing
        can be found.

        Raises:
            TransientError, AuthError, ForbiddenError: it could not be found out.
        """
        since = await self._last_creation()
        try:
            seen = await self._on_record(since)
        except UnsupportedError:
            return ()
        traces = newest_traces(self.sweep.workload_prefix, seen)
        found: dict[int, Change] = {}
        beyond = (await self.store.totals()).next_number + LONGEST_GAP
        for number, trace in traces.items():
            planned = self.sweep.planned
            if number > beyond or (planned is not None and number >= planned):
                named = {"workload_name": trace.seen.name, "workload_id": trace.seen.workload_id}
                _log.warning(
                    "%s is no training of this sweep: left alone", trace.seen.name, extra=named
                )
                continue
            beyond = max(beyond, number + LONGEST_GAP)
            change = await self._taken_up(trace)
            if change is not None:
                found[number] = change
        if found:
            _log.warning(
                "The store is older than what it led to (put back from a backup?): "
                "%d trials are taken up as the control plane has them",
                len(found),
            )
        return [*found.values(), *await self._passed_over(found, since)]

    async def _last_creation(self) -> datetime | None:
        """Return a time before the creation of whatever the store does not know of.

        That was created after everything that it does know of.
        """
        totals = await self.store.totals()
        newest = await self.store.trial(totals.next_number - 1) if totals.next_number else None
        trials = [*await self.store.live_trials(), *([newest.trial] if newest else [])]
        times = [trial.submission.created_at for trial in trials]
        known = [at for at in times if at is not None]
        return max(known) - _CREATION_SLACK if known else None

    async def _on_record(self, since: datetime | None) -> Sequence[Observation]:
        plane, prefix = self.hands.control_plane, self.sweep.workload_prefix
        listed = await plane.observe(prefix, since)
        try:
            return [*listed, *await plane.deleted(prefix, since)]
        except (UnsupportedError, ForbiddenError, RejectedError):
            return listed

    async def _taken_up(self, trace: Trace) -> Change | None:
        view = await self.store.trial(trace.number)
        trial = view.trial if view is not None else None
        if not is_unknown(trace, trial):
            return None
        params = trial.params if trial is not None else None
        drafted = self.draft(trace.number, trace.attempt, params)
        if drafted is None:
            # A model suggested its params, and only the newer store knew them.
            return None
        intended = attempted(trial, trace, drafted, self.hands.now())
        if trial is not None and not await self._is_over(trial):
            return None
        if trace.seen.deleted_at is None and not await self._is_ours(intended, trace):
            return None
        return taken_up(intended, trace, self.hands.spec, self.hands.now())

    async def _is_over(self, trial: Trial) -> bool:
        """Whether the attempt that the store has as the newest can have been followed by one."""
        workload_id = trial.submission.workload_id
        if workload_id is None or not trial.submission.is_open:
            return True
        try:
            seen = await self.hands.control_plane.get(workload_id)
        except TrainingGoneError:
            return True
        return seen.phase in _ENDED

    async def _is_ours(self, intended: Trial, trace: Trace) -> bool:
        try:
            seen = await self.hands.control_plane.get(trace.seen.workload_id)
        except TrainingGoneError:
            return False
        return self.hands.is_ours(intended, seen)

    async def _passed_over(
        self, found: Mapping[int, Change], since: datetime | None
    ) -> Sequence[Change]:
        """Return the trials without a row and without a trace that come before one taken up."""
        first = (await self.store.totals()).next_number
        began = since or self.sweep.created_at
        now = self.hands.now()
        return [
            passed_over(drafted, number, began, now, self.quarantine)
            for number in range(first, max(found, default=-1))
            if number not in found
            and await self.store.trial(number) is None
            and (drafted := self.draft(number, 1, None)) is not None
        ]
