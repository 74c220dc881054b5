"""The daemon's HTTP faces: probes and metrics, reports of trainings, the verbs' API."""

import logging
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from socket import socket
from typing import Any

from starlette.applications import Starlette

from sweeper.bootstrap.addresses import HostPort, read_address
from sweeper.bootstrap.folders import SweepFolder
from sweeper.daemon.service import STUCK_AFTER
from sweeper.domain.record import Event, SweepRecord
from sweeper.errors import SettingsError
from sweeper.ports import Now, Store, TickSummary
from sweeper.settings import DEFAULT_LISTEN
from sweeper.telemetry.metrics import Metrics
from sweeper.web.serving import bind_tcp, bind_unix, serve
from sweeper.web.telemetry import overdue, telemetry_app
from sweeper.web.verbs import verbs_app

_log = logging.getLogger(__name__)

TICK_BOUND = timedelta(seconds=STUCK_AFTER + 30)
"""How old the last tick may get: a stuck one ends the process before that."""

OBSERVATION_BOUND = timedelta(minutes=2)
"""How old the last good observation may get while trainings are out there."""


@dataclass(slots=True, kw_only=True)
class Latest:
    """Remembers the newest tick, for those who ask between ticks; a Telemetry."""

    now: Now
    started: datetime
    summary: TickSummary | None = field(default=None)
    _are_ticks_over: bool = field(default=False)

    def recorded(self, sweep: SweepRecord, events: Sequence[Event]) -> None:
        """Do nothing: events stand in the store."""

    def ticked(self, summary: TickSummary) -> None:
        """Take the newest tick."""
        self.summary = summary

    def ticks_ended(self) -> None:
        """Expect no more ticks: they came to an orderly end, whatever lingers."""
        self._are_ticks_over = True

    def health(self) -> str:
        """Return what is wrong with the ticks, "" when they go on or are over."""
        if self._are_ticks_over:
            return ""
        last = self.summary.at if self.summary else None
        return overdue(last, self.started, self.now(), TICK_BOUND)

    def readiness(self) -> str:
        """Return why trainings cannot be looked after for now, "" when they can."""
        summary = self.summary
        if summary is None:
            return "the first tick has not ended"
        if summary.sweep.frozen is not None:
            return summary.trouble or summary.sweep.frozen
        if not any(trial.submission.workload_id for trial in summary.live):
            return ""
        seen = summary.observed_at
        if seen is not None and self.now() - seen <= OBSERVATION_BOUND:
            return ""
        return summary.trouble or "the trainings have not been observed of late"


def probes(metrics: Metrics, latest: Latest) -> Starlette:
    """Return the app of /metrics, /healthz and /readyz."""
    return telemetry_app(metrics.render, health=latest.health, readiness=latest.readiness)


@asynccontextmanager
async def probes_face(listen: str | None, app: Starlette) -> AsyncIterator[None]:
    """Serve the probes where `listen` says, or at the default address if that is free.

    Raises:
        SettingsError: the address that was asked for cannot be had.
    """
    address = read_address(listen or DEFAULT_LISTEN, "listen")
    try:
        bound = bind_tcp(address.host, address.port)
    except OSError as error:
        if listen is not None:
            raise SettingsError(
                f"listen: {address} cannot be had ({error.strerror or error}): name another one, "
                "or port 0 for any"
            ) from error
        _log.warning(
            "%s is taken: no metrics and no health are served; --listen names another address",
            address,
        )
        yield
        return
    async with serve(app, [bound]):
        _log.info("metrics and health: http://%s/metrics", _address_of(bound))
        yield


@asynccontextmanager
async def verbs_face(
    folder: SweepFolder,
    store: Store,
    latest: Latest,
    metrics: Metrics,
    on_wish: Callable[[], object],
) -> AsyncIterator[None]:
    """Answer the verbs at the sweep's unix socket, and the probes there, too."""
    verbs = verbs_app(store, now=latest.now, latest=lambda: latest.summary, on_wish=on_wish)
    both = probes(metrics, latest)
    handlers: dict[Any, Any] = dict(verbs.exception_handlers)
    app = Starlette(routes=[*verbs.routes, *both.routes], exception_handlers=handlers)
    try:
        bound = bind_unix(folder.socket)
    except OSError as error:
        raise SettingsError(
            f"the socket {folder.socket} cannot be made ({error.strerror or error})"
        ) from error
    async with serve(app, [bound]):
        yield


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportSocket:
    """A bound socket for reports, and the port it got."""

    bound: socket
    port: int


def bind_reports(listen: str, kept_port: int | None) -> ReportSocket:
    """Bind the address for reports: at the port that the sweep has kept, if it is free.

    Trainings that run already know that port. Where it is taken meanwhile, what they report
    is read from their report files.

    Raises:
        SettingsError: the address cannot be had.
    """
    address = read_address(listen, "report_listen")
    wanted = kept_port if address.port == 0 and kept_port is not None else address.port
    try:
        bound = bind_tcp(address.host, wanted)
    except OSError as error:
        if address.port != 0 or kept_port is None:
            raise SettingsError(
                f"report_listen: {HostPort(host=address.host, port=wanted)} cannot be had "
                f"({error.strerror or error}): name another one, or port 0 for any"
            ) from error
        _log.warning("Port %s for reports is taken: another one is used from now on", kept_port)
        return bind_reports(listen, None)
    return ReportSocket(bound=bound, port=int(bound.getsockname()[1]))


def _address_of(bound: socket) -> HostPort:
    host, port = bound.getsockname()[:2]
    return HostPort(host=str(host), port=int(port))
