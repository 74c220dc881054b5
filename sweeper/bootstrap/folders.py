"""Where a sweep lives on disk: one folder of its own below the state directory.

In `<state>/sweeps/<slug>-<hash of the name>`:

- `sweep.json` holds its name and file, so that people and `ls` find it again
- `store.db` is the store; `owner.json` beside it says who holds it
- `report.key` is the secret that report tokens are made with
- `local` is the embedded control plane's: its state, logs, parameter and report files
"""

import contextlib
import hashlib
import json
import os
import secrets
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from sweeper.domain.expansion import slug
from sweeper.errors import SettingsError
from sweeper.settings import Settings, default_state_dir


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

    def create(self, file: Path) -> None:
        """Make the folder, or take it over as it is.

        Raises:
            SettingsError: it cannot be made or written.
        """
        try:
            private_folder(self.path)
            write_json(self.path / "sweep.json", {"name": self.name, "file": str(file.absolute())})
        except OSError as error:
            raise SettingsError(
                f"the state directory cannot be written: {self.path}: {error.strerror}; "
                "name another with --state-dir"
            ) from error

    def report_key(self) -> bytes:
        """Return the secret of this sweep's report tokens, making it the first time."""
        file = self.path / "report.key"
        if not file.exists():
            part = file.with_suffix(".part")
            part.touch(mode=0o600)
            part.write_text(secrets.token_hex(32), encoding="ascii")
            part.replace(file)
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
        name=name, path=root / f"{slug(name)}-{_hash(name)[:6]}", sockets=socket_directory()
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


def socket_directory() -> Path:
    """Return the private folder for unix sockets, made if need be.

    Raises:
        SettingsError: the folder belongs to someone else, or others may write to it.
    """
    runtime = os.environ.get("XDG_RUNTIME_DIR")
    usable = runtime and Path(runtime).is_dir() and os.access(runtime, os.W_OK)
    base = Path(runtime) / "sweeper" if usable and runtime else Path(f"/tmp/sweeper-{os.getuid()}")  # noqa: S108 - 0700, owner checked # nosec B108
    with contextlib.suppress(FileExistsError):
        base.mkdir(mode=0o700)
    # Not followed: in a folder that all may write to, a link is somebody's choice of our place.
    found = base.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.getuid() or found.st_mode & 0o077:
        raise SettingsError(f"{base}: must be a folder of your own that nobody else may enter")
    return base


def write_json(file: Path, value: object) -> None:
    """Replace `file` as a whole, readable by its owner only."""
    part = file.with_suffix(".part")
    part.touch(mode=0o600)
    part.write_text(json.dumps(value, indent=1) + "\n", encoding="utf-8")
    part.replace(file)


def private_folder(path: Path) -> None:
    """Make a folder, and those above it that are missing, for this user only; raises OSError.

    `Path.mkdir` gives its mode to the last folder alone.
    """
    missing = [folder for folder in (path, *path.parents) if not folder.exists()]
    for folder in reversed(missing):
        folder.mkdir(mode=0o700, exist_ok=True)


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:16]
