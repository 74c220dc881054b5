"""Run a sweep: everything that a daemon is made of, put together and taken apart again."""

import asyncio
import logging
import shlex
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

from sweeper.bootstrap.addresses import HostPort, reachable, read_address
from sweeper.bootstrap.attempts import Attempts, first_argv, surroundings, write_files
from sweeper.bootstrap.console import console_lines, held_lines, watching
from sweeper.bootstrap.ending import ALL_WELL, conclude
from sweeper.bootstrap.faces import (
    Latest,
    ReportSocket,
    bind_reports,
    probes,
    probes_face,
    verbs_face,
)
from sweeper.bootstrap.folders import SweepFolder, folder_of
from sweeper.bootstrap.measuring import linger, measured
from sweeper.bootstrap.notifying import Telling, last_words, read_telling
from sweeper.bootstrap.owning import own_store
from sweeper.bootstrap.planes import LOCAL, Plane, PlaneRequest, open_plane, runs_locally
from sweeper.bootstrap.programs import require_program
from sweeper.bootstrap.reading import expand, read_file
from sweeper.bootstrap.reports import ReportReader, read_nothing, reports_face
from sweeper.bootstrap.run_options import RunOptions
from sweeper.bootstrap.service_manager import ServiceManager, service_manager
from sweeper.bootstrap.signals import StopSignals, exit_code, stop_signals
from sweeper.bootstrap.starting import begun_anew, first_record, next_record
from sweeper.bootstrap.tracing import traced
from sweeper.clock import utc_now
from sweeper.daemon.actions import Hands
from sweeper.daemon.delivering import Outbox, delivering
from sweeper.daemon.observer import Observer
from sweeper.daemon.reconciler import Reconciler
from sweeper.daemon.service import End, Service
from sweeper.domain.expansion import Expansion
from sweeper.domain.outbox import STARTED_DETAIL, Wanted, notices_of
from sweeper.domain.record import Event, EventKind, SweepRecord, Wish, WishKind
from sweeper.domain.reviewing import is_held_up
from sweeper.errors import Fault, StoreError, SweepFileError
from sweeper.ports import Store
from sweeper.runai.base_url import check_base_url
from sweeper.runai.operations import Observer as RequestObserver
from sweeper.sweepfile.reading import SweepFile
from sweeper.telemetry.fanout import Telemetries
from sweeper.telemetry.logs import LineHandler, to_stderr
from sweeper.telemetry.metrics import Metrics
from sweeper.web.reports import Heard

_log = logging.getLogger(__name__)

NOTHING_LEFT, WORK_LEFT = 0, 1

NOTHING_TO_START = Fault(
    line=0,
    column=0,
    path="program",
    message="there is neither a program nor a command: a trial on this machine has nothing to "
    "start; give one of them",
)


async def run_sweep(options: RunOptions) -> int:
    """Run a sweep until it is settled, stopped, or out of time; return the exit code.

    Raises:
        UserError: the file, a flag or a setting cannot be used; nothing was sent.
        SweepOwnedError: another daemon runs this sweep.
        StoreError: what was decided cannot be recorded.
        StuckTickError: a tick did not end.
    """
    held = held_lines(options.settings) if options.quiet else None
    try:
        with console_lines(options.settings, held) as lines:
            code = await _until_stopped(options, lines)
        if held is not None and code == ALL_WELL:
            held.drop()
        return code
    finally:
        if held is not None:
            held.release(to_stderr)


async def _until_stopped(options: RunOptions, lines: LineHandler) -> int:
    signals = StopSignals()
    with stop_signals(signals):
        main = asyncio.current_task()
        if main is not None:
            signals.on_stop(partial(_cancel, main))
        try:
            return await _run(options, signals, lines)
        except asyncio.CancelledError:
            if signals.received is None:
                raise
            _log.info("stopped before the sweep was started")
            return exit_code(signals.received)


def _cancel(task: asyncio.Task[Any]) -> None:
    task.cancel()


