"""Prometheus metrics of this process: counters from events, gauges from the newest tick."""

import re
from collections.abc import Collection, Mapping, Sequence

from prometheus_client import CollectorRegistry, Counter, Histogram, ProcessCollector
from prometheus_client.exposition import choose_encoder

from sweeper.domain.record import Event, EventKind, SweepRecord
from sweeper.domain.trial import TERMINAL_STATES
from sweeper.ports import Now, TickSummary
from sweeper.telemetry import labels
from sweeper.telemetry.catalogue import CATALOGUE, Family, Kind
from sweeper.telemetry.collecting import Gauges, WithoutCreated
from sweeper.telemetry.gauges import Reading

_COUNTED: Mapping[EventKind, tuple[str, Collection[str]]] = {
    EventKind.SUBMISSION: ("sweeper_submissions_total", labels.SUBMISSIONS),
    EventKind.SUSPENSION: ("sweeper_suspensions_total", labels.SUSPENDERS),
    EventKind.RESUME: ("sweeper_resumes_total", labels.RESUMES),
    EventKind.RESUBMIT: ("sweeper_resubmits_total", labels.RESUBMITS),
    EventKind.TRANSITION: ("sweeper_trial_outcomes_total", labels.OUTCOMES),
}
"""Which counter an event belongs to, and the values that its outcome may have there."""

_PREEMPTIONS = "sweeper_preemptions_total"
_REPORTS = "sweeper_reports_total"

_TICK_DURATION = "sweeper_tick_duration_seconds"
_REQUESTS = "sweeper_api_requests_total"
_REQUEST_DURATION = "sweeper_api_request_duration_seconds"
_RETRIES = "sweeper_api_retries_total"
_BREAKER = "sweeper_api_breaker_state"
_RATE_LIMIT = "sweeper_api_rate_limit_per_second"

_VERSIONS = re.compile(r"version=([^;,]*)")
_VERSION = re.compile(r"[0-9]{1,3}(\.[0-9]{1,3}){0,2}")


class Metrics:
    """Counts what happens and renders it for a scrape; a Telemetry.

    Counters start at 0 in each process; a gauge is absent until it is known. The `heard_*`
    methods, `recorded` and `ticked` are called in the event loop, cost little and never raise;
    `render` may run in any thread at any time.
    """

    def __init__(self, *, version: str, now: Now) -> None:
        self._registry = CollectorRegistry()
        self._counters = {
            family.name: Counter(family.name, family.help, family.labels, registry=self._registry)
            for family in CATALOGUE
            if family.kind is Kind.COUNTER
        }
        self._histograms = {
            family.name: _histogram(family, self._registry)
            for family in CATALOGUE
            if family.kind is Kind.HISTOGRAM
        }
        self._gauges = Gauges(version=version, now=now)
        self._registry.register(self._gauges)
        ProcessCollector(registry=self._registry)
        self._begun: frozenset[str] = frozenset()

    def recorded(self, sweep: SweepRecord, events: Sequence[Event]) -> None:
        """Count events just written, each exactly once."""
        name = labels.text_label(sweep.name)
        self._begin(name)
        for event in events:
            self._count(name, event)

    def ticked(self, summary: TickSummary) -> None:
        """Take the newest tick of a sweep as what the gauges show from now on."""
        name = labels.text_label(summary.sweep.name)
        self._begin(name)
        self._gauges.show(name, summary)
        self._histograms[_TICK_DURATION].labels(name).observe(summary.seconds)

    def heard_request(self, operation: str, status: str, seconds: float) -> None:
        """Count one HTTP exchange with the control plane (`Observer.on_request`)."""
        kind = labels.known(operation, labels.OPERATIONS)
        self._counters[_REQUESTS].labels(kind, labels.status_label(status)).inc()
        self._histograms[_REQUEST_DURATION].labels(kind).observe(seconds)

    def heard_retry(self, operation: str, reason: str) -> None:
        """Count one repeat of a call to the control plane (`Observer.on_retry`)."""
        self._counters[_RETRIES].labels(
            labels.known(operation, labels.OPERATIONS),
            labels.known(reason, labels.RETRY_REASONS),
        ).inc()

    def heard_breaker(self, state: str) -> None:
        """Show in which state the circuit breaker is (`Observer.on_breaker`)."""
        states = labels.BREAKER_STATES
        self._gauges.hear(
            _BREAKER, [Reading(_BREAKER, (one,), float(one == state)) for one in states]
        )

    def heard_rate(self, per_second: float) -> None:
        """Show to which rate requests are held (`Observer.on_rate`)."""
        self._gauges.hear(_RATE_LIMIT, [Reading(_RATE_LIMIT, (), per_second)])

    def heard_reports(self, sweep: str, outcome: str, count: int = 1) -> None:
        """Count reports of trainings: `new`, `known` (it came twice) or `refused`."""
        name = labels.text_label(sweep)
        self._begin(name)
        outcome = labels.known(outcome, labels.REPORTS)
        self._counters[_REPORTS].labels(name, outcome).inc(max(count, 0))

    def render(self, accept: str) -> tuple[bytes, str]:
        """Return the body of a scrape and its content type, in the format that `accept` asks for.

        Never waits for a tick or the store, and never raises, whatever the header holds.
        """
        # The library compares and echoes the versions asked for without looking at them.
        versions = (version.strip() for version in _VERSIONS.findall(accept))
        is_sound = all(_VERSION.fullmatch(version) for version in versions)
        encode, content_type = choose_encoder(accept if is_sound else "")
        return encode(WithoutCreated(self._registry)), content_type

    def _begin(self, sweep: str) -> None:
        """Expose a sweep's counters at 0, so that the first increase is seen as one."""
        if sweep in self._begun:
            return
        self._begun |= {sweep}
        for name, outcomes in (*_COUNTED.values(), (_REPORTS, labels.REPORTS)):
            for outcome in outcomes:
                self._counters[name].labels(sweep, outcome)
        self._counters[_PREEMPTIONS].labels(sweep)

    def _count(self, sweep: str, event: Event) -> None:
        if event.kind is EventKind.PREEMPTION:
            self._counters[_PREEMPTIONS].labels(sweep).inc()
            return
        if event.kind not in _COUNTED:
            return
        name, outcomes = _COUNTED[event.kind]
        if event.kind is EventKind.TRANSITION and event.outcome not in TERMINAL_STATES:
            return
        self._counters[name].labels(sweep, labels.known(event.outcome, outcomes)).inc()


def _histogram(family: Family, registry: CollectorRegistry) -> Histogram:
    return Histogram(
        family.name, family.help, family.labels, registry=registry, buckets=family.buckets
    )
