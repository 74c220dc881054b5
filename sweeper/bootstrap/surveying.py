"""Look through a control plane for everything that it still has of one sweep's trials."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import count

from sweeper.bootstrap.attempts import Attempts
from sweeper.domain.change import Change
from sweeper.domain.orphans import attempt_of, is_of_sweep
from sweeper.domain.phase import Phase
from sweeper.domain.planning import Draft
from sweeper.domain.rebuilding import from_deleted, from_living, from_nothing
from sweeper.domain.record import SweepRecord
from sweeper.domain.trial import Observation
from sweeper.errors import SettingsError, TrainingGoneError
from sweeper.ports import ControlPlane

LEAST_AHEAD = 8
"""So many numbers in a row, at least, must have left nothing before the search ends."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Surveyor:
    """Makes the trials of a sweep again, in the order of their numbers."""

    plane: ControlPlane
    attempts: Attempts
    record: SweepRecord
    file: str
    now: datetime

    async def trials(self, listed: Sequence[Observation]) -> Sequence[Change]:
        """Return every trial up to the last one that left anything behind.

        Raises:
            SettingsError: the file gives a trial other params than its training was made from.
        """
        living = self._newest(listed)
        highest = max(living, default=-1)
        found: list[Change] = []
        traced = 0
        async for number, change in self._each(living, highest):
            if change is not None:
                traced = number + 1
            found.append(change or from_nothing(self._draft(number, 1), number, self.now))
        return found[:traced]

    async def _each(
        self, living: dict[int, tuple[int, str]], highest: int
    ) -> AsyncIterator[tuple[int, Change | None]]:
        """Yield each number with what is left of it, until nothing seems to come any more."""
        ahead = max(self.attempts.spec.limits.active, LEAST_AHEAD)
        planned = self.attempts.searcher.planned
        silent = 0
        for number in count():
            if planned is not None and number >= max(planned, highest + 1):
                return
            if number > highest and silent >= ahead:
                return
            change = await self._trial(number, living.get(number))
            silent = silent + 1 if change is None else 0
            yield number, change

    async def _trial(self, number: int, known: tuple[int, str] | None) -> Change | None:
        attempt, seen = 0, None
        if known is not None:
            attempt, workload_id = known
            seen = await self._ours(number, attempt, workload_id)
        if seen is not None and seen.phase is not Phase.FAILED:
            return self._living(number, attempt, seen)
        # A later attempt may have come to its end and been deleted.
        last_attempt, last = await self._deleted(number, attempt if seen is not None else 0)
        if last is not None:
            draft = self._draft(number, last_attempt)
            spec = self.attempts.spec
            return from_deleted(draft, number, last_attempt, last, spec, self.now)
        return None if seen is None else self._living(number, attempt, seen)

    def _living(self, number: int, attempt: int, seen: Observation) -> Change:
        draft = self._draft(number, attempt)
        return from_living(draft, number, attempt, seen, self.attempts.spec, self.now)

    async def _ours(self, number: int, attempt: int, workload_id: str) -> Observation | None:
        """Return the training if it is there and ours; refuse to go on if its params differ."""
        try:
            seen = await self.plane.get(workload_id)
        except TrainingGoneError:
            return None
        prefix = self.record.workload_prefix
        is_named = attempt_of(prefix, seen.name) == (number, attempt)
        if not is_named or not is_of_sweep(prefix, self.record.id, seen.name, seen.labels):
            return None
        digest = (seen.labels or {}).get("sweeper/params")
        if digest != self._draft(number, attempt).digest:
            raise SettingsError(
                f"{self.file}: training {seen.name} was made from other params than the file gives "
                f"trial {number}: it is of another file, the file has changed since, "
                "or it was enqueued, which only the store that is lost knew"
            )
        return seen

    async def _deleted(self, number: int, after: int) -> tuple[int, Observation | None]:
        """Return the newest attempt above `after` that the deleted trainings have, if any."""
        attempt, last = after, None
        while deleted := await self.plane.find(self._name(number, attempt + 1), deleted=True):
            attempt += 1
            last = max(deleted, key=lambda one: (str(one.created_at), one.workload_id))
        return attempt, last

    def _name(self, number: int, attempt: int) -> str:
        return self._draft(number, attempt).workload_name

    def _newest(self, listed: Sequence[Observation]) -> dict[int, tuple[int, str]]:
        """Return the newest attempt and its training's id, for each trial that is listed."""
        newest: dict[int, tuple[int, str]] = {}
        for seen in listed:
            place = attempt_of(self.record.workload_prefix, seen.name)
            if place is not None:
                number, attempt = place
                newest[number] = max(newest.get(number, (0, "")), (attempt, seen.workload_id))
        return newest

    def _draft(self, number: int, attempt: int) -> Draft:
        planned = self.attempts.searcher.planned
        if planned is not None and number >= planned:
            raise SettingsError(
                f"{self.file}: there is a training of trial {number}, and the file has only "
                f"{planned} trials: it is of another file, the file has changed since, "
                "or it was enqueued, which only the store that is lost knew"
            )
        drafted = self.attempts.draft(number, attempt, None)
        if drafted is None:
            raise SettingsError(
                f"{self.file}: the params of trial {number} were suggested by a model, and only "
                "the store that is lost knew them"
            )
        return drafted
