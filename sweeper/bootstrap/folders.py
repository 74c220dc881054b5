"""Where a sweep lives on disk: one folder of its own below the state directory.

In `<state>/sweeps/<slug>-<hash of the name>`:

- `sweep.json` holds its name and file, so that people and `ls` find it again, and its id, so that
  a store that is lost is missed
- `store.db` is the store; `owner.json` beside it says who holds it
- `report.key` is the secret that report tokens are made with
- `local` is the embedded control plane's: its state, logs, parameter and report files
"""

import contextlib
import fcntl
import hashlib
import json
import os
import re
import secrets
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from sweeper.bootstrap.filesystems import KindOf, file_system_of, refuse_network
from sweeper.domain.expansion import slug
from sweeper.errors import SettingsError
from sweeper.settings import Settings, default_state_dir

_SHARED = Path("/tmp")  # noqa: S108 - only for a folder that is 0700, owner checked # nosec B108
_KEY = re.compile(rb"[0-9a-f]{64}")


@dataclass(frozen=True, slots=True, kw_only=True)
class SweepFolder:
    """The folder of one sweep; nothing in it needs to exist yet."""

    name: str
    path: Path
    sockets: Path

    @property
    def store(self) -> Path:
        """The store's database."""
        return self.path / "store.db"

    @property
    def local(self) -> Path:
        """The embedded control plane's own folder."""
        return self.path / "local"

    @property
    def socket(self) -> Path:
        """The daemon's unix socket: a short hashed name, for a socket path holds 107 bytes."""
        return self.sockets / f"{_hash(str(self.path.absolute()))}.sock"

    def log_file(self, workload_name: str) -> Path:
        """The file to which the local control plane appends what a training prints."""
        return self.local / "logs" / f"{workload_name}.log"

    def report_file(self, number: int) -> Path:
        """The file to which a local trial's reports are appended."""
        return self.local / "reports" / f"{number}.jsonl"

    def exists(self) -> bool:
        """Whether this sweep was ever started here."""
        return (self.path / "sweep.json").is_file()

    def create(self, file: Path, *, kind_of: KindOf = file_system_of) -> None:
        """Make the folder, or take it over as it is.

        Raises:
            SettingsError: it cannot be made or written, or is on a network file system.
        """
        refuse_network(self.path, kind_of)
        with _unwritable(self.path):
            private_folder(self.path)
            self._note(file=str(file.absolute()))

    @property
    def sweep_id(self) -> str | None:
        """The id of the sweep that was started here, None if none was, or nobody remembers."""
        found = self._noted().get("sweep_id")
        return found if isinstance(found, str) else None

    def remember(self, sweep_id: str) -> None:
        """Write down, beside the store, which sweep it keeps; raises SettingsError."""
        if sweep_id != self.sweep_id:
            with _unwritable(self.path):
                self._note(sweep_id=sweep_id)

    def _note(self, **fields: str) -> None:
        # Before the store says whose the sweep is, two daemons may be here at once.
        with _alone_in(self.path):
            write_json(self.path / "sweep.json", {**self._noted(), "name": self.name, **fields})

    def _noted(self) -> dict[str, object]:
        try:
            found = json.loads((self.path / "sweep.json").read_text(encoding="utf-8"))
        except (OSError, ValueError, RecursionError):
            return {}
        return found if isinstance(found, dict) else {}

    def report_key(self) -> bytes:
        """Return the secret of this sweep's report tokens, making it the first time.

        A file that holds none, as a disk may leave one behind, is made anew: tokens that were made
        with an empty secret could be made by anyone.

        Raises:
            SettingsError: it cannot be read or written.
        """
        file = self.path / "report.key"
        with _unwritable(self.path):
            if not file.exists() or not _KEY.fullmatch(file.read_bytes()):
                write_durably(file, secrets.token_hex(32))
            return bytes.fromhex(file.read_text(encoding="ascii"))


def state_dir(settings: Settings) -> Path:
    """Return the state directory that the settings ask for, absolute."""
    return (settings.state_dir or default_state_dir()).expanduser().absolute()


def folder_of(settings: Settings, name: str) -> SweepFolder:
    """Return the folder of the sweep called `name`.

    The hash keeps names apart that differ only in what a file name cannot hold.
    """
    root = state_dir(settings) / "sweeps"
    return SweepFolder(
        name=name, path=root / f"{slug(name)}-{_hash(name)[:6]}", sockets=socket_directory(settings)
    )


def all_folders(settings: Settings) -> Iterator[SweepFolder]:
    """Yield the folder of every sweep that was ever started here, by name."""
    root = state_dir(settings) / "sweeps"
    found = []
    for file in root.glob("*/sweep.json"):
        with contextlib.suppress(OSError, ValueError, KeyError, TypeError):
            found.append(str(json.loads(file.read_text(encoding="utf-8"))["name"]))
    for name in sorted(found):
        yield folder_of(settings, name)


def socket_directory(settings: Settings, *, shared: Path = _SHARED) -> Path:
    """Return the private folder for unix sockets, made if need be.

    It is the first of these that can be written: `sweeper` in $XDG_RUNTIME_DIR, one for the user
    in `shared`, and `run` in the state directory, which is all that a container may write to.

    Raises:
        SettingsError: the folder belongs to someone else, or others may write to it.
    """
    runtime = os.environ.get("XDG_RUNTIME_DIR")
    if runtime and Path(runtime).is_dir() and os.access(runtime, os.W_OK):
        base = Path(runtime) / "sweeper"
    else:
        base = shared / f"sweeper-{os.getuid()}"
        if not os.access(base if base.exists() else base.parent, os.W_OK):
            base = state_dir(settings) / "run"
            with _unwritable(base):
                private_folder(base)
    with contextlib.suppress(FileExistsError):
        base.mkdir(mode=0o700)
    # Not followed: in a folder that all may write to, a link is somebody's choice of our place.
    found = base.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.getuid() or found.st_mode & 0o077:
        raise SettingsError(f"{base}: must be a folder of your own that nobody else may enter")
    return base


def write_json(file: Path, value: object) -> None:
    """Replace `file` as a whole and durably, readable by its owner only; raises OSError."""
    write_durably(file, json.dumps(value, indent=1) + "\n")


def private_folder(path: Path) -> None:
    """Make a folder, and those above it that are missing, for this user only; raises OSError.

    `Path.mkdir` gives its mode to the last folder alone.
    """
    missing = [folder for folder in (path, *path.parents) if not folder.exists()]
    for folder in reversed(missing):
        folder.mkdir(mode=0o700, exist_ok=True)
        # What is made durable in a folder is lost with it, should the folder itself not be.
        _sync_folder(folder.parent)


@contextlib.contextmanager
def _unwritable(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise SettingsError(
            f"the state directory cannot be written: {path}: {error.strerror}; "
            "make room there, or name another with --state-dir"
        ) from error


def write_durably(file: Path, text: str) -> None:
    """Replace `file` as a whole, readable by its owner only, on the disk when this returns.

    Raises OSError, and leaves the file as it was then.
    """
    part = file.with_name(f"{file.name}.part")
    part.touch(mode=0o600)
    with part.open("w", encoding="utf-8") as opened:
        opened.write(text)
        opened.flush()
        os.fsync(opened.fileno())
    part.replace(file)
    _sync_folder(file.parent)


@contextlib.contextmanager
def _alone_in(path: Path) -> Iterator[None]:
    """Keep other processes that ask for the same out of a folder; a kill lets go of it."""
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def _sync_folder(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:16]
