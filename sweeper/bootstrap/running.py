"""Run a sweep: read its file, own its store, and let a daemon bring it to its end."""

import asyncio
import logging
import shlex
from functools import partial
from pathlib import Path
from typing import Any

from sweeper.bootstrap.assembling import Parts
from sweeper.bootstrap.attempts import first_argv
from sweeper.bootstrap.console import console_lines, held_lines
from sweeper.bootstrap.ending import ALL_WELL, conclude
from sweeper.bootstrap.folders import SweepFolder, folder_of
from sweeper.bootstrap.measuring import measured
from sweeper.bootstrap.notifying import read_telling
from sweeper.bootstrap.owning import own_store
from sweeper.bootstrap.planes import LOCAL, runs_locally
from sweeper.bootstrap.programs import require_program
from sweeper.bootstrap.reading import expand, read_file
from sweeper.bootstrap.run_options import RunOptions
from sweeper.bootstrap.service_manager import service_manager
from sweeper.bootstrap.signals import StopSignals, exit_code, stop_signals
from sweeper.bootstrap.starting import begun_anew, first_record, next_record
from sweeper.clock import utc_now
from sweeper.daemon.service import End
from sweeper.domain.expansion import Expansion
from sweeper.domain.outbox import STARTED_DETAIL, Wanted, notices_of
from sweeper.domain.record import Event, EventKind, SweepRecord, Wish, WishKind
from sweeper.errors import Fault, StoreError, SweepFileError
from sweeper.ports import Store
from sweeper.runai.base_url import check_base_url
from sweeper.sweepfile.reading import SweepFile
from sweeper.telemetry.logs import LineHandler, to_stderr

_log = logging.getLogger(__name__)

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
            parts = Parts(
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
    expansion.extend(kept.enqueued if kept else ())
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
