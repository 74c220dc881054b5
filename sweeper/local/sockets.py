"""Unix sockets that serve one user only: standard library only."""

import os
import socket
import struct
from pathlib import Path

_BACKLOG = 64
_CREDENTIALS = struct.Struct("3i")


def listen_at(path: Path) -> socket.socket:
    """Return a socket that listens at `path`, in place of whatever was there; raises OSError.

    Only its owner may connect.
    """
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    path.unlink(missing_ok=True)
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        listener.bind(os.fspath(path))
        path.chmod(0o600)
        listener.listen(_BACKLOG)
    except OSError:
        listener.close()
        raise
    return listener


def is_of_this_user(connected: socket.socket) -> bool:
    """Return whether the other end belongs to a process of this user.

    True where the system does not tell: the socket's folder keeps others out by itself.
    """
    if not hasattr(socket, "SO_PEERCRED"):  # pragma: no cover - Linux has it
        return True
    told = connected.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _CREDENTIALS.size)
    return bool(_CREDENTIALS.unpack(told)[1] == os.getuid())
