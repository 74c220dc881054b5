"""What the alerts ask of Prometheus, when they fire, and when they do not."""

import subprocess
from pathlib import Path
from typing import Any

import pytest

from sweeper.telemetry.catalogue import FAMILIES
from tests.deploy.alerts.rules import CASES, RULES, alerts, read
from tests.deploy.boards.asking import selected

TARGET = {"job", "instance"}
"""The labels that Prometheus gives every series."""

each_alert = pytest.mark.parametrize("alert", alerts(), ids=lambda alert: str(alert["alert"]))


def _promtool(*arguments: str | Path) -> None:
    done = subprocess.run(["promtool", *arguments], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.needs("promtool")
def test_prometheus_reads_the_rules() -> None:
    _promtool("check", "rules", RULES)


@pytest.mark.needs("promtool")
def test_alerts_fire_when_they_should_and_only_then() -> None:
    _promtool("test", "rules", CASES)


@each_alert
def test_an_alert_has_a_case_in_which_it_fires_and_one_in_which_it_does_not(
    alert: dict[str, Any],
) -> None:
    name = alert["alert"]
    cases = {
        test["name"]: [case["exp_alerts"] for case in test["alert_rule_test"]]
        for test in read(CASES)["tests"]
        if all(case["alertname"] == name for case in test["alert_rule_test"])
    }

    firing = [expected for title, expected in cases.items() if title.startswith(f"{name} fires")]
    quiet = [expected for title, expected in cases.items() if f"{name} says nothing" in title]

    assert firing
    assert all(any(expected) for expected in firing)
    assert quiet
    assert not any(any(expected) for expected in quiet)


@each_alert
def test_an_alert_selects_what_there_is(alert: dict[str, Any]) -> None:
    asked = list(selected(alert["expr"]))

    assert asked
    for one in asked:
        assert one.metric in FAMILIES
        assert one.labels <= {*FAMILIES[one.metric].labels} | TARGET


@each_alert
def test_an_alert_says_how_bad_it_is_and_what_it_is_about(alert: dict[str, Any]) -> None:
    said = alert["annotations"]

    assert alert["labels"].keys() == {"severity"}
    assert alert["labels"]["severity"] in {"critical", "warning", "info"}
    assert said.keys() == {"summary", "description", "runbook_url"}
    assert len(said["summary"]) < 80
    assert len(said["description"]) > len(said["summary"])


def test_no_two_alerts_have_one_name() -> None:
    names = [alert["alert"] for alert in alerts()]

    assert len({*names}) == len(names)
