"""The files of batch runs, read by a real node_exporter."""

from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest
from prometheus_client import Metric
from prometheus_client.parser import text_string_to_metric_families

from sweeper.telemetry.carriers import TextFile
from sweeper.telemetry.metrics import Metrics
from tests.deploy.programs import exporting, free_address
from tests.support.builders import NOW, a_sweep, a_trial
from tests.telemetry.builders import a_tick
from tests.telemetry.scraping import fill

pytestmark = pytest.mark.needs("prometheus-node-exporter")


def _leave(folder: Path, sweep: str) -> None:
    """Leave a file as a daemon of `sweep` does."""
    metrics = Metrics(version="1", now=lambda: NOW)
    fill(metrics)
    metrics.ticked(a_tick(a_trial(0), sweep=a_sweep(name=sweep)))
    TextFile(folder / f"{sweep}.prom").carry(metrics.of_sweep(sweep))


@pytest.fixture
async def exporter(tmp_path: Path) -> AsyncIterator[str]:
    """The address of a node_exporter that reads `tmp_path`, and nothing of the machine."""
    address = free_address()
    async with exporting(
        "prometheus-node-exporter",
        "--collector.disable-defaults",
        "--collector.textfile",
        f"--collector.textfile.directory={tmp_path}",
        f"--web.listen-address={address}",
    ):
        yield f"http://{address}/metrics"


async def test_the_files_of_two_sweeps_do_not_clash(exporter: str, tmp_path: Path) -> None:
    _leave(tmp_path, "one")
    _leave(tmp_path, "two")

    async with httpx.AsyncClient(trust_env=False) as client:
        text = (await client.get(exporter)).text

    families = {family.name: family for family in text_string_to_metric_families(text)}
    assert _sweeps(families["sweeper_sweep_trials_planned"]) == {"one", "two"}
    assert _sweeps(families["sweeper_api_requests"]) == {"one", "two"}
    assert [sample.value for sample in families["node_textfile_scrape_error"].samples] == [0]


def _sweeps(family: Metric) -> set[str]:
    return {sample.labels["sweep"] for sample in family.samples}
