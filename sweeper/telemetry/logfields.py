"""What a JSON log line may hold, as data: the lines, their JSON Schema and the reference agree."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sweeper.domain.values import JsonValue


@dataclass(frozen=True, slots=True, kw_only=True)
class LogField:
    """One field of a line: a text, or with `is_number` a whole number.

    `shape` is what its JSON Schema says beyond the type. A field that `is_given` is part of
    every line; any other one may come with a record's `extra`.
    """

    name: str
    help: str
    is_number: bool = False
    is_given: bool = False
    shape: tuple[tuple[str, Any], ...] = ()


LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL")

_TIME = r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$"

LOG_FIELDS = (
    LogField(
        name="time",
        is_given=True,
        shape=(("pattern", _TIME),),
        help="When, in UTC with milliseconds: `2026-03-01T12:00:00.500Z`",
    ),
    LogField(
        name="level",
        is_given=True,
        shape=(("enum", [*LEVELS]),),
        help="DEBUG; INFO: all is well; WARNING: degraded but handled; ERROR: a person must act",
    ),
    LogField(name="logger", is_given=True, help="The module that says so: `sweeper.daemon.health`"),
    LogField(name="message", is_given=True, help="What is said, on one line"),
    LogField(
        name="sweep",
        help="The name of the sweep, in every line of its daemon once its file is read",
    ),
    LogField(
        name="project_id",
        help="Run:ai's id of the project of the sweep's trainings, in every line once known",
    ),
    LogField(
        name="cluster_id",
        help="Run:ai's id of their cluster, in every line once known",
    ),
    LogField(
        name="trial",
        is_number=True,
        shape=(("minimum", 0),),
        help="The number of the trial that the line is about",
    ),
    LogField(
        name="attempt",
        is_number=True,
        shape=(("minimum", 1),),
        help="Which try of that trial it is about, from 1",
    ),
    LogField(
        name="workload_name",
        help="The name of that attempt's training, as Run:ai shows it; known before it is created",
    ),
    LogField(name="workload_id", help="Run:ai's id of that training, once it is created"),
    LogField(name="from", help="The state that the trial was in, where it entered another one"),
    LogField(name="to", help="The state that the trial, or the sweep, entered"),
    LogField(name="reason", help="Why"),
    LogField(name="exception", help="A traceback, its lines parted by line ends"),
)
"""In the order in which a line holds them."""

EXTRA_FIELDS = tuple(
    field for field in LOG_FIELDS if not field.is_given and field.name != "exception"
)
"""What `extra` may bring into a line; everything else in it is left out."""

_NEEDS: Mapping[str, JsonValue] = {
    "trial": ["sweep"],
    "attempt": ["trial"],
    "from": ["trial", "to"],
}


def log_schema() -> str:
    """Return the JSON Schema of a line, as text."""
    schema = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "One line of what sweeper logs with --log-format json",
        "type": "object",
        "properties": {field.name: _shape(field) for field in LOG_FIELDS},
        "required": [field.name for field in LOG_FIELDS if field.is_given],
        "dependentRequired": _NEEDS,
        "additionalProperties": False,
    }
    return json.dumps(schema, indent=2) + "\n"


def log_reference() -> str:
    """Return all fields as a Markdown table, ending in a line end."""
    lines = ["| Field | Type | Meaning |", "|---|---|---|"]
    for field in LOG_FIELDS:
        kind = "number" if field.is_number else "text"
        name = f"**`{field.name}`**" if field.is_given else f"`{field.name}`"
        lines.append(f"| {name} | {kind} | {field.help} |")
    return "\n".join(lines) + "\n"


def _shape(field: LogField) -> dict[str, Any]:
    kind = "integer" if field.is_number else "string"
    return {"description": field.help, "type": kind, **dict(field.shape)}
