import asyncio
import signal
from collections.abc import Callable
from datetime import timedelta
from fractions import Fraction
from pathlib import Path
from typing import Any, TypeVar

import pytest
from prometheus_client.parser import text_string_to_metric_families

from sweeper.bootstrap.folders import SweepFolder
from sweeper.bootstrap.measuring import (
    LONGEST_CURVE,
    checked_file,
    checked_gateway,
    linger,
    look,
    measured,
    take_over,
)
from sweeper.bootstrap.signals import StopSignals
from sweeper.domain.sweep import Goal
from sweeper.domain.trial import TrialState
from sweeper.errors import SettingsError, StoreError, SweepTakenError
from sweeper.settings import Settings
from sweeper.store.memory import MemoryStore
from sweeper.store.sql import SqlStore
from sweeper.telemetry.metrics import Metrics
from sweeper.web.telemetry import telemetry_app
from tests.support.builders import NOW, a_sweep, a_trial, after
from tests.support.places import a_kept_sweep, settings_in
from tests.telemetry.builders import a_best, a_move, a_report, a_tick
from tests.web.calling import calling

T = TypeVar("T")


def _values(text: str) -> dict[tuple[str, ...], float]:
    return {
        (sample.name.removeprefix("sweeper_"), *sample.labels.values()): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def _scraped(metrics: Metrics) -> dict[tuple[str, ...], float]:
    return _values(metrics.render("")[0].decode())


async def _sweep_with(*losses: float) -> MemoryStore:
    """Return a store with trial 0 at work on one GPU, that reported losses a minute apart."""
    store = MemoryStore()
    await store.__aenter__()
    await store.save_sweep(a_sweep(objective="loss", goal=Goal.MINIMIZE))
    await store.commit([a_trial(0, version=0, gpus=Fraction(1))])
    for minute, loss in enumerate(losses):
        report = a_report(0, key=str(minute), at=after(minutes=minute), values={"loss": loss})
        await store.add_reports([report])
    return store


async def test_metrics_take_over_what_an_earlier_process_left() -> None:
    store = await _sweep_with(0.5, 0.2, 0.2, 0.3)
    metrics = Metrics(version="1", now=lambda: after(minutes=30))

    await take_over(metrics, "demo", store)

    metrics.recorded(a_sweep(), [a_move("active", "completed", trial=0, at=after(hours=1))])
    metrics.ticked(a_tick(best=a_best(0.2)))
    values = _scraped(metrics)
    assert values["trial_duration_seconds_sum", "completed", "demo"] == 3600
    # The last report came after three minutes: what was done until then is judged already.
    assert values["gpu_seconds_total", "demo", "useful"] == 3600 - 180
    improved_at = values["objective_last_improvement_timestamp_seconds", "demo"]
    assert improved_at == after(minutes=1).timestamp()


async def test_a_sweep_without_reports_never_improved() -> None:
    metrics = Metrics(version="1", now=lambda: NOW)

    await take_over(metrics, "demo", await _sweep_with())
    metrics.ticked(a_tick())

    assert ("objective_last_improvement_timestamp_seconds", "demo") not in _scraped(metrics)


async def test_a_curve_too_long_to_read_tells_no_improvement() -> None:
    store = await _sweep_with()
    reports = [a_report(0, key=str(number)) for number in range(LONGEST_CURVE + 1)]
    await store.add_reports(reports)
    metrics = Metrics(version="1", now=lambda: NOW)

    await take_over(metrics, "demo", store)
    metrics.ticked(a_tick(best=a_best(0.5)))

    assert ("objective_last_improvement_timestamp_seconds", "demo") not in _scraped(metrics)


async def test_trials_are_taken_over_page_by_page() -> None:
    store = await _sweep_with()
    await store.commit([a_trial(number, version=0) for number in range(1, 1001)])
    ended = a_trial(1001, version=0, state=TrialState.COMPLETED)
    await store.commit([ended])
    metrics = Metrics(version="1", now=lambda: NOW)

    await take_over(metrics, "demo", store)
    metrics.recorded(
        a_sweep(),
        [a_move("active", "failed", trial=number, at=after(hours=1)) for number in (0, 1000)],
    )

    assert _scraped(metrics)["trial_duration_seconds_sum", "failed", "demo"] == 7200


@pytest.fixture
async def folder(settings: Settings) -> SweepFolder:
    return await a_kept_sweep(settings, trials=[a_trial(0, version=0)])


async def test_the_store_is_measured_while_and_after_it_is_used(
    settings: Settings, folder: SweepFolder
) -> None:
    async with (
        SqlStore(folder.store) as store,
        measured(store, folder, settings, carried=True) as metrics,
    ):
        await store.commit([a_trial(1, version=0)])

    values = _scraped(metrics)
    assert values["store_commit_seconds_count", "demo"] == 1
    assert values["store_rows", "demo", "trials"] == 2
    assert values["store_free_bytes", "demo"] > 0


async def test_a_disk_that_cannot_be_looked_at_ends_nothing(folder: SweepFolder) -> None:
    metrics = Metrics(version="1", now=lambda: NOW)

    await look(metrics, folder, SqlStore(folder.store))

    assert not [key for key in _scraped(metrics) if key[0].startswith("store_rows")]


async def test_what_metrics_came_to_stays_in_the_file(folder: SweepFolder, tmp_path: Path) -> None:
    file = tmp_path / "sweeper.prom"
    settings = settings_in(tmp_path, metrics_textfile=file)
    async with (
        SqlStore(folder.store) as store,
        measured(store, folder, settings, carried=True) as metrics,
    ):
        metrics.ticked(a_tick(a_trial(0)))
        metrics.heard_breaker("open")

    values = _values(file.read_text())
    assert values["owner", "demo"] == 0
    assert values["sweep_trials", "active", "demo"] == 1
    assert values["api_breaker_state", "open", "demo"] == 1
    assert not [key for key in values if key[0].startswith(("process_", "training_info"))]


async def test_a_gateway_that_is_not_there_ends_nothing(
    folder: SweepFolder, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    settings = settings_in(tmp_path, pushgateway="http://127.0.0.1:9")
    async with (
        SqlStore(folder.store) as store,
        measured(store, folder, settings, carried=True) as metrics,
    ):
        metrics.ticked(a_tick(a_trial(0)))

    (warning,) = caplog.messages
    assert warning.startswith("Metrics do not get to http://127.0.0.1:9: ")


@pytest.mark.parametrize(
    ("error", "owner"),
    [
        (StoreError("the disk is full"), 1),  # what was left undone is to be missed
        (SweepTakenError("another daemon has it"), 0),
    ],
    ids=["a fault", "taken over"],
)
async def test_what_ends_a_daemon_passes_through_and_only_a_fault_leaves_it_the_owner(
    folder: SweepFolder, tmp_path: Path, error: StoreError, owner: float
) -> None:
    file = tmp_path / "sweeper.prom"
    settings = settings_in(tmp_path, metrics_textfile=file)

    async def fail() -> None:
        async with (
            SqlStore(folder.store) as store,
            measured(store, folder, settings, carried=True) as metrics,
        ):
            metrics.ticked(a_tick(a_trial(0)))
            raise error

    with pytest.raises(type(error), match=str(error)):
        await fail()
    assert _values(file.read_text())["owner", "demo"] == owner


async def test_a_verb_that_helps_out_carries_nothing_away(
    folder: SweepFolder, tmp_path: Path
) -> None:
    settings = settings_in(tmp_path, metrics_textfile=tmp_path / "sweeper.prom")
    async with (
        SqlStore(folder.store) as store,
        measured(store, folder, settings, carried=False),
    ):
        pass

    assert not (tmp_path / "sweeper.prom").exists()


async def test_trainings_are_not_named_where_settings_say_so(
    folder: SweepFolder, tmp_path: Path
) -> None:
    settings = settings_in(tmp_path, training_info=False)
    async with (
        SqlStore(folder.store) as store,
        measured(store, folder, settings, carried=True) as metrics,
    ):
        metrics.ticked(a_tick(a_trial(0)))

        assert not [key for key in _scraped(metrics) if key[0] == "training_info"]


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"metrics_textfile": "gone/sweeper.prom"}, "No such file or directory.*that exists"),
        ({"metrics_textfile": "sweeper.txt"}, r"sweeper\.txt does not end in \.prom"),
        ({"pushgateway": "host:9091"}, "host:9091 is no address of a Pushgateway"),
    ],
)
async def test_a_place_that_cannot_be_one_is_refused_at_once(
    folder: SweepFolder, tmp_path: Path, fields: dict[str, Any], message: str
) -> None:
    async with SqlStore(folder.store) as store:
        entered = measured(store, folder, settings_in(tmp_path, **fields), carried=True)
        with pytest.raises(SettingsError, match=message):
            await entered.__aenter__()


