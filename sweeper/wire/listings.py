"""What a control plane answers where the contract ends: workloads, events, projects, clusters."""

from collections.abc import Mapping, Sequence
from typing import Any, Literal

from pydantic import AwareDatetime, Field

from sweeper.domain.phase import Phase
from sweeper.wire.answers import AnswerModel
from sweeper.wire.scalars import Text1, Uuid

WorkloadType = Literal["Training"]
"""Of the many types of workloads in Run:ai's listing the only one that we have."""


class RequestedPods(AnswerModel):
    """How many pods a workload asks for."""

    number: int | None = None
    """Pods in all."""
    parallelism: int | None = None
    """Most pods at one time."""
    completions: int | None = None
    """Pods that must succeed."""


class Condition(AnswerModel):
    """One Kubernetes condition of a workload."""

    type: str
    """What it is about."""
    status: str
    """True, False or Unknown, as text."""
    message: str = ""
    """Words for people."""
    reason: str = ""
    """One word for programs."""
    last_transition_time: AwareDatetime
    """When the status last changed."""


class ActionsSupport(AnswerModel):
    """What can be done with a workload."""

    delete: bool = True
    """Whether it can be deleted."""
    suspend: bool = True
    """Whether it can be suspended."""


class Workload(AnswerModel):
    """One item of the listing: id and phase have other names here than in a training's answer."""

    id: Uuid
    """The training's `workloadId`."""
    name: Text1
    """The final name."""
    type: WorkloadType = "Training"
    """The type of workload."""
    phase: Phase
    """The training's `actualPhase`."""
    phase_message: str = ""
    """Why it is in this phase, in words for people."""
    phase_reason: Literal["NonPreemptibleOverQuota", "OverLimit"] | None = None
    """Which quota keeps it Pending."""
    phase_updated_at: AwareDatetime
    """When the phase last changed."""
    k8s_phase: str | None = Field(default=None, alias="k8sPhase")
    """Kubernetes' own word for the phase."""
    conditions: Sequence[Condition] | None = None
    """Kubernetes' conditions."""
    created_at: AwareDatetime
    """When it was accepted."""
    updated_at: AwareDatetime | None = None
    """When anything last changed."""
    completed_at: AwareDatetime | None = None
    """When it ended by itself."""
    deleted_at: AwareDatetime | None = None
    """When it was deleted."""
    running_pods: int | None = None
    """Pods at work."""
    requested_pods: RequestedPods | None = None
    """Pods asked for."""
    preemptible: bool | None = None
    """Whether the scheduler may take its resources."""
    priority: str | None = None
    """Its priority class."""
    priority_class_name: str | None = None
    """The same, by its later name."""
    project_id: str
    """The project."""
    project_name: str | None = None
    """The project's name."""
    department_id: Text1 | None = None
    """The project's department."""
    department_name: str | None = None
    """The department's name."""
    cluster_id: Uuid
    """The cluster."""
    namespace: str | None = None
    """The project's Kubernetes namespace."""
    submitted_by: str | None = None
    """Who created it."""
    current_node_pools: Sequence[str] | None = None
    """Node pools it runs in."""
    allocated_resources: Mapping[str, Any] | None = None
    """What it holds, such as `{"gpu": {"request": 0.5}}`."""
    images: Sequence[str] | None = None
    """Its container images."""
    command: str | None = None
    """What replaces the image's entry point."""
    arguments: str | None = None
    """The command's arguments."""
    environment_variables: Mapping[str, str] | None = Field(default=None, repr=False)
    """Its environment by name; may hold secrets, so a control plane should leave it out."""
    actions_support: ActionsSupport | None = None
    """What can be done with it."""
    source: str | None = None
    """By which way it was created."""


class WorkloadPage(AnswerModel):
    """One page of the listing."""

    next: int | None = None
    """Offset of the next page; left out on the last one."""
    workloads: Sequence[Workload]
    """The workloads on this page."""


class WorkloadCount(AnswerModel):
    """How many workloads a filter lets through."""

    count: int
    """The number."""


class InvolvedObject(AnswerModel):
    """The Kubernetes object that an event is about."""

    uid: str
    """Its id."""
    kind: str
    """Its kind, such as Pod."""
    name: str
    """Its name."""
    namespace: str
    """Its namespace."""


class WorkloadEvent(AnswerModel):
    """One Kubernetes event of a workload."""

    id: str
    """The event's own id."""
    created_at: AwareDatetime
    """When it happened."""
    type: Literal["Normal", "Warning"]
    """Whether someone should look."""
    reason: str
    """One word for programs, such as Evict."""
    message: str
    """Words for people."""
    source: str | None = None
    """Who says so."""
    cluster_id: Uuid | None = None
    """The cluster."""
    involved_object: InvolvedObject | None = None
    """What it is about."""


class EventPage(AnswerModel):
    """One page of a workload's events."""

    next: int | None = None
    """Offset of the next page; left out on the last one."""
    events: Sequence[WorkloadEvent]
    """The events on this page."""


class Project(AnswerModel):
    """One project."""

    id: str
    """Its id, which a create takes."""
    name: str
    """Its name."""
    cluster_id: Uuid
    """The cluster it belongs to."""
    department_id: Text1 | None = None
    """Its department."""
    department_name: str | None = None
    """The department's name."""


class ProjectPage(AnswerModel):
    """One page of projects."""

    next: int | None = None
    """Offset of the next page; left out on the last one."""
    projects: Sequence[Project]
    """The projects on this page."""


class Cluster(AnswerModel):
    """One cluster; the API answers with a bare list of them."""

    uuid: Uuid
    """Its id, which a create takes."""
    name: str
    """Its name."""
    version: str | None = None
    """The version of its software."""
