"""As whom, and with which powers, a training's container runs."""

from typing import Literal

from sweeper.wire.scalars import Int64, SentModel

Capability = Literal[
    "AUDIT_CONTROL",
    "AUDIT_READ",
    "AUDIT_WRITE",
    "BLOCK_SUSPEND",
    "CHOWN",
    "DAC_OVERRIDE",
    "DAC_READ_SEARCH",
    "FOWNER",
    "FSETID",
    "IPC_LOCK",
    "IPC_OWNER",
    "KILL",
    "LEASE",
    "LINUX_IMMUTABLE",
    "MAC_ADMIN",
    "MAC_OVERRIDE",
    "MKNOD",
    "NET_ADMIN",
    "NET_BIND_SERVICE",
    "NET_BROADCAST",
    "NET_RAW",
    "SETGID",
    "SETFCAP",
    "SETPCAP",
    "SETUID",
    "SYS_ADMIN",
    "SYS_BOOT",
    "SYS_CHROOT",
    "SYS_MODULE",
    "SYS_NICE",
    "SYS_PACCT",
    "SYS_PTRACE",
    "SYS_RAWIO",
    "SYS_RESOURCE",
    "SYS_TIME",
    "SYS_TTY_CONFIG",
    "SYSLOG",
    "WAKE_ALARM",
]


class SecuritySpec(SentModel):
    """The container's user, its powers and its walls."""

    uid_gid_source: Literal["fromTheImage", "fromIdpToken", "custom"] | None = None
    """Where user and groups come from. Left out: the image. fromIdpToken is the vendor's own."""
    capabilities: list[Capability] | None = None
    """Powers added to the container, without CAP_ in front."""
    seccomp_profile_type: Literal["RuntimeDefault", "Unconfined", "Localhost"] | None = None
    """Filter of system calls. Unconfined is none; Localhost is not supported yet."""
    run_as_non_root: bool | None = None
    """Whether the container must not run as root."""
    read_only_root_filesystem: bool | None = None
    """Whether the image's own files cannot be written."""
    run_as_uid: Int64 | None = None
    """User id; counts unless the source is fromTheImage."""
    run_as_gid: Int64 | None = None
    """Group id; counts unless the source is fromTheImage."""
    supplemental_groups: str | None = None
    """More group ids in one text, commas between; "" goes back to the image's groups."""
    allow_privilege_escalation: bool | None = None
    """Whether processes may gain powers after their start."""
    host_ipc: bool | None = None
    """Whether the container shares the node's inter-process communication. Left out: no."""
    host_network: bool | None = None
    """Whether the container shares the node's network. Left out: no."""