async def _run(options: RunOptions, signals: StopSignals, lines: LineHandler) -> int:
    settings = options.settings
    longest, patience, lingers = options.longest(), options.patience(), options.lingers()
    until = None if longest is None else utc_now() + longest
    file = read_file(
        options.file, settings, strict=options.strict, local=options.local, name=options.name
    )
    lines.about(sweep=file.spec.name)
    for notice in (*file.violations, *file.warnings):
        _log.warning("%s:%s: %s: %s", file.file, notice.line, notice.path, notice.message)
    expansion = expand(file)
    is_local = runs_locally(file.spec.training, settings, local=options.local)
    place = LOCAL if is_local else check_base_url(settings.base_url or "")
    telling = read_telling(
        file.spec.notify, settings, options.file.absolute().parent, check=not options.drains
    )
    folder = folder_of(settings, file.spec.name)
    folder.create(options.file)
    async with own_store(folder, utc_now, patience=patience) as store:
        record = await _record(store, folder, file, expansion, place, telling.wanted)
        folder.remember(record.id)
        manager = service_manager()
        manager.started()
        # Whoever asks for metrics after the end gets them from a sweep that ended before, too.
        if not (options.drains or lingers) and await _is_over(store, record):
            return await conclude(store, record, End.SETTLED, options)
        if is_local:
            _require_program(file, expansion, record)
        async with measured(store, folder, settings, carried=not options.drains) as metrics:
            parts = _Parts(
                options=options,
                file=file,
                expansion=expansion,
                folder=folder,
                store=store,
                metrics=metrics,
                telling=telling,
                signals=signals,
                lines=lines,
                manager=manager,
                until=until,
                lingers=lingers,
            )
            return await parts.run(record)


async def _is_over(store: Store, record: SweepRecord) -> bool:
    """Return whether nothing is left to do for a sweep, not even to ask its control plane."""
    if record.ended_at is None or await store.wishes() or await store.notices(1):
        return False
    return not await store.live_trials()


async def _record(
    store: Store,
    folder: SweepFolder,
    file: SweepFile,
    expansion: Expansion,
    place: str,
    wanted: Wanted,
) -> SweepRecord:
    """Return the sweep's record, written for the first time or brought up to date."""
    kept = await store.load_sweep()
    if kept is None and folder.sweep_id is not None:
        raise _lost_store(folder, file)
    planned, now = expansion.planned, utc_now()
    has_trials = kept is not None and (await store.totals()).next_number > 0
    if kept is None or not has_trials:
        record = first_record(
            file, planned=planned, directory=Path.cwd(), control_plane=place, now=now
        )
        record = record if kept is None else begun_anew(kept, record)
        started = Event(at=now, kind=EventKind.SWEEP, outcome=record.state, detail=STARTED_DETAIL)
        await store.save_sweep(record, [started], notices=notices_of([started], wanted))
        return record
    start = next_record(kept, file, planned=planned, control_plane=place)
    if start.record != kept:
        await store.save_sweep(start.record)
    if start.retries:
        await store.add_wish(Wish(kind=WishKind.RETRY, at=now))
    return start.record


def _lost_store(folder: SweepFolder, file: SweepFile) -> StoreError:
    """Return the error for a store that is empty or gone, though its sweep was started here.

    Under an id of its own, a sweep begun anew would run every trial beside what there is of it.
    """
    return StoreError(
        f"the store {folder.store} is lost: it holds nothing, and sweep {folder.name} was started "
        f"here before. Put back a copy of it, or make it again with `sweeper rebuild {file.file} "
        f"--name {shlex.quote(folder.name)} --sweep-id {folder.sweep_id}`; "
        f"to run every trial once more, remove {folder.path}"
    )


def _require_program(file: SweepFile, expansion: Expansion, record: SweepRecord) -> None:
    """Look for what the first trial starts, before anything is started."""
    if expansion.planned == 0 or record.ended_at is not None:
        return
    argv = first_argv(file.spec, expansion)
    if argv is None:
        raise SweepFileError(file.file, [NOTHING_TO_START])
    require_program(argv, file.spec.program, Path(record.directory))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Parts:
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
                await enter(self._reports(socket))
            watchers = stack.enter_context(
                watching(settings, self.lines, utc_now, quiet=self.options.quiet)
            )
            traces = await enter(traced(self.store, record))
            hears = Telemetries([self.metrics, latest, self.manager, *watchers, *traces])
            reconciler = self._reconciler(record, plane, hears, outbox)
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

    @asynccontextmanager
    async def _reports(self, socket: ReportSocket) -> AsyncIterator[None]:
        key, name = self.folder.report_key(), self.folder.name
        heard = Heard(
            written=partial(self.metrics.heard_reports, name),
            refused=partial(self.metrics.heard_refused, name),
        )
        async with reports_face(socket, self.store, key, now=utc_now, heard=heard):
            yield

    def _reconciler(
        self, record: SweepRecord, plane: Plane, telemetry: Telemetries, outbox: Outbox
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
            expansion=self.expansion,
            project_id=plane.project_id,
            cluster_id=plane.cluster_id,
        )
        reader = ReportReader.of(self.folder, self.store, self.metrics)
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
                now=utc_now,
            ),
            draft=attempts.draft,
            telemetry=telemetry,
            spec=spec,
            planned=self.expansion.planned,
            quarantine=plane.quarantine,
            now=utc_now,
            read_reports=reader.read if plane.is_local else read_nothing,
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
