"""The body of a create: who the training is, and its spec."""

from typing import Literal

from sweeper.wire.compute import PlacementFields
from sweeper.wire.connectivity import ConnectivityFields
from sweeper.wire.container import ContainerFields
from sweeper.wire.metadata import MetadataFields
from sweeper.wire.scalars import Int32, Int64, Natural64, SentModel, Text1, Uuid
from sweeper.wire.security import SecuritySpec
from sweeper.wire.storage import StorageSpec

PriorityClass = Literal["build", "train", "interactive-preemptible"]


class LifecycleFields(SentModel):
    """The part of a spec that says how a training ends, and how often it is tried."""

    terminate_after_preemption: bool | None = None
    """Whether the control plane ends a training that was preempted, instead of resuming it."""
    auto_deletion_time_after_completion_seconds: Int64 | None = None
    """Seconds after which a Completed or Failed training is deleted. Left out: 30 days."""
    termination_grace_period_seconds: Natural64 | None = None
    """Seconds from SIGTERM to SIGKILL, 0 or more; 0 leaves no time for a last checkpoint."""
    backoff_limit: Int64 | None = None
    """How often a failed pod is tried again before the training is Failed. Left out: 6."""
    restart_policy: Literal["Always", "Never", "OnFailure"] | None = None
    """Whether a container that ended starts again. Left out: the framework decides."""
    priority_class: PriorityClass | None = None
    """Place in the queue; build is also not preempted inside the deserved quota. Left out: train.

    These words are those of API 2.21; later versions take others.
    """
    completions: Int32 | None = None
    """Pods that must succeed before the training is Completed."""
    parallelism: Int32 | None = None
    """Most pods at one time."""


class TrainingSpec(
    ContainerFields, MetadataFields, PlacementFields, ConnectivityFields, LifecycleFields
):
    """The whole spec of a training."""

    storage: StorageSpec | None = None
    """Volumes; null mounts none."""
    security: SecuritySpec | None = None
    """User and powers; null sets none."""


class TrainingCreationRequest(SentModel):
    """The body of `POST /api/v1/workloads/trainings`."""

    name: Text1
    """The training's name. The product's own naming rules are narrower than the contract's."""
    use_given_name_as_prefix: bool = False
    """Whether the final name gets random characters behind the given one. We never ask for it."""
    project_id: str
    """The project; an opaque text, even where it looks like a number."""
    cluster_id: Uuid
    """The cluster."""
    spec: TrainingSpec | None = None
    """What to run. The contract lets it be absent; we always send it."""
