import json
import logging
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sweeper.domain.record import Event, EventKind
from sweeper.domain.trial import TrialState
from sweeper.telemetry.holding import MOST_HELD, HeldLines
from sweeper.telemetry.logfields import EXTRA_FIELDS, LOG_FIELDS, log_schema
from sweeper.telemetry.logs import JsonFormatter, log_lines
from sweeper.telemetry.transitions import transition_lines
from tests.support.builders import NOW, a_sweep, a_trial
from tests.telemetry.builders import a_move

SCHEMA = json.loads(log_schema())

_log = logging.getLogger("sweeper.test")


def checked(line: str) -> dict[str, Any]:
    """Return what a line holds, if it is as the schema says."""
    held: dict[str, Any] = json.loads(line)
    jsonschema.validate(held, SCHEMA)
    return held


def formatted(**extra: object) -> str:
    formatter = JsonFormatter(tuple)
    formatter.about(sweep="demo")
    given = {"name": "sweeper.x", "levelname": "INFO", "msg": "x", **extra}
    return formatter.format(logging.makeLogRecord(given))


def test_the_schema_is_one() -> None:
    jsonschema.Draft202012Validator.check_schema(SCHEMA)


@pytest.mark.parametrize(
    "broken",
    [
        {"unknown": 1},
        {"trial": "3"},
        {"trial": -1},
        {"level": "info"},
        {"time": "2026-03-01 12:00"},
        {"message": None},
    ],
)
def test_the_schema_refuses_what_no_line_is(broken: dict[str, Any]) -> None:
    held = checked(formatted())

    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(held | broken, SCHEMA)


@pytest.mark.parametrize("lonely", [{"attempt": 1}, {"from": "active", "trial": 1}])
def test_the_schema_refuses_a_line_that_leads_nowhere(lonely: dict[str, Any]) -> None:
    held = checked(formatted())

    with pytest.raises(jsonschema.ValidationError, match="is a dependency of"):
        jsonschema.validate(held | lonely, SCHEMA)


@given(
    st.dictionaries(
        st.sampled_from(
            [field.name for field in EXTRA_FIELDS if field.name not in {"attempt", "from"}]
        ),
        st.none()
        | st.text(max_size=9)
        | st.integers(min_value=0)
        | st.floats()
        | st.binary(max_size=9),
    )
)
def test_whatever_a_record_brings_its_line_is_as_the_schema_says(extra: dict[str, Any]) -> None:
    assert "sweep" in checked(formatted(**extra))


@pytest.mark.parametrize("state", TrialState)
def test_a_transition_of_a_trial_names_its_sweep_trial_and_workload(state: TrialState) -> None:
    (line,) = transition_lines(a_sweep(), [a_move("active", state, "why")])

    held = checked(formatted(**line.fields))

    assert {"sweep", "trial", "attempt", "workload_name", "workload_id", "from", "to"} <= {*held}


def test_a_turn_of_a_sweep_is_as_the_schema_says() -> None:
    event = Event(at=NOW, kind=EventKind.SWEEP, outcome="finished")

    (line,) = transition_lines(a_sweep(), [event])

    assert checked(formatted(**line.fields))["to"] == "finished"


def test_what_tells_a_trial_apart_are_fields_of_a_line() -> None:
    held = checked(formatted(**a_trial(3).identity))

    assert held["trial"] == 3
    assert {*a_trial(3).identity} <= {*held}


def test_a_line_that_is_lost_and_lines_that_are_left_out_are_told_in_the_same_shape() -> None:
    lines: list[str] = []
    held = HeldLines(JsonFormatter(tuple))

    with log_lines(as_json=True, secrets=tuple, write=held):
        _log.warning("%d", "no number")
        for _ in range(MOST_HELD):
            _log.warning("x")
        _log.warning("%d", "no number")
    held.release(lines.append)

    assert "2 earlier lines" in checked(lines[0])["message"]
    assert "A log line is lost" in checked(lines[-1])["message"]


def test_every_field_is_explained_once() -> None:
    names = [field.name for field in LOG_FIELDS]

    assert len({*names}) == len(names)
    assert all(field.help for field in LOG_FIELDS)


def test_the_example_of_the_reference_is_a_line() -> None:
    page = Path(__file__).parents[2] / "docs" / "logs.md"
    example = page.read_text(encoding="utf-8").split("```json\n")[1].split("```")[0]

    assert checked(example)["workload_id"]
