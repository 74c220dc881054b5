"""Prometheus metrics of this process: counters from events, gauges from the newest tick."""

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from prometheus_client import CollectorRegistry, Counter, Histogram, ProcessCollector
from prometheus_client.exposition import choose_encoder
from prometheus_client.registry import Collector

from sweeper.domain.accounting import Span, Use
from sweeper.domain.record import Event, EventKind, Report, SweepRecord, TrialView
from sweeper.domain.trial import TERMINAL_STATES
from sweeper.ports import Now, TickSummary
from sweeper.telemetry import labels
from sweeper.telemetry.accounts import Accounts, Posting
from sweeper.telemetry.catalogue import CATALOGUE, Family, Kind
from sweeper.telemetry.collecting import Gauges, OfSweep, WithoutCreated
from sweeper.telemetry.gauges import Reading

_COUNTED: Mapping[EventKind, tuple[str, Collection[str]]] = {
    EventKind.SUBMISSION: ("sweeper_submissions_total", labels.SUBMISSIONS),
    EventKind.SUSPENSION: ("sweeper_suspensions_total", labels.SUSPENDERS),
    EventKind.RESUME: ("sweeper_resumes_total", labels.RESUMES),
    EventKind.RESUBMIT: ("sweeper_resubmits_total", labels.RESUBMITS),
    EventKind.DECISION: ("sweeper_stopping_decisions_total", labels.DECISIONS),
    EventKind.TRANSITION: ("sweeper_trial_outcomes_total", labels.OUTCOMES),
    EventKind.NOTICE: ("sweeper_notices_total", labels.NOTICES),
}
"""Which counter an event belongs to, and the values that its outcome may have there."""

_PREEMPTIONS = "sweeper_preemptions_total"
_REPORTS = "sweeper_reports_total"
_GPU_SECONDS = "sweeper_gpu_seconds_total"
_IDLE = "sweeper_slot_idle_seconds_total"
_TRIAL_DURATION = "sweeper_trial_duration_seconds"
_SPANS = {
    Span.PENDING: "sweeper_pending_duration_seconds",
    Span.RESUME: "sweeper_resume_delay_seconds",
}

_TICK_DURATION = "sweeper_tick_duration_seconds"
_COMMIT_DURATION = "sweeper_store_commit_seconds"
_SUGGESTIONS = "sweeper_suggestions_total"
_SUGGESTION_DURATION = "sweeper_suggestion_duration_seconds"
_STORE_ERRORS = "sweeper_store_errors_total"
_STORE_ROWS = "sweeper_store_rows"
_STORE_ROOM = "sweeper_store_free_bytes"
_REQUESTS = "sweeper_api_requests_total"
_REQUEST_DURATION = "sweeper_api_request_duration_seconds"
_RETRIES = "sweeper_api_retries_total"
_BREAKER = "sweeper_api_breaker_state"
_RATE_LIMIT = "sweeper_api_rate_limit_per_second"
_TOKEN_EXPIRY = "sweeper_api_token_expiry_timestamp_seconds"  # noqa: S105 # the name of a family

_OF_A_SWEEP = (_PREEMPTIONS, _IDLE, _STORE_ERRORS)
"""Counters with no label but the sweep's."""

_VERSIONS = re.compile(r"version=([^;,]*)")
_VERSION = re.compile(r"[0-9]{1,3}(\.[0-9]{1,3}){0,2}")

_WORKLOAD_NAME = re.compile(r"[a-z0-9-]{1,63}")
"""What a name of ours looks like; another one has no place in an exemplar of 128 letters."""


@dataclass(slots=True)
class _Known:
    """What is kept of one sweep between two things heard of it."""

    accounts: Accounts = field(default_factory=Accounts)
    improved_at: datetime | None = None


