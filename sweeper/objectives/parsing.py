"""What a training sends, as far as it makes sense: text of other people's programs to reports.

Anything may arrive here. What can be misread by nobody is taken, what is no number is refused
in words that a person at `curl` can act on, and values that are not finite are left out: a loss
that has become NaN is no reason to lose the others of the same step.
"""

import json
import math
import secrets
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from sweeper.domain.record import Report
from sweeper.errors import ReportError

CONTENT_BOUND = 64 * 1024
"""Bytes that one report may have."""

VALUES_BOUND = 100
NAME_BOUND = 256
KEY_BOUND = 128
_STEP_BOUND = 2**63


def parse_report(trial: int, content: bytes, key: str | None, at: datetime) -> Report:
    """Return the report in `content`: a flat JSON object such as `{"loss": 0.1, "step": 3}`.

    `key` keeps a report that is sent twice from counting twice; without one (a plain `curl`) each
    arrival is a report of its own. `at` is when it arrived.

    Raises:
        ReportError: it is too large, not such an object, or holds no finite number.
    """
    if len(content) > CONTENT_BOUND:
        raise ReportError(f"a report may have {CONTENT_BOUND} bytes, this one has {len(content)}")
    values = _object(content)
    step = _step(values.pop("step", None))
    return Report(
        trial=trial,
        key=secrets.token_hex(8) if key is None else _key(key),
        at=at,
        values=_numbers(values),
        step=step,
    )


def parse_line(trial: int, line: bytes) -> Report:
    """Return the report that one line of a report file holds, as `sweeper.report` writes it.

    Raises:
        ReportError: the line is torn, or was never such a line.
    """
    if len(line) > 2 * CONTENT_BOUND:
        raise ReportError(f"a line of a report file has {len(line)} bytes")
    found = _object(line)
    key, values = found.get("key"), found.get("values")
    if not isinstance(key, str) or not isinstance(values, dict):
        raise ReportError("a line of a report file lacks its key or its values")
    return Report(
        trial=trial,
        key=_key(key),
        at=_time(found.get("at")),
        values=_numbers(values),
        step=_step(found.get("step")),
    )


def _object(content: bytes) -> dict[str, Any]:
    try:
        found = json.loads(content.decode("utf-8"))
    except (ValueError, RecursionError) as error:
        raise ReportError(
            'a report is a flat JSON object such as {"loss": 0.1, "step": 3}; this is not JSON'
        ) from error
    if not isinstance(found, dict):
        raise ReportError(
            'a report is a flat JSON object such as {"loss": 0.1, "step": 3}, '
            f"not a {type(found).__name__}"
        )
    return found


def _numbers(values: Mapping[str, Any]) -> dict[str, float]:
    if len(values) > VALUES_BOUND:
        raise ReportError(f"a report may have {VALUES_BOUND} values, this one has {len(values)}")
    numbers = {name: _number(name, value) for name, value in values.items()}
    finite = {name: number for name, number in numbers.items() if math.isfinite(number)}
    if not finite:
        raise ReportError('a report needs at least one finite number, such as {"loss": 0.1}')
    return finite


def _number(name: str, value: object) -> float:
    """Return the value as a float, infinite where it is past what a float holds."""
    if not 1 <= len(name) <= NAME_BOUND:
        raise ReportError(f"the name of a value has 1 to {NAME_BOUND} characters, not {len(name)}")
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ReportError(f"{name!r} must be a number, not {_described(value)}")
    try:
        return float(value)
    except OverflowError:
        return math.inf


def _step(step: object) -> int | None:
    if step is None:
        return None
    if isinstance(step, float) and step.is_integer():
        step = int(step)
    if isinstance(step, bool) or not isinstance(step, int):
        raise ReportError(f"step must be a whole number, not {_described(step)}")
    if not -_STEP_BOUND <= step < _STEP_BOUND:
        raise ReportError("step must fit into 64 bits")
    return step


def _key(key: str) -> str:
    if not 1 <= len(key) <= KEY_BOUND or not key.isprintable():
        raise ReportError(f"the key of a report has 1 to {KEY_BOUND} printable characters")
    return key


def _time(text: object) -> datetime:
    try:
        at = datetime.fromisoformat(text) if isinstance(text, str) else None
        moment = at.astimezone(UTC) if at is not None and at.tzinfo is not None else None
    except (ValueError, OverflowError) as error:
        raise ReportError("the time in a line of a report file cannot be read") from error
    if moment is None:
        raise ReportError("a line of a report file lacks its time, or the time its zone")
    return moment


def _described(value: object) -> str:
    text = json.dumps(value, default=str)
    return text if len(text) <= 40 else f"{text[:40]}…"
