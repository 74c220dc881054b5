"""The engine that builds and runs the image: docker where its server answers, else podman.

`python -m tests.deploy.image.engine` builds the image, and prints the engine's command line and
the image's size. Where no registry can be reached, the base is made of Debian packages, under
the same name: its Python is Debian's own, and all that the Dockerfile does is done.
"""

import json
import os
import resource
import shlex
import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.deploy.image.base import make_base

ROOT = Path(__file__).parents[3]
BASE = "docker.io/library/python:3.13-slim"
IMAGE = "localhost/sweeper:test"

STATE = Path(os.environ.get("SWEEPER_IMAGE_STATE", f"/var/tmp/sweeper-image-{os.getuid()}"))
"""What is kept from one run to the next: podman's own images and containers, and its settings."""

_AUTHORITIES = Path("/etc/ssl/certs/ca-certificates.crt")
_ENOUGH = 4096
_BUILD_SECONDS = 900
_RUN_SECONDS = 240

HARDENED = ("--cap-drop", "all", "--security-opt", "no-new-privileges", "--memory", "512m")
"""What a careful person adds to `run`, beside a root file system that is read only."""


class EngineError(Exception):
    """There is no engine, or it does not do what it is asked; the message says what to do."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Engine:
    """A command that speaks docker's language, and how it is called here."""

    command: tuple[str, ...]
    environment: Mapping[str, str]
    build_flags: tuple[str, ...] = ()
    run_flags: tuple[str, ...] = ()
    read_only: tuple[str, ...] = ("--read-only",)

    def call(
        self, *arguments: str, check: bool = True, seconds: int = _RUN_SECONDS
    ) -> subprocess.CompletedProcess[str]:
        """Run one command of the engine to its end."""
        done = subprocess.run(
            [*self.command, *arguments],
            check=False,
            env={**os.environ, **self.environment},
            capture_output=True,
            text=True,
            timeout=seconds,
        )
        if check and done.returncode:
            raise EngineError(f"{shlex.join(arguments)}: {done.returncode}\n{done.stderr[-3000:]}")
        return done

    def open(self, *arguments: str) -> subprocess.Popen[str]:
        """Start one command of the engine, whose output can be read line by line."""
        return subprocess.Popen(
            [*self.command, *arguments],
            env={**os.environ, **self.environment},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def hardened(self, *arguments: str) -> list[str]:
        """Return the words of a `run` without network, rights, or a place to write."""
        flags = [*self.run_flags, *self.read_only, *HARDENED, "--network", "none"]
        return ["run", *flags, *arguments]

    def inspect(self, image: str) -> dict[str, Any]:
        """Return what the engine knows of an image."""
        found: list[dict[str, Any]] = json.loads(self.call("image", "inspect", image).stdout)
        return found[0]

    def has(self, image: str) -> bool:
        """Return whether an image is here, or can be had from its registry."""
        if self.call("image", "inspect", image, check=False).returncode == 0:
            return True
        return self.call("pull", "--quiet", image, check=False).returncode == 0

    def build(self, tag: str = IMAGE, *arguments: str) -> str:
        """Build the Dockerfile on top of `BASE`; return the image's name."""
        if not self.has(BASE):
            make_base(self, BASE)
        flags = [*self.build_flags, *arguments, "--build-arg", f"BASE={BASE}", "--tag", tag]
        self.call("build", *flags, str(ROOT), seconds=_BUILD_SECONDS)
        return tag

    def added_bytes(self, image: str) -> int:
        """Return how much an image holds beyond its base, unpacked."""
        return int(self.inspect(image)["Size"]) - int(self.inspect(BASE)["Size"])


def find_engine() -> Engine:
    """Return the engine of this machine.

    Raises:
        EngineError: there is none.
    """
    if shutil.which("docker"):
        docker = Engine(command=("docker",), environment={})
        if docker.call("version", "--format", "{{.Server.Version}}", check=False).returncode == 0:
            return docker
    if shutil.which("podman"):
        return podman()
    raise EngineError("neither docker nor podman is at work here (apt-get install podman runc)")


def podman() -> Engine:
    """Return podman with a store and settings of its own; what the user has stays untouched."""
    STATE.mkdir(mode=0o700, parents=True, exist_ok=True)
    settings = STATE / "containers.conf"
    settings.write_text(_settings(), encoding="utf-8")
    registries = STATE / "registries.conf"
    registries.write_text('unqualified-search-registries = ["docker.io"]\n', encoding="utf-8")
    places = ("--root", str(STATE / "images"), "--runroot", str(STATE / "run"))
    # The authorities are there for RUN alone, and only where a proxy may stand before the index.
    trusted = f"{_AUTHORITIES}:{_AUTHORITIES}:ro"
    mounts = ("--volume", trusted, "--env", f"PIP_CERT={_AUTHORITIES}", "--unsetenv", "PIP_CERT")
    return Engine(
        command=("podman", "--log-level", "error", *places, "--storage-driver", "overlay"),
        environment={
            "CONTAINERS_CONF": str(settings),
            "CONTAINERS_REGISTRIES_CONF": str(registries),
        },
        build_flags=(
            *("--isolation", "chroot", "--format", "docker", "--layers", "--pull=never"),
            *(mounts if _AUTHORITIES.exists() else ()),
        ),
        run_flags=("--pull", "never", "--no-healthcheck"),
        # Without it podman mounts folders that may be written, which docker does not.
        read_only=("--read-only", "--read-only-tmpfs=false"),
    )


def _settings() -> str:
    """Return podman's settings: no systemd, no rights beyond those that this process has."""
    kinds = {"nofile": resource.RLIMIT_NOFILE, "nproc": resource.RLIMIT_NPROC}
    limits = {name: _least(*resource.getrlimit(kind)) for name, kind in kinds.items()}
    ulimits = json.dumps([f"{name}={limit}:{limit}" for name, limit in limits.items()])
    runtime = 'runtime = "runc"\n' if shutil.which("runc") else ""
    return (
        f'[containers]\ndefault_ulimits = {ulimits}\nlog_driver = "k8s-file"\n'
        f'[engine]\ncgroup_manager = "cgroupfs"\nevents_logger = "file"\n{runtime}'
    )


def _least(*limits: int) -> int:
    """Return a limit that may be set by whoever has these ones: to lower one is always allowed."""
    return min([_ENOUGH, *(limit for limit in limits if limit != resource.RLIM_INFINITY)])


def main() -> None:
    """Build the image, and say how it can be used."""
    engine = find_engine()
    image = engine.build()
    environment = shlex.join(f"{name}={value}" for name, value in engine.environment.items())
    sys.stdout.write(f"engine: {environment} {shlex.join(engine.command)}\n")
    sys.stdout.write(f"image: {image}\n")
    sys.stdout.write(f"over the base: {engine.added_bytes(image) / 1e6:.1f} MB\n")


if __name__ == "__main__":
    main()
