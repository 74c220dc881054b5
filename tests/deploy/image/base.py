"""A base image of Debian packages, for machines that reach no registry: root and mmdebstrap."""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Protocol

_PACKAGES = "apt,ca-certificates,netbase,passwd,python3,python3-pip,python3-venv,tzdata"
_SECONDS = 600

_DOCKERFILE = """\
FROM scratch
ADD root.tar /
ENV PATH=/usr/local/bin:/usr/local/sbin:/usr/sbin:/usr/bin:/sbin:/bin LANG=C.UTF-8
CMD ["python3"]
"""


class _Builder(Protocol):
    def call(self, *arguments: str, check: bool = True, seconds: int = ...) -> object: ...


def make_base(builder: _Builder, name: str) -> None:
    """Make `name` of Debian trixie with its own Python 3.13, found where python's image has it."""
    if os.getuid() or not shutil.which("mmdebstrap"):
        raise AssertionError(
            f"{name} cannot be pulled, and what stands in for it needs root and mmdebstrap "
            "(apt-get install mmdebstrap)"
        )
    with tempfile.TemporaryDirectory(prefix="sweeper-base-", dir="/var/tmp") as folder:
        place = Path(folder)
        subprocess.run(
            ["mmdebstrap", *_flags(), "trixie", str(place / "root.tar")],
            check=True,
            capture_output=True,
            timeout=_SECONDS,
        )
        (place / "Dockerfile").write_text(_DOCKERFILE, encoding="utf-8")
        builder.call(
            *("build", "--isolation", "chroot", "--format", "docker", "--tag", name, folder),
            seconds=_SECONDS,
        )


def _flags() -> Iterator[str]:
    yield from ("--quiet", "--mode=root", "--variant=essential", f"--include={_PACKAGES}")
    for folder in ("doc", "man", "locale"):
        yield f"--dpkgopt=path-exclude=/usr/share/{folder}/*"
    links = {"python": "python3", "python3": "python3", "pip": "pip3"}
    for link, target in links.items():
        yield f'--customize-hook=ln -s /usr/bin/{target} "$1/usr/local/bin/{link}"'
    # As in python's own image, pip may install beside the packages of the system.
    yield '--customize-hook=rm -f "$1"/usr/lib/python3*/EXTERNALLY-MANAGED'
