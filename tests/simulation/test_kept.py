"""Worlds in which something went wrong once: kept as they were, whatever seeds mean by now."""

import json
import logging
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.simulation.scenario import SHAPE, draw
from tests.simulation.world import run_scenario

KEPT = sorted((Path(__file__).parent / "kept").glob("*.json"))


@pytest.fixture(autouse=True)
def _quiet() -> Iterator[None]:
    logging.disable(logging.CRITICAL)
    yield
    logging.disable(logging.NOTSET)


@pytest.mark.timeout(120)
@pytest.mark.parametrize("file", KEPT, ids=lambda file: file.stem)
def test_what_went_wrong_once_goes_well(file: Path) -> None:
    kept = json.loads(file.read_text(encoding="utf-8"))

    outcome = run_scenario(SHAPE.validate_python(kept["scenario"]))

    assert not outcome.violations, kept["reason"]


@pytest.mark.parametrize("seed", range(5))
def test_a_scenario_is_kept_whole(seed: int) -> None:
    scenario = draw(seed)

    assert SHAPE.validate_json(SHAPE.dump_json(scenario, exclude_defaults=True)) == scenario
