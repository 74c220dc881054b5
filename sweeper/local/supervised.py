"""A runtime whose processes are children of a supervisor, reached over a unix socket."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from sweeper.local.runtime import Runtime


@dataclass(frozen=True, slots=True, kw_only=True)
class SupervisorOptions:
    """Where a control plane's supervisor lives.

    `directory` is the state folder of one control plane: the journal of its processes, the
    supervisor's own log, and a note that says where its socket is; one supervisor per directory.
    `socket_directory` is a short path that nobody else may enter. Both are made (0700) where
    missing. `now` dates the ends that nobody saw.
    """

    directory: Path
    socket_directory: Path
    now: Callable[[], datetime]


@asynccontextmanager
async def open_supervised(options: SupervisorOptions) -> AsyncIterator[Runtime]:
    """Connect to the supervisor of this directory, starting it where there is none.

    Processes of a supervisor that is gone are ended first, and known as ended with exit code
    None. Leaving closes the connection and leaves the processes alone.

    Raises:
        RuntimeUnavailableError: the supervisor neither answers nor can be started.
    """
    raise NotImplementedError(options.directory)
    yield