class Metrics:
    """Counts what happens and renders it for a scrape; a Telemetry.

    Counters start at 0 in each process; a gauge is absent until it is known. The `heard_*`
    methods, `begin`, `leave`, `recorded` and `ticked` are called in the event loop, cost little
    and never raise; `render` and what `of_sweep` returns may be used in any thread at any time.
    `training_info` tells whether the one family that names trials is shown.
    """

    def __init__(self, *, version: str, now: Now, training_info: bool = True) -> None:
        self._now = now
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
        self._gauges = Gauges(version=version, now=now, training_info=training_info)
        self._registry.register(self._gauges)
        ProcessCollector(registry=self._registry)
        self._sweeps: dict[str, _Known] = {}

    def begin(
        self, sweep: str, views: Iterable[TrialView], improved_at: datetime | None = None
    ) -> None:
        """Take a sweep over as the store has it: its live trials, and when its best was reached."""
        known = self._known(labels.text_label(sweep))
        known.accounts.begin(views, self._now())
        known.improved_at = improved_at

    def leave(self, sweep: str) -> None:
        """Show from now on that this process does not own the sweep any more."""
        self._gauges.leave(labels.text_label(sweep))

    def recorded(self, sweep: SweepRecord, events: Sequence[Event]) -> None:
        """Count events just written, each exactly once."""
        name = labels.text_label(sweep.name)
        known = self._known(name)
        for event in events:
            self._count(name, event)
        self._post(name, known.accounts.happened(events))

    def ticked(self, summary: TickSummary) -> None:
        """Take the newest tick of a sweep as what the gauges show from now on."""
        name = labels.text_label(summary.sweep.name)
        known = self._known(name)
        self._gauges.show(name, summary, known.improved_at)
        self._histograms[_TICK_DURATION].labels(name).observe(summary.seconds)
        self._post(name, known.accounts.looked(summary))
        self._counters[_IDLE].labels(name).inc(known.accounts.idled(summary))

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

    def heard_token(self, seconds: float) -> None:
        """Show when a new token expires, so many seconds from now (`Observer.on_token`)."""
        expires_at = self._now() + timedelta(seconds=seconds)
        self._gauges.hear(_TOKEN_EXPIRY, [Reading(_TOKEN_EXPIRY, (), expires_at.timestamp())])

    def heard_refused(self, sweep: str) -> None:
        """Count a report that was refused."""
        name = labels.text_label(sweep)
        self._known(name)
        self._counters[_REPORTS].labels(name, "refused").inc()

    def heard_reports(self, sweep: str, reports: Sequence[Report], new: int) -> None:
        """Count reports of trainings, of which `new` were not received before."""
        name = labels.text_label(sweep)
        known = self._known(name)
        counter, now = self._counters[_REPORTS], self._now()
        counter.labels(name, "new").inc(new)
        counter.labels(name, "known").inc(len(reports) - new)
        for report in reports:
            self._post(name, known.accounts.signed(report.trial, min(report.at, now)))

    def heard_suggestion(self, sweep: str, seconds: float, is_suggested: bool) -> None:
        """Count params that a sampler was asked for, and how long it took."""
        name = labels.text_label(sweep)
        outcome = "suggested" if is_suggested else "random"
        self._counters[_SUGGESTIONS].labels(name, outcome).inc()
        self._histograms[_SUGGESTION_DURATION].labels(name).observe(seconds)

    def heard_commit(self, sweep: str, seconds: float) -> None:
        """Count a transaction that wrote, and how long it took."""
        self._histograms[_COMMIT_DURATION].labels(labels.text_label(sweep)).observe(seconds)

    def heard_store_error(self, sweep: str) -> None:
        """Count a transaction that the store could not carry out."""
        self._counters[_STORE_ERRORS].labels(labels.text_label(sweep)).inc()

    def heard_rows(self, sweep: str, rows: Mapping[str, int]) -> None:
        """Show how many rows the store keeps of each kind."""
        name = labels.text_label(sweep)
        readings = [
            Reading(_STORE_ROWS, (name, table), float(rows[table]))
            for table in labels.TABLES
            if table in rows
        ]
        self._gauges.hear(_STORE_ROWS, readings, sweep=name)

    def heard_room(self, sweep: str, free: int) -> None:
        """Show how many bytes are left on the disk of the store."""
        name = labels.text_label(sweep)
        self._gauges.hear(_STORE_ROOM, [Reading(_STORE_ROOM, (name,), float(free))], sweep=name)

    def render(self, accept: str) -> tuple[bytes, str]:
        """Return the body of a scrape and its content type, in the format that `accept` asks for.

        Never waits for a tick or the store, and never raises, whatever the header holds.
        """
        # The library compares and echoes the versions asked for without looking at them.
        versions = (version.strip() for version in _VERSIONS.findall(accept))
        is_sound = all(_VERSION.fullmatch(version) for version in versions)
        encode, content_type = choose_encoder(accept if is_sound else "")
        return encode(WithoutCreated(self._registry)), content_type

    def of_sweep(self, sweep: str) -> Collector:
        """Return what is known of one sweep, for those who carry it away instead of a scrape."""
        return OfSweep(WithoutCreated(self._registry), labels.text_label(sweep))

    def _known(self, sweep: str) -> _Known:
        """Expose a sweep's counters at 0, so that the first increase is seen as one."""
        known = self._sweeps.get(sweep)
        if known is not None:
            return known
        for name, outcomes in (
            *_COUNTED.values(),
            (_REPORTS, labels.REPORTS),
            (_SUGGESTIONS, labels.SUGGESTIONS),
            (_GPU_SECONDS, tuple(Use)),
        ):
            for outcome in outcomes:
                self._counters[name].labels(sweep, outcome)
        for name in _OF_A_SWEEP:
            self._counters[name].labels(sweep)
        for name in (*_SPANS.values(), _COMMIT_DURATION, _SUGGESTION_DURATION):
            self._histograms[name].labels(sweep)
        for state in labels.OUTCOMES:
            self._histograms[_TRIAL_DURATION].labels(sweep, state)
        return self._sweeps.setdefault(sweep, _Known())

    def _count(self, sweep: str, event: Event) -> None:
        named = _exemplar(event.trial, event.workload_name)
        if event.kind is EventKind.PREEMPTION:
            self._counters[_PREEMPTIONS].labels(sweep).inc(exemplar=named)
            return
        if event.kind not in _COUNTED:
            return
        name, outcomes = _COUNTED[event.kind]
        if event.kind is EventKind.TRANSITION and event.outcome not in TERMINAL_STATES:
            return
        counter = self._counters[name].labels(sweep, labels.known(event.outcome, outcomes))
        counter.inc(exemplar=named)

    def _post(self, sweep: str, postings: Iterable[Posting]) -> None:
        for charge, trial, workload_name, state in postings:
            match charge.of:
                case Use() as use:
                    self._counters[_GPU_SECONDS].labels(sweep, use).inc(charge.seconds)
                case Span.TRIAL:
                    self._histograms[_TRIAL_DURATION].labels(sweep, state).observe(
                        charge.seconds, _exemplar(trial, workload_name)
                    )
                case span:
                    self._histograms[_SPANS[span]].labels(sweep).observe(
                        charge.seconds, _exemplar(trial, workload_name)
                    )


def _exemplar(trial: int | None, workload_name: str | None) -> dict[str, str] | None:
    """Return what leads from a number to the trial behind it, None where there is none."""
    if trial is None:
        return None
    named = {"trial": str(trial)}
    if workload_name and _WORKLOAD_NAME.fullmatch(workload_name):
        named["workload_name"] = workload_name
    return named


def _histogram(family: Family, registry: CollectorRegistry) -> Histogram:
    return Histogram(
        family.name, family.help, family.labels, registry=registry, buckets=family.buckets
    )
