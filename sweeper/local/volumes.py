"""The folders that stand for a training's volumes, and its home: made when a process starts.

A process of this machine has no file system of its own, so nothing can be mounted. Each volume
is a folder, or a link to one, below a folder of the process; `SWEEPER_MOUNTS` tells it where, as
a JSON object from mount path to local path. Where a mount path lies in its working directory,
and nothing is there, a link is put there as well. Read-only is not enforced.
"""

import base64
import contextlib
import json
import os
import re
import shutil
import subprocess
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from sweeper.local.runtime import StartError
from sweeper.local.sources import Sources, existing, read_value
from sweeper.local.spec_reading import Spec, items_of, members_of

MOUNTS = "SWEEPER_MOUNTS"
PODS = "pods"
CLAIMS = "claims"
CLONE_SECONDS = 300.0
_ID_LENGTH = 36
_CREDENTIALS = re.compile(r"//[^/\s]*@")

_PATH_KEYS: Mapping[str, str] = {"git": "path", "pvc": "path"}
_HONOURED = ("hostPath", "git", "configMapVolume", "secretVolume", "dataVolume", "pvc")


@dataclass(frozen=True, slots=True, kw_only=True)
class Tenant:
    """Whose volumes they are: the key of the start, and the training behind it."""

    key: str
    workload_id: str
    name: str
    directory: str
    sources: Sources
    environment: Mapping[str, str] = field(repr=False)

    @property
    def root(self) -> Path:
        """The folder of this start."""
        return self.sources.state / PODS / self.key


def prepare(spec: Spec, tenant: Tenant) -> Mapping[str, str]:
    """Make home and volumes of a start, and return the variables that tell of them.

    It blocks, perhaps for minutes; what is there from an earlier try is kept.

    Raises:
        StartError: something that a volume needs is missing, or cannot be made.
    """
    told: dict[str, str] = {}
    try:
        tenant.root.mkdir(mode=0o700, parents=True, exist_ok=True)
        if spec.get("createHomeDir") is True:
            home = tenant.root / "home"
            home.mkdir(mode=0o700, exist_ok=True)
            told["HOME"] = str(home)
        mounts = {}
        for mount, place, make in _volumes(spec, tenant):
            mounts[mount] = str(_mounted(tenant, mount, place, make))
        if mounts:
            told[MOUNTS] = json.dumps(mounts)
    except OSError as error:
        raise StartError(f"a volume cannot be made: {error.filename}: {error.strerror}") from error
    except ValueError as error:
        raise StartError("a volume has a path that no file can have") from error
    return told


def clear(state: Path, workload_id: str, starts: int) -> None:
    """Remove the folders of a training's starts up to that number, and its ephemeral claims."""
    for number in range(1, starts + 1):
        shutil.rmtree(state / PODS / f"{workload_id}-{number}", ignore_errors=True)
    shutil.rmtree(state / PODS / workload_id, ignore_errors=True)


def clear_others(state: Path, kept: Collection[str]) -> None:
    """Remove the folders of all trainings but those whose ids are `kept`."""
    for folder in (state / PODS).glob("*"):
        if folder.name[:_ID_LENGTH] not in kept:
            shutil.rmtree(folder, ignore_errors=True)


def _mounted(tenant: Tenant, mount: str, place: str, make: Callable[[Path], None]) -> Path:
    inside = os.path.normpath("/" + mount).lstrip("/")
    if not inside or "\0" in mount:
        raise StartError(f"{place}: {mount[:80]!r} is no path to mount at")
    path = tenant.root / "mounts" / inside
    if not path.is_symlink() and not path.exists():
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        make(path)
    _link_in_directory(tenant, mount, path)
    return path


def _link_in_directory(tenant: Tenant, mount: str, path: Path) -> None:
    """Show a volume where the process expects it, if that is in its own directory and free."""
    link = os.path.normpath(os.path.join(tenant.directory, mount))  # noqa: PTH118 - not resolved
    if not link.startswith(tenant.directory.rstrip("/") + "/"):
        return
    if os.path.islink(link) and not os.path.exists(link):  # noqa: PTH110, PTH114 - plain text
        os.unlink(link)  # noqa: PTH108 - the link of an earlier start, whose folder is gone
    with contextlib.suppress(OSError):  # there is something already: the process has that
        os.symlink(path, link)  # noqa: PTH211 - plain text


def _volumes(spec: Spec, tenant: Tenant) -> Iterator[tuple[str, str, Callable[[Path], None]]]:
    """Yield mount path, place in the spec, and what makes each volume."""
    storage = members_of(spec, "storage")
    for kind in _HONOURED:
        for number, item in items_of(storage, kind):
            place = f"spec.storage.{kind}[{number}]"
            mount = _text(item, _PATH_KEYS.get(kind, "mountPath"))

            def make(path: Path, kind: str = kind, item: Spec = item, number: int = number) -> None:
                if kind == "git":
                    _clone(item, path, tenant)
                else:
                    path.symlink_to(_target(kind, item, number, tenant))

            yield mount, place, make


