"""Collectors for prometheus-client: the gauges of the newest ticks, and views of a registry."""

import platform
import sqlite3
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from functools import partial
from itertools import chain
from types import MappingProxyType

from prometheus_client import CollectorRegistry
from prometheus_client.metrics_core import GaugeMetricFamily, InfoMetricFamily, Metric
from prometheus_client.registry import Collector
from prometheus_client.samples import Sample

from sweeper.ports import Now, TickSummary
from sweeper.telemetry.catalogue import CATALOGUE, FAMILIES, Family, Kind
from sweeper.telemetry.gauges import Reading, Seen, read_tick, read_trainings
from sweeper.telemetry.pace import Pace

_BUILD = "sweeper_build_info"
_TRAININGS = "sweeper_training_info"
_OURS = "sweeper_"
_WITH_CREATED = frozenset({"counter", "histogram"})


class Gauges(Collector):
    """Computes every gauge when it is asked, from the newest tick of each sweep.

    `show`, `leave` or `hear` and `collect` may run in different threads: what they share are
    references to mappings that nobody changes, of ticks and readings that nobody changes.
    """

    def __init__(self, *, version: str, now: Now, training_info: bool) -> None:
        self._now = now
        self._build = (version, platform.python_version(), sqlite3.sqlite_version)
        self._training_info = training_info
        self._newest: Mapping[str, Seen] = MappingProxyType({})
        self._heard: Mapping[tuple[str, str], Sequence[Reading]] = MappingProxyType({})

    def show(self, sweep: str, summary: TickSummary, improved_at: datetime | None = None) -> None:
        """Take `summary` as what is known of the sweep with this label.

        `improved_at` is what the first tick cannot know: when the best objective was reported.
        """
        before = self._newest.get(sweep)
        if before is None:
            seen = Seen(summary=summary, pace=Pace.begin(summary), improved_at=improved_at)
        else:
            seen = before.followed_by(summary)
        self._newest = MappingProxyType({**self._newest, sweep: seen})

    def leave(self, sweep: str) -> None:
        """Show from now on that this process does not own the sweep any more."""
        seen = self._newest.get(sweep)
        if seen is not None:
            over = replace(seen, is_over=True)
            self._newest = MappingProxyType({**self._newest, sweep: over})

    def hear(self, family: str, readings: Sequence[Reading], *, sweep: str = "") -> None:
        """Take `readings` as what is known of a family that no tick tells, for one sweep or all."""
        self._heard = MappingProxyType({**self._heard, (family, sweep): tuple(readings)})

    def collect(self) -> Iterable[Metric]:
        """Return the families of all gauges, those without a value as well."""
        now = self._now()
        families = {
            family.name: _empty(family)
            for family in CATALOGUE
            if family.kind in {Kind.GAUGE, Kind.INFO}
        }
        _add(families[_BUILD], Reading(_BUILD, self._build, 1.0))
        for seen in self._newest.values():
            for reading in read_tick(seen, now):
                _add(families[reading.family], reading)
        for reading in chain.from_iterable(self._heard.values()):
            _add(families[reading.family], reading)
        if self._training_info:
            _put(families[_TRAININGS], Samples(partial(_name, tuple(self._newest.values()))))
        return families.values()


class Samples:
    """Samples made one by one whenever they are gone through.

    There may be tens of thousands: kept together, they would have the garbage collector go
    through everything that the process holds, and the event loop wait for it.
    """

    def __init__(self, make: Callable[[], Iterator[Sample]]) -> None:
        self._make = make

    def __iter__(self) -> Iterator[Sample]:
        return self._make()


class WithoutCreated(Collector):
    """A registry without the `_created` series, which double the number of series for little."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._registry = registry

    def collect(self) -> Iterable[Metric]:
        """Return every family of the registry; they are made anew each time."""
        for family in self._registry.collect():
            if family.type in _WITH_CREATED:
                family.samples = [
                    sample for sample in family.samples if not sample.name.endswith("_created")
                ]
            yield family


class OfSweep(Collector):
    """What a registry holds of one sweep: sweeper's own series, each with the sweep's label.

    Several processes may give away what they know side by side: no two have a series in common.
    """

    def __init__(self, registry: Collector, sweep: str) -> None:
        self._registry = registry
        self._sweep = sweep

    def collect(self) -> Iterable[Metric]:
        """Return every family of sweeper's, also those without a series of this sweep."""
        for family in self._registry.collect():
            if family.name.startswith(_OURS):
                _put(family, Samples(partial(self._labelled, family.samples)))
                yield family

    def _labelled(self, samples: Iterable[Sample]) -> Iterator[Sample]:
        for sample in samples:
            if sample.labels.get("sweep", self._sweep) == self._sweep:
                yield sample._replace(labels={**sample.labels, "sweep": self._sweep})


def _empty(family: Family) -> Metric:
    if family.kind is Kind.INFO:
        return InfoMetricFamily(family.name.removesuffix("_info"), family.help)
    return GaugeMetricFamily(family.name, family.help)


def _add(family: Metric, reading: Reading) -> None:
    family.samples.append(_sample(reading))


def _name(sweeps: Iterable[Seen]) -> Iterator[Sample]:
    return map(_sample, chain.from_iterable(map(read_trainings, sweeps)))


def _sample(reading: Reading) -> Sample:
    names = FAMILIES[reading.family].labels
    return Sample(reading.family, dict(zip(names, reading.labels, strict=True)), reading.value)


def _put(family: Metric, samples: Samples) -> None:
    # The library only ever goes through them.
    family.samples = samples  # type: ignore[assignment]
