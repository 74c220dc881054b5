"""Lists of named things attached to a training: environment, labels, annotations, tolerations.

An item with `exclude: true` is not added: it drops an item that a policy's defaults would add.
"""

from typing import Literal

from pydantic import Field

from sweeper.wire.scalars import Positive, SentModel, Text1, Text63


class SecretKey(SentModel):
    """A key of a Secret that holds a variable's value."""

    name: Text1 | None = None
    """The Secret. Mandatory."""
    key: Text1 | None = None
    """The key within it. Mandatory."""


class ConfigMapKey(SentModel):
    """A key of a ConfigMap that holds a variable's value."""

    name: Text1 | None = None
    """The ConfigMap. Mandatory."""
    key: Text1 | None = None
    """The key within it. Mandatory."""


class PodFieldReference(SentModel):
    """A field of the pod itself that holds a variable's value."""

    path: Text1 | None = None
    """Path of the field, such as `metadata.name`. Mandatory."""


class EnvironmentVariable(SentModel):
    """One variable of the container's environment, from one source."""

    name: Text1 | None = None
    """Mandatory, and given to one variable only."""
    value: str | None = Field(default=None, repr=False)
    """The value itself; "" is a value, null is none."""
    secret: SecretKey | None = None
    """The value comes from a Secret."""
    config_map: ConfigMapKey | None = None
    """The value comes from a ConfigMap."""
    pod_field_ref: PodFieldReference | None = None
    """The value comes from the pod."""
    exclude: bool | None = None
    """Whether to drop the variable of this name that a policy adds."""
    description: str | None = None
    """Words for people."""


class Annotation(SentModel):
    """One annotation of the training."""

    name: Text63 | None = None
    """Mandatory; 63 characters in all, prefix and slash included."""
    value: str | None = None
    """Any text of any length."""
    exclude: bool | None = False
    """Whether to drop the annotation of this name that a policy adds."""


class Label(SentModel):
    """One label of the training."""

    name: Text63 | None = None
    """Mandatory; 63 characters in all, prefix and slash included."""
    value: str | None = None
    """Kubernetes takes at most 63 characters, although the contract does not say so."""
    exclude: bool | None = None
    """Whether to drop the label of this name that a policy adds."""


class Toleration(SentModel):
    """One taint of nodes that the training puts up with."""

    name: Text1 | None = None
    """A name for this item, for policies."""
    operator: Literal["Equal", "Exists"] | None = None
    """Equal compares key and value, Exists takes any value. Mandatory."""
    key: str | None = None
    """The taint's key. Mandatory."""
    value: str | None = None
    """The taint's value, with Equal only."""
    effect: Literal["NoSchedule", "NoExecute", "PreferNoSchedule", "Any"] | None = None
    """The taint's effect. Mandatory."""
    seconds: Positive | None = None
    """For how many seconds, 1 or more; with the effect NoExecute only."""
    exclude: bool | None = None
    """Whether to drop the toleration that a policy adds."""


class MetadataFields(SentModel):
    """The part of a spec that holds named lists."""

    environment_variables: list[EnvironmentVariable | None] | None = None
    """The container's environment: a list of objects, not a mapping."""
    annotations: list[Annotation | None] | None = None
    """Free notes."""
    labels: list[Label | None] | None = None
    """Marks to select by."""
    tolerations: list[Toleration | None] | None = None
    """Taints that do not keep the training off a node."""
