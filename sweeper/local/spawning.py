"""Making a process that waits for leave before it becomes its program: standard library only.

Between being forked and being recorded nobody may lose sight of a process. So it waits at a
gate, a pipe, until the record is durable; when whoever made it dies first, the pipe closes and
it ends without having run anything.
"""

import contextlib
import os
import signal
import stat
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

from sweeper.local.runtime import StartError, StartOrder

_GO = b"!"
_LONGEST_REASON = 4096
_NOT_RUN = 127


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


def find_program(order: StartOrder) -> str:
    """Return the file that `argv[0]` names, as the process itself would find it.

    Raises:
        StartError: there is none, or no directory to work in; says where it looked.
    """
    if not stat.S_ISDIR(_mode(order.directory)):
        raise StartError(f"there is no directory {order.directory} to work in")
    name = order.argv[0]
    search = order.environment.get("PATH", os.defpath)
    places = [""] if "/" in name else search.split(os.pathsep)
    files = [str(Path(order.directory, place, name)) for place in places]
    found = [file for file in files if stat.S_ISREG(_mode(file))]
    for file in found:
        if os.access(file, os.X_OK):
            return file
    if found:
        raise StartError(f"{found[0]} is not executable (chmod +x makes it so)")
    if "/" in name:
        raise StartError(f"program {name} does not exist (looked for {files[0]})")
    raise StartError(f"program {name} was not found (looked in PATH: {search})")


def _mode(path: str) -> int:
    try:
        return Path(path).stat().st_mode
    except (OSError, ValueError):
        return 0


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
    before = signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


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
    with contextlib.suppress(OSError):
        for descriptor in {int(file.name) for file in Path("/dev/fd").iterdir()} - set(descriptors):
            with contextlib.suppress(OSError):
                os.close(descriptor)


def _reset_signals() -> None:  # pragma: no cover - see _fork
    signal.set_wakeup_fd(-1)
    for number in signal.valid_signals() - {signal.SIGKILL, signal.SIGSTOP}:
        with contextlib.suppress(OSError, ValueError):
            signal.signal(number, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_SETMASK, ())


def _execute(start: _Start) -> None:  # pragma: no cover - see _fork
    os.chdir(start.order.directory)
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.dup2(start.log, 1)
    os.dup2(start.log, 2)
    for descriptor in start.inherited:
        os.set_inheritable(descriptor, True)
    os.execve(start.program, start.order.argv, dict(start.order.environment))  # noqa: S606 - as ordered


def _describe(start: _Start, error: BaseException) -> str:  # pragma: no cover - see _fork
    if isinstance(error, OSError):
        hint = "; a script's first line names what runs it, like #!/bin/sh"
        known = error.errno in {2, 8}  # no such file (the interpreter), not an executable format
        return f"{start.program}: {error.strerror}{hint if known else ''}"
    return f"{start.program}: {error}"
