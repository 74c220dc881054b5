"""Reads `training`: where trials run on Run:ai, and the spec of each of them."""

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, cast

from pydantic import Field

from sweeper.domain.sweep import TrainingTemplate
from sweeper.domain.values import JsonValue, freeze
from sweeper.sweepfile.findings import Findings
from sweeper.sweepfile.shapes import Section, read_section

Name = Annotated[str, Field(min_length=1)]


class TrainingShape(Section):
    """The Run:ai side of a sweep."""

    example: ClassVar[str] = "{project: ..., spec: {image: ...}}"

    project: Name | None = None
    """The project's name. Default: RUNAI_PROJECT."""
    projectId: Name | None = None  # noqa: N815 - the API's name
    """The project's id, instead of its name."""
    cluster: Name | None = None
    """The cluster's name. Default: the project's own."""
    clusterId: Name | None = None  # noqa: N815 - the API's name
    """The cluster's id, instead of its name."""
    spec: dict[str, Any]
    """The API's own spec of a training; any text in it may hold `${name}`."""


def read_training(findings: Findings) -> TrainingTemplate | None:
    """Return the Run:ai side of the sweep, None when the file has none or it does not fit."""
    node = findings.root.members.get("training")
    if node is None:
        return None
    if node.value is None:
        findings.fault(
            ("training",),
            f"is empty: write {TrainingShape.example}, or remove it to run on this machine",
            key=True,
        )
        return None
    read = read_section(TrainingShape, findings, ("training",))
    if read is None:
        return None
    for name, by_id in (("project", "projectId"), ("cluster", "clusterId")):
        if getattr(read, name) is not None and getattr(read, by_id) is not None:
            findings.fault(
                ("training", by_id), f"{name} and {by_id} are both given: keep one", key=True
            )
    return TrainingTemplate(
        spec=cast(Mapping[str, JsonValue], freeze(read.spec)),
        project_id=read.projectId,
        project=read.project,
        cluster_id=read.clusterId,
        cluster=read.cluster,
    )
