"""A daemon put together from its parts, run to its end and taken apart again."""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial

from sweeper.bootstrap.addresses import HostPort, reachable, read_address
from sweeper.bootstrap.attempts import Attempts, surroundings, write_files
from sweeper.bootstrap.console import watching
from sweeper.bootstrap.early_terminate import Nudge, nudging
from sweeper.bootstrap.ending import conclude
from sweeper.bootstrap.faces import (
    Latest,
    ReportSocket,
    bind_reports,
    probes,
    probes_face,
    verbs_face,
)
from sweeper.bootstrap.folders import SweepFolder
from sweeper.bootstrap.measuring import linger
from sweeper.bootstrap.notifying import Telling, last_words
from sweeper.bootstrap.planes import Plane, PlaneRequest, open_plane
from sweeper.bootstrap.reports import FoundValues, ReportReader, read_nothing, reports_face
from sweeper.bootstrap.run_options import RunOptions
from sweeper.bootstrap.searching import searching
from sweeper.bootstrap.service_manager import ServiceManager
from sweeper.bootstrap.signals import StopSignals
from sweeper.bootstrap.tracing import traced
from sweeper.bootstrap.warm_start import learned_before
from sweeper.clock import SteadyClock, utc_now
from sweeper.daemon.actions import Hands
from sweeper.daemon.delivering import Outbox, delivering
from sweeper.daemon.observer import Observer
from sweeper.daemon.reconciler import Reconciler
from sweeper.daemon.service import End, Service
from sweeper.domain.expansion import Expansion
from sweeper.domain.record import Report, SweepRecord
from sweeper.domain.reviewing import is_held_up
from sweeper.ports import Searcher, Store, Telemetry
from sweeper.runai.operations import Observer as RequestObserver
from sweeper.sweepfile.reading import SweepFile
from sweeper.telemetry.fanout import Telemetries
from sweeper.telemetry.logs import LineHandler
from sweeper.telemetry.metrics import Metrics
from sweeper.web.reports import Heard

_log = logging.getLogger(__name__)

