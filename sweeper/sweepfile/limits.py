"""Reads `limits`."""

import re
from fractions import Fraction
from typing import Annotated, Any, ClassVar

from pydantic import BeforeValidator, WithJsonSchema

from sweeper.domain.sweep import LimitsSpec
from sweeper.sweepfile.amounts import Count, PositiveNumber, complaint
from sweeper.sweepfile.durations import PositiveDuration
from sweeper.sweepfile.findings import Findings
from sweeper.sweepfile.shapes import Section, read_section
from sweeper.wire.rules.view import shown

_PERCENT = re.compile(r"([0-9]{1,3}(?:\.[0-9]{1,12})?)\s*%")
_PATH = ("limits",)


def _failures(value: Any) -> int | float:
    """Return a count as an int, a share as a float."""
    if isinstance(value, str) and (written := _PERCENT.fullmatch(value.strip())):
        share = float(written[1]) / 100
        if 0 < share <= 1:
            return share
    elif isinstance(value, int) and not isinstance(value, bool) and 1 <= value <= 10**9:
        return value
    raise complaint(f"{shown(value)} is neither a count nor a share: write 5, or 10%")


class LimitsShape(Section):
    """Bounds that hold through crashes and lost answers."""

    example: ClassVar[str] = "{active: 8}"

    active: Count | None = None
    """Trainings that may exist and are not finished. Default: the CPU count on this machine,
    8 on Run:ai."""
    pending: Count | None = None
    """Of those, the ones that are not running yet."""
    gpus: PositiveNumber = None
    """Sum of GPU requests, times parallelism; fractions are exact."""
    submit_per_minute: Count | None = None
    """Trainings created in any 60 seconds."""
    failures: Annotated[
        Any,
        BeforeValidator(_failures),
        WithJsonSchema(
            {
                "anyOf": [
                    {"type": "integer", "minimum": 1},
                    {"type": "string", "pattern": r"^\s*[0-9]{1,3}(\.[0-9]{1,12})?\s*%\s*$"},
                ],
                "examples": [5, "10%"],
            }
        ),
    ] = None
    """Failed trials that stop the sweep: a count, or a share of the planned trials as `10%`."""
    deadline: PositiveDuration | None = None
    """Time since the sweep's start after which no new trial starts."""
    max_trials: Count | None = None
    """A sweep of more trials is refused. Default: any size is fine."""


def read_limits(findings: Findings, default_active: int) -> LimitsSpec | None:
    """Return the limits, with `default_active` where the file says no `active`."""
    node = findings.root.members.get("limits")
    if node is None or (node.is_scalar and node.value is None):
        return LimitsSpec(active=default_active)
    if "gpu_hours" in node.members:
        findings.fault(
            (*_PATH, "gpu_hours"),
            "this version does not carry out gpu_hours: remove it, or set deadline or run_cap",
            key=True,
        )
    read = read_section(LimitsShape, findings, _PATH)
    if read is None:
        return None
    is_share = isinstance(read.failures, float)
    return LimitsSpec(
        active=default_active if read.active is None else read.active,
        pending=read.pending,
        gpus=None if read.gpus is None else Fraction(repr(read.gpus)),
        deadline=read.deadline,
        submit_per_minute=read.submit_per_minute,
        failures=None if is_share else read.failures,
        failures_ratio=read.failures if is_share else None,
        max_trials=read.max_trials,
    )
