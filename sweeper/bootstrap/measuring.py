"""Metrics of one daemon: what they take over, what is measured beside the ticks, where they go."""

import asyncio
import shutil
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from datetime import datetime, timedelta
from functools import partial
from importlib.metadata import version
from pathlib import Path
from types import TracebackType

import httpx

from sweeper.bootstrap.folders import SweepFolder
from sweeper.bootstrap.signals import StopSignals
from sweeper.clock import pause, utc_now
from sweeper.domain.record import TrialView
from sweeper.domain.trial import TERMINAL_STATES, TrialState
from sweeper.domain.wording import printable
from sweeper.errors import SettingsError, StoreError, SweepTakenError
from sweeper.ports import Store
from sweeper.settings import Settings
from sweeper.store.sql import DatabaseStore, Observer
from sweeper.tasks import side_tasks
from sweeper.telemetry.carriers import Gateway, TextFile
from sweeper.telemetry.exporting import Export, exporting
from sweeper.telemetry.metrics import Metrics

MEASURE_EVERY = 60.0
"""Seconds between two looks at the rows of the store and the room on its disk."""

LONGEST_CURVE = 20_000
"""Of a trial with more reports it is not read when it reached its best."""

_PAGE = 500
_LIVE = [state for state in TrialState if state not in TERMINAL_STATES]


@asynccontextmanager
async def measured(
    store: DatabaseStore, folder: SweepFolder, settings: Settings, *, carried: bool
) -> AsyncIterator[Metrics]:
    """Open the metrics of a sweep; with `carried` they go where the settings say, at the end too.

    Raises:
        SettingsError: they cannot be carried where the settings say.
    """
    sweep = folder.name
    metrics = Metrics(version=version("sweeper"), now=utc_now, training_info=settings.training_info)
    exports = await _exports(metrics, sweep, settings) if carried else ()
    await take_over(metrics, sweep, store)
    store.observer = Observer(
        on_commit=partial(metrics.heard_commit, sweep),
        on_error=partial(metrics.heard_store_error, sweep),
    )
    async with AsyncExitStack() as stack:
        await stack.enter_async_context(exporting(exports))
        stack.push(partial(_leave, metrics, sweep))
        await stack.enter_async_context(_measuring(metrics, folder, store))
        yield metrics


def _leave(
    metrics: Metrics,
    sweep: str,
    kind: type[BaseException] | None,
    error: BaseException | None,
    trace: TracebackType | None,
) -> None:
    """Give the sweep up in good order; after a fault it is left owned, so that alerts miss it."""
    del kind, trace
    if not isinstance(error, Exception) or isinstance(error, SweepTakenError):
        metrics.leave(sweep)


async def take_over(metrics: Metrics, sweep: str, store: Store) -> None:
    """Tell `metrics` what an earlier process left in the store."""
    views: list[TrialView] = []
    after = -1
    while page := await store.trials(states=_LIVE, after=after, limit=_PAGE):
        views.extend(page)
        after = page[-1].trial.number
    metrics.begin(sweep, views, await _improved_at(store))


async def linger(signals: StopSignals, longest: timedelta) -> None:
    """Wait for so long, or until a signal to stop comes."""
    stop = asyncio.Event()
    signals.on_stop(stop.set)
    await pause(longest.total_seconds(), wake=stop)


async def _improved_at(store: Store) -> datetime | None:
    """Return when the best objective was first reported, None where that is not known."""
    sweep, best = await store.load_sweep(), await store.best_trials(1)
    objective = best[0].objective if best else None
    if sweep is None or objective is None or objective.reports > LONGEST_CURVE:
        return None
    name = sweep.objective or ""
    curve = await store.curve(best[0].trial.number)
    times = [report.at for report in curve if report.values.get(name) == objective.best]
    return min(times, default=None)


async def _exports(metrics: Metrics, sweep: str, settings: Settings) -> Sequence[Export]:
    what = metrics.of_sweep(sweep)
    exports = []
    if settings.metrics_textfile is not None:
        file = TextFile(checked_file(settings.metrics_textfile))
        try:
            await asyncio.to_thread(file.carry, what)
        except OSError as error:
            raise SettingsError(
                f"metrics_textfile: {file.path} cannot be written ({error.strerror or error}): "
                "name a file in a folder that exists and that this user may write to"
            ) from error
        exports.append(Export(metrics=what, carrier=file))
    if settings.pushgateway is not None:
        gateway = Gateway(checked_gateway(settings.pushgateway), sweep)
        exports.append(Export(metrics=what, carrier=gateway))
    return exports


def checked_file(given: Path) -> Path:
    """Return the path of a textfile, absolute; raises SettingsError."""
    path = given.expanduser().absolute()
    if path.suffix != ".prom":
        raise SettingsError(
            f"metrics_textfile: {path} does not end in .prom, so node_exporter would not read it"
        )
    return path


def checked_gateway(url: str) -> str:
    """Return the address of a pushgateway if it can be one; raises SettingsError."""
    if "@" in url:
        raise SettingsError(
            "pushgateway: an address may hold no password, for it is logged and listed by ps"
        )
    try:
        found = httpx.URL(url)
    except httpx.InvalidURL:
        found = httpx.URL()
    is_sound = found.scheme in {"http", "https"} and found.host
    if not is_sound or found.query or found.fragment:
        raise SettingsError(
            f"pushgateway: {printable(url, 200)} is no address of a Pushgateway, such as "
            "http://HOST:9091"
        )
    return url.rstrip("/")


@asynccontextmanager
async def _measuring(
    metrics: Metrics, folder: SweepFolder, store: DatabaseStore
) -> AsyncIterator[None]:
    """Look at the store now and then while the block runs, and at its end."""
    async with side_tasks() as group:
        task = group.create_task(_measure(metrics, folder, store), name="measure the store")
        try:
            yield
        finally:
            task.cancel()
    await look(metrics, folder, store)


async def _measure(metrics: Metrics, folder: SweepFolder, store: DatabaseStore) -> None:
    while True:
        await look(metrics, folder, store)
        await pause(MEASURE_EVERY)


async def look(metrics: Metrics, folder: SweepFolder, store: DatabaseStore) -> None:
    """Tell `metrics` of the rows of the store and the room on its disk, as far as can be seen."""
    # What cannot be seen here, the next tick meets, too, and ends the daemon where that is right.
    with suppress(OSError, StoreError):
        metrics.heard_rows(folder.name, await store.rows())
        usage = await asyncio.to_thread(shutil.disk_usage, folder.path)
        metrics.heard_room(folder.name, usage.free)