@pytest.mark.parametrize(
    "url",
    ["http://", "ftp://host", "http://[::1", "http://host/?a=1", "http://host/#a", "9091", ""],
)
def test_what_is_no_address_of_a_gateway_is_refused(url: str) -> None:
    with pytest.raises(SettingsError, match=r"pushgateway: .* is no address"):
        checked_gateway(url)


def test_an_address_with_a_password_is_refused_without_repeating_it() -> None:
    with pytest.raises(SettingsError) as raised:
        checked_gateway("http://me:hunter22@host:9091")

    assert "hunter22" not in str(raised.value)


def test_an_address_of_a_gateway_may_have_a_path() -> None:
    assert checked_gateway("https://host/push/") == "https://host/push"


def test_a_file_below_home_is_found_there() -> None:
    assert checked_file(Path("~/a.prom")) == Path.home() / "a.prom"


@pytest.mark.looptime
async def test_lingering_ends_when_its_time_is_up() -> None:
    await linger(StopSignals(), timedelta(minutes=2))

    assert asyncio.get_running_loop().time() == pytest.approx(120)


@pytest.mark.looptime
async def test_a_signal_ends_lingering() -> None:
    signals = StopSignals()
    loop = asyncio.get_running_loop()
    loop.call_later(5, signals.take, signal.SIGTERM)

    await linger(signals, timedelta(minutes=2))

    assert loop.time() == pytest.approx(5)


@pytest.mark.looptime
async def test_who_was_told_to_stop_does_not_linger() -> None:
    signals = StopSignals()
    signals.take(signal.SIGTERM)

    await linger(signals, timedelta(minutes=2))

    assert asyncio.get_running_loop().time() == pytest.approx(0)


async def test_a_scrape_waits_neither_for_a_tick_nor_for_the_store(
    settings: Settings, folder: SweepFolder
) -> None:
    free, begun = asyncio.Event(), asyncio.Event()
    free.set()

    async def run(call: Callable[[], T], /) -> T:
        begun.set()
        await free.wait()
        return call()

    async with (
        SqlStore(folder.store, run=run) as store,
        measured(store, folder, settings, carried=True) as metrics,
        calling(telemetry_app(metrics.render, health=str, readiness=str)) as client,
        asyncio.TaskGroup() as group,
    ):
        free.clear()
        begun.clear()
        tick = group.create_task(store.standing(NOW), name="tick")
        await begun.wait()

        scraped = await client.get("/metrics")

        assert scraped.status_code == 200
        assert not tick.done()
        free.set()
