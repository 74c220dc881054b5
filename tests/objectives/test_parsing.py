import json
import math
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sweeper.domain.record import Report
from sweeper.errors import ReportError
from sweeper.objectives.parsing import CONTENT_BOUND, parse_line, parse_report

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)


def parsed(content: object, key: str | None = "k") -> Report:
    text = content if isinstance(content, bytes) else json.dumps(content).encode()
    return parse_report(3, text, key, NOW)


def a_line(**fields: Any) -> bytes:
    given: dict[str, Any] = {
        "key": "k",
        "at": "2026-03-01T13:00:00+01:00",
        "step": 3,
        "values": {"loss": 0.5},
    }
    return json.dumps(given | fields).encode()


def test_a_flat_object_is_a_report() -> None:
    report = parsed({"loss": 0.5, "acc": 1, "step": 7})

    assert report == Report(trial=3, key="k", at=NOW, values={"loss": 0.5, "acc": 1.0}, step=7)


def test_reports_without_a_key_are_never_the_same() -> None:
    assert parsed({"loss": 1}, None).key != parsed({"loss": 1}, None).key


def test_what_is_not_finite_is_left_out() -> None:
    report = parsed(b'{"a": NaN, "b": -Infinity, "c": 1e999, "d": 1' + b"0" * 400 + b', "e": 2}')

    assert report.values == {"e": 2.0}


@pytest.mark.parametrize(
    ("step", "expected"),
    [
        pytest.param(None, None, id="null"),
        pytest.param(-1, -1, id="negative"),
        pytest.param(3.0, 3, id="whole float"),
    ],
)
def test_a_step_is_a_whole_number_or_missing(step: object, expected: int | None) -> None:
    assert parsed({"loss": 1, "step": step}).step == expected


@pytest.mark.parametrize(
    ("content", "words"),
    [
        pytest.param(b"", "not JSON", id="empty"),
        pytest.param(b"\xff\xfe", "not JSON", id="no text"),
        pytest.param(b"loss=0.1", "not JSON", id="a form"),
        pytest.param(b"[" * 60000, "not JSON", id="deep"),
        pytest.param(b'{"a": ' + b"9" * 5000 + b"}", "not JSON", id="long number"),
        pytest.param([1], "not a list", id="list"),
        pytest.param({}, "at least one finite number", id="nothing"),
        pytest.param({"step": 1}, "at least one finite number", id="step only"),
        pytest.param(b'{"loss": NaN}', "at least one finite number", id="nan only"),
        pytest.param({"loss": "0.1"}, "'loss' must be a number, not \"0.1\"", id="text"),
        pytest.param({"loss": True}, "'loss' must be a number, not true", id="bool"),
        pytest.param({"loss": None}, "'loss' must be a number, not null", id="null"),
        pytest.param(
            {"loss": [1] * 99}, "'loss' must be a number, not [1, 1", id="list of numbers"
        ),
        pytest.param({"loss": 1, "step": "3"}, "step must be a whole number", id="text step"),
        pytest.param({"loss": 1, "step": 1.5}, "step must be a whole number", id="float step"),
        pytest.param({"loss": 1, "step": False}, "step must be a whole number", id="bool step"),
        pytest.param({"loss": 1, "step": 2**63}, "64 bits", id="large step"),
        pytest.param({"": 1}, "1 to 256 characters", id="no name"),
        pytest.param({"n" * 257: 1}, "1 to 256 characters", id="long name"),
        pytest.param({str(n): n for n in range(101)}, "100 values", id="many"),
        pytest.param(b" " * (CONTENT_BOUND + 1), "65536 bytes", id="large"),
    ],
)
def test_what_is_no_report_is_refused_in_words(content: object, words: str) -> None:
    with pytest.raises(ReportError) as caught:
        parsed(content)

    assert words in str(caught.value)
    assert len(str(caught.value)) < 200


@pytest.mark.parametrize("key", ["", "k" * 129, "a\nb"])
def test_a_key_is_short_and_can_be_printed(key: str) -> None:
    with pytest.raises(ReportError, match="key"):
        parsed({"loss": 1}, key)


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


@given(st.binary() | _JSON.map(lambda value: json.dumps(value).encode()), st.none() | st.text())
def test_anything_is_a_report_of_finite_numbers_or_an_error_of_ours(
    content: bytes, key: str | None
) -> None:
    try:
        report = parse_report(3, content, key, NOW)
    except ReportError:
        return

    assert report.values
    assert all(math.isfinite(value) for value in report.values.values())


def test_a_line_of_a_report_file_is_a_report() -> None:
    report = parse_line(3, a_line())

    assert report == Report(trial=3, key="k", at=NOW, values={"loss": 0.5}, step=3)
    assert report.at.utcoffset() == timedelta(0)


@pytest.mark.parametrize(
    "line",
    [
        pytest.param(a_line()[:-5], id="torn"),
        pytest.param(b'{"loss": 1}', id="flat"),
        pytest.param(a_line(key=1), id="key"),
        pytest.param(a_line(values=[1]), id="values"),
        pytest.param(a_line(values={"loss": "1"}), id="text"),
        pytest.param(a_line(step=True), id="step"),
        pytest.param(a_line(at=None), id="no time"),
        pytest.param(a_line(at="yesterday"), id="no such time"),
        pytest.param(a_line(at="2026-03-01T12:00:00"), id="no zone"),
        pytest.param(a_line(at="0001-01-01T00:00:00+14:00"), id="before all time"),
        pytest.param(a_line(more="x" * 3 * CONTENT_BOUND), id="large"),
    ],
)
def test_a_line_that_is_none_of_ours_is_refused(line: bytes) -> None:
    with pytest.raises(ReportError):
        parse_line(3, line)


@given(st.binary() | _JSON.map(lambda value: json.dumps(value).encode()))
def test_any_line_is_a_report_or_an_error_of_ours(line: bytes) -> None:
    with pytest.raises(ReportError):
        parse_line(3, line)
