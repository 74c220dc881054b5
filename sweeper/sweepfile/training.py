"""Reads `training`: where trials run on Run:ai, and the spec of each of them."""

from typing import Annotated, Any, ClassVar, Self

from pydantic import Field, model_validator

from sweeper.sweepfile.amounts import complaint
from sweeper.sweepfile.shapes import Section

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

    @model_validator(mode="after")
    def _one_each(self) -> Self:
        if self.project is not None and self.projectId is not None:
            raise complaint("project and projectId are both given: keep one")
        if self.cluster is not None and self.clusterId is not None:
            raise complaint("cluster and clusterId are both given: keep one")
        return self