def _target(kind: str, item: Spec, number: int, tenant: Tenant) -> Path:
    """Return the folder that a volume is."""
    state = tenant.sources.state
    match kind:
        case "hostPath":
            path = Path(_text(item, "path")).absolute()
            if not path.exists():
                raise StartError(f"hostPath {path} does not exist on this machine")
            return path
        case "configMapVolume":
            folder = tenant.sources.folder("configMap", _text(item, "configMap"))
            return _within(folder, _text(item, "subPath"))
        case "secretVolume":
            return tenant.sources.folder("secret", _text(item, "secret"))
        case "dataVolume":
            return existing(state / "datavolumes", _text(item, "id").lower(), "dataVolume")
        case _:
            return _claim(item, number, tenant)


def _within(folder: Path, sub_path: str) -> Path:
    path = folder / sub_path
    if not path.exists() or not path.resolve().is_relative_to(folder.resolve()):
        raise StartError(f"{folder} has no path {sub_path[:80]!r}")
    return path


def _claim(item: Spec, number: int, tenant: Tenant) -> Path:
    """Return the folder of a claim: one that lasts, or one that goes with its training."""
    state = tenant.sources.state
    name = _text(item, "claimName") or f"{tenant.name}-{number}"
    if item.get("existingPvc") is True:
        return existing(state / CLAIMS, name, "pvc")
    is_ephemeral = item.get("ephemeral") is True
    parent = state / PODS / tenant.workload_id if is_ephemeral else state / CLAIMS
    with contextlib.suppress(FileExistsError):
        if "/" not in name and name not in {".", ".."}:
            (parent / name).mkdir(mode=0o700, parents=True)
    return existing(parent, name, "pvc")


def _clone(item: Spec, path: Path, tenant: Tenant) -> None:
    """Copy a repository to a path, whole or not at all; nobody is asked for a password."""
    part = path.with_name(path.name + ".part")
    shutil.rmtree(part, ignore_errors=True)
    repository = _text(item, "repository")
    branch = [f"--branch={_text(item, 'branch')}"] if _text(item, "branch") else []
    environment = _git_environment(item, repository, tenant)
    _git(["clone", "--quiet", *branch, "--", repository, str(part)], environment)
    revision = _text(item, "revision")
    if revision:
        at = _git(
            [
                "-C",
                str(part),
                "rev-parse",
                "--verify",
                "--end-of-options",
                f"{revision}^{{commit}}",
            ],
            environment,
        )
        _git(["-C", str(part), "checkout", "--quiet", "--detach", at], environment)
    part.rename(path)


def _git_environment(item: Spec, repository: str, tenant: Tenant) -> Mapping[str, str]:
    environment = {
        "PATH": tenant.environment.get("PATH", os.defpath),
        "HOME": str(tenant.root),
        "GIT_TERMINAL_PROMPT": "0",
        "GIT_ASKPASS": "true",
        "GIT_SSH_COMMAND": "ssh -oBatchMode=yes",
    }
    secret = _text(item, "passwordSecret")
    if secret:
        folder = tenant.sources.folder("secret", secret)
        user = read_value(folder, _text(item, "secretKeyOfUser") or "User").strip()
        password = read_value(folder, _text(item, "secretKeyOfPassword") or "Password").strip()
        token = base64.b64encode(f"{user}:{password}".encode()).decode()
        # By way of the environment, which no other user can read, and for this repository only.
        environment |= {
            "GIT_CONFIG_COUNT": "1",
            "GIT_CONFIG_KEY_0": f"http.{repository}.extraHeader",
            "GIT_CONFIG_VALUE_0": f"Authorization: Basic {token}",
        }
    return environment


def _git(words: list[str], environment: Mapping[str, str]) -> str:
    command = ["git", "-c", "protocol.ext.allow=never", "-c", "http.followRedirects=false", *words]
    try:
        done = subprocess.run(  # noqa: S603 - git, with words that it cannot take for options # nosec B603
            command,
            env=environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=CLONE_SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise StartError(f"git takes longer than {CLONE_SECONDS:.0f} s") from error
    except OSError as error:
        raise StartError(f"git cannot be started: {error.strerror}") from error
    if done.returncode:
        lines = done.stderr.decode(errors="replace").strip().splitlines() or ["no reason given"]
        reason = _CREDENTIALS.sub("//", lines[-1])
        raise StartError(f"git {words[0]} failed: {reason[:300]}")
    return done.stdout.decode(errors="replace").strip()


def _text(item: Spec, key: str) -> str:
    value = item.get(key)
    return value if isinstance(value, str) else ""
