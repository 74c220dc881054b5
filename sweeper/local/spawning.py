"""Making a process that waits for leave before it becomes its program: standard library only.

Between being forked and being recorded nobody may lose sight of a process. So it waits at a
gate, a pipe, until the record is durable; when whoever made it dies first, the pipe closes and
it ends without having run anything.
"""

import contextlib
import os
import signal
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

from sweeper.local.runtime import StartError, StartOrder

_GO = b"!"
_LONGEST_REASON = 4096
_NOT_RUN = 127

# The last two Python itself ignores, to hear of them as errors.
IGNORED = {
    *(signal.SIGHUP, signal.SIGINT, signal.SIGQUIT, signal.SIGTERM),
    *(signal.SIGPIPE, signal.SIGXFSZ),
}
"""What a process that spawns may ignore without its children doing the same."""

_HANDLED = {signal.SIGCHLD, *IGNORED}


@dataclass(frozen=True, slots=True, kw_only=True)
class Gated:
    """A process at its gate; `gate` and `reasons` are pipes that close when it is executed."""

    pid: int
    gate: int
    reasons: int

    def release(self) -> None:
        """Let it become its program."""
        with contextlib.suppress(BrokenPipeError):  # it was killed while it waited
            os.write(self.gate, _GO)
        os.close(self.gate)

    def abandon(self) -> None:
        """Let it end without having run anything."""
        os.close(self.gate)
        os.close(self.reasons)

    def outcome(self) -> str:
        """Return "" for a process that became its program, else why it did not; closes it.

        Blocks until one or the other is true, which `reasons` being readable tells.
        """
        reason = os.read(self.reasons, _LONGEST_REASON)
        os.close(self.reasons)
        return reason.decode(errors="replace")


def spawn(order: StartOrder, inherited: Sequence[int]) -> Gated:
    """Make the process of an order, in a session of its own, waiting at its gate.

    It gets the descriptors `inherited` under their numbers, and no others.

    Raises:
        StartError: something that it needs is missing.
        OSError: this machine has no room for one more process just now.
    """
    program = find_program(order)
    log = _open_log(order.log_file)
    try:
        return _fork(_Start(order=order, program=program, log=log, inherited=inherited))
    finally:
        os.close(log)


def check_texts(order: StartOrder) -> None:
    """Raise StartError if the order holds what no process and no file name can."""
    texts = [*order.argv, order.directory, order.log_file, *order.lock_files]
    texts += [*order.environment, *order.environment.values()]
    try:
        if b"\0" not in os.fsencode("".join(texts)):
            return
    except UnicodeEncodeError as error:
        raise StartError("its arguments or environment hold text that is no text") from error
    raise StartError("its arguments or environment hold a NUL character")


def find_program(order: StartOrder) -> str:
    """Return the file that `argv[0]` names, as the process itself would find it.

    Raises:
        StartError: there is none, or no directory to work in; says where it looked.
    """
    if not Path(order.directory).is_dir():
        raise StartError(f"there is no directory {order.directory} to work in")
    name = order.argv[0]
    search = order.environment.get("PATH", os.defpath)
    places = [""] if "/" in name else search.split(os.pathsep)
    files = [_join(_join(order.directory, place), name) for place in places]
    for file in files:
        if os.access(file, os.X_OK) and Path(file).is_file():
            return file
    for file in files:
        if os.access(file, os.F_OK) and Path(file).is_file():
            raise StartError(f"{file} is not executable (chmod +x makes it so)")
    if "/" in name:
        raise StartError(f"program {name} does not exist (looked for {files[0]})")
    raise StartError(f"program {name} was not found (looked in PATH: {search})")


def _join(directory: str, name: str) -> str:
    # Of plain texts, for a PATH has many directories and most starts look through them.
    return name if name.startswith("/") else f"{directory}/{name}" if name else directory


