"""Where a trial's values are found, beside what it reports by itself."""

from dataclasses import dataclass
from enum import StrEnum

VALUE_GROUP = "value"
"""The group of a pattern that holds the objective, whose name may be none that a group may have."""


class Layout(StrEnum):
    """How a file that trainings write is laid out."""

    JSON = "json"  # one object, or a list of them, written anew each time
    JSONL = "jsonl"  # an object a line
    CSV = "csv"  # a line of names, then a line for each step
    TSV = "tsv"


@dataclass(frozen=True, slots=True, kw_only=True)
class StdoutSource:
    """Values are in what a training prints: lines that are JSON objects, or match `pattern`.

    Named groups of the pattern are values; `VALUE_GROUP` is the objective's. `step` names the
    value that is the training's own count.
    """

    pattern: str | None = None
    step: str = "step"


@dataclass(frozen=True, slots=True, kw_only=True)
class FileSource:
    """Values are in a file that a training writes.

    `path` may hold `${trial}` and the other names of templates; a relative one begins where
    trials run. `step` names the value that is the training's own count.
    """

    path: str
    layout: Layout
    step: str = "step"
