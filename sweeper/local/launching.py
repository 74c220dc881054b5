"""Finding the supervisor of a directory, and starting it where there is none.

Whoever holds the lock of a directory is its supervisor, or is about to start it: the lock goes
from hand to hand as an open file, together with a socket that listens already, so that there is
neither a moment without an owner nor one in which a client must wait and ask again.
"""

import contextlib
import fcntl
import hashlib
import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

import sweeper
from sweeper.local.journal import Journal
from sweeper.local.runtime import ProcessEnd, RuntimeUnavailableError
from sweeper.local.sockets import listen_at
from sweeper.local.supervisor import JOURNAL, LOG
from sweeper.local.survivors import end_survivors

_LOCK = "supervisor.lock"
_NOTE = "supervisor.json"
_LONGEST_SOCKET_PATH = 107
_LAUNCH_SECONDS = 8.0

# The package's own place comes first only where the interpreter would not look by itself.
_PROGRAM = (
    "import sys; root = sys.argv[1]; root in sys.path or sys.path.insert(0, root); "
    "from sweeper.local.supervisor import main; main()"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class SupervisorOptions:
    """Where a control plane's supervisor lives.

    `directory` is the state folder of one control plane: the journal of its processes, the
    supervisor's own log, and a note that says where its socket is; one supervisor per directory.
    `socket_directory` is a short path that nobody else may enter. Both are made (0700) where
    missing. `now` dates the ends that nobody saw. `environment` is the supervisor's own, None
    that of this process; whoever may read a process may read that.
    """

    directory: Path
    socket_directory: Path
    now: Callable[[], datetime]
    environment: Mapping[str, str] | None = field(default=None, repr=False)


def noted_socket(options: SupervisorOptions) -> Path:
    """Return where the supervisor of this directory listens, if there is one.

    It may have been started with another socket directory; the note says which.
    """
    with contextlib.suppress(OSError, ValueError, RecursionError):
        note = json.loads((options.directory / _NOTE).read_text(encoding="utf-8"))
        if isinstance(note, dict) and isinstance(note.get("socket"), str):
            return Path(note["socket"])
    return _socket_path(options)


def launch(options: SupervisorOptions) -> bool:
    """Settle what an earlier supervisor left, and start a new one; blocks for some seconds.

    True means that whoever connects to `noted_socket` is served from now on; False that another
    holds the lock, who may be starting a supervisor, or be one that ends.

    Raises:
        RuntimeUnavailableError: something stands in the way; the message says what.
    """
    try:
        options.directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        with _locked(options.directory / _LOCK) as lock:
            if lock is None:
                return False
            _settle(options)
            path = _socket_path(options)
            with listen_at(path) as listener:
                _write_note(options.directory / _NOTE, path)
                _start(options, listener.fileno(), lock)
            return True
    except OSError as error:
        place = error.filename or options.directory
        raise RuntimeUnavailableError(
            f"no supervisor can be started: {place}: {error.strerror}"
        ) from error


def _socket_path(options: SupervisorOptions) -> Path:
    directory = os.path.realpath(options.directory)
    name = hashlib.sha256(os.fsencode(directory)).hexdigest()[:16]
    path = options.socket_directory.absolute() / f"{name}.supervisor"
    if len(os.fsencode(path)) > _LONGEST_SOCKET_PATH:
        raise RuntimeUnavailableError(
            f"{path} is too long for a socket; set XDG_RUNTIME_DIR to a shorter directory"
        )
    return path


@contextlib.contextmanager
def _locked(path: Path) -> Iterator[int | None]:
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        yield descriptor if _is_locked_now(descriptor) else None
    finally:
        os.close(descriptor)  # the supervisor, if one was started, has the lock open as well


def _is_locked_now(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _settle(options: SupervisorOptions) -> None:
    """End what is left of an earlier supervisor, then record that it has ended."""
    journal = Journal.open(options.directory / JOURNAL)
    try:
        if journal.running:
            end_survivors(journal.running.values())
            at = options.now()
            lost = [ProcessEnd(key=key, at=at, exit_code=None) for key in journal.running]
            journal.append(lost)
    finally:
        journal.close()


def _write_note(note: Path, path: Path) -> None:
    part = note.with_suffix(".part")
    part.touch(mode=0o600)
    part.write_text(json.dumps({"socket": os.fspath(path)}) + "\n", encoding="utf-8")
    part.replace(note)


def _start(options: SupervisorOptions, listener: int, lock: int) -> None:
    directory = options.directory
    root = Path(sweeper.__file__).parents[1]
    arguments = [str(root), str(directory.absolute()), str(listener), str(lock)]
    log = directory / LOG
    log.touch(mode=0o600)
    with log.open("ab") as output:
        process = subprocess.Popen(  # noqa: S603 - our own program # nosec B603
            [sys.executable, "-P", "-c", _PROGRAM, *arguments],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            cwd="/",
            env=None if options.environment is None else dict(options.environment),
            pass_fds=(listener, lock),
            start_new_session=True,
        )
    # It forks once more and ends, so that the supervisor is nobody's child here.
    try:
        code = process.wait(_LAUNCH_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        code = process.wait()
    if code:
        raise RuntimeUnavailableError(f"the supervisor ended with {code} at its start; see {log}")
