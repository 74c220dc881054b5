"""The alerts as Prometheus reads them, and the pages about them."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

ROOT = Path(__file__).parents[3]

RULES = ROOT / "grafana" / "alerts" / "sweeper.rules.yaml"

CASES = Path(__file__).parent / "sweeper.rules.test.yaml"

RUNBOOK = ROOT / "docs" / "runbook.md"


def read(file: Path) -> Mapping[str, Any]:
    """Return what a YAML file holds."""
    held: Mapping[str, Any] = YAML(typ="safe").load(file.read_text(encoding="utf-8"))
    return held


def alerts() -> Sequence[Mapping[str, Any]]:
    """Return every alert, in the order of the file."""
    return [rule for group in read(RULES)["groups"] for rule in group["rules"]]


def write_hasty(file: Path) -> None:
    """Write the rules anew, so that every alert fires after a second in which it would."""
    rules = read(RULES)
    for group in rules["groups"]:
        for rule in group["rules"]:
            rule["for"] = "1s"
    with file.open("w", encoding="utf-8") as written:
        YAML(typ="safe").dump(rules, written)
