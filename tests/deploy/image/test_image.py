"""What the image is: small, without rights, and as its file says."""

import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.deploy.image.engine import ROOT, Engine

pytestmark = [pytest.mark.needs("docker or podman"), pytest.mark.timeout(1200)]

_MOST_BYTES = 120_000_000

_TOUCH = (
    "for d in / /etc /home /opt /run /sweeper /tmp /var/tmp /state; do touch $d/x && echo $d; done"
)


@pytest.fixture(scope="module")
def config(engine: Engine, image: str) -> dict[str, Any]:
    """What the image asks of whoever runs it."""
    found: dict[str, Any] = engine.inspect(image)["Config"]
    return found


def test_the_image_adds_less_than_120_mb_to_its_base(
    engine: Engine, image: str, measured: Callable[[str], None]
) -> None:
    added = engine.added_bytes(image)

    measured(f"the image holds {added / 1e6:.0f} MB beyond its base, unpacked")
    assert 0 < added < _MOST_BYTES


def test_the_image_runs_as_a_user_that_kubernetes_can_tell_from_root(
    config: dict[str, Any],
) -> None:
    assert re.fullmatch(r"[1-9]\d*:[1-9]\d*", config["User"])


def test_the_image_is_the_command_and_keeps_its_state_in_a_volume(config: dict[str, Any]) -> None:
    assert config["Entrypoint"] == ["sweeper"]
    assert list(config["Volumes"]) == ["/state"]
    assert "SWEEPER_STATE_DIR=/state" in config["Env"]


def test_the_image_says_what_it_is(config: dict[str, Any]) -> None:
    named = {name.removeprefix("org.opencontainers.image.") for name in config["Labels"]}

    assert {"title", "description", "licenses", "version", "revision"} <= named


def test_nothing_but_the_state_can_be_written_to(engine: Engine, image: str) -> None:
    words = engine.hardened("--rm", "--entrypoint", "sh", image, "-c", _TOUCH)

    assert engine.call(*words).stdout.split() == ["/state"]


def test_nothing_of_what_built_it_is_left(engine: Engine, image: str) -> None:
    looking = (
        "find /opt/sweeper /build -name pip -o -name 'pip-*' -o -name 'hatchling*' -o -name '*.whl'"
    )
    words = engine.hardened("--rm", "--entrypoint", "sh", image, "-c", f"{looking} 2>/dev/null")

    assert engine.call(*words, check=False).stdout == ""


def test_extras_are_added_by_a_build_argument(engine: Engine) -> None:
    image = engine.build("localhost/sweeper:search", "--build-arg", "EXTRAS=search")
    words = engine.hardened("--rm", "--entrypoint", "python", image, "-c", "import scipy, sweeper")

    assert engine.call(*words).returncode == 0


def test_hadolint_has_nothing_against_the_dockerfile() -> None:
    hadolint = Path(sys.executable).with_name("hadolint")

    found = subprocess.run(
        [str(hadolint), str(ROOT / "Dockerfile")], capture_output=True, text=True, check=False
    )

    assert (found.returncode, found.stdout) == (0, "")


def test_the_label_carries_the_version_of_the_package(config: dict[str, Any]) -> None:
    project = (ROOT / "pyproject.toml").read_text(encoding="utf-8")

    assert f'version = "{config["Labels"]["org.opencontainers.image.version"]}"' in project
