"""The volumes of a training.

An item with `exclude: true` is not mounted: it drops an item that a policy's defaults would add.
"""

from typing import Literal

from sweeper.wire.scalars import Amount, SentModel, Text1, Text63, Uuid


class StorageItem(SentModel):
    """What the items of all kinds of storage share."""

    exclude: bool | None = False
    """Whether to drop the item that a policy adds."""


class NamedStorageItem(StorageItem):
    """What the items of all kinds but data volumes share."""

    name: Text1 | None = None
    """A name for this item, unique in its list."""


class DataVolume(StorageItem):
    """A data volume that an administrator has set up; the one kind without a name."""

    id: Uuid | None = None
    """Which one. Mandatory."""
    mount_path: str | None = None
    """Where it appears in the container. Mandatory, with content."""


class PvcAccessModes(SentModel):
    """Who may mount a new claim at one time; the modes add up."""

    read_write_once: bool | None = True
    """One host reads and writes. Stays true beside other modes unless false is said."""
    read_only_many: bool | None = False
    """Many hosts read."""
    read_write_many: bool | None = False
    """Many hosts read and write."""


class ClaimInfo(SentModel):
    """What a new claim asks for; never given for one that exists."""

    size: Amount | None = None
    """Size such as 10Gi or 10G (never GB or GiB). Mandatory for a new claim."""
    storage_class: Text1 | None = None
    """Storage class. May be left out where there is only one, or a default."""
    access_modes: PvcAccessModes | None = None
    """Who may mount it."""
    volume_mode: Literal["Filesystem", "Block"] | None = None
    """How it appears. Left out: Filesystem."""


class Pvc(NamedStorageItem):
    """A persistent volume claim, existing or new."""

    path: Text1 | None = None
    """Where it appears in the container. Mandatory."""
    existing_pvc: bool | None = False
    """Whether the claim must exist already; otherwise it is made if it does not."""
    claim_name: Text63 | None = None
    """The claim's name, 63 characters at most, by which trainings share it. Left out: made up."""
    read_only: bool | None = False
    """Whether it is mounted without writing."""
    ephemeral: bool | None = False
    """Whether the claim is deleted when the training stops, and its checkpoints with it."""
    claim_info: ClaimInfo | None = None
    """What a new claim asks for. Mandatory for a new one, wrong for an existing one."""


class HostPath(NamedStorageItem):
    """A directory of the node itself."""

    path: Text1 | None = None
    """The node's directory. Mandatory."""
    read_only: bool | None = True
    """Whether it is mounted without writing."""
    mount_path: Text1 | None = None
    """Where it appears in the container. Mandatory."""
    mount_propagation: Literal["None", "HostToContainer"] | None = None
    """Whether mounts that the node makes later appear too; the same for all host paths."""


class Nfs(NamedStorageItem):
    """A directory that an NFS server exports."""

    path: Text1 | None = None
    """The exported directory. Mandatory."""
    read_only: bool | None = True
    """Whether it is mounted without writing."""
    server: Text1 | None = None
    """The server's name or address. Mandatory."""
    mount_path: Text1 | None = None
    """Where it appears in the container. Mandatory."""


class Git(NamedStorageItem):
    """A Git repository, copied into the container."""

    repository: Text1 | None = None
    """The repository's URL. Mandatory."""
    branch: Text1 | None = None
    """Which branch to copy."""
    revision: Text1 | None = None
    """Which revision to copy."""
    path: Text1 | None = None
    """Where it appears in the container. Mandatory."""
    password_secret: Text1 | None = None
    """Secret with the credentials, for a repository that is not public."""
    secret_key_of_user: Text1 | None = None
    """Key of the user within the Secret. Left out: User."""
    secret_key_of_password: Text1 | None = None
    """Key of the password within the Secret. Left out: Password."""


class ConfigMapVolume(NamedStorageItem):
    """A ConfigMap as files."""

    config_map: Text1 | None = None
    """The ConfigMap. Mandatory."""
    mount_path: Text1 | None = None
    """Where it appears in the container. Mandatory."""
    sub_path: Text1 | None = None
    """Path within the volume, when not all of it is wanted."""


class SecretVolume(NamedStorageItem):
    """A Secret as files."""

    mount_path: Text1 | None = None
    """Where it appears in the container. Mandatory."""
    secret: Text1 | None = None
    """The Secret. Mandatory."""


class S3(NamedStorageItem):
    """A bucket of an S3 service."""

    bucket: Text1 | None = None
    """The bucket. Mandatory."""
    path: Text1 | None = None
    """Where it appears in the container. Mandatory."""
    url: Text1 | None = None
    """The service's address. Left out: Amazon's."""
    access_key_secret: Text1 | None = None
    """Secret with the credentials, for a private bucket."""
    secret_key_of_access_key_id: Text1 | None = None
    """Key of the access key's id within the Secret. Left out: AccessKeyId."""
    secret_key_of_secret_key: Text1 | None = None
    """Key of the secret key within the Secret. Left out: SecretKey."""


class StorageSpec(SentModel):
    """All volumes of a training, by kind."""

    data_volume: list[DataVolume | None] | None = None
    """Data volumes."""
    pvc: list[Pvc | None] | None = None
    """Persistent volume claims."""
    host_path: list[HostPath | None] | None = None
    """Directories of the node: privileged."""
    nfs: list[Nfs | None] | None = None
    """NFS exports."""
    git: list[Git | None] | None = None
    """Git repositories."""
    config_map_volume: list[ConfigMapVolume | None] | None = None
    """ConfigMaps as files."""
    secret_volume: list[SecretVolume | None] | None = None
    """Secrets as files."""
    s3: list[S3 | None] | None = None
    """S3 buckets."""
