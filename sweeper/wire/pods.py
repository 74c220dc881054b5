"""What a control plane answers about the pods of a workload."""

from collections.abc import Sequence
from typing import Literal

from pydantic import AwareDatetime, Field

from sweeper.wire.answers import AnswerModel
from sweeper.wire.scalars import Uuid


class Container(AnswerModel):
    """One container of a pod."""

    name: str
    """Its name within the pod."""
    image: str
    """Its image; empty where there is none."""
    started_at: AwareDatetime | None = None
    """When it started."""


class Pod(AnswerModel):
    """One pod."""

    name: str
    """Its name."""
    priority_class_name: str
    """The priority class of its workload."""
    id: str
    """Its own id."""
    workload_id: Uuid
    """Its workload."""
    workload_name: str | None = None
    """The workload's name."""
    cluster_id: Uuid
    """The cluster."""
    project_id: str | None = None
    """The project."""
    project_name: str | None = None
    """The project's name."""
    node_name: str | None = None
    """The node it is on."""
    created_at: AwareDatetime
    """When it was made."""
    updated_at: AwareDatetime
    """When anything last changed."""
    completed_at: AwareDatetime | None = None
    """When it ended by itself."""
    containers: Sequence[Container]
    """Its containers."""
    current_node_pool: str | None = None
    """The node pool it is in."""
    k8s_phase: Literal["Pending", "Running", "Succeeded", "Failed", "Unknown"] = Field(
        alias="k8sPhase"
    )
    """Kubernetes' own word for its phase."""
    k8s_phase_updated_at: AwareDatetime = Field(alias="k8sPhaseUpdatedAt")
    """When that last changed."""
    tenant_id: int = 1
    """The tenant; there is one."""


class PodPage(AnswerModel):
    """One page of pods."""

    next: int | None = None
    """Offset of the next page; left out on the last one."""
    pods: Sequence[Pod]
    """The pods on this page."""