NOTHING_LEFT, WORK_LEFT = 0, 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """What a daemon is put together from, once it owns its store."""

    options: RunOptions
    file: SweepFile
    expansion: Expansion
    folder: SweepFolder
    store: Store
    metrics: Metrics
    telling: Telling
    signals: StopSignals
    lines: LineHandler
    manager: ServiceManager
    until: datetime | None
    lingers: timedelta

    async def run(self, record: SweepRecord) -> int:
        """Open everything, tick until the end, conclude, and let who asks see the end."""
        options, wake = self.options, asyncio.Event()
        latest = Latest(now=utc_now, started=utc_now())
        async with AsyncExitStack() as stack:
            enter = stack.enter_async_context
            outbox = self.telling.outbox(self.store, self.metrics)
            await enter(delivering(outbox))
            if not options.drains:
                face = probes(self.metrics, latest)
                await enter(probes_face(options.settings.listen, face))
            await enter(verbs_face(self.folder, self.store, latest, self.metrics, wake.set))
            end, record = await self._tick(record, latest, wake, outbox)
            self.manager.ticks_ended()
            latest.ticks_ended()
            if options.drains:
                is_done = end is End.SETTLED and not is_held_up(record)
                return NOTHING_LEFT if is_done else WORK_LEFT
            code = await conclude(self.store, record, end, options, received=self.signals.received)
            self.metrics.leave(self.folder.name)
            await linger(self.signals, self.lingers)
            await last_words(outbox, self.signals)
            self.manager.ending()
            return code

    async def _tick(
        self, record: SweepRecord, latest: Latest, wake: asyncio.Event, outbox: Outbox
    ) -> tuple[End, SweepRecord]:
        """Open what ticks need, and tick until the end; return why that came."""
        settings = self.options.settings
        async with AsyncExitStack() as stack:
            enter = stack.enter_async_context
            plane = await enter(self._plane(record, wake.set))
            record, socket = await self._settle_places(record, plane)
            self.lines.about(project_id=plane.project_id, cluster_id=plane.cluster_id)
            if socket is not None:
                nudge = nudging(self.file.spec, wake.set, is_local=plane.is_local)
                await enter(self._reports(socket, nudge))
            watchers = stack.enter_context(
                watching(settings, self.lines, utc_now, quiet=self.options.quiet)
            )
            traces = await enter(traced(self.store, record))
            searcher, learning = await enter(self._searching(wake.set))
            heard = [*learning, self.metrics, latest, self.manager, *watchers, *traces]
            reconciler = self._reconciler(record, plane, Telemetries(heard), outbox, searcher)
            service = Service(
                reconciler=reconciler,
                now=utc_now,
                wake=wake,
                until=self.until,
                on_exit=self.options.on_exit,
            )
            self.signals.on_stop(service.request_stop)
            return await service.run()

    @asynccontextmanager
    async def _plane(
        self, record: SweepRecord, on_change: Callable[[], None]
    ) -> AsyncIterator[Plane]:
        metrics = self.metrics
        request = PlaneRequest(
            settings=self.options.settings,
            folder=self.folder,
            template=self.file.spec.training,
            record=record,
            local=self.options.local,
            observer=RequestObserver(
                on_request=metrics.heard_request,
                on_retry=metrics.heard_retry,
                on_breaker=metrics.heard_breaker,
                on_rate=metrics.heard_rate,
                on_token=metrics.heard_token,
            ),
            on_change=on_change,
        )
        async with open_plane(request) as plane:
            yield plane

    async def _settle_places(
        self, record: SweepRecord, plane: Plane
    ) -> tuple[SweepRecord, ReportSocket | None]:
        """Write down where trainings go and report; return the socket that takes reports."""
        settings = self.options.settings
        settled = replace(record, project_id=plane.project_id, cluster_id=plane.cluster_id)
        socket = None
        if plane.is_local or settings.report_url is not None:
            socket = bind_reports(settings.report_listen, record.report_port)
            settled = replace(settled, report_port=socket.port)
        elif self.file.spec.objective is not None:
            _log.warning(
                "trainings on Run:ai cannot report %s: --report-url names no address for them",
                self.file.spec.objective.name,
            )
        if settled != record:
            await self.store.save_sweep(settled)
        return settled, socket

    def _searching(
        self, on_ready: Callable[[], None]
    ) -> AbstractAsyncContextManager[tuple[Searcher, tuple[Telemetry, ...]]]:
        return searching(
            self.file.spec,
            self.expansion,
            self.store,
            prior=partial(learned_before, self.file.spec, self.folder, self.options.settings),
            on_ready=on_ready,
            heard=partial(self.metrics.heard_suggestion, self.folder.name),
        )

    @asynccontextmanager
    async def _reports(self, socket: ReportSocket, nudge: Nudge | None) -> AsyncIterator[None]:
        key, name = self.folder.report_key(), self.folder.name

        def written(reports: Sequence[Report], new: int) -> None:
            self.metrics.heard_reports(name, reports, new)
            if nudge is not None:
                nudge.heard(reports)

        heard = Heard(
            written=written,
            refused=partial(self.metrics.heard_refused, name),
        )
        async with reports_face(socket, self.store, key, now=utc_now, heard=heard):
            yield

    def _reconciler(
        self,
        record: SweepRecord,
        plane: Plane,
        telemetry: Telemetries,
        outbox: Outbox,
        searcher: Searcher,
    ) -> Reconciler:
        spec = self.file.spec
        attempts = Attempts(
            spec=spec,
            around=surroundings(
                record,
                self.folder,
                is_local=plane.is_local,
                report_base=self._report_base(record, plane),
            ),
            searcher=searcher,
            project_id=plane.project_id,
            cluster_id=plane.cluster_id,
        )
        found = FoundValues.of(spec, record, self.folder, utc_now) if plane.is_local else None
        reader = ReportReader.of(self.folder, self.store, self.metrics, found)
        clock = SteadyClock()
        return Reconciler(
            store=self.store,
            observer=Observer(
                control_plane=plane.control_plane,
                prefix=record.workload_prefix,
                policy=spec.resume,
            ),
            hands=Hands(
                control_plane=plane.control_plane,
                spec=spec,
                request=attempts.request,
                is_ours=attempts.is_ours,
                write_files=write_files,
                now=clock,
            ),
            draft=attempts.draft,
            extend=self.expansion.extend,
            telemetry=telemetry,
            spec=spec,
            quarantine=plane.quarantine,
            clock=clock,
            read_reports=reader.read if plane.is_local else read_nothing,
            reads_live=found is not None,
            drain=self.options.drains,
            notify=self.telling.wanted,
            daily=self.telling.daily,
            on_notice=outbox.wake.set,
            # A broken template fails at once on this machine, where a create costs nothing.
            ramps=not plane.is_local,
        )

    def _report_base(self, record: SweepRecord, plane: Plane) -> str | None:
        """Return where trainings reach us: by the address given for that, or on this machine."""
        settings = self.options.settings
        if not plane.is_local:
            return settings.report_url and settings.report_url.rstrip("/")
        host = read_address(settings.report_listen, "report_listen").host
        near = HostPort(host=reachable(host), port=record.report_port or 0)
        return f"http://{near}"
