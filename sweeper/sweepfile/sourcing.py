"""Reads `objective`: where the objective's value comes from."""

import re
from pathlib import PurePath
from typing import Annotated, Any, ClassVar, Literal, Self

from pydantic import BeforeValidator, Field, TypeAdapter, model_validator

from sweeper.domain.sources import VALUE_GROUP, FileSource, Layout, StdoutSource
from sweeper.domain.sweep import SweepSpec
from sweeper.domain.templates import placeholder_names, unknown_placeholders
from sweeper.sweepfile.amounts import complaint
from sweeper.sweepfile.findings import Findings
from sweeper.sweepfile.shapes import Section, read_value
from sweeper.wire.rules.view import shown

Text = Annotated[str, Field(min_length=1)]

_PATH = ("objective",)
_SOURCES = ("push", "stdout", "file")
_LAYOUTS = {
    ".json": Layout.JSON,
    ".jsonl": Layout.JSONL,
    ".ndjson": Layout.JSONL,
    ".csv": Layout.CSV,
    ".tsv": Layout.TSV,
}


def _source(value: Any) -> Any:
    if value in _SOURCES:
        return value
    if value in ("mlflow", "wandb"):
        raise complaint(
            f"{shown(value)} is not carried out by this version: write push, stdout or file"
        )
    raise complaint(f"{shown(value)} is no source: write push, stdout or file")


def _pattern(value: Any) -> Any:
    if isinstance(value, str):
        try:
            re.compile(value)
        except (re.error, OverflowError, RecursionError) as error:
            raise complaint(f"{shown(value)} is no pattern: {error}") from error
    return value


class SourceShape(Section):
    """Where the objective's value comes from. Trials may report it (push) in any case."""

    example: ClassVar[str] = "push, stdout, or {source: file, path: 'out/${trial}.csv'}"

    source: Annotated[Literal["push", "stdout", "file"], BeforeValidator(_source)]
    """push: trials report it; stdout: it is in what they print; file: it is in a file."""
    pattern: Annotated[Text, BeforeValidator(_pattern)] | None = None
    """stdout: what a line with values looks like, with named groups. Default: JSON objects."""
    path: Text | None = None
    """file: the file of a trial; may hold ${trial}, ${attempt} and parameters."""
    format: Literal["json", "jsonl", "csv", "tsv"] | None = None
    """file: how it is laid out. Default: by the ending of its name."""
    step: Text = Field(default="step")
    """The value that counts the training's steps."""

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if self.pattern is not None and self.source != "stdout":
            raise complaint(f"{self.source} has no pattern: remove it, or write source: stdout")
        is_file = self.source == "file"
        if not is_file and (self.path is not None or self.format is not None):
            raise complaint(f"{self.source} has no path and no format: write source: file")
        if is_file and self.path is None:
            raise complaint("file needs a path: write path: 'out/${trial}.csv'")
        if is_file and self.layout is None:
            raise complaint(
                f"how {shown(self.path)} is laid out is not known: "
                "write format: json, jsonl, csv or tsv"
            )
        return self

    @property
    def layout(self) -> Layout | None:
        """How the file is laid out, None where nothing tells."""
        if self.format is not None:
            return Layout(self.format)
        return _LAYOUTS.get(PurePath(self.path or "").suffix.casefold())


def _named(value: Any) -> Any:
    return {"source": value} if isinstance(value, str) else value


Source = Annotated[
    SourceShape,
    BeforeValidator(_named, json_schema_input_type=Literal["push", "stdout"] | SourceShape),
]
"""A source, or its name alone."""


_ADAPTER: TypeAdapter[SourceShape] = TypeAdapter(Source)


def read_source(findings: Findings, *, is_local: bool) -> StdoutSource | FileSource | None:
    """Return where values are found; None where trials report them, or what is given cannot be."""
    given = read_value(_ADAPTER, findings, _PATH, SourceShape)
    if given is None or given.source == "push":
        return None
    if not is_local:
        findings.fault(
            _PATH,
            f"{given.source} is read on this machine, and trainings on Run:ai run elsewhere: "
            "write push and let them report",
            key=True,
        )
        return None
    metric = findings.root.child("metric")
    name = None if metric is None else metric.child("name")
    if metric is None or metric.value is None:
        findings.fault(
            _PATH, "nothing says which value is the objective: write metric: {name: ...}", key=True
        )
    if given.source == "stdout":
        objective = name.value if name is not None else None
        _check_groups(findings, given.pattern, objective)
        return StdoutSource(pattern=given.pattern, step=given.step)
    return FileSource(path=given.path or "", layout=given.layout or Layout.JSONL, step=given.step)


def check_path(findings: Findings, spec: SweepSpec) -> None:
    """Add what is wrong with the placeholders of a file's path."""
    if not isinstance(spec.source, FileSource):
        return
    where = (*_PATH, "path")
    if not findings.has_faults(("parameters",)):
        for each in unknown_placeholders({"path": spec.source.path}, placeholder_names(spec.space)):
            findings.fault(where, each.message)
    if "${" not in spec.source.path:
        findings.fault(
            where,
            f"{shown(spec.source.path)} is one file for all trials: put ${{trial}} into it",
        )


def _check_groups(findings: Findings, pattern: str | None, objective: object) -> None:
    if pattern is None:
        return
    groups = re.compile(pattern).groupindex
    if VALUE_GROUP not in groups and objective not in groups:
        findings.fault(
            (*_PATH, "pattern"),
            f"no group of it is the objective: write (?P<{VALUE_GROUP}>...) around the number",
        )