def _open_log(name: str) -> int:
    path = Path(name)
    flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC | os.O_NOCTTY
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        # Opening a pipe that nobody reads would wait for ever; now it fails instead.
        log = os.open(path, flags | os.O_NONBLOCK, 0o600)
    except (OSError, ValueError) as error:
        reason = (error.strerror if isinstance(error, OSError) else None) or str(error)
        raise StartError(f"the log file {name} cannot be opened: {reason}") from error
    os.set_blocking(log, True)
    return log


@dataclass(frozen=True, slots=True, kw_only=True)
class _Start:
    order: StartOrder
    program: str
    log: int
    inherited: Sequence[int]


def _fork(start: _Start) -> Gated:
    with contextlib.ExitStack() as theirs, contextlib.ExitStack() as ours:
        gate, gate_end = _pipe(theirs, ours)
        reasons_end, reasons = _pipe(ours, theirs)
        with _no_signals():
            pid = os.fork()
            if pid == 0:  # pragma: no cover - becomes another program, so nobody can measure it
                _become(start, gate, reasons)
        ours.pop_all()
        return Gated(pid=pid, gate=gate_end, reasons=reasons_end)


def _pipe(reader: contextlib.ExitStack, writer: contextlib.ExitStack) -> tuple[int, int]:
    read_end, write_end = os.pipe()
    reader.callback(os.close, read_end)
    writer.callback(os.close, write_end)
    return read_end, write_end


@contextlib.contextmanager
def _no_signals() -> Iterator[None]:
    """Hold signals back: one that came to the child early would be told to the parent."""
    signal.pthread_sigmask(signal.SIG_BLOCK, _HANDLED)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, _HANDLED)


def _become(start: _Start, gate: int, reasons: int) -> NoReturn:  # pragma: no cover - see _fork
    try:
        _keep_only({0, 1, 2, gate, reasons, start.log, *start.inherited})
        os.setsid()
        _reset_signals()
        if os.read(gate, 1) == _GO:
            _execute(start)
    except BaseException as error:  # noqa: BLE001 - nothing may unwind into the parent's code
        with contextlib.suppress(OSError):
            os.write(reasons, _describe(start, error).encode(errors="replace")[:_LONGEST_REASON])
    finally:
        os._exit(_NOT_RUN)


def _keep_only(descriptors: Iterable[int]) -> None:  # pragma: no cover - see _fork
    # All others close by themselves on exec; a process at its gate must not hold them open, or
    # the locks and gates of a supervisor that died would outlast it.
    others: set[int] = set()
    with contextlib.suppress(OSError), os.scandir("/dev/fd") as files:
        others = {int(file.name) for file in files}.difference(descriptors)
    for descriptor in others:
        with contextlib.suppress(OSError):
            os.close(descriptor)


def _reset_signals() -> None:  # pragma: no cover - see _fork
    signal.set_wakeup_fd(-1)
    for number in _HANDLED:
        signal.signal(number, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_SETMASK, ())


def _execute(start: _Start) -> None:  # pragma: no cover - see _fork
    os.chdir(start.order.directory)
    os.dup2(_standard_input(start.order), 0)
    os.dup2(start.log, 1)
    os.dup2(start.log, 2)
    for descriptor in start.inherited:
        os.set_inheritable(descriptor, True)
    os.execve(start.program, start.order.argv, dict(start.order.environment))  # noqa: S606 - as ordered # nosec B606


def _standard_input(order: StartOrder) -> int:  # pragma: no cover - see _fork
    if not order.stdin:
        return os.open(os.devnull, os.O_RDONLY)
    # It holds the other end itself, so that its input stays open, and nothing ever comes.
    reader, writer = os.pipe()
    os.set_inheritable(writer, True)
    return reader


def _describe(start: _Start, error: BaseException) -> str:  # pragma: no cover - see _fork
    if isinstance(error, OSError):
        hint = "; a script's first line names what runs it, like #!/bin/sh"
        known = error.errno in {2, 8}  # no such file (the interpreter), not an executable format
        return f"{start.program}: {error.strerror}{hint if known else ''}"
    return f"{start.program}: {error}"
