"""What a batch run leaves for Prometheus, in real processes."""

import signal

import httpx
from prometheus_client.parser import text_string_to_metric_families

from tests.acceptance.daemons import Place

_BATCH = (
    "name: batch",
    "program: train.py",
    "method: grid",
    "parameters: {a: {values: [1, 2]}}",
    "limits: {active: 2}",
)


def _values(text: str) -> dict[tuple[str, ...], float]:
    return {
        (sample.name, *sample.labels.values()): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


async def test_a_run_between_two_scrapes_leaves_its_metrics_in_a_file(place: Place) -> None:
    place.script("")
    file, left = place.sweep(*_BATCH), place.folder / "batch.prom"

    ended = await place.sweeper("run", file, "--metrics-textfile", left)

    values = _values(left.read_text())
    assert ended.code == 0, ended.err
    assert values["sweeper_trial_outcomes_total", "completed", "batch"] == 2
    assert values["sweeper_sweep_progress_ratio", "batch"] == 1
    assert values["sweeper_store_rows", "batch", "trials"] == 2
    assert values["sweeper_owner", "batch"] == 0
    assert list(place.folder.glob("*.prom*")) == [left]


async def test_a_run_that_lingers_is_scraped_after_its_end(place: Place) -> None:
    place.script("")
    file = place.sweep(*_BATCH)

    async with place.run("run", file, "--linger", "1h") as daemon:
        url = (await daemon.says("metrics and health: ")).split()[-1]
        await daemon.says("results: ")
        async with httpx.AsyncClient(trust_env=False) as client:
            scraped = (await client.get(url)).text
        daemon.send(signal.SIGTERM)
        ended = await daemon.end()

    values = _values(scraped)
    assert values["sweeper_trial_outcomes_total", "completed", "batch"] == 2
    assert values["sweeper_owner", "batch"] == 0
    assert ended.code == 0


async def test_a_gateway_that_is_dead_fails_no_sweep(place: Place) -> None:
    place.script("")

    ended = await place.sweeper("run", place.sweep(*_BATCH), "--pushgateway", "http://127.0.0.1:9")

    assert ended.code == 0
    assert ended.err.count("Metrics do not get to http://127.0.0.1:9") == 1


async def test_a_file_that_cannot_be_written_is_refused_at_once(place: Place) -> None:
    place.script("")
    left = place.folder / "gone" / "batch.prom"

    ended = await place.sweeper("run", place.sweep(*_BATCH), "--metrics-textfile", left)

    assert ended.code == 2
    assert f"{left} cannot be written" in ended.err
