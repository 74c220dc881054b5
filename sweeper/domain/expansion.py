"""From a sweep to its trials: how many there are, the params of each, and their names."""

import hashlib
import re
import unicodedata
from collections.abc import Sequence
from typing import cast

from sweeper.domain.enqueuing import EnqueuedPoint, planned_with
from sweeper.domain.quasirandom import QuasiRandomSampler
from sweeper.domain.ruled import RuledGrid, RuledSampler
from sweeper.domain.sampling import GridSampler, RandomSampler, Sampler
from sweeper.domain.sweep import Method, SweepSpec
from sweeper.domain.values import Params, freeze

_SLUG_LENGTH = 20
_LONGEST_NUMBER = 10**12


class Expansion:
    """Gives the trials of a sweep their params, each from its number alone.

    First come the file's `points`, then what the sampler draws; each has `repeats` trials with
    adjacent numbers. What a person enqueued stands where `extend` is told, and what it displaced
    at the end. Where a model suggests params, these are the random draws that stand in when
    it fails.

    Raises:
        ValueError: the method is grid, and a parameter is none that a grid can walk, or the grid is
            too large for rules.
    """

    def __init__(self, spec: SweepSpec) -> None:
        self._points = tuple(cast(Params, freeze(point)) for point in spec.points)
        self.repeats = spec.repeats
        self._run_cap = spec.run_cap
        self._sampler = _sampler(spec)
        self._enqueued: tuple[EnqueuedPoint, ...] = ()
        self._params: dict[int, Params] = {}
        self._displaced: dict[int, int] = {}

    def extend(self, enqueued: Sequence[EnqueuedPoint]) -> None:
        """Take in what was enqueued in all, in the place of what was said of it before."""
        if enqueued is self._enqueued:
            return
        self._enqueued = tuple(enqueued)
        self._params = {one.number // self.repeats: one.params for one in enqueued}
        self._displaced = {
            one.tail // self.repeats: one.number // self.repeats
            for one in enqueued
            if one.tail is not None
        }

    @property
    def planned(self) -> int | None:
        """How many trials there are, None when unbounded; an int of any size."""
        return planned_with(self._of_file, self._enqueued, self.repeats)

    @property
    def _of_file(self) -> int | None:
        size = self._sampler.size
        if size is None:
            return self._run_cap
        trials = (len(self._points) + size) * self.repeats
        return trials if self._run_cap is None else min(trials, self._run_cap)

    @property
    def given(self) -> int:
        """How many trials, the first ones, the file's own points take."""
        return len(self._points) * self.repeats

    def params(self, number: int) -> Params:
        """Return the params of a trial; the same number always gives the same.

        Raises:
            ValueError: the sweep has no trial of that number.
            UnmetRulesError: no draw met the constraints.
        """
        planned = self.planned
        if number < 0 or (planned is not None and number >= planned):
            raise ValueError(f"trial {number:#x} is beyond the {planned or 0:#x} of the sweep")
        given = self.given_params(number)
        if given is not None:
            return given
        return self._sampler.params(self._drawn_at(number) - len(self._points))

    def given_params(self, number: int) -> Params | None:
        """Return the params that a person gave a trial, in the file or later; None if drawn."""
        enqueued = self._params.get(number // self.repeats)
        if enqueued is not None:
            return enqueued
        point = self._drawn_at(number)
        return self._points[point] if 0 <= point < len(self._points) else None

    def _drawn_at(self, number: int) -> int:
        """Return the place of a trial's point among those of the file and of the sampler."""
        point = number // self.repeats
        while point in self._displaced:
            point = self._displaced[point]
        return point


def _sampler(spec: SweepSpec) -> Sampler:
    if spec.method is Method.GRID and spec.rules.are_none:
        return GridSampler(spec.space, spec.seed, spec.zip, spec.order)
    if spec.method is Method.GRID:
        return RuledGrid(spec.space, spec.seed, spec.zip, spec.order, spec.rules)
    drawn = _drawing(spec)
    return drawn if spec.rules.are_none else RuledSampler(drawn, drawn, spec.rules)


def _drawing(spec: SweepSpec) -> RandomSampler:
    if spec.search is not None and not spec.search.sampler.is_model_based:
        return QuasiRandomSampler(spec.space, spec.seed, spec.zip, name=spec.search.sampler)
    return RandomSampler(spec.space, spec.seed, spec.zip)


def slug(name: str) -> str:
    """Return the beginning of DNS-safe names for a sweep called `name`.

    It matches `^[a-z][a-z0-9-]*$`, has 1 to 20 characters and does not end in "-". Different
    names may share it.
    """
    plain = unicodedata.normalize("NFKD", name.casefold()).encode("ascii", "ignore").decode()
    words = re.sub(r"[^a-z0-9]+", "-", plain).strip("-")
    if words[:1].isdigit():
        words = f"s-{words}"
    return words[:_SLUG_LENGTH].rstrip("-") or "sweep"


def workload_name(slug: str, sweep_id: str, number: int, attempt: int) -> str:
    """Return the name of the training of one attempt: the same always, and no other's.

    It begins with the sweep's workload prefix, has at most 50 characters below 10,000 attempts,
    and matches `^[a-z][a-z0-9-]*[a-z0-9]$`.
    """
    return f"{slug}-{sweep_id}-{ordinal(number)}-{attempt}"


def ordinal(number: int) -> str:
    """Return a trial's number as names carry it: at most 12 characters, the number itself.

    No sweep ever gets beyond that, but a plan shows the last trial of any grid: a larger number
    is stood for by "x" and a digest.
    """
    if number < _LONGEST_NUMBER:
        return str(number)
    return f"x{hashlib.sha256(f'{number:x}'.encode()).hexdigest()[:11]}"
