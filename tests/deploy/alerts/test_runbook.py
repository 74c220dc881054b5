"""What a person finds who follows an alert to the runbook."""

import re
import shlex
from collections.abc import Iterator
from typing import Any

import pytest
from typer.main import get_command

from sweeper.cli.main import app
from sweeper.telemetry.catalogue import FAMILIES
from tests.deploy.alerts.rules import RUNBOOK, alerts

PARTS = ("Symptom", "Meaning", "Look at", "Do")

TEXT = RUNBOOK.read_text(encoding="utf-8")

_, *_SECTIONS = re.split(r"^## ", TEXT, flags=re.M)
SECTIONS = {title: body for title, _, body in (one.partition("\n") for one in _SECTIONS)}


def _commands() -> Iterator[str]:
    """Return each line of sweeper's that the page tells to type."""
    blocks = re.findall(r"```sh\n(.*?)```", TEXT, re.S)
    lines = [line.split("  #")[0] for block in blocks for line in block.splitlines()]
    spans = [span for span in re.findall(r"`([^`\n]+)`", TEXT) if span.startswith("sweeper ")]
    for line in (*lines, *spans):
        if line.startswith("sweeper "):
            yield re.split(r" [|>]", line)[0].strip()


COMMANDS = sorted(set(_commands()))


def test_every_alert_has_a_section_and_every_section_an_alert() -> None:
    assert list(SECTIONS) == [alert["alert"] for alert in alerts()]


@pytest.mark.parametrize("title", SECTIONS)
def test_a_section_tells_all_that_a_person_needs(title: str) -> None:
    assert tuple(re.findall(r"^\*\*(.+?)\.?\*\*", SECTIONS[title], re.M)) == PARTS
    assert "```sh\n" in SECTIONS[title]


def test_each_alert_leads_to_its_section() -> None:
    links = {alert["alert"]: alert["annotations"]["runbook_url"] for alert in alerts()}

    # The place of this repository, if Prometheus was told of it, and else nothing.
    root = "{{ $externalLabels.sweeper_docs }}"
    assert links == {name: f"{root}docs/runbook.md#{name.lower()}" for name in links}


@pytest.mark.parametrize("command", COMMANDS)
def test_a_command_that_the_runbook_names_is_understood(command: str) -> None:
    _, verb, *arguments = shlex.split(command)
    group: Any = get_command(app)
    found = group.commands[verb]

    found.make_parser(found.context_class(found)).parse_args(arguments)


def test_the_runbook_names_commands() -> None:
    assert len(COMMANDS) > 15


def test_a_metric_that_the_runbook_names_exists() -> None:
    names = re.findall(r"\bsweeper_[a-z_]+(?=[ `{'\n])", TEXT)

    assert names
    assert {name for name in names if not name.endswith("_")} <= {*FAMILIES}
