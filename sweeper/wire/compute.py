"""What a training asks of the machines: GPUs, CPUs, memory, and which nodes."""

from typing import Literal

from sweeper.wire.scalars import Amount, Natural32, Number, SentModel, Text1

GpuRequestType = Literal["portion", "memory", "migProfile"]
MigProfile = Literal[
    "1g.5gb",
    "1g.10gb",
    "2g.10gb",
    "2g.20gb",
    "3g.20gb",
    "3g.40gb",
    "4g.20gb",
    "4g.40gb",
    "7g.40gb",
    "7g.80gb",
]


class ExtendedResource(SentModel):
    """An amount of a resource that only some nodes offer."""

    resource: Text1 | None = None
    """The resource's name. Mandatory."""
    quantity: Text1 | None = None
    """How much of it, as text."""
    exclude: bool | None = None
    """Whether to drop the resource that a policy adds."""


class ComputeSpec(SentModel):
    """What each pod of a training asks for, and what it may not exceed.

    A pod stays Pending until all that is requested can be guaranteed.
    """

    gpu_devices_request: Natural32 | None = None
    """GPU devices, 0 or more. Of more than one, only whole devices or portions can be had."""
    gpu_request_type: GpuRequestType | None = None
    """What a share of a device is measured in: it decides which of the next fields apply."""
    gpu_portion_request: Number | None = None
    """Share of each device, with the type portion and only then.

    The contract takes 0 or more; what makes sense is above 0 and at most 1.
    """
    gpu_portion_limit: Number | None = None
    """Largest share of each device, 0 or more; not below the request."""
    gpu_memory_request: Amount | None = None
    """Memory of each device, such as 10Gi. With the type memory, and only then."""
    gpu_memory_limit: Amount | None = None
    """Most memory of each device, such as 10Gi; not below the request."""
    mig_profile: MigProfile | None = None
    """Slice of a device, with the type migProfile. Deprecated; gone in API 2.24."""
    cpu_core_request: Number | None = None
    """CPU cores that are guaranteed, 0 or more; fractions allowed."""
    cpu_core_limit: Number | None = None
    """Most CPU cores, 0 or more; not below the request."""
    cpu_memory_request: Amount | None = None
    """Memory that is guaranteed, such as 10Gi."""
    cpu_memory_limit: Amount | None = None
    """Most memory, such as 10Gi; not below the request. Taking more is an error in the process."""
    large_shm_request: bool | None = None
    """Whether to mount a large /dev/shm, which lives in memory."""
    extended_resources: list[ExtendedResource | None] | None = None
    """Resources beyond GPU, CPU and memory."""


class PodAffinity(SentModel):
    """Whether to run beside other workloads."""

    type: Literal["Required", "Preferred"] | None = None
    """How firmly. Mandatory."""
    key: str | None = None
    """Label that marks nodes of one place. Mandatory, with content."""


class PlacementFields(SentModel):
    """The part of a spec that says where a training may run, and what it asks for."""

    node_type: Text1 | None = None
    """Group of nodes by their label; narrows what the project allows, never widens it."""
    node_pools: list[str] | None = None
    """Node pools in order of preference."""
    pod_affinity: PodAffinity | None = None
    """Which workloads to run beside."""
    compute: ComputeSpec | None = None
    """What each pod asks for; null asks for nothing."""
