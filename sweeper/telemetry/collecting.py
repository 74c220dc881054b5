"""Collectors for prometheus-client: the gauges of the newest ticks, and the scrape as a whole."""

import platform
from collections.abc import Iterable, Mapping, Sequence
from itertools import chain
from types import MappingProxyType

from prometheus_client import CollectorRegistry
from prometheus_client.metrics_core import GaugeMetricFamily, InfoMetricFamily, Metric
from prometheus_client.registry import Collector

from sweeper.ports import Now, TickSummary
from sweeper.telemetry.catalogue import CATALOGUE, FAMILIES, Family, Kind
from sweeper.telemetry.gauges import Reading, read_tick

_BUILD = "sweeper_build_info"


class Gauges(Collector):
    """Computes every gauge when it is asked, from the newest tick of each sweep.

    `show` or `hear` and `collect` may run in different threads: what they share are references
    to mappings that nobody changes, of summaries and readings that nobody changes.
    """

    def __init__(self, *, version: str, now: Now) -> None:
        self._now = now
        self._build = (version, platform.python_version())
        self._newest: Mapping[str, TickSummary] = MappingProxyType({})
        self._heard: Mapping[str, Sequence[Reading]] = MappingProxyType({})

    def show(self, sweep: str, summary: TickSummary) -> None:
        """Take `summary` as what is known of the sweep with this label."""
        self._newest = MappingProxyType({**self._newest, sweep: summary})

    def hear(self, family: str, readings: Sequence[Reading]) -> None:
        """Take `readings` as what is known of a family that no tick tells."""
        self._heard = MappingProxyType({**self._heard, family: tuple(readings)})

    def collect(self) -> Iterable[Metric]:
        """Return the families of all gauges, those without a value as well."""
        now = self._now()
        families = {
            family.name: _empty(family)
            for family in CATALOGUE
            if family.kind in {Kind.GAUGE, Kind.INFO}
        }
        _add(families[_BUILD], Reading(_BUILD, self._build, 1.0))
        for summary in self._newest.values():
            for reading in read_tick(summary, now):
                _add(families[reading.family], reading)
        for reading in chain.from_iterable(self._heard.values()):
            _add(families[reading.family], reading)
        return families.values()


class WithoutCreated(Collector):
    """A registry without the `_created` series, which double the number of series for little."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._registry = registry

    def collect(self) -> Iterable[Metric]:
        """Return every family of the registry; they are made anew each time."""
        for family in self._registry.collect():
            family.samples = [
                sample for sample in family.samples if not sample.name.endswith("_created")
            ]
            yield family


def _empty(family: Family) -> Metric:
    if family.kind is Kind.INFO:
        return InfoMetricFamily(family.name.removesuffix("_info"), family.help)
    return GaugeMetricFamily(family.name, family.help)


def _add(family: Metric, reading: Reading) -> None:
    names = FAMILIES[reading.family].labels
    family.add_sample(reading.family, dict(zip(names, reading.labels, strict=True)), reading.value)
