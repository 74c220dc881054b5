"""Which file system a path is on: SQLite's locks hold, and its writes last, on local ones only."""

from collections.abc import Callable
from pathlib import Path
from typing import TypeAlias

import psutil

from sweeper.errors import SettingsError

KindOf: TypeAlias = Callable[[Path], str | None]
"""Returns the type of the file system that a path is on, as mount(8) names it; None: unknown."""

NETWORK = frozenset(
    {
        *(
            "nfs",
            "nfs4",
            "cifs",
            "smb3",
            "smbfs",
            "afs",
            "afpfs",
            "coda",
            "ncpfs",
            "davfs",
            "webdav",
        ),
        *("ceph", "glusterfs", "lustre", "gpfs", "beegfs", "fhgfs", "orangefs", "pvfs2", "panfs"),
        *(
            "wekafs",
            "fuse.ceph",
            "fuse.ceph-fuse",
            "fuse.glusterfs",
            "fuse.quobyte",
            "fuse.juicefs",
        ),
        *("fuse.sshfs", "fuse.davfs", "fuse.s3fs", "fuse.rclone", "fuse.gcsfuse", "fuse.goofys"),
        *("fuse.blobfuse", "fuse.blobfuse2", "fuse.seaweedfs", "fuse.moosefs", "fuse.mfs"),
    }
)
"""Types that more than one machine can mount at once, or that put an object store behind files."""


def refuse_network(path: Path, kind_of: KindOf) -> None:
    """Refuse to keep a store at `path`, which need not exist, on a network file system.

    Raises:
        SettingsError: it is one; a type that is unknown passes.
    """
    kind = kind_of(path)
    if kind in NETWORK:
        raise SettingsError(
            f"the state directory cannot be on a network file system: {path} is on {kind}, where "
            "locks and writes of SQLite cannot be relied on; name a directory on a local disk or "
            "a block volume with --state-dir or SWEEPER_STATE_DIR"
        )


def file_system_of(path: Path) -> str | None:
    """Return the type of the file system that holds `path`, None where that cannot be told."""
    try:
        place = path.resolve()
        mounts = psutil.disk_partitions(all=True)
    except (OSError, RuntimeError, psutil.Error):
        return None
    around = [mount for mount in mounts if place.is_relative_to(mount.mountpoint)]
    # Of several at one place, the last that was mounted is the one that is seen.
    nearest = max(
        enumerate(around), key=lambda each: (len(each[1].mountpoint), each[0]), default=None
    )
    return None if nearest is None else str(nearest[1].fstype)
