"""What a scrape holds, judged by Prometheus' own tool."""

import subprocess

import pytest

from sweeper.telemetry.metrics import Metrics
from tests.support.builders import NOW
from tests.telemetry.scraping import fill

pytestmark = pytest.mark.needs("promtool")


def test_promtool_finds_no_fault_with_any_family() -> None:
    metrics = Metrics(version="1", now=lambda: NOW)
    fill(metrics)

    judged = subprocess.run(
        ["promtool", "check", "metrics"],
        input=metrics.render("")[0],
        capture_output=True,
        check=False,
    )

    assert (judged.returncode, judged.stdout, judged.stderr) == (0, b"", b"")
